"""Counts of findings by rule, period and verdict, of one organization or of a subtree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa

from guiju.db.models import this_tenant
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.rules.findings import VERDICT_CODES
from guiju.scoring import views
from guiju.scoring.models import NO_YEAR, OrganizationFindings, RecordFindings, Rollup
from guiju.scoring.numbering import RuleKey
from guiju.scoring.payload import COUNT, unpack
from guiju.scoring.views import COUNTED, period_of

_FINDINGS = [
    OrganizationFindings.__table__.c[name]
    for name in (
        "organization_id", "year", "path", "sections", "verdicts", "required", "observed",
        "dues", "notes", "evidence", "alternatives",
    )
]  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """So many findings of one rule, period and verdict."""

    rule: int
    year: int
    place: int
    #: A verdict's code, or :data:`LATE`: so many of those met are also recorded late.
    verdict: str
    number: int


def of_subtree(session: AnySession, organization_id: int, years: Collection[int]) -> list[Tally]:
    """Of an organization with everything below it."""
    rows = session.execute(
        sa.select(Rollup.year, Rollup.counts).where(
            Rollup.organization_id == organization_id, Rollup.year.in_(years)
        )
    ).all()
    if rows:
        return [tally for year, counts in rows for tally in _counts(year, counts)]
    # Nothing is below it.
    return of_organization(session, organization_id, years)


def of_organization(
    session: AnySession, organization_id: int, years: Collection[int]
) -> list[Tally]:
    """Of an organization alone, its members and records included."""
    about, years_of_records = RecordFindings.organization_id, RecordFindings.year
    records = session.execute(
        sa.select(about, years_of_records, RecordFindings.counts).where(
            about == organization_id, years_of_records.in_(years)
        )
    ).mappings()
    own = own_rows(session, organization_id, years)
    return counted(row for row in [*own, *records] if row["organization_id"] == organization_id)


def counted(rows: Iterable[Mapping[str, Any]]) -> list[Tally]:
    """What stored rows count: those about records by their sums, the others one by one."""
    found: list[Tally] = []
    for row in rows:
        year = int(row["year"])
        if "counts" in row:
            found += _counts(year, row["counts"])
            continue
        columns = unpack(row)
        cells = zip(
            columns.rule.tolist(), columns.place.tolist(), columns.verdict.tolist(), strict=True
        )
        found += [
            Tally(rule, year, place, str(VERDICT_CODES[verdict]), 1)
            for rule, place, verdict in cells
        ]
    return found


def own_rows(
    session: AnySession, organization_id: int, years: Collection[int] | None
) -> list[Mapping[str, Any]]:
    """The rows about an organization itself and about its groups, ready to be unpacked."""
    select = _own_rows()
    if years is not None:
        select = select.where(OrganizationFindings.year.in_(years))
    rows = session.execute(select, {"organization": organization_id})
    return [dict(row) for row in rows.mappings()]


@cache
def _own_rows() -> sa.Select[Any]:
    unit, number = Organization.__table__, OrganizationFindings.organization_id
    itself = sa.bindparam("organization", type_=sa.BigInteger)
    groups = sa.select(unit.c.id).where(
        unit.c.tenant_id == this_tenant(),
        unit.c.parent_id == itself,
        unit.c.kind == "party_group",
    )
    wanted = groups.union_all(sa.select(itself))
    rows = sa.select(*_FINDINGS).where(number.in_(wanted))
    return rows.order_by(number, OrganizationFindings.year)


def _counts(year: int, packed: bytes) -> Iterable[Tally]:
    for rule, place, verdict, number in np.frombuffer(packed, dtype=COUNT).tolist():
        yield Tally(rule, year, place, COUNTED[verdict], number)


def by_verdict(tallies: Iterable[Tally]) -> dict[str, int]:
    """Sums by verdict, in the order of the verdicts, and what is late."""
    found = dict.fromkeys(COUNTED, 0)
    for tally in tallies:
        found[tally.verdict] += tally.number
    return {verdict: number for verdict, number in found.items() if number}


def by_rule(tallies: Iterable[Tally]) -> dict[int, dict[str, int]]:
    """Sums by rule and verdict."""
    parts: dict[int, list[Tally]] = {}
    for tally in tallies:
        parts.setdefault(tally.rule, []).append(tally)
    return {rule: by_verdict(part) for rule, part in parts.items()}


def by_period(
    tallies: Iterable[Tally], keys: Mapping[int, RuleKey]
) -> list[tuple[str | None, str, dict[str, int]]]:
    """Label, Chinese text and sums of each period, longest periods first, then by time."""
    parts: dict[Any, list[Tally]] = {}
    for tally in tallies:
        parts.setdefault(period_of(keys[tally.rule], tally.year, tally.place), []).append(tally)
    order = sorted(
        parts, key=lambda period: (0, 0) if period is None else (-period[0].value, period[1])
    )
    return [(*views.period_text(period), by_verdict(parts[period])) for period in order]


def years_of(session: AnySession, organization_id: int) -> list[int]:
    """The years with findings, newest first."""
    found = session.scalars(_YEARS, {"organization": organization_id})
    return sorted(set(found) - {NO_YEAR}, reverse=True)


_NUMBER = sa.bindparam("organization", type_=sa.BigInteger)
_YEARS = sa.union(
    *(
        sa.select(model.year).where(model.organization_id == _NUMBER)
        for model in (Rollup, OrganizationFindings, RecordFindings)
    )
)
