"""Grades on record: within the notice's own scale, and only for those who receive one.

One finding is about one subject in one year; of several records the worst decides.
What a proposal may not hold (:attr:`OfGrades.of_proposals`) is said before anybody decides;
it is looked at until there is a decision about its subject and year.
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
from guiju.rules.checks import occasions, turnout, wording
from guiju.rules.checks.base import FIRST_PERIOD, Check, Footprint, ParameterSchema, code_list
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

SUBJECT_TYPES = {"organization": "organization", "secretary": "person", "member": "member"}
READS = frozenset(
    ("appraisals", column)
    for column in (
        *("subject_type", "organization", "person", "year", "cycle", "grade", "proposed"),
        *("decided_on", "ended_on", "decided_by"),
    )
)


@dataclass(frozen=True)
class Graded:
    """Rows of ``appraisals`` about one kind of subject, each with its year and its day."""

    rows: Codes
    organization: Codes
    person: Codes
    year: Codes
    day: Days

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, keep: NDArray[Any]) -> Graded:
        return Graded(
            self.rows[keep],
            self.organization[keep],
            self.person[keep],
            self.year[keep],
            self.day[keep],
        )


def records(rule: Rule, context: Context, subject: str, *, of_proposals: bool = False) -> Graded:
    """Decided records of the years that the rule governs, not later than the day judged.

    The day of a record is that of the decision, or the end of the review, or of the year.
    With ``of_proposals`` also the grades proposed for those of whom nothing is decided.
    """
    rows = context.facts["appraisals"]
    year = rows["year"] - 1970
    low, high = context.span(rule, Unit.YEAR)
    decided, ended = rows["decided_on"], rows["ended_on"]
    day = np.where(decided == NULL_DAY, ended, decided)
    keep = rows["subject_type"] == context.facts.position("appraisal_subject", subject)
    keep &= rows["organization"] >= 0
    proposed = rows["proposed"] == 1
    keep &= (~proposed | (rows["grade"] >= 0)) if of_proposals else ~proposed
    keep &= (year >= low) & (year <= high) & (day <= context.as_of)
    keep &= context.applies(rule)[rows["organization"]]
    if subject != "organization":
        keep &= rows["person"] >= 0
    found = np.flatnonzero(keep).astype(np.int32)
    last = np.minimum(periods.last_days(year[found], Unit.YEAR), np.int32(context.as_of))
    graded = Graded(
        found,
        rows["organization"][found],
        rows["person"][found],
        year[found],
        np.where(day[found] == NULL_DAY, last, day[found]).astype(np.int32),
    )
    if not of_proposals:
        return graded
    key = _by_subject(graded, subject)
    return graded.take(~proposed[found] | ~among(key, key[~proposed[found]]))


def _by_subject(graded: Graded, subject: str) -> NDArray[np.int64]:
    """The same number for records about one subject of one organization in one year."""
    who = graded.organization if subject == "organization" else graded.person
    owner, year = graded.organization.astype(np.int64), graded.year.astype(np.int64)
    return (owner << 42) + (who.astype(np.int64) << 12) + year


def block(rule: Rule, context: Context, subject: str, graded: Graded, verdict: Verdicts) -> Block:
    """A finding about each subject and year; ``observed`` is the record that decided it."""
    who = graded.organization if subject == "organization" else graded.person
    key = _by_subject(graded, subject)
    badness = _BADNESS[verdict]
    order = np.lexsort((graded.rows, -badness, key))
    _, first = np.unique(key[order], return_index=True)
    chosen = order[first]
    graded, verdict = graded.take(chosen), verdict[chosen]
    return Block(
        rule=rule,
        subject_type=SUBJECT_TYPES[subject],
        subject=who[chosen],
        organization=context.answerable[graded.organization],
        verdict=verdict.astype(np.int8),
        required=np.zeros(len(graded), dtype=np.int64),
        observed=graded.rows.astype(np.int64),
        evidence=Evidence.single("appraisals", graded.rows),
        unit=Unit.YEAR,
        period=graded.year,
    )


#: Which verdict stands where a subject has several records, by verdict code.
_BADNESS = np.zeros(len(findings.VERDICT_CODES), dtype=np.int8)
_BADNESS[[findings.NEEDS_JUDGEMENT, findings.PENDING]] = 1
_BADNESS[[findings.NOT_MET, findings.DEVIATION, findings.ACTION_DUE]] = 2


class OfGrades(Check):
    """A check of records of one kind of subject."""

    footprint = Footprint.OWN
    observed_table = "appraisals"
    #: Whether grades that are only proposed are looked at, too.
    of_proposals = False

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            subject = rule.parameters.get("subject", "member")
            graded = records(rule, context, subject, of_proposals=self.of_proposals)
            chosen, verdict = self.verdicts(rule, context, graded)
            if bool(chosen.any()):
                yield block(rule, context, subject, graded.take(chosen), verdict[chosen])

    def verdicts(self, rule: Rule, context: Context, graded: Graded) -> tuple[Bools, Verdicts]:
        """Which records the rule is about, and a verdict for each."""
        raise NotImplementedError

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The grade on record; None where there is none."""
        return facts["appraisals"].text("grade", value)


