"""The way of a record through its superiors' hands.

Each part of a tree asks for none, one or two reviews.  A record's *stations* are the
organizations from its unit upward at which somebody may review, nearest first; one without
such a person is passed over, and who recorded it never counts.  Whoever reviews further up
may act for a lower station.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.models import User
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.queries import held_on
from guiju.accounts.visitors import Visitor
from guiju.activities.access import find_unit
from guiju.activities.models import (
    LATE_AFTER_DAYS,
    MOST_LEVELS,
    RecordVersion,
    WorkflowSetting,
)
from guiju.audit.operations import record, row_values
from guiju.db.arrays import any_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, once, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem

_MOST_DAYS: Final = 366
#: States in which somebody has the record for review.
WAITING: Final = ("submitted", "reviewed")


@dataclass(frozen=True)
class Workflow:
    """How records are reviewed at an organization.

    ``levels`` is the number of reviews; a record entered more than ``late_after_days`` after
    the day is late.  ``organization_id`` is where that was set, None where nobody has.
    """

    levels: int
    late_after_days: int
    organization_id: int | None


def workflow_of(session: AnySession, path: str) -> Workflow:
    """What holds at the organization with ``path``: set there, or at the nearest above."""
    return once(session, (workflow_of, path), lambda: _workflow_of(session, path))


def _workflow_of(session: AnySession, path: str) -> Workflow:
    settings = {
        row.organization_id: row
        for row in session.scalars(
            sa.select(WorkflowSetting).where(
                WorkflowSetting.tenant_id == current_tenant_id(),
                any_of(WorkflowSetting.organization_id, _line(path)),
            )
        )
    }
    for number in reversed(_line(path)):
        if number in settings:
            found = settings[number]
            return Workflow(found.levels, found.late_after_days, number)
    return Workflow(0, LATE_AFTER_DAYS, None)


def workflows(
    session: AnySession, visitor: Visitor, *, below: str | None = None
) -> list[tuple[int, Workflow]]:
    """What is set at the organizations that the visitor sees, by number, from the top down.

    With the path ``below``, at those below that organization only.
    """
    path = Organization.__table__.c.path
    there = () if below is None else (within(path, below), path != below)
    rows = session.execute(
        sa.select(WorkflowSetting)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == WorkflowSetting.tenant_id,
                Organization.id == WorkflowSetting.organization_id,
            ),
        )
        .where(
            WorkflowSetting.tenant_id == current_tenant_id(),
            sa.or_(sa.false(), *(within(path, top) for top in visitor.within)),
            *there,
        )
        .order_by(path)
    ).scalars()
    return [
        (row.organization_id, Workflow(row.levels, row.late_after_days, row.organization_id))
        for row in rows
    ]


def set_workflow(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    *,
    levels: int,
    late_after_days: int = LATE_AFTER_DAYS,
) -> None:
    """From now on records at an organization and below it pass ``levels`` reviews.

    Records that wait stay where they are.  Raises ``BadInput`` for other numbers than 0 to 2,
    or days beyond a year.
    """
    problems = []
    if levels not in range(MOST_LEVELS + 1):
        problems.append(Problem("/levels", str(levels), _("应为 0、1 或 2"), "out_of_range"))
    if late_after_days not in range(_MOST_DAYS + 1):
        wanted = _("应为 0 至 {most} 的天数").format(most=_MOST_DAYS)
        problems.append(Problem("/late_after_days", str(late_after_days), wanted, "out_of_range"))
    if problems:
        raise BadInput(problems)
    with transaction(session):
        unit = find_unit(session, visitor, organization_id, "workflow.manage")
        setting = _own(session, organization_id)
        before = None if setting is None else row_values(setting)
        if setting is None:
            setting = WorkflowSetting(organization_id=organization_id)
            session.add(setting)
        setting.levels, setting.late_after_days = levels, late_after_days
        session.flush()
        after = row_values(setting)
        actor = visitor.actor()
        record(
            session, actor, "workflow.set", "organization", unit.code, before=before, after=after
        )


def inherit_workflow(session: AnySession, visitor: Visitor, organization_id: int) -> None:
    """From now on an organization is reviewed as its superior is."""
    with transaction(session):
        unit = find_unit(session, visitor, organization_id, "workflow.manage")
        setting = _own(session, organization_id)
        if setting is not None:
            session.delete(setting)
            before = row_values(setting)
            actor = visitor.actor()
            record(session, actor, "workflow.inherit", "organization", unit.code, before=before)


def next_station(
    session: AnySession, path: str, *, above: str | None = None, besides: set[int | None]
) -> Organization | None:
    """The nearest organization from ``path`` upward at which somebody may review.

    With ``above``, of those above that path only.  The users ``besides`` do not count.
    None where there is nobody.
    """
    line = _line(path)
    if above is not None:
        line = line[: len(_line(above)) - 1]
    # In their own right or in another's stead.
    held = held_on(clock.today())
    return session.scalars(
        sa.select(Organization)
        .join(
            held,
            sa.and_(
                held.c.tenant_id == Organization.tenant_id,
                held.c.organization_id == Organization.id,
            ),
        )
        .join(User, sa.and_(User.tenant_id == held.c.tenant_id, User.id == held.c.user_id))
        .where(
            Organization.tenant_id == current_tenant_id(),
            Organization.id.in_(line),
            held.c.role.in_(PERMISSIONS["records.review"]),
            held.c.user_id.not_in([user for user in besides if user is not None]),
            User.active,
        )
        .order_by(sa.func.length(Organization.__table__.c.path).desc())
        .limit(1)
    ).first()


def authors(session: AnySession, occasion_id: int) -> set[int | None]:
    """Users who entered or corrected a record."""
    return set(
        session.scalars(
            sa.select(RecordVersion.user_id).where(
                RecordVersion.tenant_id == current_tenant_id(),
                RecordVersion.occasion_id == occasion_id,
                RecordVersion.user_id.is_not(None),
            )
        )
    )


def _own(session: AnySession, organization_id: int) -> WorkflowSetting | None:
    return session.scalars(
        sa.select(WorkflowSetting)
        .where(
            WorkflowSetting.tenant_id == current_tenant_id(),
            WorkflowSetting.organization_id == organization_id,
        )
        .with_for_update()
    ).one_or_none()


def _line(path: str) -> list[int]:
    """Numbers of the organizations from the root to the one with ``path``."""
    return [int(number) for number in path.strip("/").split("/")]
