"""Agendas: which topics came up, and whether each item was dealt with as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

#: What an item may be asked for, and how a message calls it.
FLAGS = {
    "discussed": "表决前充分讨论",
    "resolution": "形成决议",
    "owner": "明确分工",
    "done": "落实",
}


class AgendaSchema(OccasionSchema):
    """``topics`` that an agenda should hold: ``any`` of an open list, or ``all`` of them."""

    topics = code_list(v.AGENDA_TOPICS, required=True)
    require = fields.String(load_default="any", validate=validate.OneOf(("any", "all")))


class Agenda(OccasionCheck):
    """Topics on the agenda.

    Of an open list, none of whose topics came up, a person has to say whether what did
    come up belongs to it.  A list that is closed (``require = "all"``) wants every topic.
    """

    name = "agenda"
    schema = AgendaSchema
    summary = "议程中的议题"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, ("agenda", "occasion"), ("agenda", "topic")}

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        rows = context.facts["agenda"]
        place, topic = meetings.place(rows["occasion"]), rows["topic"]
        keep = place >= 0
        any_item = np.bincount(place[keep], minlength=len(meetings)) > 0
        keep &= topic >= 0
        bits = np.left_shift(np.uint64(1), topic[keep].astype(np.uint64))
        mask = np.zeros(len(meetings), dtype=np.uint64)
        np.bitwise_or.at(mask, place[keep], bits)
        wanted = context.facts.mask("agenda_topic", rule.parameters["topics"])
        if rule.parameters["require"] == "all":
            enough, otherwise = (mask & wanted) == wanted, rule.shortfall_code
        else:
            enough, otherwise = (mask & wanted) != 0, np.int8(findings.NEEDS_JUDGEMENT)
        verdict = np.select([~any_item, enough], [findings.NO_DATA, findings.MET], otherwise)
        required = np.full(len(meetings), wanted, dtype=np.uint64).view(np.int64)
        return meetings.block(rule, verdict, required, mask.view(np.int64))

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["topics"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return facts.unmask("agenda_topic", value)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        found = wording.labels(rule, "agenda_topic", finding.observed) or "未分类事项"
        asked = wording.labels(rule, "agenda_topic", finding.required)
        match finding.verdict:
            case Verdict.MET:
                return f"{about}议题有{found}，符合。"
            case Verdict.NO_DATA:
                return f"{about}没有记录议题，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT if rule.parameters["require"] == "all":
                missing = [topic for topic in finding.required if topic not in finding.observed]
                left = wording.labels(rule, "agenda_topic", missing)
                return f"{about}议题是{found}，没有记录{left}，是否涉及请由人认定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}议题是{found}，是否属于{asked}等内容请由人认定。"
            case _:
                return f"{about}议题是{found}，应包括{asked}。"


class ItemsSchema(OccasionSchema):
    """What every item on the agenda should show; ``voted`` looks only at items put to the vote."""

    flags = fields.List(
        fields.String(validate=validate.OneOf(tuple(FLAGS))),
        required=True,
        validate=validate.Length(min=1),
    )
    voted = fields.Boolean(load_default=False)


class Items(OccasionCheck):
    """Every item discussed, decided, assigned, carried out.

    What is on record as left out is a shortfall, what is not on record a question, and
    what has yet to be carried out is pending.
    """

    name = "items"
    schema = ItemsSchema
    summary = "逐项讨论、决议、分工和落实"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        columns = {"done_on" if flag == "done" else flag for flag in parameters["flags"]}
        found = {*occasions.READS, ("agenda", "occasion")}
        found |= {("agenda", column) for column in columns}
        if parameters["voted"]:
            found |= {("agenda", "item"), ("votes", "occasion"), ("votes", "item")}
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        rows = context.facts["agenda"]
        place = meetings.place(rows["occasion"])
        keep = place >= 0
        if rule.parameters["voted"]:
            keep &= _voted(context)
        place = place[keep]
        count = len(meetings)
        short, unknown, waiting = (np.zeros(len(place), dtype=np.bool_) for _ in range(3))
        for flag in rule.parameters["flags"]:
            if flag == "done":
                done = rows["done_on"][keep]
                waiting |= (done == NULL_DAY) | (done > context.as_of)
                continue
            stated = rows[flag][keep]
            short |= stated == 0
            unknown |= stated < 0

        def some(chosen: Bools) -> Bools:
            return np.bincount(place[chosen], minlength=count) > 0

        number = np.bincount(place, minlength=count).astype(np.int64)
        good = np.bincount(place[~(short | unknown | waiting)], minlength=count)
        silent = findings.NOT_APPLICABLE if rule.parameters["voted"] else findings.NO_DATA
        verdict = np.select(
            [number == 0, some(short), some(unknown), some(waiting)],
            [silent, rule.shortfall_code, findings.NEEDS_JUDGEMENT, findings.PENDING],
            findings.MET,
        )
        return meetings.block(rule, verdict, number, good.astype(np.int64))

    def not_reached(self, finding: Finding) -> str:
        if finding.rule.parameters["voted"]:
            about = f"{wording.occasion(finding)}“{finding.rule.title}”"
            return f"{about}没有进行表决，不作判定。"
        return super().not_reached(finding)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        asked = "、".join(FLAGS[flag] for flag in rule.parameters["flags"])
        said = f"{about}应逐项{asked}，{finding.required} 项中有 {finding.observed} 项记录齐全"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NO_DATA:
                return f"{about}没有记录议程，暂不判定。"
            case Verdict.PENDING:
                return f"{said}，其余尚待落实。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}，其余没有记录，请由人认定。"
            case _:
                return f"{said}，有事项记为未做到。"


def _voted(context: Context) -> Bools:
    """Agenda rows whose item was put to the vote at the same occasion."""
    agenda, votes = context.facts["agenda"], context.facts["votes"]
    item, voted = context.facts.text_codes(("agenda", "item"), ("votes", "item"))
    mine = (agenda["occasion"].astype(np.int64) << 32) + item
    theirs = (votes["occasion"].astype(np.int64) << 32) + voted
    return among(mine, theirs)
