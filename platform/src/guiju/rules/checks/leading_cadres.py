"""Leading cadres in the life of their own branch: whether they come, and ask leave if not.

Only attendance that is on record counts.  The notices give no rate that would be enough, so
a cadre who came and was never away without leave has done the duty; one who was never
there has not; anything between is for a person to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import membership, streams
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
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_HALF, _LOWER = 32, 0xFFFFFFFF


class CadresSchema(ParameterSchema):
    """The occasions that are the life of the branch."""

    kinds = code_list(v.OCCASION_KINDS, required=True)


@dataclass(frozen=True)
class _Rows:
    """Attendance of leading cadres at occasions of their own branch; one length."""

    occasion: Codes
    person: Codes
    branch: Codes
    day: Days
    came: Bools
    excused: Bools


class _Cadres(Check):
    """A check of leading cadres' attendance."""

    schema = CadresSchema
    footprint = Footprint.OWN | Footprint.GROUPS

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        occasions = streams.reads({"source": "occasions", "kinds": parameters["kinds"]})
        attendance = {("attendance", c) for c in ("occasion", "person", "status")}
        return occasions | attendance | {("members", "leading_cadre")} | membership.ROSTER


class LeaderAttendance(_Cadres):
    """How often each leading cadre took part in a year, of all occasions on record."""

    name = "leader_attendance"
    summary = "党员领导干部参加组织生活"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            found = membership.of(rule, context, Unit.YEAR)
            leading = context.facts["members"]["leading_cadre"]
            members = found.take(leading[found.row] == 1)
            if len(members):
                yield self._judge(rule, context, members)

    def _judge(self, rule: Rule, context: Context, members: membership.Members) -> Block:
        rows = _rows(rule, context)
        place = members.place(rows.person, periods.indices(rows.day, Unit.YEAR))
        # What was in another branch before a move is on that one's record.
        inside = (place >= 0) & (members.organization[place] == rows.branch)
        size = len(members)

        def count(chosen: Bools) -> NDArray[np.int64]:
            return np.bincount(place[inside & chosen], minlength=size).astype(np.int64)

        came, away = count(rows.came), count(~rows.came & ~rows.excused)
        expected = count(np.ones(len(place), dtype=np.bool_))
        over = context.closed_periods(members.period, Unit.YEAR)
        attested = context.attested(members.organization, members.period, Unit.YEAR)
        silent = np.where(attested, findings.NEEDS_JUDGEMENT, findings.NO_DATA)
        verdict = np.select(
            [
                (came > 0) & (away == 0),
                ~over & (away == 0),
                expected == 0,
                (came == 0) & (away > 0) & over & attested,
            ],
            [findings.MET, findings.PENDING, silent, rule.shortfall_code],
            findings.NEEDS_JUDGEMENT,
        ).astype(np.int8)
        return Block(
            rule=rule,
            subject_type="member",
            subject=members.person,
            organization=members.organization,
            verdict=verdict,
            required=expected,
            observed=(away << _HALF) | came,
            evidence=Evidence.grouped("occasions", rows.occasion[inside], place[inside], size),
            unit=Unit.YEAR,
            period=members.period,
            due=np.full(size, NULL_DAY, dtype=np.int32),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value & _LOWER

    def message(self, finding: Finding) -> str:
        away = int(finding.block.observed[finding.row]) >> _HALF
        said = (
            f"{finding.period_text}“{finding.rule.title}”：有考勤记录 {finding.required} 次，"
            f"参加 {finding.observed} 次，无故缺席 {away} 次"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.PENDING:
                return f"{said}，本年度尚未结束。"
            case Verdict.NO_DATA:
                return f"{said}；记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}；文件没有规定比例，是否带头参加请由人认定。"
            case _:
                return f"{said}，没有参加。"


class LeaderLeave(_Cadres):
    """Whether each absence of a leading cadre in a month was with leave asked."""

    name = "leader_leave"
    summary = "党员领导干部缺席时请假"

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            rows = _rows(rule, context)
            absent = ~rows.came & context.in_validity(rule, rows.day)
            keep = np.flatnonzero(absent & context.applies(rule)[rows.branch])
            if len(keep):
                yield self._judge(rule, rows, keep)

    def _judge(self, rule: Rule, rows: _Rows, keep: NDArray[np.int64]) -> Block:
        month = periods.indices(rows.day[keep], Unit.MONTH)
        # Of a month in which a cadre moved, each branch answers for its own occasions.
        pair = (rows.branch[keep].astype(np.int64) << 32) | rows.person[keep]
        key, first, place = np.unique(
            (np.unique(pair, return_inverse=True)[1].astype(np.int64) << 16) | month,
            return_index=True,
            return_inverse=True,
        )
        size = len(key)
        number = np.bincount(place, minlength=size).astype(np.int64)
        asked = np.bincount(place[rows.excused[keep]], minlength=size).astype(np.int64)
        verdict = np.where(asked >= number, findings.MET, rule.shortfall_code)
        return Block(
            rule=rule,
            subject_type="member",
            subject=rows.person[keep][first],
            organization=rows.branch[keep][first],
            verdict=verdict.astype(np.int8),
            required=number,
            observed=asked,
            evidence=Evidence.grouped("occasions", rows.occasion[keep], place, size),
            unit=Unit.MONTH,
            period=(key & 0xFFFF).astype(np.int32),
        )

    def message(self, finding: Finding) -> str:
        said = (
            f"{finding.period_text}“{finding.rule.title}”：缺席 {finding.required} 次，"
            f"请假 {finding.observed} 次"
        )
        if finding.verdict is Verdict.MET:
            return f"{said}，符合。"
        return f"{said}，有缺席没有请假。"


def _rows(rule: Rule, context: Context) -> _Rows:
    kinds = tuple(rule.parameters["kinds"])
    return context.shared(("cadres", kinds), lambda: _make_rows(kinds, context))


def _make_rows(kinds: tuple[str, ...], context: Context) -> _Rows:
    facts, attendance = context.facts, context.facts["attendance"]
    leading = facts["members"]["leading_cadre"] == 1
    roster = facts.roster
    leaders = np.zeros(facts.count("people") + 1, dtype=np.bool_)
    leaders[roster.person[leading & (roster.person >= 0)]] = True
    # Few people lead: their rows first, then everything else about these few.
    keep = np.flatnonzero(leaders[attendance["person"]] & (attendance["occasion"] >= 0))
    stream = streams.of({"source": "occasions", "kinds": list(kinds)}, context)
    position = np.full(len(facts["occasions"]) + 1, -1, dtype=np.int32)
    position[stream.rows] = np.arange(len(stream), dtype=np.int32)
    place = position[attendance["occasion"][keep]]
    keep, place = keep[place >= 0], place[place >= 0]
    person, status = attendance["person"][keep], attendance["status"][keep]
    day = stream.day[place]
    branch = context.answerable[stream.organization[place]]
    spell = roster.of_person.latest(person, day)
    own = (spell >= 0) & leading[spell] & (roster.organization[spell] == branch)
    coming = [facts.position("attendance", code) for code in ("present", "remote")]
    excused = status == facts.position("attendance", "excused")
    return _Rows(
        stream.rows[place][own],
        person[own],
        branch[own],
        day[own],
        among(status[own], coming),
        excused[own],
    )
