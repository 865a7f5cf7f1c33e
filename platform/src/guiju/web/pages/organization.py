"""One organization: what it has to do, and the year requirement by requirement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask_login import current_user

from guiju.clock import today
from guiju.db import db
from guiju.rules.subjects import subject_of, subject_rank
from guiju.scoring import queries
from guiju.scoring.results import (
    AttentionPage,
    FindingView,
    GridCell,
    GridRow,
    NotVisible,
    OrganizationGrid,
)
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import judged, months_of, plugins

blueprint = Blueprint("organization", __name__)

#: What is still to be done, and what fell short or stayed unclear.
_COMING = ("action_due", "pending")
_LACKING = ("not_met", "deviation", "needs_judgement", "no_data")

#: Each list shows so many entries; all of them are on a page of their own.
_MOST_ENTRIES = 8


@blueprint.get("/organizations/<int:organization_id>")
def page(organization_id: int) -> str:
    """The organization's page; ``year`` chooses the year of the grid."""
    try:
        grid = queries.organization_grid(
            db.session(),
            plugins().packs,
            organization_id,
            within=current_user.within,
            year=request.args.get("year", type=int),
        )
        below = queries.overview(
            db.session(),
            plugins().packs,
            organization_id,
            within=current_user.within,
            year=grid.year,
        )
        coming, lacking = (_todo(organization_id, verdicts) for verdicts in (_COMING, _LACKING))
    except NotVisible:
        abort(404)
    portrait = visible_portrait(organization_id, grid.standing.as_of or today())
    return render_template(
        "organization.html",
        grid=grid,
        portrait=portrait,
        trail=trail(portrait),
        chapters=chapters(grid),
        children=below.by_child,
        coming=coming,
        lacking=lacking,
        today=grid.standing.as_of or today(),
        total=judged(grid.counts),
    )


@dataclass(frozen=True)
class Todo:
    """The beginning of a list of what is open."""

    verdicts: Sequence[str]
    page: AttentionPage


def _todo(organization_id: int, verdicts: Sequence[str]) -> Todo:
    found = queries.attention(
        db.session(),
        plugins().packs,
        organization_id,
        within=current_user.within,
        verdicts=verdicts,
        limit=_MOST_ENTRIES,
    )
    return Todo(verdicts, found)


@dataclass(frozen=True)
class Span:
    """A stretch of months in a row of the grid, with its cell, or empty."""

    months: int
    cell: GridCell | None


@dataclass(frozen=True)
class Line:
    """A row of the grid laid out over twelve months; ``state`` belongs to no period."""

    row: GridRow
    spans: Sequence[Span]
    state: GridCell | None


@dataclass(frozen=True)
class Chapter:
    """Rows about one subject."""

    subject: str
    lines: Sequence[Line]


def chapters(grid: OrganizationGrid) -> list[Chapter]:
    """The grid's rows by subject, each laid out over the months of the year."""
    found: dict[str, list[Line]] = {}
    for row in grid.rows:
        found.setdefault(subject_of(row.requirement), []).append(lay_out(row))
    return [Chapter(subject, found[subject]) for subject in sorted(found, key=subject_rank)]


def lay_out(row: GridRow) -> Line:
    """Put each cell over its months, gaps between them."""
    state = next((cell for cell in row.cells if cell.period is None), None)
    placed = sorted(
        ((place, cell) for cell in row.cells if (place := months_of(cell.period))),
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
    return Line(row, spans, state)


@blueprint.app_template_global()
def tally(view: FindingView) -> str:
    """Observed of required in a cell's room: 2/3; empty where they are not numbers."""
    observed, required = view.finding["observed"], view.finding["required"]
    if isinstance(observed, int) and isinstance(required, int) and not isinstance(observed, bool):
        return f"{observed}/{required}"
    return ""
