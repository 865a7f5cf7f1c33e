"""Cases of unqualified members: handling, time limit, rights, order of steps and appeal.

Restricted facts with the fewest fields: which step, when, by whom.  The checks say what is
recorded and what a person must decide next; they never set a handling (D13).
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
from guiju.rules.checks import grades, wording
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    MONTHS_END,
    Check,
    Footprint,
    ParameterSchema,
    code_list,
    reading_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

STEPS = frozenset(
    ("disciplinary_steps", c) for c in ("case", "organization", "person", "step", "taken_on")
)
_MEMBERS = frozenset(
    ("members", c) for c in ("id", "organization", "membership_class", "from_on", "until_on")
)


@dataclass(frozen=True)
class Cases:
    """Cases one by one: the branch and member of each, and the rows of its steps."""

    context: Context
    organization: Codes
    person: Codes
    _rows: Codes
    _place: Codes

    def __len__(self) -> int:
        return len(self.organization)

    def last(self, steps: Sequence[str]) -> Days:
        """The last day on which any of ``steps`` was taken in each case; NULL_DAY if never."""
        table = self.context.facts["disciplinary_steps"]
        wanted = [self.context.facts.position("disciplinary_step", step) for step in steps]
        keep = among(table["step"][self._rows], wanted)
        day = np.full(len(self), NULL_DAY, dtype=np.int32)
        np.maximum.at(day, self._place[keep], table["taken_on"][self._rows[keep]])
        return day

    @property
    def evidence(self) -> Evidence:
        return Evidence.grouped("disciplinary_steps", self._rows, self._place, len(self))

    def take(self, keep: Bools) -> Cases:
        number = np.where(keep, np.cumsum(keep) - 1, -1)
        place = number[self._place]
        inside = place >= 0
        return Cases(
            self.context,
            self.organization[keep],
            self.person[keep],
            self._rows[inside],
            place[inside].astype(np.int32),
        )

    def block(
        self,
        rule: Rule,
        verdict: NDArray[Any],
        observed: NDArray[Any],
        due: Days | None = None,
    ) -> Block:
        """A finding about the member of each case."""
        return Block(
            rule=rule,
            subject_type="member",
            subject=self.person,
            organization=self.organization,
            verdict=np.asarray(verdict).astype(np.int8),
            required=np.zeros(len(self), dtype=np.int64),
            observed=np.asarray(observed).astype(np.int64),
            evidence=self.evidence,
            due=due,
        )


def of(rule: Rule, context: Context) -> Cases:
    """The cases of organizations that ``rule`` binds, with the steps taken while it is in force.

    A case belongs to the branch of its first step.
    """
    table = context.facts["disciplinary_steps"]
    organization = table["organization"]
    keep = (organization >= 0) & (table["person"] >= 0) & (table["case"] >= 0)
    keep &= context.in_validity(rule, table["taken_on"])
    keep &= context.applies(rule)[np.maximum(organization, 0)]
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(table["taken_on"][rows], kind="stable")]
    _, first, place = np.unique(table["case"][rows], return_index=True, return_inverse=True)
    return Cases(
        context,
        organization[rows[first]],
        table["person"][rows[first]],
        rows.astype(np.int32),
        place.ravel().astype(np.int32),
    )


class _CaseCheck(Check):
    """A shape that judges each case by itself; subclasses implement ``each``."""

    footprint = Footprint.OWN

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(STEPS)

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            cases = of(rule, context)
            if len(cases):
                block = self.each(rule, cases, context)
                if len(block):
                    yield block

    def each(self, rule: Rule, cases: Cases, context: Context) -> Block:
        raise NotImplementedError

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The day of the step that the rule is about; None where it was not taken."""
        return None if value == NULL_DAY else periods.to_date(value).isoformat()


class HandlingSchema(ParameterSchema):
    """The handlings that the notice names, and the grade that calls for one of them."""

    steps = code_list(v.DISCIPLINARY_STEPS, required=True)
    grade = fields.String(required=True)


