"""Caps on a grade: at most a fraction of a named denominator, without rounding.

A cap is not a target: nothing here asks for a single top grade.  The finding is about who
decides: the superior for organizations and secretaries, the branch for its members.
Grades decided count; where a year has only proposals, the proposals are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.arrays import among
from guiju.rules.checks import grades, turnout
from guiju.rules.checks.base import FIRST_PERIOD, Check, Footprint, ParameterSchema, ratio_field
from guiju.rules.checks.occasions import pack_pair, unpack_pair
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
Numbers = NDArray[np.int64]

#: Denominators by name, with what they count and whose grades they belong to.
DENOMINATORS = {
    "branches": ("下属党支部", "organization"),
    "secretaries": ("在任党支部书记", "secretary"),
    "full_members": ("正式党员", "member"),
    "all_members": ("全体党员", "member"),
    "rated": ("参加评定的党员", "member"),
}


def largest(ratio: Sequence[int], denominator: Any) -> Any:
    """The largest whole number within the fraction of a denominator (or of an array of them)."""
    part, whole = ratio
    return part * denominator // whole


class CapSchema(ParameterSchema):
    """At most ``ratio`` of the ``denominator`` may receive ``grade``."""

    subject = fields.String(required=True, validate=validate.OneOf(tuple(grades.SUBJECT_TYPES)))
    grade = fields.String(required=True, validate=validate.Length(min=1))
    ratio = ratio_field(required=True)
    denominator = fields.String(required=True, validate=validate.OneOf(tuple(DENOMINATORS)))

    @validates_schema
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        subject, denominator = data.get("subject"), data.get("denominator")
        if subject and denominator and DENOMINATORS[denominator][1] != subject:
            allowed = [name for name, (_, of) in DENOMINATORS.items() if of == subject]
            raise ValidationError(f"应为 {'、'.join(allowed)} 之一", "denominator")


class Cap(Check):
    """Top grades of a year against the largest number allowed."""

    name = "cap"
    schema = CapSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "某一等次的比例上限"
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        if parameters["subject"] == "member":
            return {*grades.READS, *turnout.ROSTER}
        return {*grades.READS, *turnout.POSTS}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            entries = _entries(rule, context)
            if len(entries.rows):
                yield self._judge(rule, context, entries)

    def _judge(self, rule: Rule, context: Context, entries: _Entries) -> Block:
        key = (entries.decider.astype(np.int64) << 12) + entries.year
        groups, place = np.unique(key, return_inverse=True)
        decider, year = (groups >> 12).astype(np.int32), (groups & 0xFFF).astype(np.int32)
        top = context.facts["appraisals"].is_text("grade", [rule.parameters["grade"]])
        counted = top[entries.rows]
        number = np.bincount(place[counted], minlength=len(groups)).astype(np.int64)
        day = np.full(len(groups), NULL_DAY, dtype=np.int32)
        np.maximum.at(day, place, entries.day)
        whole, beside = _denominator(rule, context, decider, day, np.bincount(place))
        most = largest(rule.parameters["ratio"], whole)
        verdict = np.select(
            [whole <= 0, number <= most], [findings.NO_DATA, findings.MET], rule.shortfall_code
        ).astype(np.int8)
        return Block(
            rule=rule,
            subject_type="organization",
            subject=decider,
            organization=decider,
            verdict=verdict,
            required=pack_pair(most, beside),
            observed=pack_pair(number, whole),
            evidence=Evidence.grouped(
                "appraisals", entries.rows[counted], place[counted], len(groups)
            ),
            unit=Unit.YEAR,
            period=year,
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The largest whole number allowed."""
        return unpack_pair(value)[0]

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """How many received the grade."""
        return unpack_pair(value)[0]

    def message(self, finding: Finding) -> str:
        parameters = finding.rule.parameters
        number, whole = unpack_pair(int(finding.block.observed[finding.row]))
        most, beside = unpack_pair(int(finding.block.required[finding.row]))
        noun = DENOMINATORS[parameters["denominator"]][0]
        about = f"{finding.period_text}“{finding.rule.title}”"
        if finding.verdict is Verdict.NO_DATA:
            return f"{about}没有{noun}的名册，无法计算比例，暂不判定。"
        aside = f"（下属党支部 {beside} 个）" if beside and beside != whole else ""
        part, of = parameters["ratio"]
        share = f"{part}%" if of == 100 else f"{part}/{of}"
        said = (
            f"{about}评为“{parameters['grade']}”{number} 个，{noun} {whole}{aside}，"
            f"按 {share} 最多 {most} 个"
        )
        if finding.verdict is Verdict.MET:
            return f"{said}，符合。"
        return f"{said}，超出 {number - most} 个。"


