"""Meetings combined or kept apart: must go together, may go together, must stand alone.

Two meetings go together if they are one occasion of both kinds, or if their records say
that they were merged, or (where the rule takes that as enough) if they were held by the same
organization on the same day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Masks = NDArray[np.uint64]


class CombineSchema(OccasionSchema):
    """``mode``: ``must`` or ``may`` go together ``with`` one of these kinds, or stand ``apart``.

    Apart means from every other kind; an agenda may then hold only the ``topics`` named.
    """

    mode = fields.String(required=True, validate=validate.OneOf(("must", "may", "apart")))
    with_ = fields.List(
        fields.String(),
        load_default=list,
        data_key="with",
        metadata={"vocabulary": v.OCCASION_KINDS.name},
    )
    same_day = fields.Boolean(load_default=False)
    topics = code_list(v.AGENDA_TOPICS)

    @validates_schema
    def _with_whom(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("mode") in {"must", "may"} and not data.get("with_"):
            raise ValidationError("must 和 may 应写明 with")


class Combine(OccasionCheck):
    """The kinds of the occasion itself and of those merged with it."""

    name = "combine"
    schema = CombineSchema
    summary = "合并召开或单独召开"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {*occasions.READS, ("occasions", "merged_with")}
        if parameters["topics"]:
            found |= {("agenda", "occasion"), ("agenda", "topic")}
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        own = context.facts.mask("occasion_kind", rule.parameters["kinds"])
        beside = _own_kinds(context)[meetings.rows] & ~own
        merged = _merged_kinds(context)
        together = beside | merged.kinds[meetings.rows]
        if rule.parameters["same_day"]:
            together |= _same_day(rule, meetings, context)
        if rule.parameters["mode"] == "apart":
            alone = (beside == 0) & ~merged.any[meetings.rows]
            verdict = np.where(alone, findings.MET, rule.shortfall_code)
            if rule.parameters["topics"]:
                verdict = np.where(_strays(rule, meetings, context), rule.shortfall_code, verdict)
        else:
            partners = context.facts.mask("occasion_kind", rule.parameters["with_"])
            joined = (together & partners) != 0
            otherwise = (
                findings.NOT_APPLICABLE if rule.parameters["mode"] == "may" else rule.shortfall_code
            )
            verdict = np.where(joined, findings.MET, otherwise)
        wanted = np.zeros(len(meetings), dtype=np.int64)
        return meetings.block(rule, verdict, wanted, together.view(np.int64))

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["with_"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """The kinds of what it was held together with."""
        return facts.unmask("occasion_kind", value)

    def not_reached(self, finding: Finding) -> str:
        if finding.rule.parameters["mode"] == "may":
            return self.message(finding)
        return super().not_reached(finding)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        beside = wording.labels(rule, "occasion_kind", finding.observed)
        partners = wording.labels(rule, "occasion_kind", rule.parameters["with_"])
        if rule.parameters["mode"] == "apart":
            if finding.verdict is Verdict.MET:
                return f"{about}单独召开，符合。"
            return f"{about}应单独召开，记录显示与{beside or '其他会议或议题'}合并。"
        if finding.verdict is Verdict.MET:
            return f"{about}与{beside}一并进行，符合。"
        if rule.parameters["mode"] == "may":
            return f"{about}可以与{partners}一并进行，本次单独进行，不作要求。"
        return f"{about}应与{partners}一并进行，记录中是单独进行的。"


def _own_kinds(context: Context) -> Masks:
    kinds: Masks = context.facts["occasions"]["kinds"]
    return kinds


class _Merged:
    """What every occasion is merged with, whichever of the two records says so."""

    def __init__(self, context: Context) -> None:
        rows = context.facts["occasions"]
        kinds = _own_kinds(context)
        offsets, other = rows.lists("merged_with")
        source = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(offsets))
        known = other >= 0
        self.kinds = np.zeros(len(rows), dtype=np.uint64)
        np.bitwise_or.at(self.kinds, source[known], kinds[other[known]])
        np.bitwise_or.at(self.kinds, other[known], kinds[source[known]])
        self.any = np.zeros(len(rows), dtype=np.bool_)
        self.any[source] = True
        self.any[other[known]] = True


def _merged_kinds(context: Context) -> _Merged:
    return context.shared("merged kinds", lambda: _Merged(context))


def _same_day(rule: Rule, meetings: Meetings, context: Context) -> Masks:
    """Kinds of the partners that the same organization held on the same day."""
    rows = context.facts["occasions"]
    partners = context.facts.mask("occasion_kind", rule.parameters["with_"])
    held = np.flatnonzero(occasions.held(context, rule.parameters["with_"]))
    key = (rows["organization"][held].astype(np.int64) << 32) + rows["held_on"][held]
    order = np.argsort(key)
    key, held = key[order], held[order]
    mine = (meetings.organization.astype(np.int64) << 32) + meetings.day
    found = np.zeros(len(meetings), dtype=np.uint64)
    if len(key):
        place = np.minimum(np.searchsorted(key, mine), len(key) - 1)
        same = key[place] == mine
        found = np.where(same, rows["kinds"][held[place]] & partners, found)
    return found


def _strays(rule: Rule, meetings: Meetings, context: Context) -> Bools:
    """Meetings with a topic on the agenda that does not belong there."""
    rows = context.facts["agenda"]
    allowed = [context.facts.position("agenda_topic", code) for code in rule.parameters["topics"]]
    place = meetings.place(rows["occasion"])
    stray = (place >= 0) & (rows["topic"] >= 0) & ~among(rows["topic"], allowed)
    return np.bincount(place[stray], minlength=len(meetings)) > 0
