"""Streams: dated records of any table, filtered once and shared by the rules that count them.

A stream is what "so many in a period" counts: occasions of a kind, reports of a kind
to an audience, inspections of a kind, entries of a register, items on agendas.  All of
them have a subject (an organization), a day and a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import turnout
from guiju.rules.checks.base import (
    ROSTER_DAY,
    SHARED_OCCASIONS,
    ParameterSchema,
    code_list,
    reading_field,
)
from guiju.rules.pack import Parameters
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import COMMITTEE_POSTS

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.facts import Rows
    from guiju.rules.findings import Finding

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]


@dataclass(frozen=True)
class Source:
    """Which columns of a table make it a stream.

    Where ``of_occasion`` is set, a row without organization or day of its own has those
    of its occasion.  A stream whose rows are all of one kind has no ``kind``.  Rows that
    are states rather than events last until the day in the column ``until``.
    """

    table: str
    organization: str
    day: str
    kind: str = ""
    vocabulary: str = ""
    of_occasion: bool = False
    until: str = ""


SOURCES: Mapping[str, Source] = {
    "occasions": Source("occasions", "organization", "held_on", "kinds", "occasion_kind"),
    "reports": Source("reports", "organization", "filed_on", "kind", "report_kind"),
    "inspections": Source("inspections", "by", "done_on", "kind", "inspection_kind"),
    "inspected": Source("inspections", "target", "done_on", "kind", "inspection_kind"),
    "register": Source(
        "register", "organization", "since_on", "item", "register_item", until="until_on"
    ),
    "talks": Source("talks", "organization", "held_on"),
    "agenda": Source("agenda", "", "", "topic", "agenda_topic", of_occasion=True),
    "steps": Source("steps", "", "done_on", "step", "step", of_occasion=True),
    "documents": Source(
        "documents", "organization", "kept_on", "kind", "document_kind", of_occasion=True
    ),
    "cases": Source("disciplinary_steps", "organization", "taken_on", "step", "disciplinary_step"),
    "rectifications": Source(
        "rectifications", "organization", "opened_on", "owner_type", "owner_type"
    ),
}


class StreamSchema(ParameterSchema):
    """Parameters that choose a stream: its source, kinds and filters."""

    source = fields.String(load_default="occasions", validate=validate.OneOf(list(SOURCES)))
    #: Kinds of record in the vocabulary of the source; empty for talks, which have no kind.
    kinds = fields.List(fields.String(), load_default=list)
    #: Count an occasion only if its lecturer held one of these posts on the day.
    lecturer_posts = code_list(v.POSTS)
    #: Count an occasion only if half of the committee was present (D10).
    committee_quorum = fields.Boolean(load_default=False)
    #: Whether exactly half of the committee is enough (D1).
    inclusive = fields.Boolean(load_default=True)
    #: Count an occasion only if it has all of these components.
    components = code_list(v.COMPONENTS)
    #: Count a report only if it went to this audience, or to the superior or unit committee.
    audience = fields.String(load_default=None, validate=validate.OneOf(list(v.AUDIENCES)))
    #: Count an agenda item, step or paper only if its occasion is of one of these kinds.
    on_kinds = code_list(v.OCCASION_KINDS)
    #: Count a talk only if it was held to remind somebody.
    reminders = fields.Boolean(load_default=False)
    #: Count a talk only if one of the two is a member away (流动党员) that day.
    floating = fields.Boolean(load_default=False)
    #: What an office (a unit) does, the Party organization that it belongs to has done.
    offices = fields.Boolean(load_default=False)
    roster_day = reading_field(ROSTER_DAY)
    shared_occasions = reading_field(SHARED_OCCASIONS)

    @validates_schema
    def _kinds_fit(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data.get("kinds")) != bool(SOURCES[data["source"]].kind):
            raise ValidationError("Missing data for required field.", "kinds")

    @classmethod
    def vocabulary_of(cls, name: str, parameters: Mapping[str, Any]) -> str | None:
        source = SOURCES.get(str(parameters.get("source", "occasions")))
        if name == "kinds" and source is not None:
            return source.vocabulary or None
        return super().vocabulary_of(name, parameters)


@dataclass(frozen=True)
class Stream:
    """Row numbers of one table with the subject and day of each, sorted as the table is."""

    table: str
    rows: Codes
    organization: Codes
    day: Days

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, keep: NDArray[Any]) -> Stream:
        return Stream(self.table, self.rows[keep], self.organization[keep], self.day[keep])


def readings(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The common readings that choosing a stream rests on, by parameters as a pack has them."""
    if parameters.get("source", "occasions") != "occasions":
        return frozenset()
    posts = parameters.get("lecturer_posts") or parameters.get("committee_quorum")
    return frozenset({SHARED_OCCASIONS, *([ROSTER_DAY] if posts else [])})


