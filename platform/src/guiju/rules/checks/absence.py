"""Absence: what calls for a reminder, criticism, or a look by the branch.

Everything here says that a threshold is reached and who must act; nothing here sets a
sanction (D13).  Only occasions with a list of those present tell of absence: a meeting
without a list says nothing about anybody.
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
from guiju.rules.arrays import among
from guiju.rules.checks import membership, streams
from guiju.rules.checks.base import Check, Footprint, ParameterSchema, code_list
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import FIRST_DAY, NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_ATTENDANCE = frozenset(("attendance", c) for c in ("occasion", "person", "status"))
_CASES = frozenset(("disciplinary_steps", c) for c in ("person", "step", "taken_on"))


@dataclass(frozen=True)
class _Attended:
    """Attendance rows of known people at occasions of some kinds; all arrays have one length.

    ``status`` is 1 for present (remote included), 0 for excused, -1 for unexcused.
    """

    occasion: Codes
    person: Codes
    day: Days
    branch: Codes
    status: NDArray[np.int8]

    def take(self, keep: NDArray[Any]) -> _Attended:
        return _Attended(
            self.occasion[keep],
            self.person[keep],
            self.day[keep],
            self.branch[keep],
            self.status[keep],
        )


def _rows(rule: Rule, context: Context) -> _Attended:
    """Who came to, or stayed away from, the occasions of the rule's kinds up to the day."""
    kinds = tuple(rule.parameters["kinds"])
    everyone = np.arange(len(context.facts["attendance"]), dtype=np.int32)
    return context.shared(("attended", kinds), lambda: _make_rows(kinds, context, everyone))


def _unexcused(rule: Rule, context: Context) -> _Attended:
    """The absences without leave among them: few, where attendance is long."""
    status = context.facts["attendance"]["status"]
    away = np.flatnonzero(status == context.facts.position("attendance", "unexcused"))
    return _make_rows(tuple(rule.parameters["kinds"]), context, away)


def _make_rows(kinds: tuple[str, ...], context: Context, rows: NDArray[Any]) -> _Attended:
    facts, attendance = context.facts, context.facts["attendance"]
    stream = streams.of({"source": "occasions", "kinds": list(kinds)}, context)
    position = np.full(len(facts["occasions"]) + 1, -1, dtype=np.int32)
    position[stream.rows] = np.arange(len(stream), dtype=np.int32)
    place = position[attendance["occasion"][rows]]
    keep = (place >= 0) & (attendance["person"][rows] >= 0)
    place, rows = place[keep], rows[keep]
    meaning = np.zeros(len(facts.codes("attendance")) + 1, dtype=np.int8)
    for code, value in (("present", 1), ("remote", 1), ("unexcused", -1)):
        meaning[facts.position("attendance", code)] = value
    branch = context.answerable[stream.organization]
    return _Attended(
        stream.rows[place],
        attendance["person"][rows],
        stream.day[place],
        branch[place],
        meaning[attendance["status"][rows]],
    )


class _AbsenceSchema(ParameterSchema):
    """The occasions that are Party life, and the steps that answer an absence."""

    kinds = code_list(v.OCCASION_KINDS, required=True)
    steps = code_list(v.DISCIPLINARY_STEPS, required=True)


class Unexcused(Check):
    """Each member's unexcused absences of a month, and whether somebody acted on them."""

    name = "unexcused"
    schema = _AbsenceSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "无故缺席后的批评教育"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        occasions = streams.reads({"source": "occasions", "kinds": parameters["kinds"]})
        return occasions | _ATTENDANCE | _CASES

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            away = _unexcused(rule, context)
            bound = np.append(context.applies(rule), np.bool_(0))[away.branch]
            away = away.take(np.flatnonzero(bound & context.in_validity(rule, away.day)))
            if len(away.person):
                yield self._judge(rule, context, away)

    def _judge(self, rule: Rule, context: Context, away: _Attended) -> Block:
        month = periods.indices(away.day, Unit.MONTH)
        # Of a month in which a member moved, each branch answers for its own occasions.
        pair = np.unique((away.branch.astype(np.int64) << 32) | away.person, return_inverse=True)[1]
        key, first, place = np.unique(
            (pair.astype(np.int64) << 16) | month, return_index=True, return_inverse=True
        )
        size = len(key)
        last = np.full(size, FIRST_DAY, dtype=np.int32)
        np.maximum.at(last, place, away.day)
        person = away.person[first]
        done = acted(rule, context, person, last)
        return Block(
            rule=rule,
            subject_type="member",
            subject=person,
            organization=away.branch[first],
            verdict=np.where(done, findings.MET, findings.ACTION_DUE).astype(np.int8),
            required=np.zeros(size, dtype=np.int64),
            observed=np.bincount(place, minlength=size).astype(np.int64),
            evidence=Evidence.grouped("occasions", away.occasion, place, size),
            unit=Unit.MONTH,
            period=(key & 0xFFFF).astype(np.int32),
        )

    def message(self, finding: Finding) -> str:
        said = f"{finding.period_text}“{finding.rule.title}”：无故缺席 {finding.observed} 次"
        if finding.verdict is Verdict.MET:
            return f"{said}，已有处理记录。"
        return f"{said}，请党支部及时批评教育、督促整改并记录；如何处理由党支部决定。"


