"""Telling users: notices are written in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from guiju import clock
from guiju.accounts.models import User
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.queries import held_on
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import record
from guiju.db.arrays import any_of
from guiju.db.locks import hold
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import CODES
from guiju.notices.models import Notice, NoticeSetting
from guiju.notices.queries import setting
from guiju.organizations.models import Organization


def notify_unit(
    session: AnySession,
    visitor: Visitor,
    organization: Organization,
    kind: str,
    details: Mapping[str, Any],
) -> None:
    """Tell those who keep a unit's records; ``details["key"]`` says what it came of."""
    found = responsible(session, [organization.id]).get(organization.id, set())
    _tell(session, found - {visitor.user_id}, kind, organization.id, details)


def notify_superiors(
    session: AnySession,
    visitor: Visitor,
    organization: Organization,
    kind: str,
    details: Mapping[str, Any],
) -> None:
    """Tell those who decide about a unit: of the nearest superior that has any."""
    above = [int(step) for step in organization.path.strip("/").split("/")]
    nearest = above[-2::-1] or above
    found = _holders(session, nearest, PERMISSIONS["findings.decide"])
    for superior in nearest:
        if users := found.get(superior, set()) - {visitor.user_id}:
            _tell(session, users, kind, organization.id, details)
            return


def notify_user(
    session: AnySession,
    user_id: int,
    organization_id: int,
    kind: str,
    details: Mapping[str, Any],
) -> None:
    """Tell one user."""
    _tell(session, {user_id}, kind, organization_id, details)


def responsible(
    session: AnySession, organizations: Collection[int] | None = None
) -> dict[int, set[int]]:
    """Users who keep the records of units (by default of all), by unit: its own recorders.

    A unit without one has its own administrators; nobody answers for units that are merely
    below theirs.
    """
    recorders = _holders(session, organizations, {"recorder"})
    others = _holders(session, organizations, {"administrator"})
    return others | recorders


def _holders(
    session: AnySession, organizations: Collection[int] | None, roles: Collection[str]
) -> dict[int, set[int]]:
    """Active users with one of the roles held on the organizations themselves today.

    Who does the work in another's stead is told beside them, and no longer than that.
    """
    held = held_on(clock.today())
    select = (
        sa.select(held.c.organization_id, held.c.user_id)
        .join(User, sa.and_(User.tenant_id == held.c.tenant_id, User.id == held.c.user_id))
        .where(
            held.c.tenant_id == current_tenant_id(),
            held.c.role.in_(sorted(roles)),
            User.active,
        )
    )
    if organizations is not None:
        select = select.where(any_of(held.c.organization_id, organizations))
    found: dict[int, set[int]] = {}
    for organization, user in session.execute(select):
        found.setdefault(organization, set()).add(user)
    return found


def _tell(
    session: AnySession,
    users: Iterable[int],
    kind: str,
    organization_id: int,
    details: Mapping[str, Any],
) -> None:
    values = dict(details)
    key = str(values.pop("key"))
    rows = [
        {
            "user_id": user,
            "kind": kind,
            "key": key,
            "organization_id": organization_id,
            "details": values,
        }
        for user in sorted(users)
    ]
    if rows:
        session.execute(insert(Notice).on_conflict_do_nothing(), rows)


def withdraw(session: AnySession, kind: str, keys: Collection[str]) -> None:
    """Take back notices of what was undone, read or not; part of the caller's transaction."""
    session.execute(sa.delete(Notice).where(Notice.kind == kind, Notice.key.in_(sorted(keys))))


def mark_read(session: AnySession, visitor: Visitor, notice_id: int | None = None) -> None:
    """The visitor has read one of their notices, or all of them."""
    mine = sa.update(Notice).where(Notice.user_id == visitor.user_id, Notice.read_at.is_(None))
    if notice_id is not None:
        mine = mine.where(Notice.id == notice_id)
    with transaction(session):
        session.execute(mine.values(read_at=datetime.now(UTC)))


def lock_choice(session: AnySession, visitor: Visitor) -> None:
    """Keep other requests of the visitor from choosing until the transaction ends."""
    hold(session, f"notice setting of {visitor.user_id}")


def choose(session: AnySession, visitor: Visitor, *, by_mail: bool, language: str) -> None:
    """How the visitor wants to be told; ``language`` is one of the languages there are."""
    if language not in CODES:
        raise ValueError(language)
    values = {"by_mail": by_mail, "language": language}
    with transaction(session):
        lock_choice(session, visitor)
        before = dict(zip(values, setting(session, visitor.user_id), strict=True))
        session.execute(
            insert(NoticeSetting)
            .values(user_id=visitor.user_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=values)
        )
        actor, name = visitor.actor(), visitor.username
        record(session, actor, "user.notices", "user", name, before=before, after=values)
