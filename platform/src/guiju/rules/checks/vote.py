"""Vote: what was recorded as passed has more than the fraction of those who should attend.

Ayes are counted as they stand; abstentions and empty papers are simply no ayes.  Of
several votes at one occasion the worst decides.  Kinds of vote with rules of their own
are left to judgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import code_list, ratio_field
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

_COLUMNS = ("occasion", "vote_type", "should_attend", "ayes", "outcome")


class VoteSchema(OccasionSchema):
    """The fraction of those who should attend that ayes must exceed (or reach, if inclusive).

    Votes of the types in ``judged_elsewhere`` have rules of their own.
    """

    ratio = ratio_field(required=True)
    inclusive = fields.Boolean(load_default=False)
    judged_elsewhere = code_list(v.VOTE_TYPES)


class Vote(OccasionCheck):
    """Ayes against those who should attend, compared as integers."""

    name = "vote"
    schema = VoteSchema
    summary = "表决通过的票数"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, *(("votes", column) for column in _COLUMNS)}

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        votes = context.facts["votes"]
        place = meetings.place(votes["occasion"])
        keep = np.flatnonzero(place >= 0)
        place = place[keep]
        n, ayes = votes["should_attend"][keep].astype(np.int64), votes["ayes"][keep]
        part, whole = rule.parameters["ratio"]
        over = whole * ayes.astype(np.int64) - part * n
        passes = over >= 0 if rule.parameters["inclusive"] else over > 0
        outcome = votes["outcome"][keep]
        rejected = outcome == context.facts.position("vote_outcome", "rejected")
        # Where no outcome is stated, the item is taken to be carried.
        right = passes != rejected
        types = [
            context.facts.position("vote_type", code)
            for code in rule.parameters["judged_elsewhere"]
        ]
        elsewhere = among(votes["vote_type"][keep], types)
        rank = np.select([elsewhere, right], [1, 0], 2)
        # The worst comes last, so that it is the one that stays.
        order = np.lexsort((-over, rank))
        count = len(meetings)
        worst = np.full(count, -1, dtype=np.int64)
        least, shown = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
        enough = -(-part * n // whole) if rule.parameters["inclusive"] else part * n // whole + 1
        worst[place[order]] = rank[order]
        least[place[order]], shown[place[order]] = enough[order], ayes[order]
        verdict = np.select(
            [worst < 0, worst == 0, worst == 1],
            [findings.NOT_APPLICABLE, findings.MET, findings.NEEDS_JUDGEMENT],
            rule.shortfall_code,
        )
        return meetings.block(rule, verdict, least, shown)

    def observed(self, rule: Rule, value: int, facts: Any) -> Any:
        return None if value < 0 else value

    def not_reached(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        return f"{about}没有表决的记录，不作判定。"

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        said = f"{about}赞成 {finding.observed} 票，通过至少须 {finding.required} 票"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，记录的结果与此相符。"
            case Verdict.NEEDS_JUDGEMENT:
                types = wording.labels(rule, "vote_type", rule.parameters["judged_elsewhere"])
                return f"{said}；{types}另有专门规定，请由人对照认定。"
            case _:
                return f"{said}，与记录的结果不符（没有写明结果的，按通过看）。"
