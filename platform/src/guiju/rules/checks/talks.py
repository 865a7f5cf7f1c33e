"""Talks: who in a branch talked with whom in a period, by relation.

Three relations: committee members with each other, committee members with members, members
with each other.  Among a committee every pair is meant; where many are, a relation is
taken as one talk for each member, or, by another reading, as every pair.  Members are those
on the roster from the beginning of the period to its end; where a branch has no
committee, all of them are members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import membership
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE, Check, ParameterSchema, unit_field
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import COMMITTEE_POSTS, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Numbers = NDArray[np.int64]

_HALF, _LOWER = 32, 0xFFFFFFFF
_POSTS = frozenset(("posts", c) for c in ("person", "organization", "post", "from_on", "until_on"))

#: Relations: how people call them.
RELATIONS = {
    "committee": "委员之间",
    "committee_member": "委员与党员之间",
    "members": "党员之间",
    "anyone": "每名党员",
    "floating": "流动党员",
}


def _relations(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=validate.OneOf(list(RELATIONS))), **options)


class TalksSchema(ParameterSchema):
    """Which relations are to be covered, how often, in which period."""

    per = unit_field(load_default="year")
    relations = _relations(required=True, validate=validate.Length(1))
    #: Relations in which every pair is meant, not every member once.
    pairs = _relations(load_default=list)
    min = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 12))


class Talks(Check):
    """Pairs and members of each branch reached by talks in each period."""

    name = "talks"
    schema = TalksSchema
    summary = "谈心谈话的覆盖"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {("talks", c) for c in ("id", "held_on", "person", "partner")}
        if "floating" in parameters["relations"]:
            found.add(("members", "floating"))
        return found | _POSTS | membership.ROSTER

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = Unit.named(rule.parameters["per"])
            low, high = context.span(rule, unit)
            if low <= high:
                yield self._judge(rule, context, unit, context.grid(rule, unit, low, high))

    def _judge(self, rule: Rule, context: Context, unit: Unit, grid: Grid) -> Block:
        reach = _Reach(rule, context, unit)
        place = grid.place(reach.members.organization, reach.members.period)
        expected = np.zeros(len(grid), dtype=np.int64)
        covered = np.zeros(len(grid), dtype=np.int64)
        for relation in rule.parameters["relations"]:
            wanted, met = reach.relation(relation, place, len(grid))
            expected += wanted
            covered += met
        entry = place[reach.first]
        counted = entry >= 0
        verdict = context.period_verdict(rule, covered >= expected, grid, unit)
        verdict = np.where(expected == 0, findings.NOT_APPLICABLE, verdict).astype(np.int8)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=expected,
            observed=covered,
            evidence=Evidence.grouped("talks", reach.rows[counted], entry[counted], len(grid)),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        named = "、".join(RELATIONS[name] for name in rule.parameters["relations"])
        said = (
            f"{finding.period_text}“{rule.title}”（{named}）应覆盖 {finding.required} 项，"
            f"已覆盖 {finding.observed} 项"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{finding.period_text}“{rule.title}”不适用：没有全期在册的谈话双方。"
            case Verdict.PENDING:
                return f"{said}，其余请于 {finding.due} 前完成。"
            case Verdict.NO_DATA:
                return f"{said}；本期记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}；文件没有规定次数，是否落实请由人认定。"
            case _:
                return f"{said}，没有全部覆盖。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Members whom no talk of a relation has reached."""
        rule, block = finding.rule, finding.block
        assert block.unit is not None and block.period is not None
        reach = _Reach(rule, context, block.unit)
        here = reach.members.organization == int(block.subject[finding.row])
        here &= reach.members.period == int(block.period[finding.row])
        found = []
        for relation in rule.parameters["relations"]:
            if relation in rule.parameters["pairs"]:
                continue
            for entry in np.flatnonzero(here & reach.wanted(relation) & ~reach.met(relation)):
                person = context.facts.record_id("people", int(reach.members.person[entry]))
                found.append((person, f"{RELATIONS[relation]}还没有谈心谈话"))
        return found

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value


@dataclass(frozen=True)
class _Sides:
    """Talks between two members of the same branch and period, as numbers among everyone."""

    rows: Codes
    first: Codes
    second: Codes