@dataclass(frozen=True)
class _Entries:
    """Graded records with who decides about each."""

    rows: Codes
    decider: Codes
    year: Codes
    day: Days


def _entries(rule: Rule, context: Context) -> _Entries:
    facts = context.facts
    rows = facts["appraisals"]
    subject = rule.parameters["subject"]
    low, high = context.span(rule, Unit.YEAR)
    year = rows["year"] - 1970
    decided = np.where(rows["decided_on"] == NULL_DAY, rows["ended_on"], rows["decided_on"])
    keep = rows["subject_type"] == facts.position("appraisal_subject", subject)
    keep &= (rows["cycle"] != facts.position("appraisal_cycle", "mid_year")) & (rows["grade"] >= 0)
    keep &= (year >= low) & (year <= high) & (decided <= context.as_of)
    keep &= rows["organization"] >= 0
    found = np.flatnonzero(keep).astype(np.int32)
    decider = _decider(rule, context, found)
    bound = (decider >= 0) & np.append(context.applies(rule), np.zeros(1, np.bool_))[decider]
    found, decider = found[bound], decider[bound]
    # Proposals count only where the year has no decision yet.
    key = (decider.astype(np.int64) << 12) + year[found]
    proposed = rows["proposed"][found] == 1
    stands = ~proposed | ~among(key, key[~proposed])
    found, decider = found[stands], decider[stands]
    last = np.minimum(periods.last_days(year[found], Unit.YEAR), np.int32(context.as_of))
    day = np.where(decided[found] == NULL_DAY, last, decided[found]).astype(np.int32)
    return _Entries(found, decider, year[found], day)


def _decider(rule: Rule, context: Context, rows: Codes) -> Codes:
    """Who decides: for members their branch; else as recorded, or the nearest bound superior."""
    appraisals = context.facts["appraisals"]
    organization = appraisals["organization"][rows]
    if rule.parameters["subject"] == "member":
        return context.answerable[organization]
    stated = appraisals["decided_by"][rows]
    above = context.nearest(context.binds(rule), strict=True)[organization]
    return np.where(stated < 0, above, stated).astype(np.int32)


Denominator = tuple[Numbers, Numbers]


def _denominator(
    rule: Rule, context: Context, decider: Codes, day: Days, rated: NDArray[Any]
) -> Denominator:
    """The denominator of each decider on its day; beside it the number of branches, if other."""
    name = rule.parameters["denominator"]
    none = np.zeros(len(decider), dtype=np.int64)
    if name == "rated":
        return rated.astype(np.int64), none
    if name in _ROSTERS:
        return context.facts.roster.count(_ROSTERS[name], decider, day).astype(np.int64), none
    branches = _below(rule, context, decider, day)
    if name == "branches":
        return branches, none
    return _secretaries(rule, context, decider, day), branches


_ROSTERS: Mapping[str, str] = {"full_members": "full", "all_members": "party"}


def _each_day(decider: Codes, day: Days, count: Callable[[Codes, int], Numbers]) -> Numbers:
    """``count`` for the deciders of each distinct day, put together."""
    found = np.zeros(len(decider), dtype=np.int64)
    for one in np.unique(day).tolist():
        here = day == one
        found[here] = count(decider[here], int(one))
    return found


def _below(rule: Rule, context: Context, decider: Codes, day: Days) -> Numbers:
    """Branches below each decider that exist on its day."""
    above = context.nearest(context.binds(rule), strict=True)

    def count(deciders: Codes, one: int) -> Numbers:
        there = context.is_branch & (context.opened <= one) & (context.closed >= one) & (above >= 0)
        return np.bincount(above[there], minlength=context.size)[deciders].astype(np.int64)

    return _each_day(decider, day, count)


def _secretaries(rule: Rule, context: Context, decider: Codes, day: Days) -> Numbers:
    """People who are secretary of some branch below each decider on its day, once each."""
    posts = context.facts.posts
    above = context.nearest(context.binds(rule), strict=True)
    held = posts.holding(("secretary",)) & (posts.organization >= 0) & (posts.person >= 0)
    held &= context.is_branch[posts.organization]

    def count(deciders: Codes, one: int) -> Numbers:
        now = held & (posts.start <= one) & (posts.end >= one)
        owner, person = above[posts.organization[now]], posts.person[now]
        pairs = np.unique((owner.astype(np.int64) << 32) + person)
        owners = (pairs >> 32)[pairs >= 0]
        return np.bincount(owners, minlength=context.size)[deciders].astype(np.int64)

    return _each_day(decider, day, count)
