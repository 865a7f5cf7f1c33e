"""What waits for a person, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities.access import find_unit
from guiju.db.arrays import any_of
from guiju.db.session import AnySession
from guiju.decisions.models import Matter
from guiju.notices.wording import title_of
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.rules.findings import SUBJECT_TABLES
from guiju.rules.pack import Pack
from guiju.scoring import attending
from guiju.scoring.models import RuleNumber
from guiju.scoring.naming import Names
from guiju.scoring.results import AttentionItem, AttentionPage, Unit

#: Verdicts that call for a person's decision.
DESK_VERDICTS = ("needs_judgement", "action_due", "deviation")

#: Subjects that are units themselves: a cell of theirs has one finding, and one matter.
_WHOLE = tuple(subject for subject, table in SUBJECT_TABLES.items() if table == "organizations")

#: Matters in these states wait for an answer from above; so does every decision upon facts
#: that are others by now.
WAITING = ("explained", "appealed")


#: By what lists of matters can be sorted.
ORDERS: Mapping[str, Any] = {
    "made": Matter.id,
    "unit": Organization.__table__.c.name,
    "requirement": Matter.requirement,
    "period": Matter.period,
}


@dataclass(frozen=True)
class DeskItem:
    """An entry of the desk: what the findings list says, and what was done about it."""

    item: AttentionItem
    #: State of the matter about the unit as a whole; None where nothing was done.
    state: str | None
    #: Matters about single records in the same requirement and period.
    others: int


@dataclass(frozen=True)
class MatterRow:
    """A matter as lists show it."""

    id: int
    unit: Unit
    title: str
    requirement: str
    part: str | None
    period: str | None
    subject_type: str
    subject: str
    about_people: bool
    state: str
    verdict: str | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    changed: bool
    updated_at: datetime


@dataclass(frozen=True)
class MatterPage:
    """Matters, newest first, and the number that the next page begins before."""

    rows: Sequence[MatterRow]
    before: int | None


def desk(
    session: AnySession,
    packs: Mapping[str, Pack],
    visitor: Visitor,
    organization_id: int,
    *,
    verdicts: Collection[str] = (),
    requirement: str | None = None,
    due_until: date | None = None,
    order_by: str = "due",
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[DeskItem], AttentionPage]:
    """What waits for a decision at an organization and below it.

    A deviation whose reason was accepted or declined waits no more, unless the facts have
    changed.  Raises ``NotVisible``; ``ValueError`` for a cursor that no such list gave out.
    """
    organization = find_unit(session, visitor, organization_id, "findings.read")
    wanted = attending.Filter(
        path=organization.path,
        verdicts=[one for one in DESK_VERDICTS if not verdicts or one in verdicts],
        requirement=requirement,
        due_until=due_until,
        left_out=_answered(organization.path),
    )
    page = attending.page(session, packs, wanted, cursor, limit, order_by)
    matters = _matters_of(session, page.items)
    return [_desk_item(item, matters) for item in page.items], page


def _answered(path: str) -> sa.Subquery:
    """The cells of deviations about whole units that have been answered.

    Findings about a group are kept as the group's, matters about it as its branch's.
    """
    matter, rule, unit = Matter.__table__, RuleNumber.__table__, Organization.__table__
    same_rule = sa.and_(
        rule.c.requirement == matter.c.requirement,
        rule.c.part.is_not_distinct_from(matter.c.part),
        rule.c.subject_type == matter.c.subject_type,
        rule.c.unit.is_not_distinct_from(matter.c.unit),
    )
    return (
        sa.select(
            unit.c.id.label("organization_id"),
            matter.c.year,
            (rule.c.number * 16 + matter.c.place).label("cell"),
        )
        .join(rule, same_rule)
        .join(
            unit,
            sa.and_(unit.c.tenant_id == matter.c.tenant_id, unit.c.code == matter.c.subject),
        )
        .where(
            matter.c.state.in_(("accepted", "declined")),
            ~matter.c.changed,
            matter.c.subject_type.in_(_WHOLE),
            within(unit.c.path, path),
        )
        .subquery("answered")
    )


_Cell = tuple[int, str, str | None, str | None]


def _matters_of(session: AnySession, items: Sequence[AttentionItem]) -> dict[_Cell, list[Matter]]:
    """The matters of the listed units, by cell: as :func:`_answered`, a group's are its own."""
    units = {item.unit.organization_id for item in items}
    about = sa.and_(
        Organization.tenant_id == Matter.tenant_id,
        Organization.code == Matter.subject,
        Matter.subject_type.in_(_WHOLE),
    )
    unit = sa.func.coalesce(Organization.id, Matter.organization_id)
    listed = sa.or_(any_of(Matter.organization_id, units), any_of(Organization.id, units))
    found: dict[_Cell, list[Matter]] = {}
    for matter, number in session.execute(
        sa.select(Matter, unit).outerjoin(Organization, about).where(listed, Matter.state != "open")
    ):
        key = (number, matter.requirement, matter.part, matter.period)
        found.setdefault(key, []).append(matter)
    return found


