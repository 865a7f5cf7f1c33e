"""Life meetings: so many in each year (or half-year), held by the branch or by its groups.

A group's meeting is one that only its own members have had, so a branch has had as many
as the group with the fewest, never the sum.  Where the notice leaves the cycle to choice,
an organization that chose the half-year is judged by half-years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules import vocabulary as v
from guiju.rules.checks import streams
from guiju.rules.checks.base import ParameterSchema, PeriodCheck, code_list
from guiju.rules.checks.count import Codes, Count, Placed
from guiju.rules.findings import Block, Finding
from guiju.rules.periods import Unit

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule

Numbers = NDArray[np.int64]


class LifeCycleSchema(ParameterSchema):
    """How many meetings of which kinds in each cycle."""

    kinds = code_list(v.OCCASION_KINDS, required=True)
    min = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 12))
    max = fields.Integer(strict=True, load_default=None, validate=validate.Range(1, 12))
    #: Each organization chooses its cycle (column ``life_meeting_cycle``).
    elective = fields.Boolean(load_default=False)
    #: What an organization that chose nothing must do in a year: one meeting, or one each half.
    unelected = fields.String(
        load_default="year", validate=validate.OneOf(list(v.LIFE_MEETING_CYCLES))
    )


class LifeCycle(Count):
    """At least ``min`` (and at most ``max``) life meetings of every member in each cycle."""

    name = "life_cycle"
    schema = LifeCycleSchema
    summary = "每个周期的组织生活会次数（含党小组召开的）"
    rests_on = PeriodCheck.rests_on

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        # Cycles are told apart by the records of groups, so nothing is carried over.
        return self.rests_on

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = streams.reads({"source": "occasions", **parameters})
        if parameters["elective"]:
            found.add(("organizations", "life_meeting_cycle"))
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            halves = _by_halves(rule, context)
            for unit, chosen in ((Unit.YEAR, ~halves), (Unit.HALF, halves)):
                low, high = context.span(rule, unit)
                if low <= high and bool((chosen & context.applies(rule)).any()):
                    block = self._judge(rule, context, unit, low, high)
                    yield block.take(chosen[block.subject])

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        grid = context.grid(rule, unit, low, high)
        stream = streams.of({"source": "occasions", "kinds": rule.parameters["kinds"]}, context)
        tally = _tally(stream, context, grid, unit)
        enough = tally.fewest >= rule.parameters["min"]
        if unit is Unit.YEAR and rule.parameters["unelected"] == "half_year":
            enough &= _each_half(rule, stream, context, grid)
        verdict = context.period_verdict(rule, enough, grid, unit)
        most = rule.parameters["max"]
        number = tally.fewest
        if most is not None:
            over = grid.judged & (tally.most > most)
            verdict = np.where(over, rule.shortfall_code, verdict).astype(np.int8)
            number = np.where(over, tally.most, number)
        return self.block(rule, context, tally.placed, number, verdict)

    def counted(self, finding: Finding, noun: str) -> str:
        """Where groups hold their own: those with the fewest, or the most, decide."""
        number, most = finding.observed, finding.rule.parameters["max"]
        if len(finding.evidence) == number:
            return super().counted(finding, noun)
        said = f"各党小组分别召开，共记录 {len(finding.evidence)} {noun}"
        rows = finding.facts["organizations"]
        groups = (rows.text("name", code) for code in _groups_with(finding, number))
        names = [name for name in groups if name]
        which = "、".join(names)
        if not number:
            return f"{said}，{which or '有的党小组'}没有召开"
        if not which:
            over = most is not None and number > most
            which = "次数最多的党小组" if over else "次数最少的党小组"
        return f"{said}，{which}{'各' if len(names) > 1 else ''}有 {number} {noun}"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Besides the records that do not count, the groups that held too few."""
        found = super().uncounted(finding, context)
        if finding.observed < finding.required and len(finding.evidence) != finding.observed:
            reason = f"本期只召开 {finding.observed} 次" if finding.observed else "本期没有召开"
            found += [
                (context.facts.record_id("organizations", code), reason)
                for code in _groups_with(finding, finding.observed)
            ]
        return found


