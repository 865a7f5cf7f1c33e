"""People who go on in another unit, or end, because their unit does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from guiju.activities import counts
from guiju.activities.models import Occasion
from guiju.db.arrays import any_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.models import Member, Post
from guiju.rules.problems import BadInput, Problem

_DAY = timedelta(days=1)

#: Membership spells or posts: the number of a row and the last day that it had.
Ended = dict[int, str | None]


@dataclass
class Carried:
    """Rows that ended, by number with their former last day, and rows that go on elsewhere."""

    members: Ended = field(default_factory=dict)
    posts: Ended = field(default_factory=dict)
    new_members: Ended = field(default_factory=dict)
    new_posts: Ended = field(default_factory=dict)

    def before(self) -> dict[str, Any]:
        """What undoing needs, for a change to keep."""
        return {
            "members": self.members,
            "posts": self.posts,
            "new_members": self.new_members,
            "new_posts": self.new_posts,
        }

    @classmethod
    def of(cls, before: Mapping[str, Any]) -> Carried:
        """The way back from :meth:`before` as it is stored."""
        return cls(
            **{
                name: {int(number): day for number, day in before.get(name, {}).items()}
                for name in ("members", "posts", "new_members", "new_posts")
            }
        )


def end_all(session: AnySession, organizations: Sequence[int], last_day: date) -> Carried:
    """End every membership and post of the organizations with ``last_day``.

    Raises ``BadInput`` for those that begin later.
    """
    return Carried(
        members=_end(session, Member.__table__, organizations, last_day, None),
        posts=_end(session, Post.__table__, organizations, last_day, None),
    )


def carry(
    session: AnySession,
    sources: Sequence[int],
    target: int,
    day: date,
    *,
    people: Collection[int] | None,
    posts: Collection[int],
    groups: Collection[int],
) -> Carried:
    """Let members and posts of ``sources`` go on in ``target`` from ``day`` on.

    ``people`` (numbers, None for all) and ``posts`` (numbers of posts) say whose.  Members stay
    in their Party group where it is one of ``groups``.  Raises ``BadInput`` as :func:`end_all`.
    """
    carried = Carried(
        members=_end(session, Member.__table__, sources, day - _DAY, _people(people)),
        posts=_end(session, Post.__table__, sources, day - _DAY, any_of(Post.id, posts)),
    )
    members, held = Member.__table__, Post.__table__
    changed = {
        "organization_id": sa.literal(target),
        "from_on": sa.literal(day),
        "group_id": sa.case((any_of(members.c.group_id, groups), members.c.group_id), else_=None),
        # They were brought along into the branch that the spell was in.
        "transferred_hours": sa.null(),
    }
    carried.new_members = _go_on(session, members, carried.members, changed)
    changed = {"organization_id": sa.literal(target), "from_on": sa.literal(day)}
    carried.new_posts = _go_on(session, held, carried.posts, changed)
    return carried


def _people(people: Collection[int] | None) -> sa.ColumnElement[bool]:
    return sa.true() if people is None else any_of(Member.person_id, people)


def _end(
    session: AnySession,
    table: sa.Table,
    organizations: Sequence[int],
    last_day: date,
    chosen: sa.ColumnElement[bool] | None,
) -> Ended:
    """End spells that reach beyond ``last_day``; returns their last days from before."""
    reaching = [
        table.c.tenant_id == current_tenant_id(),
        any_of(table.c.organization_id, organizations),
        sa.or_(table.c.until_on.is_(None), table.c.until_on > last_day),
        sa.true() if chosen is None else chosen,
    ]
    rows = session.execute(
        sa.select(table.c.id, table.c.until_on, table.c.from_on).where(*reaching)
    ).all()
    later = [row.from_on for row in rows if row.from_on is not None and row.from_on > last_day]
    if later:
        found = _("有 {count} 条党员关系或任职从 {day} 才开始").format(
            count=len(later), day=min(later)
        )
        wanted = _("请先更正这些记录，或选更晚的日期")
        raise BadInput([Problem("/effective_on", found, wanted, "begins_later")])
    session.execute(
        sa.update(table)
        .where(any_of(table.c.id, [row.id for row in rows]))
        .values(until_on=last_day)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.until_on and row.until_on.isoformat() for row in rows}


def _go_on(session: AnySession, table: sa.Table, ended: Ended, changed: Mapping[str, Any]) -> Ended:
    """Copies of ended spells with other values, each as long as the spell was to last."""
    if not ended:
        return {}
    was = (
        sa.func.jsonb_to_recordset(
            sa.literal(
                [{"id": number, "until_on": day} for number, day in ended.items()], sa.JSON
            ).cast(sa.dialects.postgresql.JSONB)
        )
        .table_valued(sa.Column("id", sa.BigInteger), sa.Column("until_on", sa.Date), name="was")
        .render_derived(with_types=True)
    )
    names = [column.name for column in table.columns if column.name != "id"]
    values = {**{name: table.c[name] for name in names}, **changed, "until_on": was.c.until_on}
    copies = (
        insert(table)
        .from_select(
            names,
            sa.select(*(values[name] for name in names)).join_from(
                table, was, table.c.id == was.c.id
            ),
        )
        # Whoever held the same post in two units that become one holds it once.
        .on_conflict_do_nothing()
        if table is Post.__table__
        else insert(table).from_select(
            names,
            sa.select(*(values[name] for name in names)).join_from(
                table, was, table.c.id == was.c.id
            ),
        )
    )
    rows = session.execute(copies.returning(table.c.id, table.c.until_on)).all()
    return {row.id: row.until_on and row.until_on.isoformat() for row in rows}


def rederive(session: AnySession, organizations: Iterable[int], since: date) -> None:
    """Count again who is expected at what the organizations did since a day."""
    counts.derive(
        session,
        session.scalars(
            sa.select(Occasion.id).where(
                any_of(Occasion.organization_id, organizations), Occasion.held_on >= since
            )
        ).all(),
    )


def take_back(session: AnySession, carried: Carried, last_day: date) -> list[str]:
    """Let ended spells last as before and remove those that went on elsewhere.

    Returns what stands in the way, in words; then nothing was changed.
    """
    obstacles = []
    for table, ended, new in (
        (Member.__table__, carried.members, carried.new_members),
        (Post.__table__, carried.posts, carried.new_posts),
    ):
        still = session.execute(
            sa.select(table.c.id, table.c.until_on).where(any_of(table.c.id, {**ended, **new}))
        )
        found = {row.id: row.until_on and row.until_on.isoformat() for row in still}
        wanted = {**dict.fromkeys(ended, last_day.isoformat()), **new}
        changed = sum(number not in found or found[number] != day for number, day in wanted.items())
        if changed:
            obstacles.append(_("有 {count} 条党员关系或任职后来又改动过").format(count=changed))
    if obstacles:
        return obstacles
    for table, ended, new in (
        (Member.__table__, carried.members, carried.new_members),
        (Post.__table__, carried.posts, carried.new_posts),
    ):
        session.execute(
            sa.delete(table)
            .where(any_of(table.c.id, new))
            .execution_options(synchronize_session=False)
        )
        for day in set(ended.values()):
            numbers = [number for number, until in ended.items() if until == day]
            session.execute(
                sa.update(table)
                .where(any_of(table.c.id, numbers))
                .values(until_on=day and date.fromisoformat(day))
                .execution_options(synchronize_session=False)
            )
    return []
