"""The count rules of branches and groups, judged by SQL alone, beside the engine: (c).

One statement brings every verdict: a single pass over the occasions sets a bit for each kind
and month, quarters and years are shifts of the months, and the answer holds a mask of
periods for each organization, rule and verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from benchmarks.city import AS_OF, JUDGE_FROM
from benchmarks.measuring import Report, milliseconds, timed
from guiju.db.engine import arrow_connection, beside
from guiju.rules import engine, findings, periods
from guiju.rules.findings import Findings
from guiju.rules.pack import Pack
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import COMMITTEE_POSTS
from guiju.scoring import reader
from guiju.scoring.judging import Law

#: Verdicts that a mask says; a period in none of them is not judged.
_VERDICTS = ("met", "short", "no_data", "pending")


@dataclass(frozen=True)
class Rule:
    """A rule that asks for one record in each period, as the statement words it."""

    id: str
    unit: Unit
    #: Column of the pass over a table: which months have a record.
    months: str
    kind: str
    groups: bool = False
    committee: bool = False


_RULES = (
    Rule("xian.branch_setup.self_check", Unit.YEAR, "o", "self_check"),
    Rule("xian.branch_assembly.quarterly", Unit.QUARTER, "o", "branch_assembly"),
    Rule("xian.branch_committee.monthly", Unit.MONTH, "o", "branch_committee", committee=True),
    Rule("xian.party_group_meeting.monthly", Unit.MONTH, "o", "party_group_meeting", groups=True),
    Rule("xian.party_lecture.quarterly", Unit.QUARTER, "o", "party_lecture"),
    Rule("xian.theme_day.monthly", Unit.MONTH, "o", "theme_day"),
    Rule("xian.member_appraisal.annual", Unit.YEAR, "o", "member_appraisal"),
    Rule("xian.reporting.superior", Unit.YEAR, "r", "superior"),
    Rule("xian.reporting.assembly", Unit.YEAR, "r", "assembly"),
)
_BRANCHES = "('branch', 'joint_branch', 'temporary_branch')"

_LOW = periods.index(JUDGE_FROM, Unit.MONTH)
#: Months in a mask: to the end of the year of the last day.
_WIDTH = 12 * (AS_OF.year - JUDGE_FROM.year + 1)


def ids() -> set[str]:
    """The requirements that are compared."""
    return {rule.id for rule in _RULES}


def statement(tenant: int, kinds: Mapping[str, int]) -> str:
    """All verdicts; ``kinds`` are the bits of the kinds of occasion."""
    return f"""
        WITH days AS MATERIALIZED (
            SELECT array_agg({_month("d")} ORDER BY d) AS bit
            FROM generate_series(DATE '{JUDGE_FROM}', DATE '{AS_OF}', '1 day') d
        ),
        o AS (
            SELECT organization_id, {_masks("o", kinds)}
            FROM (
                SELECT organization_id, kinds,
                    (SELECT bit FROM days)[held_on - DATE '{JUDGE_FROM}' + 1] AS month
                FROM occasions
                WHERE tenant_id = {tenant} AND held_on BETWEEN '{JUDGE_FROM}' AND '{AS_OF}'
                    AND (status IS NULL OR status NOT IN ('cancelled', 'planned'))
            ) held
            GROUP BY organization_id
        ),
        r AS (
            SELECT organization_id,
                bit_or({_month("filed_on")}) FILTER (WHERE audience = 'superior'
                    OR audience IS NULL AND recipient_id IS NOT NULL) AS superior,
                bit_or({_month("filed_on")}) FILTER (WHERE audience = 'assembly') AS assembly
            FROM reports
            WHERE tenant_id = {tenant} AND kind = 'work_report'
                AND filed_on BETWEEN '{JUDGE_FROM}' AND '{AS_OF}'
            GROUP BY organization_id
        ),
        a AS (
            SELECT organization_id,
                bit_or(1::int << (12 * (left(period, 4)::int - {JUDGE_FROM.year})
                    + right(period, 2)::int - 1)) AS complete
            FROM attestations
            WHERE tenant_id = {tenant} AND objected IS NOT TRUE AND attested_on <= '{AS_OF}'
            GROUP BY organization_id
        ),
        p AS (
            SELECT organization_id, {_committee_months()} AS committee
            FROM posts
            WHERE tenant_id = {tenant} AND post IN ({", ".join(f"'{p}'" for p in COMMITTEE_POSTS)})
            GROUP BY organization_id
        ),
        known AS MATERIALIZED (
            SELECT g.id, g.kind, {_whole_months()} AS whole,
                coalesce(a.complete, 0) | coalesce(above.complete, 0) AS complete,
                CASE g.has_committee WHEN true THEN -1 WHEN false THEN 0
                    ELSE coalesce(p.committee, 0) END AS committee,
                {
        ", ".join(f"coalesce({rule.months}.{rule.kind}, 0) AS {rule.kind}" for rule in _RULES)
    }
            FROM organizations g
            LEFT JOIN o ON o.organization_id = g.id
            LEFT JOIN r ON r.organization_id = g.id
            LEFT JOIN a ON a.organization_id = g.id
            LEFT JOIN a above ON g.kind = 'party_group' AND above.organization_id = g.parent_id
            LEFT JOIN p ON p.organization_id = g.id
            WHERE g.tenant_id = {tenant} AND g.kind IN ('party_group', {_BRANCHES[1:-1]})
        ),
        placed AS MATERIALIZED (
            SELECT id, kind = 'party_group' AS is_group, {_placed()}
            FROM known
        )
        SELECT id, is_group, {_answers()}
        FROM placed
    """


def _month(day: str) -> str:
    """The bit of a day's month."""
    return (
        f"(1::int << (12 * (extract(year FROM {day})::int - {JUDGE_FROM.year})"
        f" + extract(month FROM {day})::int - 1))"
    )