class CaseHandling(Check):
    """Everyone found unqualified is handled in one of the ways named; which, people decide."""

    name = "case_handling"
    schema = HandlingSchema
    footprint = Footprint.OWN
    summary = "对不合格党员作出处置"
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*STEPS, *grades.READS}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            found = grades.records(rule, context, "member")
            labels = context.facts["appraisals"].strings("grade") if len(found) else []
            graded = [labels[row] == rule.parameters["grade"] for row in found.rows.tolist()]
            found = found.take(np.array(graded, dtype=np.bool_))
            if len(found):
                yield self._judge(rule, context, found)

    def _judge(self, rule: Rule, context: Context, found: grades.Graded) -> Block:
        table, facts = context.facts["disciplinary_steps"], context.facts
        wanted = [facts.position("disciplinary_step", step) for step in rule.parameters["steps"]]
        known = [facts.position("disciplinary_step", step) for step in v.DISCIPLINARY_STEPS]
        taken = table["taken_on"] <= context.as_of
        named = among(table["step"], wanted) & taken
        other = ~among(table["step"], known) & taken
        last = _last_day(table["person"][named], table["taken_on"][named], context)
        last_other = _last_day(table["person"][other], table["taken_on"][other], context)
        handled = last[found.person] >= found.day
        otherwise = last_other[found.person] >= found.day
        verdict = np.select(
            [handled, otherwise],
            [findings.MET, findings.NEEDS_JUDGEMENT],
            findings.ACTION_DUE,
        )
        return Block(
            rule=rule,
            subject_type="member",
            subject=found.person,
            organization=context.answerable[found.organization],
            verdict=verdict.astype(np.int8),
            required=np.ones(len(found), dtype=np.int64),
            observed=(handled | otherwise).astype(np.int64),
            evidence=Evidence.single("appraisals", found.rows),
            unit=periods.Unit.YEAR,
            period=found.year,
        )

    def message(self, finding: Finding) -> str:
        about = f"{finding.period_text}“{finding.rule.title}”"
        named = wording.labels(finding.rule, "disciplinary_step", finding.rule.parameters["steps"])
        match finding.verdict:
            case Verdict.MET:
                return f"{about}已按规定的方式处置，符合。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}采用了{named}之外的处置方式，是否适当请由人认定。"
            case _:
                return f"{about}尚未作出处置（{named}），由党组织按程序决定。"


def _last_day(person: Codes, day: Days, context: Context) -> Days:
    last = np.full(context.facts.count("people"), NULL_DAY, dtype=np.int32)
    inside = person >= 0
    np.maximum.at(last, person[inside], day[inside])
    return last


class TermSchema(ParameterSchema):
    """How long correction lasts."""

    months = fields.Integer(required=True, strict=True, validate=validate.Range(1, 60))
    months_end = reading_field(MONTHS_END)


class CaseTerm(_CaseCheck):
    """Correction within a time limit: its length, and what happens when it ends."""

    name = "case_term"
    schema = TermSchema
    summary = "限期改正的期限"
    rests_on = frozenset({MONTHS_END})

    def each(self, rule: Rule, cases: Cases, context: Context) -> Block:
        cases = cases.take(cases.last(["correction_started"]) != NULL_DAY)
        started, ended = cases.last(["correction_started"]), cases.last(["correction_ended"])
        limit = periods.deadline(started, rule.parameters["months"], rule.parameters["months_end"])
        over = ended != NULL_DAY
        verdict = np.select(
            [over & (ended == limit), over, limit < context.as_of],
            [findings.MET, rule.shortfall_code, findings.NEEDS_JUDGEMENT],
            findings.PENDING,
        )
        due = np.where(verdict == findings.PENDING, limit, np.int32(NULL_DAY)).astype(np.int32)
        block = cases.block(rule, verdict, ended, due)
        block.required = limit.astype(np.int64)
        return block

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”：期限至 {finding.required}"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}，如期结束，符合。"
            case Verdict.PENDING:
                return f"{about}，尚未期满。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}，已经期满，有无转变、下一步如何处置由党组织认定。"
            case _:
                return f"{about}，实际于 {finding.observed} 结束，与一般期限不同。"


class NoParameters(ParameterSchema):
    """Nothing to set."""


