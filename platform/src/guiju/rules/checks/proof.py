"""What proves that a step was taken at a meeting, and when.

A step is proven by a row of ``steps``, or by the record that the step itself leaves: a
talk held for the meeting, a report about it, a paper attached to it.  Papers carry no date
of their own that says when the step was taken, so they prove a step at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.arrays import among
from guiju.rules.checks import occasions
from guiju.rules.periods import NULL_DAY, Unit

if TYPE_CHECKING:
    from guiju.rules.checks.occasions import Meetings
    from guiju.rules.context import Context

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

#: Later than every day: where nothing was found yet.
NEVER = np.int32(2**31 - 1)


@dataclass(frozen=True)
class Dated:
    """Proofs: the position of the meeting, the day, and the minute (-1 where unknown)."""

    place: Codes
    day: Days
    minute: Codes

    @classmethod
    def on(cls, meetings: Meetings, occasions: Codes, days: Days) -> Dated:
        """Proofs for occasion codes; those of other meetings or without a day are dropped."""
        place = meetings.place(occasions)
        keep = (place >= 0) & (days != NULL_DAY) & (days <= meetings.context.as_of)
        place = place[keep]
        return cls(place, days[keep], np.full(len(place), -1, dtype=np.int32))


def document_masks(context: Context) -> NDArray[np.uint64]:
    """Kinds of papers attached to each occasion, as a mask."""
    return context.shared("document masks", lambda: _document_masks(context))


def _document_masks(context: Context) -> NDArray[np.uint64]:
    occasions, documents = context.facts["occasions"], context.facts["documents"]
    masks = occasions["document_mask"].copy()
    occasion, kind = documents["occasion"], documents["kind"]
    kept = documents["kept_on"]
    keep = (occasion >= 0) & (kind >= 0) & ((kept == NULL_DAY) | (kept <= context.as_of))
    bits = np.left_shift(np.uint64(1), kind[keep].astype(np.uint64))
    np.bitwise_or.at(masks, occasion[keep], bits)
    return masks


# -- what proves which step --------------------------------------------------------------

Source = Callable[["Meetings"], Dated]


def _occasion_day(column: str) -> Source:
    def find(meetings: Meetings) -> Dated:
        days = meetings.context.facts["occasions"][column][meetings.rows]
        return Dated.on(meetings, meetings.rows, days)

    return find


def _stated(column: str) -> Source:
    """A column whose being filled in proves the step, whatever day it holds."""

    def find(meetings: Meetings) -> Dated:
        stated = meetings.context.facts["occasions"][column][meetings.rows] != NULL_DAY
        days = np.where(stated, meetings.day, np.int32(NULL_DAY)).astype(np.int32)
        return Dated.on(meetings, meetings.rows, days)

    return find


def _talks(meetings: Meetings) -> Dated:
    rows = meetings.context.facts["talks"]
    return Dated.on(meetings, rows["occasion"], rows["held_on"])


def _reports(*kinds: str) -> Source:
    def find(meetings: Meetings) -> Dated:
        rows = meetings.context.facts["reports"]
        wanted = [meetings.context.facts.position("report_kind", kind) for kind in kinds]
        occasion = np.where(among(rows["kind"], wanted), rows["occasion"], -1)
        return Dated.on(meetings, occasion.astype(np.int32), rows["filed_on"])

    return find


def _plan_filed(meetings: Meetings) -> Dated:
    """A theme-day plan filed for a period in which the meeting lies: the first of each month."""
    known, filed = meetings.context.shared(
        "plans filed", lambda: _first_filed(meetings.context, "theme_day_plan")
    )
    day = np.full(len(meetings), NULL_DAY, dtype=np.int32)
    if len(known):
        month = periods.indices(meetings.day, Unit.MONTH)
        wanted = _month_key(meetings.organization, month)
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        day = np.where(known[place] == wanted, filed[place], np.int32(NULL_DAY)).astype(np.int32)
    return Dated.on(meetings, meetings.rows, day)


def _month_key(organization: Codes, month: Codes) -> NDArray[np.int64]:
    key: NDArray[np.int64] = (organization.astype(np.int64) << 16) + month
    return key


def _first_filed(context: Context, kind: str) -> tuple[NDArray[np.int64], Days]:
    """Months (of organizations) for which reports of a kind were filed, and the first day each."""
    rows = context.facts["reports"]
    of_kind = rows["kind"] == context.facts.position("report_kind", kind)
    keep = np.flatnonzero(of_kind & (rows["organization"] >= 0) & (rows["period"] >= 0))
    labels, first = np.unique(rows["period"][keep], return_index=True)
    keys, days = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for label, row in zip(labels.tolist(), keep[first].tolist(), strict=True):
        found, unit = periods.parse(str(rows.text("period", row)))
        same = keep[rows["period"][keep] == label]
        for month in range(found * unit.value, (found + 1) * unit.value):
            keys.append(_month_key(rows["organization"][same], np.full(len(same), month)))
            days.append(rows["filed_on"][same])
    key, day = np.concatenate(keys), np.concatenate(days)
    order = np.lexsort((day, key))
    known, place = np.unique(key[order], return_index=True)
    return known, day[order][place]


def _paper(kind: str) -> Source:
    def find(meetings: Meetings) -> Dated:
        context = meetings.context
        masks = document_masks(context)[meetings.rows]
        attached = (masks & context.facts.mask("document_kind", [kind])) != 0
        # A paper proves the step whenever it was due: its day is the meeting's own.
        days = np.where(attached, meetings.day, np.int32(NULL_DAY)).astype(np.int32)
        return Dated.on(meetings, meetings.rows, days)

    return find


def _appraisal_day(column: str) -> Source:
    def find(meetings: Meetings) -> Dated:
        rows = meetings.context.facts["appraisals"]
        return Dated.on(meetings, rows["occasion"], rows[column])

    return find


def _every_grade_noted(meetings: Meetings) -> Dated:
    """Noted in the file of everyone graded at the meeting."""
    rows = meetings.context.facts["appraisals"]
    place = meetings.place(rows["occasion"])
    inside = place >= 0
    graded = np.bincount(place[inside], minlength=len(meetings))
    noted = np.bincount(place[inside & (rows["file_noted"] == 1)], minlength=len(meetings))
    done = (graded > 0) & (noted == graded)
    days = np.where(done, meetings.day, np.int32(NULL_DAY)).astype(np.int32)
    return Dated.on(meetings, meetings.rows, days)


def _measures(meetings: Meetings) -> Dated:
    rows = meetings.context.facts["rectifications"]
    occasion = np.where(rows["measure"] == 1, rows["occasion"], -1)
    return Dated.on(meetings, occasion.astype(np.int32), rows["opened_on"])


def _rectified(meetings: Meetings) -> Dated:
    """The day on which the last of a meeting's items was closed; none while one is open."""
    rows = meetings.context.facts["rectifications"]
    place = meetings.place(rows["occasion"])
    inside = place >= 0
    place, closed = place[inside], rows["closed_on"][inside]
    is_open = (closed == NULL_DAY) | (closed > meetings.context.as_of)
    last = np.full(len(meetings), NULL_DAY, dtype=np.int32)
    np.maximum.at(last, place, closed)
    last[place[is_open]] = NULL_DAY
    return Dated.on(meetings, meetings.rows, last)


