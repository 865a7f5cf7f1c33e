"""What an organization is on a day: place, dates, people, and the notice it is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations import history
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.rules.vocabulary import COMMITTEE_POSTS
from guiju.tenancy.models import EnabledProfile


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
class Holder:
    """Who holds a post; the name is empty where the roster has none."""

    post: str
    name: str


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
    #: Number of members of the organization itself by class.
    members: Mapping[str, int]
    #: The branch committee, or the secretary and deputy of another organization.
    holders: Sequence[Holder]
    #: Id of the profile that holds here.
    profile: str | None


def portrait(session: AnySession, organization_id: int, on: date) -> Portrait | None:
    """An organization as it is on a day; None where there is no such organization."""
    row = session.execute(
        sa.select(Organization.path, Organization.opened_on, Organization.closed_on).where(
            Organization.tenant_id == current_tenant_id(), Organization.id == organization_id
        )
    ).one_or_none()
    if row is None:
        return None
    line = _places(session, [int(number) for number in row.path.strip("/").split("/")], on)
    return Portrait(
        place=line[-1],
        superiors=line[:-1],
        sector=next((place.sector for place in reversed(line) if place.sector), None),
        opened_on=row.opened_on,
        closed_on=row.closed_on,
        members=_members(session, organization_id, on),
        holders=_holders(session, organization_id, on),
        profile=_profile(session, line, on),
    )


def _places(session: AnySession, numbers: Sequence[int], on: date) -> list[Place]:
    names = history.names_on(session, numbers, on)
    rows = session.execute(
        sa.select(
            Organization.id,
            Organization.code,
            Organization.name,
            Organization.kind,
            Organization.sector,
            Organization.path,
        )
        .where(Organization.tenant_id == current_tenant_id(), Organization.id.in_(numbers))
        .order_by(Organization.path)
    )
    return [
        replace(place, name=names.get(place.organization_id, place.name))
        for place in (Place(*row) for row in rows)
    ]


def _members(session: AnySession, organization_id: int, on: date) -> dict[str, int]:
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


def _holders(session: AnySession, organization_id: int, on: date) -> list[Holder]:
    rows = session.execute(
        sa.select(Post.post, Person.name)
        .join(Person, sa.and_(Person.tenant_id == Post.tenant_id, Person.id == Post.person_id))
        .where(
            Post.tenant_id == current_tenant_id(),
            Post.organization_id == organization_id,
            Post.post.in_(COMMITTEE_POSTS),
            _in_force(Post.from_on, Post.until_on, on),
        )
    )
    found = [Holder(post, name or "") for post, name in rows]
    return sorted(found, key=lambda holder: (COMMITTEE_POSTS.index(holder.post), holder.name))


def _profile(session: AnySession, line: Sequence[Place], on: date) -> str | None:
    """The profile enabled nearest above."""
    rows = session.execute(
        sa.select(EnabledProfile.organization_id, EnabledProfile.profile).where(
            EnabledProfile.tenant_id == current_tenant_id(),
            EnabledProfile.organization_id.in_([place.organization_id for place in line]),
            _in_force(EnabledProfile.judge_from, EnabledProfile.until, on),
        )
    )
    enabled = {row[0]: row[1] for row in rows}
    nearest_first = (place.organization_id for place in reversed(line))
    return next((enabled[number] for number in nearest_first if number in enabled), None)


def _in_force(
    first: sa.orm.InstrumentedAttribute[date | None] | sa.orm.InstrumentedAttribute[date],
    last: sa.orm.InstrumentedAttribute[date | None],
    on: date,
) -> sa.ColumnElement[bool]:
    return sa.and_(sa.or_(first.is_(None), first <= on), sa.or_(last.is_(None), last >= on))
