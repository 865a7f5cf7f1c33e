"""Political birthdays: each member's joining day is marked once a year.

Marked on the day itself, or together with others of the branch in the month.  An occasion
with a list of those present marks those listed; one without a list marks everybody of
the branch whose day falls in its month.  A day that does not exist in the year (29
February) is marked the day before or after as well.  Once the month is over and nothing is
recorded, a person is asked (the notice gives no frequency).
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


class BirthdaysSchema(ParameterSchema):
    """Which occasions mark a birthday, and what an unmarked one means."""

    kinds = code_list(v.OCCASION_KINDS, required=True)
    unmarked = fields.String(
        load_default="needs_judgement",
        validate=validate.OneOf(("needs_judgement", "shortfall")),
    )
    #: Where 29 February does not exist: also 1 March, or only days of February.
    leap_day = fields.String(
        load_default="neighbours", validate=validate.OneOf(("neighbours", "february"))
    )


class Birthdays(Check):
    """The anniversary of each member's joining day, marked on it or in its month."""

    name = "birthdays"
    schema = BirthdaysSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "每名党员的政治生日"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = streams.reads({"source": "occasions", "kinds": parameters["kinds"]})
        found |= {("attendance", c) for c in ("occasion", "person", "status")}
        return found | {("members", "joined_on")} | membership.ROSTER

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            members = membership.of(rule, context, Unit.YEAR)
            if len(members):
                yield self._judge(rule, context, members)

    def _judge(self, rule: Rule, context: Context, members: membership.Members) -> Block:
        kinds = tuple(rule.parameters["kinds"])
        key = ("birthdays", rule.requirement.applies_to, kinds, members.low, members.high)
        days = context.shared(key, lambda: _Days(rule, context, members))
        marked = days.marked
        if rule.parameters["leap_day"] == "neighbours":
            marked = np.where(marked < 0, days.marked_after, marked).astype(np.int32)
        asked = (
            findings.NEEDS_JUDGEMENT
            if rule.parameters["unmarked"] == "needs_judgement"
            else rule.shortfall_code
        )
        unmarked = np.where(days.attested, asked, findings.NO_DATA)
        silent = np.where(days.last < context.as_of, unmarked, findings.PENDING)
        verdict = np.where(marked >= 0, findings.MET, silent)
        verdict = np.where(days.unknown, findings.NO_DATA, verdict)
        verdict = np.where(days.judged, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        due = np.where(verdict == findings.PENDING, days.last, np.int32(NULL_DAY))
        return Block(
            rule=rule,
            subject_type="member",
            subject=members.person,
            organization=members.organization,
            verdict=verdict,
            required=np.where(days.unknown, np.int64(NULL_DAY), days.day.astype(np.int64)),
            observed=(marked >= 0).astype(np.int64),
            evidence=Evidence.single("occasions", marked),
            unit=Unit.YEAR,
            period=members.period,
            due=due.astype(np.int32),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        said = f"{finding.period_text}“{finding.rule.title}”"
        if finding.required is None and finding.verdict is Verdict.NO_DATA:
            return f"{said}：没有入党日期，暂不判定。"
        day = periods.to_date(int(finding.block.required[finding.row]))
        when = f"入党周年为 {day.month}月{day.day}日"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}：{when}，已在当天或者当月过政治生日。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}不适用：入党不满一年，或周年之后才转入。"
            case Verdict.PENDING:
                return f"{said}：{when}，可于 {finding.due} 前当天开展或者按月集中组织。"
            case Verdict.NO_DATA:
                return f"{said}：{when}，没有记录，当月记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}：{when}，当月没有记录；是否组织请由人认定。"
            case _:
                return f"{said}：{when}，没有组织。"


def _anniversary(joined: Days, year: Codes) -> Days:
    """The anniversary in each year; 28 February where the 29th does not exist."""
    known = np.where(joined == NULL_DAY, np.int32(0), joined)
    ahead = year.astype(np.int64) - periods.indices(known, Unit.YEAR)
    # add_months takes one number, so shift by months here: same day, clamped to the month.
    month = periods.months(known) + (12 * ahead).astype(np.int32)
    offset = known - periods.first_days(periods.months(known), Unit.MONTH)
    length = periods.last_days(month, Unit.MONTH) - periods.first_days(month, Unit.MONTH)
    found: Days = periods.first_days(month, Unit.MONTH) + np.minimum(offset, length)
    return found.astype(np.int32)


