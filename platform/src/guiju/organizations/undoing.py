"""Taking back a change to the tree that was a mistake, while nothing has been built on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from guiju.activities.models import Occasion, attendance
from guiju.audit.operations import Actor, record
from guiju.db.arrays import any_of
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.carrying import Carried, rederive, take_back
from guiju.organizations.changes import Effects, applied, units
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.history import kind_label
from guiju.organizations.models import (
    ChangedUnit,
    FormerName,
    Member,
    Organization,
    OrganizationChange,
    OrganizationMove,
)
from guiju.organizations.operations import graft
from guiju.organizations.removal import remove_units
from guiju.rules.problems import BadInput, Problem

_DAY = timedelta(days=1)


def undo_change(
    session: AnySession, actor: Actor, change_id: int, *, rehearse: bool = False
) -> Effects:
    """Put everything back as it was before a change to the tree.

    Raises ``BadInput`` with what was built on it since: a later change of one of its units,
    people who changed again, activities.
    """
    with applied(session, rehearse=rehearse):
        change = session.scalars(
            sa.select(OrganizationChange).where(OrganizationChange.id == change_id)
        ).one()
        _refuse_built_upon(session, change)
        parts = session.execute(
            sa.select(ChangedUnit.organization_id, ChangedUnit.part).where(
                ChangedUnit.change_id == change_id
            )
        ).all()
        concerned = units(session, [organization for organization, _part in parts])
        made = [organization for organization, part in parts if part == "made"]
        carried = Carried.of(change.before)
        last_day = change.effective_on
        if change.kind in {"merge", "split"}:
            last_day -= _DAY
        effects = Effects(
            members=len(carried.new_members),
            posts=len(carried.new_posts),
            closed=[row.name for row in concerned if row.id in made],
        )
        targets = [organization for organization, part in parts if part in {"target", "made"}]
        _refuse(take_back_people(session, carried, last_day, targets))
        _back_in_place(session, change.before.get("moves", []), effects)
        for row in concerned:
            _restore(session, row, change)
        session.flush()
        rederive(session, [row.id for row in concerned], change.effective_on)
        mark_dirty(session, _concerned(concerned, made), "organization.undo", subtree=True)
        change.undone_at, change.undone_by = datetime.now(UTC), actor.name
        record(
            session,
            actor,
            "organization.undo",
            "organization_change",
            change_id,
            before={"kind": change.kind, "effective_on": change.effective_on},
        )
        session.flush()
        if made:
            remove_units(session, made)
        effects.change_id = change_id
        return effects


def _refuse(obstacles: Sequence[str]) -> None:
    if obstacles:
        wanted = _("之后已有别的改动，不能直接撤回，请另作更正")
        raise BadInput(Problem("/change", found, wanted, "built_upon") for found in obstacles)


def _refuse_built_upon(session: AnySession, change: OrganizationChange) -> None:
    if change.undone_at is not None:
        raise BadInput([Problem("/change", _("已经撤回过"), _("无须再撤回"), "undone")])
    concerned = sa.select(ChangedUnit.organization_id).where(ChangedUnit.change_id == change.id)
    later = session.scalars(
        sa.select(OrganizationChange)
        .where(
            OrganizationChange.id > change.id,
            OrganizationChange.undone_at.is_(None),
            OrganizationChange.id.in_(
                sa.select(ChangedUnit.change_id).where(ChangedUnit.organization_id.in_(concerned))
            ),
        )
        .order_by(OrganizationChange.id)
        .limit(3)
    ).all()
    _refuse(
        [
            _("{day} 起的“{kind}”在这之后").format(
                day=found.effective_on, kind=kind_label(found.kind)
            )
            for found in later
        ]
    )


def take_back_people(
    session: AnySession, carried: Carried, last_day: date, targets: Sequence[int]
) -> list[str]:
    """As :func:`guiju.organizations.carrying.take_back`, unless they did something there."""
    came = (
        sa.select(Occasion.held_on)
        .join(
            attendance,
            sa.and_(
                attendance.c.tenant_id == Occasion.tenant_id,
                attendance.c.occasion_id == Occasion.id,
            ),
        )
        .join(
            Member,
            sa.and_(
                Member.tenant_id == attendance.c.tenant_id,
                Member.person_id == attendance.c.person_id,
            ),
        )
        .where(
            any_of(Occasion.organization_id, targets),
            Occasion.held_on > last_day,
            any_of(Member.id, carried.new_members),
        )
        .order_by(Occasion.held_on)
        .limit(1)
    )
    first = session.scalar(came) if carried.new_members else None
    if first is not None:
        return [_("转入的党员在 {day} 已参加新单位的活动").format(day=first)]
    return take_back(session, carried, last_day)


def _back_in_place(session: AnySession, moves: Sequence[int], effects: Effects) -> None:
    for number in reversed(moves):
        move = session.scalars(
            sa.select(OrganizationMove).where(OrganizationMove.id == number)
        ).one()
        (moved,) = units(session, [move.organization_id])
        old_parent = session.scalars(
            sa.select(Organization).where(Organization.id == move.old_parent_id)
        ).one()
        graft(session, moved.path, f"{old_parent.path}{moved.id}/")
        session.refresh(moved)
        moved.parent_id = old_parent.id
        effects.moved.append(moved.name)
        session.delete(move)
        session.flush()
        mark_dirty(session, [moved.id], "organization.undo", subtree=True)
        mark_dirty(session, [old_parent.id, move.new_parent_id], "organization.undo")


def _restore(session: AnySession, row: Organization, change: OrganizationChange) -> None:
    before = change.before
    closed = before.get("closed", {})
    if str(row.id) in closed:
        day = closed[str(row.id)]
        row.closed_on = None if day is None else date.fromisoformat(day)
    if "name" in before:
        if row.name != before["after"]:
            _refuse([_("现名是“{name}”").format(name=row.name)])
        row.name = before["name"]
        session.execute(
            sa.delete(FormerName)
            .where(
                FormerName.organization_id == row.id,
                FormerName.until_on == change.effective_on - _DAY,
            )
            .execution_options(synchronize_session=False)
        )


def _concerned(found: Sequence[Organization], made: Sequence[int]) -> set[int]:
    numbers = {row.id for row in found} | {row.parent_id or row.id for row in found}
    return numbers - set(made)
