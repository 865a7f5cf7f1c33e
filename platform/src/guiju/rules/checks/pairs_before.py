"""Mandatory talks: every pair that must have talked, before each meeting.

The pairs follow from the team and from who oversees which department on the day of the
meeting.  A talk after the meeting cures nothing, and one that served an earlier meeting
serves no later one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, rosters, wording
from guiju.rules.checks.base import Footprint
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema, pack_pair
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import FIRST_DAY, NULL_DAY
from guiju.rules.vocabulary import TEAM_POSTS, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]
Places = NDArray[np.int64]

#: A talk that names no meeting prepares the next one, for at most a year.
_MONTHS = 12
_DAY_BITS = 22


@dataclass(frozen=True)
class Pairs:
    """Two people who must have talked before the meeting at ``place``."""

    place: Places
    one: Codes
    other: Codes


class PairsSchema(OccasionSchema):
    """Which pairs must have talked before each meeting."""

    relation = fields.String(
        required=True,
        validate=validate.OneOf(
            ("secretary_each", "pairwise", "department_heads", "subordinate_heads")
        ),
    )
    #: Every pair, or only everyone in some pair.
    every = fields.Boolean(load_default=True)


class PairsBefore(OccasionCheck):
    """Pairs of people who must talk before a meeting."""

    name = "pairs_before"
    schema = PairsSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "会前必谈的对象逐一谈到"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS) | rosters.READS["posts"]
        found |= {("talks", c) for c in ("id", "person", "partner", "held_on", "occasion")}
        if parameters["relation"] == "department_heads":
            found.add(("posts", "oversees"))
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        pairs = _RELATIONS[rule.parameters["relation"]](meetings, context)
        talked, talk = _talked(pairs, rule, meetings, context)
        expected, done = _totals(pairs, talked, len(meetings), every=rule.parameters["every"])
        verdict = np.select(
            [expected == 0, done < expected],
            [findings.NOT_APPLICABLE, rule.shortfall_code],
            findings.MET,
        )
        block = meetings.block(rule, verdict, expected, pack_pair(done, expected))
        chosen = talk >= 0
        block.evidence = Evidence.grouped("talks", talk[chosen], pairs.place[chosen], len(meetings))
        return block

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value >> 32

    def not_reached(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        return f"{about}不适用：当日没有须谈的对象，或任职、分管记录不全。"

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        noun = "对" if finding.rule.parameters["every"] else "人"
        said = f"{about}会前须谈 {finding.required} {noun}，已谈 {finding.observed} {noun}"
        if finding.verdict is Verdict.MET:
            return f"{said}，符合。"
        return f"{said}，少 {finding.required - finding.observed} {noun}；会后补谈不能代替。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Talks linked to the meeting that were held after it."""
        row = int(finding.block.subject[finding.row])
        held = int(context.facts["occasions"]["held_on"][row])
        talks = context.facts["talks"]
        late = (talks["occasion"] == row) & (talks["held_on"] > held)
        return [
            (context.facts.record_id("talks", talk), "晚于会议")
            for talk in np.flatnonzero(late).tolist()
        ]


# -- who must talk with whom ------------------------------------------------------------


def _team(meetings: Meetings, context: Context) -> tuple[Places, Codes]:
    return rosters.people(context, "team", meetings.organization, meetings.day)


def _secretary_each(meetings: Meetings, context: Context) -> Pairs:
    leader = rosters.people(context, "secretary", meetings.organization, meetings.day)
    return _joined(leader, _team(meetings, context))


def _pairwise(meetings: Meetings, context: Context) -> Pairs:
    """Every two team members other than the secretary, whose talks are a rule of their own."""
    place, person = _team(meetings, context)
    led, leader = rosters.people(context, "secretary", meetings.organization, meetings.day)
    others = ~among((place << 32) | person, (led << 32) | leader)
    rest = (place[others], person[others])
    pairs = _joined(rest, rest)
    once = pairs.one < pairs.other
    return Pairs(pairs.place[once], pairs.one[once], pairs.other[once])


def _department_heads(meetings: Meetings, context: Context) -> Pairs:
    """Each team member with the heads of the departments that he or she oversees."""
    table = context.facts.posts
    oversees = context.facts["posts"]["oversees"]
    owner = np.where(table.holding(TEAM_POSTS) & (oversees >= 0), table.organization, -1)
    place, row = rosters.covering(
        owner, table.start, table.end, meetings.organization, meetings.day
    )
    headed = np.where(table.holding(("department_head",)), table.organization, -1)
    link, head = rosters.covering(
        headed, table.start, table.end, oversees[row].astype(np.int32), meetings.day[place]
    )
    return _distinct(place[link], table.person[row[link]], table.person[head])


def _subordinate_heads(meetings: Meetings, context: Context) -> Pairs:
    """The secretary with the Party and government heads of each town or street below."""
    towns = (context.sector == context.facts.position("sector", "township")) & context.of_kind(
        ("committee", "working_committee", "leading_group", "unit")
    )
    there = towns & (context.parent >= 0)
    owner = np.where(there, context.parent, -1).astype(np.int32)
    place, town = rosters.covering(
        owner, context.opened, context.closed, meetings.organization, meetings.day
    )
    table = context.facts.posts
    headed = np.where(table.holding(("secretary", "administrative_head")), table.organization, -1)
    link, head = rosters.covering(
        headed, table.start, table.end, town.astype(np.int32), meetings.day[place]
    )
    leader = rosters.people(context, "secretary", meetings.organization, meetings.day)
    return _joined(leader, rosters.unique(place[link], table.person[head]))


_RELATIONS: Mapping[str, Callable[[Meetings, Context], Pairs]] = {
    "secretary_each": _secretary_each,
    "pairwise": _pairwise,
    "department_heads": _department_heads,
    "subordinate_heads": _subordinate_heads,
}