class CaseRights(_CaseCheck):
    """Rights of a member under correction are those of the day before it began."""

    name = "case_rights"
    schema = NoParameters
    summary = "限期改正期间党员权利不变"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*STEPS, *_MEMBERS, ("members", "voting")}

    def each(self, rule: Rule, cases: Cases, context: Context) -> Block:
        cases = cases.take(cases.last(["correction_started"]) != NULL_DAY)
        started, ended = cases.last(["correction_started"]), cases.last(["correction_ended"])
        end = np.where(ended == NULL_DAY, np.int32(context.as_of), ended).astype(np.int32)
        roster = context.facts.roster
        before = roster.of_person.latest(cases.person, started - np.int32(1))
        during = _withdrawn(cases.person, started, end, context)
        had = (before >= 0) & np.append(roster.voting, np.bool_(0))[before]
        verdict = np.select(
            [before < 0, ~had, during],
            [findings.NO_DATA, findings.NOT_APPLICABLE, rule.shortfall_code],
            findings.MET,
        )
        return cases.block(rule, verdict, during.astype(np.int64))

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """Whether the right to vote was withdrawn."""
        return bool(value)

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}：限期改正期间表决权未受影响，符合。"
            case Verdict.NO_DATA:
                return f"{about}：改正开始前没有在册记录，暂不判定。"
            case _:
                return f"{about}：限期改正期间被登记为没有表决权。"


def _withdrawn(person: Codes, first: Days, last: Days, context: Context) -> Bools:
    """Whether any membership between two days, both included, is without the vote."""
    roster = context.facts.roster
    without = np.flatnonzero(roster.party & ~roster.voting)
    order = without[np.argsort(roster.person[without], kind="stable")]
    known = roster.person[order]
    start = np.searchsorted(known, person, "left")
    length = np.searchsorted(known, person, "right") - start
    place = np.repeat(np.arange(len(person)), length)
    step = np.arange(len(place)) - np.repeat(np.cumsum(length) - length, length)
    row = order[start[place] + step]
    overlaps = (roster.start[row] <= last[place]) & (roster.end[row] >= first[place])
    return np.bincount(place[overlaps], minlength=len(person)) > 0


class LadderSchema(ParameterSchema):
    """The steps that follow one another when nothing changes."""

    first = code_list(v.DISCIPLINARY_STEPS, required=True)
    second = code_list(v.DISCIPLINARY_STEPS, required=True)


class CaseLadder(_CaseCheck):
    """After correction without change persuasion, after refusal removal; people decide."""

    name = "case_ladder"
    schema = LadderSchema
    summary = "改正期满后的处置次序"

    def each(self, rule: Rule, cases: Cases, context: Context) -> Block:
        first, second = (cases.last(rule.parameters[name]) for name in ("first", "second"))
        ended = cases.last(["correction_ended"])
        taken = (first != NULL_DAY) | (second != NULL_DAY) | (ended != NULL_DAY)
        cases = cases.take(taken)
        first, second, ended = first[taken], second[taken], ended[taken]
        persuaded, removed = first != NULL_DAY, second != NULL_DAY
        verdict = np.select(
            [removed & persuaded & (second >= first)], [findings.MET], findings.NEEDS_JUDGEMENT
        )
        latest = np.maximum(np.maximum(first, second), ended)
        return cases.block(rule, verdict, latest)

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        if finding.verdict is Verdict.MET:
            return f"{about}：劝退在先、除名在后，次序符合。"
        return f"{about}：最近一步在 {finding.observed}，有无转变、下一步如何处置由党组织认定。"


class CaseReply(_CaseCheck):
    """An appeal is answered; no time limit is given."""

    name = "case_reply"
    schema = NoParameters
    summary = "申诉得到答复"

    def each(self, rule: Rule, cases: Cases, context: Context) -> Block:
        cases = cases.take(cases.last(["appeal"]) != NULL_DAY)
        appealed, replied = cases.last(["appeal"]), cases.last(["appeal_reply"])
        verdict = np.where(replied >= appealed, findings.MET, findings.PENDING)
        return cases.block(rule, verdict, replied)

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        if finding.verdict is Verdict.MET:
            return f"{about}：申诉已于 {finding.observed} 答复，符合。"
        return f"{about}：申诉尚未答复，文件没有规定时限，请及时复议、复查并答复本人。"
