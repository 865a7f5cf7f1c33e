"""Count in period: at least so many, sometimes at most so many, in each calendar period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.checks import streams
from guiju.rules.checks.base import (
    CARRY_OVER,
    Footprint,
    ParameterSchema,
    PeriodCheck,
    reading_field,
    unit_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule

#: Nouns and measure words of what is counted, by source.
_NOUNS = {
    "occasions": "次",
    "reports": "次",
    "inspections": "次",
    "inspected": "次",
    "register": "项",
    "talks": "次",
    "agenda": "项",
    "steps": "次",
    "documents": "份",
    "cases": "次",
    "rectifications": "项",
}

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Placed:
    """The records of ``stream``, each with the entry of the grid that it belongs to."""

    grid: Grid
    unit: Unit
    stream: streams.Stream
    place: Codes

    @property
    def numbers(self) -> NDArray[np.int64]:
        """How many records each entry has."""
        return np.bincount(self.place, minlength=len(self.grid)).astype(np.int64)

    @property
    def evidence(self) -> Evidence:
        """The records of each entry."""
        size = len(self.grid)
        return Evidence.grouped(self.stream.table, self.stream.rows, self.place, size)


#: Bit of a note: what the period before had too many of makes up for what is missing.
_BROUGHT = 1


class CountSchema(streams.StreamSchema):
    """How many of what, in which period."""

    per = unit_field(required=True)
    min = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 366))
    max = fields.Integer(strict=True, load_default=None, validate=validate.Range(1, 366))
    carry_over = reading_field(CARRY_OVER)


class Count(PeriodCheck):
    """At least ``min`` (and at most ``max``) records of a stream in each period."""

    name = "count"
    schema: ClassVar[type[ParameterSchema]] = CountSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "每个期间的次数"
    rests_on = PeriodCheck.rests_on | {CARRY_OVER}

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        return self.rests_on | streams.readings(parameters)

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return streams.reads(parameters)

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        stream = streams.of(rule.parameters, context)
        grid = context.grid(rule, unit, low, high)
        place = grid.place(stream.organization, periods.indices(stream.day, unit))
        inside = place >= 0
        return self.conclude(rule, context, Placed(grid, unit, stream.take(inside), place[inside]))

    def conclude(self, rule: Rule, context: Context, placed: Placed) -> Block:
        """The findings once each record has its entry in the grid."""
        grid, number = placed.grid, placed.numbers
        brought = _brought(rule, context, placed, number)
        enough = number + brought >= rule.parameters["min"]
        verdict = context.period_verdict(rule, enough, grid, placed.unit)
        most = rule.parameters["max"]
        if most is not None:
            over = grid.judged & (number > most)
            verdict = np.where(over, rule.shortfall_code, verdict).astype(np.int8)
        block = self.block(rule, context, placed, number + brought, verdict)
        if bool(brought.any()):
            block.note = np.where(brought > 0, _BROUGHT, 0).astype(np.int8)
            # An entry follows that of the period before, and so do its records.
            start = block.evidence.start.copy()
            start[brought > 0] = start[np.flatnonzero(brought > 0) - 1]
            block.evidence = replace(block.evidence, start=start)
        return block

    def block(
        self,
        rule: Rule,
        context: Context,
        placed: Placed,
        number: NDArray[np.int64],
        verdict: NDArray[np.int8],
    ) -> Block:
        """A block with these numbers and verdicts, one for each entry of the grid."""
        grid = placed.grid
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=np.full(len(grid), rule.parameters["min"], dtype=np.int64),
            observed=number,
            evidence=placed.evidence,
            unit=placed.unit,
            period=grid.period,
            due=context.due(verdict, grid.period, placed.unit),
        )

    def message(self, finding: Finding) -> str:
        rule, verdict = finding.rule, finding.verdict
        noun = _NOUNS[rule.parameters.get("source", "occasions")]
        found, wanted = finding.observed, finding.required
        said = f"{finding.period_text}“{rule.title}”{self.counted(finding, noun)}"
        most = rule.parameters["max"]
        asked = f"要求至少 {wanted} {noun}" if most is None else f"要求 {wanted} 至 {most} {noun}"
        if verdict is Verdict.MET:
            return f"{said}，{asked}，符合。"
        if verdict is Verdict.NOT_APPLICABLE:
            return f"{finding.period_text}“{rule.title}”不适用：本期间不完整或不具备适用条件。"
        if verdict is Verdict.PENDING:
            return f"{said}，{asked}，还差 {wanted - found} {noun}，请于 {finding.due} 前完成。"
        if verdict is Verdict.NO_DATA:
            return f"{said}，{asked}；本期记录尚未确认完整，暂不判定。"
        if most is not None and found > most:
            return f"{said}，{asked}，超过 {found - most} {noun}。"
        return f"{said}，{asked}，少 {wanted - found} {noun}。"

    def counted(self, finding: Finding, noun: str) -> str:
        """What was counted, as the beginning of the sentence says it."""
        said = f"记录 {finding.observed} {noun}"
        if finding.note & _BROUGHT:
            said += "（含用上一期多开的抵补的）"
        shared = _shared(finding)
        if shared and shared == len(finding.evidence):
            return f"{said}（同时登记为其他活动）"
        return f"{said}（其中 {shared} {noun}同时登记为其他活动）" if shared else said

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        return streams.uncounted(finding, context)


def _shared(finding: Finding) -> int:
    """How many of the occasions counted are of other kinds as well (D9)."""
    evidence = finding.block.evidence
    if evidence.table != "occasions":
        return 0
    rows = evidence.rows[int(evidence.start[finding.row]) : int(evidence.stop[finding.row])]
    kinds = finding.facts["occasions"]["kinds"][rows[rows >= 0]]
    return int(((kinds & (kinds - np.uint64(1))) != 0).sum())


def _brought(
    rule: Rule, context: Context, placed: Placed, number: NDArray[np.int64]
) -> NDArray[np.int64]:
    """What each entry takes over of what the period before it had too many of (D2)."""
    grid, least = placed.grid, rule.parameters["min"]
    if rule.parameters["carry_over"] == "none":
        return np.zeros(len(grid), dtype=np.int64)
    before = grid.place(grid.organization, (grid.period - 1).astype(np.int32))
    known = (before >= 0) & (grid.period > context.first_judged(rule, placed.unit))
    spare = np.where(known, np.maximum(number[before] - least, 0), 0)
    return np.minimum(spare, np.maximum(least - number, 0))
