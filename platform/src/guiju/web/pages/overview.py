"""An organization with everything below it: verdicts by unit, requirement and period."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.subjects import subject_of, subject_rank
from guiju.scoring import queries
from guiju.scoring.results import NotVisible, PeriodCounts, RequirementCounts, UnitCounts
from guiju.web import addresses, exports
from guiju.web.first_steps import first_steps
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import (
    SHOWN_VERDICTS,
    expected,
    judged,
    label,
    lacking,
    months_of,
    on_time,
    percent,
    plugins,
)
from guiju.web.workbooks import Cell

blueprint = Blueprint("overview", __name__)

#: The overview begins with so many requirements; all of them are one click away.
_MOST_RULES = 15

#: Units at a time; a chart of more bars cannot be read.
_UNITS = 24


@blueprint.get("/organizations/<number:organization_id>/overview")
def page(organization_id: int) -> str | Response:
    """The overview; ``year``, ``units`` and ``rules`` choose what is shown, in which order.

    ``first`` is how many of the units are passed over.

    ``list`` is the one of its lists that an exported file has: ``units`` or ``rules``.
    """
    try:
        found = queries.overview(
            db.session,
            plugins().packs,
            organization_id,
            within=current_user.within,
            year=addresses.year(),
        )
    except NotVisible:
        abort(404)
    portrait = visible_portrait(organization_id, found.standing.as_of or today())
    units = sorted_units(found.by_child, request.args.get("units", ""))
    if exports.wanted_format():
        rules = request.args.get("list") == "rules"
        code = portrait.place.code
        return export_rules(found.by_requirement, code) if rules else export_units(units, code)
    first = addresses.first(_UNITS, len(units))
    return render_template(
        "overview.html",
        overview=found,
        portrait=portrait,
        trail=trail(portrait),
        total=judged(found.counts),
        steps=[] if found.standing.scored_at else first_steps(portrait, today()),
        units=units[first : first + _UNITS],
        number_of_units=len(units),
        first=first,
        size=_UNITS,
        chapters=ordered_rules(found.by_requirement, request.args.get("rules", "")),
        periods=by_length(found.by_period),
    )


def met_share(counts: Mapping[str, int]) -> float:
    """Share of what is met among all that has fallen due; 1 where nothing has."""
    whole = expected(counts)
    return counts.get("met", 0) / whole if whole else 1.0


def timely_share(counts: Mapping[str, int]) -> float:
    """Share of what is met in time among all that has fallen due; 1 where nothing has."""
    whole = expected(counts)
    return on_time(counts) / whole if whole else 1.0


def broken(counts: Mapping[str, int]) -> int:
    """Number of findings that say plainly that something is not as asked."""
    return sum(counts.get(verdict, 0) for verdict in ("not_met", "action_due", "deviation"))


def sorted_units(found: Sequence[UnitCounts], key: str) -> list[UnitCounts]:
    """Children in the order that ``key`` names: a verdict, or else by their codes.

    Never by their rates: no notice asks for an order of merit, and some forbid one.
    """
    if key in SHOWN_VERDICTS:
        return sorted(found, key=lambda row: -row.counts.get(key, 0))
    return sorted(found, key=lambda row: natural(row.unit.code))


def natural(code: str) -> list[tuple[bool, int, str]]:
    """A key that puts branch-9 before branch-10."""
    parts = re.findall(r"\d+|\D+", code)
    return [(False, int(p), "") if p.isdecimal() else (True, 0, p) for p in parts]


@dataclass(frozen=True)
class Chapter:
    """Requirements about one subject; no subject where they are sorted by number."""

    subject: str | None
    rows: Sequence[RequirementCounts]


def ordered_rules(found: Sequence[RequirementCounts], key: str) -> list[Chapter]:
    """Requirements in the order that ``key`` names.

    A verdict: most findings of it first; ``share``, ``on_time``: the smallest share met, or met
    in time, first; ``subject``: by subject; anything else: those that fall short most, and no more.
    """
    if key in SHOWN_VERDICTS:
        return [Chapter(None, sorted(found, key=lambda row: -row.counts.get(key, 0)))]
    if key == "share":
        return [Chapter(None, sorted(found, key=lambda row: met_share(row.counts)))]
    if key == "on_time":
        return [Chapter(None, sorted(found, key=lambda row: timely_share(row.counts)))]
    if key != "subject":
        worst = sorted(found, key=lambda row: (-broken(row.counts), -lacking(row.counts)))
        return [Chapter(None, [row for row in worst[:_MOST_RULES] if lacking(row.counts)])]
    chapters: dict[str, list[RequirementCounts]] = {}
    for row in found:
        chapters.setdefault(subject_of(row.requirement), []).append(row)
    return [Chapter(subject, chapters[subject]) for subject in sorted(chapters, key=subject_rank)]


@dataclass(frozen=True)
class Stretch:
    """Periods of one length in months (None: states that belong to no period)."""

    months: int | None
    rows: Sequence[PeriodCounts]


def by_length(found: Iterable[PeriodCounts]) -> list[Stretch]:
    """Periods grouped by length, the shortest first and what has no period last."""
    stretches: dict[int | None, list[PeriodCounts]] = {}
    for row in found:
        place = months_of(row.period)
        stretches.setdefault(None if place is None else place[1], []).append(row)
    return [
        Stretch(months, stretches[months])
        for months in sorted(stretches, key=lambda length: length or 99)
    ]


def export_units(units: Iterable[UnitCounts], code: str) -> Response:
    """The table of children as a file; ``code`` is the superior's."""
    headings = [_("单位"), _("编号"), *figure_titles()]
    rows = [[row.unit.name, row.unit.code, *figures(row.counts)] for row in units]
    return exports.send(_("下级单位"), _("下级单位"), headings, rows, code)


def export_rules(found: Sequence[RequirementCounts], code: str) -> Response:
    """The table of requirements as a file, all of them in the order that the address says."""
    order = request.args.get("rules") or "subject"
    headings = [_("要求"), _("条款"), *figure_titles()]
    rows = [
        [row.title, row.clause, *figures(row.counts)]
        for chapter in ordered_rules(found, order)
        for row in chapter.rows
    ]
    return exports.send(_("各项要求"), _("各项要求"), headings, rows, code)


def figure_titles() -> list[str]:
    """Headings of :func:`figures`."""
    verdicts = (label(code, "verdict") for code in SHOWN_VERDICTS)
    return [*verdicts, _("符合率"), _("按时率")]


def figures(counts: Mapping[str, int]) -> list[Cell]:
    """Counts as columns of a file: by verdict, the rate met, the rate met in time."""
    numbers: list[Cell] = [counts.get(code, 0) for code in SHOWN_VERDICTS]
    whole = expected(counts)
    return [*numbers, percent(counts.get("met", 0), whole), percent(on_time(counts), whole)]


@blueprint.app_template_global()
def chart_summary(units: Sequence[UnitCounts]) -> str:
    """What the chart of units shows, in a sentence."""
    worst = max(units, key=lambda row: row.counts.get("not_met", 0))
    number = worst.counts.get("not_met", 0)
    if not number:
        return _("{units} 个下级单位的结论构成，没有不符合的。").format(units=len(units))
    return _("{units} 个下级单位的结论构成，不符合最多的是{name}，{number} 项。").format(
        units=len(units), name=worst.unit.name, number=number
    )
