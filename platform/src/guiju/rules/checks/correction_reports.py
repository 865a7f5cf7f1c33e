"""Reports on correction: within months of a review, and by each member every quarter.

The report is judged by who owes it, the quarterly reports by member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    MONTHS_END,
    Check,
    Footprint,
    ParameterSchema,
    reading_field,
)
from guiju.rules.checks.rectification import ITEMS
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Days = NDArray[np.int32]


class ReportSchema(ParameterSchema):
    """Within how many months of the review's end who reports on correction."""

    months = fields.Integer(required=True, strict=True, validate=validate.Range(1, 60))
    months_end = reading_field(MONTHS_END)
    owners = fields.List(
        fields.String(validate=validate.OneOf(list(v.OWNER_TYPES))),
        required=True,
        validate=validate.Length(min=1),
    )


class RectificationReport(Check):
    """One report on correction by each owner of items, so many months after the review.

    The subject is the first item of the owner from that review.
    """

    name = "rectification_report"
    schema = ReportSchema
    footprint = Footprint.OWN
    summary = "评议后限期通报整改情况"
    rests_on = frozenset({INCOMPLETE, MONTHS_END})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        columns = ("kind", "organization", "filed_on", "owner_type", "source_ended_on", "id")
        found = {("reports", column) for column in columns}
        return found | ITEMS | {("rectifications", "source_ended_on")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            duties = _duties(rule, context)
            if len(duties):
                yield self._judge(rule, context, duties)

    def _judge(self, rule: Rule, context: Context, items: Codes) -> Block:
        rows = context.facts["rectifications"]
        organization, ended = rows["organization"][items], rows["source_ended_on"][items]
        due = periods.deadline(ended, rule.parameters["months"], rule.parameters["months_end"])
        report, filed = _first_report(rows["owner_type"][items], organization, ended, context)
        done = report >= 0
        over = due < context.as_of
        months = periods.indices(due, Unit.MONTH)
        known = context.attested(organization, months, Unit.MONTH)
        missing = np.where(known, rule.shortfall_code, findings.NO_DATA)
        verdict = np.select(
            [done & (filed <= due), done, over],
            [findings.MET, rule.shortfall_code, missing],
            findings.PENDING,
        ).astype(np.int8)
        waiting = verdict == findings.PENDING
        return Block(
            rule=rule,
            subject_type="rectification",
            subject=items,
            organization=context.answerable[organization],
            verdict=verdict,
            required=due.astype(np.int64),
            observed=np.where(done, filed, np.int64(-1)),
            evidence=Evidence.single("reports", report),
            due=np.where(waiting, due, np.int32(NULL_DAY)).astype(np.int32),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return periods.to_date(value).isoformat()

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value < 0 else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        item = int(finding.block.subject[finding.row])
        owner = int(finding.facts["rectifications"]["owner_type"][item])
        who = v.OWNER_TYPES[finding.facts.codes("owner_type")[owner]]
        about = f"“{finding.rule.title}”：{who}应在 {finding.required} 前通报"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}，已于 {finding.observed} 通报，符合。"
            case Verdict.PENDING:
                return f"{about}，尚未通报。"
            case Verdict.NO_DATA:
                return f"{about}，没有通报记录；该月记录尚未确认完整，暂不判定。"
            case _ if finding.observed:
                return f"{about}，{finding.observed} 才通报，超过期限。"
            case _:
                return f"{about}，没有通报。"


def _duties(rule: Rule, context: Context) -> Codes:
    """The first item of each owner from each review whose end the rule covers."""
    rows, facts = context.facts["rectifications"], context.facts
    organization, ended = rows["organization"], rows["source_ended_on"]
    owners = [facts.position("owner_type", owner) for owner in rule.parameters["owners"]]
    keep = (organization >= 0) & context.in_validity(rule, ended)
    keep &= among(rows["owner_type"], owners)
    keep &= context.applies(rule)[np.maximum(organization, 0)]
    items = np.flatnonzero(keep)
    if not len(items):
        return items.astype(np.int32)
    key = np.stack([organization[items], ended[items], rows["owner_type"][items]], axis=1)
    return items[np.sort(np.unique(key, axis=0, return_index=True)[1])].astype(np.int32)


def _first_report(
    owner: Codes, organization: Codes, ended: Days, context: Context
) -> tuple[Codes, Days]:
    """The first report on correction by each owner about each review; -1 and no day for none."""
    rows, facts = context.facts["reports"], context.facts
    keep = (rows["kind"] == facts.position("report_kind", "rectification")) & (
        rows["filed_on"] <= context.as_of
    )
    reports = np.flatnonzero(keep)
    reports = reports[np.argsort(rows["filed_on"][reports], kind="stable")]
    known = [
        (rows["organization"][reports].astype(np.int64) << 8) + rows["owner_type"][reports],
        rows["source_ended_on"][reports].astype(np.int64),
    ]
    have = np.stack(known, axis=1)
    want = np.stack([(organization.astype(np.int64) << 8) + owner, ended.astype(np.int64)], axis=1)
    both, number = np.unique(np.concatenate([have, want]), axis=0, return_inverse=True)
    first = np.full(len(both), -1, dtype=np.int32)
    # Written from the last to the first, so that the earliest remains.
    first[number[: len(have)][::-1]] = reports[::-1]
    report = first[number[len(have) :]]
    filed = np.append(rows["filed_on"], np.int32(NULL_DAY))[report]
    return report, filed


class CommitmentSchema(ParameterSchema):
    """Where members report: reports of these kinds, to these audiences."""

    kinds = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(min=1),
        metadata={"vocabulary": v.REPORT_KINDS.name},
    )
    audiences = fields.List(
        fields.String(validate=validate.OneOf(list(v.AUDIENCES))), load_default=list
    )


