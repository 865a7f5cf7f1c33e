"""Meetings of a leading team: so many in each year.

They differ from other counts in three ways: a meeting that lacks its quorum was not held,
one held in January may be meant for the year before, and one that a campaign orders
follows the superior's instructions instead of the local number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import streams, turnout
from guiju.rules.checks.base import ROSTER_DAY, ratio_field
from guiju.rules.checks.count import Count, CountSchema, Placed
from guiju.rules.findings import Block
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import TEAM_POSTS

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule


class TeamMeetingSchema(CountSchema):
    """As for a count of occasions, by year."""

    #: What decides which year a meeting belongs to: its date, or the year it was held for.
    year_of = fields.String(
        load_default="held_on", validate=validate.OneOf(("held_on", "for_year"))
    )
    #: A meeting held by a superior's campaign document: the local number rests, or it counts.
    campaign = fields.String(load_default="counts", validate=validate.OneOf(("counts", "suspends")))

    #: The fraction of the team without which a meeting does not count as held (D10).
    quorum = ratio_field(load_default=None, allow_none=True)
    members_only = fields.Boolean(load_default=False)
    count_inquorate = fields.Boolean(load_default=False)


class TeamMeeting(Count):
    """At least ``min`` meetings of the team in each year."""

    name = "team_meeting"
    schema = TeamMeetingSchema
    summary = "班子每年会议次数"

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        return super().readings(parameters) | ({ROSTER_DAY} if parameters.get("quorum") else set())

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = streams.reads(parameters)
        found |= {("occasions", "for_year"), ("occasions", "campaign_document")}
        if parameters["quorum"]:
            found |= turnout.COUNTS | turnout.POSTS | turnout.ROSTER
        return found

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        stream = streams.of(rule.parameters, context)
        if rule.parameters["quorum"] and not rule.parameters["count_inquorate"]:
            stream = stream.take(_quorate(stream, rule, context))
        grid = context.grid(rule, unit, low, high)
        period = periods.indices(stream.day, unit)
        if rule.parameters["year_of"] == "for_year":
            label = context.facts["occasions"]["for_year"][stream.rows]
            period = np.where(label < 0, period, label - periods.EPOCH.year).astype(np.int32)
        place = grid.place(stream.organization, period)
        campaign = context.facts["occasions"]["campaign_document"][stream.rows] >= 0
        if rule.parameters["campaign"] == "counts":
            campaign[:] = False
        inside = (place >= 0) & ~campaign
        placed = Placed(grid, unit, stream.take(inside), place[inside])
        block = self.conclude(rule, context, placed)
        ordered = np.zeros(len(grid), dtype=np.bool_)
        ordered[place[(place >= 0) & campaign]] = True
        short = ordered & (block.verdict != findings.MET)
        block.verdict = np.where(short, findings.NOT_APPLICABLE, block.verdict).astype(np.int8)
        block.due = context.due(block.verdict, grid.period, unit)
        return block


def _quorate(stream: streams.Stream, rule: Rule, context: Context) -> NDArray[np.bool_]:
    """Meetings at which enough of the team were; unknown presence is not held against one."""
    counted = turnout.of(context, rule.parameters["roster_day"])
    only = rule.parameters["members_only"]
    seats = counted.holders(TEAM_POSTS, stream.rows, members_only=only)
    came = counted.came(TEAM_POSTS, stream.rows, members_only=only)
    part, whole = rule.parameters["quorum"]
    over = whole * came - part * seats
    enough = over >= 0 if rule.parameters["inclusive"] else over > 0
    return np.asarray(enough | (came < 0) | (seats <= 0))
