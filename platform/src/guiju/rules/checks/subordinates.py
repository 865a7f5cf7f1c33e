"""Superior's duty: each subordinate inspected, checked or guided in each period.

The subject is the superior; a subordinate loses nothing by its superior's omission.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks.base import (
    Footprint,
    ParameterSchema,
    PeriodCheck,
    code_list,
    unit_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]

#: Two counts share one number: covered in the upper half, expected in the lower.
_HALF = 32
_LOWER = 0xFFFFFFFF


class SubordinatesSchema(ParameterSchema):
    """What the superior does, to whom, how often."""

    per = unit_field(required=True)
    #: Kinds of inspection entries that count.
    kinds = code_list(v.INSPECTION_KINDS, required=True)
    #: Kinds of organization that are subordinates in the sense of the rule.
    targets = fields.List(
        fields.String(validate=validate.OneOf(list(v.ORGANIZATION_KINDS))),
        required=True,
        validate=validate.Length(min=1),
    )
    #: Cover every subordinate, every meeting (of ``meetings``) of theirs, or any one of them.
    cover = fields.String(
        load_default="every", validate=validate.OneOf(("every", "any", "meetings"))
    )
    meetings = code_list(v.OCCASION_KINDS)
    #: The result must also have been reported upward; no date is given, so it stays pending.
    reported = fields.Boolean(load_default=False)


class Subordinates(PeriodCheck):
    """Each superior's subordinates, and which of them an entry covers in the period.

    A subordinate answers to the nearest organization above it that the rule binds.
    """

    name = "subordinates"
    schema = SubordinatesSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES | Footprint.SUPERIORS
    summary = "上级对所属组织逐一履行职责"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        columns = {"id", "by", "target", "kind", "done_on"}
        if parameters["reported"]:
            columns.add("reported_on")
        found = {("inspections", column) for column in columns}
        if parameters["cover"] == "meetings":
            found.add(("inspections", "occasion"))
            found |= {("occasions", c) for c in ("id", "organization", "kinds", "held_on")}
            found.add(("occasions", "status"))
        return found

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        grid = context.grid(rule, unit, low, high)
        duties = _Duties(rule, context, grid, unit)
        expected, covered = duties.expected, duties.covered
        required = np.minimum(expected, 1) if rule.parameters["cover"] == "any" else expected
        enough = covered >= required
        verdict = context.period_verdict(rule, enough, grid, unit)
        if rule.parameters["reported"]:
            waiting = (verdict == findings.MET) & (duties.reported < covered)
            verdict = np.where(waiting, findings.PENDING, verdict).astype(np.int8)
        verdict = np.where(expected == 0, findings.NOT_APPLICABLE, verdict).astype(np.int8)
        due = context.due(verdict, grid.period, unit)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=required,
            observed=(covered << _HALF) | duties.reported,
            evidence=Evidence.grouped("inspections", duties.rows, duties.place, len(grid)),
            unit=unit,
            period=grid.period,
            due=np.where(enough, np.int32(NULL_DAY), due).astype(np.int32),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value >> _HALF

    def message(self, finding: Finding) -> str:
        rule, verdict = finding.rule, finding.verdict
        things = "次会议" if rule.parameters["cover"] == "meetings" else "个下级组织"
        if verdict is Verdict.NOT_APPLICABLE:
            return f"{finding.period_text}“{rule.title}”不适用：没有所属组织，或本期间不完整。"
        asked = finding.required
        covered = finding.observed
        reported = int(finding.block.observed[finding.row]) & _LOWER
        if rule.parameters["cover"] == "any":
            said = f"{finding.period_text}“{rule.title}”已开展 {covered} 次，要求至少 1 次"
        else:
            said = f"{finding.period_text}“{rule.title}”应覆盖 {asked} {things}"
            said += f"，已覆盖 {covered} {things[0]}"
        if verdict is Verdict.MET:
            return f"{said}，符合。"
        if verdict is Verdict.PENDING and covered >= asked:
            return f"{said}；结果已上报 {reported} 次，其余尚未上报，文件没有规定上报时限。"
        if verdict is Verdict.PENDING:
            return f"{said}，请于 {finding.due} 前完成。"
        if verdict is Verdict.NO_DATA:
            return f"{said}；本期记录尚未确认完整，暂不判定。"
        if verdict is Verdict.NEEDS_JUDGEMENT:
            return f"{said}；是否落实请由人认定。"
        measure = "次" if rule.parameters["cover"] == "any" else things[0]
        return f"{said}，少 {asked - covered} {measure}。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """The subordinates (or meetings) that no entry of the period covers."""
        rule, block = finding.rule, finding.block
        assert block.unit is not None and block.period is not None
        if rule.parameters["cover"] == "any":
            return []
        superior, period = int(block.subject[finding.row]), int(block.period[finding.row])
        grid = context.grid(rule, block.unit, *context.span(rule, block.unit))
        duties = _Duties(rule, context, grid, block.unit)
        table = "occasions" if rule.parameters["cover"] == "meetings" else "organizations"
        return [
            (context.facts.record_id(table, code), "本期没有相应记录")
            for code in duties.missing(superior, period)
        ]


class _Duties:
    """Expected and covered of each superior and period, in the entries of a grid."""

    def __init__(self, rule: Rule, context: Context, grid: Grid, unit: Unit) -> None:
        self.grid = grid
        self._meetings = rule.parameters["cover"] == "meetings"
        targets = context.of_kind(rule.parameters["targets"])
        above = context.nearest(context.binds(rule), strict=True)
        superior = np.where(targets, above, -1).astype(np.int32)
        if self._meetings:
            self._expect_meetings(rule, context, superior, unit)
        else:
            self._expect_organizations(context, superior, unit)
        self._cover(rule, context, superior, unit)

    def _expect_organizations(self, context: Context, superior: Codes, unit: Unit) -> None:
        """Each subordinate that exists through the whole of the superior's period (X-T8)."""
        below = np.flatnonzero(superior >= 0).astype(np.int32)
        span = np.arange(self.grid.low, self.grid.high + 1, dtype=np.int32)
        target = np.repeat(below, len(span))
        period = np.tile(span, len(below))
        first, last = periods.first_days(period, unit), periods.last_days(period, unit)
        place = self.grid.place(superior[target], period)
        keep = (place >= 0) & context.exists(target, first, last)
        self._expect(target[keep], period[keep], place[keep], context.size)

    def _expect_meetings(self, rule: Rule, context: Context, superior: Codes, unit: Unit) -> None:
        """Each held meeting of a subordinate."""
        rows = context.facts["occasions"]
        held = context.facts.position("occasion_status", "held")
        wanted = context.facts.mask("occasion_kind", rule.parameters["meetings"])
        status = rows["status"]
        keep = ((rows["kinds"] & wanted) != 0) & ((status < 0) | (status == held))
        keep &= context.in_validity(rule, rows["held_on"]) & (rows["organization"] >= 0)
        meeting = np.flatnonzero(keep).astype(np.int32)
        period = periods.indices(rows["held_on"][meeting], unit)
        place = self.grid.place(superior[rows["organization"][meeting]], period)
        inside = place >= 0
        self._expect(meeting[inside], period[inside], place[inside], len(rows))

    def _expect(self, target: Codes, period: Codes, place: Codes, size: int) -> None:
        self._target, self._period, self._place = target, period, place
        width = self.grid.high - self.grid.low + 1
        self._index = np.full(size * width + 1, -1, dtype=np.int64)
        self._width = width
        self._index[self._cell(target, period)] = np.arange(len(target))
        self.expected = np.bincount(place, minlength=len(self.grid)).astype(np.int64)

    def _cell(self, target: Codes, period: Codes) -> NDArray[np.int64]:
        cell: NDArray[np.int64] = target.astype(np.int64) * self._width + (period - self.grid.low)
        return cell

    def _cover(self, rule: Rule, context: Context, superior: Codes, unit: Unit) -> None:
        rows = context.facts["inspections"]
        wanted = [context.facts.position("inspection_kind", k) for k in rule.parameters["kinds"]]
        target = rows["occasion"] if self._meetings else rows["target"]
        subordinate = rows["target"]
        if self._meetings:
            owners = np.append(context.facts["occasions"]["organization"], np.int32(-1))
            subordinate = owners[target]
        day = rows["done_on"]
        keep = among(rows["kind"], wanted) & (day <= context.as_of) & (target >= 0)
        # What an office of the superior does, the superior has done.
        acting = np.append(context.nearest(~context.of_kind(("unit",))), np.int32(-1))[rows["by"]]
        keep &= (acting >= 0) & (acting == np.append(superior, np.int32(-1))[subordinate])
        found = np.flatnonzero(keep).astype(np.int32)
        period = periods.indices(day[found], unit)
        if self._meetings:
            held = context.facts["occasions"]["held_on"][target[found]]
            period = periods.indices(held, unit)
        inside = (period >= self.grid.low) & (period <= self.grid.high)
        found, period = found[inside], period[inside]
        index = self._index[self._cell(target[found], period)]
        found, index = found[index >= 0], index[index >= 0]
        self.rows, self.place = found, self._place[index]
        size = len(self.grid)
        self._done = np.zeros(len(self._target), dtype=np.bool_)
        self._done[index] = True
        self.covered = np.bincount(self._place[self._done], minlength=size).astype(np.int64)
        told = np.zeros(len(self._target), dtype=np.bool_)
        if rule.parameters["reported"]:
            sent = rows["reported_on"][found]
            told[index[(sent != NULL_DAY) & (sent <= context.as_of)]] = True
        self.reported = np.bincount(self._place[told], minlength=size).astype(np.int64)

    def missing(self, superior: int, period: int) -> list[int]:
        """Codes of what the superior left out in the period."""
        here = self.grid.organization[self._place] == superior
        left = here & (self._period == period) & ~self._done
        codes: list[int] = self._target[left].tolist()
        return codes
