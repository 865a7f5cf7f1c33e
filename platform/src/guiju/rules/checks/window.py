"""Calendar window: held in certain months of the year, or on one weekday of the month.

The question is when, not whether: where nothing was held, the rule on the number of times
says so and this one does not apply.  A day outside the window is plain from the record; a
day that the holiday calendar makes doubtful is for a person to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE, Check, Footprint, unit_field
from guiju.rules.checks.occasions import Meetings, OccasionSchema, pack_pair, unpack_pair
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_DAY = 2**31 - 1


class WindowSchema(OccasionSchema):
    """Months of the year, or a weekday in the first week of the month.

    ``week`` is days 1–7 or the first whole week from Monday to Sunday.  ``on_holiday``
    says what a public holiday on that day does: leave the day to judgement, or move it
    to the next such weekday or the next day that is worked.  ``reason_allows`` accepts
    another time with a reason on record, ``accept_plan`` the day of a filed plan;
    ``campaign_exempt`` leaves out meetings held under a superior's campaign document.
    With ``groups`` a meeting held by a group is its branch's.
    """

    per = unit_field(required=True)
    months = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 12)), load_default=list
    )
    weekday = fields.String(load_default=None, validate=validate.OneOf(WEEKDAYS))
    week = fields.String(
        load_default="days_1_7", validate=validate.OneOf(("days_1_7", "full_week"))
    )
    on_holiday = fields.String(
        load_default="needs_judgement",
        validate=validate.OneOf(("needs_judgement", "next_weekday", "next_working_day")),
    )
    reason_allows = fields.Boolean(load_default=False)
    accept_plan = fields.Boolean(load_default=False)
    campaign_exempt = fields.Boolean(load_default=False)
    groups = fields.Boolean(load_default=False)
    year_by = fields.String(load_default="date", validate=validate.OneOf(("date", "label")))

    @validates_schema
    def _one_window(self, data: Mapping[str, Any], **_: Any) -> None:
        months, weekday = data.get("months"), data.get("weekday")
        if bool(months) == bool(weekday):
            raise ValidationError("应写明 months 或 weekday 之一")
        if months and months != list(range(months[0], months[-1] + 1)):
            raise ValidationError("months 应为连续的月份")
        if data.get("per") != ("year" if months else "month"):
            raise ValidationError("months 按 year 判定，weekday 按 month 判定")


@dataclass(frozen=True)
class Target:
    """First and last day of the window of each period; where a holiday makes it doubtful."""

    first: Days
    last: Days
    doubtful: Bools


class Window(Check):
    """The day on which something was held, against the window of its period."""

    name = "window"
    schema = WindowSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "举行的时间"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS)
        for name, column in _EXCUSES.items():
            if parameters[name]:
                found.add(("occasions", column))
        if parameters["year_by"] == "label":
            found.add(("occasions", "for_year"))
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = Unit.named(rule.parameters["per"])
            low, high = context.span(rule, unit)
            if low <= high:
                yield self._judge(rule, context, context.grid(rule, unit, low, high), unit)

    def _judge(self, rule: Rule, context: Context, grid: Grid, unit: Unit) -> Block:
        meetings = occasions.in_periods(rule, context, groups=rule.parameters["groups"])
        place = grid.place(meetings.organization, _period(rule, meetings, unit))
        inside = np.flatnonzero(place >= 0)
        place, day, rows = place[inside], meetings.day[inside], meetings.rows[inside]
        target = _target(rule, context, grid.period)
        good = (day >= target.first[place]) & (day <= target.last[place])
        facts = context.facts["occasions"]
        if rule.parameters["accept_plan"]:
            good |= facts["planned_on"][rows] == day
        if rule.parameters["reason_allows"]:
            good |= facts["outside_reason"][rows] >= 0
        exempt = np.zeros(len(rows), dtype=np.bool_)
        if rule.parameters["campaign_exempt"]:
            exempt = facts["campaign_document"][rows] >= 0

        def some(chosen: Bools) -> Bools:
            return np.bincount(place[chosen], minlength=len(grid)) > 0

        met, held = some(good), some(np.ones_like(good))
        over = context.closed_periods(grid.period, unit)
        passed = target.last < context.as_of
        attested = context.attested(grid.organization, grid.period, unit)
        verdict = np.select(
            [
                ~grid.judged,
                met,
                some(exempt),
                held & target.doubtful,
                held & passed,
                ~over,
                attested,
            ],
            [
                findings.NOT_APPLICABLE,
                findings.MET,
                findings.NOT_APPLICABLE,
                findings.NEEDS_JUDGEMENT,
                rule.shortfall_code,
                findings.PENDING,
                findings.NOT_APPLICABLE,
            ],
            findings.NO_DATA,
        ).astype(np.int8)
        last = periods.last_days(grid.period, unit)
        by = np.where(passed, last, target.last)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=pack_pair(target.first, target.last),
            observed=_shown_day(day, place, good, len(grid)),
            evidence=Evidence.grouped("occasions", rows, place, len(grid)),
            unit=unit,
            period=grid.period,
            due=np.where(verdict == findings.PENDING, by, periods.NULL_DAY).astype(np.int32),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The day, or first and last day, as ISO dates."""
        first, last = (periods.to_date(day).isoformat() for day in unpack_pair(value))
        return first if first == last else f"{first}/{last}"

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The day on which it was held (the first inside the window, if any); None if never."""
        return None if value == _NO_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        about = f"{finding.period_text}“{finding.rule.title}”"
        first, last = unpack_pair(int(finding.block.required[finding.row]))
        asked = wording.day(first)
        if first != last:
            asked = f"{asked}至{wording.day(last)}"
        value = int(finding.block.observed[finding.row])
        held = "" if value == _NO_DAY else f"于{wording.day(value)}举行"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}{held}，规定时间为{asked}，符合。"
            case Verdict.PENDING:
                return f"{about}规定时间为{asked}，请于 {finding.due} 前举行。"
            case Verdict.NEEDS_JUDGEMENT:
                return (
                    f"{about}{held}；规定的{asked}是法定节假日或当年节假日安排未录入，"
                    "改期是否妥当请由人认定。"
                )
            case Verdict.NOT_APPLICABLE if held:
                return f"{about}{held}，按上级集中性活动安排举行，时间不作判定。"
            case Verdict.NOT_APPLICABLE:
                return f"{about}本期没有举行或不具备适用条件，时间不作判定。"
            case Verdict.NO_DATA:
                return f"{about}没有记录；本期记录尚未确认完整，暂不判定。"
            case _:
                return f"{about}{held}，不在规定的{asked}。"


_EXCUSES = {
    "accept_plan": "planned_on",
    "reason_allows": "outside_reason",
    "campaign_exempt": "campaign_document",
}


def _period(rule: Rule, meetings: Meetings, unit: Unit) -> Codes:
    """The period to which each meeting belongs: by its day, or by the year it is held for."""
    by_day = periods.indices(meetings.day, unit)
    if rule.parameters["year_by"] == "date" or unit is not Unit.YEAR:
        return by_day
    stated = meetings.context.facts["occasions"]["for_year"][meetings.rows]
    return np.where(stated < 0, by_day, stated - 1970).astype(np.int32)


def _shown_day(day: Days, place: Codes, good: Bools, count: int) -> NDArray[np.int64]:
    """The first day inside the window, else the first day; _NO_DAY where nothing was held."""
    inside = np.full(count, _NO_DAY, dtype=np.int64)
    np.minimum.at(inside, place[good], day[good])
    anywhere = np.full(count, _NO_DAY, dtype=np.int64)
    np.minimum.at(anywhere, place, day)
    return np.where(inside == _NO_DAY, anywhere, inside)


def moved_by_holidays(rule: Rule) -> bool:
    """Whether the rule asks for a day that public holidays move."""
    return isinstance(rule.check, Window) and not rule.parameters["months"]


def _target(rule: Rule, context: Context, period: Codes) -> Target:
    months = rule.parameters["months"]
    if months:
        january = period.astype(np.int64) * 12
        return Target(
            periods.first_days((january + months[0] - 1).astype(np.int32), Unit.MONTH),
            periods.last_days((january + months[-1] - 1).astype(np.int32), Unit.MONTH),
            np.zeros(len(period), dtype=np.bool_),
        )
    weekday = WEEKDAYS.index(rule.parameters["weekday"])
    first = periods.first_days(period, Unit.MONTH)
    start = first if rule.parameters["week"] == "days_1_7" else first + _days_to(first, 0)
    day = (start + _days_to(start, weekday)).astype(np.int32)
    return _around_holidays(rule, context, day)


def _days_to(days: Days, weekday: int) -> Days:
    """How many days from each day to the next such weekday, itself included."""
    return (np.int32(weekday) - periods.weekday(days)) % np.int32(7)


def _around_holidays(rule: Rule, context: Context, day: Days) -> Target:
    calendar, policy = context.calendar, rule.parameters["on_holiday"]
    known = calendar.known(day)
    missing = np.unique(periods.indices(day[~known], Unit.YEAR)).tolist()
    if missing:
        years = "、".join(str(year + 1970) for year in missing)
        context.warnings.append(f"没有 {years} 年的节假日安排，“{rule.title}”遇其他日期由人认定。")
    holiday = known & calendar.is_holiday(day)
    if policy == "needs_judgement":
        return Target(day, day, holiday | ~known)
    moved = day
    if policy == "next_working_day":
        moved = np.where(holiday, calendar.next_working(day), day).astype(np.int32)
    else:
        while bool((known & calendar.is_holiday(moved)).any()):
            off = known & calendar.is_holiday(moved)
            moved = np.where(off, moved + 7, moved).astype(np.int32)
    return Target(moved, moved, ~known)
