"""Which records a visitor reaches: what is not theirs is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.api.admission import visitor
from guiju.api.problems import Refused, not_found
from guiju.db import current_tenant_id, db
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.organizations.tree import within


def demand(permission: str, path: str | None = None) -> Visitor:
    """The visitor, who may do ``permission`` at ``path``; 403 where they may not.

    Whether they see what is there is asked before.
    """
    asking = visitor()
    if not asking.may(permission, path):
        raise Refused(403, _("需要“{permission}”的权限").format(permission=permission))
    return asking


def demand_everywhere(permission: str) -> Visitor:
    """The visitor, who may do ``permission`` in the whole tenant; 403 where they may not."""
    asking = visitor()
    if not asking.may_everywhere(permission):
        raise Refused(403, _("需要“{permission}”的权限").format(permission=permission))
    return asking


def organization(code: str, permission: str, *, lock: bool = False) -> Organization:
    """The organization with the author's id ``code``; 404 or 403 where it is not theirs to use.

    ``lock`` keeps others from changing it until the transaction ends.
    """
    select = sa.select(Organization).where(
        Organization.tenant_id == current_tenant_id(), Organization.code == code
    )
    if lock:
        select = select.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalars(select).one_or_none()
    if found is None or not visitor().sees(found.path):
        raise not_found()
    demand(permission, found.path)
    return found


def top(query: Mapping[str, Any], permission: str) -> tuple[int, str]:
    """Number and path of the organization that a list is about, with all that is below it.

    What ``within`` names, or the highest organization that the visitor reads.
    """
    if (code := query.get("within")) is not None:
        found = organization(code, permission)
        return found.id, found.path
    highest = demand(permission).home
    if highest is None:
        raise Refused(403)
    demand(permission, highest.path)
    return highest.organization_id, highest.path


def below(query: Mapping[str, Any], permission: str) -> list[str]:
    """Paths that a list shows: what ``within`` names, or all that the visitor may see.

    Only what both the visitor sees and ``permission`` reaches.  404 for an organization that
    is not theirs, 403 where there is nothing that they may list.
    """
    asking = demand(permission)
    if (code := query.get("within")) is not None:
        return [organization(code, permission).path]
    return [path for path in asking.roots(permission) if asking.sees(path)]


def at_or_below(paths: Iterable[str]) -> sa.ColumnElement[bool]:
    """The condition on organizations that they are at or below one of ``paths``."""
    path = Organization.__table__.c.path
    return sa.or_(sa.false(), *(within(path, top) for top in paths))


def known_organization(code: str | None, place: str, permission: str) -> Organization | None:
    """An organization that a body names; None for none.

    One that the visitor does not see is as unknown as one that is not there: a fault at
    ``place`` either way.
    """
    if code is None:
        return None
    found = db.session.scalars(
        sa.select(Organization).where(
            Organization.tenant_id == current_tenant_id(), Organization.code == code
        )
    ).one_or_none()
    asking = visitor()
    # Who manages accounts alone, as the security administrator, has no part of the tree to see.
    if found is None or not (asking.sees(found.path) or asking.may(permission, found.path)):
        error = {
            "pointer": place,
            "code": "unknown",
            "found": code,
            "detail": _("没有这个编号的组织"),
        }
        raise Refused(422, errors=[error])
    demand(permission, found.path)
    return found
