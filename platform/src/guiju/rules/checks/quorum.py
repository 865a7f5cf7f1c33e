"""Quorum: enough of those with a seat or a vote are there (D1: exactly the fraction counts)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules.checks import occasions, turnout, wording
from guiju.rules.checks.base import ROSTER_DAY, ratio_field, reading_field
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import COMMITTEE_POSTS, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Numbers = NDArray[np.int64]

_SEATS = {"voting": "有表决权的党员", "committee": "支部委员", "team": "班子成员"}


class QuorumSchema(OccasionSchema):
    """Whose presence counts, and which fraction of them must be there.

    ``inclusive`` says whether exactly the fraction is enough; ``for_votes`` limits the
    rule to occasions at which something was put to the vote; ``members_only`` leaves
    holders of seats who are not Party members out.
    """

    of = fields.String(required=True, validate=validate.OneOf(tuple(_SEATS)))
    ratio = ratio_field(required=True)
    inclusive = fields.Boolean(load_default=True)
    for_votes = fields.Boolean(load_default=False)
    members_only = fields.Boolean(load_default=False)
    roster_day = reading_field(ROSTER_DAY)


class Quorum(OccasionCheck):
    """Present against expected, compared as integers."""

    name = "quorum"
    schema = QuorumSchema
    summary = "到会人数达到规定比例"
    rests_on = frozenset({ROSTER_DAY})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {*occasions.READS, *turnout.COUNTS}
        if parameters["of"] == "voting":
            votes = ("occasion", "should_attend", "present")
            return found | turnout.ROSTER | {("votes", column) for column in votes}
        members = turnout.ROSTER if parameters["members_only"] else frozenset()
        return found | turnout.POSTS | members

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        seats, present = _numbers(rule, meetings, context)
        part, whole = rule.parameters["ratio"]
        over = whole * present - part * seats
        enough = over >= 0 if rule.parameters["inclusive"] else over > 0
        unknown = (seats <= 0) | (present < 0)
        verdict = np.select(
            [unknown, enough], [findings.NO_DATA, findings.MET], rule.shortfall_code
        )
        if rule.parameters["for_votes"]:
            # Too few for a vote is no breach where no vote was taken.
            idle = ~_voted(meetings, context) & (verdict != findings.MET)
            verdict = np.where(idle, findings.NOT_APPLICABLE, verdict)
        least = _least(seats, part, whole, inclusive=rule.parameters["inclusive"])
        return meetings.block(rule, verdict, least, np.where(unknown, -1, present))

    def observed(self, rule: Rule, value: int, facts: Any) -> Any:
        return None if value < 0 else value

    def not_reached(self, finding: Finding) -> str:
        if finding.rule.parameters["for_votes"] and finding.observed is not None:
            about = f"{wording.occasion(finding)}“{finding.rule.title}”"
            return f"{about}到会 {finding.observed} 人，没有进行表决，不作判定。"
        return super().not_reached(finding)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        if finding.observed is None:
            return f"{about}没有到会人数或应到人数，暂不判定。"
        said = (
            f"{about}到会{_SEATS[rule.parameters['of']]} {finding.observed} 人，"
            f"至少须 {finding.required} 人"
        )
        if finding.verdict is Verdict.MET:
            return f"{said}，符合。"
        return f"{said}，少 {finding.required - finding.observed} 人。"


def _least(seats: Numbers, part: int, whole: int, *, inclusive: bool) -> Numbers:
    """The smallest number that is enough."""
    return -(-part * seats // whole) if inclusive else part * seats // whole + 1


def _voted(meetings: Meetings, context: Context) -> NDArray[np.bool_]:
    place = meetings.place(context.facts["votes"]["occasion"])
    return np.bincount(place[place >= 0], minlength=len(meetings)) > 0


def _numbers(rule: Rule, meetings: Meetings, context: Context) -> tuple[Numbers, Numbers]:
    """Seats and how many of their holders are there; 0 and -1 where unknown."""
    counted = turnout.of(context, rule.parameters["roster_day"])
    if rule.parameters["of"] == "voting":
        return _at_votes(
            meetings,
            context,
            counted.voting_expected(meetings.rows),
            counted.voting_present(meetings.rows),
        )
    posts = COMMITTEE_POSTS if rule.parameters["of"] == "committee" else turnout.TEAM_POSTS
    only = rule.parameters["members_only"]
    seats = counted.holders(posts, meetings.rows, members_only=only)
    came = counted.came(posts, meetings.rows, members_only=only)
    return np.where(seats > 0, seats, np.maximum(counted.expected(meetings.rows), 0)), came


def _at_votes(
    meetings: Meetings, context: Context, seats: Numbers, present: Numbers
) -> tuple[Numbers, Numbers]:
    """The tallies' own numbers where there are votes: of several, the worst attended."""
    votes = context.facts["votes"]
    place = meetings.place(votes["occasion"])
    inside = place >= 0
    place = place[inside]
    n, p = votes["should_attend"][inside], votes["present"][inside]
    # The worst attended comes last, so that it is the one that stays.
    order = np.argsort(2 * p.astype(np.int64) - n, kind="stable")[::-1]
    seats, present = seats.copy(), present.copy()
    seats[place[order]], present[place[order]] = n[order], p[order]
    return seats, present
