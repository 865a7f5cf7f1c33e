"""Matters that pass from one meeting to another.

The same matter has the same number on every agenda.  Some matters are decided by one kind
of meeting only; some are discussed by one kind before they reach another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import Check, Footprint, code_list
from guiju.rules.checks.occasions import Meetings, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Numbers = NDArray[np.int64]

_COLUMNS = ("occasion", "topic", "matter", "resolution", "important")
_MINUTES = 24 * 60


class ReservedSchema(OccasionSchema):
    """Decisions on these ``topics`` are taken by meetings of ``kinds`` alone."""

    topics = code_list(v.AGENDA_TOPICS, required=True)


class PriorSchema(OccasionSchema):
    """Matters put to meetings of ``kinds`` come up earlier at one of ``first``.

    ``important`` limits the rule to items marked as important, ``topics`` to these topics.
    """

    first = code_list(v.OCCASION_KINDS, required=True)
    important = fields.Boolean(load_default=False)
    topics = code_list(v.AGENDA_TOPICS)


class _Matters(Check):
    """Items of agendas, judged by occasion."""

    footprint = Footprint.OWN | Footprint.GROUPS

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, *(("agenda", column) for column in _COLUMNS)}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            items = np.flatnonzero(self.chosen(rule, context)).astype(np.int32)
            found = occasions.holding(rule, context, context.facts["agenda"]["occasion"][items])
            if len(found):
                yield self.judged(rule, context, items, found)

    def chosen(self, rule: Rule, context: Context) -> Bools:
        """The rows of ``agenda`` that the rule is about."""
        raise NotImplementedError

    def judged(self, rule: Rule, context: Context, items: Codes, meetings: Meetings) -> Block:
        """Findings about the occasions that hold the items."""
        raise NotImplementedError


class Reserved(_Matters):
    """A decision taken elsewhere counts if the matter came to the right meeting as well."""

    name = "reserved"
    schema = ReservedSchema
    summary = "应由规定会议决定的事项"

    def chosen(self, rule: Rule, context: Context) -> Bools:
        rows = context.facts["agenda"]
        decided = rows["resolution"] == 1
        return np.asarray(decided & _on_topic(rule.parameters["topics"], rows["topic"], context))

    def judged(self, rule: Rule, context: Context, items: Codes, meetings: Meetings) -> Block:
        rows = context.facts["agenda"]
        matter = _matter(context)
        at_right = _at_kinds(rule.parameters["kinds"], context)
        brought = among(matter, matter[at_right & (matter >= 0)])
        good = (at_right | brought)[items]
        place = meetings.place(rows["occasion"][items])
        good, place = good[place >= 0], place[place >= 0]
        number = np.bincount(place, minlength=len(meetings)).astype(np.int64)
        right = np.bincount(place[good], minlength=len(meetings)).astype(np.int64)
        verdict = np.where(number == right, findings.MET, rule.shortfall_code)
        return meetings.block(rule, verdict, number, right)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        body = wording.labels(rule, "occasion_kind", rule.parameters["kinds"])
        said = f"{about}有 {finding.required} 项决定属于{body}职权"
        if finding.verdict is Verdict.MET:
            return f"{said}，均由{body}作出，符合。"
        return f"{said}，其中 {finding.required - finding.observed} 项没有经过{body}。"


class Prior(_Matters):
    """A matter seen at the earlier kind of meeting, not after the later one."""

    name = "prior"
    schema = PriorSchema
    summary = "事项提交前先经规定会议讨论"

    def chosen(self, rule: Rule, context: Context) -> Bools:
        rows = context.facts["agenda"]
        keep = _at_kinds(rule.parameters["kinds"], context)
        if rule.parameters["important"]:
            keep &= rows["important"] == 1
        if rule.parameters["topics"]:
            keep &= _on_topic(rule.parameters["topics"], rows["topic"], context)
        return keep

    def judged(self, rule: Rule, context: Context, items: Codes, meetings: Meetings) -> Block:
        rows, matter = context.facts["agenda"], _matter(context)
        place = meetings.place(rows["occasion"][items])
        items, place = items[place >= 0], place[place >= 0]
        first = _first_seen(rule.parameters["first"], context)
        numbered = matter[items] >= 0
        seen = first[matter[items]]
        before = numbered & (seen <= _moments(context, latest=True)[rows["occasion"][items]])
        number = np.bincount(place, minlength=len(meetings)).astype(np.int64)
        right = np.bincount(place[before], minlength=len(meetings)).astype(np.int64)
        unnumbered = np.bincount(place[~numbered], minlength=len(meetings))
        verdict = np.select(
            [number == right, right + unnumbered == number],
            [findings.MET, findings.NEEDS_JUDGEMENT],
            rule.shortfall_code,
        )
        return meetings.block(rule, verdict, number, right)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        first = wording.labels(rule, "occasion_kind", rule.parameters["first"])
        left = finding.required - finding.observed
        said = f"{about}有 {finding.required} 项应先经{first}讨论"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，均已先行讨论，符合。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}，其中 {left} 项没有事项编号，是否先行讨论请由人认定。"
            case _:
                return f"{said}，其中 {left} 项未见先行讨论的记录。"


def _on_topic(topics: Sequence[str], column: NDArray[Any], context: Context) -> Bools:
    wanted = [context.facts.position("agenda_topic", topic) for topic in topics]
    return among(column, wanted)


def _at_kinds(kinds: Sequence[str], context: Context) -> Bools:
    """Agenda rows of held occasions of one of the kinds."""
    held = occasions.held(context, kinds)
    return np.append(held, np.zeros(1, np.bool_))[context.facts["agenda"]["occasion"]]


def _moments(context: Context, *, latest: bool) -> Numbers:
    """Every occasion as a minute: the first, or the last, that it may have begun."""
    rows = context.facts["occasions"]
    minute = np.where(rows["start_minute"] < 0, (_MINUTES - 1) * latest, rows["start_minute"])
    return rows["held_on"].astype(np.int64) * _MINUTES + minute


def _matter(context: Context) -> Codes:
    """Number of each agenda row's matter, apart for each branch; -1 where it has none."""
    return context.shared("matters", lambda: _numbered(context))


def _numbered(context: Context) -> Codes:
    rows = context.facts["agenda"]
    organization = np.append(context.facts["occasions"]["organization"], np.int32(-1))
    owner = organization[rows["occasion"]]
    owner = np.where(owner < 0, -1, context.answerable[np.maximum(owner, 0)])
    keep = (owner >= 0) & (rows["matter"] >= 0)
    found = np.full(len(rows), -1, dtype=np.int32)
    key = (owner[keep].astype(np.int64) << 32) + rows["matter"][keep]
    found[keep] = np.unique(key, return_inverse=True)[1]
    return found


def _first_seen(kinds: Sequence[str], context: Context) -> Numbers:
    """The first moment at which each matter came up at an occasion of these kinds.

    The last entry stands for no matter, and for never.
    """
    rows, matter = context.facts["agenda"], _matter(context)
    keep = _at_kinds(kinds, context) & (matter >= 0)
    seen = np.full(int(matter.max(initial=-1)) + 2, np.iinfo(np.int64).max, dtype=np.int64)
    moment = _moments(context, latest=False)[rows["occasion"][keep]]
    np.minimum.at(seen, matter[keep], moment)
    return seen
