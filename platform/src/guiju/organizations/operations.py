"""Changing the tree and its people: one transaction each, with audit entry and dirty marks.

Rows have the shape of the facts tables (:mod:`guiju.rules.tables`); references are the
author's ids.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju.activities.store import store
from guiju.audit.operations import Actor, record, row_values
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization, OrganizationMove
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem

Row = Mapping[str, Any]


def create_organization(session: AnySession, actor: Actor, organization: Row) -> Organization:
    """Add an organization; without a ``parent`` it comes under the root.

    Raises ``BadInput`` where the id is taken or the superior unknown.
    """
    code = organization["id"]
    with transaction(session):
        if session.scalars(_by_code(code)).first():
            place = "/organizations/0/id"
            raise BadInput([Problem(place, code, _("这个编号已被使用，请换一个"), "taken")])
        store(session, {"organizations": [organization]}, "organization.create")
        created = session.scalars(_by_code(code)).one()
        record(
            session, actor, "organization.create", "organization", code, after=row_values(created)
        )
    return created


def close_organization(
    session: AnySession, actor: Actor, organization_id: int, closed_on: date
) -> None:
    """Close an organization; ``closed_on`` is the last day of its existence.

    Raises ``BadInput`` while it has open organizations below it.
    """
    with transaction(session):
        organization = _get(session, organization_id)
        below = session.scalars(
            sa.select(Organization.code).where(
                within(Organization.__table__.c.path, organization.path),
                Organization.id != organization_id,
                sa.or_(Organization.closed_on.is_(None), Organization.closed_on > closed_on),
            )
        ).all()
        if below:
            wanted = _("下级组织须先撤销或调整上级")
            raise BadInput(Problem("/closed_on", code, wanted, "open_below") for code in below)
        before = row_values(organization)
        organization.closed_on = closed_on
        _changed(session, actor, "organization.close", organization, before)
        mark_dirty(session, _with_parent(organization), "organization.close")


def move_organization(
    session: AnySession, actor: Actor, organization_id: int, parent_id: int, moved_on: date
) -> None:
    """Put an organization, with all below it, under another superior from a day on.

    Findings of earlier days keep the place of their day (``organization_moves``).  Raises
    ``BadInput`` for the root, and for a superior that is the organization or below it.
    """
    with transaction(session):
        organization, parent = _get(session, organization_id), _get(session, parent_id)
        if organization.parent_id is None or parent.path.startswith(organization.path):
            wanted = _("上级不能是它自己或它的下级，顶级组织不能移动")
            raise BadInput([Problem("/parent", parent.code, wanted, "cycle")])
        before = row_values(organization)
        session.add(
            OrganizationMove(
                organization_id=organization_id,
                moved_on=moved_on,
                old_parent_id=organization.parent_id,
                old_path=organization.path,
                new_parent_id=parent_id,
            )
        )
        superiors = {organization.parent_id, parent_id}
        _graft(session, organization.path, f"{parent.path}{organization_id}/")
        session.refresh(organization)
        organization.parent_id = parent_id
        _changed(session, actor, "organization.move", organization, before)
        mark_dirty(session, [organization_id], "organization.move", subtree=True)
        mark_dirty(session, superiors, "organization.move")


def add_member(session: AnySession, actor: Actor, membership: Row) -> None:
    """Record a membership: a row of ``members``; or correct the one begun on the same day.

    Counts of the occasions it reaches back to are derived again.  Raises ``BadInput`` where
    the person would be in two branches at once.
    """
    _store_row(session, actor, "member.record", "members", membership)


def appoint(session: AnySession, actor: Actor, post: Row) -> None:
    """Record who holds a post: a row of ``posts``; or correct the one begun on the same day."""
    _store_row(session, actor, "post.record", "posts", post)


def _store_row(session: AnySession, actor: Actor, action: str, table: str, row: Row) -> None:
    with transaction(session):
        if store(session, {table: [row]}, action):
            record(session, actor, action, "organization", row["organization"], after=row)


def _by_code(code: str) -> sa.Select[Organization]:
    return sa.select(Organization).where(Organization.code == code)


def _get(session: AnySession, organization_id: int) -> Organization:
    return session.scalars(sa.select(Organization).where(Organization.id == organization_id)).one()


def _graft(session: AnySession, old: str, new: str) -> None:
    """Replace the beginning of every path in a subtree."""
    path = Organization.__table__.c.path
    session.execute(
        sa.update(Organization)
        .where(within(path, old))
        .values(path=sa.func.concat(new, sa.func.substr(path, len(old) + 1)))
        .execution_options(synchronize_session=False)
    )


def _with_parent(organization: Organization) -> set[int]:
    return {organization.id, organization.parent_id or organization.id}


def _changed(
    session: AnySession,
    actor: Actor,
    action: str,
    organization: Organization,
    before: Mapping[str, Any],
) -> None:
    session.flush()
    record(
        session,
        actor,
        action,
        "organization",
        organization.code,
        before=before,
        after=row_values(organization),
    )
