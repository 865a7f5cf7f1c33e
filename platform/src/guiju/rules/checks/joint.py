"""Joint: an occasion that branches hold together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from guiju.rules import findings
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import Footprint
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule


class Joint(OccasionCheck):
    """How many other branches held the occasion as well; holding it alone is no omission."""

    name = "joint"
    schema = OccasionSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.PARTNERS
    summary = "跨支部联动开展"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, ("occasions", "merged_with")}

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        rows = context.facts["occasions"]
        offsets, other = rows.lists("merged_with")
        source = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(offsets))
        here = np.concatenate([source, other])
        there = np.concatenate([other, source])
        keep = here >= 0
        branch = np.append(context.answerable, np.int32(-1))[rows["organization"]]
        branch = np.append(branch, np.int32(-1))
        place = meetings.place(here[keep])
        partner = branch[there[keep]]
        # An occasion that is not among the facts read is some other organization's.
        apart = (place >= 0) & (partner != branch[here[keep]])
        pairs = np.unique(np.stack([place[apart], partner[apart]], axis=1), axis=0)
        number = np.bincount(pairs[:, 0], minlength=len(meetings)).astype(np.int64)
        verdict = np.where(number > 0, findings.MET, findings.NOT_APPLICABLE)
        return meetings.block(rule, verdict, np.zeros(len(meetings), dtype=np.int64), number)

    def not_reached(self, finding: Finding) -> str:
        return f"{wording.occasion(finding)}“{finding.rule.title}”没有联动的支部，不作要求。"

    def message(self, finding: Finding) -> str:
        assert finding.verdict is Verdict.MET
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        return f"{about}与其他 {finding.observed} 个党支部联动开展。"
