"""A superior's part of the tree laid open: requirement by unit, two periods, kinds and sectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask import Blueprint, abort, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.portrait import Portrait
from guiju.rules.subjects import subject_of, subject_rank
from guiju.rules.vocabulary import ORGANIZATION_KINDS, SECTORS
from guiju.scoring import queries, tallies
from guiju.scoring.breakdown import Part, breakdown
from guiju.scoring.heat import Heat, HeatRow, heat
from guiju.scoring.models import NO_YEAR
from guiju.scoring.results import Counts, Standing
from guiju.web import addresses, exports, refusals
from guiju.web.pages.overview import broken, figure_titles, figures
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import judged, label, lacking, period_words, plugins
from guiju.web.workbooks import Cell

blueprint = Blueprint("heat", __name__, url_prefix="/organizations/<number:organization_id>")
refusals.init_blueprint(blueprint)

#: Units beside each other on a page; more cannot be read.
_UNITS = 20

#: Parts of a year that the page offers; a year is without a suffix.
_PARTS = ("", "-H1", "-H2", "-Q1", "-Q2", "-Q3", "-Q4",
          *(f"-{month:02d}" for month in range(1, 13)))  # fmt: skip


class _Asked(NamedTuple):
    """What the pages have in common: the unit, how fresh, and the years there are."""

    portrait: Portrait
    standing: Standing
    years: Sequence[int]
    newest: int


@dataclass(frozen=True)
class Chapter:
    """Rows about one subject."""

    subject: str
    rows: Sequence[HeatRow]


@blueprint.get("/heat")
def page(organization_id: int) -> Response | str:
    """Requirement by unit; ``period`` is a year or a part of one.

    ``show`` is what the cells count: what falls short, or what is ``late``.
    """
    asked = _asked(organization_id)
    late = request.args.get("show") == "late"
    words, counted = (late_text, _late) if late else (cell_text, lacking)
    period = _period("period", str(asked.newest), asked)
    found = _heat(organization_id, period, asked)
    if exports.wanted_format():
        headings = [_("要求"), _("条款"), *(unit.name for unit in found.units)]
        rows = ([row.title, row.clause, *map(words, row.cells)] for row in found.rows)
        code = asked.portrait.place.code
        return exports.send(_("要求与单位"), _("要求与单位"), headings, rows, code)
    whole = bool(request.args.get("all"))
    first = addresses.first(_UNITS, len(found.units))
    shown = [
        row
        for row in found.rows
        if whole or any(counted(cell) for cell in row.cells[first : first + _UNITS])
    ]
    return render_template(
        "heat.html",
        portrait=asked.portrait,
        trail=trail(asked.portrait),
        standing=asked.standing,
        period=period,
        choices=_choices(asked),
        units=found.units[first : first + _UNITS],
        chapters=_chapters(shown, first),
        first=first,
        size=_UNITS,
        total=len(found.units),
        whole=whole,
        hidden=len(found.rows) - len(shown),
        late=late,
    )


@blueprint.get("/compare")
def compare(organization_id: int) -> Response | str:
    """Two periods side by side, by requirement and by unit; never an order of merit."""
    asked = _asked(organization_id)
    before = _period("before", f"{asked.newest}-H1", asked)
    after = _period("after", f"{asked.newest}-H2", asked)
    pair = [_heat(organization_id, period, asked) for period in (before, after)]
    by_rule, by_unit = _compared_rules(*pair), _compared_units(*pair)
    if exports.wanted_format():
        headings = [
            _("要求或单位"),
            *(
                f"{period_words(period)} {name}"
                for period in (before, after)
                for name in (_("评定"), _("符合"), _("不足"))
            ),
        ]
        rows: list[list[Cell]] = [[one.title, *one.numbers] for one in (*by_unit, *by_rule)]
        code = asked.portrait.place.code
        return exports.send(_("两期对比"), _("两期对比"), headings, rows, code)
    first = addresses.first(_UNITS, len(by_unit))
    return render_template(
        "compare.html",
        portrait=asked.portrait,
        trail=trail(asked.portrait),
        standing=asked.standing,
        before=before,
        after=after,
        choices=_choices(asked),
        by_rule=by_rule,
        by_unit=by_unit[first : first + _UNITS],
        first=first,
        size=_UNITS,
        total=len(by_unit),
    )


@blueprint.get("/breakdown")
def parts(organization_id: int) -> Response | str:
    """By kind of organization and by sector."""
    asked = _asked(organization_id)
    year = addresses.year() or asked.newest
    years = [year, NO_YEAR] if year == asked.newest else [year]
    found = breakdown(db.session, asked.portrait.place.path, years)
    by_kind = _summed(found, "kind", list(ORGANIZATION_KINDS))
    by_sector = _summed(found, "sector", list(SECTORS))
    if exports.wanted_format():
        headings = [_("层级或领域"), _("单位数"), *figure_titles()]
        rows: Iterable[list[Cell]] = (
            [one.title, one.units, *figures(one.counts)] for one in (*by_kind, *by_sector)
        )
        code = asked.portrait.place.code
        return exports.send(_("层级与领域"), _("层级与领域"), headings, rows, code)
    return render_template(
        "breakdown.html",
        portrait=asked.portrait,
        trail=trail(asked.portrait),
        standing=asked.standing,
        year=year,
        years=asked.years,
        by_kind=by_kind,
        by_sector=by_sector,
    )


def _asked(organization_id: int) -> _Asked:
    standing = queries.standing(db.session, current_user.within)
    portrait = visible_portrait(organization_id, standing.as_of or today())
    if not current_user.may("findings.read", portrait.place.path):
        abort(404)
    years = tallies.years_of(db.session, organization_id)
    newest = standing.as_of.year if standing.as_of else max(years, default=today().year)
    return _Asked(portrait, standing, [year for year in years if year <= newest], newest)


def _period(parameter: str, default: str, asked: _Asked) -> str:
    given = request.args.get(parameter, default)
    return given if given in _choices(asked) else default


def _choices(asked: _Asked) -> list[str]:
    """The periods offered, newest year first."""
    years = sorted({*asked.years, asked.newest}, reverse=True)
    return [f"{year}{part}" for year in years for part in _PARTS]


def _heat(organization_id: int, period: str, asked: _Asked) -> Heat:
    newest = period[:4] == str(asked.newest)
    return heat(db.session, plugins().packs, organization_id, period, newest=newest)


def _chapters(rows: Sequence[HeatRow], first: int) -> list[Chapter]:
    found: dict[str, list[HeatRow]] = {}
    for row in rows:
        found.setdefault(subject_of(row.requirement), []).append(
            HeatRow(
                row.profile,
                row.requirement,
                row.part,
                row.title,
                row.clause,
                row.strictness,
                row.cells[first : first + _UNITS],
            )
        )
    return [Chapter(subject, found[subject]) for subject in sorted(found, key=subject_rank)]


@dataclass(frozen=True)
class Compared:
    """A line with its counts in two periods."""

    title: str
    before: Counts
    after: Counts
    #: Number of the unit, or id of the requirement.
    of: int | str
    clause: str = ""

    @property
    def numbers(self) -> list[int]:
        """Judged, met and short of it, before and after."""
        return [
            number
            for counts in (self.before, self.after)
            for number in (judged(counts), counts.get("met", 0), lacking(counts))
        ]


def _compared_rules(before: Heat, after: Heat) -> list[Compared]:
    """By requirement, in order of the packs; of each period all units together."""
    sums: dict[tuple[str, str | None], list[dict[str, int]]] = {}
    rows: dict[tuple[str, str | None], HeatRow] = {}
    for at, found in enumerate((before, after)):
        for row in found.rows:
            key = row.requirement, row.part
            rows.setdefault(key, row)
            place = sums.setdefault(key, [{}, {}])[at]
            for cell in row.cells:
                _add(place, cell)
    return [
        Compared(rows[key].title, sums[key][0], sums[key][1], key[0], rows[key].clause)
        for key in sums
        if any(judged(counts) for counts in sums[key])
    ]


def _compared_units(before: Heat, after: Heat) -> list[Compared]:
    """By unit, in the order of their codes."""
    sums: dict[int, list[dict[str, int]]] = {}
    names: dict[int, str] = {}
    for at, found in enumerate((before, after)):
        for place, unit in enumerate(found.units):
            names[unit.organization_id] = unit.name
            counts = sums.setdefault(unit.organization_id, [{}, {}])[at]
            for row in found.rows:
                _add(counts, row.cells[place])
    return [Compared(names[unit], sums[unit][0], sums[unit][1], unit) for unit in sums]


def _add(sums: dict[str, int], counts: Counts) -> None:
    for verdict, number in counts.items():
        sums[verdict] = sums.get(verdict, 0) + number


@dataclass(frozen=True)
class Group:
    """Organizations alike: how many they are, and their findings."""

    title: str
    units: int
    counts: Counts


def _summed(found: Sequence[Part], by: str, order: Sequence[str]) -> list[Group]:
    sums: dict[str | None, dict[str, int]] = {}
    units: dict[str | None, int] = {}
    for part in found:
        code = getattr(part, by)
        units[code] = units.get(code, 0) + part.units
        _add(sums.setdefault(code, {}), part.counts)
    vocabulary = "organization_kind" if by == "kind" else "sector"
    return [
        Group(_("没有注明") if code is None else label(code, vocabulary), units[code], sums[code])
        for code in sorted(
            sums, key=lambda code: order.index(code) if code in order else len(order)
        )
    ]


@blueprint.app_template_filter()
def cell_text(counts: Counts) -> str:
    """A cell in a few characters: so many of so many fall short; empty where nothing is asked."""
    whole = judged(counts)
    if not whole:
        return ""
    short = lacking(counts)
    if not short and counts.get("pending", 0) == whole:
        return "…"
    return f"{short}/{whole}"


@blueprint.app_template_filter()
def cell_level(counts: Counts) -> str:
    """How a cell looks: all well, unclear, or broken in three steps that differ in print too."""
    whole = judged(counts)
    if not whole or counts.get("pending", 0) == whole:
        return "none"
    if not lacking(counts):
        return "0"
    share = broken(counts) / whole
    return _step(share) if share else "unclear"


@blueprint.app_template_filter()
def late_text(counts: Counts) -> str:
    """A cell in a few characters: so many of so many met are late; empty where nothing is met."""
    met = counts.get("met", 0)
    return f"{_late(counts)}/{met}" if met else ""


@blueprint.app_template_filter()
def late_level(counts: Counts) -> str:
    """How a cell about what is late looks, in the same steps."""
    met, late = counts.get("met", 0), _late(counts)
    if not late:
        return "0" if met else "none"
    return _step(late / met)


def _late(counts: Counts) -> int:
    return counts.get("late", 0)


def _step(share: float) -> str:
    return "1" if share <= 0.25 else "2" if share <= 0.5 else "3"
