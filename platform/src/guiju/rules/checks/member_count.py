"""Count for each person: so many records that name the person in each period.

Attendance at meetings, lessons given, reports made, papers written: for rules that bind
each member, or each leading cadre, rather than the branch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import membership, rosters, streams
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    ParameterSchema,
    code_list,
    unit_field,
)
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_OCCASIONS = frozenset(
    ("occasions", c) for c in ("id", "organization", "kinds", "held_on", "status")
)
#: Source → (vocabulary of its kinds, columns it touches).
_SOURCES: Mapping[str, tuple[str, frozenset[tuple[str, str]]]] = {
    "attendance": (
        "occasion_kind",
        _OCCASIONS | {("attendance", c) for c in ("occasion", "person", "status")},
    ),
    "lectures": ("occasion_kind", _OCCASIONS | {("occasions", "lecturer")}),
    "reports": ("report_kind", frozenset(("reports", c) for c in ("person", "kind", "filed_on"))),
    "talks_accepted": (
        "",
        frozenset(("talks", c) for c in ("person", "held_on", "requested")),
    ),
}


class MemberCountSchema(ParameterSchema):
    """Whose records of which kinds are counted, and how many each period needs."""

    source = fields.String(required=True, validate=validate.OneOf(list(_SOURCES)))
    kinds = fields.List(fields.String(), load_default=list)
    per = unit_field(required=True)
    min = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 366))
    #: Whom the rule binds: a group of the roster, or the holders of ``posts``.
    who = fields.String(
        load_default="party",
        validate=validate.OneOf(("party", "full", "leading_cadre", "floating", "posts")),
    )
    posts = code_list(v.POSTS)
    #: Count only what happened in the person's own branch or its groups.
    own_branch = fields.Boolean(load_default=False)

    @validates_schema
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data.get("kinds")) != bool(_SOURCES[data["source"]][0]):
            raise ValidationError("Missing data for required field.", "kinds")
        if bool(data.get("posts")) != (data.get("who") == "posts"):
            raise ValidationError("who 为 posts 时填写，否则不填", "posts")

    @classmethod
    def vocabulary_of(cls, name: str, parameters: Mapping[str, Any]) -> str | None:
        source = _SOURCES.get(str(parameters.get("source")))
        if name == "kinds" and source is not None:
            return source[0] or None
        return super().vocabulary_of(name, parameters)


class MemberCount(Check):
    """At least ``min`` records naming each person bound, in each period."""

    name = "member_count"
    schema = MemberCountSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.SUPERIORS
    summary = "每名党员在每个期间的次数"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(_SOURCES[parameters["source"]][1])
        found |= rosters.READS["posts"] if parameters["who"] == "posts" else membership.ROSTER
        if parameters["who"] in {"leading_cadre", "floating"}:
            found.add(("members", parameters["who"]))
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = Unit.named(rule.parameters["per"])
            people = _bound(rule, context, unit)
            if len(people):
                yield self._judge(rule, context, unit, people)

    def _judge(self, rule: Rule, context: Context, unit: Unit, people: _People) -> Block:
        records = _records(rule, context)
        place = people.place(records, unit, own=rule.parameters["own_branch"])
        inside = place >= 0
        number = np.bincount(place[inside], minlength=len(people)).astype(np.int64)
        over = context.closed_periods(people.period, unit)
        attested = context.attested(people.organization, people.period, unit)
        short = np.where(attested, rule.shortfall_code, findings.NO_DATA)
        enough = number >= rule.parameters["min"]
        verdict = np.where(enough, findings.MET, np.where(over, short, findings.PENDING))
        verdict = np.where(people.whole, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        return Block(
            rule=rule,
            subject_type="member",
            subject=people.person,
            organization=people.organization,
            verdict=verdict,
            required=np.full(len(verdict), rule.parameters["min"], dtype=np.int64),
            observed=number,
            evidence=Evidence.grouped(
                records.table, records.rows[inside], place[inside], len(verdict)
            ),
            unit=unit,
            period=people.period,
            due=context.due(verdict, people.period, unit),
        )

    def message(self, finding: Finding) -> str:
        said = f"{finding.period_text}“{finding.rule.title}”本人有 {finding.observed} 次记录"
        numbered = finding.rule.shortfall is not Verdict.NEEDS_JUDGEMENT
        asked = f"要求至少 {finding.required} 次" if numbered else "文件没有规定次数"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，{asked}，符合。" if numbered else f"{said}，已有体现。"
            case Verdict.NOT_APPLICABLE:
                about = f"{finding.period_text}“{finding.rule.title}”"
                return f"{about}不适用：本人在本期中途才在册或任职。"
            case Verdict.PENDING:
                return f"{said}，{asked}，本期尚未结束。"
            case Verdict.NO_DATA:
                return f"{said}，{asked}；本期记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}；{asked}，是否落实请由人认定。"
            case _:
                return f"{said}，{asked}，未达到。"


@dataclass(frozen=True)
class _Records:
    """Rows of a table, each with the person it names, its day and its organization."""

    table: str
    rows: Codes
    person: Codes
    day: Days
    organization: Codes


@dataclass(frozen=True)
class _People:
    """Everyone whom a rule binds, by period, once each, with the branch at the period's end.

    ``whole`` is false where the person was bound for the period's last part only.
    """

    context: Context
    person: Codes
    organization: Codes
    period: Codes
    whole: Bools

    def __len__(self) -> int:
        return len(self.person)

    def place(self, records: _Records, unit: Unit, *, own: bool) -> Codes:
        """The entry that each record belongs to; -1 where there is none."""
        key = _key(self.person, self.period)
        order = np.argsort(key)
        known = key[order]
        wanted = _key(records.person, periods.indices(records.day, unit))
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found = np.where(known[place] == wanted, order[place], -1)
        if own:
            branch = self.context.answerable[np.maximum(records.organization, 0)]
            found = np.where((found >= 0) & (self.organization[found] == branch), found, -1)
        return found.astype(np.int32)


def _key(person: Codes, period: Codes) -> NDArray[np.int64]:
    # Periods from 1921 to 2199 number less than 2**12 around 1970.
    key: NDArray[np.int64] = (person.astype(np.int64) << 13) + period + (1 << 12)
    return key


def _bound(rule: Rule, context: Context, unit: Unit) -> _People:
    who = rule.parameters["who"]
    if who == "posts":
        return _holders(rule, context, unit)
    found = membership.of(rule, context, unit, "full" if who == "full" else "party")
    if who in {"leading_cadre", "floating"}:
        found = found.take(context.facts["members"][who][found.row] == 1)
    return _People(context, found.person, found.organization, found.period, found.whole)


def _holders(rule: Rule, context: Context, unit: Unit) -> _People:
    """Who holds one of the posts when a period ends, and whether already when it began."""
    posts, low_high = tuple(rule.parameters["posts"]), context.span(rule, unit)
    bound = np.flatnonzero(context.applies(rule)).astype(np.int32)
    span = np.arange(low_high[0], low_high[1] + 1, dtype=np.int32)
    organization, period = np.repeat(bound, len(span)), np.tile(span, len(bound))
    end = np.minimum(periods.last_days(period, unit), np.int32(context.as_of)).astype(np.int32)
    place, person = rosters.holders(context, posts, organization, end)
    organization, period = organization[place], period[place]
    # One who holds posts in several organizations is bound once, where the first stands.
    first = np.sort(np.unique(_key(person, period), return_index=True)[1])
    person, organization, period = person[first], organization[first], period[first]
    began = periods.first_days(period, unit)
    whole = context.facts.posts.held_by(posts, person, organization, began)
    return _People(context, person, organization, period, whole)


def _records(rule: Rule, context: Context) -> _Records:
    facts, parameters = context.facts, rule.parameters
    if parameters["source"] in {"attendance", "lectures"}:
        stream = streams.of({"source": "occasions", "kinds": parameters["kinds"]}, context)
        if parameters["source"] == "lectures":
            lecturer = facts["occasions"]["lecturer"][stream.rows]
            return _Records("occasions", stream.rows, lecturer, stream.day, stream.organization)
        return _attended(stream, context)
    if parameters["source"] == "reports":
        stream = streams.of({"source": "reports", "kinds": parameters["kinds"]}, context)
        person = facts["reports"]["person"][stream.rows]
        return _Records("reports", stream.rows, person, stream.day, stream.organization)
    stream = streams.of({"source": "talks", "kinds": []}, context)
    stream = stream.take(facts["talks"]["requested"][stream.rows] == 1)
    person = facts["talks"]["person"][stream.rows]
    return _Records("talks", stream.rows, person, stream.day, stream.organization)


def _attended(stream: streams.Stream, context: Context) -> _Records:
    """The occasions of the stream, once for each person who came, in person or remotely."""
    attendance = context.facts["attendance"]
    coming = [context.facts.position("attendance", code) for code in ("present", "remote")]
    position = np.full(context.facts.count("occasions") + 1, -1, dtype=np.int32)
    position[stream.rows] = np.arange(len(stream), dtype=np.int32)
    place = position[attendance["occasion"]]
    keep = (place >= 0) & (attendance["person"] >= 0) & among(attendance["status"], coming)
    place = place[keep]
    return _Records(
        "occasions",
        stream.rows[place],
        attendance["person"][keep],
        stream.day[place],
        stream.organization[place],
    )
