"""One organization: what it has to do, and the year requirement by requirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask_login import current_user

from guiju.clock import today
from guiju.db import db
from guiju.rules.subjects import subject_of, subject_rank
from guiju.scoring import queries
from guiju.scoring.results import (
    AttentionItem,
    FindingView,
    GridCell,
    GridRow,
    NotVisible,
)
from guiju.web import addresses
from guiju.web.pages.overview import sorted_units
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import OPEN_VERDICTS, judged, months_of, plugins

blueprint = Blueprint("organization", __name__)

#: What is still to be done, and what fell short or stayed unclear.
_COMING = ("action_due", "pending")
_LACKING = ("not_met", "deviation", "needs_judgement", "no_data")

#: Each list shows so many entries; all of them are on a page of their own.
_MOST_ENTRIES = 8


@blueprint.get("/organizations/<number:organization_id>")
def page(organization_id: int) -> str:
    """The organization's page; ``year`` chooses the year of the grid."""
    try:
        grid = queries.organization_grid(
            db.session,
            plugins().packs,
            organization_id,
            within=current_user.within,
            year=addresses.year(),
        )
        below = queries.units_below(
            db.session, organization_id, within=current_user.within, year=grid.year
        )
        coming, lacking = (_todo(organization_id, verdicts) for verdicts in (_COMING, _LACKING))
    except NotVisible:
        abort(404)
    shown = request.args.get("show", "")
    shown = shown if shown in _SHOWN else _SHOWN[0]
    portrait = visible_portrait(organization_id, grid.standing.as_of or today())
    return render_template(
        "organization.html",
        grid=grid,
        portrait=portrait,
        trail=trail(portrait),
        year=lay_out(grid.rows, shown),
        shown=shown,
        children=sorted_units(below, ""),
        coming=coming,
        lacking=lacking,
        today=grid.standing.as_of or today(),
        total=judged(grid.counts),
    )


@dataclass(frozen=True)
class Todo:
    """The beginning of a list of what is open; ``number`` is the length of all of it."""

    verdicts: Sequence[str]
    items: Sequence[AttentionItem]
    number: int


def _todo(organization_id: int, verdicts: Sequence[str]) -> Todo:
    found = queries.attention(
        db.session,
        plugins().packs,
        organization_id,
        within=current_user.within,
        verdicts=verdicts,
        limit=_MOST_ENTRIES,
        below=False,
    )
    # A page of the list may be longer than asked for.
    return Todo(verdicts, found.items[:_MOST_ENTRIES], sum(found.totals.values()))


#: Lengths of periods that make a row of cells; all others have one cell a year.
_SEVERAL = ("month", "bimonth", "quarter", "half")

#: What the address may ask to see: everything that applies, what is open, or the rest as well.
_SHOWN = ("applicable", "open", "all")


@dataclass(frozen=True)
class Span:
    """A stretch of months in a row of the grid, with its cell, or empty."""

    months: int
    cell: GridCell | None


@dataclass(frozen=True)
class Line:
    """A requirement with its cells: over twelve months, or the one of the whole year."""

    row: GridRow
    spans: Sequence[Span]


@dataclass(frozen=True)
class Chapter:
    """Lines about one subject."""

    subject: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Year:
    """The grid as the page shows it.

    ``hidden`` is the number of requirements that do not apply and are left out.
    """

    repeated: Sequence[Chapter]
    once: Sequence[Chapter]
    hidden: int


def lay_out(rows: Sequence[GridRow], shown: str) -> Year:
    """The rows by subject: those of several periods a year, and those of one."""
    repeated: dict[str, list[Line]] = {}
    once: dict[str, list[Line]] = {}
    hidden = 0
    for row in rows:
        verdicts = {cell.verdict for cell in row.cells}
        if shown == "open" and not verdicts & set(OPEN_VERDICTS):
            continue
        if shown != "all" and verdicts <= {"not_applicable"}:
            hidden += 1
            continue
        several = row.unit in _SEVERAL
        line = Line(row, over_months(row.cells) if several else [Span(12, row.cells[0])])
        (repeated if several else once).setdefault(subject_of(row.requirement), []).append(line)
    return Year(_chapters(repeated), _chapters(once), hidden)


def _chapters(found: Mapping[str, Sequence[Line]]) -> list[Chapter]:
    return [Chapter(subject, found[subject]) for subject in sorted(found, key=subject_rank)]


def over_months(cells: Sequence[GridCell]) -> list[Span]:
    """Each cell over its months, with gaps where nothing is asked."""
    placed = sorted(
        ((place, cell) for cell in cells if (place := months_of(cell.period))),
        key=lambda entry: entry[0],
    )
    spans: list[Span] = []
    month = 1
    for (first, length), cell in placed:
        if first > month:
            spans.append(Span(first - month, None))
        spans.append(Span(length, cell))
        month = first + length
    if month <= 12:
        spans.append(Span(13 - month, None))
    return spans


@blueprint.app_template_global()
def tally(view: FindingView) -> str:
    """Observed of required in a cell's room: 2/3; empty where they are not numbers."""
    observed, required = view.finding["observed"], view.finding["required"]
    if isinstance(observed, int) and isinstance(required, int) and not isinstance(observed, bool):
        return f"{observed}/{required}"
    return ""
