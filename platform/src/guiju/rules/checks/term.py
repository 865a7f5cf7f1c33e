"""Terms of office: their length, the election when they end, reminders, requests, shifts.

One finding for each term, in the year in which it ends.  Time limits count backwards from
the end of the term (D8: the same day so many months earlier, that day included).  A step
that was not taken in time is known only if it was recorded late, or if the month of
its time limit is attested complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import states, wording
from guiju.rules.checks.base import (
    INCOMPLETE,
    MONTHS_END,
    Check,
    Footprint,
    ParameterSchema,
    reading_field,
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
Verdicts = NDArray[np.int8]

ASPECTS = ("length", "reminder", "request", "approval", "shift")
_COLUMNS = {
    "length": ("next_elected_on", "shift_approved_on"),
    "reminder": ("reminded_on",),
    "request": ("requested_on",),
    "approval": ("next_elected_on", "shift_approved_on"),
    "shift": ("next_elected_on", "shift_approved_on"),
}


class TermSchema(ParameterSchema):
    """Which side of a term is judged, and by how many months."""

    aspect = fields.String(required=True, validate=validate.OneOf(ASPECTS))
    #: Length of the term, months ahead of its end, or greatest shift, as the aspect needs.
    months = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 120))
    #: An election before the end of the term: ``early`` needs approval, ``ask`` leaves
    #: those of the last three months to a person, ``fine`` counts them as on time.
    early = fields.String(load_default="ask", validate=validate.OneOf(("early", "ask", "fine")))
    months_end = reading_field(MONTHS_END)


@dataclass(frozen=True)
class Terms:
    """Terms that a rule judges; all arrays have one length, days after the day judged unknown."""

    rows: Codes
    organization: Codes
    elected: Days
    ends: Days
    column: Mapping[str, Days]

    def __len__(self) -> int:
        return len(self.rows)


class Term(Check):
    """What was done about a term of office, and when."""

    name = "term"
    schema = TermSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "任期与换届"

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        # A term of so many years may end on either day, whichever way months are counted.
        counts = parameters["aspect"] in {"reminder", "request", "shift"}
        return frozenset({INCOMPLETE, *([MONTHS_END] if counts else [])})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = {"organization", "elected_on", "ends_on", *_COLUMNS[parameters["aspect"]]}
        found = {("terms", name) for name in names}
        if parameters["aspect"] == "request":
            found |= {("reports", c) for c in ("organization", "kind", "filed_on")}
        if parameters["aspect"] == "reminder":
            found |= {("inspections", c) for c in ("target", "kind", "done_on")}
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            aspect = rule.parameters["aspect"]
            terms = _terms(rule, context)
            if aspect == "length":
                yield from self._unrecorded(rule, context, terms)
            if not len(terms):
                continue
            if aspect == "reminder":
                yield from self._reminders(rule, context, terms)
            elif aspect == "request":
                yield self._step(rule, context, terms, _requested(context, terms))
            elif aspect == "length":
                yield self._length(rule, context, terms)
            else:
                yield self._shifts(rule, context, terms)

    # -- one finding for each term -------------------------------------------------

    def _block(
        self, rule: Rule, context: Context, terms: Terms, verdict: NDArray[Any], *, due: Days
    ) -> Block:
        judged = context.holds(
            rule.requirement.applies_to.conditions,
            terms.organization,
            np.minimum(terms.ends, np.int32(context.as_of)),
        )
        verdict = np.where(judged, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        open_ = verdict == findings.PENDING
        return Block(
            rule=rule,
            subject_type="organization",
            subject=terms.organization,
            organization=terms.organization,
            verdict=verdict,
            required=np.full(len(terms), rule.parameters["months"], dtype=np.int64),
            observed=self._observed(rule, terms).astype(np.int64),
            evidence=Evidence.single("terms", terms.rows),
            unit=Unit.YEAR,
            period=periods.indices(terms.ends, Unit.YEAR),
            due=np.where(open_, due, np.int32(NULL_DAY)).astype(np.int32),
        )

    def _observed(self, rule: Rule, terms: Terms) -> Days:
        column = _COLUMNS[rule.parameters["aspect"]][0]
        return terms.column[column]

    def _step(self, rule: Rule, context: Context, terms: Terms, done: Days) -> Block:
        """A step to be taken so many months before the end of the term."""
        limit = _limit(rule, terms.ends, -rule.parameters["months"])
        verdict = _by(rule, context, terms.organization, limit, done)
        verdict = np.where(
            context.in_validity(rule, limit) | (limit > context.as_of),
            verdict,
            findings.NOT_APPLICABLE,
        )
        shown = Terms(
            terms.rows,
            terms.organization,
            terms.elected,
            terms.ends,
            {**terms.column, _COLUMNS[rule.parameters["aspect"]][0]: done},
        )
        return self._block(rule, context, shown, verdict, due=limit)

    def _length(self, rule: Rule, context: Context, terms: Terms) -> Block:
        """The term has its length, and the next election is held when it ends."""
        full = periods.add_months(terms.elected, rule.parameters["months"])
        # Three years from 1 July end on 30 June or, as people also write, on 1 July.
        proper = (terms.ends == full) | (terms.ends == full - 1)
        held = terms.column["next_elected_on"]
        over = terms.ends < context.as_of
        moved = terms.column["shift_approved_on"] != NULL_DAY
        known = states.attested_on(context, terms.organization, terms.ends)
        late = np.where(known, rule.shortfall_code, findings.NO_DATA)
        unheld = np.where(over & ~moved, late, findings.PENDING)
        on_time = (held <= terms.ends) | moved
        verdict = np.where(
            held == NULL_DAY, unheld, np.where(on_time, findings.MET, rule.shortfall_code)
        )
        verdict = np.where(proper, verdict, rule.shortfall_code)
        limit = np.where(moved, periods.add_months(terms.ends, 12), terms.ends)
        return self._block(rule, context, terms, verdict, due=limit.astype(np.int32))

    def _shifts(self, rule: Rule, context: Context, terms: Terms) -> Block:
        """An election on another day than the term's last: approved, and by how much."""
        held, approved = terms.column["next_elected_on"], terms.column["shift_approved_on"]
        running = (held == NULL_DAY) & (terms.ends >= context.as_of)
        unheld = (held == NULL_DAY) & ~running
        day = np.where(held == NULL_DAY, np.int32(context.as_of), held)
        window = day >= periods.add_months(terms.ends, -3)
        early, late = (day < terms.ends) & ~running, day > terms.ends
        if rule.parameters["early"] == "fine":
            early &= ~window
        shifted = early | late
        known = states.attested_on(context, terms.organization, terms.ends)
        if rule.parameters["aspect"] == "approval":
            has = (approved != NULL_DAY) & (approved <= day)
            lacking = np.where(unheld & ~known, findings.NO_DATA, rule.shortfall_code)
            ask = early & window & (rule.parameters["early"] == "ask")
            lacking = np.where(ask, findings.NEEDS_JUDGEMENT, lacking)
            verdict = np.where(has, findings.MET, lacking)
        else:
            months = rule.parameters["months"]
            within = day <= _limit(rule, terms.ends, months)
            within &= day >= periods.add_months(terms.ends, -months)
            reached = np.where(unheld, findings.PENDING, findings.MET)
            beyond = np.where(unheld & ~known, findings.NO_DATA, rule.shortfall_code)
            verdict = np.where(within, reached, beyond)
        verdict = np.where(shifted, verdict, findings.NOT_APPLICABLE)
        limit = _limit(rule, terms.ends, rule.parameters["months"])
        return self._block(rule, context, terms, verdict, due=limit)

    def _unrecorded(self, rule: Rule, context: Context, terms: Terms) -> Iterator[Block]:
        """Committees of which no term is recorded at all."""
        subjects = states.subjects(rule, context)
        rows = context.facts["terms"]["organization"]
        known = np.zeros(context.size, dtype=np.bool_)
        known[rows[rows >= 0]] = True
        missing = np.flatnonzero(subjects.judged & ~known[subjects.organization])
        if not len(missing):
            return
        zero = np.full(len(missing), NULL_DAY, dtype=np.int64)
        alone = states.Subjects(context, subjects.organization[missing], subjects.judged[missing])
        verdict = np.full(len(missing), findings.NO_DATA, dtype=np.int8)
        yield alone.block(rule, verdict, np.full(len(missing), rule.parameters["months"]), zero)

    # -- the superior's reminders -----------------------------------------------------

    def _reminders(self, rule: Rule, context: Context, terms: Terms) -> Iterator[Block]:
        """Of each superior and year: the terms whose branch was to be reminded in it."""
        limit = _limit(rule, terms.ends, -rule.parameters["months"])
        done = _reminded(context, terms)
        superior = context.nearest(context.binds(rule), strict=True)[terms.organization]
        in_force = context.in_validity(rule, limit) | (limit > context.as_of)
        keep = np.flatnonzero((superior >= 0) & in_force & context.scope[superior])
        if not len(keep):
            return
        each = _by(rule, context, terms.organization[keep], limit[keep], done[keep])
        year = periods.indices(limit[keep], Unit.YEAR)
        pair, place = np.unique((superior[keep].astype(np.int64) << 16) + year, return_inverse=True)
        size = len(pair)
        number = np.bincount(place, minlength=size)
        reminded = np.bincount(place[each == findings.MET], minlength=size)
        verdict = np.full(size, findings.MET, dtype=np.int8)
        for worse in (findings.PENDING, findings.NO_DATA, int(rule.shortfall_code)):
            verdict[np.bincount(place[each == worse], minlength=size) > 0] = worse
        due = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
        waiting = each == findings.PENDING
        np.minimum.at(due, place[waiting], limit[keep][waiting])
        organization = (pair >> 16).astype(np.int32)
        yield Block(
            rule=rule,
            subject_type="organization",
            subject=organization,
            organization=organization,
            verdict=verdict,
            required=number.astype(np.int64),
            observed=reminded.astype(np.int64),
            evidence=Evidence.grouped("terms", terms.rows[keep], place, size),
            unit=Unit.YEAR,
            period=(pair & 0xFFFF).astype(np.int32),
            due=np.where(verdict == findings.PENDING, due, np.int32(NULL_DAY)).astype(np.int32),
        )

    # -- words ------------------------------------------------------------------------

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        if rule.parameters["aspect"] == "reminder":
            return value
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        rule, verdict = finding.rule, finding.verdict
        if finding.block.period is None:
            return f"“{rule.title}”：没有任期记录，暂不判定。"
        if rule.parameters["aspect"] == "reminder":
            return _about_reminders(finding)
        row = int(finding.block.evidence.rows[finding.row])
        ends = wording.day(int(finding.facts["terms"]["ends_on"][row]))
        said = f"{ends}届满的任期，“{rule.title}”"
        asked = _ASKED[rule.parameters["aspect"]].format(months=rule.parameters["months"])
        value = int(finding.block.observed[finding.row])
        seen = _SEEN[rule.parameters["aspect"]]
        found = f"未见{seen}记录" if value == NULL_DAY else f"{wording.day(value)}{seen}"
        match verdict:
            case Verdict.MET:
                return f"{said}：{found}，符合要求（{asked}）。"
            case Verdict.PENDING:
                return f"{said}：{found}，要求{asked}，请于 {finding.due} 前办理。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}不适用：没有延期或者提前，或时限早于文件施行。"
            case Verdict.NO_DATA:
                return f"{said}：{found}，当时的记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}：{found}，在届满前三个月内，是否属于提前换届请由人认定。"
            case _:
                return f"{said}：{found}，要求{asked}，没有做到。"


