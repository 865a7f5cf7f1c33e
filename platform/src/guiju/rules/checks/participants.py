"""Who a meeting is for: everyone on a roster, with people from outside where asked for.

The rule is about who was called, not who came: an excused member was called.  So everyone
on the roster that day should stand in the attendance, present or absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, turnout, wording
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.spells import Spells
from guiju.rules.vocabulary import COMMITTEE_POSTS, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_ROSTERS = {
    "branch": "支部党员",
    "group": "党小组党员",
    "committee": "支部委员",
    "team": "班子成员",
}


class ParticipantsSchema(OccasionSchema):
    """``who`` is called, and which ``classes`` of people from outside come as well."""

    who = fields.String(load_default=None, validate=validate.OneOf(tuple(_ROSTERS)))
    classes = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(max=7),
        metadata={"vocabulary": v.OUTSIDER_CLASSES.name},
    )
    #: Ask for a class only where the branch has people of it on its roster that day.
    if_rostered = fields.Boolean(load_default=False)

    @validates_schema
    def _someone(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("who") and not data.get("classes"):
            raise ValidationError("应写明 who 或 classes")


class Participants(OccasionCheck):
    """How many of those to be called stand in the attendance."""

    name = "participants"
    schema = ParticipantsSchema
    summary = "参加范围"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {
            *occasions.READS,
            *turnout.ATTENDANCE,
            *turnout.POSTS,
            *turnout.ROSTER,
            ("occasions", "expected"),
            ("members", "group"),
        }

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        count = len(meetings)
        wanted, called = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        unknown = np.zeros(count, dtype=np.bool_)
        if rule.parameters["who"]:
            wanted, called = _called(rule.parameters["who"], meetings, context)
            unknown = (called < 0) | (wanted == 0)
        missing = np.zeros(count, dtype=np.int8)
        for bit, code in enumerate(rule.parameters["classes"]):
            came = _outsiders(code, meetings, context)
            if rule.parameters["if_rostered"]:
                came |= ~_rostered(code, meetings, context)
            missing |= ((~came).astype(np.int8) << bit).astype(np.int8)
        recorded = _recorded(meetings, context)
        unknown |= (missing != 0) & ~recorded
        short = (called < wanted) | (missing != 0)
        verdict = np.select([unknown, short], [findings.NO_DATA, rule.shortfall_code], findings.MET)
        block = meetings.block(rule, verdict, wanted, np.maximum(called, 0))
        block.note = missing
        return block

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        if finding.verdict is Verdict.NO_DATA:
            return f"{about}没有完整的出席记录或名册，暂不判定。"
        who = rule.parameters["who"]
        roster = f"{_ROSTERS[who]} {finding.required} 人，列入 {finding.observed} 人" if who else ""
        missing = [
            code for bit, code in enumerate(rule.parameters["classes"]) if finding.note >> bit & 1
        ]
        lacking = wording.labels(rule, "person_class", missing)
        absent = f"没有{lacking}参加的记录" if missing else ""
        said = "，".join(part for part in (roster, absent) if part) or "所列人员均已参加"
        return f"{about}{said}" + ("，符合。" if finding.verdict is Verdict.MET else "。")


def _called(
    who: str, meetings: Meetings, context: Context
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many belong to the circle and how many of them stand in the attendance (-1: unknown)."""
    branch = context.answerable[meetings.organization]
    numbers, belongs = _CIRCLES[who](context)
    owner = branch if who == "branch" else meetings.organization
    wanted = numbers(owner, meetings.day).astype(np.int64)
    named = turnout.of(context).named
    place = meetings.place(named.occasion)
    inside = np.flatnonzero(place >= 0)
    place = place[inside]
    counted = belongs(named.person[inside], owner[place], meetings.day[place])
    called = np.bincount(place[counted], minlength=len(meetings))
    stated = context.facts["occasions"]["expected"][meetings.rows]
    rows = np.bincount(place, minlength=len(meetings)) > 0
    return wanted, np.where(rows, called, np.where(stated < 0, -1, np.minimum(stated, wanted)))


Numbers = Callable[[Codes, Days], NDArray[np.int32]]
Belongs = Callable[[Codes, Codes, Days], Bools]


def _branch(context: Context) -> tuple[Numbers, Belongs]:
    roster = context.facts.roster
    return (
        lambda owners, days: roster.count("party", owners, days),
        lambda people, owners, days: roster.includes("party", people, owners, days),
    )


def _group(context: Context) -> tuple[Numbers, Belongs]:
    roster, group = context.facts.roster, context.facts["members"]["group"]
    in_group = np.where(roster.party, group, -1).astype(np.int32)

    def numbers(owners: Codes, days: Days) -> NDArray[np.int32]:
        spells = context.shared("group spells", lambda: Spells(in_group, roster.start, roster.end))
        return spells.count(owners, days)

    def belongs(people: Codes, owners: Codes, days: Days) -> Bools:
        spell = roster.of_person.latest(people, days)
        return np.asarray((spell >= 0) & (in_group[np.maximum(spell, 0)] == owners))

    return numbers, belongs


def _holders(posts: tuple[str, ...]) -> Callable[[Context], tuple[Numbers, Belongs]]:
    def make(context: Context) -> tuple[Numbers, Belongs]:
        held = context.facts.posts
        return (
            lambda owners, days: held.count(posts, owners, days),
            lambda people, owners, days: held.held_by(posts, people, owners, days),
        )

    return make


_CIRCLES: Mapping[str, Callable[[Context], tuple[Numbers, Belongs]]] = {
    "branch": _branch,
    "group": _group,
    "committee": _holders(COMMITTEE_POSTS),
    "team": _holders(turnout.TEAM_POSTS),
}


def _recorded(meetings: Meetings, context: Context) -> Bools:
    """Whether a meeting has any attendance rows."""
    place = meetings.place(context.facts["attendance"]["occasion"])
    return np.bincount(place[place >= 0], minlength=len(meetings)) > 0


def _rostered(code: str, meetings: Meetings, context: Context) -> Bools:
    """Whether the branch has people of a class on its roster on the day of each meeting."""
    roster = context.facts.roster
    listed = context.facts["members"]["membership_class"] == context.facts.position(
        "member_class", code
    )
    owner = np.where(listed, roster.organization, -1).astype(np.int32)
    branch = context.answerable[meetings.organization]
    return Spells(owner, roster.start, roster.end).count(branch, meetings.day) > 0


def _outsiders(code: str, meetings: Meetings, context: Context) -> Bools:
    """Whether people of a class came: by class, or by a person listed in that class."""
    facts = context.facts
    rows = facts["attendance"]
    coming = [facts.position("attendance", status) for status in ("present", "remote")]
    place = meetings.place(rows["occasion"])
    keep = np.flatnonzero((place >= 0) & among(rows["status"], coming) & (rows["number"] != 0))
    place = place[keep]
    of_class = rows["person_class"][keep] == facts.position("person_class", code)
    person = rows["person"][keep]
    if code in facts.codes("member_class") and len(facts["members"]):
        spell = facts.roster.of_person.latest(person, meetings.day[place])
        position = facts.position("member_class", code)
        listed = facts["members"]["membership_class"][np.maximum(spell, 0)] == position
        of_class |= (person >= 0) & (spell >= 0) & listed
    return np.bincount(place[of_class], minlength=len(meetings)) > 0
