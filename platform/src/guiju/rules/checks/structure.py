"""Structure: how a branch or unit is made up on a day, as numbers within limits.

Members by class, committee, posts, groups, units covered: each is a number of an
organization on the day judged.  A rule limits some of them, and may hold only where
another number is within a range ("seven full members call for a committee").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules.checks import states
from guiju.rules.checks.base import INCOMPLETE, Footprint, ParameterSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.spells import bounds
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Measure = Callable[["Context", Codes], Codes]

#: Numbers are packed into a finding with 16 bits each.
_BITS, _LOW = 16, 0xFFFF
_POSTS = frozenset(("posts", c) for c in ("person", "organization", "post", "from_on", "until_on"))
_ROSTER = frozenset(
    ("members", c) for c in ("id", "organization", "membership_class", "from_on", "until_on")
)

_REGISTER = frozenset(
    ("register", c) for c in ("organization", "item", "since_on", "until_on", "number")
)


def _today(context: Context, organizations: Codes) -> Codes:
    return np.full(len(organizations), context.as_of, dtype=np.int32)


def _members(group: str) -> Measure:
    """Members of a roster group; unknown where the organization has no roster at all."""

    def measure(context: Context, organizations: Codes) -> Codes:
        roster = context.facts.roster
        known = np.bincount(roster.organization[roster.organization >= 0], minlength=context.size)
        number = roster.count(group, organizations, _today(context, organizations))
        return np.where(known[organizations] > 0, number, -1).astype(np.int32)

    return measure


def _of_unit(context: Context, organizations: Codes) -> Codes:
    """Full members of a unit, as registered; else those of the branches directly in it."""
    rows = _current(context, "unit_members")
    stated = np.full(context.size, -1, dtype=np.int32)
    register = context.facts["register"]
    stated[register["organization"][rows]] = register["number"][rows]
    roster = _members("full")(context, np.arange(context.size, dtype=np.int32))
    branches = np.flatnonzero(context.is_branch & (context.parent >= 0) & (roster >= 0))
    below = np.bincount(
        context.parent[branches], weights=roster[branches], minlength=context.size
    ).astype(np.int32)
    known = np.bincount(context.parent[branches], minlength=context.size) > 0
    counted = np.where(known, below, -1)
    return np.where(stated >= 0, stated, counted)[organizations].astype(np.int32)


def _current(context: Context, item: str) -> Codes:
    """Rows of the register about an item that hold today, oldest first."""
    register = context.facts["register"]
    first, last = bounds(register, "since_on", "until_on")
    wanted = register["item"] == context.facts.position("register_item", item)
    now = (first <= context.as_of) & (last >= context.as_of) & (register["organization"] >= 0)
    rows = np.flatnonzero(wanted & now)
    return rows[np.argsort(first[rows], kind="stable")].astype(np.int32)


def _holders(*posts: str) -> Measure:
    """Holders of posts; unknown where no post was ever recorded and nothing is attested."""

    def measure(context: Context, organizations: Codes) -> Codes:
        number = context.facts.posts.count(posts, organizations, _today(context, organizations))
        return _known_posts(context, organizations, number)

    return measure


def _known_posts(context: Context, organizations: Codes, number: Codes) -> Codes:
    owner = context.facts.posts.organization
    recorded = np.bincount(owner[owner >= 0], minlength=context.size)[organizations] > 0
    known = recorded | states.attested(context, organizations)
    return np.where(known | (number > 0), number, -1).astype(np.int32)


def _committee_members(context: Context, organizations: Codes) -> Codes:
    number = context.committee_size(organizations, _today(context, organizations))
    return _known_posts(context, organizations, number)


def _has_committee(context: Context, organizations: Codes) -> Codes:
    holds = context.holds(["has_committee"], organizations, _today(context, organizations))
    stated = context.facts["organizations"]["has_committee"][organizations] >= 0
    counted = _known_posts(context, organizations, holds.astype(np.int32))
    return np.where(stated, holds, counted).astype(np.int32)


def _units_covered(context: Context, organizations: Codes) -> Codes:
    return context.facts["organizations"]["units_covered"][organizations]


def _existing(context: Context, wanted: Bools, owners: Codes) -> Codes:
    """How many organizations of a kind exist today, by owner."""
    there = wanted & (context.opened <= context.as_of) & (context.closed >= context.as_of)
    chosen = owners[there & (owners >= 0)]
    return np.bincount(chosen, minlength=context.size).astype(np.int32)


def _branches(context: Context, organizations: Codes) -> Codes:
    """Branches set up directly in a unit."""
    return _existing(context, context.is_branch, context.parent)[organizations]


def _joint_branches(context: Context, organizations: Codes) -> Codes:
    """Joint branches by which a unit is registered as covered today."""
    owner = context.facts["register"]["organization"][_current(context, "covered_by")]
    return np.bincount(owner, minlength=context.size).astype(np.int32)[organizations]


def _groups(context: Context, organizations: Codes) -> Codes:
    return _existing(context, context.is_group, context.branch_of)[organizations]


def _leaderless_groups(context: Context, organizations: Codes) -> Codes:
    """Groups of a branch that have no leader today."""
    groups = np.flatnonzero(context.is_group).astype(np.int32)
    leaders = context.facts.posts.count(("group_leader",), groups, _today(context, groups))
    led, without = (np.zeros(context.size, dtype=np.bool_) for _ in range(2))
    led[groups], without[groups] = leaders > 0, leaders == 0
    number = _existing(context, without, context.branch_of)[organizations]
    # Where no group at all has a leader on record, leaders are probably not recorded.
    some = _existing(context, led, context.branch_of)[organizations] > 0
    known = some | (number == 0) | states.attested(context, organizations)
    return np.where(known, number, -1).astype(np.int32)


def _own_unit(context: Context, organizations: Codes) -> Codes:
    """1 where a branch stands directly under an internal division or other unit."""
    parent = context.parent[organizations]
    units = context.of_kind(("unit",)) | (context.facts["organizations"]["internal"] == 1)
    return ((parent >= 0) & units[parent]).astype(np.int32)


#: What can be limited: name → (noun, measure word, columns, how it is counted; -1 unknown).
MEASURES: dict[str, tuple[str, str, frozenset[tuple[str, str]], Measure]] = {
    "full_members": ("正式党员", "名", _ROSTER, _members("full")),
    "party_members": ("党员", "名", _ROSTER, _members("party")),
    "unit_members": ("本单位正式党员", "名", _ROSTER | _REGISTER, _of_unit),
    "has_committee": ("支部委员会", "个", _POSTS, _has_committee),
    "committee_members": ("委员", "名", _POSTS, _committee_members),
    "secretaries": ("书记", "名", _POSTS, _holders("secretary")),
    "deputies": ("副书记", "名", _POSTS, _holders("deputy_secretary")),
    "units_covered": (
        "覆盖单位",
        "个",
        frozenset({("organizations", "units_covered")}),
        _units_covered,
    ),
    "branches": ("本单位党支部", "个", frozenset(), _branches),
    "joint_branches": ("覆盖本单位的联合党支部", "个", _REGISTER, _joint_branches),
    "groups": ("党小组", "个", frozenset(), _groups),
    "leaderless_groups": ("没有组长的党小组", "个", _POSTS, _leaderless_groups),
    "own_unit": (
        "所在处室（科室）",
        "个",
        frozenset({("organizations", "internal")}),
        _own_unit,
    ),
}


class _RangeSchema(ParameterSchema):
    """A number with its least and greatest value, both included."""

    count = fields.String(required=True, validate=validate.OneOf(list(MEASURES)))
    min = fields.Integer(strict=True, load_default=None, validate=validate.Range(0, 10_000))
    max = fields.Integer(strict=True, load_default=None, validate=validate.Range(0, 10_000))
    #: What a number outside means: short, or for a person to judge.
    outside = fields.String(
        load_default="shortfall", validate=validate.OneOf(("shortfall", "needs_judgement"))
    )


class StructureSchema(ParameterSchema):
    """Limits, and the range of other numbers outside which they do not apply."""

    limits = fields.List(fields.Nested(_RangeSchema), required=True, validate=validate.Length(1, 3))
    when = fields.List(fields.Nested(_RangeSchema), load_default=list)
    #: Whether a number above its ``max`` is short; some upper numbers are named twice.
    ceiling = fields.Boolean(load_default=True)
    #: Count other members than the limits say: replaces the measure of every limit.
    count_as = fields.String(load_default=None, validate=validate.OneOf(list(MEASURES)))
    #: The size from which a tenant calls a branch large; 0 where it has set none.
    large_from = fields.Integer(strict=True, load_default=None, validate=validate.Range(0))


class Structure(states.StateCheck):
    """Numbers of an organization on the day judged, each within its limits."""

    name = "structure"
    schema = StructureSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.SUBORDINATES | Footprint.SUPERIORS
    summary = "设置与人数"
    rests_on = frozenset({INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for entry in (*parameters["limits"], *parameters["when"]):
            found |= MEASURES[entry["count"]][2]
        if parameters["count_as"]:
            found |= MEASURES[parameters["count_as"]][2]
        if parameters["large_from"] is not None:
            found |= _ROSTER
        return found

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        organization = subjects.organization
        reached = np.ones(len(subjects), dtype=np.bool_)
        unknown = np.zeros(len(subjects), dtype=np.bool_)
        for entry in rule.parameters["when"]:
            number = _measure(context, entry["count"], organization)
            unknown |= number < 0
            reached &= (number < 0) | _within(number, entry)
        short, doubtful = (np.zeros(len(subjects), dtype=np.bool_) for _ in range(2))
        observed = np.zeros(len(subjects), dtype=np.int64)
        missing = np.zeros(len(subjects), dtype=np.bool_)
        for entry in _limits(rule):
            number = _measure(context, entry["count"], organization)
            missing |= number < 0
            outside = (number >= 0) & ~_within(number, entry)
            if entry["outside"] == "shortfall":
                short |= outside
            else:
                doubtful |= outside
            observed = (observed << _BITS) | np.where(number < 0, _LOW, number)
        verdict = np.select(
            [short, doubtful, missing],
            [rule.shortfall_code, findings.NEEDS_JUDGEMENT, findings.NO_DATA],
            findings.MET,
        )
        verdict = np.where(unknown, findings.NO_DATA, verdict)
        verdict = np.where(reached, verdict, findings.NOT_APPLICABLE)
        verdict = self._of_size(rule, context, organization, verdict)
        return subjects.block(
            rule, verdict, np.zeros(len(subjects), dtype=np.int64), observed.astype(np.int64)
        )

    def _of_size(
        self, rule: Rule, context: Context, organization: Codes, verdict: NDArray[Any]
    ) -> NDArray[Any]:
        """Leave out branches that the tenant does not call large; without a number, ask."""
        large = rule.parameters["large_from"]
        if not large:
            return verdict
        number = _measure(context, "party_members", organization)
        small = (number >= 0) & (number < large) & (verdict != findings.MET)
        return np.where(small, findings.NOT_APPLICABLE, verdict)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        found = [_asked(entry) for entry in _limits(rule)]
        return found[0] if len(found) == 1 else found

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        number = len(rule.parameters["limits"])
        parts = [value >> _BITS * (number - 1 - i) & _LOW for i in range(number)]
        found = [None if part == _LOW else part for part in parts]
        return found[0] if number == 1 else found

    def message(self, finding: Finding) -> str:
        rule, title = finding.rule, finding.rule.title
        observed = finding.observed
        numbers = observed if isinstance(observed, list) else [observed]
        said = "，".join(
            f"{MEASURES[entry['count']][0]} {number} {MEASURES[entry['count']][1]}"
            for entry, number in zip(_limits(rule), numbers, strict=True)
            if number is not None
        )
        asked = "、".join(_limit_text(*_bounds(entry)) for entry in _limits(rule))
        # Between a Chinese word and a numeral stands a space.
        asked = f" {asked}" if asked[0].isdigit() else asked
        match finding.verdict:
            case Verdict.MET:
                return f"“{title}”：{said}，要求{asked}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"“{title}”不适用：人数或设置不在本条范围内。"
            case Verdict.NO_DATA:
                return f"“{title}”：名册或任职记录不全，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"“{title}”：{said}；文件没有规定数量，是否需要请由人认定。"
            case _:
                return f"“{title}”：{said}，要求{asked}，不在范围内。"


def _limits(rule: Rule) -> list[dict[str, Any]]:
    """The limits under the chosen reading."""
    instead, ceiling = rule.parameters["count_as"], rule.parameters["ceiling"]
    return [
        {
            "count": instead or entry["count"],
            "min": entry["min"],
            "max": entry["max"] if ceiling else None,
            "outside": entry["outside"],
        }
        for entry in rule.parameters["limits"]
    ]


def _bounds(entry: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return entry["min"], entry["max"]


def _asked(entry: Mapping[str, Any]) -> Any:
    low, high = _bounds(entry)
    if low is None or high is None or low == high:
        return high if low is None else low
    return [low, high]


def _limit_text(low: int | None, high: int | None) -> str:
    """At least, at most, or between, in Chinese."""
    if high is None:
        return f"不少于 {low}"
    if low is None:
        return f"不超过 {high}"
    return f"{low}" if low == high else f"{low} 至 {high}"


def _measure(context: Context, name: str, organizations: Codes) -> Codes:
    """The number ``name`` of each organization today, counted once for all rules."""

    def make() -> Codes:
        return MEASURES[name][3](context, np.arange(context.size, dtype=np.int32))

    return context.shared(("structure", name), make)[organizations]


def _within(number: Codes, entry: Mapping[str, Any]) -> Bools:
    low, high = _bounds(entry)
    inside = np.ones(len(number), dtype=np.bool_)
    if low is not None:
        inside &= number >= low
    if high is not None:
        inside &= number <= high
    return inside
