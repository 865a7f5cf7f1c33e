"""What a new record begins with: who should be there, and what was usual the last time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.db.codes import bits, mask_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.rules import vocabulary as v

_members, _posts, _people = Member.__table__, Post.__table__, Person.__table__
_occasions = Occasion.__table__


@dataclass(frozen=True)
class Attendee:
    """Somebody on the roster of the day; ``posts`` are those held in the unit."""

    code: str
    name: str | None
    membership_class: str | None
    posts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name, or the author's id where the roster has none."""
        return self.name or self.code


@dataclass(frozen=True)
class Usual:
    """How the last occasion of these kinds was held; None where nothing is known."""

    place: str | None = None
    chair: str | None = None
    start_minute: int | None = None


def body_of(kinds: Collection[str], form: str | None) -> str:
    """Who meets: the recorded form, or what the kinds imply (as the counts are derived)."""
    if form:
        return form
    if "branch_assembly" in kinds:
        return "assembly"
    if "branch_committee" in kinds:
        return "committee"
    if "party_group_meeting" in kinds:
        return "group"
    return "team" if "democratic_life_meeting" in kinds else "assembly"


def roster(session: AnySession, organization_id: int, body: str, on: date) -> list[Attendee]:
    """Who should come to a meeting of ``body`` that day: holders of posts first, then by id."""
    posts = _posts_held(session, organization_id, on)
    if body in {"committee", "team"}:
        wanted = v.COMMITTEE_POSTS if body == "committee" else v.TEAM_POSTS
        named = [attendee for attendee in posts.values() if set(attendee.posts) & set(wanted)]
    else:
        named = [
            Attendee(row.code, row.name, row.membership_class, _posts_of(posts, row.code))
            for row in session.execute(_members_of(organization_id, body, on))
        ]
    return sorted(named, key=_leading_first)


def officers(session: AnySession, organization_id: int, on: date) -> list[Attendee]:
    """Who holds a post of the unit that day, the secretary first."""
    return sorted(_posts_held(session, organization_id, on).values(), key=_leading_first)


def usual(session: AnySession, organization_id: int, kinds: Collection[str]) -> Usual:
    """Place, chair and time of the unit's last occasion of one of ``kinds``, else of any."""
    known = bits(session, v.OCCASION_KINDS.name)
    mask = mask_of([kind for kind in kinds if kind in known], known)
    same = _occasions.c.kinds.bitwise_and(mask) != 0
    row = session.execute(
        sa.select(_occasions.c.place, _occasions.c.start_minute, _people.c.code)
        .outerjoin(
            _people,
            sa.and_(
                _people.c.tenant_id == _occasions.c.tenant_id,
                _people.c.id == _occasions.c.chair_id,
            ),
        )
        .where(
            _occasions.c.tenant_id == current_tenant_id(),
            _occasions.c.organization_id == organization_id,
            sa.func.coalesce(_occasions.c.status, "held") == "held",
        )
        .order_by(same.desc(), _occasions.c.held_on.desc(), _occasions.c.id.desc())
        .limit(1)
    ).one_or_none()
    return Usual() if row is None else Usual(row.place, row.code, row.start_minute)


def groups_of(session: AnySession, organization_id: int) -> list[tuple[int, str]]:
    """The open Party groups of a branch: numbers and names."""
    return [
        (row.id, row.name)
        for row in session.execute(
            sa.select(Organization.id, Organization.name)
            .where(
                Organization.tenant_id == current_tenant_id(),
                Organization.parent_id == organization_id,
                Organization.kind == "party_group",
                Organization.closed_on.is_(None),
            )
            .order_by(Organization.code)
        )
    ]


def _posts_held(session: AnySession, organization_id: int, on: date) -> dict[str, Attendee]:
    rows = session.execute(
        sa.select(_people.c.code, _people.c.name, _posts.c.post)
        .join(
            _people,
            sa.and_(_people.c.tenant_id == _posts.c.tenant_id, _people.c.id == _posts.c.person_id),
        )
        .where(
            _posts.c.tenant_id == current_tenant_id(),
            _posts.c.organization_id == organization_id,
            *_in_force(_posts, on),
        )
        .order_by(_people.c.code)
    )
    found: dict[str, Attendee] = {}
    for code, name, post in rows:
        held = _posts_of(found, code)
        found[code] = Attendee(code, name, None, (*held, post))
    return found


def _members_of(organization_id: int, body: str, on: date) -> sa.Select[Any]:
    unit = _members.c.group_id if body == "group" else _members.c.organization_id
    return (
        sa.select(_people.c.code, _people.c.name, _members.c.membership_class)
        .join(
            _people,
            sa.and_(
                _people.c.tenant_id == _members.c.tenant_id,
                _people.c.id == _members.c.person_id,
            ),
        )
        .where(
            _members.c.tenant_id == current_tenant_id(),
            unit == organization_id,
            _members.c.membership_class.in_(("full", "probationary")),
            *_in_force(_members, on),
        )
        .order_by(_people.c.code)
    )


def _in_force(table: sa.Table, on: date) -> list[sa.ColumnElement[bool]]:
    return [
        sa.or_(table.c.from_on.is_(None), table.c.from_on <= on),
        sa.or_(table.c.until_on.is_(None), table.c.until_on >= on),
    ]


def _posts_of(found: dict[str, Attendee], code: str) -> tuple[str, ...]:
    return found[code].posts if code in found else ()


def _leading_first(attendee: Attendee) -> tuple[int, str]:
    order = [*v.COMMITTEE_POSTS, "group_leader"]
    ranks = [order.index(post) for post in attendee.posts if post in order]
    return min(ranks, default=len(order)), attendee.code
