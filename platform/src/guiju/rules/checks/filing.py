"""Filing: what is due to the superior when the year ends, and to whom it must go.

A filing belongs to the year it names; without a name, to the year in which it is made or,
in the first months of grace, to the year before.  Filed to the wrong organization is not
filed; where the recipient is not on record, nothing can be concluded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    ParameterSchema,
    code_list,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]
Verdicts = NDArray[np.int8]

RECIPIENTS = {"superior": "上级党组织", "unit_committee": "本单位机关党委"}
_LATE = {
    "met": findings.MET,
    "deviation": findings.DEVIATION,
    "not_met": findings.NOT_MET,
}


class FilingSchema(ParameterSchema):
    """What is filed each year, to whom, and what the months after the year's end mean."""

    kinds = code_list(v.REPORT_KINDS, required=True)
    recipient = fields.String(required=True, validate=validate.OneOf(list(RECIPIENTS)))
    #: Whether a filing to another organization above counts as well.
    any_superior = fields.Boolean(load_default=False)
    grace_months = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 11))
    #: What a filing in the months of grace is called.
    late = fields.String(load_default="not_met", validate=validate.OneOf(list(_LATE)))


@dataclass(frozen=True)
class _Filings:
    """Filings with the year they are for; ``right`` and ``unknown`` tell of the recipient."""

    rows: Codes
    organization: Codes
    year: Codes
    day: Days
    right: Bools
    unknown: Bools


class Filing(Check):
    """Filed with the right organization by the last day of the year."""

    name = "filing"
    schema = FilingSchema
    footprint = Footprint.OWN | Footprint.SUPERIORS
    summary = "年底报送备案"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("id", "organization", "kind", "filed_on", "recipient", "audience", "period")
        return {("reports", name) for name in names}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            low, high = context.span(rule, Unit.YEAR)
            if low <= high:
                yield self._judge(rule, context, context.grid(rule, Unit.YEAR, low, high))

    def _judge(self, rule: Rule, context: Context, grid: Grid) -> Block:
        filings = _filings(rule, context)
        place = grid.place(filings.organization, filings.year)
        inside = np.flatnonzero((place >= 0) & (filings.right | filings.unknown))
        place = place[inside]
        size = len(grid)
        each = _each(rule, filings)[inside]
        # The best of several filings stands.
        rank = np.full(size, len(_ORDER), dtype=np.int8)
        np.minimum.at(rank, place, _RANK[each])
        found = rank < len(_ORDER)
        silent = context.period_verdict(rule, np.zeros(size, dtype=np.bool_), grid, Unit.YEAR)
        best = np.append(_ORDER, np.int8(0))[rank]
        verdict = np.where(found & grid.judged, best, silent).astype(np.int8)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=periods.last_days(grid.period, Unit.YEAR).astype(np.int64),
            observed=_first(filings.day[inside], place, size),
            evidence=Evidence.grouped("reports", filings.rows[inside], place, size),
            unit=Unit.YEAR,
            period=grid.period,
            due=context.due(verdict, grid.period, Unit.YEAR),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return periods.to_date(value).isoformat()

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        said = f"{finding.period_text}“{rule.title}”"
        asked = f"应不晚于 {finding.required} 报{RECIPIENTS[rule.parameters['recipient']]}"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}{asked}，{finding.observed} 已报，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}不适用：本年度不完整。"
            case Verdict.PENDING:
                return f"{said}{asked}，尚未报送。"
            case Verdict.NO_DATA if finding.observed:
                return f"{said}{asked}，{finding.observed} 已报，没有记录报送对象，暂不判定。"
            case Verdict.NO_DATA:
                return f"{said}{asked}，没有记录；记录尚未确认完整，暂不判定。"
            case _ if finding.observed:
                return f"{said}{asked}，{finding.observed} 才报送。"
            case _:
                return f"{said}{asked}，没有报送。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Filings that went to another organization."""
        filings, block = _filings(finding.rule, context), finding.block
        assert block.period is not None
        mine = filings.organization == int(block.subject[finding.row])
        mine &= filings.year == int(block.period[finding.row])
        return [
            (context.facts.record_id("reports", row), "报送对象不符")
            for row in filings.rows[mine & ~filings.right & ~filings.unknown].tolist()
        ]


