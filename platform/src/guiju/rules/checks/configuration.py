"""How a notice is set up here: what may not be configured, whom it binds, how its form looks.

These say something about the tenant's own arrangements rather than about records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate

from guiju.rules import findings
from guiju.rules.checks import states
from guiju.rules.checks.base import Check, Footprint, ParameterSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class ForbiddenSchema(ParameterSchema):
    """Settings that must not exist, whatever their value: name → what people call it."""

    settings = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        validate=validate.Length(1, 31),
    )


class ForbiddenSettings(Check):
    """No setting of these names among those of the tenant.

    Guiju refuses such a setting when it is chosen; this looks at those brought in
    with the facts.
    """

    name = "forbidden_settings"
    schema = ForbiddenSchema
    summary = "不得设置的指标"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {("settings", "key")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        present = set(context.facts["settings"].strings("key"))
        for rule in rules:
            subjects = states.subjects(rule, context)
            found = sum(
                1 << bit for bit, name in enumerate(rule.parameters["settings"]) if name in present
            )
            if len(subjects):
                verdict = rule.shortfall_code if found else findings.MET
                number = np.full(len(subjects), found, dtype=np.int64)
                yield subjects.block(
                    rule, np.full(len(subjects), verdict), np.zeros_like(number), number
                )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return []

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The forbidden settings that exist."""
        names = rule.parameters["settings"]
        return [name for bit, name in enumerate(names) if value >> bit & 1]

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        if finding.verdict is Verdict.MET:
            return f"{about}：没有设置文件禁止的指标，符合。"
        called = finding.rule.parameters["settings"]
        found = "、".join(called[name] for name in finding.observed)
        return f"{about}：设置了文件禁止的{found}，应当取消。"


class SingleUnitSchema(ParameterSchema):
    """Nothing to set."""


class SingleUnit(Check):
    """A notice of one unit's branch, applied to that branch alone."""

    name = "single_unit"
    schema = SingleUnitSchema
    footprint = Footprint.TENANT
    summary = "只适用于一个单位的党支部"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set()

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            subjects = states.subjects(rule, context)
            if not len(subjects):
                continue
            there = (context.opened <= context.as_of) & (context.closed >= context.as_of)
            bound = int((context.binds(rule) & there).sum())
            verdict = findings.MET if bound == 1 else findings.NEEDS_JUDGEMENT
            number = np.full(len(subjects), bound, dtype=np.int64)
            yield subjects.block(
                rule, np.full(len(subjects), verdict), np.ones_like(number), number
            )

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        if finding.verdict is Verdict.MET:
            return f"{about}：只绑定本单位一个党支部，符合。"
        return f"{about}：绑定了 {finding.observed} 个党支部，是否属于同一单位请由人确认。"


class LayoutSchema(ParameterSchema):
    """The headings of the form that the notice lays down, in its order."""

    columns = fields.List(fields.String(), required=True, validate=validate.Length(min=2))


class Layout(states.StateCheck):
    """A form of the notice that a report mirrors column by column; nothing can be missed."""

    name = "layout"
    schema = LayoutSchema
    summary = "报表的栏目"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set()

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        number = np.full(len(subjects), len(rule.parameters["columns"]), dtype=np.int64)
        return subjects.block(rule, np.full(len(subjects), findings.MET), number, number)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["columns"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["columns"])

    def message(self, finding: Finding) -> str:
        return f"“{finding.rule.title}”：报表按{'、'.join(finding.required)}各栏编制，符合。"