class _Reach:
    """Members of branches by period, and whom the talks between them reached."""

    def __init__(self, rule: Rule, context: Context, unit: Unit) -> None:
        found = membership.of(rule, context, unit)
        self.members = found.take(found.whole)
        self._least = rule.parameters["min"]
        self._pairs = rule.parameters["pairs"]
        everyone, span = found.everyone, (unit, found.low, found.high)
        leading = context.shared(
            ("committee members", *span), lambda: _committee(context, everyone, unit)
        )
        self.committee = leading[self.members.numbers]
        sides = context.shared(("talk sides", *span), lambda: _sides(context, everyone, unit))
        first, second = self.members.at(sides.first), self.members.at(sides.second)
        both = (first >= 0) & (second >= 0)
        self.rows, self.first, self._second = sides.rows[both], first[both], second[both]

    def wanted(self, relation: str) -> Bools:
        """Members for whom a talk of the relation is asked."""
        if relation == "anyone":
            return np.ones(len(self.members), dtype=np.bool_)
        if relation == "floating":
            floating = self.members.context.facts["members"]["floating"]
            return np.asarray(floating[self.members.row] == 1)
        return self.committee if relation == "committee" else ~self.committee

    def met(self, relation: str) -> Bools:
        """Members whom so many talks of the relation reached."""
        inside = self._of(relation)
        ends = np.concatenate([self.first[inside], self._second[inside]])
        return np.bincount(ends, minlength=len(self.members)) >= self._least

    def _of(self, relation: str) -> Bools:
        """Talks that are of the relation."""
        first, second = self.committee[self.first], self.committee[self._second]
        if relation == "committee":
            return first & second
        if relation == "committee_member":
            return first ^ second
        if relation == "members":
            return ~first & ~second
        return np.ones(len(self.first), dtype=np.bool_)

    def relation(self, relation: str, place: Codes, size: int) -> tuple[Numbers, Numbers]:
        """Expected and reached, pairs or members, of each grid entry."""
        here = place >= 0
        wanted = self.wanted(relation)
        number = np.bincount(place[here & wanted], minlength=size).astype(np.int64)
        leading = np.bincount(place[here & self.committee], minlength=size).astype(np.int64)
        if relation in self._pairs:
            pairs = (
                number * leading if relation == "committee_member" else number * (number - 1) // 2
            )
            return pairs, self._paired(relation, place, size)
        # A relation needs two sides: somebody on the committee, or a second member.
        two = leading > 0 if relation == "committee_member" else number > 1
        if relation == "floating":
            two = number > 0
        met = here & wanted & self.met(relation)
        reached = np.bincount(place[met], minlength=size).astype(np.int64)
        return np.where(two, number, 0), np.where(two, reached, 0)

    def _paired(self, relation: str, place: Codes, size: int) -> Numbers:
        inside = self._of(relation) & (place[self.first] >= 0)
        first, second = self.first[inside], self._second[inside]
        low, high = np.minimum(first, second), np.maximum(first, second)
        key, number = np.unique((low.astype(np.int64) << _HALF) | high, return_counts=True)
        often = key[number >= self._least] >> _HALF
        return np.bincount(place[often], minlength=size).astype(np.int64)


def _committee(context: Context, everyone: membership.Everyone, unit: Unit) -> Bools:
    """Who of everyone is on the committee of the branch when the period ends."""
    posts, roster = context.facts.posts, context.facts.roster
    rows = np.flatnonzero(posts.holding(COMMITTEE_POSTS) & (posts.person >= 0))
    rows = rows[posts.organization[rows] >= 0]
    found = np.zeros(len(everyone.row), dtype=np.bool_)
    for period in range(everyone.low, everyone.high + 1):
        last = min(periods.last_day(period, unit), context.as_of)
        now = rows[(posts.start[rows] <= last) & (posts.end[rows] >= last)]
        branch = posts.organization[now]
        days = np.full(len(now), last, dtype=np.int32)
        now = now[context.holds(["has_committee"], branch, days)]
        entry = everyone.place(posts.person[now], np.full(len(now), period, dtype=np.int32))
        own = roster.organization[everyone.row[entry]] == posts.organization[now]
        found[entry[(entry >= 0) & own]] = True
    return found


def _sides(context: Context, everyone: membership.Everyone, unit: Unit) -> _Sides:
    talks = context.facts["talks"]
    day = talks["held_on"]
    found = np.where(day <= context.as_of, periods.indices(day, unit), everyone.low - 1)
    first = everyone.place(talks["person"], found.astype(np.int32))
    second = everyone.place(talks["partner"], found.astype(np.int32))
    both = (first >= 0) & (second >= 0) & (first != second)
    rows = np.flatnonzero(both).astype(np.int32)
    branch = context.facts.roster.organization
    own = branch[everyone.row[first[rows]]] == branch[everyone.row[second[rows]]]
    rows = rows[own]
    return _Sides(rows, first[rows], second[rows])
