"""Training that a superior owes: of all its branch secretaries, or in rotation.

The subject is the superior.  A secretary is reached by an entry of secretaries' training
in the period, organized by the superior (or by nobody named).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    ParameterSchema,
    unit_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]

_HALF, _LOWER = 32, 0xFFFFFFFF
_POSTS = frozenset(("posts", c) for c in ("person", "organization", "post", "from_on", "until_on"))


class TrainingSchema(ParameterSchema):
    """In which period, and whether every secretary is to be reached."""

    per = unit_field(load_default="year")
    cover = fields.String(load_default="all", validate=validate.OneOf(("all", "any")))


class SecretaryTraining(Check):
    """Branch secretaries trained by the superior in each period."""

    name = "secretary_training"
    schema = TrainingSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "上级对党支部书记的培训"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("person", "held_on", "organizer", "secretaries")
        return {("training", c) for c in names} | _POSTS

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = Unit.named(rule.parameters["per"])
            low, high = context.span(rule, unit)
            if low <= high:
                yield self._judge(rule, context, unit, context.grid(rule, unit, low, high))

    def _judge(self, rule: Rule, context: Context, unit: Unit, grid: Grid) -> Block:
        person, place = _secretaries(context, unit, grid)
        rows, at, reached = _trained(context, unit, grid, person, place)
        expected = np.bincount(place, minlength=len(grid)).astype(np.int64)
        covered = np.bincount(place[reached], minlength=len(grid)).astype(np.int64)
        enough = covered >= (expected if rule.parameters["cover"] == "all" else 1)
        verdict = context.period_verdict(rule, enough, grid, unit)
        verdict = np.where(expected == 0, findings.NOT_APPLICABLE, verdict).astype(np.int8)
        return Block(
            rule=rule,
            subject_type="organization",
            subject=grid.organization,
            organization=grid.organization,
            verdict=verdict,
            required=expected if rule.parameters["cover"] == "all" else np.minimum(expected, 1),
            observed=covered,
            evidence=Evidence.grouped("training", rows, at, len(grid)),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value

    def message(self, finding: Finding) -> str:
        said = (
            f"{finding.period_text}“{finding.rule.title}”已培训党支部书记 {finding.observed} 名，"
            f"要求 {finding.required} 名"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{finding.period_text}“{finding.rule.title}”不适用：没有所属党支部书记。"
            case Verdict.PENDING:
                return f"{said}，请于 {finding.due} 前完成。"
            case Verdict.NO_DATA:
                return f"{said}；本期记录尚未确认完整，暂不判定。"
            case _:
                return f"{said}，没有全部培训。"


def _secretaries(context: Context, unit: Unit, grid: Grid) -> tuple[Codes, NDArray[np.int64]]:
    """Branch secretaries at the end of each period, with the grid entry of each superior."""
    posts = context.facts.posts
    held = posts.holding(("secretary",)) & (posts.organization >= 0) & (posts.person >= 0)
    rows = np.flatnonzero(held & context.is_branch[posts.organization])
    keys = [np.zeros(0, dtype=np.int64)]
    for period in range(grid.low, grid.high + 1):
        last = min(periods.last_day(period, unit), context.as_of)
        now = rows[(posts.start[rows] <= last) & (posts.end[rows] >= last)]
        above = context.parent[posts.organization[now]]
        while bool((above >= 0).any()):
            entry = grid.place(above, np.full(len(now), period, dtype=np.int32)).astype(np.int64)
            inside = entry >= 0
            keys.append((entry[inside] << _HALF) | posts.person[now][inside])
            above = np.where(above >= 0, context.parent[above], -1).astype(np.int32)
    key = np.unique(np.concatenate(keys))
    return (key & _LOWER).astype(np.int32), key >> _HALF


def _trained(
    context: Context, unit: Unit, grid: Grid, person: Codes, place: NDArray[np.int64]
) -> tuple[Codes, Codes, NDArray[np.bool_]]:
    """Training entries counted, their grid entries, and which secretaries they reach."""
    training = context.facts["training"]
    day = training["held_on"]
    rows = np.flatnonzero((training["secretaries"] == 1) & (day <= context.as_of)).astype(np.int32)
    found = periods.indices(day[rows], unit)
    known = (person.astype(np.int64) << 16) | grid.period[place]
    order = np.argsort(known, kind="stable")
    wanted = (training["person"][rows].astype(np.int64) << 16) | found
    first = np.searchsorted(known[order], wanted, "left")
    length = np.searchsorted(known[order], wanted, "right") - first
    row = np.repeat(np.arange(len(rows)), length)
    step = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    secretary = order[first[row] + step]
    organizer = training["organizer"][rows[row]]
    own = (organizer < 0) | (organizer == grid.organization[place[secretary]])
    reached = np.zeros(len(person), dtype=np.bool_)
    reached[secretary[own]] = True
    return rows[row[own]], place[secretary[own]].astype(np.int32), reached
