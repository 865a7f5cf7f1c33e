"""Self-departure: so many months without Party life, or without paying dues.

Each ground has a count of its own.  What is reached is a case to look into: whether there
was a proper reason, and what follows, people decide (D12, D13).  Work left undone is in no
record and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import dues, membership
from guiju.rules.checks.absence import AbsenceMonths, acted
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Codes = NDArray[np.int32]

#: Grounds, as the high half of an observed number: absence, dues, or both.
_GROUNDS = {1: "没有参加组织生活", 2: "没有交纳党费", 3: "没有参加组织生活和交纳党费"}
#: Which of two verdicts about one member stands.
_RANK = np.zeros(len(findings.VERDICT_CODES), dtype=np.int8)
_RANK[findings.NEEDS_JUDGEMENT], _RANK[findings.ACTION_DUE] = 1, 2


class SelfDeparture(AbsenceMonths):
    """Months in a row without Party life or dues, whichever are more."""

    name = "self_departure"
    summary = "连续数月不参加组织生活或不交纳党费"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        columns = ("person", "month", "due_amount", "paid_amount")
        return super().reads(parameters) | {("dues", column) for column in columns}

    def _judge(self, rule: Rule, context: Context, low: int, high: int) -> Iterator[Block]:
        parts = [(1, block) for block in super()._judge(rule, context, low, high)]
        parts += [(2, block) for block in _unpaid(rule, context, low, high)]
        if parts:
            yield _together(parts)

    def message(self, finding: Finding) -> str:
        value = int(finding.block.observed[finding.row])
        said = f"“{finding.rule.title}”：连续 {finding.observed} 个月{_GROUNDS[value >> 32]}的记录"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，已有处理记录。"
            case Verdict.ACTION_DUE:
                return f"{said}，请查明有无正当理由；是否按自行脱党处理由党组织决定。"
            case _:
                return f"{said}，请及早了解情况，有无正当理由由人认定。"

    def observed(self, rule: Rule, value: int, facts: Any) -> Any:
        return value & 0xFFFFFFFF


def _unpaid(rule: Rule, context: Context, low: int, high: int) -> Iterator[Block]:
    """Members with so many closed months in a row in which dues were owed and none paid."""
    members = membership.of(rule, context, Unit.MONTH)
    table = context.facts["dues"]
    entry = members.place(table["person"], dues.months(context))
    owed = (table["paid_amount"] == 0) & (table["due_amount"] > 0) & (entry >= 0)
    unpaid = np.zeros(len(members), dtype=np.bool_)
    unpaid[entry[owed]] = True
    unpaid &= context.closed_periods(members.period, Unit.MONTH)
    longest, last = _runs(members.person[unpaid], members.period[unpaid], context)
    person = np.flatnonzero(longest >= rule.parameters["months"]).astype(np.int32)
    home = members.place(person, np.full(len(person), high, dtype=np.int32))
    person, home = person[home >= 0], home[home >= 0]
    if not len(person):
        return
    full = last[person] - longest[person] + rule.parameters["months"]
    done = acted(rule, context, person, periods.last_days(full, Unit.MONTH))
    yield Block(
        rule=rule,
        subject_type="member",
        subject=person,
        organization=members.organization[home],
        verdict=np.where(done, findings.MET, findings.ACTION_DUE).astype(np.int8),
        required=np.full(len(person), rule.parameters["months"], dtype=np.int64),
        observed=longest[person].astype(np.int64),
        evidence=Evidence.none(len(person)),
    )


def _runs(person: Codes, month: Codes, context: Context) -> tuple[Codes, Codes]:
    """The longest run of consecutive months of everyone, and the month in which it ended."""
    order = np.lexsort((month, person))
    person, month = person[order], month[order]
    index = np.arange(len(person))
    follows = np.zeros(len(person), dtype=np.bool_)
    follows[1:] = (person[1:] == person[:-1]) & (month[1:] == month[:-1] + 1)
    start = np.maximum.accumulate(np.where(follows, 0, index))
    length = (index - start + 1).astype(np.int32)
    longest = np.zeros(context.facts.count("people"), dtype=np.int32)
    last = np.zeros(len(longest), dtype=np.int32)
    np.maximum.at(longest, person, length)
    ends = length == longest[person]
    last[person[ends]] = month[ends]
    return longest, last


def _together(parts: list[tuple[int, Block]]) -> Block:
    """One finding for each member: the graver verdict, the longer run, every ground."""
    rule = parts[0][1].rule
    person = np.concatenate([block.subject for _, block in parts])
    size = int(person.max()) + 1
    ground = np.zeros(size, dtype=np.int64)
    months = np.zeros(size, dtype=np.int64)
    verdict = np.full(size, -1, dtype=np.int8)
    organization = np.full(size, -1, dtype=np.int32)
    for bit, block in parts:
        who = block.subject
        ground[who] |= bit
        months[who] = np.maximum(months[who], block.observed)
        graver = (verdict[who] < 0) | (_RANK[block.verdict] > _RANK[verdict[who]])
        verdict[who] = np.where(graver, block.verdict, verdict[who])
        organization[who] = block.organization
    who = np.unique(person).astype(np.int32)
    return Block(
        rule=rule,
        subject_type="member",
        subject=who,
        organization=organization[who],
        verdict=verdict[who],
        required=np.full(len(who), rule.parameters["months"], dtype=np.int64),
        observed=(ground[who] << 32) | months[who],
        evidence=Evidence.none(len(who)),
    )