class CommitmentReports(Check):
    """Every member with items reports in each full quarter from one review to the next."""

    name = "commitment_reports"
    schema = CommitmentSchema
    footprint = Footprint.OWN
    summary = "党员每季度报告兑现承诺"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {("reports", c) for c in ("id", "kind", "person", "filed_on", "audience")}
        found |= {("rectifications", c) for c in ("source_ended_on", "opened_on")}
        return found | ITEMS

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            low, high = context.span(rule, Unit.QUARTER)
            person, organization, quarter = _reporting(rule, context, low, high)
            if len(person):
                yield self._judge(rule, context, person, organization, quarter)

    def _judge(
        self, rule: Rule, context: Context, person: Codes, organization: Codes, quarter: Codes
    ) -> Block:
        rows, facts = context.facts["reports"], context.facts
        kinds = [facts.position("report_kind", kind) for kind in rule.parameters["kinds"]]
        keep = among(rows["kind"], kinds) & (rows["filed_on"] <= context.as_of)
        if rule.parameters["audiences"]:
            told = [facts.position("audience", a) for a in rule.parameters["audiences"]]
            keep &= among(rows["audience"], told)
        reports = np.flatnonzero(keep & (rows["person"] >= 0)).astype(np.int32)
        known = (person.astype(np.int64) << 12) + quarter
        order = np.argsort(known)
        when = periods.indices(rows["filed_on"][reports], Unit.QUARTER)
        wanted = (rows["person"][reports].astype(np.int64) << 12) + when
        place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
        inside = known[order][place] == wanted
        place, reports = order[place[inside]], reports[inside]
        number = np.bincount(place, minlength=len(person)).astype(np.int64)
        over = context.closed_periods(quarter, Unit.QUARTER)
        attested = context.attested(organization, quarter, Unit.QUARTER)
        short = np.where(attested, rule.shortfall_code, findings.NO_DATA)
        verdict = np.where(number > 0, findings.MET, np.where(over, short, findings.PENDING))
        verdict = verdict.astype(np.int8)
        return Block(
            rule=rule,
            subject_type="member",
            subject=person,
            organization=organization,
            verdict=verdict,
            required=np.ones(len(person), dtype=np.int64),
            observed=number,
            evidence=Evidence.grouped("reports", reports, place, len(person)),
            unit=Unit.QUARTER,
            period=quarter,
            due=context.due(verdict, quarter, Unit.QUARTER),
        )

    def message(self, finding: Finding) -> str:
        about = f"{finding.period_text}“{finding.rule.title}”"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}本人已报告 {finding.observed} 次，符合。"
            case Verdict.PENDING:
                return f"{about}本人尚未报告，请于 {finding.due} 前报告。"
            case Verdict.NO_DATA:
                return f"{about}没有本人报告的记录；本期记录尚未确认完整，暂不判定。"
            case _:
                return f"{about}本人没有报告。"


def _reporting(rule: Rule, context: Context, low: int, high: int) -> tuple[Codes, Codes, Codes]:
    """Member, branch and quarter: the full quarters after a review, up to the next one."""
    rows, facts = context.facts["rectifications"], context.facts
    ended = np.where(
        rows["source_ended_on"] == NULL_DAY, rows["opened_on"], rows["source_ended_on"]
    )
    keep = rows["owner_type"] == facts.position("owner_type", "member")
    keep &= (rows["person"] >= 0) & (rows["organization"] >= 0) & (ended <= context.as_of)
    keep &= context.applies(rule)[np.maximum(rows["organization"], 0)]
    branch = rows["organization"][keep]
    # Reviews of a branch, in order, each lasting until the next.
    review, number = np.unique(np.stack([branch, ended[keep]], axis=1), axis=0, return_inverse=True)
    if not len(review):
        nothing = np.zeros(0, dtype=np.int32)
        return nothing, nothing, nothing
    following = np.append(review[1:, 0] == review[:-1, 0], False)
    until = np.where(following, np.append(review[1:, 1], 0), context.as_of + 1)
    duties = np.unique(np.stack([number.ravel(), rows["person"][keep]], axis=1), axis=0)
    which, person = duties[:, 0], duties[:, 1].astype(np.int32)
    first = periods.indices(review[which, 1].astype(np.int32), Unit.QUARTER) + 1
    last = periods.indices((until[which] - 1).astype(np.int32), Unit.QUARTER)
    # The quarter in which the next review ends is still of this one only if it is full.
    ends_inside = until[which] - 1 < periods.last_days(last, Unit.QUARTER)
    last = last - (ends_inside & following[which])
    first, last = np.maximum(first, low), np.minimum(last, high)
    length = np.maximum(last - first + 1, 0)
    spell = np.repeat(np.arange(len(which)), length)
    step = np.arange(len(spell)) - np.repeat(np.cumsum(length) - length, length)
    quarter = (first[spell] + step).astype(np.int32)
    return person[spell], review[which[spell], 0].astype(np.int32), quarter
