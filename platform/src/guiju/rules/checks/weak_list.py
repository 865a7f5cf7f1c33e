"""Weak branches: listed every year, each taken on by a secretary of a superior.

The subject is the superior, never the branch.  As many are listed as there are; a year
with none is entered as such on the superior itself (number 0), so that no list ever has
to be filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE, Check, Footprint, ParameterSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

_HALF, _LOWER = 32, 0xFFFFFFFF


class WeakListSchema(ParameterSchema):
    """Nothing to choose: any number on such a list is forbidden."""


class WeakList(Check):
    """A list of weak branches in each year, each of them led."""

    name = "weak_list"
    schema = WeakListSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "每年确定后进党支部并带头认领"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {("register", c) for c in ("organization", "item", "since_on", "target")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            low, high = context.span(rule, Unit.YEAR)
            if low <= high:
                yield self._judge(rule, context, context.grid(rule, Unit.YEAR, low, high))

    def _judge(self, rule: Rule, context: Context, grid: Grid) -> Block:
        rows, place, branch = _listed(context, grid)
        size = len(grid)
        led = _led(context)[rows]
        lists = np.bincount(place, minlength=size)
        number = np.bincount(place[branch], minlength=size).astype(np.int64)
        taken = np.bincount(place[branch & led], minlength=size).astype(np.int64)
        verdict = context.period_verdict(rule, (lists > 0) & (taken >= number), grid, Unit.YEAR)
        return Block(
            rule=rule,
            subject_type="organization",
            subject=grid.organization,
            organization=grid.organization,
            verdict=verdict,
            required=number,
            observed=((lists > 0).astype(np.int64) << _HALF) | taken,
            evidence=Evidence.grouped("register", rows, place, size),
            unit=Unit.YEAR,
            period=grid.period,
            due=context.due(verdict, grid.period, Unit.YEAR),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value & _LOWER

    def message(self, finding: Finding) -> str:
        title = finding.rule.title
        listed = int(finding.block.observed[finding.row]) >> _HALF
        said = f"{finding.period_text}“{title}”：没有确定名单的记录"
        if listed:
            said = (
                f"{finding.period_text}“{title}”：确定 {finding.required} 个，"
                f"有书记带头认领的 {finding.observed} 个"
            )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{finding.period_text}“{title}”不适用：没有所属党支部，或本年度不完整。"
            case Verdict.PENDING:
                return f"{said}，请于 {finding.due} 前完成；有多少确定多少，没有的登记为 0。"
            case Verdict.NO_DATA:
                return f"{said}；本年度记录尚未确认完整，暂不判定。"
            case _:
                return f"{said}，没有落实。"


def _listed(context: Context, grid: Grid) -> tuple[Codes, Codes, Bools]:
    """Entries of lists with the grid entry of each superior, and whether they name a branch."""
    register = context.facts["register"]
    item = context.facts.position("register_item", "weak_list")
    keep = (register["item"] == item) & (register["organization"] >= 0)
    rows = np.flatnonzero(keep & (register["since_on"] <= context.as_of)).astype(np.int32)
    year = periods.indices(register["since_on"][rows], Unit.YEAR)
    named = _branch(context)[rows]
    found, places, branches = [], [], []
    current = np.where(named >= 0, named, register["organization"][rows]).astype(np.int32)
    while bool((current >= 0).any()):
        place = grid.place(current, year)
        inside = place >= 0
        found.append(rows[inside])
        places.append(place[inside])
        branches.append(named[inside] >= 0)
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    if not found:
        none = np.zeros(0, dtype=np.int32)
        return none, none, none.astype(np.bool_)
    return np.concatenate(found), np.concatenate(places), np.concatenate(branches)


def _branch(context: Context) -> Codes:
    """The branch each entry of the register is about: its organization, or its target."""
    register = context.facts["register"]
    organization, target = register["organization"], register["target"]
    is_branch = np.append(context.is_branch, np.bool_(0))
    own = np.where(is_branch[organization], organization, -1)
    return np.where(is_branch[target], target, own).astype(np.int32)


def _led(context: Context) -> Bools:
    """Entries of the register about a branch that a secretary has taken on."""
    register, branch = context.facts["register"], _branch(context)
    lead = register["item"] == context.facts.position("register_item", "weak_lead")
    lead &= (register["since_on"] <= context.as_of) & (branch >= 0)
    taken = np.zeros(context.size + 1, dtype=np.bool_)
    taken[branch[lead]] = True
    found: Bools = taken[branch]
    return found
