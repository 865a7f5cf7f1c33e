"""Scheme: which organizations the standards of this notice are for, by sector.

A notice may come with standards for some sectors only.  An organization of one of
these is under them; one whose sector nobody has entered cannot be placed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import states
from guiju.rules.checks.base import ParameterSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class SchemeSchema(ParameterSchema):
    """The sectors meant, and how the scheme they are under is called."""

    sectors = fields.List(
        fields.String(validate=validate.OneOf(list(v.SECTORS))),
        required=True,
        validate=validate.Length(1),
    )
    scheme = fields.String(required=True, validate=validate.Length(2, 40))


class Scheme(states.StateCheck):
    """Organizations whose sector is one of those named are under the scheme."""

    name = "scheme"
    schema = SchemeSchema
    summary = "按领域适用的标准"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set()

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        sector = context.sector[subjects.organization]
        wanted = [context.facts.position("sector", name) for name in rule.parameters["sectors"]]
        other = np.where(sector < 0, findings.NO_DATA, findings.NOT_APPLICABLE)
        verdict = np.where(among(sector, wanted), findings.MET, other)
        return subjects.block(
            rule,
            verdict,
            np.zeros(len(subjects), dtype=np.int64),
            sector.astype(np.int64),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return rule.parameters["sectors"]

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value < 0 else facts.codes("sector")[value]

    def message(self, finding: Finding) -> str:
        title, scheme = finding.rule.title, finding.rule.parameters["scheme"]
        if finding.verdict is Verdict.NO_DATA:
            return f"“{title}”：没有填写领域，不能确定适用的标准。"
        sector = v.SECTORS[finding.observed]
        if finding.verdict is Verdict.MET:
            return f"“{title}”：领域为{sector}，适用{scheme}。"
        return f"“{title}”：领域为{sector}，不适用{scheme}。"
