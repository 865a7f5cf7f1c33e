"""Reports in the notices' own forms: asked for, made in the background, downloaded."""

from __future__ import annotations

import io
from datetime import date

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from guiju import queue
from guiju.clock import today
from guiju.config import Settings
from guiju.db import current_tenant_id, db
from guiju.hookspecs import ReportFormat
from guiju.language import gettext as _
from guiju.reports import queries
from guiju.reports.operations import request_report
from guiju.scoring.queries import standing
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import not_found_unless
from guiju.web.wording import plugins

blueprint = Blueprint("reports", __name__)


@blueprint.get("/organizations/<number:organization_id>/reports")
def page(organization_id: int) -> str:
    """The forms that the organization's notice has, and the reports made lately."""
    as_of = standing(db.session).as_of or today()
    portrait = visible_portrait(organization_id, as_of)
    return render_template(
        "reports.html",
        portrait=portrait,
        trail=trail(portrait),
        formats=plugins().formats_of(portrait.profile or ""),
        as_of=as_of,
        listed=_listed(organization_id),
    )


@blueprint.get("/organizations/<number:organization_id>/reports/list")
def listing(organization_id: int) -> str:
    """The reports made lately, asked for again while one is being made."""
    portrait = visible_portrait(organization_id, today())
    return render_template("parts/reports.html", portrait=portrait, listed=_listed(organization_id))


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
        number = request_report(
            db.session,
            current_user.actor(),
            formats,
            organization_id,
            request.form["format"],
            as_of,
        )
        _ring(number)
    return redirect(url_for("reports.page", organization_id=organization_id))


@blueprint.get("/reports/<number:report_id>/file")
def download(report_id: int) -> Response:
    """The finished file."""
    found = queries.report(db.session, report_id, paths=current_user.within)
    content = queries.content(db.session, report_id, paths=current_user.within)
    not_found_unless(found is not None and content is not None)
    assert found is not None
    assert content is not None
    known = _format(found.format)
    not_found_unless(known)
    assert known is not None
    return send_file(
        io.BytesIO(content),
        mimetype=known.media_type,
        as_attachment=True,
        download_name=f"{known.title}-{found.organization}-{found.as_of}{known.suffix}",
    )


@blueprint.app_template_global()
def report_title(format_: str) -> str:
    """The title of a report's form; its id where the plugin is no longer there."""
    known = _format(format_)
    return known.title if known else format_


def _ring(report_id: int) -> None:
    settings: Settings = current_app.extensions["guiju_settings"]
    tenant_id = current_tenant_id()
    with queue.connect(settings.redis_url) as connection:
        queue.enqueue(
            connection,
            queue.REPORTS,
            "guiju.reports.jobs.make",
            tenant_id,
            report_id,
            job_id=f"report-{tenant_id}-{report_id}",
        )


def _format(format_: str) -> ReportFormat | None:
    return plugins().report_formats.get(format_)


def _listed(organization_id: int) -> list[queries.ReportSummary]:
    return queries.reports(
        db.session, paths=current_user.within, organization_id=organization_id, limit=20
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
