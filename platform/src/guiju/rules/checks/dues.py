"""Dues of each member: the base fixed at the beginning of the year, the month paid in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import membership
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE, Check, ParameterSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Days = NDArray[np.int32]


class DuesBaseSchema(ParameterSchema):
    """Until the end of which month "the beginning of the year" lasts."""

    until_month = fields.Integer(strict=True, load_default=3, validate=validate.Range(1, 12))


class DuesBase(Check):
    """Each member's dues are fixed when the year begins."""

    name = "dues_base"
    schema = DuesBaseSchema
    summary = "每名党员党费数额的核定"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {("dues_bases", c) for c in ("person", "year", "fixed_on")} | membership.ROSTER

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            members = membership.of(rule, context, Unit.YEAR)
            if len(members):
                yield self._judge(rule, context, members)

    def _judge(self, rule: Rule, context: Context, members: membership.Members) -> Block:
        key = ("dues bases", rule.requirement.applies_to, members.low, members.high)
        row = context.shared(key, lambda: _fixed(context, members))
        fixed = np.append(context.facts["dues_bases"]["fixed_on"], np.int32(NULL_DAY))[row]
        months = rule.parameters["until_month"]
        first = periods.first_days(members.period, Unit.YEAR)
        limit = (periods.add_months(first, months) - 1).astype(np.int32)
        verdict = self._verdict(rule, context, members, fixed, limit)
        due = np.where(verdict == findings.PENDING, limit, np.int32(NULL_DAY))
        return Block(
            rule=rule,
            subject_type="member",
            subject=members.person,
            organization=members.organization,
            verdict=verdict,
            required=limit.astype(np.int64),
            observed=fixed.astype(np.int64),
            evidence=Evidence.single("dues_bases", row),
            unit=Unit.YEAR,
            period=members.period,
            due=due.astype(np.int32),
        )

    def _verdict(
        self,
        rule: Rule,
        context: Context,
        members: membership.Members,
        fixed: Days,
        limit: Days,
    ) -> NDArray[np.int8]:
        attested = _attested_until(members, rule.parameters["until_month"])
        silent = np.where(attested, rule.shortfall_code, findings.NO_DATA)
        silent = np.where(limit >= context.as_of, findings.PENDING, silent)
        dated = np.where(fixed <= limit, findings.MET, rule.shortfall_code)
        verdict = np.where(fixed == NULL_DAY, silent, dated)
        # What another branch left undone at the time is not this one's.
        short = (verdict == rule.shortfall_code) & ~members.already(limit)
        judged = members.whole & ~short
        return np.where(judged, verdict, findings.NOT_APPLICABLE).astype(np.int8)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return periods.to_date(value).isoformat()

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return None if value == NULL_DAY else periods.to_date(value).isoformat()

    def message(self, finding: Finding) -> str:
        said = f"{finding.period_text}“{finding.rule.title}”"
        asked = f"年初（不晚于 {finding.required}）核定"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}：{finding.observed} 已核定，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{said}不适用：本人年初不在册，或者当时不在本支部。"
            case Verdict.PENDING:
                return f"{said}：尚未核定，请于 {finding.due} 前核定。"
            case Verdict.NO_DATA:
                return f"{said}：没有核定记录，记录尚未确认完整，暂不判定。"
            case _ if finding.observed:
                return f"{said}：{finding.observed} 才核定，要求{asked}。"
            case _:
                return f"{said}：没有核定，要求{asked}。"


class DuesPaidSchema(ParameterSchema):
    """Whose dues are looked at."""

    who = fields.String(load_default="party", validate=validate.OneOf(("party", "leading_cadre")))


