"""Founding: by which steps a branch was set up, adjusted or abolished, in which order.

A route is a list of dated steps.  Steps taken out of order are short; a step missing before
a later one is short where the records are attested complete; a last step without a time
limit is awaited.  A superior's direct decision has a route of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import states
from guiju.rules.checks.base import INCOMPLETE, Check, Footprint, ParameterSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Strictness, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]
Verdicts = NDArray[np.int8]

#: Steps of a route: column → how it is called.
STEPS = {
    "applied_on": "申请",
    "decided_on": "决定",
    "agreed_on": "机关党委同意",
    "approved_on": "批准",
    "elected_on": "选举",
    "filed_on": "备案",
}
#: Who takes a step: column of the body, by the column of the step.
_BODIES = {"decided_on": "decided_by", "approved_on": "approved_by"}


def _route(*, required: bool = False) -> fields.List[Any]:
    options: dict[str, Any] = {"required": True} if required else {"load_default": list}
    return fields.List(fields.String(validate=validate.OneOf(list(STEPS))), **options)


def _kinds() -> fields.List[Any]:
    return fields.List(
        fields.String(validate=validate.OneOf(list(v.ORGANIZATION_KINDS))), load_default=list
    )


class FoundingSchema(ParameterSchema):
    """The route, and what a direct decision needs instead."""

    kinds = fields.List(
        fields.String(validate=validate.OneOf(list(v.FOUNDING_KINDS))),
        required=True,
        validate=validate.Length(1),
    )
    route = _route(required=True)
    #: Routes of some sectors, where they differ.
    routes = fields.Dict(
        keys=fields.String(validate=validate.OneOf(list(v.SECTORS))),
        values=_route(required=True),
        load_default=dict,
    )
    #: Steps that a direct decision needs; by sector where they differ.
    direct = _route()
    directs = fields.Dict(
        keys=fields.String(validate=validate.OneOf(list(v.SECTORS))),
        values=_route(required=True),
        load_default=dict,
    )
    #: ``route``: by the route unless decided directly; ``direct``: only direct decisions
    #: are looked at; ``before_opening``: the route ends before the branch opens.
    mode = fields.String(
        load_default="route", validate=validate.OneOf(("route", "direct", "before_opening"))
    )
    decided_by = _kinds()
    approved_by = _kinds()


@dataclass(frozen=True)
class _Cases:
    """Entries that a rule judges, with the days of their steps up to the day judged."""

    rows: Codes
    organization: Codes
    days: Mapping[str, Days]
    last: Days
    direct: Bools

    def __len__(self) -> int:
        return len(self.rows)


class Founding(Check):
    """Dated steps by which a branch came to be, was adjusted or abolished."""

    name = "founding"
    schema = FoundingSchema
    footprint = Footprint.OWN | Footprint.SUPERIORS
    summary = "设立、调整和撤销的程序"
    rests_on = frozenset({INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = {"organization", "kind", "direct", *STEPS}
        if parameters["decided_by"]:
            names.add("decided_by")
        if parameters["approved_by"]:
            names.add("approved_by")
        return {("foundings", name) for name in names}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            cases = _cases(rule, context)
            founded = "founded" in rule.parameters["kinds"]
            if founded and rule.strictness is not Strictness.MAY:
                yield from self._unrecorded(rule, context)
            if len(cases):
                yield self._judge(rule, context, cases)

    def _judge(self, rule: Rule, context: Context, cases: _Cases) -> Block:
        mode = rule.parameters["mode"]
        verdict = np.full(len(cases), findings.NOT_APPLICABLE, dtype=np.int8)
        taken = np.zeros(len(cases), dtype=np.int64)
        asked = np.zeros(len(cases), dtype=np.int64)
        for route, direct, chosen in _routes(rule, context, cases):
            found = self._route(rule, context, cases, route, direct=direct)
            verdict = np.where(chosen, found, verdict).astype(np.int8)
            number = sum((cases.days[step] != NULL_DAY).astype(np.int64) for step in route)
            taken = np.where(chosen, number, taken)
            asked = np.where(chosen, len(route), asked)
        if mode == "direct":
            verdict = np.where(cases.direct, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        judged = context.holds(
            rule.requirement.applies_to.conditions, cases.organization, cases.last
        )
        return Block(
            rule=rule,
            subject_type="organization",
            subject=cases.organization,
            organization=cases.organization,
            verdict=np.where(judged, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=asked,
            observed=taken,
            evidence=Evidence.single("foundings", cases.rows),
        )

    def _route(
        self, rule: Rule, context: Context, cases: _Cases, route: Sequence[str], *, direct: bool
    ) -> Verdicts:
        """All steps in order; missing before a later one; out of order; not yet finished."""
        latest = np.full(len(cases), NULL_DAY, dtype=np.int32)
        disorder = np.zeros(len(cases), dtype=np.bool_)
        gap = np.zeros(len(cases), dtype=np.bool_)
        open_ = np.zeros(len(cases), dtype=np.bool_)
        for step in route:
            day = cases.days[step]
            there = day != NULL_DAY
            disorder |= there & (day < latest)
            gap |= there & open_
            open_ |= ~there
            latest = np.maximum(latest, day)
        if rule.parameters["mode"] == "before_opening":
            opened = context.opened[cases.organization]
            disorder |= latest > opened
            gap |= open_
        wrong, unnamed = _bodies(rule, context, cases, route, direct=direct)
        known = states.attested_on(context, cases.organization, cases.last)
        short = _short(rule)
        verdict = np.where(open_, findings.PENDING, findings.MET)
        verdict = np.where(unnamed & ~open_, findings.NO_DATA, verdict)
        verdict = np.where(gap, np.where(known, short, findings.NO_DATA), verdict)
        verdict = np.where(disorder | wrong, short, verdict)
        if rule.strictness is Strictness.MAY:
            verdict = np.where(verdict == findings.MET, verdict, findings.NOT_APPLICABLE)
        return verdict.astype(np.int8)

    def _unrecorded(self, rule: Rule, context: Context) -> Iterator[Block]:
        """Branches opened since the rule took effect, of whose founding nothing is recorded."""
        rows = context.facts["foundings"]
        founded = rows["kind"] == context.facts.position("founding_kind", "founded")
        known = np.zeros(context.size, dtype=np.bool_)
        owner = rows["organization"][founded]
        known[owner[owner >= 0]] = True
        new = context.applies(rule) & context.in_validity(rule, context.opened) & ~known
        organization = np.flatnonzero(new).astype(np.int32)
        if not len(organization):
            return
        judged = context.holds(
            rule.requirement.applies_to.conditions, organization, context.opened[organization]
        )
        subjects = states.Subjects(context, organization, judged)
        zero = np.zeros(len(organization), dtype=np.int64)
        verdict = np.full(len(organization), findings.NO_DATA, dtype=np.int8)
        yield subjects.block(rule, verdict, zero + len(rule.parameters["route"]), zero)

    def message(self, finding: Finding) -> str:
        rule, title = finding.rule, finding.rule.title
        if not finding.evidence:
            return f"“{title}”：没有程序记录，暂不判定。"
        row = int(finding.block.evidence.rows[finding.row])
        table = finding.facts["foundings"]
        taken = "、".join(name for step, name in STEPS.items() if int(table[step][row]) != NULL_DAY)
        said = f"“{title}”：已有{taken}记录"
        route = _route_of(rule, finding)
        asked = "→".join(STEPS[step] for step in route)
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，程序为{asked}，符合。"
            case Verdict.PENDING:
                return f"{said}，程序为{asked}，其余步骤尚未办理；文件没有规定时限。"
            case Verdict.NO_DATA:
                return f"{said}，程序为{asked}，步骤或决定机构记录不全，暂不判定。"
            case Verdict.NOT_APPLICABLE:
                return f"“{title}”不适用：不属于本条规定的情形。"
            case _:
                return f"{said}，程序为{asked}，缺少步骤、次序不符或者决定机构不符。"

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value


def _short(rule: Rule) -> int:
    """The verdict of a wrong route; a rule that only permits has none."""
    if rule.strictness is Strictness.MAY:
        return findings.NOT_APPLICABLE
    return int(rule.shortfall_code)


def _cases(rule: Rule, context: Context) -> _Cases:
    """The latest entry of each branch whose last step is not older than the rule."""
    table = context.facts["foundings"]
    kinds = [context.facts.position("founding_kind", kind) for kind in rule.parameters["kinds"]]
    organization = table["organization"]
    keep = among(table["kind"], kinds) & (organization >= 0)
    keep &= context.applies(rule)[organization]
    rows = np.flatnonzero(keep).astype(np.int32)
    days = {step: table[step][rows] for step in STEPS}
    days = {
        step: np.where(day > context.as_of, np.int32(NULL_DAY), day).astype(np.int32)
        for step, day in days.items()
    }
    last = np.max([*days.values()], axis=0) if len(rows) else np.zeros(0, dtype=np.int32)
    owner = organization[rows]
    latest = np.full(context.size, NULL_DAY, dtype=np.int32)
    np.maximum.at(latest, owner, last)
    chosen = np.flatnonzero(
        context.in_validity(rule, last) & (last == latest[owner]) & (last != NULL_DAY)
    )
    # Two entries of one branch on one day are one matter: the later entered stands.
    _, first = np.unique(owner[chosen][::-1], return_index=True)
    chosen = np.sort(chosen[::-1][first])
    return _Cases(
        rows[chosen],
        owner[chosen],
        {step: day[chosen] for step, day in days.items()},
        last[chosen].astype(np.int32),
        table["direct"][rows[chosen]] == 1,
    )


def _routes(
    rule: Rule, context: Context, cases: _Cases
) -> Iterator[tuple[Sequence[str], bool, Bools]]:
    """Each route with whether it is a direct decision's, and the entries it is for."""
    parameters = rule.parameters
    sector = context.sector[cases.organization]
    for direct, route, by_sector in (
        (False, parameters["route"], parameters["routes"]),
        (True, parameters["direct"], parameters["directs"]),
    ):
        named = np.zeros(len(cases), dtype=np.bool_)
        chosen = cases.direct == direct
        for name, other in by_sector.items():
            here = sector == context.facts.position("sector", name)
            named |= here
            yield other, direct, chosen & here
        if route:
            yield route, direct, chosen & ~named


