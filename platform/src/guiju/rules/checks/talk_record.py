"""Talk by talk: what should have been prepared before it and listed after it.

Whether there is a list is on record, never what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules.checks import wording
from guiju.rules.checks.base import Check, ParameterSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

#: What may be asked for: the column that shows it, and how a message calls it.
NEEDS = {
    "notified": ("notified_on", "提前通知"),
    "outline": ("outline", "谈话提纲"),
    "listed": ("listed", "问题清单"),
}


class TalkRecordSchema(ParameterSchema):
    """What every talk's record shows."""

    needs = fields.List(
        fields.String(validate=validate.OneOf(tuple(NEEDS))),
        required=True,
        validate=validate.Length(min=1),
    )


class TalkRecord(Check):
    """Notice and outline before a talk, a list after it.

    A list that nobody has yet entered is pending, for no deadline is given.
    """

    name = "talk_record"
    schema = TalkRecordSchema
    summary = "谈心谈话前后的准备和清单"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        columns = {"id", "organization", "held_on"} | {NEEDS[need][0] for need in NEEDS}
        return {("talks", column) for column in columns}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            talks = context.facts["talks"]
            bound = np.append(context.applies(rule), np.zeros(1, np.bool_))[talks["organization"]]
            rows = np.flatnonzero(bound & context.in_validity(rule, talks["held_on"]))
            if len(rows):
                yield self._judge(rule, context, rows.astype(np.int32))

    def _judge(self, rule: Rule, context: Context, rows: Codes) -> Block:
        talks = context.facts["talks"]
        organization, day = talks["organization"][rows], talks["held_on"][rows]
        mask = np.zeros(len(rows), dtype=np.int64)
        short, waiting = np.zeros(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
        for bit, need in enumerate(rule.parameters["needs"]):
            there = _there(need, context, rows)
            mask |= there.astype(np.int64) << bit
            if need == "listed":
                waiting |= talks["listed"][rows] < 0
                short |= talks["listed"][rows] == 0
            else:
                short |= ~there
        verdict = np.select([short, waiting], [rule.shortfall_code, findings.PENDING], findings.MET)
        judged = context.holds(rule.requirement.applies_to.conditions, organization, day)
        wanted = np.full(len(rows), (1 << len(rule.parameters["needs"])) - 1, dtype=np.int64)
        return Block(
            rule=rule,
            subject_type="talk",
            subject=rows,
            organization=context.answerable[organization],
            verdict=np.where(judged, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=wanted,
            observed=mask,
            evidence=Evidence.single("talks", rows),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["needs"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return [need for bit, need in enumerate(rule.parameters["needs"]) if value >> bit & 1]

    def message(self, finding: Finding) -> str:
        row = int(finding.block.subject[finding.row])
        held = wording.day(int(finding.facts["talks"]["held_on"][row]))
        about = f"{held}谈心谈话“{finding.rule.title}”"
        missing = [need for need in finding.required if need not in finding.observed]
        named = "、".join(NEEDS[need][1] for need in missing)
        match finding.verdict:
            case Verdict.MET:
                return f"{about}要求的各项均有记录，符合。"
            case Verdict.PENDING:
                return f"{about}尚无{named}的记录，请及时办理。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}没有{named}的记录，是否落实请由人认定。"
            case _:
                return f"{about}缺少{named}的记录。"


def _there(need: str, context: Context, rows: Codes) -> Bools:
    talks = context.facts["talks"]
    column = talks[NEEDS[need][0]][rows]
    if need == "notified":
        return np.asarray((column != NULL_DAY) & (column <= talks["held_on"][rows]))
    return np.asarray(column == 1)