class DuesPaid(Check):
    """Each member's dues of a month are paid in full by its end."""

    name = "dues_paid"
    schema = DuesPaidSchema
    summary = "每名党员按月足额交纳党费"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("person", "month", "due_amount", "paid_amount", "paid_on")
        found = {("dues", c) for c in names} | membership.ROSTER
        if parameters["who"] == "leading_cadre":
            found.add(("members", "leading_cadre"))
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            members = membership.of(rule, context, Unit.MONTH)
            if rule.parameters["who"] == "leading_cadre":
                leading = context.facts["members"]["leading_cadre"][members.row] == 1
                members = members.take(leading)
            if len(members):
                yield self._judge(rule, context, members)

    def _judge(self, rule: Rule, context: Context, members: membership.Members) -> Block:
        table = context.facts["dues"]
        entry = members.place(table["person"], months(context))
        rows = np.flatnonzero(entry >= 0)
        size = len(members)
        row = np.full(size, -1, dtype=np.int32)
        row[entry[rows]] = rows
        paid, owed, day = (
            np.append(table[name], np.int32(0))[row]
            for name in ("paid_amount", "due_amount", "paid_on")
        )
        last = periods.last_days(members.period, Unit.MONTH)
        paid = np.where((day > context.as_of) & (day != NULL_DAY), 0, paid)
        on_time = (paid >= owed) & ((day <= last) | (day == NULL_DAY))
        over = context.closed_periods(members.period, Unit.MONTH)
        attested = context.attested(members.organization, members.period, Unit.MONTH)
        silent = np.where(attested, rule.shortfall_code, findings.NO_DATA)
        short = np.where(row < 0, silent, rule.shortfall_code)
        verdict = np.where(over, short, findings.PENDING)
        verdict = np.where((row >= 0) & on_time, findings.MET, verdict)
        late = (row >= 0) & ~on_time & (paid >= owed)
        verdict = np.where(late, rule.shortfall_code, verdict)
        verdict = np.where(members.whole, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        return Block(
            rule=rule,
            subject_type="member",
            subject=members.person,
            organization=members.organization,
            verdict=verdict,
            required=np.where(row < 0, 0, owed).astype(np.int64),
            observed=np.where(row < 0, 0, paid).astype(np.int64),
            evidence=Evidence.single("dues", row),
            unit=Unit.MONTH,
            period=members.period,
            due=context.due(verdict, members.period, Unit.MONTH),
        )

    def message(self, finding: Finding) -> str:
        said = (
            f"{finding.period_text}“{finding.rule.title}”：应交 {_yuan(finding.required)} 元，"
            f"已交 {_yuan(finding.observed)} 元"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，按时足额。"
            case Verdict.NOT_APPLICABLE:
                return f"{finding.period_text}“{finding.rule.title}”不适用：本人当月不是全月在册。"
            case Verdict.PENDING:
                return f"{said}，请于 {finding.due} 前交纳。"
            case Verdict.NO_DATA:
                return f"{finding.period_text}“{finding.rule.title}”没有记录，暂不判定。"
            case _:
                return f"{said}，没有按时足额。"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def months(context: Context) -> Codes:
    """Index of the month of each row of dues; -1 where it is not one."""

    def make() -> Codes:
        table = context.facts["dues"]
        codes = table["month"]
        lookup = np.full(int(codes.max(initial=-1)) + 2, -1, dtype=np.int32)
        for code, text in zip(codes.tolist(), table.strings("month"), strict=True):
            if text is not None and lookup[code] < 0:
                lookup[code] = periods.parse(text)[0]
        return lookup[codes]

    return context.shared("months of dues", make)


def _fixed(context: Context, members: membership.Members) -> Codes:
    """The row that fixes each member's dues; -1 where there is none by the day judged."""
    table = context.facts["dues_bases"]
    entry = members.place(table["person"], table["year"] - 1970)
    rows = np.flatnonzero((entry >= 0) & (table["fixed_on"] <= context.as_of))
    found = np.full(len(members), -1, dtype=np.int32)
    found[entry[rows]] = rows
    return found


def _attested_until(members: membership.Members, months: int) -> NDArray[np.bool_]:
    """Whether each branch's months up to the limit are all attested complete."""
    found = np.ones(len(members), dtype=np.bool_)
    for month in range(months):
        wanted = (members.period * 12 + month).astype(np.int32)
        found &= members.attested(wanted, Unit.MONTH)
    return found
