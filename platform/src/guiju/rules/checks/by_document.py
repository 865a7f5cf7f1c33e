"""By another document: a meeting that a campaign orders follows the superior's instructions.

What that document asks is not here, so a person compares; other meetings are not concerned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from guiju.rules import findings
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule


class ByDocument(OccasionCheck):
    """Meetings held under a superior's document."""

    name = "by_document"
    schema = OccasionSchema
    summary = "按上级文件召开的会议"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, ("occasions", "campaign_document")}

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        ordered = context.facts["occasions"]["campaign_document"][meetings.rows] >= 0
        verdict = np.where(ordered, findings.NEEDS_JUDGEMENT, findings.NOT_APPLICABLE)
        wanted = np.zeros(len(meetings), dtype=np.int64)
        return meetings.block(rule, verdict, wanted, ordered.astype(np.int64))

    def not_reached(self, finding: Finding) -> str:
        return f"{wording.occasion(finding)}“{finding.rule.title}”不适用：没有登记上级文件。"

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        assert finding.verdict is Verdict.NEEDS_JUDGEMENT
        return f"{about}登记了上级文件，是否按该文件执行请由人对照认定。"
