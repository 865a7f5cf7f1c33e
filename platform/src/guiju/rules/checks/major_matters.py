"""Major matters: referred to the superior in time, and before they are decided.

Two rules.  A major matter on an agenda should be reported upward, linked by the occasion or
by the number of the matter; "in time" has no number, so silence is a question.  And the
request comes before the decision, except in an emergency that is reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, wording
from guiju.rules.checks.base import Check, ParameterSchema, code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]


class ReferredSchema(OccasionSchema):
    """Which topics of which meetings are to be reported, as which kinds of report."""

    topics = code_list(v.AGENDA_TOPICS, required=True)
    reports = code_list(v.REPORT_KINDS, required=True)


class Referred(OccasionCheck):
    """Every item of these topics is reported upward."""

    name = "referred"
    schema = ReferredSchema
    summary = "重大事项请示报告"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {("agenda", c) for c in ("occasion", "topic", "matter")}
        found |= {
            ("reports", c) for c in ("id", "organization", "kind", "filed_on", "occasion", "matter")
        }
        return found | occasions.READS

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        facts, agenda, reports = context.facts, context.facts["agenda"], context.facts["reports"]
        topics = [facts.position("agenda_topic", code) for code in rule.parameters["topics"]]
        place = meetings.place(agenda["occasion"])
        items = np.flatnonzero((place >= 0) & among(agenda["topic"], topics))
        place = place[items]
        kinds = [facts.position("report_kind", code) for code in rule.parameters["reports"]]
        sent = np.flatnonzero(
            among(reports["kind"], kinds) & (reports["filed_on"] <= context.as_of)
        ).astype(np.int32)
        linked = among(agenda["occasion"][items], reports["occasion"][sent])
        matter = agenda.codes_in("matter", reports, "matter")[items]
        owner = meetings.organization[place]
        numbered = among(
            _key(owner, matter), _key(reports["organization"][sent], reports["matter"][sent])
        )
        told = linked | ((matter >= 0) & numbered)
        count = len(meetings)
        expected = np.bincount(place, minlength=count).astype(np.int64)
        done = np.bincount(place[told], minlength=count).astype(np.int64)
        verdict = np.where(done >= expected, findings.MET, findings.NEEDS_JUDGEMENT)
        verdict = np.where(expected == 0, findings.NOT_APPLICABLE, verdict)
        return meetings.block(rule, verdict, expected, done)

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        if finding.verdict is Verdict.NOT_APPLICABLE:
            return f"{about}不适用：议程中没有重大事项。"
        said = f"{about}：重大事项 {finding.required} 项，已请示报告 {finding.observed} 项"
        if finding.verdict is Verdict.MET:
            return f"{said}，符合。"
        return f"{said}；文件没有规定天数，是否及时请由人认定。"


class AskedFirstSchema(ParameterSchema):
    """Kinds of report that are requests, and those the ban surely covers."""

    kinds = code_list(v.REPORT_KINDS, required=True)
    #: Kinds of which the ban is not certain: deciding first is for a person to judge.
    doubtful = code_list(v.REPORT_KINDS)


class AskedFirst(Check):
    """Each matter is asked before it is decided, or is urgent and reported."""

    name = "asked_first"
    schema = AskedFirstSchema
    summary = "先请示后决策"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("id", "organization", "kind", "filed_on", "requested_on", "decided_on", "urgent")
        return {("reports", name) for name in names}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            reports = context.facts["reports"]
            kinds = [context.facts.position("report_kind", k) for k in rule.parameters["kinds"]]
            organization = reports["organization"]
            bound = np.append(context.applies(rule), np.bool_(0))[organization]
            keep = bound & among(reports["kind"], kinds)
            keep &= context.in_validity(rule, _moment(context))
            rows = np.flatnonzero(keep).astype(np.int32)
            if len(rows):
                yield self._judge(rule, context, rows)

    def _judge(self, rule: Rule, context: Context, rows: Codes) -> Block:
        reports = context.facts["reports"]
        decided = _known(reports["decided_on"][rows], context.as_of)
        asked = _asked(context)[rows]
        urgent = reports["urgent"][rows]
        first = (asked != NULL_DAY) & (asked <= decided)
        doubtful = [context.facts.position("report_kind", k) for k in rule.parameters["doubtful"]]
        kind_unsure = among(reports["kind"][rows], doubtful)
        short = np.where(kind_unsure, findings.NEEDS_JUDGEMENT, rule.shortfall_code)
        # "At once" has no number: an emergency reported afterwards is for a person to judge,
        # unless the report is of the same day.
        same_day = reports["filed_on"][rows] <= decided
        emergency = np.where(same_day, findings.MET, findings.NEEDS_JUDGEMENT)
        # An exception has to be on record: where nothing is, the matter was not urgent.
        after = np.where(urgent == 1, emergency, short)
        verdict = np.where(first, findings.MET, after)
        undecided = np.where(asked == NULL_DAY, findings.NO_DATA, findings.PENDING)
        verdict = np.where(decided == NULL_DAY, undecided, verdict).astype(np.int8)
        organization = reports["organization"][rows]
        return Block(
            rule=rule,
            subject_type="report",
            subject=rows,
            organization=context.answerable[organization],
            verdict=verdict,
            required=decided.astype(np.int64),
            observed=asked.astype(np.int64),
            evidence=Evidence.single("reports", rows),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        said = f"“{finding.rule.title}”：请示日期 {finding.observed or '未记录'}"
        said = f"{said}，决定日期 {finding.required or '尚未决定'}"
        match finding.verdict:
            case Verdict.MET if finding.observed is None or finding.observed > finding.required:
                return f"{said}；情况紧急，当日已报告，属于例外。"
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.PENDING:
                return f"{said}，请在答复后再作决定。"
            case Verdict.NO_DATA:
                return f"{said}；没有请示日期，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}；是否属于例外、是否迅速报告，请由人认定。"
            case _:
                return f"{said}，先决策后请示。"


def _key(organization: Codes, matter: Codes) -> NDArray[np.int64]:
    """Organization and matter as one number; matters are numbered from 0, -1 is none."""
    found: NDArray[np.int64] = (organization.astype(np.int64) << 32) + matter
    return found


def _known(day: Days, as_of: int) -> Days:
    return np.where(day > as_of, np.int32(NULL_DAY), day).astype(np.int32)


def _asked(context: Context) -> Days:
    """The day of each request: as stated, or of the report where nothing is stated."""
    reports = context.facts["reports"]
    stated, filed = reports["requested_on"], reports["filed_on"]
    return _known(np.where(stated == NULL_DAY, filed, stated).astype(np.int32), context.as_of)


def _moment(context: Context) -> Days:
    """The day by which a matter belongs to the law of its time: decided, or else reported."""
    reports = context.facts["reports"]
    decided = _known(reports["decided_on"], context.as_of)
    return np.where(decided == NULL_DAY, reports["filed_on"], decided).astype(np.int32)
