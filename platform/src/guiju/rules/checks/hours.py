"""Hours: each member's concentrated training in a year, in tenths of a study hour.

Hours go with the person.  Who came from another unit in the course of the year brings
the hours that unit attests; without them nothing can be concluded from too few hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import membership
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE, Check, ParameterSchema, unit_field
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]


class HoursSchema(ParameterSchema):
    """How many tenths of an hour in which period, and what movers must bring."""

    per = unit_field(load_default="year")
    tenths = fields.Integer(strict=True, required=True, validate=validate.Range(1, 100_000))
    #: Too few hours of a member who came in the course of the period: unknown without
    #: the former unit's attestation, or judged by what is recorded here.
    movers = fields.String(
        load_default="attestation", validate=validate.OneOf(("attestation", "own_records"))
    )


class Hours(Check):
    """Concentrated training of each member, added up over the period."""

    name = "hours"
    schema = HoursSchema
    summary = "每名党员的集中培训学时"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        training = {("training", c) for c in ("person", "held_on", "tenths", "concentrated")}
        own = {("members", c) for c in ("transferred_hours", "joined_on")}
        return training | own | membership.ROSTER

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = Unit.named(rule.parameters["per"])
            members = membership.of(rule, context, unit)
            if len(members):
                yield self._judge(rule, context, unit, members)

    def _judge(
        self, rule: Rule, context: Context, unit: Unit, members: membership.Members
    ) -> Block:
        key = ("hours", rule.requirement.applies_to, unit, members.low, members.high)
        hours = context.shared(key, lambda: _Hours(context, unit, members))
        asked = rule.parameters["tenths"]
        short = np.where(hours.attested, rule.shortfall_code, findings.NO_DATA)
        if rule.parameters["movers"] == "attestation":
            short = np.where(hours.unproven, findings.NO_DATA, short)
        short = np.where(hours.total + hours.perhaps >= asked, findings.NO_DATA, short)
        enough = hours.total >= asked
        verdict = np.where(enough, findings.MET, np.where(hours.over, short, findings.PENDING))
        verdict = np.where(hours.new & ~enough, findings.NOT_APPLICABLE, verdict).astype(np.int8)
        return Block(
            rule=rule,
            subject_type="member",
            subject=members.person,
            organization=members.organization,
            verdict=verdict,
            required=np.full(len(members), asked, dtype=np.int64),
            observed=hours.total,
            evidence=hours.evidence,
            unit=unit,
            period=members.period,
            due=context.due(verdict, members.period, unit),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _hours(value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _hours(value)

    def message(self, finding: Finding) -> str:
        said = (
            f"{finding.period_text}“{finding.rule.title}”本人集中学习培训 {finding.observed} 学时"
        )
        asked = f"要求不少于 {finding.required} 学时"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，{asked}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}；本人年内入党，不满一个完整年度，不作判定。"
            case Verdict.PENDING:
                return f"{said}，{asked}，请于 {finding.due} 前补足。"
            case Verdict.NO_DATA:
                return f"{said}，{asked}；记录或转入前学时证明不全，暂不判定。"
            case _:
                return f"{said}，{asked}，未达到。"


class _Hours:
    """What is known of each member's hours in each period, whatever the reading."""

    def __init__(self, context: Context, unit: Unit, members: membership.Members) -> None:
        training = context.facts["training"]
        day, flag = training["held_on"], training["concentrated"]
        place = members.place(training["person"], periods.indices(day, unit))
        known = (place >= 0) & (day <= context.as_of)
        counted = np.flatnonzero(known & (flag == 1)).astype(np.int32)
        doubtful = np.flatnonzero(known & (flag < 0))
        size, tenths = len(members), training["tenths"]
        came, carried = _carried(context, members, unit)
        self.total = _sum(place[counted], tenths[counted], size) + carried
        #: Hours of which it is not on record whether they were concentrated.
        self.perhaps = _sum(place[doubtful], tenths[doubtful], size)
        #: Came in the course of the period, without an attestation of the former unit.
        self.unproven = came & (carried == 0)
        self.new = _admitted(context, members, unit)
        self.over = context.closed_periods(members.period, unit)
        self.attested = members.attested(members.period, unit)
        self.evidence = Evidence.grouped("training", counted, place[counted], size)


def _sum(place: NDArray[np.int32], tenths: NDArray[np.int32], size: int) -> Numbers:
    # Sums of int32 stay far below 2**53, so the floats of bincount are exact.
    found: Numbers = np.bincount(place, weights=tenths, minlength=size).astype(np.int64)
    return found


def _hours(tenths: int) -> int | str:
    """32 for 320 tenths; 31.5 as text, since numbers in findings are whole."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else whole


def _carried(context: Context, members: membership.Members, unit: Unit) -> tuple[Bools, Numbers]:
    """Who came from elsewhere in the course of the period, and the hours they brought.

    Who moved between branches of these records is not from elsewhere: the hours are here.
    """
    stated = context.facts["members"]["transferred_hours"][members.row]
    start = context.facts.roster.start[members.row]
    came = ~members.whole & (start >= periods.first_days(members.period, unit))
    return came, np.where(came & (stated > 0), stated, 0).astype(np.int64)


def _admitted(context: Context, members: membership.Members, unit: Unit) -> Bools:
    """Who joined the Party in the course of the period."""
    joined = context.facts["members"]["joined_on"][members.row]
    first = periods.first_days(members.period, unit)
    return ~members.whole & (joined >= first) & (joined != NULL_DAY)