_ASKED = {
    "length": "每届 {months} 个月并按期换届",
    "request": "提前 {months} 个月报送书面请示",
    "approval": "延期或者提前须经上级批准",
    "shift": "延长或者提前不超过 {months} 个月",
}
_SEEN = {"length": "换届选举", "request": "报送请示", "approval": "换届选举", "shift": "换届选举"}


def _about_reminders(finding: Finding) -> str:
    rule = finding.rule
    said = (
        f"{finding.period_text}“{rule.title}”应提前 {rule.parameters['months']} 个月提醒"
        f" {finding.required} 个党支部，按时提醒 {finding.observed} 个"
    )
    match finding.verdict:
        case Verdict.MET:
            return f"{said}，符合。"
        case Verdict.PENDING:
            return f"{said}，最近一个时限为 {finding.due}。"
        case Verdict.NO_DATA:
            return f"{said}；当时的记录尚未确认完整，暂不判定。"
        case _:
            return f"{said}，有党支部没有按时提醒。"


def _terms(rule: Rule, context: Context) -> Terms:
    """Terms that end on or after the day the rule took effect, begun by the day judged."""
    rows = context.facts["terms"]
    organization, elected, ends = rows["organization"], rows["elected_on"], rows["ends_on"]
    first = max(rule.valid_from, context.judge_from)
    keep = (organization >= 0) & (elected <= context.as_of) & (ends >= first)
    keep &= (ends <= rule.valid_until) & (organization >= 0)
    if rule.parameters["aspect"] != "reminder":
        keep &= context.applies(rule)[organization]
    found = np.flatnonzero(keep).astype(np.int32)
    column = {}
    for name in _COLUMNS[rule.parameters["aspect"]]:
        day = rows[name][found]
        column[name] = np.where(day > context.as_of, np.int32(NULL_DAY), day).astype(np.int32)
    return Terms(found, organization[found], elected[found], ends[found], column)


