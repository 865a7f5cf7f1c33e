"""All of several kinds: each at least once in the period.

For rules that name a set rather than a number: a plan and a summary each year, the three
meetings and the lesson, both assessments.
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
from guiju.rules.checks import streams, wording
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    code_list,
    unit_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts
    from guiju.rules.periods import Unit

Codes = NDArray[np.int32]
Masks = NDArray[np.int64]


class AllKindsSchema(streams.StreamSchema):
    """The kinds that each period needs; some only where there is a committee, or groups."""

    per = unit_field(load_default="year")
    #: Occasions needed besides where the branch has a committee, and where it has groups.
    with_committee = code_list(v.OCCASION_KINDS)
    with_groups = code_list(v.OCCASION_KINDS)
    #: A register entry without an end lasts; one that is an event counts when it is made.
    lasting = fields.Boolean(load_default=True)
    #: What a kind that is missing means once the period is over.
    missing = fields.String(
        load_default="shortfall", validate=validate.OneOf(("shortfall", "needs_judgement"))
    )


class AllKinds(Check):
    """Each kind at least once; a group's meetings are its branch's."""

    name = "all_kinds"
    schema = AllKindsSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "期间内各类事项齐全"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        return self.rests_on | streams.readings(parameters)

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = streams.reads(parameters)
        if parameters["with_committee"]:
            found |= {("posts", c) for c in ("person", "organization", "post")}
            found |= {("posts", "from_on"), ("posts", "until_on")}
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = periods.Unit.named(rule.parameters["per"])
            low, high = context.span(rule, unit)
            if low <= high:
                yield self._judge(rule, context, unit, low, high)

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        grid = context.grid(rule, unit, low, high)
        wanted = _wanted(rule, context, grid, unit)
        source = streams.SOURCES[rule.parameters["source"]]
        stream = streams.of({**rule.parameters, "kinds": kinds(rule)}, context)
        if rule.requirement.applies_to.kinds != ("party_group",):
            owner = context.answerable[stream.organization]
            stream = streams.Stream(stream.table, stream.rows, owner, stream.day)
        until = source.until if rule.parameters["lasting"] else ""
        position, place = streams.in_periods(stream, context, grid, unit, until)
        had = _bits(rule, context, source)[stream.rows[position]]
        found = np.zeros(len(grid), dtype=np.int64)
        np.bitwise_or.at(found, place, had)
        if rule.parameters["with_groups"]:
            holder = context.facts[stream.table][source.organization][stream.rows[position]]
            found &= ~_left_to_some(rule, context, grid, unit, _Held(holder, place, had))
        enough = (found & wanted) == wanted
        verdict = context.period_verdict(rule, enough, grid, unit)
        if rule.parameters["missing"] == "needs_judgement":
            short = grid.judged & ~enough & (verdict == rule.shortfall_code)
            verdict = np.where(short, findings.NEEDS_JUDGEMENT, verdict).astype(np.int8)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=wanted,
            observed=found & wanted,
            evidence=Evidence.grouped(stream.table, stream.rows[position], place, len(grid)),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _codes(rule, value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _codes(rule, value)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        vocabulary = streams.SOURCES[rule.parameters["source"]].vocabulary
        about = f"{finding.period_text}“{rule.title}”"
        missing = [code for code in finding.required if code not in finding.observed]
        named = wording.labels(rule, vocabulary, missing)
        match finding.verdict:
            case Verdict.MET:
                return f"{about}要求的各项都有记录，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{about}不适用：本期间不完整或不具备适用条件。"
            case Verdict.PENDING:
                return f"{about}还缺{named}，请于 {finding.due} 前完成。"
            case Verdict.NO_DATA:
                return f"{about}没有{named}的记录；本期记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}没有{named}的记录，是否落实请由人认定。"
            case _:
                return f"{about}缺少{named}。"


@dataclass(frozen=True)
class _Held:
    """What was held: by whom, in which entry of a grid, of which kinds (bits of a rule's)."""

    holder: Codes
    place: Codes
    kinds: Masks


def _left_to_some(rule: Rule, context: Context, grid: Grid, unit: Unit, held: _Held) -> Masks:
    """Kinds that each Party group holds for itself and that some group of an entry did not.

    What the branch held for all its groups counts for each of them.
    """
    always = len(rule.parameters["kinds"]) + len(rule.parameters["with_committee"])
    of_groups = ((1 << len(rule.parameters["with_groups"])) - 1) << always
    width = grid.high - grid.low + 1
    had = np.zeros((context.size, width), dtype=np.int64)
    when = grid.period[held.place] - grid.low
    np.bitwise_or.at(had, (held.holder, when), held.kinds)
    groups = np.flatnonzero(context.is_group & (context.branch_of >= 0)).astype(np.int32)
    span = np.arange(grid.low, grid.high + 1, dtype=np.int32)
    group, period = np.repeat(groups, width), np.tile(span, len(groups))
    place = grid.place(context.branch_of[group], period)
    whole = context.exists(group, periods.first_days(period, unit), periods.last_days(period, unit))
    group, period, place = (one[(place >= 0) & whole] for one in (group, period, place))
    lacking = np.zeros(len(grid), dtype=np.int64)
    column = period - grid.low
    missing = of_groups & ~had[group, column] & ~had[context.branch_of[group], column]
    np.bitwise_or.at(lacking, place, missing)
    return lacking


def kinds(rule: Rule) -> list[str]:
    """Every kind that a rule may need, in the order of the bits of its numbers."""
    found = [*rule.parameters["kinds"], *rule.parameters["with_committee"]]
    return [*found, *rule.parameters["with_groups"]]


def _codes(rule: Rule, value: int) -> list[str]:
    return [code for bit, code in enumerate(kinds(rule)) if value >> bit & 1]


def _wanted(rule: Rule, context: Context, grid: Grid, unit: Unit) -> Masks:
    """The kinds that each entry needs, as a mask."""
    always, committee = len(rule.parameters["kinds"]), len(rule.parameters["with_committee"])
    wanted = np.full(len(grid), (1 << always) - 1, dtype=np.int64)
    end = np.minimum(periods.last_days(grid.period, unit), np.int32(context.as_of))
    for condition, first, number in (
        ("has_committee", always, committee),
        ("has_groups", always + committee, len(rule.parameters["with_groups"])),
    ):
        if number:
            holds = context.holds([condition], grid.organization, end.astype(np.int32))
            wanted |= np.where(holds, ((1 << number) - 1) << first, 0)
    return wanted


def _bits(rule: Rule, context: Context, source: streams.Source) -> Masks:
    """For each row of the source's table the kinds it is of, as a mask in the rule's order."""
    column = context.facts[source.table][source.kind]
    found = np.zeros(len(column), dtype=np.int64)
    for bit, code in enumerate(kinds(rule)):
        if source.kind == "kinds":
            has = (column & context.facts.mask(source.vocabulary, [code])) != 0
        else:
            has = column == context.facts.position(source.vocabulary, code)
        found |= has.astype(np.int64) << bit
    return found
