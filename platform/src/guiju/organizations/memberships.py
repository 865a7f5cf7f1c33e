"""What happens to a member: another class, another branch, the end; and to who holds a post.

One transaction each, with audit entry and dirty marks; counts of the activities it reaches back
to are derived again.  Spells are named by number (:mod:`guiju.organizations.roster`); whether
``actor`` may is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from guiju.activities.store import check_memberships, follow
from guiju.audit.operations import Actor, record, row_values
from guiju.db.merge import Merged
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.changes import refuse_unless_open, unit
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput, Problem

_DAY = timedelta(days=1)


def end_membership(
    session: AnySession,
    actor: Actor,
    member_id: int,
    last_day: date,
    *,
    reason: str | None = None,
    destination: str | None = None,
) -> None:
    """End a spell with ``last_day``, and with it the person's posts in that organization.

    ``destination`` names the branch of another tenant, or the world, that they went to.
    Raises ``BadInput`` for a day before the spell, or after its end.
    """
    with transaction(session):
        spell = _spell(session, member_id)
        before = row_values(spell)
        _refuse_outside(spell, last_day, "/last_day")
        spell.until_on = last_day
        ended = _end_posts(session, spell, last_day)
        action = "member.transfer_out" if destination else "member.end"
        more = {"reason": reason, "destination": destination, "posts_ended": ended}
        _written(session, actor, action, spell, before, more)


def change_class(
    session: AnySession,
    actor: Actor,
    member_id: int,
    membership_class: str,
    first_day: date,
    *,
    voting: bool | None = None,
) -> int:
    """Let a member be of another class from a day on; returns the number of the new spell.

    Somebody who becomes a full member that day is one since that day.  Raises ``BadInput`` for
    the class they have, an unknown one, and a day that is not within the spell.
    """
    if membership_class not in v.MEMBER_CLASSES:
        wanted = _("、").join(v.MEMBER_CLASSES.values())
        raise BadInput([Problem("/membership_class", membership_class, wanted, "unknown_code")])
    with transaction(session):
        spell = _spell(session, member_id)
        if spell.membership_class == membership_class:
            wanted = _("应为与现在不同的类别")
            raise BadInput([Problem("/membership_class", membership_class, wanted, "same")])
        changed: dict[str, Any] = {"membership_class": membership_class, "voting": voting}
        if membership_class == "full":
            changed["full_member_on"] = first_day
        return _continue(session, actor, "member.class", spell, first_day, changed)


def transfer(
    session: AnySession, actor: Actor, member_id: int, target_id: int, first_day: date
) -> int:
    """Let a member go on in another organization of the tenant; returns the new spell's number.

    Posts in the old one end the day before.  Raises ``BadInput`` for the organization they are
    in, one that does not exist that day, and a day that is not within the spell.
    """
    with transaction(session):
        spell, target = _spell(session, member_id), unit(session, target_id)
        if target.id == spell.organization_id:
            wanted = _("应为另一个支部")
            raise BadInput([Problem("/unit", target.name, wanted, "same")])
        refuse_unless_open("/first_day", target, first_day)
        _end_posts(session, spell, first_day - _DAY)
        changed = {"organization_id": target_id, "group_id": None, "transferred_hours": None}
        return _continue(session, actor, "member.transfer", spell, first_day, changed)


def end_post(session: AnySession, actor: Actor, post_id: int, last_day: date) -> None:
    """Let somebody hold a post for the last time on a day; raises ``BadInput`` before it began."""
    with transaction(session):
        post = session.scalars(
            sa.select(Post)
            .where(Post.tenant_id == current_tenant_id(), Post.id == post_id)
            .with_for_update()
        ).one()
        before = row_values(post)
        _refuse_outside(post, last_day, "/last_day")
        post.until_on = last_day
        session.flush()
        code = session.scalars(
            sa.select(Organization.code).where(Organization.id == post.organization_id)
        ).one()
        record(
            session,
            actor,
            "post.end",
            "organization",
            code,
            before=before,
            after=row_values(post),
        )
        _follow(session, "posts", {post.organization_id}, set())


def _spell(session: AnySession, member_id: int) -> Member:
    return session.scalars(
        sa.select(Member)
        .where(Member.tenant_id == current_tenant_id(), Member.id == member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _refuse_outside(spell: Member | Post, day: date, place: str) -> None:
    if (spell.from_on and day < spell.from_on) or (spell.until_on and day > spell.until_on):
        found = _("{day} 不在这段时间之内").format(day=day)
        wanted = _("应在 {first} 至 {last} 之间").format(
            first=spell.from_on or _("最初"), last=spell.until_on or _("今后")
        )
        raise BadInput([Problem(place, found, wanted, "not_within")])


def _continue(
    session: AnySession,
    actor: Actor,
    action: str,
    spell: Member,
    first_day: date,
    changed: Mapping[str, Any],
) -> int:
    """End a spell the day before and begin another, like it but for what is ``changed``."""
    _refuse_outside(spell, first_day - _DAY, "/first_day")
    _refuse_outside(spell, first_day, "/first_day")
    table = Member.__table__
    before = row_values(spell)
    kept = {
        column.name: getattr(spell, column.name)
        for column in table.columns
        if column.name not in {"id", "tenant_id"}
    }
    spell.until_on = first_day - _DAY
    session.flush()
    new = Member(**{**kept, **changed, "from_on": first_day})
    session.add(new)
    session.flush()
    moved = {"spell": new.id, "first_day": first_day, **changed}
    _written(session, actor, action, spell, before, moved, new)
    return new.id


def _end_posts(session: AnySession, spell: Member, last_day: date) -> int:
    ended = session.scalars(
        sa.update(Post)
        .where(
            Post.tenant_id == current_tenant_id(),
            Post.person_id == spell.person_id,
            Post.organization_id == spell.organization_id,
            sa.or_(Post.from_on.is_(None), Post.from_on <= last_day),
            sa.or_(Post.until_on.is_(None), Post.until_on > last_day),
        )
        .values(until_on=last_day)
        .returning(Post.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())


def _written(
    session: AnySession,
    actor: Actor,
    action: str,
    spell: Member,
    before: Mapping[str, Any],
    more: Mapping[str, Any],
    new: Member | None = None,
) -> None:
    session.flush()
    check_memberships(session, Merged(updated=1))
    code = session.scalars(sa.select(Person.code).where(Person.id == spell.person_id)).one()
    told = {name: value for name, value in more.items() if value is not None}
    record(
        session, actor, action, "person", code, before=before, after={**row_values(spell), **told}
    )
    spells = [spell] if new is None else [spell, new]
    units = {found.organization_id for found in spells}
    groups = {found.group_id for found in spells if found.group_id is not None}
    _follow(session, "members", units, groups)


def _follow(session: AnySession, table: str, units: set[int], groups: set[int]) -> None:
    traces = {"organization_id": units, "group_id": groups}
    follow(session, {table: Merged(updated=1, traces=traces)}, f"{table}.change")
