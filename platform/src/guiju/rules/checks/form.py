"""Form of a meeting: an assembly, a committee meeting, a group meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Strictness, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class FormSchema(OccasionSchema):
    """The forms in which occasions of these kinds may be held."""

    allowed = code_list(v.FORMS, required=True)


class Form(OccasionCheck):
    """The form stated, or implied by another kind of the occasion or by the group holding it."""

    name = "form"
    schema = FormSchema
    summary = "会议形式"

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        form = occasions.forms(context)[meetings.rows].astype(np.int64)
        allowed = [context.facts.position("form", code) for code in rule.parameters["allowed"]]
        verdict = np.select(
            [form < 0, among(form, allowed)],
            [findings.NO_DATA, findings.MET],
            rule.shortfall_code,
        )
        mask = np.int64(context.facts.mask("form", rule.parameters["allowed"]))
        return meetings.block(rule, verdict, np.full(len(meetings), mask), form)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["allowed"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value < 0 else facts.codes("form")[value]

    def not_reached(self, finding: Finding) -> str:
        if finding.rule.strictness is not Strictness.MAY or finding.observed is None:
            return super().not_reached(finding)
        held = wording.label(finding.rule, "form", finding.observed)
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        return f"{about}以{held}形式召开；这是可选的做法，不作要求。"

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        asked = wording.labels(rule, "form", finding.required)
        if finding.observed is None:
            return f"{about}没有记录会议形式，暂不判定；可采用的形式是{asked}。"
        held = wording.label(rule, "form", finding.observed)
        match finding.verdict:
            case Verdict.MET:
                return f"{about}以{held}形式召开，符合。"
            case _:
                return f"{about}以{held}形式召开，规定的形式是{asked}。"
