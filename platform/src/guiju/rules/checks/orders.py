"""Orders to put things right: each has a deadline; whether it worked, a person must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks.base import Check, Footprint, ParameterSchema, code_list
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class OrdersSchema(ParameterSchema):
    """The kinds of inspection entry that are orders."""

    kinds = code_list(v.INSPECTION_KINDS, required=True)


class Orders(Check):
    """Each order given by a superior: its deadline and what followed."""

    name = "orders"
    schema = OrdersSchema
    footprint = Footprint.OWN
    summary = "责令整改的时限与结果"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {("inspections", c) for c in ("id", "by", "kind", "done_on", "due_on")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            rows = context.facts["inspections"]
            kinds = rule.parameters["kinds"]
            wanted = [context.facts.position("inspection_kind", kind) for kind in kinds]
            keep = among(rows["kind"], wanted) & context.in_validity(rule, rows["done_on"])
            keep &= (rows["by"] >= 0) & context.applies(rule)[np.maximum(rows["by"], 0)]
            orders = np.flatnonzero(keep).astype(np.int32)
            if len(orders):
                yield self._judge(rule, context, orders)

    def _judge(self, rule: Rule, context: Context, orders: Any) -> Block:
        rows = context.facts["inspections"]
        due = rows["due_on"][orders]
        # Without a deadline the order is not one to put things right "within a time limit".
        verdict = np.select(
            [due == NULL_DAY, due >= context.as_of],
            [rule.shortfall_code, findings.PENDING],
            findings.NEEDS_JUDGEMENT,
        ).astype(np.int8)
        waiting = verdict == findings.PENDING
        return Block(
            rule=rule,
            subject_type="inspection",
            subject=orders,
            organization=context.answerable[rows["by"][orders]],
            verdict=verdict,
            required=np.ones(len(orders), dtype=np.int64),
            observed=due.astype(np.int64),
            evidence=Evidence.single("inspections", orders),
            due=np.where(waiting, due, np.int32(NULL_DAY)).astype(np.int32),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The deadline of the order; None without one."""
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        match finding.verdict:
            case Verdict.PENDING:
                return f"{about}：整改时限至 {finding.due}，尚未届满。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}：整改时限 {finding.observed} 已过，效果是否明显由上级认定。"
            case _:
                return f"{about}：责令整改没有写明时限。"
