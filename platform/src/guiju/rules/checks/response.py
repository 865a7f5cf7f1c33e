"""Response: something happened, and what it calls for was done, soon or at once.

Vacant posts are filled, branches that no longer qualify adjusted, a temporary branch ends
with the body it was formed for.  "In time" has no number (D14): the days are shown, a
tenant's own number is a reminder, and whether it was in time is for a person to say.
One finding for each organization and year in which something happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.arrays import among
from guiju.rules.checks import states
from guiju.rules.checks.base import Check, ParameterSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_HALF, _LOWER = 32, 0xFFFFFFFF


@dataclass(frozen=True)
class _Source:
    """Where an event and its answer stand, and how people call them."""

    table: str
    organization: str
    event: str
    answers: tuple[str, ...]
    noun: str
    kinds: tuple[str, ...] = ()


SOURCES: Mapping[str, _Source] = {
    "vacancies": _Source("vacancies", "organization", "vacant_on", ("filled_on",), "职务空缺"),
    "adjustments": _Source(
        "foundings",
        "organization",
        "condition_lost_on",
        ("approved_on", "decided_on"),
        "不再符合设立条件",
        ("adjusted", "abolished"),
    ),
    "temporary": _Source("organizations", "id", "temporary_until", ("closed_on",), "临时机构撤销"),
}


class ResponseSchema(ParameterSchema):
    """What happens and how soon the answer is due."""

    source = fields.String(required=True, validate=validate.OneOf(list(SOURCES)))
    #: The answer is due on the very day; otherwise "in time", for a person to judge.
    at_once = fields.Boolean(load_default=False)
    #: The tenant's own number of days; 0 where it has set none.
    within_days = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 3660))
    #: A branch with fewer full members than this no longer qualifies, recorded or not.
    least_members = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 100))


class Response(Check):
    """Events of an organization and what was done about them."""

    name = "response"
    schema = ResponseSchema
    summary = "出现情况后是否及时办理"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        source = SOURCES[parameters["source"]]
        found = {(source.table, name) for name in (source.organization, source.event)}
        found |= {(source.table, name) for name in source.answers}
        if source.kinds:
            found.add((source.table, "kind"))
        if parameters["least_members"]:
            found |= {
                ("members", c)
                for c in ("id", "organization", "membership_class", "from_on", "until_on")
            }
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            events = _events(rule, context)
            if len(events.rows):
                yield self._judge(rule, context, events)
            if rule.parameters["least_members"]:
                open_ = events.answer == NULL_DAY
                yield from self._unfit(rule, context, events.organization[open_])

    def _judge(self, rule: Rule, context: Context, events: _Events) -> Block:
        each = _each(rule, context, events)
        year = periods.indices(events.day, Unit.YEAR)
        pair, place = np.unique(
            (events.organization.astype(np.int64) << 16) + year, return_inverse=True
        )
        size = len(pair)
        number = np.bincount(place, minlength=size).astype(np.int64)
        done = np.bincount(place[events.answer != NULL_DAY], minlength=size).astype(np.int64)
        verdict = np.full(size, findings.MET, dtype=np.int8)
        for worse in (findings.PENDING, findings.NEEDS_JUDGEMENT, int(rule.shortfall_code)):
            verdict[np.bincount(place[each == worse], minlength=size) > 0] = worse
        owner = (pair >> 16).astype(np.int32)
        due = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(due, place, events.day + np.int32(rule.parameters["within_days"]))
        waiting = verdict == findings.PENDING
        return Block(
            rule=rule,
            subject_type="organization",
            subject=owner,
            organization=owner,
            verdict=verdict,
            required=number,
            observed=(done << _HALF) | _longest(context, events, place, size),
            evidence=Evidence.grouped(
                SOURCES[rule.parameters["source"]].table, events.rows, place, size
            ),
            unit=Unit.YEAR,
            period=(pair & 0xFFFF).astype(np.int32),
            due=np.where(waiting, due, np.int32(NULL_DAY)).astype(np.int32),
        )

    def _unfit(self, rule: Rule, context: Context, known: Codes) -> Iterator[Block]:
        """Branches with too few full members today, of which nothing is recorded."""
        subjects = states.subjects(rule, context)
        recorded = np.zeros(context.size, dtype=np.bool_)
        recorded[known] = True
        full = context.facts.roster.count("full", subjects.organization, subjects.days)
        party = context.facts.roster.count("party", subjects.organization, subjects.days)
        few = (full < rule.parameters["least_members"]) & (party > 0)
        keep = np.flatnonzero(few & ~recorded[subjects.organization])
        if not len(keep):
            return
        alone = states.Subjects(context, subjects.organization[keep], subjects.judged[keep])
        yield alone.block(
            rule,
            np.full(len(keep), findings.NEEDS_JUDGEMENT, dtype=np.int8),
            np.full(len(keep), rule.parameters["least_members"], dtype=np.int64),
            full[keep].astype(np.int64) << _HALF,
        )

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value >> _HALF

    def message(self, finding: Finding) -> str:
        rule, title = finding.rule, finding.rule.title
        noun = SOURCES[rule.parameters["source"]].noun
        if finding.block.period is None:
            return (
                f"“{title}”：现有正式党员 {finding.observed} 名，不足 {finding.required} 名，"
                "尚无调整或者撤销记录，是否及时请由人认定。"
            )
        days = int(finding.block.observed[finding.row]) & _LOWER
        said = (
            f"{finding.period_text}“{title}”：{noun} {finding.required} 项，"
            f"已办理 {finding.observed} 项，最长 {days} 天"
        )
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，已落实。"
            case Verdict.PENDING:
                return f"{said}，请于 {finding.due} 前办理。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}；文件没有规定天数，是否及时请由人认定。"
            case _:
                return f"{said}，应当随即办理而没有办理。"


@dataclass(frozen=True)
class _Events:
    """Events with the day of each answer; all arrays have one length."""

    rows: Codes
    organization: Codes
    day: Days
    answer: Days


def _events(rule: Rule, context: Context) -> _Events:
    """What happened since the rule took effect."""
    source = SOURCES[rule.parameters["source"]]
    rows = context.facts[source.table]
    organization, event = rows[source.organization], rows[source.event]
    keep = (organization >= 0) & context.in_validity(rule, event) & (event != NULL_DAY)
    if source.kinds:
        wanted = [context.facts.position("founding_kind", kind) for kind in source.kinds]
        keep &= among(rows["kind"], wanted)
    keep &= context.applies(rule)[organization]
    found = np.flatnonzero(keep).astype(np.int32)
    answer = np.full(len(found), NULL_DAY, dtype=np.int32)
    for column in source.answers:
        day = rows[column][found]
        answer = np.where((answer == NULL_DAY) & (day <= context.as_of), day, answer)
    return _Events(found, organization[found], event[found], answer.astype(np.int32))


def _each(rule: Rule, context: Context, events: _Events) -> NDArray[np.int8]:
    """The verdict on each event by itself."""
    event, answer = events.day, events.answer
    within = rule.parameters["within_days"]
    done = answer != NULL_DAY
    if rule.parameters["at_once"]:
        late = np.where(done, answer > event, event < context.as_of)
        waiting = np.where(done, findings.MET, findings.PENDING)
        return np.where(late, rule.shortfall_code, waiting).astype(np.int8)
    days = np.where(done, answer, np.int32(context.as_of)) - event
    over = (days > within) if within else ~done
    waiting = np.where(done, findings.MET, findings.PENDING)
    return np.where(over, findings.NEEDS_JUDGEMENT, waiting).astype(np.int8)


def _longest(
    context: Context, events: _Events, place: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """Days from event to answer (or to the day judged), the longest of each entry."""
    end = np.where(events.answer == NULL_DAY, np.int32(context.as_of), events.answer)
    days = np.zeros(size, dtype=np.int64)
    np.maximum.at(days, place, np.maximum(end - events.day, 0).astype(np.int64))
    return days
