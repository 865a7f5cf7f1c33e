"""Order between occasions: one held only after others of the same cycle.

Two ways to judge it: each later occasion by itself (a committee meets before the
assembly), or the cycle as a whole (at least one life meeting after the year's
democratic life meeting).
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
from guiju.rules.checks import occasions, streams, wording
from guiju.rules.checks.base import (
    FIRST_PERIOD,
    INCOMPLETE,
    Check,
    Footprint,
    code_list,
    unit_field,
)
from guiju.rules.checks.occasions import Meetings, OccasionSchema
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Moments = NDArray[np.int64]

_DAY = 24 * 60
_NONE = np.int64(-(2**62))


class SequenceSchema(OccasionSchema):
    """``kinds`` (in one of ``forms``) come after every one of ``after`` (in ``after_forms``).

    Both belong to one ``cycle``.  ``of`` says whose the earlier occasions are: the
    organization's own, or those of any organization above it.  ``each`` occasion is
    judged, or the ``cycle``.  ``days`` is a tenant's own number of days for "at once".
    """

    after = code_list(v.OCCASION_KINDS, required=True)
    after_forms = code_list(v.FORMS)
    #: The earlier occasions count only if they have all of these components.
    after_components = code_list(v.COMPONENTS)
    cycle = unit_field(load_default="year")
    of = fields.String(load_default="own", validate=validate.OneOf(("own", "superior")))
    judge = fields.String(load_default="each", validate=validate.OneOf(("each", "cycle")))
    days = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 366)
    )


class After(Check):
    """Occasions that come after others."""

    name = "sequence"
    schema = SequenceSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.SUPERIORS
    summary = "不同活动之间的先后顺序"
    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS)
        if parameters["after_components"]:
            found.add(("occasions", "components"))
        return found

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            if rule.parameters["judge"] == "each":
                meetings = occasions.choose(rule, context)
                if len(meetings):
                    yield self._each(rule, meetings, context)
            else:
                unit = Unit.named(rule.parameters["cycle"])
                low, high = context.span(rule, unit)
                if low <= high:
                    yield self._cycle(rule, context, unit, low, high)

    def _each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        unit = Unit.named(rule.parameters["cycle"])
        period = periods.indices(meetings.day, unit)
        latest = np.full(len(meetings), _NONE, dtype=np.int64)
        complete = np.ones(len(meetings), dtype=np.bool_)
        for kind in rule.parameters["after"]:
            before = _Earlier(rule, context, kind, unit)
            moment = before.last_before(meetings, period)
            complete &= moment != _NONE
            latest = np.maximum(latest, moment)
        gap = np.where(complete, meetings.day - latest // _DAY, -1)
        days = rule.parameters["days"]
        slow = complete & (gap > days) if days is not None else np.zeros_like(complete)
        verdict = np.select(
            [~complete, slow], [rule.shortfall_code, findings.NEEDS_JUDGEMENT], findings.MET
        )
        wanted = np.zeros(len(meetings), dtype=np.int64)
        return meetings.block(rule, verdict, wanted, gap.astype(np.int64))

    def _cycle(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        grid = context.grid(rule, unit, low, high)
        meetings = occasions.in_periods(rule, context)
        place = grid.place(meetings.organization, periods.indices(meetings.day, unit))
        inside = np.flatnonzero(place >= 0)
        first = np.full(len(grid), _NONE, dtype=np.int64)
        for kind in rule.parameters["after"]:
            first = np.maximum(first, _Earlier(rule, context, kind, unit).first_in(grid))
        opened = first != _NONE
        later = _latest_moment(meetings)[inside] >= first[place[inside]]
        number = np.bincount(place[inside][later], minlength=len(grid)).astype(np.int64)
        early = np.bincount(place[inside], minlength=len(grid)) > 0
        verdict = context.period_verdict(rule, number > 0, grid, unit)
        # Nothing to follow: the rule on the earlier occasion says that it is missing.
        silent = ~opened & context.closed_periods(grid.period, unit)
        verdict = np.where(silent, findings.NOT_APPLICABLE, verdict)
        verdict = np.where(~opened & ~silent & grid.judged, findings.PENDING, verdict)
        # The order is plain from the records, attested or not, once the cycle is over.
        broken = opened & early & (number == 0) & grid.judged
        over = context.closed_periods(grid.period, unit)
        verdict = np.where(broken & over, rule.shortfall_code, verdict).astype(np.int8)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=np.ones(len(grid), dtype=np.int64),
            observed=number,
            evidence=Evidence.grouped(
                "occasions", meetings.rows[inside][later], place[inside][later], len(grid)
            ),
            unit=unit,
            period=grid.period,
            due=context.due(verdict, grid.period, unit),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["after"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """Days since the occasion that comes first; occasions that came after, by cycle."""
        return None if value < 0 else value

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        first = wording.labels(rule, "occasion_kind", rule.parameters["after"])
        if rule.parameters["judge"] == "cycle":
            return _cycle_message(finding, first)
        about = f"{wording.occasion(finding)}“{rule.title}”"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}在{first}之后 {finding.observed} 日召开，顺序符合。"
            case Verdict.NEEDS_JUDGEMENT if finding.observed is not None:
                return f"{about}在{first}之后 {finding.observed} 日才召开，是否及时请由人认定。"
            case _:
                return f"{about}之前未见同一周期内的{first}。"


def _cycle_message(finding: Finding, first: str) -> str:
    about = f"{finding.period_text}“{finding.rule.title}”"
    match finding.verdict:
        case Verdict.MET:
            return f"{about}在{first}之后召开 {finding.observed} 次，顺序符合。"
        case Verdict.PENDING:
            return f"{about}应在{first}之后召开，请于 {finding.due} 前完成。"
        case Verdict.NO_DATA:
            return f"{about}应在{first}之后召开；本期记录尚未确认完整，暂不判定。"
        case Verdict.NOT_APPLICABLE:
            return f"{about}本期没有{first}的记录，先后无从判定。"
        case _:
            return f"{about}应在{first}之后召开，记录中只有此前召开的或没有召开。"


def _latest_moment(meetings: Meetings) -> Moments:
    """Each meeting as a minute; the end of its day where the time is unknown."""
    minute = np.where(meetings.minute < 0, _DAY - 1, meetings.minute)
    return meetings.day.astype(np.int64) * _DAY + minute


class _Earlier:
    """The occasions of one kind that should come first, by organization and cycle."""

    def __init__(self, rule: Rule, context: Context, kind: str, unit: Unit) -> None:
        self._context, self._unit = context, unit
        self._superior = rule.parameters["of"] == "superior"
        rows = context.facts["occasions"]
        components = rule.parameters["after_components"]
        chosen = {"source": "occasions", "kinds": [kind], "components": components}
        stream = streams.of(chosen, context)
        if rule.parameters["after_forms"]:
            wanted = [context.facts.position("form", f) for f in rule.parameters["after_forms"]]
            stream = stream.take(among(occasions.forms(context)[stream.rows], wanted))
        stream = stream.take(stream.day >= 0)
        minute = rows["start_minute"][stream.rows]
        moment = stream.day.astype(np.int64) * _DAY + np.maximum(minute, 0)
        key = self._key(stream.organization, periods.indices(stream.day, unit))
        order = np.lexsort((moment, key))
        self._keys, self._moments = key[order], moment[order]

    @staticmethod
    def _key(organization: Codes, period: Codes) -> Moments:
        return (organization.astype(np.int64) << 12) + period

    def last_before(self, meetings: Meetings, period: Codes) -> Moments:
        """The last earlier occasion of each meeting's cycle, not after it; _NONE without one."""
        until = _latest_moment(meetings)
        found = np.full(len(meetings), _NONE, dtype=np.int64)
        for organization in self._answering(meetings.organization):
            found = np.maximum(found, self._last(self._key(organization, period), until))
        return found

    def first_in(self, grid: Grid) -> Moments:
        """The first occasion of each organization's cycle; _NONE without one."""
        found = np.full(len(grid), _NONE, dtype=np.int64)
        for organization in self._answering(grid.organization):
            key = self._key(organization, grid.period)
            place = np.searchsorted(self._keys, key)
            inside = place < len(self._keys)
            place = np.minimum(place, max(len(self._keys) - 1, 0))
            if len(self._keys):
                here = inside & (self._keys[place] == key) & (organization >= 0)
                found = np.where(here & (found == _NONE), self._moments[place], found)
        return found

    def _last(self, key: Moments, until: Moments) -> Moments:
        if not len(self._keys):
            return np.full(len(key), _NONE, dtype=np.int64)
        # Key and moment as one sorted number: minutes from 1970 to 2199 fit below 2**28.
        joined = (self._keys << 28) + self._moments
        place = np.searchsorted(joined, (key << 28) + until, "right") - 1
        good = place >= 0
        place = np.maximum(place, 0)
        return np.where(good & (self._keys[place] == key), self._moments[place], _NONE)

    def _answering(self, organization: Codes) -> Iterator[Codes]:
        """The organization itself and a group's branch, or (nearest first) those above it."""
        if not self._superior:
            yield organization
            branch = self._context.answerable[organization]
            if not np.array_equal(branch, organization):
                yield branch
            return
        current = self._context.parent[organization]
        while bool((current >= 0).any()):
            yield current
            current = np.where(current >= 0, self._context.parent[current], -1).astype(np.int32)