class AbsenceLadderSchema(_AbsenceSchema):
    """How many unexcused absences in a row call for which step."""

    row = fields.Integer(strict=True, required=True, validate=validate.Range(1, 12))
    #: Whether an excused absence ends the row, or is passed over.
    excused = fields.String(load_default="ends", validate=validate.OneOf(("ends", "passed_over")))
    #: Several items of one day: ``one`` occasion, or ``each`` one of its own.
    same_day = fields.String(load_default="one", validate=validate.OneOf(("one", "each")))


class AbsenceLadder(Check):
    """Unexcused absences one after another, in order of the member's own occasions (D11)."""

    name = "absence_ladder"
    schema = AbsenceLadderSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "连续无故缺席"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        occasions = streams.reads({"source": "occasions", "kinds": parameters["kinds"]})
        return occasions | _ATTENDANCE | _CASES

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            rows = _rows(rule, context)
            bound = np.append(context.applies(rule), np.bool_(0))[rows.branch]
            keep = bound & context.in_validity(rule, rows.day)
            # Only those who ever stayed away are looked at: few, where attendance is long.
            ever = np.zeros(context.facts.count("people"), dtype=np.bool_)
            ever[rows.person[keep & (rows.status < 0)]] = True
            rows = rows.take(np.flatnonzero(keep & ever[rows.person]))
            found = _reached(rule, context, rows)
            if len(found.person):
                yield self._judge(rule, context, found)

    def _judge(self, rule: Rule, context: Context, found: _Reached) -> Block:
        row, size = rule.parameters["row"], len(found.person)
        done = acted(rule, context, found.person, found.day)
        verdict = np.where(done, findings.MET, findings.ACTION_DUE)
        # Who reaches the row only by another reading is shown, so that both can be seen.
        verdict = np.where(found.length < row, findings.NOT_APPLICABLE, verdict)
        return Block(
            rule=rule,
            subject_type="member",
            subject=found.person,
            organization=found.branch,
            verdict=verdict.astype(np.int8),
            required=np.full(size, row, dtype=np.int64),
            observed=np.minimum(found.length, row),
            evidence=Evidence.grouped("occasions", found.occasion, found.place, size),
        )

    def not_reached(self, finding: Finding) -> str:
        said = f"“{finding.rule.title}”：按所选的解读，最多连续 {finding.observed} 次无故缺席"
        return f"{said}，不到 {finding.required} 次。"

    def message(self, finding: Finding) -> str:
        said = f"“{finding.rule.title}”：已连续 {finding.required} 次无故缺席"
        if finding.verdict is Verdict.MET:
            return f"{said}，已按规定处理。"
        return f"{said}，请党组织按规定处理并记录；如何处理由党组织决定。"


@dataclass(frozen=True)
class _Reached:
    """Members who reached a row of absences by one reading or another.

    ``day`` is when they last did, ``length`` their longest row by the reading chosen, and
    ``occasion`` the absences of that row, each at the ``place`` of its member.
    """

    person: Codes
    branch: Codes
    day: Days
    length: NDArray[np.int64]
    occasion: Codes
    place: NDArray[np.int64]


