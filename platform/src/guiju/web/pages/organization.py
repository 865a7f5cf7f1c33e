"""One organization: what it has to do, and the year requirement by requirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.portrait import members_by_class, secretaries
from guiju.rules.subjects import subject_of, subject_rank
from guiju.scoring import queries
from guiju.scoring.results import (
    AttentionItem,
    GridCell,
    GridRow,
    NotVisible,
)
from guiju.web import addresses, exports
from guiju.web.first_steps import first_steps
from guiju.web.pages.overview import export_units, sorted_units
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import OPEN_VERDICTS, judged, label, months_of, plugins

blueprint = Blueprint("organization", __name__)

#: What is still to be done, and what fell short or stayed unclear.
_COMING = ("action_due", "pending")
_LACKING = ("not_met", "deviation", "needs_judgement", "no_data")

#: Each list shows so many entries; all of them are on a page of their own.
_MOST_ENTRIES = 8


@blueprint.get("/organizations/<number:organization_id>")
def page(organization_id: int) -> str | Response:
    """The organization's page; ``year`` chooses the year of the grid, ``show`` its rows.

    ``list`` is the one of its lists that an exported file has: ``units``, or else the grid.
    """
    try:
        grid = queries.organization_grid(
            db.session,
            plugins().packs,
            organization_id,
            within=current_user.within,
            year=addresses.year(),
            told=False,
        )
        below = queries.units_below(
            db.session, organization_id, within=current_user.within, year=grid.year
        )
        open_ = queries.own_attention(
            db.session, plugins().packs, organization_id, within=current_user.within
        )
    except NotVisible:
        abort(404)
    shown = request.args.get("show", "")
    shown = shown if shown in _SHOWN else _SHOWN[0]
    day = grid.standing.as_of or today()
    portrait = visible_portrait(organization_id, day)
    if exports.wanted_format():
        if request.args.get("list") == "units":
            return export_units(sorted_units(below, ""), portrait.place.code)
        return _export(grid.rows, shown, portrait.place.code)
    return render_template(
        "organization.html",
        grid=grid,
        portrait=portrait,
        members=members_by_class(db.session, organization_id, day),
        secretaries=secretaries(db.session, organization_id, day),
        trail=trail(portrait),
        year=lay_out(grid.rows, shown),
        shown=shown,
        children=sorted_units(below, ""),
        coming=_todo(open_, _COMING),
        lacking=_todo(open_, _LACKING),
        today=day,
        total=judged(grid.counts),
        steps=[] if grid.standing.scored_at else first_steps(portrait, day),
    )


@dataclass(frozen=True)
class Todo:
    """The beginning of a list of what is open; ``number`` is the length of all of it."""

    verdicts: Sequence[str]
    items: Sequence[AttentionItem]
    number: int


def _todo(open_: Sequence[AttentionItem], verdicts: Sequence[str]) -> Todo:
    found = [item for item in open_ if item.verdict in verdicts]
    return Todo(verdicts, found[:_MOST_ENTRIES], len(found))


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


def _export(rows: Sequence[GridRow], shown: str, code: str) -> Response:
    """The year as a file, a line for each requirement and period; ``code`` is the unit's."""
    headings = [_("要求"), _("条款"), _("对象"), _("期间"), _("结论")]
    lines = [
        [row.title, row.clause, row.subject.name, cell.text, label(cell.verdict, "verdict")]
        for row in rows
        if _is_shown(row, shown)
        for cell in row.cells
    ]
    return exports.send(_("本级逐项"), _("本级逐项"), headings, lines, code)


def _is_shown(row: GridRow, shown: str) -> bool:
    verdicts = {cell.verdict for cell in row.cells}
    if shown == "open":
        return bool(verdicts & set(OPEN_VERDICTS))
    return shown == "all" or not verdicts <= {"not_applicable"}


def lay_out(rows: Sequence[GridRow], shown: str) -> Year:
    """The rows by subject: those of several periods a year, and those of one."""
    repeated: dict[str, list[Line]] = {}
    once: dict[str, list[Line]] = {}
    hidden = 0
    for row in rows:
        if not _is_shown(row, shown):
            hidden += shown != "open"
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