class ScaleSchema(ParameterSchema):
    """Whose grades, and the grades from best to worst; an ``open`` scale admits others."""

    subject = fields.String(required=True, validate=validate.OneOf(tuple(SUBJECT_TYPES)))
    grades = fields.List(fields.String(), required=True, validate=validate.Length(min=2))
    open = fields.Boolean(load_default=False)


class ScaleCheck(OfGrades):
    """Every grade is one of the scale's."""

    name = "scale"
    schema = ScaleSchema
    summary = "评议等次的取值"
    of_proposals = True
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(READS)

    def verdicts(self, rule: Rule, context: Context, graded: Graded) -> tuple[Bools, Verdicts]:
        rows = context.facts["appraisals"]
        known = rows.is_text("grade", rule.parameters["grades"])[graded.rows]
        if rule.parameters["open"]:
            known = np.ones_like(known)
        verdict = np.where(known, findings.MET, rule.shortfall_code).astype(np.int8)
        return rows["grade"][graded.rows] >= 0, verdict

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["grades"])

    def message(self, finding: Finding) -> str:
        about = f"{finding.period_text}“{finding.rule.title}”等次为“{finding.observed}”"
        asked = "、".join(f"“{grade}”" for grade in finding.required)
        if finding.verdict is Verdict.MET:
            return f"{about}，规定的等次为{asked}，符合。"
        return f"{about}，规定的等次只有{asked}。"


class BasisSchema(ParameterSchema):
    """What the grades of a kind of subject must rest on."""

    subject = fields.String(required=True, validate=validate.OneOf(tuple(SUBJECT_TYPES)))
    inputs = code_list(v.INPUTS, required=True)


class GradeBasis(OfGrades):
    """Every grade names all the inputs; one that names none leaves the question open."""

    name = "grade_basis"
    schema = BasisSchema
    summary = "评定等次的依据"
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*READS, ("appraisals", "inputs")}

    def verdicts(self, rule: Rule, context: Context, graded: Graded) -> tuple[Bools, Verdicts]:
        rows = context.facts["appraisals"]
        stated = rows["inputs"][graded.rows]
        wanted = context.facts.mask("appraisal_input", rule.parameters["inputs"])
        verdict = np.select(
            [stated == 0, (stated & wanted) == wanted],
            [findings.NEEDS_JUDGEMENT, findings.MET],
            rule.shortfall_code,
        )
        return rows["grade"][graded.rows] >= 0, verdict.astype(np.int8)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["inputs"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return facts.unmask("appraisal_input", int(facts["appraisals"]["inputs"][value]))

    def message(self, finding: Finding) -> str:
        asked = wording.labels(finding.rule, "appraisal_input", finding.required)
        about = f"{finding.period_text}“{finding.rule.title}”应依据{asked}"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}，记录齐全，符合。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}，评定时没有记录依据，请由人认定。"
            case _:
                missing = [code for code in finding.required if code not in finding.observed]
                lacking = wording.labels(finding.rule, "appraisal_input", missing)
                return f"{about}，记录中缺少{lacking}。"


class UngradedSchema(ParameterSchema):
    """Members of these classes take part in the review but receive no grade."""

    classes = code_list(v.MEMBER_CLASSES, required=True)


