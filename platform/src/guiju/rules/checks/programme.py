"""Programme: a set of activities that each member goes through once, without a deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import streams, wording
from guiju.rules.checks.base import Check, Footprint, ParameterSchema, code_list
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class ProgrammeSchema(ParameterSchema):
    """The components, of whatever occasion they are part."""

    components = code_list(v.COMPONENTS, required=True)


class Programme(Check):
    """Which components each member on the roster has taken part in since the rule began."""

    name = "programme"
    schema = ProgrammeSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.SUPERIORS
    summary = "每名党员参加过的系列活动"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {("occasions", c) for c in ("id", "held_on", "status", "components")}
        found |= {("attendance", c) for c in ("occasion", "person", "status")}
        columns = ("id", "organization", "membership_class", "from_on", "until_on")
        return found | {("members", column) for column in columns}

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            block = self._judge(rule, context)
            if block is not None:
                yield block

    def _judge(self, rule: Rule, context: Context) -> Block | None:
        if not bool(context.in_validity(rule, np.array([context.as_of], dtype=np.int32))[0]):
            return None
        roster = context.facts.roster
        today = roster.party & (roster.start <= context.as_of) & (roster.end >= context.as_of)
        today &= (roster.organization >= 0) & (roster.person >= 0)
        today &= context.applies(rule)[np.maximum(roster.organization, 0)]
        rows = np.flatnonzero(today)
        if not len(rows):
            return None
        person, first = np.unique(roster.person[rows], return_index=True)
        done = _done(rule, context)[person]
        wanted = (1 << len(rule.parameters["components"])) - 1
        return Block(
            rule=rule,
            subject_type="member",
            subject=person.astype(np.int32),
            organization=roster.organization[rows[first]],
            verdict=np.where(done == wanted, findings.MET, findings.PENDING).astype(np.int8),
            required=np.full(len(person), wanted, dtype=np.int64),
            observed=done,
            evidence=Evidence.none(len(person)),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _codes(rule, value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _codes(rule, value)

    def message(self, finding: Finding) -> str:
        about = f"“{finding.rule.title}”"
        if finding.verdict is Verdict.MET:
            return f"{about}：{len(finding.required)} 项活动均已参加，符合。"
        missing = [code for code in finding.required if code not in finding.observed]
        named = wording.labels(finding.rule, "component", missing)
        return f"{about}：尚未参加{named}；文件没有规定时限。"


def _codes(rule: Rule, value: int) -> list[str]:
    components = rule.parameters["components"]
    return [code for bit, code in enumerate(components) if value >> bit & 1]


def _done(rule: Rule, context: Context) -> Any:
    """For every person the components taken part in, as a mask in the order of the rule."""
    occasions, attendance = context.facts["occasions"], context.facts["attendance"]
    held = context.in_validity(rule, occasions["held_on"]) & ~streams.not_held(context)
    done = np.zeros(context.facts.count("people"), dtype=np.int64)
    coming = [context.facts.position("attendance", code) for code in ("present", "remote")]
    came = among(attendance["status"], coming) & (attendance["person"] >= 0)
    for bit, code in enumerate(rule.parameters["components"]):
        part = (occasions["components"] & context.facts.mask("component", [code])) != 0
        chosen = came & np.append(held & part, np.bool_(0))[attendance["occasion"]]
        done[attendance["person"][chosen]] |= 1 << bit
    return done