def _discussed_after(meetings: Meetings) -> Dated:
    """A discussion on record that is linked to the meeting."""
    context = meetings.context
    rows = context.facts["occasions"]
    offsets, linked = rows.lists("merged_with")
    source = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(offsets))
    kind = context.facts.mask("occasion_kind", ["discussion", "party_group_meeting"])
    keep = (rows["kinds"][source] & kind) != 0
    return Dated.on(meetings, linked[keep], rows["held_on"][source[keep]])


def _met_first(meetings: Meetings) -> Dated:
    """A meeting of the same organization's team, or a life meeting in that form, in its year."""
    context = meetings.context
    rows = context.facts["occasions"]
    team = context.facts.mask("occasion_kind", ["team_meeting"])
    life = context.facts.mask("occasion_kind", ["organizational_life_meeting"])
    small = [context.facts.position("form", form) for form in ("committee", "team")]
    first = (rows["kinds"] & team) != 0
    first |= ((rows["kinds"] & life) != 0) & among(occasions.forms(context), small)
    found = np.flatnonzero(first & occasions.held(context)).astype(np.int32)
    key = _own_year(rows["organization"][found], rows["held_on"][found])
    order = np.argsort(key, kind="stable")
    own = _own_year(meetings.organization, meetings.day)
    start = np.searchsorted(key[order], own, "left")
    length = np.searchsorted(key[order], own, "right") - start
    place = np.repeat(np.arange(len(meetings)), length)
    step = np.arange(len(place)) - np.repeat(np.cumsum(length) - length, length)
    earlier = found[order][start[place] + step]
    apart = earlier != meetings.rows[place]
    place, earlier = place[apart], earlier[apart]
    minute = rows["start_minute"][earlier]
    return Dated(place.astype(np.int32), rows["held_on"][earlier], minute)


