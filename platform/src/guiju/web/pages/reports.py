"""Reports in the notices' own forms: asked for, made in the background, downloaded."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from guiju.clock import today
from guiju.db import db
from guiju.jobs.queries import JobSummary
from guiju.language import gettext as _
from guiju.reports import queries
from guiju.reports.operations import request_report
from guiju.scoring.queries import standing
from guiju.web import exports
from guiju.web.downloads import send_job_file
from guiju.web.lists import Column, Listing
from guiju.web.pages.jobs import job_state
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import not_found_unless
from guiju.web.wording import plugins

blueprint = Blueprint("reports", __name__)

#: So many of a unit's latest reports are listed.
_MOST = 100


@blueprint.get("/organizations/<number:organization_id>/reports")
def page(organization_id: int) -> str | Response:
    """The forms that the organization's notice has, and the reports made lately."""
    as_of = standing(db.session, current_user.within).as_of or today()
    portrait = visible_portrait(organization_id, as_of)
    listing = _listed(organization_id)
    if exports.wanted_format():
        return listing.send(_("生成过的报表"), portrait.place.code)
    return render_template(
        "reports.html",
        portrait=portrait,
        trail=trail(portrait),
        formats=plugins().formats_of(portrait.profile or ""),
        as_of=as_of,
        listing=listing,
    )


@blueprint.get("/organizations/<number:organization_id>/reports/list")
def listing(organization_id: int) -> str:
    """The reports made lately, asked for again while one is being made."""
    portrait = visible_portrait(organization_id, today())
    return render_template(
        "parts/reports.html", portrait=portrait, listing=_listed(organization_id)
    )


@blueprint.post("/organizations/<number:organization_id>/reports")
def ask(organization_id: int) -> BaseResponse:
    """Ask for a report; it is listed as waiting at once."""
    portrait = visible_portrait(organization_id, today())
    formats = {found.id: found for found in plugins().formats_of(portrait.profile or "")}
    not_found_unless(request.form.get("format") in formats)
    as_of = _day(request.form.get("as_of", ""))
    if as_of is None:
        flash(_("请填写截止日期。"))
    else:
        request_report(
            db.session,
            current_user.actor(),
            formats,
            organization_id,
            request.form["format"],
            as_of,
        )
    return redirect(url_for("reports.page", organization_id=organization_id))


@blueprint.get("/reports/<number:report_id>/file")
def download(report_id: int) -> Response:
    """The finished file."""
    found = queries.report(db.session, report_id, paths=current_user.within)
    not_found_unless(found is not None and found.files)
    assert found is not None
    return send_job_file(found.files[0])


@blueprint.app_template_global()
def report_title(report: JobSummary) -> str:
    """The title of a report's form; what it was called when its plugin is no longer there."""
    known = plugins().report_formats.get(report.parameters["format"])
    return known.title if known else report.subject or report.parameters["format"]


@blueprint.app_template_filter()
def report_day(report: JobSummary) -> date:
    """The day that a report is as of."""
    return date.fromisoformat(report.parameters["as_of"])


def _listed(organization_id: int) -> Listing[JobSummary]:
    found = queries.reports(
        db.session, paths=current_user.within, organization_id=organization_id, limit=_MOST
    )
    columns: list[Column[JobSummary]] = [
        Column("title", _("表样"), report_title),
        Column("as_of", _("情况截至"), report_day),
        Column("who", _("申请人"), lambda report: report.requested_by),
        Column("asked", _("申请时间"), lambda report: report.requested_at),
        Column("state", _("状态"), job_state),
    ]
    return Listing(columns, "-asked", found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
