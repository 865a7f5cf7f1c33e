"""Members of a branch who have what each of them should have: so many of so many.

Verified joining dates and registrations are looked at on the day judged; the yearly cycle of
promise, points and review year by year.  The subject is the branch, which answers for all
its members; who is missing is named by the explanation only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import membership, states
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    ParameterSchema,
    code_list,
    unit_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.spells import bounds
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Verdicts = NDArray[np.int8]

#: What each member should have: name → (noun, columns beyond the roster).
STATES: Mapping[str, tuple[str, frozenset[tuple[str, str]]]] = {
    "verified_joining": (
        "入党日期已核准",
        frozenset({("members", "joined_on"), ("members", "joined_verified")}),
    ),
    "registered": (
        "已登记",
        frozenset(
            ("register", c) for c in ("organization", "person", "item", "since_on", "until_on")
        ),
    ),
    "points_cycle": (
        "承诺、积分、评议齐全",
        frozenset(
            ("commitments", c) for c in ("person", "year", "promised_on", "entries", "reviewed_on")
        ),
    ),
}


class MemberStatesSchema(ParameterSchema):
    """What each member should have, and what its lack means."""

    state = fields.String(required=True, validate=validate.OneOf(list(STATES)))
    #: The entry of the register that names the person, for ``registered``.
    items = code_list(v.REGISTER_ITEMS)
    #: The period, for states that belong to one; otherwise the day judged.
    per = unit_field(load_default=None, allow_none=True)
    #: ``some``: not everybody is bound, and records do not tell who.
    bound = fields.String(load_default="all", validate=validate.OneOf(("all", "some")))


class MemberStates(Check):
    """How many members of each branch have what each should have."""

    name = "member_states"
    schema = MemberStatesSchema
    summary = "每名党员应有的事项"

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({INCOMPLETE, *([FIRST_PERIOD] if parameters.get("per") else [])})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(STATES[parameters["state"]][1] | membership.ROSTER)

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            if rule.parameters["per"]:
                yield from self._by_period(rule, context, Unit.named(rule.parameters["per"]))
            else:
                yield from self._today(rule, context)

    def _today(self, rule: Rule, context: Context) -> Iterator[Block]:
        subjects = states.subjects(rule, context)
        if not len(subjects):
            return
        roster = context.facts.roster
        now = roster.party & (roster.start <= context.as_of) & (roster.end >= context.as_of)
        rows = np.flatnonzero(now & (roster.organization >= 0))
        place = subjects.place(roster.organization[rows])
        rows, place = rows[place >= 0], place[place >= 0]
        if rule.parameters["state"] == "verified_joining":
            has, lacks = _verified(context, rows)
        else:
            has = _registered(rule, context, roster.person[rows])
            lacks = np.zeros(len(rows), dtype=np.bool_)
        size = len(subjects)
        expected = np.bincount(place, minlength=size).astype(np.int64)
        covered = np.bincount(place[has], minlength=size).astype(np.int64)
        lacking = np.bincount(place[lacks], minlength=size) > 0
        verdict = self._open(rule, context, subjects.organization, covered)
        verdict = np.where(lacking, rule.shortfall_code, verdict)
        verdict = np.where(covered >= expected, findings.MET, verdict)
        verdict = np.where(expected == 0, findings.NO_DATA, verdict)
        yield subjects.block(rule, verdict, expected, covered)

    def _open(
        self, rule: Rule, context: Context, organization: Codes, covered: NDArray[np.int64]
    ) -> Verdicts:
        """What members without the thing mean, where nothing says they lack it."""
        if rule.parameters["bound"] == "some":
            found = np.where(covered > 0, findings.NEEDS_JUDGEMENT, findings.PENDING)
            return found.astype(np.int8)
        return states.absent(rule, context, organization)

    def _by_period(self, rule: Rule, context: Context, unit: Unit) -> Iterator[Block]:
        low, high = context.span(rule, unit)
        if low > high:
            return
        grid = context.grid(rule, unit, low, high)
        found = membership.of(rule, context, unit)
        members = found.take(found.whole)
        place = grid.place(members.organization, members.period)
        members, place = members.take(place >= 0), place[place >= 0]
        rows, entry = _cycles(context, members)
        has = np.zeros(len(members), dtype=np.bool_)
        has[entry] = True
        expected = np.bincount(place, minlength=len(grid)).astype(np.int64)
        covered = np.bincount(place[has], minlength=len(grid)).astype(np.int64)
        verdict = context.period_verdict(rule, covered >= expected, grid, unit)
        verdict = np.where(expected == 0, findings.NOT_APPLICABLE, verdict).astype(np.int8)
        yield Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=expected,
            observed=covered,
            evidence=Evidence.grouped("commitments", rows, place[entry], len(grid)),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        noun = STATES[rule.parameters["state"]][0]
        when = finding.period_text or ""
        said = f"{when}“{rule.title}”：党员 {finding.required} 名，{noun} {finding.observed} 名"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{when}“{rule.title}”不适用：没有全期在册的党员。"
            case Verdict.PENDING:
                due = (
                    f"请于 {finding.due} 前完成" if finding.due else "文件没有规定时限，请尽快落实"
                )
                return f"{said}；{due}。"
            case Verdict.NO_DATA:
                return f"{said}；名册或记录不全，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}；其余是否应当登记，请由人认定。"
            case _:
                return f"{said}，没有全部落实。"


def _verified(context: Context, rows: NDArray[np.int64]) -> tuple[Bools, Bools]:
    """Members with a verified joining date, and members of whom it is stated not to be."""
    members = context.facts["members"]
    dated = members["joined_on"][rows] != NULL_DAY
    flag = members["joined_verified"][rows]
    return dated & (flag == 1), flag == 0


def _registered(rule: Rule, context: Context, person: Codes) -> Bools:
    """People whom an entry of the register names today."""
    register = context.facts["register"]
    items = [context.facts.position("register_item", item) for item in rule.parameters["items"]]
    first, last = bounds(register, "since_on", "until_on")
    now = among(register["item"], items) & (register["person"] >= 0)
    now &= (first <= context.as_of) & (last >= context.as_of)
    there = np.zeros(context.facts.count("people") + 1, dtype=np.bool_)
    there[register["person"][now]] = True
    return there[person]


def _cycles(context: Context, members: membership.Members) -> tuple[Codes, Codes]:
    """Commitments with promise, points and review, and the entries of their members."""
    table = context.facts["commitments"]
    promised, reviewed = table["promised_on"], table["reviewed_on"]
    whole = (promised != NULL_DAY) & (promised <= context.as_of) & (table["entries"] > 0)
    whole &= (reviewed != NULL_DAY) & (reviewed <= context.as_of)
    rows = np.flatnonzero(whole).astype(np.int32)
    entry = members.place(table["person"][rows], table["year"][rows] - 1970)
    return rows[entry >= 0], entry[entry >= 0]