def _route_of(rule: Rule, finding: Finding) -> Sequence[str]:
    """The route that a finding was judged by."""
    parameters, facts = rule.parameters, finding.facts
    row = int(finding.block.evidence.rows[finding.row])
    sector = facts.codes("sector")[int(facts.sectors[int(finding.block.subject[finding.row])])]
    if int(facts["foundings"]["direct"][row]) == 1:
        found = parameters["directs"].get(sector, parameters["direct"])
    else:
        found = parameters["routes"].get(sector, parameters["route"])
    chosen: Sequence[str] = found
    return chosen


def _bodies(
    rule: Rule, context: Context, cases: _Cases, route: Sequence[str], *, direct: bool
) -> tuple[Bools, Bools]:
    """Where a step was taken by a body of another kind, and where the body is not named."""
    wrong = np.zeros(len(cases), dtype=np.bool_)
    unnamed = np.zeros(len(cases), dtype=np.bool_)
    if direct:
        return wrong, unnamed
    for step, column in _BODIES.items():
        kinds = rule.parameters[column]
        if step not in route or not kinds:
            continue
        body = context.facts["foundings"][column][cases.rows]
        taken = cases.days[step] != NULL_DAY
        wrong |= taken & (body >= 0) & ~context.of_kind(kinds)[body]
        # A body that stands elsewhere may be named without being among these facts.
        unnamed |= taken & ~context.facts["foundings"].stated(column)[cases.rows]
    return wrong, unnamed