def _reached(rule: Rule, context: Context, rows: _Attended) -> _Reached:
    row = rule.parameters["row"]
    pass_over = rule.parameters["excused"] == "passed_over"
    each = rule.parameters["same_day"] == "each"
    chosen = _in_order(rows, pass_over=pass_over, each=each)
    length, start = _runs(chosen)
    longest = np.zeros(context.facts.count("people"), dtype=np.int64)
    np.maximum.at(longest, chosen.person, np.where(chosen.status < 0, length, 0))
    mine = _last(chosen, row)
    found = [chosen.take(mine)]
    known = longest >= row
    # One reading changed at a time.
    for excused, same_day in ((not pass_over, each), (pass_over, not each)):
        other = _in_order(rows, pass_over=excused, each=same_day)
        theirs = _last(other, row)
        theirs = theirs[~known[other.person[theirs]]]
        known[other.person[theirs]] = True
        found.append(other.take(theirs))
    place = np.repeat(np.arange(len(mine)), row)
    run = start[mine][place] + np.tile(np.arange(row), len(mine))
    person = np.concatenate([one.person for one in found]).astype(np.int32)
    return _Reached(
        person,
        np.concatenate([one.branch for one in found]),
        np.concatenate([one.day for one in found]),
        longest[person],
        chosen.occasion[run],
        place,
    )


def _last(rows: _Attended, row: int) -> NDArray[np.int64]:
    """The entry at which each member who ever did was last away for exactly the row's length."""
    length, _ = _runs(rows)
    at = np.flatnonzero((length == row) & (rows.status < 0))[::-1]
    return at[np.unique(rows.person[at], return_index=True)[1]]


def _in_order(rows: _Attended, *, pass_over: bool, each: bool) -> _Attended:
    """In order of person and day.

    Several items of a day are one, and whoever came to one came, unless ``each`` counts;
    ``pass_over`` leaves out what a member was excused from.
    """
    order = np.lexsort((-rows.status, rows.day, rows.person))
    rows = rows.take(order)
    if not each:
        same = np.zeros(len(order), dtype=np.bool_)
        same[1:] = (rows.person[1:] == rows.person[:-1]) & (rows.day[1:] == rows.day[:-1])
        rows = rows.take(np.flatnonzero(~same))
    return rows.take(np.flatnonzero(rows.status != 0)) if pass_over else rows


