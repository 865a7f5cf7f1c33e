"""Checklists of a meeting: steps before, on the day and after; papers kept; fields filled in.

Each occasion is judged by itself.  What should have been there by the end of the meeting
and is not is a shortfall.  What comes afterwards without a deadline is pending; a tenant
may set a number of days (D14), whose lapse calls for a person's judgement, because the
number is the tenant's and not the notice's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings, tables
from guiju.rules import vocabulary as v
from guiju.rules.checks import occasions, proof, states, turnout, wording
from guiju.rules.checks.base import INCOMPLETE, code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]

#: Things on an occasion's record that a form may ask for beside its columns: how many
#: came, and how many of those expected did not.
_COUNTED = {"attended": "出席情况", "absent": "缺席情况"}
FIELDS = (*tables.columns("occasions"), *_COUNTED)

#: An observed value is a mask of items with the days elapsed above it.
_MOST_ITEMS = 31


class DocumentsSchema(OccasionSchema):
    """Which papers each occasion leaves; a nil return (零报告) is a paper.

    Of those in ``one_of`` any one is enough.
    """

    documents = code_list(v.DOCUMENT_KINDS)
    one_of = code_list(v.DOCUMENT_KINDS)

    @validates_schema
    def _some(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("documents") and not data.get("one_of"):
            raise ValidationError("Missing data for required field.", "documents")


class FieldsSchema(OccasionSchema):
    """Which columns of the occasion must be filled in, or ``attended`` and ``absent``."""

    fields_ = fields.List(
        fields.String(validate=validate.OneOf(FIELDS)),
        required=True,
        validate=validate.Length(min=1),
        data_key="fields",
    )


class StepsSchema(OccasionSchema):
    """Which steps belong before, on the day of and after each occasion, with papers and fields.

    ``days`` is a tenant's own number of days for the steps after.  ``late`` says what a
    step before is that was only taken later, ``unattested`` what one without any record
    is in a month whose records nobody attests to be complete.
    """

    before = code_list(v.STEPS)
    on_day = code_list(v.STEPS)
    after = code_list(v.STEPS)
    at_any_time = code_list(v.STEPS)
    documents = code_list(v.DOCUMENT_KINDS)
    fields_ = fields.List(
        fields.String(validate=validate.OneOf(FIELDS)), load_default=list, data_key="fields"
    )
    days = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 366)
    )
    late = fields.String(
        load_default="shortfall", validate=validate.OneOf(("shortfall", "needs_judgement"))
    )
    unattested = fields.String(
        load_default="shortfall", validate=validate.OneOf(("shortfall", "no_data"))
    )

    @validates_schema
    def _bounded(self, data: Mapping[str, Any], **_: Any) -> None:
        number = sum(len(data.get(name, ())) for name in (*_WHEN, "documents", "fields_"))
        if not 1 <= number <= _MOST_ITEMS:
            raise ValidationError(f"应列出 1 至 {_MOST_ITEMS} 项步骤、材料或字段")


_WHEN = {"before": "before", "on_day": "on_day", "after": "after", "at_any_time": "any"}


#: Items that are papers: one kind, or any of several.
_PAPERS = ("document_kind", "one_document")


@dataclass(frozen=True)
class Item:
    """One thing to be ticked: a step, a paper or a field."""

    vocabulary: str
    code: str
    when: str

    def label(self, rule: Rule) -> str:
        if self.vocabulary == "field":
            if self.code in _COUNTED:
                return _COUNTED[self.code]
            return str(tables.columns("occasions")[self.code].metadata["heading"])
        if self.vocabulary == "one_document":
            kinds = self.code.split("|")
            return "或".join(wording.label(rule, "document_kind", kind) for kind in kinds)
        return wording.label(rule, self.vocabulary, self.code)


def items(parameters: Mapping[str, Any]) -> list[Item]:
    """The items of a checklist in the order of their bits."""
    found = [
        Item("step", code, when)
        for name, when in _WHEN.items()
        for code in parameters.get(name, ())
    ]
    found += [Item("document_kind", code, "any") for code in parameters.get("documents", ())]
    found += [Item("field", code, "any") for code in parameters.get("fields_", ())]
    if parameters.get("one_of"):
        found.append(Item("one_document", "|".join(parameters["one_of"]), "any"))
    return found


class _Checklist(OccasionCheck):
    """Judges the items of each occasion."""

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        asks = parameters.get("unattested") == "no_data"
        return frozenset({INCOMPLETE} if asks else ())

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS)
        for item in items(parameters):
            if item.vocabulary == "step":
                found |= proof.reads(item.code)
            elif item.vocabulary in _PAPERS:
                found |= proof.PAPERS
            elif item.code in _COUNTED:
                found |= turnout.COUNTS
            else:
                found.add(("occasions", item.code))
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        days = rule.parameters.get("days")
        count = len(meetings)
        mask = np.zeros(count, dtype=np.int64)
        short, too_late, outstanding, slow = (np.zeros(count, dtype=np.bool_) for _ in range(4))
        elapsed = np.zeros(count, dtype=np.int64)
        for bit, item in enumerate(items(rule.parameters)):
            found, afterwards, after = _look(item, meetings, context)
            elapsed = np.maximum(elapsed, after)
            mask |= found.astype(np.int64) << bit
            if item.when == "after":
                outstanding |= ~found
                if days is not None:
                    slow |= np.where(found, after, context.as_of - meetings.day) > days
            else:
                short |= ~found & ~afterwards
                too_late |= ~found & afterwards
        judge_late = rule.parameters.get("late") == "needs_judgement"
        late = findings.NEEDS_JUDGEMENT if judge_late else rule.shortfall_code
        silent = short & ~too_late
        if rule.parameters.get("unattested") == "no_data":
            silent &= ~states.attested_on(context, meetings.organization, meetings.day)
        else:
            silent &= False
        verdict = np.select(
            [silent, short, too_late, slow, outstanding],
            [
                findings.NO_DATA,
                rule.shortfall_code,
                late,
                findings.NEEDS_JUDGEMENT,
                findings.PENDING,
            ],
            findings.MET,
        )
        due = None
        if days is not None:
            waiting = verdict == findings.PENDING
            due = np.where(waiting, meetings.day + days, np.int32(NULL_DAY)).astype(np.int32)
        wanted = np.full(count, (1 << len(items(rule.parameters))) - 1, dtype=np.int64)
        return meetings.block(rule, verdict, wanted, mask | (elapsed << 32), due)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _codes(rule, value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _codes(rule, value)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        value = int(finding.block.observed[finding.row])
        about = f"{wording.occasion(finding)}“{rule.title}”"
        missing = [item for bit, item in enumerate(items(rule.parameters)) if not value >> bit & 1]
        named = "、".join(item.label(rule) for item in missing)
        days = rule.parameters.get("days")
        own = "" if days is None else f"（本单位自定 {days} 日内）"
        match finding.verdict:
            case Verdict.MET:
                after = [item for item in items(rule.parameters) if item.when == "after"]
                return f"{about}要求的各项均有记录{_spent(value >> 32) if after else ''}，符合。"
            case Verdict.PENDING:
                by = f"，请于 {finding.due} 前办理" if finding.due else "，请及时办理"
                return f"{about}尚无{named}的记录{own}{by}。"
            case Verdict.NO_DATA:
                return f"{about}没有{named}的记录；当月记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT if not named:
                return f"{about}会后 {value >> 32} 日才办结{own}，是否及时请由人认定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{about}没有{named}的有效记录{own}，是否落实请由人认定。"
            case _:
                return f"{about}缺少{named}的有效记录。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Steps on record that came at the wrong time."""
        row = int(finding.block.subject[finding.row])
        return list(_mistimed(finding.rule, row, context))


