"""Branches up to the standard or below it: what people decided, and what follows from it.

The states are recorded decisions: an entry of the register (达标状态), or an appraisal of the
organization with one of the two grades.  Nothing here is computed from activities; a
branch without a decision has none.
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
from guiju.rules.checks import states
from guiju.rules.checks.base import Check, Footprint, ParameterSchema, ratio_field
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

_HALF, _LOWER = 32, 0xFFFFFFFF
READS = frozenset(
    [
        *(("register", c) for c in ("organization", "item", "since_on", "until_on", "value")),
        *(
            ("appraisals", c)
            for c in ("subject_type", "organization", "grade", "decided_on", "proposed")
        ),
    ]
)


@dataclass(frozen=True)
class Decisions:
    """Decided states of branches in order of day; all arrays have one length."""

    organization: Codes
    day: Days
    met: Bools
    until: Days

    def latest(self, size: int, day: int) -> tuple[Bools, Bools]:
        """Which organizations have a state on a day, and which are up to the standard."""
        known, met = (np.zeros(size, dtype=np.bool_) for _ in range(2))
        begun = np.flatnonzero(self.day <= day)
        # Rows are in order of day, so the last one of each organization is what stands.
        holds = self.until[begun] >= day
        known[self.organization[begun]] = holds
        met[self.organization[begun]] = self.met[begun] & holds
        return known, met


def decisions(context: Context, good: str, bad: str) -> Decisions:
    """All decisions that name one of the two states."""
    return context.shared(("standard states", good, bad), lambda: _decisions(context, good, bad))


def _decisions(context: Context, good: str, bad: str) -> Decisions:
    facts, register, graded = context.facts, context.facts["register"], context.facts["appraisals"]
    entry = register["item"] == facts.position("register_item", "standard_state")
    entry &= register["organization"] >= 0
    review = graded["subject_type"] == facts.position("appraisal_subject", "organization")
    review &= (graded["organization"] >= 0) & (graded["proposed"] != 1)
    review &= graded["decided_on"] != NULL_DAY
    found = []
    for state, up_to in ((good, 1), (bad, 0)):
        rows = np.flatnonzero(entry & register.is_text("value", [state]))
        until = register["until_on"][rows]
        found.append(
            (
                register["organization"][rows],
                register["since_on"][rows],
                np.full(len(rows), up_to, dtype=np.bool_),
                np.where(until == NULL_DAY, np.int32(periods.LAST_DAY), until),
            )
        )
        rows = np.flatnonzero(review & graded.is_text("grade", [state]))
        found.append(
            (
                graded["organization"][rows],
                graded["decided_on"][rows],
                np.full(len(rows), up_to, dtype=np.bool_),
                np.full(len(rows), periods.LAST_DAY, dtype=np.int32),
            )
        )
    columns = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    order = np.argsort(columns[1], kind="stable")
    organization, day, met, until = (column[order] for column in columns)
    return Decisions(organization, day, met, until.astype(np.int32))


class _StandardSchema(ParameterSchema):
    """How the two states are called, and which sectors are under another scheme."""

    good = fields.String(required=True)
    bad = fields.String(required=True)
    except_sectors = fields.List(
        fields.String(validate=validate.OneOf(list(v.SECTORS))), load_default=list
    )


def _decided(rule: Rule, context: Context) -> Decisions:
    return decisions(context, rule.parameters["good"], rule.parameters["bad"])


def _meant(rule: Rule, context: Context, day: int) -> Bools:
    """Branches on a day that the standard is for."""
    except_ = [context.facts.position("sector", s) for s in rule.parameters["except_sectors"]]
    there = (context.opened <= day) & (context.closed >= day)
    return context.is_branch & there & ~among(context.sector, except_)


class TargetSchema(_StandardSchema):
    """Which share of all branches is to be up to the standard by which day."""

    ratio = ratio_field(required=True)
    #: Whether exactly the fraction is enough (D1).
    inclusive = fields.Boolean(load_default=True)
    by = fields.Date(required=True)
    #: Id of the organization that stands for the whole city; empty: the only one at the top.
    city = fields.String(load_default="")


class StandardTarget(Check):
    """The share of a whole city's branches up to the standard by a day."""

    name = "standard_target"
    schema = TargetSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "全市达标比例"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(READS)

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            city = _city(rule, context)
            if city >= 0 and bool(context.scope[city]) and context.as_of >= rule.valid_from:
                yield self._judge(rule, context, city)

    def _judge(self, rule: Rule, context: Context, city: int) -> Block:
        by = periods.day(rule.parameters["by"])
        day = min(context.as_of, by)
        meant = _meant(rule, context, day) & _below(context, city)
        known, met = _decided(rule, context).latest(context.size, day)
        all_ = int(meant.sum())
        good, unknown = int((meant & met).sum()), int((meant & ~known).sum())
        part, whole = rule.parameters["ratio"]
        least = part * all_ // whole + 1
        if rule.parameters["inclusive"]:
            least = -(-part * all_ // whole)
        verdict = int(rule.shortfall_code)
        if not all_:
            verdict = findings.NOT_APPLICABLE
        elif good >= least:
            verdict = findings.MET
        elif context.as_of <= by:
            verdict = findings.PENDING
        elif good + unknown >= least:
            verdict = findings.NO_DATA
        subject = np.array([city], dtype=np.int32)
        due = by if verdict == findings.PENDING else NULL_DAY
        return Block(
            rule=rule,
            subject_type="city",
            subject=subject,
            organization=subject,
            verdict=np.array([verdict], dtype=np.int8),
            required=np.array([least], dtype=np.int64),
            observed=np.array([(good << _HALF) | all_], dtype=np.int64),
            evidence=Evidence.none(1),
            due=np.array([due], dtype=np.int32),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value >> _HALF

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        number = int(finding.block.observed[finding.row]) & _LOWER
        part, whole = rule.parameters["ratio"]
        said = (
            f"“{rule.title}”：党支部 {number} 个，{rule.parameters['good']} {finding.observed} 个，"
            f"目标为 {part}/{whole}（{finding.required} 个）"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，已达到。"
            case Verdict.PENDING:
                return f"{said}，期限为 {finding.due}。"
            case Verdict.NOT_APPLICABLE:
                return f"“{rule.title}”不适用：没有计入的党支部。"
            case Verdict.NO_DATA:
                return f"{said}；未认定的党支部足以影响结果，暂不判定。"
            case _:
                return f"{said}，没有达到；这是全市合计，不是对任何一个党支部的要求。"


def _city(rule: Rule, context: Context) -> int:
    """The organization that stands for the city; -1 where there is none."""
    named = rule.parameters["city"]
    if named:
        # Facts read from storage call organizations by number.
        ids = [str(id_) for id_ in context.facts.ids("organizations").to_pylist()]
        return ids.index(named) if named in ids else -1
    top = np.flatnonzero((context.parent < 0) & ~context.is_branch & ~context.is_group)
    return int(top[0]) if len(top) == 1 else -1


def _below(context: Context, city: int) -> Bools:
    found = np.zeros(context.size, dtype=np.bool_)
    current = np.arange(context.size, dtype=np.int32)
    while bool((current >= 0).any()):
        found |= current == city
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    return found


class LedgerSchema(_StandardSchema):
    """The two states that a ledger holds for every branch."""


class StandardLedger(states.StateCheck):
    """Every branch directly below has a decided state; the subject is the superior."""

    name = "standard_ledger"
    schema = LedgerSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "所属党支部的达标台账"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(READS)

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        meant = _meant(rule, context, context.as_of)
        known, _ = _decided(rule, context).latest(context.size, context.as_of)
        size = len(subjects)
        place = subjects.place(context.parent)
        below = meant & (place >= 0)
        expected = np.bincount(place[below], minlength=size).astype(np.int64)
        listed = np.bincount(place[below & known], minlength=size).astype(np.int64)
        verdict = np.where(listed >= expected, findings.MET, findings.PENDING)
        verdict = np.where(expected == 0, findings.NOT_APPLICABLE, verdict)
        return subjects.block(rule, verdict, expected, listed)

    def message(self, finding: Finding) -> str:
        said = (
            f"“{finding.rule.title}”：所属党支部 {finding.required} 个，"
            f"已认定达标状态 {finding.observed} 个"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，台账完整。"
            case Verdict.NOT_APPLICABLE:
                return f"“{finding.rule.title}”不适用：没有直接所属的党支部。"
            case _:
                return f"{said}，其余未认定；文件没有规定时限，请尽快摸排。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Branches without a state."""
        rule = finding.rule
        known, _ = _decided(rule, context).latest(context.size, context.as_of)
        own = context.parent == int(finding.block.subject[finding.row])
        missing = _meant(rule, context, context.as_of) & own & ~known
        return [
            (context.facts.record_id("organizations", code), "未认定")
            for code in np.flatnonzero(missing).tolist()
        ]


class StandardKept(states.StateCheck):
    """A branch once up to the standard stays so; a fall back stands until it is made good."""

    name = "standard_kept"
    schema = LedgerSchema
    summary = "达标后不反复"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(READS)

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        found = _decided(rule, context)
        _, met = found.latest(context.size, context.as_of)
        begun = np.flatnonzero(found.day <= context.as_of)
        first = np.full(context.size, np.iinfo(np.int32).max, dtype=np.int32)
        good = begun[found.met[begun]]
        np.minimum.at(first, found.organization[good], found.day[good])
        bad = begun[~found.met[begun]]
        fell = np.zeros(context.size, dtype=np.int64)
        after = bad[found.day[bad] > first[found.organization[bad]]]
        np.add.at(fell, found.organization[after], 1)
        organization = subjects.organization
        reached = first[organization] <= context.as_of
        verdict = np.where(fell[organization] == 0, findings.MET, findings.NEEDS_JUDGEMENT)
        verdict = np.where(
            (fell[organization] > 0) & ~met[organization], rule.shortfall_code, verdict
        )
        verdict = np.where(reached, verdict, findings.NOT_APPLICABLE)
        zero = np.zeros(len(subjects), dtype=np.int64)
        return subjects.block(rule, verdict, zero, fell[organization])

    def message(self, finding: Finding) -> str:
        title, good = finding.rule.title, finding.rule.parameters["good"]
        match finding.verdict:
            case Verdict.MET:
                return f"“{title}”：认定{good}后没有反复，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"“{title}”不适用：尚未认定{good}。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"“{title}”：认定{good}后反复 {finding.observed} 次，现已恢复，请由人认定。"
            case _:
                return f"“{title}”：认定{good}后又低于标准，出现反复。"


class MethodSchema(_StandardSchema):
    """How much records may weigh in a state, in per cent, and from which share they prevail."""

    weight = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 100))
    below = fields.Integer(strict=True, load_default=50, validate=validate.Range(1, 100))


class StandardMethod(states.StateCheck):
    """A state rests on a written human assessment, and records weigh less than half."""

    name = "standard_method"
    schema = MethodSchema
    summary = "定性为主的认定方法"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*READS, ("appraisals", "human_assessment")}

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        found = _decided(rule, context)
        known, _ = found.latest(context.size, context.as_of)
        written = _assessments(rule, context)[subjects.organization]
        verdict = np.select(
            [written == 1, written == 0],
            [findings.MET, rule.shortfall_code],
            findings.NEEDS_JUDGEMENT,
        )
        verdict = np.where(known[subjects.organization], verdict, findings.NOT_APPLICABLE)
        weight = rule.parameters["weight"]
        if weight >= rule.parameters["below"]:
            verdict = np.full(len(subjects), rule.shortfall_code)
        return subjects.block(
            rule,
            verdict,
            np.full(len(subjects), rule.parameters["below"], dtype=np.int64),
            np.full(len(subjects), weight, dtype=np.int64),
        )

    def message(self, finding: Finding) -> str:
        title = finding.rule.title
        if finding.observed >= finding.required:
            return f"“{title}”：记录数据的权重为 {finding.observed}%，成了主要评判依据。"
        match finding.verdict:
            case Verdict.MET:
                return f"“{title}”：认定时有书面定性评价，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"“{title}”不适用：尚未认定达标状态。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"“{title}”：没有记录是否有书面定性评价，请由人认定。"
            case _:
                return f"“{title}”：认定时没有对作用发挥和群众口碑的书面评价。"


class StandardClosing(states.StateCheck):
    """Shortfalls of a branch below the standard: measures, deadlines, closed one by one."""

    name = "standard_closing"
    schema = LedgerSchema
    summary = "未达标事项逐项销号"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("id", "organization", "opened_on", "measure", "due_on", "closed_on")
        return {*READS, *(("rectifications", name) for name in names)}

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        table, size = context.facts["rectifications"], len(subjects)
        since = _below_since(_decided(rule, context), context)[subjects.organization]
        place = subjects.place(table["organization"])
        opened = table["opened_on"]
        items = np.flatnonzero((place >= 0) & (opened <= context.as_of))
        items = items[(since[place[items]] != NULL_DAY) & (opened[items] >= since[place[items]])]
        place = place[items]
        due, closed = table["due_on"][items], table["closed_on"][items]
        done = (closed != NULL_DAY) & (closed <= context.as_of)
        end = np.where(done, closed, np.int32(context.as_of))
        bare = (table["measure"][items] != 1) | (due == NULL_DAY)
        wrong = bare | (end > due)
        number = np.bincount(place, minlength=size).astype(np.int64)
        finished = np.bincount(place[done], minlength=size).astype(np.int64)
        faulty = np.bincount(place[wrong], minlength=size) > 0
        verdict = np.select(
            [since == NULL_DAY, faulty, (number == 0) | (finished < number)],
            [findings.NOT_APPLICABLE, int(rule.shortfall_code), findings.PENDING],
            findings.MET,
        )
        next_due = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
        waiting = ~done & ~bare
        np.minimum.at(next_due, place[waiting], due[waiting])
        awaited = (verdict == findings.PENDING) & (next_due != np.iinfo(np.int32).max)
        return subjects.block(
            rule,
            verdict,
            number,
            finished,
            evidence=Evidence.grouped("rectifications", items.astype(np.int32), place, size),
            due=np.where(awaited, next_due, np.int32(NULL_DAY)).astype(np.int32),
        )

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        said = f"“{rule.title}”：整改事项 {finding.required} 项，已销号 {finding.observed} 项"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，全部按期销号。"
            case Verdict.NOT_APPLICABLE:
                return f"“{rule.title}”不适用：没有认定为{rule.parameters['bad']}。"
            case Verdict.PENDING if not finding.required:
                return f"“{rule.title}”：尚未列出整改事项，请逐项制定措施、明确时限。"
            case Verdict.PENDING:
                return f"{said}，最近一项时限为 {finding.due}。"
            case _:
                return f"{said}，有事项缺少整改措施、时限或者逾期。"


def _below_since(found: Decisions, context: Context) -> Days:
    """Since when each organization was last below the standard; no day where it never was."""
    since = np.full(context.size, NULL_DAY, dtype=np.int32)
    bad = np.flatnonzero((found.day <= context.as_of) & ~found.met)
    since[found.organization[bad]] = found.day[bad]
    return since


def _assessments(rule: Rule, context: Context) -> NDArray[np.int8]:
    """Whether the last decided appraisal of each organization has a written assessment."""
    graded = context.facts["appraisals"]
    keep = graded["subject_type"] == context.facts.position("appraisal_subject", "organization")
    keep &= (graded["organization"] >= 0) & (graded["proposed"] != 1)
    keep &= (graded["decided_on"] != NULL_DAY) & (graded["decided_on"] <= context.as_of)
    keep &= graded.is_text("grade", [rule.parameters["good"], rule.parameters["bad"]])
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(graded["decided_on"][rows], kind="stable")]
    found = np.full(context.size, -1, dtype=np.int8)
    found[graded["organization"][rows]] = graded["human_assessment"][rows]
    return found