def _joined(left: tuple[Places, Codes], right: tuple[Places, Codes]) -> Pairs:
    """Everyone on the left with everyone on the right of the same meeting."""
    place, other = right
    order = np.argsort(left[0], kind="stable")
    known, person = left[0][order], left[1][order]
    first = np.searchsorted(known, place, "left")
    length = np.searchsorted(known, place, "right") - first
    source = np.repeat(np.arange(len(place)), length)
    step = np.arange(len(source)) - np.repeat(np.cumsum(length) - length, length)
    return _distinct(place[source], person[first[source] + step], other[source])


def _distinct(place: Places, one: Codes, other: Codes) -> Pairs:
    """Each pair once at each meeting; nobody talks with himself."""
    keep = (one != other) & (one >= 0) & (other >= 0)
    triples = np.stack([place[keep], one[keep], other[keep]], axis=1)
    found = np.unique(triples, axis=0) if len(triples) else triples
    return Pairs(found[:, 0], found[:, 1].astype(np.int32), found[:, 2].astype(np.int32))


def _totals(
    pairs: Pairs, talked: Bools, count: int, *, every: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Expected and done at each meeting: pairs, or people in some pair."""
    if every:
        expected = np.bincount(pairs.place, minlength=count)
        return expected, np.bincount(pairs.place[talked], minlength=count)
    everyone = rosters.unique(
        np.concatenate([pairs.place, pairs.place]), np.concatenate([pairs.one, pairs.other])
    )
    reached = rosters.unique(
        np.concatenate([pairs.place[talked], pairs.place[talked]]),
        np.concatenate([pairs.one[talked], pairs.other[talked]]),
    )
    return np.bincount(everyone[0], minlength=count), np.bincount(reached[0], minlength=count)


# -- who did -------------------------------------------------------------------------------


def _talked(pairs: Pairs, rule: Rule, meetings: Meetings, context: Context) -> tuple[Bools, Codes]:
    """Whether each pair talked in preparation of its meeting, and the last such talk."""
    talks = context.facts["talks"]
    since = _since(rule, meetings, context)[pairs.place]
    until = meetings.day[pairs.place]
    free = _last(pairs, np.flatnonzero(talks["occasion"] < 0), until, context)
    found = (free >= 0) & (np.append(talks["held_on"], NULL_DAY)[free] > since)
    free = np.where(found, free, -1)
    linked = _linked(pairs, meetings, context)
    talk = np.where(linked >= 0, linked, free).astype(np.int32)
    return talk >= 0, talk


def _since(rule: Rule, meetings: Meetings, context: Context) -> Days:
    """The day after which a talk that names no meeting prepares each of these."""
    order = np.lexsort((meetings.day, meetings.organization))
    organization, day = meetings.organization[order], meetings.day[order]
    same = np.append(False, organization[1:] == organization[:-1])
    before = np.where(same, np.append(np.int32(FIRST_DAY), day[:-1]), np.int32(FIRST_DAY))
    since = np.empty(len(day), dtype=np.int32)
    since[order] = np.maximum(before, periods.add_months(day, -_MONTHS))
    return since


def _pair_key(one: Codes, other: Codes, people: int) -> Places:
    low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other)
    key: Places = low * people + high
    return key


def _last(pairs: Pairs, rows: Places, until: Days, context: Context) -> Codes:
    """The last talk among ``rows`` that each pair held, not after ``until``; -1 for none."""
    talks, people = context.facts["talks"], context.facts.count("people") + 1
    keep = (talks["person"][rows] >= 0) & (talks["partner"][rows] >= 0)
    keep &= (talks["held_on"][rows] <= context.as_of) & (talks["held_on"][rows] != NULL_DAY)
    rows = rows[keep]
    key = _pair_key(talks["person"][rows], talks["partner"][rows], people)
    stamp = (key << _DAY_BITS) + (talks["held_on"][rows] - FIRST_DAY)
    order = np.argsort(stamp, kind="stable")
    stamp, key, rows = stamp[order], key[order], rows[order]
    if not len(rows):
        return np.full(len(until), -1, dtype=np.int32)
    wanted = _pair_key(pairs.one, pairs.other, people)
    place = np.searchsorted(stamp, (wanted << _DAY_BITS) + (until - FIRST_DAY), "right") - 1
    good = (place >= 0) & (key[np.maximum(place, 0)] == wanted)
    return np.where(good, rows[np.maximum(place, 0)], -1).astype(np.int32)


def _linked(pairs: Pairs, meetings: Meetings, context: Context) -> Codes:
    """A talk of each pair that names the meeting it prepares, held not after it; -1 for none."""
    talks = context.facts["talks"]
    place = meetings.place(talks["occasion"])
    held = np.append(meetings.day, np.int32(FIRST_DAY))[place]
    keep = (place >= 0) & (talks["person"] >= 0) & (talks["partner"] >= 0)
    rows = np.flatnonzero(keep & (talks["held_on"] <= held) & (talks["held_on"] != NULL_DAY))
    have = _triples(place[rows], talks["person"][rows], talks["partner"][rows])
    want = _triples(pairs.place, pairs.one, pairs.other)
    known, number = np.unique(np.concatenate([have, want]), axis=0, return_inverse=True)
    talk = np.full(len(known), -1, dtype=np.int32)
    talk[number[: len(have)]] = rows
    return talk[number[len(have) :]]


def _triples(place: NDArray[Any], one: Codes, other: Codes) -> Places:
    """Meeting and pair as rows, the pair in ascending order."""
    columns = [place, np.minimum(one, other), np.maximum(one, other)]
    return np.stack([column.astype(np.int64) for column in columns], axis=1)
