"""Decided at: a grade is given by the meeting to which the notice reserves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.checks import grades, wording
from guiju.rules.checks.base import FIRST_PERIOD, ParameterSchema, code_list
from guiju.rules.findings import Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class DecidedAtSchema(ParameterSchema):
    """Grades (any, if none named) that only an occasion of these kinds gives to members."""

    kinds = code_list(v.OCCASION_KINDS, required=True)
    grades = fields.List(fields.String(), load_default=list)


class DecidedAt(grades.OfGrades):
    """The occasion at which each grade on record was decided."""

    name = "decided_at"
    schema = DecidedAtSchema
    summary = "等次由规定的会议认定"
    rests_on = frozenset({FIRST_PERIOD})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*grades.READS, ("appraisals", "occasion"), ("occasions", "kinds")}

    def verdicts(
        self, rule: Rule, context: Context, graded: grades.Graded
    ) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
        rows = context.facts["appraisals"]
        labels = rows.strings("grade") if len(graded) else []
        wanted = rule.parameters["grades"]
        named = [labels[row] for row in graded.rows.tolist()]
        chosen = np.array([bool(name) and (not wanted or name in wanted) for name in named])
        occasion = rows["occasion"][graded.rows]
        kinds = np.append(context.facts["occasions"]["kinds"], np.uint64(0))[occasion]
        right = (kinds & context.facts.mask("occasion_kind", rule.parameters["kinds"])) != 0
        verdict = np.select(
            [right, occasion < 0],
            [findings.MET, findings.NEEDS_JUDGEMENT],
            rule.shortfall_code,
        )
        return chosen.astype(np.bool_), verdict.astype(np.int8)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The grade."""
        return facts["appraisals"].strings("grade")[value]

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["kinds"])

    def message(self, finding: Finding) -> str:
        about = f"{finding.period_text}“{finding.rule.title}”：{finding.observed}"
        body = wording.labels(finding.rule, "occasion_kind", finding.required)
        match finding.verdict:
            case Verdict.MET:
                return f"{about}由{body}认定，符合。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}没有登记在哪次会议认定，应由{body}认定，请由人确认。"
            case _:
                return f"{about}不是由{body}认定的。"
