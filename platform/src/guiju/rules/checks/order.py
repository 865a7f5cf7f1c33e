"""Order of the steps of one occasion: each no earlier than the one before it.

A step left out while a later one was taken is a breach, and so is one taken too early; what
still lies ahead is pending.  Two steps of one day are in order unless their times say
otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.checks import occasions, proof, wording
from guiju.rules.checks.base import code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

_DAY = np.int64(24 * 60)


class OrderSchema(OccasionSchema):
    """The steps of an occasion in the order in which they follow one another.

    ``together`` names steps that make up one stage with the step before them, so that
    among themselves their order is free.  ``form`` is the one in which the occasion is to be
    held; an occasion of unknown form is taken to be in it.
    """

    steps = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(2, 16),
        metadata={"vocabulary": v.STEPS.name},
    )
    together = code_list(v.STEPS)
    form = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(v.FORMS)))


class Order(OccasionCheck):
    """Steps that follow one another."""

    name = "order"
    schema = OrderSchema
    summary = "各步骤的先后顺序"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS)
        for code in parameters["steps"]:
            found |= proof.reads(code)
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        count = len(meetings)
        mask = np.zeros(count, dtype=np.int64)
        broken, gap = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        # Each step is known to lie between two moments: the earliest and the latest minute of
        # its day.  It is out of order if even its latest lies before an earlier step's earliest.
        reached = np.full(count, -(2**62), dtype=np.int64)
        ahead = reached
        for bit, code in enumerate(rule.parameters["steps"]):
            if code not in rule.parameters["together"]:
                reached = ahead
            day, minute = _last(proof.find(code, meetings), count)
            found = day != proof.NEVER
            earliest = day * _DAY + np.where(minute < 0, 0, minute)
            latest = day * _DAY + np.where(minute < 0, _DAY - 1, minute)
            broken |= found & (gap | (latest < reached))
            gap |= ~found
            ahead = np.where(found, np.maximum(ahead, earliest), ahead)
            mask |= found.astype(np.int64) << bit
        wanted = np.full(count, (1 << len(rule.parameters["steps"])) - 1, dtype=np.int64)
        elsewhere = _elsewhere(rule, meetings, context)
        verdict = np.select(
            [elsewhere, mask == 0, broken, mask != wanted],
            [rule.shortfall_code, findings.NO_DATA, rule.shortfall_code, findings.PENDING],
            findings.MET,
        )
        block = meetings.block(rule, verdict, wanted, mask)
        block.note = elsewhere.astype(np.int8)
        return block

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _taken(rule, value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _taken(rule, value)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        asked = _asked(rule)
        missing = [code for code in finding.required if code not in finding.observed]
        named = wording.labels(rule, "step", missing)
        if finding.note and rule.parameters["form"]:
            form = wording.label(rule, "form", rule.parameters["form"])
            return f"{about}应以{form}的形式进行，记录的是其他形式。"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}按“{asked}”的顺序进行，符合。"
            case Verdict.PENDING:
                return f"{about}顺序无误，尚待{named}。"
            case Verdict.NO_DATA:
                return f"{about}没有步骤记录，暂不判定；要求的顺序是“{asked}”。"
            case _ if missing:
                return f"{about}要求的顺序是“{asked}”，缺少{named}或先后颠倒。"
            case _:
                return f"{about}要求的顺序是“{asked}”，记录的先后与此不符。"


def _asked(rule: Rule) -> str:
    """The order in words: 自评、互评→测评."""
    said = ""
    for code in rule.parameters["steps"]:
        joint = "、" if code in rule.parameters["together"] else "→"
        said += (joint if said else "") + wording.label(rule, "step", code)
    return said


def _elsewhere(rule: Rule, meetings: Meetings, context: Context) -> NDArray[np.bool_]:
    """Occasions known to have been held in another form than the rule asks for."""
    if not rule.parameters["form"]:
        return np.zeros(len(meetings), dtype=np.bool_)
    form = occasions.forms(context)[meetings.rows]
    asked = context.facts.position("form", rule.parameters["form"])
    return np.asarray((form >= 0) & (form != asked))


def _taken(rule: Rule, value: int) -> list[str]:
    return [code for bit, code in enumerate(rule.parameters["steps"]) if value >> bit & 1]


def _last(proofs: proof.Dated, count: int) -> tuple[Any, Any]:
    """Day and minute of each meeting's last proof; NEVER and -1 where there is none."""
    stamp = np.full(count, -1, dtype=np.int64)
    moment = (proofs.day.astype(np.int64) << 11) + proofs.minute + 1
    np.maximum.at(stamp, proofs.place, moment)
    day = np.where(stamp < 0, np.int64(proof.NEVER), stamp >> 11)
    return day, np.where(stamp < 0, -1, (stamp & 0x7FF) - 1)
