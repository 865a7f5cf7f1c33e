"""Held by: the kind of organization that held each occasion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.checks import wording
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class HeldBySchema(OccasionSchema):
    """The kinds of organization by which such an occasion is held."""

    units = fields.List(
        fields.String(validate=validate.OneOf(list(v.ORGANIZATION_KINDS))),
        required=True,
        validate=validate.Length(min=1),
    )


class HeldBy(OccasionCheck):
    """Occasions of an organization of one of the kinds named."""

    name = "held_by"
    schema = HeldBySchema
    summary = "以何种组织为单位召开"

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        right = context.of_kind(rule.parameters["units"])[meetings.organization]
        verdict = np.where(right, findings.MET, rule.shortfall_code)
        kind = context.kind[meetings.organization].astype(np.int64)
        return meetings.block(rule, verdict, np.zeros(len(meetings), dtype=np.int64), kind)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["units"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return facts.codes("organization_kind")[value]

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        held = wording.label(finding.rule, "organization_kind", finding.observed)
        if finding.verdict is Verdict.MET:
            return f"{about}以{held}为单位召开，符合。"
        asked = wording.labels(finding.rule, "organization_kind", finding.required)
        return f"{about}以{held}为单位召开，一般应以{asked}为单位。"