def _own_year(organization: Codes, day: Days) -> NDArray[np.int64]:
    year = periods.indices(day, periods.Unit.YEAR)
    key: NDArray[np.int64] = (organization.astype(np.int64) << 12) + year
    return key


#: Records other than a row of ``steps`` that prove a step, with the columns they touch.
_OTHER: Mapping[str, tuple[tuple[Source, ...], frozenset[tuple[str, str]]]] = {
    "platform_created": (
        (_occasion_day("created_on"),),
        frozenset({("occasions", "created_on")}),
    ),
    "committee_meeting": ((_met_first,), frozenset()),
    "talks": (
        (_talks, _paper("talk_records")),
        frozenset({("talks", "occasion"), ("talks", "held_on")}),
    ),
    "opinions": ((_paper("opinion_list"),), frozenset()),
    "plan": ((_paper("plan"),), frozenset()),
    "paper": ((_paper("comparison_paper"),), frozenset()),
    "problems": ((_paper("problem_list"),), frozenset()),
    "discussion": (
        (_discussed_after,),
        frozenset({("occasions", "merged_with")}),
    ),
    "filed": (
        (
            _stated("planned_on"),
            _reports("theme_day_plan", "plan"),
            _plan_filed,
            _appraisal_day("filed_on"),
        ),
        frozenset({("occasions", "planned_on")})
        | {("reports", c) for c in ("kind", "organization", "period", "occasion", "filed_on")}
        | {("appraisals", c) for c in ("occasion", "filed_on")},
    ),
    "reported": (
        (_reports("meeting_result", "appraisal_result", "inspection_result"),),
        frozenset(("reports", c) for c in ("kind", "occasion", "filed_on")),
    ),
    "publicised": (
        (_appraisal_day("publicised_on"),),
        frozenset(("appraisals", c) for c in ("occasion", "publicised_on")),
    ),
    "file_noted": (
        (_every_grade_noted,),
        frozenset(("appraisals", c) for c in ("occasion", "file_noted")),
    ),
    "measures": (
        (_measures, _paper("correction_measures")),
        frozenset(("rectifications", c) for c in ("occasion", "measure", "opened_on")),
    ),
    "rectified": (
        (_rectified,),
        frozenset(("rectifications", c) for c in ("occasion", "closed_on")),
    ),
    "summary": ((_paper("summary"),), frozenset()),
}
_STEPS = frozenset(("steps", c) for c in ("occasion", "step", "done_on", "start_minute"))
PAPERS = frozenset(
    {("occasions", "document_mask")} | {("documents", c) for c in ("occasion", "kind", "kept_on")}
)


def reads(code: str) -> frozenset[tuple[str, str]]:
    """The columns that proving a step touches."""
    others = _OTHER.get(code)
    return _STEPS if others is None else _STEPS | PAPERS | others[1]


def find(code: str, meetings: Meetings) -> Dated:
    """Every proof that a step was taken, for all meetings."""
    context = meetings.context
    rows = context.facts["steps"]
    chosen = np.flatnonzero(rows["step"] == context.facts.position("step", code))
    place = meetings.place(rows["occasion"][chosen])
    day = rows["done_on"][chosen]
    keep = (place >= 0) & (day <= context.as_of) & (day != NULL_DAY)
    found = [Dated(place[keep], day[keep], rows["start_minute"][chosen][keep])]
    found += [source(meetings) for source in _OTHER.get(code, ((), frozenset()))[0]]
    return Dated(
        np.concatenate([one.place for one in found]),
        np.concatenate([one.day for one in found]),
        np.concatenate([one.minute for one in found]),
    )


def in_time(proofs: Dated, meetings: Meetings, when: str) -> Bools:
    """Which proofs lie where they should: ``before``, ``on_day``, ``after`` or ``any``.

    Before means not after the meeting began: on its day an earlier or unknown time.
    """
    held, start = meetings.day[proofs.place], meetings.minute[proofs.place]
    if when == "before":
        untimed = (proofs.minute < 0) | (start < 0)
        same_day = (proofs.day == held) & (untimed | (proofs.minute <= start))
        return (proofs.day < held) | same_day
    if when == "on_day":
        return proofs.day == held
    if when == "after":
        return proofs.day >= held
    return np.ones(len(proofs.day), dtype=np.bool_)


def first(proofs: Dated, count: int) -> Days:
    """The earliest proof for each of ``count`` meetings; NEVER where there is none."""
    day = np.full(count, NEVER, dtype=np.int32)
    np.minimum.at(day, proofs.place, proofs.day)
    return day