def _desk_item(item: AttentionItem, matters: Mapping[_Cell, Sequence[Matter]]) -> DeskItem:
    key = (item.unit.organization_id, item.requirement, item.part, item.period)
    found = matters.get(key, ())
    whole = [matter.state for matter in found if matter.subject_type == item.subject_type]
    if item.subject_type not in _WHOLE:
        return DeskItem(item, None, len(found))
    return DeskItem(item, whole[0] if whole else None, len(found) - len(whole))


def matters(
    session: AnySession,
    packs: Mapping[str, Pack],
    visitor: Visitor,
    organization_id: int,
    *,
    waiting: bool = False,
    requirement: str | None = None,
    order_by: str = "made",
    falling: bool = True,
    before: int | None = None,
    skip: int = 0,
    limit: int = 50,
) -> MatterPage:
    """What was decided, reasoned and objected to at an organization and below it.

    ``waiting`` leaves those that somebody has to answer.  Matters about members are among them
    only in a restricted scope.  ``order_by`` is of :data:`ORDERS`; the newest first, a page goes
    on ``before`` a number, and in any order after ``skip`` rows.
    """
    organization = find_unit(session, visitor, organization_id, "findings.read")
    key = ORDERS[order_by].desc() if falling else ORDERS[order_by].asc()
    select = (
        sa.select(Matter)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Matter.tenant_id,
                Organization.id == Matter.organization_id,
            ),
        )
        .where(within(Organization.__table__.c.path, organization.path), Matter.state != "open")
        .order_by(key.nulls_last(), Matter.id.desc())
        .offset(skip)
        .limit(limit + 1)
    )
    if waiting:
        select = select.where(sa.or_(Matter.state.in_(WAITING), Matter.changed))
    if requirement is not None:
        select = select.where(Matter.requirement == requirement)
    if before is not None:
        select = select.where(Matter.id < before)
    found = session.scalars(select).all()
    units = Names(session).units({matter.organization_id for matter in found[:limit]})
    rows = [_row(packs, units, matter) for matter in found[:limit]]
    return MatterPage(rows, rows[-1].id if len(found) > limit else None)


def waiting_number(session: AnySession, path: str) -> int:
    """How many matters wait for an answer at and below ``path``."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Matter)
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == Matter.tenant_id,
                    Organization.id == Matter.organization_id,
                ),
            )
            .where(
                within(Organization.__table__.c.path, path),
                sa.or_(Matter.state.in_(WAITING), Matter.changed),
            )
        )
        or 0
    )


def _row(packs: Mapping[str, Pack], units: Mapping[int, Unit], matter: Matter) -> MatterRow:
    return MatterRow(
        id=matter.id,
        unit=units[matter.organization_id],
        title=title_of(packs, matter.requirement, matter.part),
        requirement=matter.requirement,
        part=matter.part,
        period=matter.period,
        subject_type=matter.subject_type,
        subject=matter.subject,
        about_people=matter.about_people,
        state=matter.state,
        verdict=matter.verdict,
        reason=matter.reason,
        decided_by=matter.decided_by,
        decided_at=matter.decided_at,
        changed=matter.changed,
        updated_at=matter.updated_at,
    )
