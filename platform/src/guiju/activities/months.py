"""Months and whether a unit's records for them are complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import attestations
from guiju.rules import periods
from guiju.rules.periods import Unit
from guiju.scoring.profiles import complete_after


@dataclass(frozen=True)
class Completion:
    """A month whose records count as complete, since a day.

    ``declared`` says that somebody said so; otherwise it went by itself, in time.
    """

    month: str
    declared: bool
    on: date


def month_of(day: date) -> str:
    """The month that a day is in, as a period: ``2021-03``."""
    return periods.label(periods.index(periods.day(day), Unit.MONTH), Unit.MONTH)


def completion(
    session: AnySession, organization_id: int, month: str, today: date
) -> Completion | None:
    """How a month of an organization came to be complete; None while it is not."""
    found = completions(session, organization_id, [month], today)
    return found.get(month)


def completions(
    session: AnySession, organization_id: int, months: list[str], today: date
) -> dict[str, Completion]:
    """Those of ``months`` (``2021-03``) whose records count as complete ``today``."""
    rows = session.execute(
        sa.select(attestations.c.period, attestations.c.attested_on, attestations.c.objected)
        .where(
            attestations.c.tenant_id == current_tenant_id(),
            attestations.c.organization_id == organization_id,
        )
        .order_by(attestations.c.attested_on)
    ).all()
    days = complete_after(session)
    found: dict[str, Completion] = {}
    for month in months:
        said = [row for row in rows if _covers(row.period, month)]
        declared = next((row for row in said if not row.objected), None)
        if declared is not None:
            found[month] = Completion(month, declared=True, on=declared.attested_on)
        elif not said and days is not None:
            # As the engine counts: complete from the day after so many days.
            on = last_day(month) + timedelta(days=days + 1)
            if on <= today:
                found[month] = Completion(month, declared=False, on=on)
    return found


def first_day(month: str) -> date:
    """The first day of a month given as a period."""
    index, unit = periods.parse(month)
    return periods.to_date(periods.first_day(index, unit))


def last_day(month: str) -> date:
    """The last day of a month given as a period."""
    index, unit = periods.parse(month)
    return periods.to_date(periods.last_day(index, unit))


def around(month: str) -> list[str]:
    """Every period that has the month in it, the month itself first."""
    index, _unit = periods.parse(month)
    return [periods.label(index // unit.value, unit) for unit in Unit]


def months_in(period: str) -> list[str]:
    """The months of a period, in order."""
    index, unit = periods.parse(period)
    first = index * unit.value
    return [periods.label(month, Unit.MONTH) for month in range(first, first + unit.value)]


def last_month(period: str) -> str:
    """The month that a period ends with."""
    return months_in(period)[-1]


def _covers(period: str, month: str) -> bool:
    """Whether the period, of whatever length, has the month in it."""
    (wide, unit), (narrow, _month) = periods.parse(period), periods.parse(month)
    return wide * unit.value <= narrow < (wide + 1) * unit.value