class Ungraded(OfGrades):
    """No grade for those who were in one of the classes on the day of the review."""

    name = "ungraded"
    schema = UngradedSchema
    summary = "参加评议但不评定等次"
    of_proposals = True
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*READS, *turnout.ROSTER, ("appraisals", "participated")}

    def verdicts(self, rule: Rule, context: Context, graded: Graded) -> tuple[Bools, Verdicts]:
        facts = context.facts
        spell = facts.roster.of_person.latest(graded.person, graded.day)
        if not len(facts["members"]):
            return np.zeros(len(graded), np.bool_), np.zeros(len(graded), np.int8)
        member_class = facts["members"]["membership_class"][np.maximum(spell, 0)]
        wanted = [facts.position("member_class", code) for code in rule.parameters["classes"]]
        rows = facts["appraisals"]
        given = rows["grade"][graded.rows] >= 0
        away = rows["participated"][graded.rows] == 0
        verdict = np.where(given | away, rule.shortfall_code, findings.MET).astype(np.int8)
        return (spell >= 0) & among(member_class, wanted), verdict

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None

    def message(self, finding: Finding) -> str:
        classes = wording.labels(finding.rule, "member_class", finding.rule.parameters["classes"])
        about = f"{finding.period_text}“{finding.rule.title}”"
        if finding.verdict is Verdict.MET:
            return f"{about}{classes}参加评议、未定等次，符合。"
        if finding.observed is None:
            return f"{about}{classes}没有参加评议。"
        return f"{about}{classes}被定为“{finding.observed}”，应参加评议但不评定等次。"


class ExemptionSchema(ParameterSchema):
    """Who attended one of these meetings in the same year may stay out of the review."""

    kinds = code_list(v.OCCASION_KINDS, required=True)
    leading_cadres = fields.Boolean(load_default=True)


class Exemption(OfGrades):
    """Those who stayed out of the review, and whether they had the ground for it."""

    name = "exemption"
    schema = ExemptionSchema
    summary = "可不参加评议的条件"
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {
            *READS,
            *occasions.READS,
            *turnout.ROSTER,
            *(("attendance", c) for c in ("occasion", "person", "status")),
            ("members", "leading_cadre"),
            ("appraisals", "participated"),
            ("appraisals", "exempt_by"),
        }

    def verdicts(self, rule: Rule, context: Context, graded: Graded) -> tuple[Bools, Verdicts]:
        facts = context.facts
        rows = facts["appraisals"]
        meeting = rows["exempt_by"][graded.rows]
        held = np.append(occasions.held(context, rule.parameters["kinds"]), np.zeros(1, np.bool_))
        year = np.append(
            periods.indices(facts["occasions"]["held_on"], Unit.YEAR), np.zeros(1, np.int32)
        )
        good = held[meeting] & (year[meeting] == graded.year)
        good &= _attended(context, meeting, graded.person)
        if rule.parameters["leading_cadres"] and len(facts["members"]):
            spell = facts.roster.of_person.latest(graded.person, graded.day)
            good &= facts["members"]["leading_cadre"][np.maximum(spell, 0)] == 1
        verdict = np.where(good, findings.MET, rule.shortfall_code).astype(np.int8)
        return rows["participated"][graded.rows] == 0, verdict

    def message(self, finding: Finding) -> str:
        kinds = wording.labels(finding.rule, "occasion_kind", finding.rule.parameters["kinds"])
        about = f"{finding.period_text}“{finding.rule.title}”未参加评议"
        if finding.verdict is Verdict.MET:
            return f"{about}，已参加当年{kinds}，符合。"
        return f"{about}，没有作为党员领导干部参加当年{kinds}的记录。"


def _attended(context: Context, meeting: Codes, person: Codes) -> Bools:
    """Whether each person came to each meeting; where no one's coming is recorded, yes."""
    attendance = context.facts["attendance"]
    # Few meetings are meant and attendance is long: theirs first, then everything else.
    meant = np.zeros(len(context.facts["occasions"]) + 1, dtype=np.bool_)
    meant[meeting[meeting >= 0]] = True
    rows = np.flatnonzero(meant[attendance["occasion"]] & (attendance["person"] >= 0))
    occasion = attendance["occasion"][rows]
    coming = [context.facts.position("attendance", code) for code in ("present", "remote")]
    present = among(attendance["status"][rows], coming)
    key = (occasion.astype(np.int64) << 32) + attendance["person"][rows]
    wanted = (meeting.astype(np.int64) << 32) + person
    came = among(wanted, key[present])
    return np.asarray(came | ~among(meeting, occasion))