#: Verdicts on one filing, best first.
_ORDER = np.array(
    [findings.MET, findings.DEVIATION, findings.NOT_MET, findings.NO_DATA], dtype=np.int8
)
_RANK = np.full(len(findings.VERDICT_CODES), len(_ORDER), dtype=np.int8)
_RANK[_ORDER] = np.arange(len(_ORDER), dtype=np.int8)


def _each(rule: Rule, filings: _Filings) -> Verdicts:
    """The verdict on each filing: on time, in the months of grace, later, or unknown whose."""
    last = periods.last_days(filings.year, Unit.YEAR)
    grace = periods.add_months(last, rule.parameters["grace_months"])
    late = np.where(filings.day <= grace, _LATE[rule.parameters["late"]], int(rule.shortfall_code))
    verdict = np.where(filings.day <= last, findings.MET, late)
    return np.where(filings.right, verdict, findings.NO_DATA).astype(np.int8)


def _first(day: Days, place: Codes, size: int) -> NDArray[np.int64]:
    """The first day of each entry; no day where there is none."""
    found = np.full(size, np.iinfo(np.int32).max, dtype=np.int64)
    np.minimum.at(found, place, day)
    return np.where(found == np.iinfo(np.int32).max, np.int64(NULL_DAY), found)


def _filings(rule: Rule, context: Context) -> _Filings:
    facts, reports = context.facts, context.facts["reports"]
    kinds = [facts.position("report_kind", kind) for kind in rule.parameters["kinds"]]
    organization = reports["organization"]
    keep = among(reports["kind"], kinds) & (organization >= 0)
    keep &= reports["filed_on"] <= context.as_of
    rows = np.flatnonzero(keep).astype(np.int32)
    owner, recipient = organization[rows], reports["recipient"][rows]
    upward = reports["audience"][rows] == facts.position("audience", "superior")
    named = reports.stated("recipient")[rows]
    # A recipient that is not among these facts is none of those above.
    right = (recipient >= 0) & (recipient == _wanted(rule, context)[owner])
    if rule.parameters["recipient"] == "superior" or rule.parameters["any_superior"]:
        right |= named & _above(context, owner, recipient)
        right |= ~named & upward
    day = reports["filed_on"][rows]
    return _Filings(rows, owner, _years(rule, context, rows, day), day, right, ~named)


def _wanted(rule: Rule, context: Context) -> Codes:
    """The organization that each should file with."""
    if rule.parameters["recipient"] == "superior":
        return context.parent
    committees = context.of_kind(("committee", "general_branch"))
    nearest = context.nearest(committees, strict=True)
    return np.where(nearest >= 0, nearest, context.parent).astype(np.int32)


def _above(context: Context, owner: Codes, recipient: Codes) -> Bools:
    found = np.zeros(len(owner), dtype=np.bool_)
    current = context.parent[owner]
    while bool((current >= 0).any()):
        found |= (current >= 0) & (recipient == current)
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    return found


def _years(rule: Rule, context: Context, rows: Codes, day: Days) -> Codes:
    """The year each filing is for."""
    reports = context.facts["reports"]
    code = reports["period"][rows]
    grace = rule.parameters["grace_months"]
    early = periods.months(day) % 12 < grace
    year = periods.indices(day, Unit.YEAR) - early
    stated = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int32)
    for row, number in zip(rows.tolist(), code.tolist(), strict=True):
        if number >= 0 and stated[number] < 0:
            found, unit = periods.parse(str(reports.text("period", row)))
            stated[number] = found * unit.value // 12
    named = np.append(stated, np.int32(-1))[code]
    return np.where(named >= 0, named, year).astype(np.int32)