def reads(parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The columns that a stream with these parameters touches."""
    source = SOURCES[parameters["source"]]
    names = {source.organization, source.day, source.kind, source.until} - {""}
    others: set[tuple[str, str]] = set()
    if source.table == "occasions":
        names |= {"id", "status"}
    if source.of_occasion:
        names.add("occasion")
        others |= {("occasions", c) for c in ("id", "organization", "kinds", "held_on", "status")}
    if parameters.get("components"):
        names.add("components")
    if parameters.get("audience"):
        names |= {"audience", "recipient"}
    if parameters.get("reminders"):
        names.add("reminder")
    if parameters.get("floating"):
        names |= {"person", "partner"}
        columns = ("id", "organization", "membership_class", "from_on", "until_on", "floating")
        others |= {("members", column) for column in columns}
    if parameters.get("lecturer_posts"):
        names.add("lecturer")
        others |= {("posts", c) for c in ("person", "organization", "post", "from_on", "until_on")}
    if parameters.get("committee_quorum"):
        names.add("present")
        others |= {("posts", c) for c in ("person", "organization", "post", "from_on", "until_on")}
    return {(source.table, name) for name in names} | others


def of(parameters: Mapping[str, Any], context: Context) -> Stream:
    """The stream that ``parameters`` (a :class:`StreamSchema`) choose, up to the day judged."""
    source = SOURCES[parameters["source"]]
    kinds = tuple(parameters["kinds"])
    base = context.shared(
        ("stream", parameters["source"], kinds),
        lambda: _base(source, kinds, context),
    )
    keep = kept(base, parameters, context)
    found = base if keep is None else base.take(keep)
    return of_offices(found, context) if parameters.get("offices") else found


def of_offices(stream: Stream, context: Context) -> Stream:
    """The stream with each office's records given to the Party organization above it."""
    above = context.nearest(~context.of_kind(("unit",)))[stream.organization]
    owner = np.where(above < 0, stream.organization, above).astype(np.int32)
    return replace(stream, organization=owner)


def _base(source: Source, kinds: tuple[str, ...], context: Context) -> Stream:
    """Held records of the kinds, not later than the day judged, with a known organization."""
    every = context.shared(("every", source), lambda: _every(source, context))
    if not source.kind:
        return every
    kind = context.shared(
        ("kinds of every", source),
        lambda: context.facts[source.table][source.kind][every.rows],
    )
    if source.kind == "kinds":
        chosen = (kind & context.facts.mask(source.vocabulary, kinds)) != 0
    else:
        chosen = among(kind, [context.facts.position(source.vocabulary, one) for one in kinds])
    return every.take(np.flatnonzero(chosen))


def _every(source: Source, context: Context) -> Stream:
    """Held records of all kinds."""
    rows = context.facts[source.table]
    organization, day = placed(source, context)
    keep = (organization >= 0) & (day <= context.as_of) & (day != NULL_DAY)
    if source.table == "occasions":
        keep &= ~not_held(context)
    if source.of_occasion:
        keep &= ~_of_occasion(rows, not_held(context), missing=False)
    found = np.flatnonzero(keep).astype(np.int32)
    return Stream(source.table, found, organization[found], day[found])


def placed(source: Source, context: Context) -> tuple[Codes, Days]:
    """Organization and day of each row of the source's table."""
    rows = context.facts[source.table]
    if not source.of_occasion:
        return rows[source.organization], rows[source.day]
    occasions = context.facts["occasions"]
    organization = _of_occasion(rows, occasions["organization"], missing=-1)
    day = _of_occasion(rows, occasions["held_on"], missing=NULL_DAY)
    if source.organization:
        own = rows[source.organization]
        organization = np.where(own >= 0, own, organization).astype(np.int32)
    if source.day:
        own = rows[source.day]
        day = np.where(own == NULL_DAY, day, own).astype(np.int32)
    return organization, day


def _of_occasion(rows: Rows, column: NDArray[Any], *, missing: Any) -> NDArray[Any]:
    """A column of the occasions, by the occasion that each row belongs to."""
    occasion = rows["occasion"]
    return np.append(column, np.array([missing], dtype=column.dtype))[occasion]


def not_held(context: Context) -> Bools:
    """Occasions that were cancelled, or are only planned."""
    return context.shared("not held", lambda: _not_held(context))


def _not_held(context: Context) -> Bools:
    status = context.facts["occasions"]["status"]
    held = context.facts.position("occasion_status", "held")
    return (status >= 0) & (status != held)


def in_periods(
    stream: Stream, context: Context, grid: Grid, unit: Unit, until: str = ""
) -> tuple[NDArray[np.int64], Codes]:
    """Positions in the stream, each with the grid entry it falls in.

    Where ``until`` names a column, the rows are states and fall in every period they last.
    """
    first = periods.indices(stream.day, unit)
    if not until:
        place = grid.place(stream.organization, first)
        position = np.flatnonzero(place >= 0)
        return position, place[position]
    end = context.facts[stream.table][until][stream.rows]
    end = np.where(end == NULL_DAY, np.int32(context.as_of), end)
    first = np.maximum(first, grid.low)
    last = periods.indices(np.minimum(end, context.as_of).astype(np.int32), unit)
    length = np.maximum(np.minimum(last, grid.high) - first + 1, 0)
    position = np.repeat(np.arange(len(stream)), length)
    step = np.arange(len(position)) - np.repeat(np.cumsum(length) - length, length)
    place = grid.place(stream.organization[position], (first[position] + step).astype(np.int32))
    position, place = position[place >= 0], place[place >= 0]
    return position, place


def kept(base: Stream, parameters: Mapping[str, Any], context: Context) -> Bools | None:
    """Which records of the base stream pass the filters; None if there are no filters."""
    filters = [make(base, parameters, context) for _, make in _chosen(parameters)]
    if not filters:
        return None
    keep = np.ones(len(base), dtype=np.bool_)
    for passed in filters:
        keep &= passed
    return keep


def _chosen(parameters: Parameters) -> Iterator[tuple[str, _Filter]]:
    """The filters that the parameters set."""
    for name, make in _FILTERS.items():
        if parameters.get(name) not in (None, False, [], "each"):
            yield name, make


def _one_kind(base: Stream, parameters: Parameters, context: Context) -> Bools:
    """Occasions whose kind that comes first in the vocabulary is one of those counted."""
    facts = context.facts
    order = [*v.OCCASION_KINDS, *facts.codes("occasion_kind")]
    kinds = facts["occasions"]["kinds"][base.rows]
    found = np.zeros(len(base), dtype=np.bool_)
    for kind in parameters["kinds"]:
        before = facts.mask("occasion_kind", [c for c in order[: order.index(kind)] if c != kind])
        found |= ((kinds & facts.mask("occasion_kind", [kind])) != 0) & ((kinds & before) == 0)
    return found


def _lectured_by(base: Stream, parameters: Parameters, context: Context) -> Bools:
    """Occasions whose lecturer held one of these posts that day, there or above."""
    posts, day = parameters["lecturer_posts"], base.day
    if parameters.get("roster_day") == "today":
        day = np.full_like(day, context.as_of)
    lecturer = context.facts["occasions"]["lecturer"][base.rows]
    held = np.zeros(len(base), dtype=np.bool_)
    current = base.organization
    # The secretary or instructor of the branch or of any organization above it.
    while bool((current >= 0).any()):
        held |= (current >= 0) & context.facts.posts.held_by(posts, lecturer, current, day)
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    return held & (lecturer >= 0)


def _quorum(base: Stream, parameters: Parameters, context: Context) -> Bools:
    """Half of the committee present (2p ≥ n, or 2p > n); not knowing is not held against it."""
    counted = turnout.of(context, parameters.get("roster_day"))
    present = counted.came(COMMITTEE_POSTS, base.rows)
    over = 2 * present - counted.holders(COMMITTEE_POSTS, base.rows)
    enough = over >= 0 if parameters.get("inclusive", True) else over > 0
    return np.asarray((present < 0) | enough)


def _components(base: Stream, parameters: Parameters, context: Context) -> Bools:
    wanted = context.facts.mask("component", parameters["components"])
    return (context.facts["occasions"]["components"][base.rows] & wanted) == wanted


def _audience(base: Stream, parameters: Parameters, context: Context) -> Bools:
    audience = parameters["audience"]
    rows = context.facts[base.table]
    stated = rows["audience"][base.rows] == context.facts.position("audience", audience)
    if audience != "superior":
        return stated
    recipient = rows["recipient"][base.rows]
    above = np.zeros(len(base), dtype=np.bool_)
    current = context.parent[base.organization]
    while bool((current >= 0).any()):
        above |= (current >= 0) & (recipient == current)
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    # Who is named but is not above does not receive as a superior.
    unnamed = ~rows.stated("recipient")[base.rows]
    return (stated & unnamed) | above


def _reminders(base: Stream, parameters: Parameters, context: Context) -> Bools:
    return np.asarray(context.facts["talks"]["reminder"][base.rows] == 1)


def _on_kinds(base: Stream, parameters: Parameters, context: Context) -> Bools:
    wanted = context.facts.mask("occasion_kind", parameters["on_kinds"])
    kinds_held = context.facts["occasions"]["kinds"]
    found = _of_occasion(context.facts[base.table], kinds_held, missing=0)
    return (found[base.rows] & wanted) != 0


def _floating(base: Stream, parameters: Parameters, context: Context) -> Bools:
    talks, roster = context.facts["talks"], context.facts.roster
    away = np.append(context.facts["members"]["floating"] == 1, np.bool_(0))
    found = np.zeros(len(base), dtype=np.bool_)
    for side in ("person", "partner"):
        found |= away[roster.of_person.latest(talks[side][base.rows], base.day)]
    return found


_Filter = Callable[[Stream, Parameters, "Context"], Bools]

_FILTERS: Mapping[str, _Filter] = {
    "floating": _floating,
    "on_kinds": _on_kinds,
    "reminders": _reminders,
    "lecturer_posts": _lectured_by,
    "committee_quorum": _quorum,
    "components": _components,
    "audience": _audience,
    "shared_occasions": _one_kind,
}

#: Why a record was looked at but not counted, by filter.
REASONS: Mapping[str, str] = {
    "floating": "双方当日都不是流动党员",
    "on_kinds": "不属于规定类型的会议",
    "reminders": "不是提醒谈话",
    "lecturer_posts": "授课人当日不担任规定职务",
    "committee_quorum": "到会委员不足半数",
    "components": "活动内容不齐",
    "audience": "报送对象不符",
    "shared_occasions": "同一次活动只计入词表中列在前面的一类",
}


def uncounted(finding: Finding, context: Context) -> list[tuple[str, str]]:
    """Records of the finding's subject and period that were looked at but not counted, with why.

    The finding's rule must have the parameters of a stream (of occasions, where it names
    no source) and a period.
    """
    block, parameters = finding.block, {"source": "occasions", **finding.rule.parameters}
    assert block.unit is not None and block.period is not None
    source = SOURCES[parameters["source"]]
    rows = context.facts[source.table]
    subject, period = int(block.subject[finding.row]), int(block.period[finding.row])
    first = periods.first_day(period, block.unit)
    last = periods.last_day(period, block.unit)
    organizations, days = placed(source, context)
    if parameters.get("offices"):
        every = Stream(source.table, np.arange(len(rows), dtype=np.int32), organizations, days)
        organizations = of_offices(every, context).organization
    near = (organizations == subject) & (days >= first) & (days <= last)
    found: list[tuple[str, str]] = []
    if source.kind == "kinds":
        of_kind = (rows["kinds"] & context.facts.mask(source.vocabulary, parameters["kinds"])) != 0
        for row in np.flatnonzero(near & of_kind & not_held(context)).tolist():
            found.append((context.facts.record_id(source.table, row), "未召开（已取消或仅为计划）"))
    base = _base(source, tuple(parameters["kinds"]), context)
    base = base.take(among(base.rows, np.flatnonzero(near)))
    for name, make in _chosen(parameters):
        failed = ~make(base, parameters, context)
        for row in base.rows[failed].tolist():
            found.append((context.facts.record_id(source.table, row), REASONS[name]))
    return found