def _masks(table: str, kinds: Mapping[str, int]) -> str:
    return ", ".join(
        f"bit_or(month) FILTER (WHERE kinds & {1 << kinds[rule.kind]} <> 0) AS {rule.kind}"
        for rule in _RULES
        if rule.months == table
    )


def _ends() -> list[date]:
    """The last day of each month, or the day judged where that is earlier."""
    last = periods.last_days(np.arange(_LOW, _LOW + _WIDTH), Unit.MONTH).tolist()
    return [min(periods.to_date(day), AS_OF) for day in last]


def _committee_months() -> str:
    """Months at whose end three or more hold a post of the committee."""
    return " | ".join(
        f"CASE WHEN count(*) FILTER (WHERE (from_on IS NULL OR from_on <= '{end}')"
        f" AND (until_on IS NULL OR until_on >= '{end}')) >= 3 THEN {1 << month} ELSE 0 END"
        for month, end in enumerate(dict.fromkeys(_ends()))
    )


def _whole_months() -> str:
    """Months through which an organization exists from the first day to the last."""
    return " | ".join(
        f"CASE WHEN (opened_on IS NULL OR opened_on <= '{periods.to_date(first)}')"
        f" AND (closed_on IS NULL OR closed_on >= '{periods.to_date(last)}')"
        f" THEN {1 << month} ELSE 0 END"
        for month, (first, last) in enumerate(
            zip(
                periods.first_days(np.arange(_LOW, _LOW + _WIDTH), Unit.MONTH).tolist(),
                periods.last_days(np.arange(_LOW, _LOW + _WIDTH), Unit.MONTH).tolist(),
                strict=True,
            )
        )
    )


def _any(mask: str, unit: Unit) -> str:
    """Whether any month of each period has its bit; the answer stands at its first month."""
    shifted = " | ".join(f"({mask} >> {month})" for month in range(unit.value))
    return f"(({shifted}) & {_firsts(unit)})"


def _all(mask: str, unit: Unit) -> str:
    shifted = " & ".join(f"({mask} >> {month})" for month in range(unit.value))
    return f"(({shifted}) & {_firsts(unit)})"


def _firsts(unit: Unit) -> int:
    """The first months of all periods that have begun."""
    width = periods.index(AS_OF, Unit.MONTH) - _LOW + 1
    return sum(1 << month for month in range(0, width, unit.value))


