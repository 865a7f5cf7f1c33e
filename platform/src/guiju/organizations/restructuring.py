"""Units that become one, and units that become several, from a day on.

Records stay with the unit that had them; the successor is named by the change itself
(:mod:`guiju.organizations.history`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.activities.store import store
from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.carrying import Carried, carry, end_all, rederive
from guiju.organizations.changes import (
    Effects,
    applied,
    note,
    refuse_future,
    refuse_unless_open,
    unit,
    units,
)
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Member, Organization, Person
from guiju.organizations.operations import count_below, refuse_later_records, relocate
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem

Row = Mapping[str, Any]

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class NewUnit:
    """A unit that a split makes: a row of ``organizations`` without superior or dates.

    ``members`` are codes of members who go there, ``posts`` numbers of posts that do.
    """

    organization: Row
    members: Collection[str] = ()
    posts: Collection[int] = ()


def merge_organizations(
    session: AnySession,
    actor: Actor,
    sources: Sequence[int],
    target_id: int,
    effective_on: date,
    *,
    members: Collection[str] | None = None,
    posts: Collection[int] = (),
    rehearse: bool = False,
) -> Effects:
    """Let organizations become part of another one from a day on.

    ``sources`` (numbers) exist until the day before; what is below them comes under the
    target.  Their members go on in the target: all, or those whose codes are ``members``; posts
    end, except those whose numbers are ``posts``.  Raises ``BadInput`` where a source is the
    target, above or below it or another source, the root, or did something on a later day.
    """
    with applied(session, rehearse=rehearse):
        target, gone = unit(session, target_id), units(session, sources)
        _refuse_entangled(target, gone)
        refuse_future("/effective_on", effective_on)
        refuse_unless_open("/target", target, effective_on)
        for source in gone:
            refuse_unless_open("/effective_on", source, effective_on)
            refuse_unless_open("/effective_on", source, effective_on - _DAY)
        numbers = [source.id for source in gone]
        refuse_later_records(session, "/effective_on", numbers, effective_on - _DAY)
        effects = Effects(closed=[source.name for source in gone])
        moves, groups = _adopt(session, actor, numbers, target, effective_on, effects)
        chosen = None if members is None else _numbers(session, numbers, members, "/members")
        carried = carry(
            session,
            numbers,
            target_id,
            effective_on,
            people=chosen,
            posts=posts,
            groups=groups,
        )
        before = _close(session, gone, effective_on, carried, effects)
        rederive(session, [target_id], effective_on)
        for source in gone:
            after = {"into": target.code, "effective_on": effective_on}
            record(session, actor, "organization.merge", "organization", source.code, after=after)
        parts = [*((number, "source") for number in numbers), (target_id, "target")]
        effects.change_id = note(
            session, actor, "merge", effective_on, parts, {**before, "moves": moves}
        )
        concerned = {row.id for row in (*gone, target)}
        concerned |= {row.parent_id for row in (*gone, target) if row.parent_id is not None}
        mark_dirty(session, concerned, "organization.merge")
        return effects


def split_organization(
    session: AnySession,
    actor: Actor,
    source_id: int,
    made: Sequence[NewUnit],
    effective_on: date,
    *,
    close: bool = False,
    rehearse: bool = False,
) -> Effects:
    """Make new organizations out of one from a day on, under the same superior.

    Members and posts named in ``made`` go on there.  With ``close`` the source exists until the
    day before, and whoever is named nowhere ends with it.  Raises ``BadInput`` where an id is
    taken, a member is named twice or is none of the source that day, or units below a source
    that is closed remain.
    """
    with applied(session, rehearse=rehearse):
        source = unit(session, source_id)
        _refuse_split(session, source, made, effective_on, close=close)
        effects = Effects()
        numbers = _make(session, actor, source, made, effective_on, effects)
        carried = Carried()
        for index, (number, new) in enumerate(zip(numbers, made, strict=True)):
            chosen = _numbers(session, [source_id], new.members, f"/made/{index}/members")
            part = carry(
                session,
                [source_id],
                number,
                effective_on,
                people=chosen,
                posts=new.posts,
                groups=(),
            )
            for name, rows in part.before().items():
                getattr(carried, name).update(rows)
        before = carried.before()
        effects.members, effects.posts = len(carried.new_members), len(carried.new_posts)
        if close:
            before = _close(session, [source], effective_on, carried, effects)
        after = {"into": [new.organization["id"] for new in made], "effective_on": effective_on}
        record(session, actor, "organization.split", "organization", source.code, after=after)
        parts = [(source_id, "source"), *((number, "made") for number in numbers)]
        effects.change_id = note(session, actor, "split", effective_on, parts, before)
        rederive(session, [source_id, *numbers], effective_on)
        mark_dirty(
            session,
            {source_id, *numbers, source.parent_id or source_id},
            "organization.split",
        )
        return effects


def _refuse_entangled(target: Organization, sources: Sequence[Organization]) -> None:
    problems = []
    for source in sources:
        others = [target, *(other for other in sources if other is not source)]
        if source.parent_id is None:
            wanted = _("顶级组织不能并入别的组织")
            problems.append(Problem("/sources", source.name, wanted, "root"))
        elif any(_related(source, other) for other in others):
            wanted = _("被合并的组织与并入的组织不能互为上下级，也不能相同")
            problems.append(Problem("/sources", source.name, wanted, "entangled"))
    if not sources:
        problems.append(Problem("/sources", _("没有选择组织"), _("至少选一个"), "missing"))
    if problems:
        raise BadInput(problems)


def _related(one: Organization, other: Organization) -> bool:
    # Coming under one's superior is how a unit dissolves into it.
    return other.path.startswith(one.path)


def _adopt(
    session: AnySession,
    actor: Actor,
    sources: Sequence[int],
    target: Organization,
    day: date,
    effects: Effects,
) -> tuple[list[int], list[int]]:
    """Put what is below the sources under the target; numbers of the moves and of the units."""
    below = session.scalars(
        sa.select(Organization)
        .where(
            Organization.parent_id.in_(sources),
            sa.or_(Organization.closed_on.is_(None), Organization.closed_on >= day),
        )
        .order_by(Organization.path)
    ).all()
    moves = []
    for child in below:
        effects.moved.append(child.name)
        effects.relocated += count_below(session, child)
        moves.append(relocate(session, actor, child, target, day))
    return moves, [child.id for child in below]


def _close(
    session: AnySession,
    gone: Sequence[Organization],
    day: date,
    carried: Carried,
    effects: Effects,
) -> dict[str, Any]:
    """End units the day before, with whatever was not carried over; what undoing needs."""
    numbers = [source.id for source in gone]
    effects.members, effects.posts = len(carried.new_members), len(carried.new_posts)
    ended = end_all(session, numbers, day - _DAY)
    effects.members_ended, effects.posts_ended = len(ended.members), len(ended.posts)
    carried.members |= ended.members
    carried.posts |= ended.posts
    effects.records = session.scalars(
        sa.select(sa.func.count()).where(Occasion.organization_id.in_(numbers))
    ).one()
    closed = {source.id: source.closed_on and source.closed_on.isoformat() for source in gone}
    for source in gone:
        source.closed_on = day - _DAY
    session.flush()
    return {"closed": closed, **carried.before()}


def _refuse_split(
    session: AnySession,
    source: Organization,
    made: Sequence[NewUnit],
    day: date,
    *,
    close: bool,
) -> None:
    if source.parent_id is None:
        raise BadInput([Problem("/source", source.name, _("顶级组织不能拆分"), "root")])
    if not made:
        raise BadInput([Problem("/made", _("没有新单位"), _("至少设一个新单位"), "missing")])
    refuse_future("/effective_on", day)
    refuse_unless_open("/effective_on", source, day)
    refuse_unless_open("/effective_on", source, day - _DAY)
    codes = [new.organization["id"] for new in made]
    taken = set(session.scalars(sa.select(Organization.code).where(Organization.code.in_(codes))))
    problems = [
        Problem(f"/made/{place}/id", code, _("这个编号已被使用，请换一个"), "taken")
        for place, code in enumerate(codes)
        if code in taken or code in codes[:place]
    ]
    named = [code for new in made for code in new.members]
    twice = sorted({code for code in named if named.count(code) > 1}) if named else []
    problems += [
        Problem("/made", code, _("每名党员只能去一个新单位"), "named_twice") for code in twice
    ]
    if problems:
        raise BadInput(problems)
    if close:
        refuse_later_records(session, "/effective_on", [source.id], day - _DAY)
        remaining = session.scalars(
            sa.select(Organization.name).where(
                within(Organization.__table__.c.path, source.path),
                Organization.id != source.id,
                sa.or_(Organization.closed_on.is_(None), Organization.closed_on >= day),
            )
        ).all()
        wanted = _("下级组织须先撤销或调整上级")
        if remaining:
            raise BadInput(
                Problem("/effective_on", name, wanted, "open_below") for name in remaining
            )


def _make(
    session: AnySession,
    actor: Actor,
    source: Organization,
    made: Sequence[NewUnit],
    day: date,
    effects: Effects,
) -> list[int]:
    parent = session.scalars(
        sa.select(Organization.code).where(Organization.id == source.parent_id)
    ).one()
    rows = [
        {
            "kind": source.kind,
            "sector": source.sector,
            **new.organization,
            "parent": parent,
            "opened_on": day,
        }
        for new in made
    ]
    store(session, {"organizations": rows}, "organization.split")
    effects.made = [row["name"] for row in rows]
    numbers = dict(
        session.execute(
            sa.select(Organization.code, Organization.id).where(
                Organization.code.in_([row["id"] for row in rows])
            )
        ).all()
    )
    for row in rows:
        record(session, actor, "organization.create", "organization", row["id"], after=row)
    return [numbers[row["id"]] for row in rows]


def _numbers(
    session: AnySession, sources: Sequence[int], codes: Collection[str], place: str
) -> list[int]:
    """Numbers of the people with these codes; BadInput for whoever is no member there."""
    found = dict(
        session.execute(
            sa.select(Person.code, Person.id)
            .join(
                Member,
                sa.and_(Member.tenant_id == Person.tenant_id, Member.person_id == Person.id),
            )
            .where(Person.code.in_(codes), Member.organization_id.in_(sources))
        ).all()
    )
    strange = sorted(set(codes) - found.keys())
    if strange:
        wanted = _("应为该支部的党员")
        raise BadInput(Problem(place, code, wanted, "not_a_member") for code in strange)
    return list(found.values())
