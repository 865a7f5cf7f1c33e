"""What a superior does with appraisals: grades every branch by year end, files the results.

The subject is the superior, never the branch.  Two ways to count what is expected: every
branch below that existed at the year's end, or every appraisal that there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import grades
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    ParameterSchema,
    code_list,
)
from guiju.rules.checks.occasions import pack_pair, unpack_pair
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

#: What may be asked for, the column that shows it, and how a message calls it.
DUTIES = {
    "graded": ("decided_on", "评定等次"),
    "filed": ("filed_on", "备案"),
    "publicised": ("publicised_on", "公示"),
}


class AppraisedSchema(ParameterSchema):
    """What is asked for the appraisals of a kind of subject in these cycles (all, if none named).

    ``every_branch`` expects one for each branch below by the last day of the year.
    ``inputs`` are what a grade must rest on; a record that names fewer is a question.
    """

    subject = fields.String(required=True, validate=validate.OneOf(("organization", "secretary")))
    duty = fields.String(required=True, validate=validate.OneOf(tuple(DUTIES)))
    cycles = code_list(v.APPRAISAL_CYCLES)
    every_branch = fields.Boolean(load_default=False)
    inputs = code_list(v.INPUTS)


class Appraised(Check):
    """Appraisals dealt with, against those expected, by superior and year."""

    name = "appraised"
    schema = AppraisedSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "上级评定、备案评议结果"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        column = DUTIES[parameters["duty"]][0]
        return {*grades.READS, ("appraisals", column), ("appraisals", "inputs")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            low, high = context.span(rule, Unit.YEAR)
            if low <= high:
                yield self._judge(rule, context, low, high)

    def _judge(self, rule: Rule, context: Context, low: int, high: int) -> Block:
        grid = context.grid(rule, Unit.YEAR, low, high)
        rows, organization, year = _records(rule, context)
        above = context.nearest(context.binds(rule), strict=True)
        place = grid.place(above[organization], year)
        inside = place >= 0
        rows, organization, place = rows[inside], organization[inside], place[inside]
        appraisals = context.facts["appraisals"]
        done_on = appraisals[DUTIES[rule.parameters["duty"]][0]][rows]
        done = (done_on != NULL_DAY) & (done_on <= context.as_of)
        last = periods.last_days(grid.period, Unit.YEAR)
        late = np.zeros(len(rows), dtype=np.bool_)
        if rule.parameters["every_branch"]:
            late = done & (done_on > last[place])
            expected = _branches(context, above, grid.organization, last)
            done &= ~late
            # A branch counts once, however many records it has.
            _, first = np.unique(
                (place[done].astype(np.int64) << 32) + organization[done], return_index=True
            )
            done = np.flatnonzero(done)[first]
        else:
            expected = np.bincount(place, minlength=len(grid)).astype(np.int64)
            done = np.flatnonzero(done)
        number = np.bincount(place[done], minlength=len(grid)).astype(np.int64)
        enough = (number >= expected) & (expected > 0)
        verdict = context.period_verdict(rule, enough, grid, Unit.YEAR)
        if rule.parameters["every_branch"]:
            tardy = (np.bincount(place[late], minlength=len(grid)) > 0) & ~enough & grid.judged
            verdict[tardy] = rule.shortfall_code
        else:
            # No deadline: what is outstanding stays so.
            verdict[grid.judged & ~enough] = findings.PENDING
        thin = _thin(rule, context, rows[done])
        weak = np.bincount(place[done][thin], minlength=len(grid)) > 0
        verdict[weak & (verdict == findings.MET)] = findings.NEEDS_JUDGEMENT
        verdict[expected == 0] = findings.NOT_APPLICABLE
        due = None
        if rule.parameters["every_branch"]:
            due = context.due(verdict, grid.period, Unit.YEAR)
        return Block(
            rule=rule,
            subject_type="organization",
            subject=grid.organization,
            organization=grid.organization,
            verdict=verdict,
            required=expected,
            observed=pack_pair(weak, number),
            evidence=Evidence.grouped("appraisals", rows[done], place[done], len(grid)),
            unit=Unit.YEAR,
            period=grid.period,
            due=due,
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return unpack_pair(value)[1]

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        duty = DUTIES[rule.parameters["duty"]][1]
        noun = "下属党支部" if rule.parameters["every_branch"] else "评议结果"
        about = f"{finding.period_text}“{rule.title}”"
        said = f"{about}{noun} {finding.required} 个，已{duty} {finding.observed} 个"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{about}没有需要{duty}的对象。"
            case Verdict.PENDING:
                by = f"请于 {finding.due} 前完成" if finding.due else "请及时办理"
                return f"{said}，{by}。"
            case Verdict.NO_DATA:
                return f"{said}；本期记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}，但有的没有写全规定的依据，是否综合分析请由人认定。"
            case _:
                return f"{said}，有的没有在年底前{duty}。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Branches below that are still missing."""
        if not finding.rule.parameters["every_branch"]:
            return []
        superior = int(finding.block.subject[finding.row])
        assert finding.block.period is not None
        last = periods.last_day(int(finding.block.period[finding.row]), Unit.YEAR)
        above = context.nearest(context.binds(finding.rule), strict=True)
        there = context.is_branch & (above == superior)
        there &= (context.opened <= last) & (context.closed >= last)
        evidence = finding.block.evidence
        start, stop = int(evidence.start[finding.row]), int(evidence.stop[finding.row])
        counted = context.facts["appraisals"]["organization"][evidence.rows[start:stop]]
        there[counted] = False
        return [
            (context.facts.record_id("organizations", code), "尚未在规定时间内办理")
            for code in np.flatnonzero(there).tolist()
        ]


def _records(rule: Rule, context: Context) -> tuple[Codes, Codes, Codes]:
    """Rows of ``appraisals`` of the kind and cycles, with organization and year."""
    rows = context.facts["appraisals"]
    keep = rows["subject_type"] == context.facts.position(
        "appraisal_subject", rule.parameters["subject"]
    )
    keep &= (rows["organization"] >= 0) & (rows["proposed"] != 1)
    if rule.parameters["cycles"]:
        wanted = [
            context.facts.position("appraisal_cycle", code) for code in rule.parameters["cycles"]
        ]
        # An appraisal that states no cycle is the year's.
        unstated = (rows["cycle"] < 0) & ("annual" in rule.parameters["cycles"])
        keep &= among(rows["cycle"], wanted) | unstated
    if rule.parameters["duty"] != "graded":
        decided = rows["decided_on"]
        keep &= (decided == NULL_DAY) | (decided <= context.as_of)
    found = np.flatnonzero(keep).astype(np.int32)
    return found, rows["organization"][found], rows["year"][found] - 1970


def _branches(
    context: Context, above: Codes, superior: Codes, last: NDArray[Any]
) -> NDArray[np.int64]:
    """Branches below each superior that exist on the last day of the year."""
    found = np.zeros(len(superior), dtype=np.int64)
    for day in np.unique(last).tolist():
        there = context.is_branch & (context.opened <= day) & (context.closed >= day) & (above >= 0)
        here = last == day
        found[here] = np.bincount(above[there], minlength=context.size)[superior[here]]
    return found


def _thin(rule: Rule, context: Context, rows: Codes) -> Bools:
    """Records that name some inputs, but not all that are asked for."""
    stated = context.facts["appraisals"]["inputs"][rows]
    wanted = context.facts.mask("appraisal_input", rule.parameters["inputs"])
    return np.asarray((stated != 0) & ((stated & wanted) != wanted))