def _is_leap_day(days: Days) -> Bools:
    month = periods.months(days)
    offset = days - periods.first_days(month, Unit.MONTH)
    found: Bools = (month % 12 == 1) & (offset == 28)
    return found


class _Days:
    """Each member's anniversary in each year and what marks it, whatever the reading."""

    def __init__(self, rule: Rule, context: Context, members: membership.Members) -> None:
        joined = context.facts["members"]["joined_on"][members.row]
        self.unknown = joined == NULL_DAY
        self.day = _anniversary(joined, members.period)
        month = periods.months(self.day)
        self.last = periods.last_days(month, Unit.MONTH)
        self.attested = members.attested(month, Unit.MONTH)
        marks = _Marks(rule, context)
        self.marked = marks.row(members.person, members.organization, self.day)
        #: What marks 29 February on 1 March, in years without it.
        self.marked_after = np.full(len(members), -1, dtype=np.int32)
        leap = np.flatnonzero(_is_leap_day(joined) & ~_is_leap_day(self.day))
        self.marked_after[leap] = marks.on_day(
            members.person[leap], members.organization[leap], self.day[leap] + 1
        )
        # Whoever joins or comes later in the year has the first anniversary here later; what
        # another branch did or left undone before is not this one's.
        begun = joined < periods.first_days(members.period, Unit.YEAR)
        self.judged = begun & members.already(self.last)


class _Marks:
    """Occasions that mark birthdays: those with a list of people, and those for everybody."""

    def __init__(self, rule: Rule, context: Context) -> None:
        stream = streams.of({"source": "occasions", "kinds": rule.parameters["kinds"]}, context)
        attendance = context.facts["attendance"]
        position = np.full(len(context.facts["occasions"]) + 1, -1, dtype=np.int32)
        position[stream.rows] = np.arange(len(stream), dtype=np.int32)
        # Few occasions are birthdays and attendance is long: theirs first.
        rows = np.flatnonzero(position[attendance["occasion"]] >= 0)
        at = position[attendance["occasion"][rows]]
        person = attendance["person"][rows]
        coming = [context.facts.position("attendance", code) for code in ("present", "remote")]
        came = (person >= 0) & among(attendance["status"][rows], coming)
        listed = np.zeros(len(stream), dtype=np.bool_)
        listed[at] = True
        self._rows = stream.rows
        branch = context.answerable[stream.organization]
        self._by_person = _Keys(person[came], stream.day[at[came]], at[came])
        everybody = np.flatnonzero(~listed).astype(np.int32)
        self._by_branch = _Keys(branch[everybody], stream.day[everybody], everybody)

    def row(self, people: Codes, branches: Codes, days: Days) -> Codes:
        """The occasion in the month of each day that marks it; -1 where there is none."""
        month = periods.months(days)
        named = self._by_person.in_month(people, month)
        found = np.where(named >= 0, named, self._by_branch.in_month(branches, month))
        return self._occasion(found)

    def on_day(self, people: Codes, branches: Codes, days: Days) -> Codes:
        """The occasion on each day that marks it; -1 where there is none."""
        named = self._by_person.on(people, days)
        return self._occasion(np.where(named >= 0, named, self._by_branch.on(branches, days)))

    def _occasion(self, place: Codes) -> Codes:
        return np.append(self._rows, np.int32(-1))[place].astype(np.int32)


class _Keys:
    """Occasions by owner and day, sorted for searching."""

    def __init__(self, owners: Codes, days: Days, place: Codes) -> None:
        keys = (owners.astype(np.int64) << 32) + days
        order = np.argsort(keys, kind="stable")
        self._keys, self._place = keys[order], place[order]

    def _first(self, owners: Codes, low: Days, high: Days) -> Codes:
        if not len(self._keys):
            return np.full(len(owners), -1, dtype=np.int32)
        base = owners.astype(np.int64) << 32
        place = np.searchsorted(self._keys, base + low, "left")
        inside = np.minimum(place, len(self._keys) - 1)
        found = (place < len(self._keys)) & (self._keys[inside] <= base + high)
        return np.where(found, self._place[inside], -1).astype(np.int32)

    def in_month(self, owners: Codes, months: Codes) -> Codes:
        return self._first(
            owners,
            periods.first_days(months, Unit.MONTH),
            periods.last_days(months, Unit.MONTH),
        )

    def on(self, owners: Codes, days: Days) -> Codes:
        return self._first(owners, days, days)
