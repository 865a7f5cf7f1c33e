"""Talk by talk: between two people, face to face.

Members away may be talked to by telephone where the notice says so.  Nothing of what was
said is looked at, or kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import membership, wording
from guiju.rules.checks.base import Check, ParameterSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_HALF, _LOWER = 32, 0xFFFFFFFF


class TalkModeSchema(ParameterSchema):
    """How many take part and how; in which sectors members away may be telephoned."""

    participants = fields.Integer(strict=True, load_default=2, validate=validate.Range(2, 10))
    modes = fields.List(
        fields.String(validate=validate.OneOf(list(v.MODES))),
        load_default=lambda: ["in_person"],
    )
    floating_sectors = fields.List(
        fields.String(validate=validate.OneOf(list(v.SECTORS))), load_default=list
    )


class TalkMode(Check):
    """The number taking part in a talk and its mode."""

    name = "talk_mode"
    schema = TalkModeSchema
    summary = "谈心谈话的方式"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("id", "organization", "held_on", "participants", "mode")
        found = {("talks", c) for c in names}
        if parameters["floating_sectors"]:
            found |= {("talks", "person"), ("talks", "partner"), ("members", "floating")}
            found |= membership.ROSTER
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            talks = context.facts["talks"]
            organization, day = talks["organization"], talks["held_on"]
            bound = np.append(context.applies(rule), np.bool_(0))[organization]
            rows = np.flatnonzero(bound & context.in_validity(rule, day)).astype(np.int32)
            if len(rows):
                yield self._judge(rule, context, rows)

    def _judge(self, rule: Rule, context: Context, rows: Codes) -> Block:
        talks, parameters = context.facts["talks"], rule.parameters
        organization, day = talks["organization"][rows], talks["held_on"][rows]
        number = talks["participants"][rows]
        number = np.where(number < 0, 2, number)
        mode = talks["mode"][rows]
        wanted = [context.facts.position("mode", name) for name in parameters["modes"]]
        proper = among(mode, wanted)
        if parameters["floating_sectors"]:
            sectors = [
                context.facts.position("sector", name) for name in parameters["floating_sectors"]
            ]
            excepted = among(context.sector[organization], sectors)
            proper |= excepted & (mode >= 0) & _away(context, rows, day)
        verdict = np.where(proper, findings.MET, rule.shortfall_code)
        verdict = np.where(mode < 0, findings.NO_DATA, verdict)
        verdict = np.where(number == parameters["participants"], verdict, rule.shortfall_code)
        judged = context.holds(rule.requirement.applies_to.conditions, organization, day)
        return Block(
            rule=rule,
            subject_type="talk",
            subject=rows,
            organization=context.answerable[organization],
            verdict=np.where(judged, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=np.full(len(rows), parameters["participants"], dtype=np.int64),
            observed=(number.astype(np.int64) << _HALF) | (mode.astype(np.int64) & _LOWER),
            evidence=Evidence.single("talks", rows),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        mode = value & _LOWER
        name = None if mode == _LOWER else facts.codes("mode")[mode]
        return {"participants": value >> _HALF, "mode": name}

    def message(self, finding: Finding) -> str:
        rule, observed = finding.rule, finding.observed
        row = int(finding.block.subject[finding.row])
        held = wording.day(int(finding.facts["talks"]["held_on"][row]))
        mode = "方式未记录" if observed["mode"] is None else v.MODES[observed["mode"]]
        said = f"{held}谈心谈话“{rule.title}”：{observed['participants']} 人参加，{mode}"
        asked = f"要求 {finding.required} 人、" + wording.labels(
            rule, "mode", rule.parameters["modes"]
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NO_DATA:
                return f"{said}，{asked}，暂不判定。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}，不适用。"
            case _:
                return f"{said}，{asked}，不一致。"


def _away(context: Context, rows: Codes, day: Days) -> Bools:
    """Talks with a member who was away on the day."""
    talks = context.facts["talks"]
    found = np.zeros(len(rows), dtype=np.bool_)
    spells = context.facts.roster.of_person
    floating = context.facts["members"]["floating"]
    for column in ("person", "partner"):
        row = spells.latest(talks[column][rows], day)
        found |= (row >= 0) & (floating[row] == 1)
    return found
