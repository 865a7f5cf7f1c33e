"""Holders: things that each have exactly one named person responsible for them.

The register names the person, and in ``value`` the thing where there are several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate

from guiju.rules import vocabulary as v
from guiju.rules.checks import streams
from guiju.rules.checks.base import ParameterSchema, PeriodCheck, unit_field
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class HoldersSchema(ParameterSchema):
    """The register item, the things that need a holder, and whether only one may hold each."""

    item = fields.String(required=True, metadata={"vocabulary": v.REGISTER_ITEMS.name})
    #: What ``value`` names; empty where the item itself is the only thing.
    things = fields.List(fields.String(), load_default=list, validate=validate.Length(max=31))
    exactly_one = fields.Boolean(load_default=False)
    per = unit_field(load_default="year")


class Holders(PeriodCheck):
    """Each thing held by somebody named, in each period."""

    name = "holders"
    schema = HoldersSchema
    summary = "事项有明确的责任人"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = ("organization", "item", "since_on", "until_on", "person", "value")
        return {("register", name) for name in names}

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        grid = context.grid(rule, unit, low, high)
        register = context.facts["register"]
        stream = streams.of({"source": "register", "kinds": [rule.parameters["item"]]}, context)
        stream = stream.take(register["person"][stream.rows] >= 0)
        thing = _things(rule, context)[stream.rows]
        position, place = streams.in_periods(stream, context, grid, unit, "until_on")
        known = thing[position] >= 0
        position, place = position[known], place[known]
        bit = np.left_shift(1, thing[position]).astype(np.int64)
        held = np.zeros(len(grid), dtype=np.int64)
        np.bitwise_or.at(held, place, bit)
        number = max(len(rule.parameters["things"]), 1)
        wanted = (1 << number) - 1
        verdict = context.period_verdict(rule, held == wanted, grid, unit)
        shared = np.zeros(len(grid), dtype=np.bool_)
        if rule.parameters["exactly_one"]:
            person = register["person"][stream.rows[position]]
            shared = _by_several(place, thing[position], person, len(grid))
            verdict[shared & grid.judged] = rule.shortfall_code
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=np.full(len(grid), wanted, dtype=np.int64),
            observed=held | (shared.astype(np.int64) << 32),
            evidence=Evidence.grouped("register", stream.rows[position], place, len(grid)),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _named(rule, value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _named(rule, value)

    def message(self, finding: Finding) -> str:
        about = f"{finding.period_text}“{finding.rule.title}”"
        missing = [thing for thing in finding.required if thing not in finding.observed]
        named = "、".join(missing)
        shared = int(finding.block.observed[finding.row]) >> 32
        match finding.verdict:
            case Verdict.MET:
                return f"{about}均有明确的责任人，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{about}不适用：本期间不完整或不具备适用条件。"
            case Verdict.PENDING:
                return f"{about}还没有明确{named}的责任人，请于 {finding.due} 前明确。"
            case Verdict.NO_DATA:
                return f"{about}没有{named}的责任人记录；本期记录尚未确认完整，暂不判定。"
            case _ if shared:
                return f"{about}应明确一人，记录中同时有多人。"
            case _:
                return f"{about}没有明确{named}的责任人。"


def _named(rule: Rule, value: int) -> list[str]:
    things = rule.parameters["things"] or [rule.title]
    return [thing for bit, thing in enumerate(things) if value >> bit & 1]


def _things(rule: Rule, context: Context) -> Any:
    """Which thing each register row is about; -1 for none of those needed."""
    values = context.facts["register"].strings("value")
    things = rule.parameters["things"]
    if not things:
        return np.zeros(len(values), dtype=np.int64)
    number = {thing: position for position, thing in enumerate(things)}
    return np.array([number.get(value or "", -1) for value in values], dtype=np.int64)


def _by_several(place: Any, thing: Any, person: Any, size: int) -> Any:
    """Grid entries in which some thing is held by more than one person."""
    triples = np.unique(np.stack([place, thing, person], axis=1), axis=0)
    pairs, number = np.unique(triples[:, :2], axis=0, return_counts=True)
    found = np.zeros(size, dtype=np.bool_)
    found[pairs[number > 1, 0].astype(np.int64)] = True
    return found
