"""Components of an activity: set ones that must all be there, others to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    code_list,
    unit_field,
)
from guiju.rules.checks.occasions import Meetings, OccasionSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Strictness, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Masks = NDArray[np.uint64]


class ComponentsSchema(OccasionSchema):
    """``all`` of these, ``others`` more beside them, and ``at_least`` so many of a ``menu``.

    Each occasion is judged by itself, or (with ``per``) all of a period together.
    """

    all_ = fields.List(
        fields.String(),
        load_default=list,
        data_key="all",
        metadata={"vocabulary": v.COMPONENTS.name},
    )
    others = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 32))
    menu = code_list(v.COMPONENTS)
    at_least = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 32))
    per = unit_field(load_default=None, allow_none=True)

    @validates_schema
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not (data.get("all_") or data.get("menu") or data.get("others")):
            raise ValidationError("应写明 all、others 或 menu")


class Components(Check):
    """The components recorded with an occasion, or with a period's occasions together."""

    name = "components"
    schema = ComponentsSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "活动应包含的内容"

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({INCOMPLETE, *([FIRST_PERIOD] if parameters.get("per") else [])})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, ("occasions", "components")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            if rule.parameters["per"] is None:
                meetings = occasions.choose(rule, context)
                if len(meetings):
                    yield self._each(rule, meetings, context)
                continue
            unit = Unit.named(rule.parameters["per"])
            low, high = context.span(rule, unit)
            if low <= high:
                yield self._period(rule, context, unit)

    def _each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        mask = context.facts["occasions"]["components"][meetings.rows]
        month = periods.indices(meetings.day, Unit.MONTH)
        attested = context.attested(meetings.organization, month, Unit.MONTH)
        verdict = np.where(_complete(rule, mask, context), findings.MET, rule.shortfall_code)
        verdict = np.where((mask == 0) & ~attested, findings.NO_DATA, verdict)
        return meetings.block(rule, verdict, _wanted(rule, context, len(mask)), mask.view(np.int64))

    def _period(self, rule: Rule, context: Context, unit: Unit) -> Block:
        meetings = occasions.in_periods(rule, context)
        grid = context.grid(rule, unit, *context.span(rule, unit))
        place = grid.place(meetings.organization, periods.indices(meetings.day, unit))
        inside = place >= 0
        place, rows = place[inside], meetings.rows[inside]
        mask = np.zeros(len(grid), dtype=np.uint64)
        np.bitwise_or.at(mask, place, context.facts["occasions"]["components"][rows])
        held = np.bincount(place, minlength=len(grid)) > 0
        over = context.closed_periods(grid.period, unit)
        attested = context.attested(grid.organization, grid.period, unit)
        verdict = np.select(
            [
                ~grid.judged,
                held & _complete(rule, mask, context),
                ~over,
                # Whether one was held at all is another rule's question.
                ~held,
                (mask == 0) & ~attested,
            ],
            [
                findings.NOT_APPLICABLE,
                findings.MET,
                findings.PENDING,
                findings.NOT_APPLICABLE,
                findings.NO_DATA,
            ],
            rule.shortfall_code,
        ).astype(np.int8)
        if rule.strictness is Strictness.MAY:
            verdict[verdict == findings.PENDING] = findings.NOT_APPLICABLE
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=_wanted(rule, context, len(grid)),
            observed=mask.view(np.int64),
            evidence=Evidence.grouped("occasions", rows, place, len(grid)),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["all_"] or rule.parameters["menu"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return facts.unmask("component", value)

    def not_reached(self, finding: Finding) -> str:
        if finding.rule.strictness is Strictness.MAY:
            return self.message(finding)
        return super().not_reached(finding)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        if finding.period_text is None:
            about = f"{wording.occasion(finding)}“{rule.title}”"
        else:
            about = f"{finding.period_text}“{rule.title}”"
        found = wording.labels(rule, "component", finding.observed) or "（无）"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}包含{found}，符合。"
            case Verdict.NOT_APPLICABLE if finding.observed:
                return f"{about}记录的内容是{found}；所列内容可选，不作要求。"
            case Verdict.NOT_APPLICABLE:
                return f"{about}没有可判定的活动内容。"
            case Verdict.NO_DATA:
                return f"{about}没有记录活动内容，暂不判定。"
            case Verdict.PENDING:
                return f"{about}还应包含{_lacking(finding)}，请于 {finding.due} 前完成。"
            case _:
                return f"{about}记录的内容是{found}，缺少{_lacking(finding)}。"


def _lacking(finding: Finding) -> str:
    rule, found = finding.rule, finding.observed
    missing = [code for code in rule.parameters["all_"] if code not in found]
    parts = [wording.label(rule, "component", code) for code in missing]
    beside = [code for code in found if code not in rule.parameters["all_"]]
    if len(beside) < rule.parameters["others"]:
        parts.append(f"其他活动 {rule.parameters['others'] - len(beside)} 项")
    menu = rule.parameters["menu"]
    if menu and len(set(menu) & set(found)) < rule.parameters["at_least"]:
        parts.append(f"{wording.labels(rule, 'component', menu)}中的内容")
    return "、".join(parts)


def _wanted(rule: Rule, context: Context, count: int) -> NDArray[np.int64]:
    codes = rule.parameters["all_"] or rule.parameters["menu"]
    mask = np.full(count, context.facts.mask("component", codes), dtype=np.uint64)
    return mask.view(np.int64)


def _complete(rule: Rule, mask: Masks, context: Context) -> Bools:
    parameters = rule.parameters
    wanted = context.facts.mask("component", parameters["all_"])
    good = (mask & wanted) == wanted
    if parameters["others"]:
        good &= _ones(mask & ~wanted) >= parameters["others"]
    if parameters["menu"]:
        menu = context.facts.mask("component", parameters["menu"])
        good &= _ones(mask & menu) >= parameters["at_least"]
    return np.asarray(good)


def _ones(mask: Masks) -> NDArray[np.int64]:
    """Number of bits set in each mask."""
    count = np.zeros(len(mask), dtype=np.int64)
    for bit in range(64):
        count += ((mask >> np.uint64(bit)) & np.uint64(1)).astype(np.int64)
    return count