def _over(unit: Unit) -> int:
    """The first months of all periods that are over."""
    begun = [month for month in range(_WIDTH) if _firsts(unit) >> month & 1]
    ended = [
        month
        for month in begun
        if periods.last_day((_LOW + month) // unit.value, unit) < periods.day(AS_OF)
    ]
    return sum(1 << month for month in ended)


def _placed() -> str:
    """Which periods are judged, complete, and have a record; each said once."""
    columns = []
    for unit in dict.fromkeys(rule.unit for rule in _RULES):
        columns.append(f"{_all('whole', unit)} AS judged_{unit.name}")
        columns.append(f"{_all('complete', unit)} AS complete_{unit.name}")
    columns.append("committee")
    columns += [f"{_any(rule.kind, rule.unit)} AS {rule.kind}" for rule in _RULES]
    return ", ".join(columns)


def _answers() -> str:
    columns = []
    for number, rule in enumerate(_RULES):
        judged, complete = f"judged_{rule.unit.name}", f"complete_{rule.unit.name}"
        if rule.committee:
            judged = f"({judged} & committee)"
        short = f"{judged} & ~{rule.kind}"
        columns += [
            f"{judged} & {rule.kind} AS met_{number}",
            f"{short} & {complete} & {_over(rule.unit)} AS short_{number}",
            f"{short} & ~{complete} & {_over(rule.unit)} AS no_data_{number}",
            f"{short} & ~{_over(rule.unit)} AS pending_{number}",
        ]
    return ", ".join(columns)


def by_sql(url: str, text: str) -> pa.Table:
    """Every verdict, packed."""
    with arrow_connection(url) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetch_arrow_table()


def by_engine(
    connection: adbc.Connection, second: adbc.Connection, pack: Pack, law: Law
) -> Findings:
    """The same rules read and judged by the engine, as a scoring of everything reads."""
    (enabled,) = law.enabled
    rules = engine.compile_rules(pack, enabled.choices, only=ids())
    snapshot = reader.read(connection, engine.columns_read(rules), law.packs, second=second)
    return engine.evaluate(
        pack,
        snapshot.facts,
        AS_OF,
        choices=enabled.choices,
        only=ids(),
        judge_from=enabled.judge_from,
        complete_after=law.complete_after,
        alternatives=False,
        not_applicable=False,
    )


def compare(judged: Findings, packed: pa.Table) -> int:
    """How many verdicts there are; raises AssertionError where the two disagree."""
    organizations = judged.facts.numbers("organizations")
    is_group = packed["is_group"].to_numpy()
    number = 0
    for place, rule in enumerate(_RULES):
        (block,) = (block for block in judged.blocks if block.rule.id == rule.id)
        codes = {
            "met": findings.MET,
            "short": int(block.rule.shortfall_code),
            "no_data": findings.NO_DATA,
            "pending": findings.PENDING,
        }
        theirs = np.concatenate(
            [
                _unpacked(packed, f"{name}_{place}", is_group == rule.groups, codes[name], rule)
                for name in _VERDICTS
            ]
        )
        period = block.period.astype(np.int64)
        ours = _key(organizations[block.organization], period, block.verdict)
        if rule.groups:
            ours = _key(organizations[block.subject], period, block.verdict)
        assert np.array_equal(np.sort(ours), np.sort(theirs)), rule.id
        number += len(ours)
    return number


def _key(organization: NDArray, period: NDArray, verdict: NDArray | int) -> NDArray[np.int64]:
    return (organization.astype(np.int64) * 100_000 + period) * 16 + verdict


def _unpacked(
    packed: pa.Table, column: str, rows: NDArray[np.bool_], verdict: int, rule: Rule
) -> NDArray[np.int64]:
    mask = packed[column].to_numpy()[rows]
    organization = packed["id"].to_numpy()[rows]
    parts = [np.zeros(0, dtype=np.int64)]
    for month in range(_WIDTH):
        chosen = organization[(mask >> month & 1).astype(np.bool_)]
        period = np.full(len(chosen), (_LOW + month) // rule.unit.value, dtype=np.int64)
        parts.append(_key(chosen, period, verdict))
    return np.concatenate(parts)


def measure(report: Report, url: str, law: Law, text: str, times: int) -> None:
    """The strongest statement against the engine, turn by turn."""
    (pack,) = (law.packs[one.profile] for one in law.enabled)

    def engine_way() -> Findings:
        with arrow_connection(url) as connection, beside(connection) as second:
            return by_engine(connection, second, pack, law)

    number = compare(engine_way(), by_sql(url, text))
    ours, theirs = [], []
    for _ in range(times):
        theirs.append(timed(lambda: by_sql(url, text))[0])
        ours.append(timed(engine_way)[0])
    sql = report.add("c", f"{number:,} verdicts of count rules by SQL", milliseconds(theirs))
    report.add(
        "c",
        "the same by the engine, reading included",
        milliseconds(ours),
        limit=sql,
        against="1 × SQL",
    )