class Steps(_Checklist):
    """Steps before, on the day and after, with papers and fields."""

    name = "steps"
    schema = StepsSchema
    summary = "会前、会上、会后的步骤与材料"


class Documents(_Checklist):
    """Papers kept for each occasion."""

    name = "documents"
    schema = DocumentsSchema
    summary = "每次活动应留存的材料"


class Fields(_Checklist):
    """Columns of the record that must be filled in."""

    name = "fields"
    schema = FieldsSchema
    summary = "记录应填写的内容"


def _spent(days: int) -> str:
    return f"，会后 {days} 日办结" if days else "，会议当日办结"


def _codes(rule: Rule, value: int) -> list[str]:
    found = items(rule.parameters)
    return [item.code for bit, item in enumerate(found) if value >> bit & 1]


def _look(
    item: Item, meetings: Meetings, context: Context
) -> tuple[Bools, Bools, NDArray[np.int64]]:
    """Whether an item is there when due, whether only at another time, and days elapsed."""
    if item.vocabulary != "step":
        found = _present(item, meetings, context)
        return found, np.zeros_like(found), np.zeros(len(found), dtype=np.int64)
    proofs = proof.find(item.code, meetings)
    good = proof.in_time(proofs, meetings, item.when)
    kept = proof.Dated(proofs.place[good], proofs.day[good], proofs.minute[good])
    day = proof.first(kept, len(meetings))
    found = day != proof.NEVER
    afterwards = ~found & (np.bincount(proofs.place, minlength=len(meetings)) > 0)
    since = np.where(found, day.astype(np.int64) - meetings.day, 0)
    return found, afterwards, since if item.when == "after" else np.zeros_like(since)


def _present(item: Item, meetings: Meetings, context: Context) -> Bools:
    if item.vocabulary in _PAPERS:
        masks = proof.document_masks(context)[meetings.rows]
        wanted = context.facts.mask("document_kind", item.code.split("|"))
        return np.asarray((masks & wanted) != 0)
    if item.code in _COUNTED:
        came = turnout.of(context).present(meetings.rows) >= 0
        if item.code == "attended":
            return np.asarray(came)
        return np.asarray(came & (turnout.of(context).expected(meetings.rows) >= 0))
    return filled(context, item.code)[meetings.rows]


def filled(context: Context, column: str) -> Bools:
    """Occasions in which a column is filled in."""
    values = context.facts["occasions"][column]
    kind = tables.columns("occasions")[column].metadata["kind"]
    if kind == "day":
        return np.asarray(values != NULL_DAY)
    if kind == "codes":
        return np.asarray(values != 0)
    return np.asarray(values >= 0)


_MISTIMED = {"before": "晚于会议", "on_day": "不在会议当日", "after": "早于会议"}


def _mistimed(rule: Rule, row: int, context: Context) -> Iterator[tuple[str, str]]:
    facts = context.facts
    one = Meetings(
        context,
        np.array([row], dtype=np.int32),
        facts["occasions"]["organization"][[row]],
        facts["occasions"]["held_on"][[row]],
        np.ones(1, dtype=np.bool_),
    )
    for item in items(rule.parameters):
        if item.vocabulary != "step" or item.when not in _MISTIMED:
            continue
        proofs = proof.find(item.code, one)
        wrong = ~proof.in_time(proofs, one, item.when)
        for day in np.unique(proofs.day[wrong]).tolist():
            record = facts.record_id("occasions", row)
            yield record, f"{item.label(rule)}（{wording.day(day)}）{_MISTIMED[item.when]}"
