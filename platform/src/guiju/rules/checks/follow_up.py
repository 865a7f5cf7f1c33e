"""Follow-up by groups: after an occasion of the branch, each of its groups holds one of its own.

No deadline is given, so a group that has not yet met is awaited.  A tenant may set a number
of days (D14), whose lapse is a question for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, rosters, streams, wording
from guiju.rules.checks.base import Footprint, code_list
from guiju.rules.checks.occasions import (
    Meetings,
    OccasionCheck,
    OccasionSchema,
    pack_pair,
    unpack_pair,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]


class FollowUpSchema(OccasionSchema):
    """The kinds of occasion by which each group follows up; they are linked by ``merged_with``."""

    by = code_list(v.OCCASION_KINDS, required=True)
    days = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 366)
    )


class FollowUp(OccasionCheck):
    """Groups of the branch that have followed up, against those it has."""

    name = "follow_up"
    schema = FollowUpSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "会后各党小组跟进"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, ("occasions", "merged_with")}

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        groups = np.where(context.is_group, context.branch_of, -1).astype(np.int32)
        place, group = rosters.covering(
            groups, context.opened, context.closed, meetings.organization, meetings.day
        )
        expected = np.bincount(place, minlength=len(meetings))
        at, by, rows = _linked(rule, meetings, context)
        wanted = (place.astype(np.int64) << 32) | group
        have = (at.astype(np.int64) << 32) | by
        done = np.bincount(place[among(wanted, have)], minlength=len(meetings))
        elapsed = np.maximum(context.as_of - meetings.day, 0)
        slow, due = np.zeros(len(meetings), dtype=np.bool_), None
        days = rule.parameters["days"]
        if days is not None:
            spent = context.facts["occasions"]["held_on"][rows] - meetings.day[at]
            punctual = among(wanted, have[spent <= days])
            in_time = np.bincount(place[punctual], minlength=len(meetings))
            slow = (in_time < expected) & (elapsed > days)
        verdict = np.select(
            [expected == 0, slow, done < expected],
            [findings.NOT_APPLICABLE, findings.NEEDS_JUDGEMENT, findings.PENDING],
            findings.MET,
        )
        if days is not None:
            waiting = verdict == findings.PENDING
            due = np.where(waiting, meetings.day + days, np.int32(NULL_DAY)).astype(np.int32)
        block = meetings.block(rule, verdict, expected, pack_pair(done, elapsed), due)
        kept = among(have, wanted)
        block.evidence = Evidence.grouped("occasions", rows[kept], at[kept], len(meetings))
        return block

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value >> 32

    def not_reached(self, finding: Finding) -> str:
        return f"{wording.occasion(finding)}“{finding.rule.title}”不适用：当日没有党小组。"

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        said = f"{about}有 {finding.required} 个党小组，已有 {finding.observed} 个讨论"
        if finding.verdict is Verdict.MET:
            return f"{said}，符合。"
        days = finding.rule.parameters["days"]
        if finding.verdict is Verdict.NEEDS_JUDGEMENT:
            return f"{said}，有党小组超过本单位自定的 {days} 日，是否及时请由人认定。"
        elapsed = unpack_pair(int(finding.block.observed[finding.row]))[1]
        if days is not None:
            return f"{said}，其余党小组请于 {finding.due} 前讨论并登记（本单位自定 {days} 日内）。"
        return f"{said}，已过 {elapsed} 日；文件没有规定时限，其余党小组请及时讨论并登记。"


def _linked(rule: Rule, meetings: Meetings, context: Context) -> tuple[Codes, Codes, Codes]:
    """Occasions by groups that name a meeting, or that it names: place, group and row."""
    rows = context.facts["occasions"]
    stream = streams.of({"source": "occasions", "kinds": rule.parameters["by"]}, context)
    held = np.zeros(len(rows), dtype=np.bool_)
    held[stream.rows] = True
    offsets, target = rows.lists("merged_with")
    source = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(offsets))
    first = np.concatenate([source, target])
    other = np.concatenate([target, source])
    keep = (first >= 0) & (other >= 0) & np.append(held, np.bool_(0))[first]
    first, other = first[keep], other[keep]
    place = meetings.place(other)
    after = rows["held_on"][first] >= np.append(meetings.day, np.int32(0))[place]
    inside = (place >= 0) & after
    return place[inside], rows["organization"][first[inside]], first[inside]
