"""Whose records somebody reaches, and how a refusal is said.

What a visitor may not see raises :class:`NotVisible`, as if it were not there; what they see
but may not do raises :class:`NotAllowed`; what somebody else changed meanwhile raises
:class:`Conflict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, overload

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities.models import Occasion
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.organizations.queries import organization
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.results import NotVisible

__all__ = ["Conflict", "NotAllowed", "NotVisible", "demand", "find_occasion", "find_unit", "words"]

#: Longest reason or comment, in characters.
MOST_WORDS: Final = 2000


class NotAllowed(PermissionError):
    """The visitor sees it but may not do this to it; the text says why, for the log."""


class Conflict(Exception):
    """Somebody saved it after the caller had read it; nothing was changed.

    Carries what stands there now: its ``revision``, the whole ``payload``, and who saved it
    when.
    """

    def __init__(
        self, revision: int, payload: Mapping[str, Any], author: str, changed_at: datetime
    ) -> None:
        super().__init__(f"revision {revision} by {author}")
        self.revision = revision
        self.payload = payload
        self.author = author
        self.changed_at = changed_at


def find_unit(
    session: AnySession, visitor: Visitor, organization_id: int, permission: str = "records.read"
) -> Organization:
    """The organization, at which the visitor may do what ``permission`` names."""
    found = organization(session, organization_id)
    if found is None or not visitor.sees(found.path):
        raise NotVisible(f"organization {organization_id}")
    demand(visitor, permission, found.path)
    return found


def find_occasion(
    session: AnySession,
    visitor: Visitor,
    occasion_id: int,
    permission: str = "records.read",
    *,
    lock: bool = False,
) -> tuple[Occasion, Organization]:
    """The occasion with its organization, at which the visitor may do what is asked.

    ``lock`` makes whoever else changes the record wait for the end of the transaction.
    """
    query = sa.select(Occasion).where(
        Occasion.tenant_id == current_tenant_id(), Occasion.id == occasion_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    occasion = session.scalars(query).one_or_none()
    if occasion is None:
        raise NotVisible(f"occasion {occasion_id}")
    return occasion, find_unit(session, visitor, occasion.organization_id, permission)


def demand(visitor: Visitor, permission: str, path: str) -> None:
    """Raise :class:`NotAllowed` unless the visitor has the permission at ``path``."""
    if not visitor.may(permission, path):
        raise NotAllowed(f"{permission} at {path}")


@overload
def words(text: str | None, place: str, *, required: Literal[True]) -> str: ...


@overload
def words(text: str | None, place: str, *, required: bool) -> str | None: ...


def words(text: str | None, place: str, *, required: bool) -> str | None:
    """A reason or comment without blanks around it; raises ``BadInput`` where it is missing."""
    told = "".join(sign for sign in text or "" if sign >= " " or sign == "\n").strip()
    if required and not told:
        raise BadInput([Problem(place, _("没有填写"), _("请写明原因"), "missing_value")])
    if len(told) > MOST_WORDS:
        found = _("有 {number} 个字").format(number=len(told))
        wanted = _("不超过 {most} 个字").format(most=MOST_WORDS)
        raise BadInput([Problem(place, found, wanted, "too_long")])
    return told or None
