"""Who belongs to an organization: the list of its members, with their posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.db.arrays import any_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Member, Organization, Person, Post

#: By what the list can be sorted.
ORDERS = ("name", "class", "from", "code")


@dataclass(frozen=True)
class Held:
    """A post that a member holds in the organization."""

    post_id: int
    post: str
    from_on: date | None
    until_on: date | None


@dataclass(frozen=True)
class Entry:
    """A membership spell, with the posts that the person holds there on the day."""

    member_id: int
    person_id: int
    organization_id: int
    code: str
    name: str | None
    membership_class: str
    from_on: date | None
    until_on: date | None
    joined_on: date | None
    group: str | None
    leading_cadre: bool | None
    floating: bool | None
    posts: Sequence[Held]


@dataclass(frozen=True)
class Roster:
    """A page of the list; ``total`` are all that were asked for."""

    entries: Sequence[Entry]
    total: int


def roster(
    session: AnySession,
    organization_id: int,
    on: date,
    *,
    ended: bool = False,
    text: str = "",
    classes: Sequence[str] = (),
    order_by: str = "name",
    falling: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> Roster:
    """Members of an organization on a day; with ``ended`` those of earlier days as well.

    ``text`` is a part of a name, or a code.  Three statements, however many there are.
    """
    found = Member.__table__.c
    conditions = [
        Member.tenant_id == current_tenant_id(),
        sa.or_(Member.organization_id == organization_id, Member.group_id == organization_id),
    ]
    if not ended:
        conditions += [
            sa.or_(Member.from_on.is_(None), Member.from_on <= on),
            sa.or_(Member.until_on.is_(None), Member.until_on >= on),
        ]
    if text:
        conditions.append(
            sa.or_(sa.func.strpos(sa.func.coalesce(Person.name, ""), text) > 0, Person.code == text)
        )
    if classes:
        conditions.append(Member.membership_class.in_(classes))
    group = orm.aliased(Organization)
    of_person = sa.and_(Person.tenant_id == Member.tenant_id, Person.id == Member.person_id)
    of_group = sa.and_(group.tenant_id == Member.tenant_id, group.id == Member.group_id)
    orders: dict[str, Any] = {
        "name": Person.name,
        "class": Member.membership_class,
        "from": Member.from_on,
        "code": Person.code,
    }
    first = orders[order_by].desc() if falling else orders[order_by].asc()
    rows = (
        session.execute(
            sa.select(
                Member.id.label("member_id"),
                Member.person_id,
                Member.organization_id,
                Person.code,
                Person.name,
                Member.membership_class,
                Member.from_on,
                Member.until_on,
                found.joined_on,
                group.name.label("group"),
                found.leading_cadre,
                found.floating,
            )
            .join(Person, of_person)
            .outerjoin(group, of_group)
            .where(*conditions)
            .order_by(first.nulls_last(), Person.name, Person.code, Member.id)
            .offset(offset)
            .limit(limit)
        )
        .mappings()
        .all()
    )
    total = session.scalars(
        sa.select(sa.func.count()).select_from(Member).join(Person, of_person).where(*conditions)
    ).one()
    posts = _posts(session, organization_id, [row["person_id"] for row in rows], on)
    entries = [Entry(**row, posts=posts.get(row["person_id"], ())) for row in rows]
    return Roster(entries, total)


def _posts(
    session: AnySession, organization_id: int, people: Sequence[int], on: date
) -> dict[int, list[Held]]:
    held: dict[int, list[Held]] = {}
    rows = session.execute(
        sa.select(Post.person_id, Post.id, Post.post, Post.from_on, Post.until_on)
        .where(
            Post.tenant_id == current_tenant_id(),
            Post.organization_id == organization_id,
            any_of(Post.person_id, people),
            sa.or_(Post.from_on.is_(None), Post.from_on <= on),
            sa.or_(Post.until_on.is_(None), Post.until_on >= on),
        )
        .order_by(Post.id)
    )
    for person, number, code, from_on, until_on in rows:
        held.setdefault(person, []).append(Held(number, code, from_on, until_on))
    return held


@dataclass(frozen=True)
class Spell:
    """A membership or a post with the organization that answers for it."""

    id: int
    organization_id: int
    path: str
    person: str
    name: str | None


def member(session: AnySession, member_id: int) -> Spell | None:
    """A membership spell by its number."""
    return _spell(session, Member, member_id)


def post(session: AnySession, post_id: int) -> Spell | None:
    """Somebody's holding of a post by its number."""
    return _spell(session, Post, post_id)


def _spell(session: AnySession, model: type[Member | Post], number: int) -> Spell | None:
    row = session.execute(
        sa.select(model.id, Organization.id, Organization.path, Person.code, Person.name)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == model.tenant_id,
                Organization.id == model.organization_id,
            ),
        )
        .join(Person, sa.and_(Person.tenant_id == model.tenant_id, Person.id == model.person_id))
        .where(model.tenant_id == current_tenant_id(), model.id == number)
    ).one_or_none()
    return None if row is None else Spell(*row)
