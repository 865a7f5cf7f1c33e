"""Declaring months complete: what is still missing, who is overdue, and taking it back.

A month that a unit declared complete is judged as it stands.  By the tenant's setting
``complete_after_days`` months become complete by themselves; somebody who objects keeps one
open.  Everything said about a month is kept (:class:`MonthStep`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from guiju.accounts.visitors import Visitor
from guiju.activities import months
from guiju.activities.access import NotAllowed, find_unit, words
from guiju.activities.calendar import business_day
from guiju.activities.models import Draft, MonthStep, Occasion, Record
from guiju.activities.months import Completion
from guiju.activities.store import store
from guiju.activities.workflow import WAITING
from guiju.audit.operations import record
from guiju.db.models import this_tenant
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization, attestations
from guiju.organizations.tree import within
from guiju.rules import periods
from guiju.rules.pack import Pack
from guiju.rules.periods import Unit
from guiju.rules.problems import BadInput, Problem
from guiju.rules.vocabulary import BRANCH_KINDS
from guiju.scoring import queries as findings
from guiju.scoring.profiles import COMPLETE_AFTER_DAYS, complete_after
from guiju.scoring.results import AttentionItem
from guiju.tenancy.queries import enabled_profiles

#: What is still open about a month; verdicts of a month that is over are among them.
_OPEN = ("pending", "action_due", "not_met", "deviation", "no_data", "needs_judgement")
#: How far back months are looked for that nobody declared complete.
MOST_MONTHS = 24


@dataclass(frozen=True)
class MonthWord:
    """Something somebody said about a month: ``declare``, ``reopen`` or ``object``."""

    action: str
    actor: str
    user_id: int | None
    reason: str | None
    made_at: datetime


@dataclass(frozen=True)
class MonthStatus:
    """Where a unit stands with a month.

    ``lacking`` is what the rules still ask for in it; ``returned`` and ``waiting`` are numbers
    of its records that were sent back or are being reviewed, ``drafts`` of what is being
    typed for it.  ``due_on`` is the last day to say it is complete in time, ``today`` the
    day that it is.
    """

    organization_id: int
    month: str
    completion: Completion | None
    due_on: date
    today: date
    lacking: Sequence[AttentionItem]
    returned: int
    waiting: int
    drafts: int
    said: Sequence[MonthWord]
    may_declare: bool

    @property
    def overdue(self) -> bool:
        """Whether it should have been declared complete before today."""
        return self.completion is None and self.due_on < self.today


@dataclass(frozen=True)
class OpenMonths:
    """The months of a unit that are over and not complete, the first first.

    ``overdue`` are those of them past the day by which they should have been.
    """

    organization_id: int
    code: str
    name: str
    path: str
    open: Sequence[str]
    overdue: Sequence[str]


def declare_month(session: AnySession, visitor: Visitor, organization_id: int, month: str) -> None:
    """State that the unit's records for a month (``2021-03``) are complete.

    Whatever is missing by then counts as not done.  Stating it again changes nothing.
    Raises ``BadInput`` for what is no month, or one that has not begun.
    """
    today = business_day(session)
    _check_month(month)
    if months.first_day(month) > today:
        wanted = _("这个月还没有开始")
        raise BadInput([Problem("/month", month, wanted, "in_the_future")])
    with transaction(session):
        unit = find_unit(session, visitor, organization_id, "period.attest")
        row = {"attested_on": today, "automatic": False, "objected": False}
        if _declared(session, unit.id, month):
            return
        _say(session, visitor, unit, month, "declare", None, row)


def reopen_month(
    session: AnySession, visitor: Visitor, organization_id: int, month: str, reason: str
) -> None:
    """Take back that a month is complete, be it declared or complete by itself.

    It stays open until somebody declares it complete.  Raises ``BadInput`` without a
    reason, and where it is not complete.
    """
    _take_back(session, visitor, organization_id, month, reason, "reopen", ("period.attest",))


def object_to_month(
    session: AnySession, visitor: Visitor, organization_id: int, month: str, reason: str
) -> None:
    """Say, for a superior's reviewers too, that a month is not complete, although it counts so.

    Raises as :func:`reopen_month`.
    """
    permissions = ("period.attest", "records.review")
    _take_back(session, visitor, organization_id, month, reason, "object", permissions)


def month_status(
    session: AnySession,
    visitor: Visitor,
    packs: Mapping[str, Pack],
    organization_id: int,
    month: str,
) -> MonthStatus:
    """What a month of a unit still lacks, and what was said about it.

    Raises ``BadInput`` for what is no month.
    """
    _check_month(month)
    unit = find_unit(session, visitor, organization_id)
    today = business_day(session)
    first, last = months.first_day(month), months.last_day(month)
    states = dict(
        session.execute(
            sa.select(Record.state, sa.func.count())
            .join(
                Occasion,
                sa.and_(Occasion.tenant_id == Record.tenant_id, Occasion.id == Record.occasion_id),
            )
            .where(
                Record.tenant_id == current_tenant_id(),
                Occasion.organization_id == unit.id,
                Occasion.held_on.between(first, last),
            )
            .group_by(Record.state)
        ).all()
    )
    return MonthStatus(
        organization_id=unit.id,
        month=month,
        completion=months.completion(session, unit.id, month, today),
        due_on=last + timedelta(days=_days(session)),
        today=today,
        lacking=_lacking(session, visitor, packs, unit, month),
        returned=states.get("returned", 0),
        waiting=sum(states.get(state, 0) for state in WAITING),
        drafts=_drafts(session, unit, month) if visitor.may("records.write", unit.path) else 0,
        said=_said(session, unit, month),
        may_declare=visitor.may("period.attest", unit.path) and first <= today,
    )


def open_months(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    *,
    below: bool = False,
    today: date | None = None,
) -> list[OpenMonths]:
    """Units with months that are over and not complete, in the order of the tree.

    Of the organization itself or, with ``below``, of all branches at and below it; from the
    first day that a profile judges it on, at most :data:`MOST_MONTHS` back.
    """
    today = today or business_day(session)
    unit = find_unit(session, visitor, organization_id)
    rows = _branches(session, unit) if below else [unit]
    window = _window(today)
    said = _attested(session, [row.id for row in rows], window)
    days = complete_after(session)
    grace = COMPLETE_AFTER_DAYS if days is None else days
    begins = [(one.path, months.month_of(one.judge_from)) for one in enabled_profiles(session)]
    found = []
    for row in rows:
        begin = min((month for path, month in begins if row.path.startswith(path)), default=None)
        if begin is None:
            continue
        still_open = [
            month
            for month in window
            if month >= begin
            and (row.opened_on is None or months.last_day(month) >= row.opened_on)
            and (row.closed_on is None or months.first_day(month) <= row.closed_on)
            and not said.get(row.id, _SILENT).complete(month, days, today)
        ]
        if still_open:
            overdue = [
                month
                for month in still_open
                if months.last_day(month) + timedelta(days=grace) < today
            ]
            found.append(OpenMonths(row.id, row.code, row.name, row.path, still_open, overdue))
    return found


def _branches(session: AnySession, unit: Organization) -> Sequence[Any]:
    """All branches at and below an organization, in the order of the tree."""
    organization = Organization.__table__
    columns = ("id", "code", "name", "path", "opened_on", "closed_on")
    return session.execute(
        sa.select(*(organization.c[name] for name in columns))
        .where(
            organization.c.tenant_id == current_tenant_id(),
            within(organization.c.path, unit.path),
            organization.c.kind.in_(BRANCH_KINDS),
        )
        .order_by(organization.c.path)
    ).all()


@dataclass(frozen=True)
class _Said:
    """The months that a unit declared complete, and those that somebody objected to."""

    declared: frozenset[str] = frozenset()
    objected: frozenset[str] = frozenset()

    def complete(self, month: str, days: int | None, today: date) -> bool:
        if month in self.declared:
            return True
        if days is None or month in self.objected:
            return False
        return months.last_day(month) + timedelta(days=days) < today


_SILENT = _Said()


def _attested(
    session: AnySession, units: Collection[int], window: tuple[str, ...]
) -> dict[int, _Said]:
    """What was said of the months of ``window``, by unit."""
    covered = _covered(window)
    rows = session.execute(_ATTESTED, {"units": list(units), "labels": list(covered)})
    found: dict[int, dict[bool, frozenset[str]]] = {}
    for unit, objected, labels in rows:
        named = frozenset(month for label in labels for month in covered[label])
        found.setdefault(unit, {})[objected] = named
    return {
        unit: _Said(both.get(False, frozenset()), both.get(True, frozenset()))
        for unit, both in found.items()
    }


_ATTESTED = (
    sa.select(
        attestations.c.organization_id,
        sa.func.coalesce(attestations.c.objected, sa.false()),
        sa.func.array_agg(attestations.c.period),
    )
    .where(
        attestations.c.tenant_id == this_tenant(),
        attestations.c.organization_id
        == sa.any_(sa.bindparam("units", type_=ARRAY(sa.BigInteger))),
        attestations.c.period == sa.any_(sa.bindparam("labels", type_=ARRAY(sa.Text))),
    )
    .group_by(sa.literal_column("1"), sa.literal_column("2"))
)


@lru_cache(maxsize=10)
def _window(today: date) -> tuple[str, ...]:
    """The months that are over, the first first."""
    current = periods.index(today, Unit.MONTH)
    months_over = range(current - MOST_MONTHS, current)
    return tuple(periods.label(month, Unit.MONTH) for month in months_over)


@lru_cache(maxsize=10)
def _covered(window: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    """The months of ``window`` that each period which may be attested has in it."""
    covered: dict[str, list[str]] = {}
    for month in window:
        for period in months.around(month):
            covered.setdefault(period, []).append(month)
    return covered


def _days(session: AnySession) -> int:
    days = complete_after(session)
    return COMPLETE_AFTER_DAYS if days is None else days


def _lacking(
    session: AnySession,
    visitor: Visitor,
    packs: Mapping[str, Pack],
    unit: Organization,
    month: str,
) -> list[AttentionItem]:
    """What is open in the month, or in a longer period that ends with it."""
    ending = {period for period in months.around(month) if months.last_month(period) == month}
    found: list[AttentionItem] = []
    cursor = None
    while True:
        page = findings.attention(
            session,
            packs,
            unit.id,
            within=visitor.within,
            verdicts=_OPEN,
            below=False,
            limit=200,
            cursor=cursor,
        )
        found += [item for item in page.items if item.period in ending]
        cursor = page.cursor
        if cursor is None:
            return found


def _drafts(session: AnySession, unit: Organization, month: str) -> int:
    # A draft that does not say its day yet may be for any month.
    day = Draft.payload["held_on"].astext
    number = session.scalar(
        sa.select(sa.func.count())
        .select_from(Draft)
        .where(
            Draft.tenant_id == current_tenant_id(),
            Draft.organization_id == unit.id,
            sa.func.starts_with(day, month),
        )
    )
    return int(number or 0)


def _said(session: AnySession, unit: Organization, month: str) -> list[MonthWord]:
    rows = session.scalars(
        sa.select(MonthStep)
        .where(
            MonthStep.tenant_id == current_tenant_id(),
            MonthStep.organization_id == unit.id,
            MonthStep.month == month,
        )
        .order_by(MonthStep.id)
    )
    return [MonthWord(row.action, row.actor, row.user_id, row.reason, row.made_at) for row in rows]


def _declared(session: AnySession, organization_id: int, month: str) -> bool:
    found = months.completion(session, organization_id, month, business_day(session))
    return found is not None and found.declared


def _take_back(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    month: str,
    reason: str,
    action: str,
    permissions: Sequence[str],
) -> None:
    """One of ``permissions`` is enough."""
    _check_month(month)
    why = words(reason, "/reason", required=True)
    with transaction(session):
        unit = find_unit(session, visitor, organization_id)
        if not any(visitor.may(permission, unit.path) for permission in permissions):
            raise NotAllowed(f"{action} at {unit.path}")
        if months.completion(session, unit.id, month, business_day(session)) is None:
            wanted = _("这个月还没有声明齐全")
            raise BadInput([Problem("/month", month, wanted, "not_complete")])
        # Who attested a whole year attested this month: the other months stay as they were.
        _split(session, unit, month)
        row = {"attested_on": business_day(session), "automatic": False, "objected": True}
        _say(session, visitor, unit, month, action, why, row)


def _split(session: AnySession, unit: Organization, month: str) -> None:
    """Replace attestations of longer periods around a month by those of their months."""
    wider = [period for period in months.around(month) if period != month]
    own = sa.and_(
        attestations.c.tenant_id == current_tenant_id(),
        attestations.c.organization_id == unit.id,
        attestations.c.period.in_(wider),
        attestations.c.objected.is_not(True),
    )
    rows = session.execute(sa.select(attestations).where(own)).mappings().all()
    session.execute(sa.delete(attestations).where(own))
    parts = [
        {
            "organization": unit.code,
            "period": part,
            "attested_on": row["attested_on"],
            "automatic": row["automatic"],
            "objected": False,
        }
        for row in rows
        for part in months.months_in(row["period"])
        if not _declared(session, unit.id, part)
    ]
    if parts:
        distinct = {part["period"]: part for part in parts}
        store(session, {"attestations": list(distinct.values())}, "period.split")


def _say(
    session: AnySession,
    visitor: Visitor,
    unit: Organization,
    month: str,
    action: str,
    reason: str | None,
    row: Mapping[str, object],
) -> None:
    """Write the attestation and who said so why, in the caller's transaction."""
    brought = {"organization": unit.code, "period": month, **row}
    store(session, {"attestations": [brought]}, f"period.{action}")
    actor = visitor.actor()
    session.add(
        MonthStep(
            organization_id=unit.id,
            month=month,
            action=action,
            reason=reason,
            user_id=actor.user_id,
            actor=actor.name,
        )
    )
    after = {"month": month, "reason": reason}
    record(session, actor, f"period.{action}", "organization", unit.code, after=after)


def _check_month(month: str) -> None:
    try:
        _index, unit = periods.parse(month)
    except ValueError:
        unit = None
    if unit is not Unit.MONTH:
        raise BadInput([Problem("/month", month, _("应为月份，写作 2021-03"), "malformed")])
