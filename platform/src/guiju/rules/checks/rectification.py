"""Correction: items listed after a meeting, and closed in time.

Listing is judged by meeting, closing by item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, rosters, wording
from guiju.rules.checks.base import Check, Footprint, ParameterSchema
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema, pack_pair
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts, Rows

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Numbers = NDArray[np.int64]

#: What an item may have to carry, with its Chinese name.
NEEDS = {
    "measure": "整改措施",
    "commitment": "整改承诺",
    "owner": "责任主体",
    "due": "整改时限",
    "published": "公开",
    "opinion_linked": "对应的意见",
    "verified": "验收人",
}
ITEMS = frozenset(
    ("rectifications", c) for c in ("id", "organization", "occasion", "person", "owner_type")
)
_COLUMNS = {
    "measure": "measure",
    "commitment": "commitment",
    "owner": "owner_type",
    "due": "due_on",
    "published": "published_on",
    "opinion_linked": "opinion_linked",
    "verified": "verified_by",
}


def _has(rows: Rows, need: str, as_of: int) -> Bools:
    """Items that carry what is needed."""
    column = rows[_COLUMNS[need]]
    if need == "owner":
        return np.asarray((column >= 0) | (rows["person"] >= 0))
    if need == "due":
        return np.asarray(column != NULL_DAY)
    if need == "published":
        return np.asarray((column != NULL_DAY) & (column <= as_of))
    if need == "verified":
        return np.asarray(column >= 0)
    return np.asarray(column == 1)


def _needs_field(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=validate.OneOf(list(NEEDS))), **options)


class ListSchema(OccasionSchema):
    """What the items listed after each meeting must carry, and who must have some."""

    needs = _needs_field(load_default=list)
    #: Whose own items must be among them; ``member`` means each member of ``people``.
    owners = fields.List(
        fields.String(validate=validate.OneOf(list(v.OWNER_TYPES))), load_default=list
    )
    people = fields.String(load_default="members", validate=validate.OneOf(list(rosters.GROUPS)))


class RectificationList(OccasionCheck):
    """Correction items of each meeting: complete ones, from everyone who owes some."""

    name = "rectification_list"
    schema = ListSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "会后列出的整改事项"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS) | ITEMS | {("rectifications", "opened_on")}
        found |= {("rectifications", _COLUMNS[need]) for need in parameters["needs"]}
        if "member" in parameters["owners"]:
            found |= rosters.reads(parameters["people"])
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        rows = context.facts["rectifications"]
        place = meetings.place(rows["occasion"])
        keep = np.flatnonzero((place >= 0) & (rows["opened_on"] <= context.as_of))
        place = place[keep]
        count = len(meetings)
        complete = np.ones(len(keep), dtype=np.bool_)
        for need in rule.parameters["needs"]:
            complete &= _has(rows, need, context.as_of)[keep]
        items = np.bincount(place, minlength=count)
        good = np.bincount(place[complete], minlength=count)
        owing = self._owing(rule, meetings, context, keep, place)
        verdict = np.select(
            [items == 0, good < items, owing > 0],
            [findings.PENDING, rule.shortfall_code, findings.PENDING],
            findings.MET,
        )
        elapsed = np.maximum(context.as_of - meetings.day, 0)
        block = meetings.block(rule, verdict, items + owing, _packed(good, items, elapsed))
        block.evidence = Evidence.grouped("rectifications", keep.astype(np.int32), place, count)
        return block

    def _owing(
        self, rule: Rule, meetings: Meetings, context: Context, items: Any, place: Codes
    ) -> Numbers:
        """How many of those who must have items of their own have none yet."""
        rows, facts = context.facts["rectifications"], context.facts
        owing = np.zeros(len(meetings), dtype=np.int64)
        for owner in rule.parameters["owners"]:
            of_owner = rows["owner_type"][items] == facts.position("owner_type", owner)
            if owner != "member":
                has = np.bincount(place[of_owner], minlength=len(meetings)) > 0
                owing += ~has
                continue
            group = rule.parameters["people"]
            at, person = rosters.people(context, group, meetings.organization, meetings.day)
            named = of_owner & (rows["person"][items] >= 0)
            have = (place[named].astype(np.int64) << 32) | rows["person"][items][named]
            without = ~among((at << 32) | person, have)
            owing += np.bincount(at[without], minlength=len(meetings))
        return owing

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """How many items are complete."""
        return _unpacked(value)[0]

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        _, items, elapsed = _unpacked(int(finding.block.observed[finding.row]))
        needs = "、".join(NEEDS[need] for need in finding.rule.parameters["needs"])
        owing = finding.required - items
        match finding.verdict:
            case Verdict.MET:
                return f"{about}列出整改事项 {items} 项，要素齐全，符合。"
            case Verdict.PENDING if not items:
                return (
                    f"{about}尚未列出整改事项，会后已过 {elapsed} 日；"
                    "文件没有规定时限，请及时列出。"
                )
            case Verdict.PENDING:
                return f"{about}已列 {items} 项，还有 {owing} 个应列事项的对象没有列出。"
            case _:
                return (
                    f"{about}列出 {items} 项，其中 {items - finding.observed} 项没有写全{needs}。"
                )


#: A finding shows three numbers: complete items, items, and days since the meeting.
_BITS = 21
_LOWEST = (1 << _BITS) - 1


def _packed(good: Numbers, items: Numbers, elapsed: NDArray[Any]) -> Numbers:
    packed: Numbers = (good << 2 * _BITS) | (items << _BITS) | elapsed.astype(np.int64)
    return packed


def _unpacked(value: int) -> tuple[int, int, int]:
    return value >> 2 * _BITS, value >> _BITS & _LOWEST, value & _LOWEST


class ClosingSchema(ParameterSchema):
    """What each item must carry while it is open, and when it is closed."""

    needs = _needs_field(load_default=list)
    needs_closed = _needs_field(load_default=list)
    #: Only items about this: formalism, or taking part and setting an example.
    about = fields.String(
        load_default=None, validate=validate.OneOf(("formalism", "participation"))
    )


class RectificationClosing(Check):
    """Each correction item: complete, and closed by its own deadline."""

    name = "rectification_closing"
    schema = ClosingSchema
    footprint = Footprint.OWN
    summary = "整改事项按期销号"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = [*parameters["needs"], *parameters["needs_closed"]]
        found = {("rectifications", _COLUMNS[need]) for need in names}
        return found | ITEMS | {("rectifications", c) for c in ("opened_on", "due_on", "closed_on")}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            rows = context.facts["rectifications"]
            organization = rows["organization"]
            keep = (organization >= 0) & context.in_validity(rule, rows["opened_on"])
            keep &= context.applies(rule)[np.maximum(organization, 0)]
            if rule.parameters["about"]:
                keep &= rows[rule.parameters["about"]] == 1
            items = np.flatnonzero(keep).astype(np.int32)
            if len(items):
                yield self._judge(rule, context, items)

    def _judge(self, rule: Rule, context: Context, items: Codes) -> Block:
        rows = context.facts["rectifications"]
        due, closed = rows["due_on"][items], rows["closed_on"][items]
        is_closed = (closed != NULL_DAY) & (closed <= context.as_of)
        end = np.where(is_closed, closed, np.int32(context.as_of))
        late = (due != NULL_DAY) & (end > due)
        lacking = np.zeros(len(items), dtype=np.int64)
        for need in rule.parameters["needs"]:
            lacking += ~_has(rows, need, context.as_of)[items]
        for need in rule.parameters["needs_closed"]:
            lacking += is_closed & ~_has(rows, need, context.as_of)[items]
        verdict = np.select(
            [(lacking > 0) | late, ~is_closed],
            [rule.shortfall_code, findings.PENDING],
            findings.MET,
        ).astype(np.int8)
        organization = rows["organization"][items]
        holds = context.holds(
            rule.requirement.applies_to.conditions, organization, rows["opened_on"][items]
        )
        waiting = verdict == findings.PENDING
        return Block(
            rule=rule,
            subject_type="rectification",
            subject=items,
            organization=context.answerable[organization],
            verdict=np.where(holds, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=np.zeros(len(items), dtype=np.int64),
            observed=pack_pair(lacking, late.astype(np.int64)),
            evidence=Evidence.single("rectifications", items),
            due=np.where(waiting, due, np.int32(NULL_DAY)).astype(np.int32),
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """How many things the item lacks."""
        return value >> 32

    def message(self, finding: Finding) -> str:
        late = int(finding.block.observed[finding.row]) & 1
        about = f"整改事项“{finding.subject['id']}”"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}要素齐全并已按期销号，符合。"
            case Verdict.PENDING if finding.due:
                return f"{about}尚未销号，请于 {finding.due} 前完成。"
            case Verdict.PENDING:
                return f"{about}尚未销号，没有登记时限，请及时完成。"
            case _ if finding.observed:
                return f"{about}缺少 {finding.observed} 项要素{'，且已逾期' if late else ''}。"
            case _:
                return f"{about}超过时限才销号或仍未销号。"
