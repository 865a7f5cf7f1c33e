"""Presence: a duty without a number leaves some record, or is for a person to judge.

Duties worded "regularly", "in time" or "care for" have no count that could fail.  A
record in the period shows the thing done; silence is no breach but a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules.checks import streams, stretches
from guiju.rules.checks.base import Footprint, PeriodCheck, unit_field
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Strictness, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class PresenceSchema(streams.StreamSchema):
    """Which records show the duty done, looked for in which period."""

    per = unit_field(load_default="year")
    #: What silence means: a question, or (for duties that wait for an event) nothing at all.
    silent = fields.String(
        load_default="needs_judgement",
        validate=validate.OneOf(("needs_judgement", "not_applicable")),
    )
    #: What a record means: the thing is done, or a case to be examined by a person.
    found = fields.String(load_default="met", validate=validate.OneOf(("met", "needs_judgement")))
    #: A register entry without an end lasts; one that is an event counts when it is made.
    lasting = fields.Boolean(load_default=True)
    #: Records of organizations below count for the nearest above them that the rule binds.
    below = fields.Boolean(load_default=False)
    days = stretches.days_field()


class Presence(PeriodCheck):
    """Any record of the stream in the period; silence never fails."""

    name = "presence"
    schema = PresenceSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.SUBORDINATES | Footprint.SUPERIORS
    summary = "期间内有无相应记录"

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        return self.rests_on | streams.readings(parameters)

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return streams.reads(parameters)

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        stream = streams.of(rule.parameters, context)
        if rule.parameters["below"]:
            owner = context.nearest(context.binds(rule))[stream.organization]
            stream = replace(stream, organization=owner)
        grid = context.grid(rule, unit, low, high)
        until = streams.SOURCES[rule.parameters["source"]].until
        if not rule.parameters["lasting"]:
            until = ""
        position, place = streams.in_periods(stream, context, grid, unit, until)
        number = np.bincount(place, minlength=len(grid)).astype(np.int64)
        if rule.strictness is Strictness.MAY or rule.parameters["silent"] == "not_applicable":
            silent = np.full(len(grid), findings.NOT_APPLICABLE, dtype=np.int8)
        else:
            silent = self._silence(context, grid, unit)
        found = findings.CODE_OF[Verdict(rule.parameters["found"])]
        observed, long = number, np.zeros(len(grid), dtype=np.bool_)
        if "days" in rule.parameters:
            days = stretches.longest(place, stream.day[position], grid, unit, context)
            observed, long = stretches.packed(number, days), stretches.exceed(rule, days)
        verdict = np.where((number > 0) & ~long, found, silent)
        verdict = np.where(grid.judged, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=np.ones(len(grid), dtype=np.int64),
            observed=observed,
            evidence=Evidence.grouped(stream.table, stream.rows[position], place, len(grid)),
            unit=unit,
            period=grid.period,
            due=np.full(len(grid), NULL_DAY, dtype=np.int32),
        )

    def _silence(self, context: Context, grid: Grid, unit: Unit) -> NDArray[np.int8]:
        """What it means to find nothing: too early, not known, or a question (D3)."""
        over = context.closed_periods(grid.period, unit)
        attested = context.attested(grid.organization, grid.period, unit)
        asked = np.where(attested, findings.NEEDS_JUDGEMENT, findings.NO_DATA)
        return np.where(over, asked, findings.PENDING).astype(np.int8)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return stretches.unpacked(value)[0]

    def message(self, finding: Finding) -> str:
        said = f"{finding.period_text}“{finding.rule.title}”有 {finding.observed} 条记录"
        none = f"{finding.period_text}“{finding.rule.title}”没有记录"
        if "days" in finding.rule.parameters:
            days = stretches.unpacked(int(finding.block.observed[finding.row]))[1]
            stretch = stretches.said(finding.rule, days, silent=not finding.observed)
            said, none = f"{said}，{stretch}", f"{none}，{stretch}"
        # Words such as "regularly" come without a number; others may well have one.
        unsaid = "文件没有规定次数，" if finding.rule.strictness is Strictness.DUTY else ""
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，已有体现。"
            case Verdict.NOT_APPLICABLE:
                about = f"{finding.period_text}“{finding.rule.title}”"
                return f"{about}没有出现需要办理的情形，或本期间不完整。"
            case Verdict.PENDING:
                return f"{said if finding.observed else none}；{unsaid}请及时开展并记录。"
            case Verdict.NO_DATA:
                return f"{said if finding.observed else none}；本期记录尚未确认完整，暂不判定。"
            case _ if finding.observed and finding.rule.parameters["found"] == "met":
                return f"{said}；{unsaid}是否落实请由人认定。"
            case _ if finding.observed:
                return f"{said}，是否符合规定请由人对照个案认定。"
            case _:
                return f"{none}；{unsaid}是否落实请由人认定。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        return streams.uncounted(finding, context)
