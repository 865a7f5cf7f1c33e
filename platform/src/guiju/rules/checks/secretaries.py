"""Secretaries: how long in the Party when they take the post, and what else they are.

Party standing counts from full membership; the joining date is another date, and neither
is derived from the other.
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
from guiju.rules.checks import membership, wording
from guiju.rules.checks.base import (
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

_POSTS = frozenset(("posts", c) for c in ("person", "organization", "post", "from_on", "until_on"))


@dataclass(frozen=True)
class _Holders:
    """Rows of posts held today in the organizations a rule binds."""

    context: Context
    rows: Codes
    judged: Bools

    @property
    def person(self) -> Codes:
        return self.context.facts.posts.person[self.rows]

    @property
    def organization(self) -> Codes:
        return self.context.facts.posts.organization[self.rows]

    def block(
        self, rule: Rule, verdict: NDArray[Any], required: Any, observed: NDArray[Any]
    ) -> Block:
        """A finding about each holder."""
        size = len(self.rows)
        return Block(
            rule=rule,
            subject_type="member",
            subject=self.person,
            organization=self.context.answerable[self.organization],
            verdict=np.where(self.judged, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=np.full(size, required, dtype=np.int64),
            observed=observed.astype(np.int64),
            evidence=Evidence.single("posts", self.rows),
        )


def _holders(rule: Rule, context: Context, post: str) -> _Holders | None:
    today = np.array([context.as_of], dtype=np.int32)
    if not bool(context.in_validity(rule, today)[0]):
        return None
    posts = context.facts.posts
    bound = np.append(context.applies(rule), np.bool_(0))[posts.organization]
    now = (posts.start <= context.as_of) & (posts.end >= context.as_of) & (posts.person >= 0)
    rows = np.flatnonzero(bound & now & posts.holding((post,))).astype(np.int32)
    if not len(rows):
        return None
    days = np.full(len(rows), context.as_of, dtype=np.int32)
    conditions = rule.requirement.applies_to.conditions
    return _Holders(context, rows, context.holds(conditions, posts.organization[rows], days))


class StandingSchema(ParameterSchema):
    """How many months of Party standing, counted from which date."""

    months = fields.Integer(strict=True, required=True, validate=validate.Range(1, 600))
    months_end = reading_field(MONTHS_END)
    since: fields.String = fields.String(
        load_default="full_member_on", validate=validate.OneOf(("full_member_on", "joined_on"))
    )


class Standing(Check):
    """Party standing of each secretary on taking the post."""

    name = "standing"
    schema = StandingSchema
    summary = "书记任职时的党龄"
    rests_on = frozenset({MONTHS_END})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {("members", "id"), ("members", parameters["since"])} | _POSTS | membership.ROSTER

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            holders = _holders(rule, context, "secretary")
            if holders is not None:
                yield self._judge(rule, context, holders)

    def _judge(self, rule: Rule, context: Context, holders: _Holders) -> Block:
        since = _dates(context, rule.parameters["since"])[holders.person]
        # Whoever already held the post when the rule took effect is looked at on that day.
        taken = np.maximum(context.facts.posts.start[holders.rows], np.int32(rule.valid_from))
        months, end = rule.parameters["months"], rule.parameters["months_end"]
        enough = periods.deadline(since, months, end) <= taken
        verdict = np.where(enough, findings.MET, rule.shortfall_code)
        verdict = np.where(since == NULL_DAY, findings.NO_DATA, verdict)
        return holders.block(rule, verdict, rule.parameters["months"], since)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        row = int(finding.block.evidence.rows[finding.row])
        taken = wording.day(int(finding.facts["posts"]["from_on"][row]))
        said = (
            f"“{finding.rule.title}”：任职日期 {taken}，党龄起算日期 {finding.observed or '未记录'}"
        )
        asked = f"要求任职时党龄满 {finding.required} 个月"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，{asked}，符合。"
            case Verdict.NO_DATA:
                return f"{said}，{asked}，暂不判定。"
            case Verdict.NOT_APPLICABLE:
                return f"“{finding.rule.title}”不适用。"
            case _:
                return f"{said}，{asked}，未达到。"


class HeadshipSchema(ParameterSchema):
    """Which posts in the unit make the secretary one of its heads."""

    posts = code_list(v.POSTS, required=True)


class Headship(Check):
    """The secretary is a head of the unit: of the branch's own, or of one above it."""

    name = "headship"
    schema = HeadshipSchema
    footprint = Footprint.OWN | Footprint.SUPERIORS
    summary = "书记在单位担任的职务"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(_POSTS)

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            holders = _holders(rule, context, "secretary")
            if holders is not None:
                yield self._judge(rule, context, holders)

    def _judge(self, rule: Rule, context: Context, holders: _Holders) -> Block:
        posts = context.facts.posts
        names = tuple(rule.parameters["posts"])
        days = np.full(len(holders.rows), context.as_of, dtype=np.int32)
        heads = np.zeros(len(holders.rows), dtype=np.bool_)
        recorded = np.zeros(len(holders.rows), dtype=np.bool_)
        current = holders.organization
        while bool((current >= 0).any()):
            inside = current >= 0
            held = posts.held_by(names, holders.person, current, days)
            heads |= inside & held
            recorded |= inside & (posts.count(names, np.maximum(current, 0), days) > 0)
            current = np.where(inside, context.parent[current], -1).astype(np.int32)
        # Without anybody recorded as head, nothing is known of who heads the unit.
        other = np.where(recorded, rule.shortfall_code, findings.NO_DATA)
        return holders.block(rule, np.where(heads, findings.MET, other), 1, heads)

    def message(self, finding: Finding) -> str:
        said = f"“{finding.rule.title}”"
        named = wording.labels(finding.rule, "post", finding.rule.parameters["posts"])
        match finding.verdict:
            case Verdict.MET:
                return f"{said}：书记同时担任单位职务（{named}），符合。"
            case Verdict.NO_DATA:
                return f"{said}：单位负责人（{named}）没有任职记录，暂不判定。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}不适用。"
            case _:
                return f"{said}：书记没有担任单位职务（{named}）。"


def _dates(context: Context, column: str) -> Days:
    """A date of each person, from whichever membership states it."""

    def make() -> Days:
        person, day = context.facts["members"]["id"], context.facts["members"][column]
        found = np.full(context.facts.count("people"), NULL_DAY, dtype=np.int32)
        known = (person >= 0) & (day != NULL_DAY)
        np.maximum.at(found, person[known], day[known])
        return found

    return context.shared(("dates", column), make)