def _runs(rows: _Attended) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Length of the row of absences that ends at each entry, and the entry it began at."""
    index = np.arange(len(rows.person))
    new = np.ones(len(index), dtype=np.bool_)
    new[1:] = rows.person[1:] != rows.person[:-1]
    # An absence continues a row unless it is the member's first entry or follows another kind.
    begins = rows.status >= 0
    begins |= new
    begins[1:] |= rows.status[:-1] >= 0
    start = np.maximum.accumulate(np.where(begins, index, 0))
    return index - start + 1, start


class AbsenceMonthsSchema(_AbsenceSchema):
    """How many closed months without taking part call for a look at the case."""

    months = fields.Integer(strict=True, load_default=6, validate=validate.Range(2, 24))
    #: Whether a month with an excused absence ends the row, or is passed over.
    excused = fields.String(load_default="ends", validate=validate.OneOf(("ends", "passed_over")))
    #: Months are those of the ``calendar``, or run from the day last attended (``rolling``).
    counted = fields.String(
        load_default="calendar", validate=validate.OneOf(("calendar", "rolling"))
    )


class AbsenceMonths(Check):
    """Closed calendar months in a row, each with something to take part in and no one there (D12).

    Where the months so far are fewer but the last time is as long ago, a person is asked.
    """

    name = "absence_months"
    schema = AbsenceMonthsSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "连续数月不参加组织生活"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        occasions = streams.reads({"source": "occasions", "kinds": parameters["kinds"]})
        return occasions | _ATTENDANCE | _CASES | membership.ROSTER

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            low, high = context.span(rule, Unit.MONTH)
            if high - low + 1 >= rule.parameters["months"]:
                yield from self._judge(rule, context, low, high)

    def _judge(self, rule: Rule, context: Context, low: int, high: int) -> Iterator[Block]:
        over = periods.last_day(high, Unit.MONTH) < context.as_of
        months = _months(rule, context, low, high if over else high - 1)
        row = rule.parameters["months"]
        longest, last = months.longest(pass_over=rule.parameters["excused"] == "passed_over")
        found = longest >= row
        person = np.flatnonzero(found | months.quiet(row)).astype(np.int32)
        person = person[months.branch_of(person) >= 0]
        attended = months.last_attended(person)
        warned = months.warned(person, attended, row)
        keep = found[person] | warned
        person, attended, warned = person[keep], attended[keep], warned[keep]
        if not len(person):
            return
        rolling = warned & (rule.parameters["counted"] == "rolling")
        reached = found[person] | rolling
        # From the end of the month that made it so many, whatever followed.
        full = last[person] - longest[person] + row
        threshold = periods.last_days(np.maximum(full, 0) + low, Unit.MONTH)
        since = periods.add_months(attended, row)
        threshold = np.where(found[person], threshold, since).astype(np.int32)
        done = reached & acted(rule, context, person, threshold)
        end = periods.last_days(np.maximum(last[person], 0) + low, Unit.MONTH)
        verdict = np.where(
            reached & ((attended <= end) | rolling), findings.ACTION_DUE, findings.NEEDS_JUDGEMENT
        )
        yield Block(
            rule=rule,
            subject_type="member",
            subject=person,
            organization=months.branch_of(person),
            verdict=np.where(done, findings.MET, verdict).astype(np.int8),
            required=np.full(len(person), row, dtype=np.int64),
            observed=longest[person].astype(np.int64),
            evidence=Evidence.none(len(person)),
        )

    def message(self, finding: Finding) -> str:
        said = f"“{finding.rule.title}”：连续 {finding.observed} 个月没有参加组织生活的记录"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，已有处理记录。"
            case Verdict.ACTION_DUE:
                reached = "达到" if finding.observed >= finding.required else "距上次参加已满"
                return (
                    f"{said}，{reached} {finding.required} 个月，"
                    "请查明有无正当理由；处置由党组织决定。"
                )
            case _ if finding.observed >= finding.required:
                return f"{said}，此后又参加了；请查明当时有无正当理由，由人认定。"
            case _:
                return f"{said}，距上次参加已满 {finding.required} 个月，请及早了解情况。"


def _months(rule: Rule, context: Context, low: int, high: int) -> _Months:
    """The closed months that a rule looks at, counted once whatever the reading."""
    kinds = tuple(rule.parameters["kinds"])
    key = ("absence months", rule.requirement.applies_to, kinds, low, high)
    return context.shared(key, lambda: _Months(rule, context, low, high))


class _Months:
    """By person and closed month: something offered, taken part in, excused.

    Only the life of the branch to which a person belongs today counts: what another did
    before a move is on that one's record.  Attendance is by far the longest table, so it is
    gone through a few times in whole columns and never sorted.
    """

    def __init__(self, rule: Rule, context: Context, low: int, high: int) -> None:
        self._context, self._low, self._width = context, low, high - low + 1
        facts, attendance = context.facts, context.facts["attendance"]
        self._people = facts.count("people")
        self._branch = _branch_today(rule, context)
        stream = streams.of(
            {"source": "occasions", "kinds": list(rule.parameters["kinds"])}, context
        )
        month = periods.indices(stream.day, Unit.MONTH) - np.int32(low)
        inside = (month >= 0) & (month < self._width)
        # One more slot than months, for occasions outside them.  Branch and slot make one
        # number, so that two look-ups and a subtraction tell both whether an occasion is of
        # the person's own branch and when it was.  All of it fits in 32 bits.
        slots = self._width + 1
        code = np.full(len(facts["occasions"]) + 1, -1, dtype=np.int32)
        slot = np.where(inside, month, self._width).astype(np.int32)
        code[stream.rows] = context.answerable[stream.organization] * slots + slot
        base = np.where(self._branch < 0, context.size, self._branch) * slots
        cell = code[attendance["occasion"]] - base.astype(np.int32)[attendance["person"]]
        self._own = cell.view(np.uint32) < slots
        cell += attendance["person"] * np.int32(slots)
        status = attendance["status"]
        present, remote, excused = (
            facts.position("attendance", code) for code in ("present", "remote", "excused")
        )
        self._present = (status == present) | (status == remote)
        self.came = self._table(cell[self._own & self._present])
        self.excused = self._table(cell[self._own & (status == excused)])
        self._offer(stream.rows[inside], month[inside])

    def _table(self, cells: Codes) -> Bools:
        """By person and month, whether one of the cells is theirs."""
        found = np.zeros((self._people, self._width + 1), dtype=np.bool_)
        found.ravel()[cells] = True
        return found[:, :-1]

    def _offer(self, rows: Codes, month: Codes) -> None:
        """Months with a listed occasion of the branch a person belonged to all month."""
        context = self._context
        has_list = np.zeros(len(context.facts["occasions"]) + 1, dtype=np.bool_)
        has_list[context.facts["attendance"]["occasion"]] = True
        owner = context.facts["occasions"]["organization"][rows]
        # What one group does is not offered to the members of another.
        own = has_list[rows] & context.is_branch[owner]
        listed = np.zeros((context.size, self._width), dtype=np.bool_)
        listed[owner[own], month[own]] = True
        since = _since(context, self._branch)
        full = periods.indices(since - 1, Unit.MONTH) + 1 - self._low
        after = np.arange(self._width, dtype=np.int32)[None, :] >= full[:, None]
        self.offered = listed[self._branch[:-1]] & after & (self._branch[:-1] >= 0)[:, None]

    def branch_of(self, person: Codes) -> Codes:
        """The branch of each person today; -1 where there is none any more."""
        found: Codes = self._branch[person]
        return found

    def longest(self, *, pass_over: bool) -> tuple[Codes, Codes]:
        """The longest row of months without taking part, and the month in which it ended."""
        away = self.offered & ~self.came & ~self.excused
        length, best = (np.zeros(len(away), dtype=np.int16) for _ in range(2))
        at = np.full(len(away), -1, dtype=np.int16)
        for month in range(self._width):
            ended = ~away[:, month]
            if pass_over:
                ended &= ~self.excused[:, month] | self.came[:, month]
            length += away[:, month]
            length[ended] = 0
            longer = away[:, month] & (length >= best)
            best[longer] = length[longer]
            at[longer] = month
        return best.astype(np.int32), at.astype(np.int32)

    def quiet(self, months: int) -> Bools:
        """Who took part in none of the last closed months, one fewer than ``months``."""
        recent = slice(max(self._width - months + 1, 0), None)
        quiet = ~self.came[:, recent].any(axis=1)
        return np.asarray(quiet & self.offered[:, recent].any(axis=1))

    def last_attended(self, person: Codes) -> Days:
        """When each of a few people last took part; long ago where never."""
        attendance = self._context.facts["attendance"]
        wanted = np.zeros(self._people + 1, dtype=np.bool_)
        wanted[person] = True
        rows = np.flatnonzero(wanted[attendance["person"]] & self._own & self._present)
        occasion = attendance["occasion"][rows]
        last = np.full(self._people, FIRST_DAY, dtype=np.int32)
        day = self._context.facts["occasions"]["held_on"][occasion]
        np.maximum.at(last, attendance["person"][rows], day)
        found: Days = last[person]
        return found

    def warned(self, person: Codes, attended: Days, months: int) -> Bools:
        """Whose last time is so many months ago, with something offered since."""
        known = attended > FIRST_DAY
        last = np.where(known, attended, np.int32(0)).astype(np.int32)
        long_ago = periods.add_months(last, months) < self._context.as_of
        since = periods.indices(last, Unit.MONTH) - self._low + 1
        after = np.arange(self._width)[None, :] >= since[:, None]
        missed = (self.offered[person] & ~self.excused[person] & after).sum(axis=1)
        return np.asarray(known & long_ago & (missed >= months - 1))


def _branch_today(rule: Rule, context: Context) -> Codes:
    """The branch of each person today, and -1 at the end; -1 where the rule binds none."""
    roster = context.facts.roster
    applies = np.append(context.applies(rule), np.bool_(0))
    now = roster.party & applies[roster.organization] & (roster.person >= 0)
    now &= (roster.start <= context.as_of) & (roster.end >= context.as_of)
    found = np.full(context.facts.count("people") + 1, -1, dtype=np.int32)
    found[roster.person[now]] = roster.organization[now]
    return found


def _since(context: Context, branch: Codes) -> Days:
    """Since when each person has belonged to today's branch without a gap."""
    roster = context.facts.roster
    there = roster.party & (roster.person >= 0) & (roster.organization >= 0)
    rows = np.flatnonzero(there & (branch[roster.person] == roster.organization))
    person, start, end = roster.person[rows], roster.start[rows], roster.end[rows]
    since = np.full(len(branch) - 1, context.as_of + 1, dtype=np.int32)
    # Spells touch where class or rights changed: each round goes one spell back.
    while True:
        earlier = (start < since[person]) & (end >= since[person] - 1)
        if not bool(earlier.any()):
            return since
        since[person[earlier]] = start[earlier]


def acted(rule: Rule, context: Context, person: Codes, day: Days) -> Bools:
    """Whether one of the rule's steps was taken with each person on or after each day."""
    facts, table = context.facts, context.facts["disciplinary_steps"]
    steps = [facts.position("disciplinary_step", step) for step in rule.parameters["steps"]]
    keep = among(table["step"], steps) & (table["person"] >= 0)
    keep &= (table["taken_on"] <= context.as_of) & (table["taken_on"] != NULL_DAY)
    last = np.full(facts.count("people"), FIRST_DAY, dtype=np.int32)
    np.maximum.at(last, table["person"][keep], table["taken_on"][keep])
    return np.asarray(last[person] >= day)
