"""Why a finding is what it is, and the several findings behind one cell of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from guiju.clock import today
from guiju.db import db
from guiju.decisions import matters
from guiju.decisions.matters import About
from guiju.decisions.models import STEP_ACTIONS
from guiju.decisions.refusals import Outdated
from guiju.language import gettext as _
from guiju.organizations.people import names
from guiju.organizations.portrait import Portrait
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import queries
from guiju.scoring.results import FindingView, GridCell, GridRow, NotVisible, OrganizationGrid
from guiju.web import addresses, refusals
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import about_people, not_found_unless
from guiju.web.wording import plugins

blueprint = Blueprint("findings", __name__, url_prefix="/organizations/<number:organization_id>")
refusals.init_blueprint(blueprint)

#: Kinds of subjects that a row of a grid stands for by itself.
_WHOLE = {"organization", "group", "team", "city"}

#: Kinds of subjects that are somebody.
_PEOPLE = {"member", "person"}


@blueprint.get("/findings/<requirement>")
def page(organization_id: int, requirement: str) -> str:
    """The explanation of one finding; inside another page where that page asks for it."""
    return _explained(about(organization_id, requirement, request.args))


@blueprint.post("/findings/<requirement>")
def act(organization_id: int, requirement: str) -> Response | tuple[str, int]:
    """Decide, give a reason, object, or answer one of these: what the pressed button says."""
    asked = about(organization_id, requirement, request.form)
    portrait = visible_portrait(organization_id, today())
    not_found_unless(request.form.get("action") in STEP_ACTIONS)
    people = asked.subject is not None and asked.subject[0] in _PEOPLE
    try:
        with _opened(portrait, requirement, people=people):
            _act(asked)
    except BadInput as error:
        problems = {problem.place: problem for problem in error.problems}
        return _explained(asked, problems=problems), 422
    except Outdated:
        return _explained(asked, outdated=True), 409
    flash(_("已记录。新的结论稍后计入。"))
    return redirect(about_address(asked))


def about(organization_id: int, requirement: str, given: Mapping[str, str]) -> About:
    """Which finding an address or a form means."""
    subject_type, subject = given.get("subject_type"), given.get("subject")
    return About(
        organization_id,
        requirement,
        given.get("part") or None,
        (subject_type, subject) if subject_type and subject else None,
        given.get("period") or None,
    )


def about_address(asked: About) -> str:
    """Where a finding is explained."""
    subject_type, subject = asked.subject or (None, None)
    return url_for(
        "findings.page",
        organization_id=asked.organization_id,
        requirement=asked.requirement,
        part=asked.part,
        period=asked.period,
        subject_type=subject_type,
        subject=subject,
    )


def _explained(
    asked: About,
    *,
    problems: Mapping[str, Problem] | None = None,
    outdated: bool = False,
) -> str:
    portrait = visible_portrait(asked.organization_id, today())
    people = asked.subject is not None and asked.subject[0] in _PEOPLE
    with _opened(portrait, asked.requirement, people=people):
        shown = matters.show(db.session, plugins().packs, current_user, asked)
        return _render(
            "explanation",
            portrait,
            shown=shown,
            asked=asked,
            explanation=shown.explanation,
            names=_names([shown.explanation.view]),
            problems=problems or {},
            outdated=outdated,
            typed=request.form,
        )


def _act(asked: About) -> None:
    given, packs = request.form, plugins().packs
    action, text = given["action"], given.get("reason", "")
    revision = given.get("revision", 0, type=int)
    matter = given.get("matter", 0, type=int)
    if action == "decide":
        matters.decide(
            db.session,
            packs,
            current_user,
            asked,
            given.get("verdict", ""),
            text,
            shown=given.get("basis", ""),
            revision=revision,
        )
    elif action == "explain":
        matters.give_reason(db.session, packs, current_user, asked, text, revision=revision)
    elif action in {"accept", "decline"}:
        accepted = action == "accept"
        matters.answer_reason(
            db.session,
            packs,
            current_user,
            asked,
            text,
            accepted=accepted,
            revision=revision,
        )
    elif action == "reopen":
        matters.reopen(db.session, current_user, matter, text, revision=revision)
    elif action == "appeal":
        matters.appeal(db.session, current_user, matter, text, revision=revision)
    else:
        upheld = action == "uphold"
        matters.answer_appeal(
            db.session, current_user, matter, text, upheld=upheld, revision=revision
        )


@blueprint.get("/cells/<requirement>")
def cell(organization_id: int, requirement: str) -> Response | str:
    """The findings behind one cell: what is not met among members or occasions.

    With ``names`` members are named, to who may see them.  The only finding about a whole
    group or team is explained at once.
    """
    period, named = request.args.get("period"), bool(request.args.get("names"))
    portrait = visible_portrait(organization_id, today())
    with _opened(portrait, requirement, people=named):
        try:
            grid = queries.organization_grid(
                db.session,
                plugins().packs,
                organization_id,
                within=current_user.within,
                year=int(period[:4]) if period else addresses.year(),
            )
        except (NotVisible, ValueError):
            abort(404)
    row, found = _cell(grid, requirement, request.args.get("part"), period)
    if row.subject_type in _WHOLE and len(found.findings) == 1:
        return redirect(finding_address(found.findings[0]))
    may_name = not named and current_user.may_see_people(portrait.place.path)
    return _render(
        "cell", portrait, row=row, cell=found, may_name=may_name, names=_names(found.findings)
    )


def _opened(portrait: Portrait, requirement: str, *, people: bool) -> AbstractContextManager[None]:
    """The scope to look in; that of ``people`` only for who may see them."""
    if not people:
        return nullcontext()
    not_found_unless(current_user.may_see_people(portrait.place.path))
    return about_people(f"{portrait.place.code} {requirement}")


def _names(views: Iterable[FindingView]) -> Mapping[str, str]:
    """Names of the members that findings are about, by code."""
    subjects = [view.finding["subject"] for view in views]
    codes = [subject["id"] for subject in subjects if subject["type"] in _PEOPLE]
    return names(db.session, codes) if codes else {}


def _cell(
    grid: OrganizationGrid, requirement: str, part: str | None, period: str | None
) -> tuple[GridRow, GridCell]:
    for row in grid.rows:
        if (row.requirement, row.part) == (requirement, part):
            for found in row.cells:
                if found.period == period:
                    return row, found
    raise NotFound


def _render(name: str, portrait: Portrait, **values: object) -> str:
    if "HX-Request" in request.headers:
        return render_template(f"parts/{name}.html", portrait=portrait, **values)
    standing = queries.standing(db.session, current_user.within)
    return render_template(
        f"{name}.html", portrait=portrait, trail=trail(portrait), standing=standing, **values
    )


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
    if row.subject_type in _WHOLE and found.number == 1:
        named = row.subject_type != "organization"
        return addresses.about(
            "findings.page",
            organization_id,
            row.requirement,
            part=row.part,
            period=found.period,
            subject_type=row.subject_type if named else None,
            subject=row.subject.code if named else None,
        )
    return addresses.about(
        "findings.cell",
        organization_id,
        row.requirement,
        part=row.part,
        period=found.period,
        year=None if found.period else year,
    )
