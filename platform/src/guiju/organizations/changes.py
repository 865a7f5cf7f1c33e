"""What was done to the tree, written down so that it can be shown and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju import clock
from guiju.audit.operations import Actor
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import (
    ChangedUnit,
    Organization,
    OrganizationChange,
)
from guiju.rules.problems import BadInput, Problem


@dataclass
class Effects:
    """What a change to the tree does, for whoever is about to make it."""

    #: Names of the units that are made, closed, and put under another superior.
    made: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    #: The names before and after a renaming.
    renamed: tuple[str, str] | None = None
    #: Units whose place in the tree changes, those below the moved ones included.
    relocated: int = 0
    #: Memberships and posts that go on in another unit, and those that end.
    members: int = 0
    members_ended: int = 0
    posts: int = 0
    posts_ended: int = 0
    #: Activities that stay with the units that had them.
    records: int = 0
    #: The change as it was written down; None of a rehearsal.
    change_id: int | None = None


@contextmanager
def applied(session: AnySession, *, rehearse: bool) -> Iterator[None]:
    """One change to the tree in one transaction; of a rehearsal nothing is kept.

    Changes of one tenant, imports included, go one after the other.
    """
    if not rehearse:
        with transaction(session):
            lock(session)
            yield
        return
    try:
        lock(session)
        yield
        # What the database would refuse at the end is refused now.
        session.flush()
    finally:
        session.rollback()


def lock(session: AnySession) -> None:
    """Wait for other changes of the tenant's tree and for imports, until the transaction ends."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(current_tenant_id())))


def note(
    session: AnySession,
    actor: Actor,
    kind: str,
    effective_on: date,
    units: Iterable[tuple[int, str]],
    before: Mapping[str, Any] | None = None,
) -> int:
    """Write a change down with the units it concerns (number and part); returns its number."""
    change = OrganizationChange(
        kind=kind, effective_on=effective_on, made_by=actor.name, before=dict(before or {})
    )
    session.add(change)
    session.flush()
    session.execute(
        sa.insert(ChangedUnit),
        [
            {"change_id": change.id, "organization_id": organization, "part": part}
            for organization, part in dict.fromkeys(units)
        ],
    )
    return change.id


def unit(session: AnySession, organization_id: int) -> Organization:
    """The organization of this number, to be changed; raises ``NoResultFound``."""
    return session.scalars(
        sa.select(Organization)
        .where(
            Organization.tenant_id == current_tenant_id(),
            Organization.id == organization_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def units(session: AnySession, numbers: Sequence[int]) -> list[Organization]:
    """The organizations of these numbers, to be changed, in the order given."""
    found = {
        row.id: row
        for row in session.scalars(
            sa.select(Organization)
            .where(Organization.tenant_id == current_tenant_id(), Organization.id.in_(numbers))
            .order_by(Organization.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if set(found) != set(numbers):
        raise sa.exc.NoResultFound(f"organizations {sorted(set(numbers) - set(found))}")
    return [found[number] for number in dict.fromkeys(numbers)]


def refuse_future(place: str, day: date) -> None:
    """Raise ``BadInput`` for a day that has not come: names and places hold from now on."""
    if day > clock.today():
        wanted = _("应为今天或以前的日期")
        raise BadInput([Problem(place, day.isoformat(), wanted, "in_future")])


def refuse_unless_open(place: str, organization: Organization, day: date) -> None:
    """Raise ``BadInput`` where an organization does not exist on a day."""
    opened, closed = organization.opened_on, organization.closed_on
    if (opened and day < opened) or (closed and day > closed):
        found = _("{name}在 {day} 不存在").format(name=organization.name, day=day)
        raise BadInput([Problem(place, found, _("应为单位存在期间的日期"), "not_open")])