def _groups_with(finding: Finding, number: int) -> list[int]:
    """Codes of the branch's groups with so many meetings, as far as they are at hand."""
    facts, block, row = finding.facts, finding.block, finding.row
    rows, branch = facts["organizations"], int(block.subject[row])
    group = facts.position("organization_kind", "party_group")
    counted = block.evidence.rows[int(block.evidence.start[row]) : int(block.evidence.stop[row])]
    held = facts["occasions"]["organization"][counted]
    own = int((held == branch).sum())
    groups = np.flatnonzero((rows["parent"] == branch) & (rows["kind"] == group))
    return [code for code in groups.tolist() if int((held == code).sum()) + own == number]


@dataclass(frozen=True)
class _Tally:
    """For each entry of a grid the meetings of the members with the fewest and the most."""

    fewest: Numbers
    most: Numbers
    placed: Placed


def _by_halves(rule: Rule, context: Context) -> NDArray[np.bool_]:
    if not rule.parameters["elective"]:
        return np.zeros(context.size, dtype=np.bool_)
    chosen = context.facts["organizations"]["life_meeting_cycle"]
    return np.asarray(chosen == context.facts.position("life_meeting_cycle", "half_year"))


def _tally(stream: streams.Stream, context: Context, grid: Grid, unit: Unit) -> _Tally:
    period = periods.indices(stream.day, unit)
    by_group = context.is_group[stream.organization]
    # A group answers for its branch, except where the rule is about groups themselves.
    owner = np.where(by_group, context.branch_of[stream.organization], stream.organization)
    place = grid.place(owner.astype(np.int32), period)
    inside = place >= 0
    own = np.bincount(place[inside & ~by_group], minlength=len(grid)).astype(np.int64)
    fewest, most = own.copy(), own.copy()
    groups = np.flatnonzero(context.is_group & (context.branch_of >= 0)).astype(np.int32)
    if len(groups):
        least, greatest = _of_groups(groups, stream, context, grid, unit)
        fewest, most = fewest + least, most + greatest
    return _Tally(fewest, most, Placed(grid, unit, stream.take(inside), place[inside]))


def _of_groups(
    groups: Codes, stream: streams.Stream, context: Context, grid: Grid, unit: Unit
) -> tuple[Numbers, Numbers]:
    """Meetings of the group with the fewest, and the most, among those of each branch."""
    period = periods.indices(stream.day, unit)
    width = grid.high - grid.low + 1
    number = np.zeros((context.size, width), dtype=np.int64)
    here = context.is_group[stream.organization] & (period >= grid.low) & (period <= grid.high)
    np.add.at(number, (stream.organization[here], period[here] - grid.low), 1)
    span = np.arange(grid.low, grid.high + 1, dtype=np.int32)
    group, when = np.repeat(groups, width), np.tile(span, len(groups))
    first, last = periods.first_days(when, unit), periods.last_days(when, unit)
    place = grid.place(context.branch_of[group], when)
    keep = (place >= 0) & context.exists(group, first, last)
    group, when, place = group[keep], when[keep], place[keep]
    found = number[group, when - grid.low]
    least = np.full(len(grid), np.iinfo(np.int64).max)
    greatest = np.zeros(len(grid), dtype=np.int64)
    np.minimum.at(least, place, found)
    np.maximum.at(greatest, place, found)
    return np.where(least == np.iinfo(np.int64).max, 0, least), greatest


def _each_half(
    rule: Rule, stream: streams.Stream, context: Context, years: Grid
) -> NDArray[np.bool_]:
    """Whether both halves of each year had a meeting; those begun before the rule had one."""
    low, high = years.low * 2, years.high * 2 + 1
    grid = context.grid(rule, Unit.HALF, low, high)
    number = _tally(stream, context, grid, Unit.HALF).fewest
    exempt = periods.first_days(grid.period, Unit.HALF) < rule.valid_from
    enough = (number > 0) | exempt | ~grid.judged
    result = np.ones(len(years), dtype=np.bool_)
    np.logical_and.at(result, years.place(grid.organization, grid.period // 2), enough)
    return result