def _limit(rule: Rule, days: Days, months: int) -> Days:
    """The last day in time so many months after (or before) each day."""
    return periods.deadline(days, months, rule.parameters["months_end"])


def _by(rule: Rule, context: Context, organization: Codes, limit: Days, done: Days) -> Verdicts:
    """Done by the limit; recorded late; or not recorded, which only an attestation makes short."""
    known = states.attested_on(context, organization, limit)
    silent = np.where(known, rule.shortfall_code, findings.NO_DATA)
    silent = np.where(limit >= context.as_of, findings.PENDING, silent)
    dated = np.where(done <= limit, findings.MET, rule.shortfall_code)
    return np.where(done == NULL_DAY, silent, dated).astype(np.int8)


def _requested(context: Context, terms: Terms) -> Days:
    """The day of the written request: on the term, or the first report of it in the term."""
    rows = context.facts["reports"]
    kind = context.facts.position("report_kind", "renewal_request")
    keep = (rows["kind"] == kind) & (rows["filed_on"] <= context.as_of)
    return _first(terms, rows["organization"][keep], rows["filed_on"][keep], "requested_on")


def _reminded(context: Context, terms: Terms) -> Days:
    rows = context.facts["inspections"]
    kind = context.facts.position("inspection_kind", "term_reminder")
    keep = (rows["kind"] == kind) & (rows["done_on"] <= context.as_of)
    return _first(terms, rows["target"][keep], rows["done_on"][keep], "reminded_on")


def _first(terms: Terms, organization: Codes, day: Days, column: str) -> Days:
    """The day on the term itself; else the first event of its organization within the term."""
    stated = terms.column[column]
    if not len(day):
        return stated
    order = np.lexsort((day, organization))
    keys = (organization[order].astype(np.int64) << 32) + day[order]
    wanted = (terms.organization.astype(np.int64) << 32) + terms.elected
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    same = (organization[order][place] == terms.organization) & (keys[place] >= wanted)
    same &= day[order][place] <= terms.ends
    found = np.where(same, day[order][place], np.int32(NULL_DAY))
    return np.where(stated != NULL_DAY, stated, found).astype(np.int32)
