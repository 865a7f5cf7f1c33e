"""Why a finding is what it is, and the several findings behind one cell of a grid."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound

from guiju.clock import today
from guiju.db import db
from guiju.scoring import queries
from guiju.scoring.results import FindingView, GridCell, GridRow, NotVisible, OrganizationGrid
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import plugins

blueprint = Blueprint("findings", __name__, url_prefix="/organizations/<int:organization_id>")

#: Kinds of subjects that a row of a grid stands for by itself.
_WHOLE = {"organization", "group", "team", "city"}


@blueprint.get("/findings/<requirement>")
def page(organization_id: int, requirement: str) -> str:
    """The explanation of one finding; inside another page where that page asks for it."""
    subject_type, subject = request.args.get("subject_type"), request.args.get("subject")
    try:
        found = queries.explain(
            db.session,
            plugins().packs,
            organization_id,
            requirement,
            within=current_user.within,
            part=request.args.get("part"),
            subject=(subject_type, subject) if subject_type and subject else None,
            period=request.args.get("period"),
        )
    except NotVisible:
        abort(404)
    return _render("explanation", organization_id, explanation=found)


@blueprint.get("/cells/<requirement>")
def cell(organization_id: int, requirement: str) -> str:
    """The findings behind one cell: what is not met among members or occasions."""
    period = request.args.get("period")
    try:
        grid = queries.organization_grid(
            db.session,
            plugins().packs,
            organization_id,
            within=current_user.within,
            year=int(period[:4]) if period else request.args.get("year", type=int),
        )
    except (NotVisible, ValueError):
        abort(404)
    row, found = _cell(grid, requirement, request.args.get("part"), period)
    return _render("cell", organization_id, row=row, cell=found)


def _cell(
    grid: OrganizationGrid, requirement: str, part: str | None, period: str | None
) -> tuple[GridRow, GridCell]:
    for row in grid.rows:
        if (row.requirement, row.part) == (requirement, part):
            for found in row.cells:
                if found.period == period:
                    return row, found
    raise NotFound


def _render(name: str, organization_id: int, **values: object) -> str:
    portrait = visible_portrait(organization_id, today())
    template = f"parts/{name}.html" if "HX-Request" in request.headers else f"{name}.html"
    return render_template(template, portrait=portrait, trail=trail(portrait), **values)


@blueprint.app_template_global()
def finding_address(view: FindingView) -> str:
    """Where the explanation of a finding is."""
    finding = view.finding
    subject = finding["subject"]
    named = subject["type"] != "organization"
    return url_for(
        "findings.page",
        organization_id=view.organization_id,
        requirement=finding["requirement"],
        part=finding["part"],
        period=finding["period"],
        subject_type=subject["type"] if named else None,
        subject=subject["id"] if named else None,
    )


@blueprint.app_template_global()
def cell_address(row: GridRow, found: GridCell, organization_id: int, year: int) -> str:
    """Where a cell leads: to its only finding, or to the list of those that are not met."""
    if row.subject_type in _WHOLE and len(found.findings) == 1:
        return finding_address(found.findings[0])
    return url_for(
        "findings.cell",
        organization_id=organization_id,
        requirement=row.requirement,
        part=row.part,
        period=found.period,
        year=None if found.period else year,
    )
