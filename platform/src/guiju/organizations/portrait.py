"""What an organization is on a day: place, dates, and the notice it is judged by; its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from guiju.db.models import this_tenant
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.history import name_on
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.organizations.queries import organization
from guiju.tenancy.queries import enabled_profiles


@dataclass(frozen=True)
class Place:
    """An organization in the tree, under its name of the day.

    ``path`` holds the numbers from the root to it.
    """

    organization_id: int
    code: str
    name: str
    kind: str
    sector: str | None
    path: str


@dataclass(frozen=True)
class Portrait:
    """An organization as people know it."""

    place: Place
    #: From the top down, without the organization itself.
    superiors: Sequence[Place]
    #: The organization's own sector, or the nearest superior's.
    sector: str | None
    opened_on: date | None
    closed_on: date | None
    #: Id of the profile that holds here.
    profile: str | None


def portrait(session: AnySession, organization_id: int, on: date) -> Portrait | None:
    """An organization as it is on a day; None where there is no such organization."""
    found = organization(session, organization_id)
    if found is None:
        return None
    line = _places(session, [int(number) for number in found.path.strip("/").split("/")], on)
    return Portrait(
        place=line[-1],
        superiors=line[:-1],
        sector=next((place.sector for place in reversed(line) if place.sector), None),
        opened_on=found.opened_on,
        closed_on=found.closed_on,
        profile=_profile(session, line, on),
    )


_table = Organization.__table__
_DAY: sa.BindParameter[date] = sa.bindparam("day", type_=sa.Date)
_PLACES = (
    sa.select(
        _table.c.id,
        _table.c.code,
        sa.func.coalesce(name_on(_table, _DAY), _table.c.name),
        _table.c.kind,
        _table.c.sector,
        _table.c.path,
    )
    .where(
        _table.c.tenant_id == this_tenant(),
        _table.c.id == sa.any_(sa.bindparam("numbers", type_=ARRAY(sa.BigInteger))),
    )
    .order_by(_table.c.path)
)


def _places(session: AnySession, numbers: Sequence[int], on: date) -> list[Place]:
    return [Place(*row) for row in session.execute(_PLACES, {"numbers": numbers, "day": on})]


def members_by_class(session: AnySession, organization_id: int, on: date) -> dict[str, int]:
    """Number of members of the organization itself on a day, by class."""
    rows = session.execute(
        sa.select(Member.membership_class, sa.func.count())
        .where(
            Member.tenant_id == current_tenant_id(),
            Member.organization_id == organization_id,
            _in_force(Member.from_on, Member.until_on, on),
        )
        .group_by(Member.membership_class)
    )
    return {row[0]: row[1] for row in rows}


def secretaries(session: AnySession, organization_id: int, on: date) -> Sequence[str]:
    """The names of the secretaries of a day, as far as the roster has them."""
    names = session.scalars(
        sa.select(Person.name)
        .join(Post, sa.and_(Post.tenant_id == Person.tenant_id, Post.person_id == Person.id))
        .where(
            Post.tenant_id == current_tenant_id(),
            Post.organization_id == organization_id,
            Post.post == "secretary",
            _in_force(Post.from_on, Post.until_on, on),
        )
        .order_by(Person.name)
    )
    return [name for name in names if name]


def _profile(session: AnySession, line: Sequence[Place], on: date) -> str | None:
    """The profile enabled nearest above."""
    enabled = {
        one.organization_id: one.profile
        for one in enabled_profiles(session)
        if one.judge_from <= on and (one.until is None or on <= one.until)
    }
    nearest_first = (place.organization_id for place in reversed(line))
    return next((enabled[number] for number in nearest_first if number in enabled), None)


def _in_force(
    first: sa.orm.InstrumentedAttribute[date | None],
    last: sa.orm.InstrumentedAttribute[date | None],
    on: date,
) -> sa.ColumnElement[bool]:
    return sa.and_(sa.or_(first.is_(None), first <= on), sa.or_(last.is_(None), last >= on))
