"""A day of each month, relatively fixed: the count as in :mod:`count`, and the pattern of days.

"Relatively" has no number, so a day out of the pattern is never a shortfall.  A reading may
put such months to a person.  The pattern is the day of the month that the branch has
registered, or the middle one of the days it has kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks.base import ParameterSchema
from guiju.rules.checks.count import Count, CountSchema, Placed
from guiju.rules.findings import Block, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Codes = NDArray[np.int32]


class FixedDaySchema(CountSchema):
    """The entry of the register with the day, and whether departures are put to a person."""

    item = fields.String(required=True)
    ask = fields.Boolean(load_default=False)
    #: By how many days "relatively" may differ before anybody is asked.
    tolerance = fields.Integer(strict=True, load_default=3, validate=validate.Range(0, 15))

    @classmethod
    def vocabulary_of(cls, name: str, parameters: Mapping[str, Any]) -> str | None:
        return "register_item" if name == "item" else super().vocabulary_of(name, parameters)


class FixedDay(Count):
    """At least so many in each month, on much the same day of it."""

    name = "fixed_day"
    schema: ClassVar[type[ParameterSchema]] = FixedDaySchema
    summary = "每月次数和相对固定的日期"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = super().reads(parameters)
        if parameters["ask"]:
            found |= {
                ("register", c) for c in ("organization", "item", "since_on", "until_on", "number")
            }
        return found

    def conclude(self, rule: Rule, context: Context, placed: Placed) -> Block:
        block = super().conclude(rule, context, placed)
        if not rule.parameters["ask"]:
            return block
        organization = placed.stream.organization
        month = periods.months(placed.stream.day)
        day = placed.stream.day - periods.first_days(month, Unit.MONTH) + 1
        usual = _registered(rule, context)
        middle = _middle(organization, day, context.size)
        usual = np.where(usual > 0, usual, middle)
        near = np.abs(day - usual[organization]) <= rule.parameters["tolerance"]
        kept = np.bincount(placed.place[near], minlength=len(placed.grid)) > 0
        asked = (block.verdict == findings.MET) & ~kept
        block.verdict = np.where(asked, findings.NEEDS_JUDGEMENT, block.verdict).astype(np.int8)
        return block

    def message(self, finding: Finding) -> str:
        if finding.verdict is Verdict.NEEDS_JUDGEMENT:
            return (
                f"{finding.period_text}“{finding.rule.title}”记录 {finding.observed} 次，"
                "日期与平时相差较大，是否相对固定请由人认定。"
            )
        return super().message(finding)


def _registered(rule: Rule, context: Context) -> Codes:
    """The day of the month that each organization has registered; 0 where there is none."""
    register = context.facts["register"]
    item = context.facts.position("register_item", rule.parameters["item"])
    keep = (register["item"] == item) & (register["organization"] >= 0)
    rows = np.flatnonzero(keep & (register["since_on"] <= context.as_of))
    rows = rows[np.argsort(register["since_on"][rows], kind="stable")]
    found = np.zeros(context.size, dtype=np.int32)
    found[register["organization"][rows]] = np.maximum(register["number"][rows], 0)
    return found


def _middle(organization: Codes, day: Codes, size: int) -> Codes:
    """The middle of each organization's days; 0 where it has none."""
    order = np.lexsort((day, organization))
    number = np.bincount(organization, minlength=size)
    first = np.cumsum(number) - number
    has = number > 0
    found = np.zeros(size, dtype=np.int32)
    found[has] = day[order][(first + (number - 1) // 2)[has]]
    return found
