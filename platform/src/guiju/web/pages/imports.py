"""Importing a workbook: template, upload, preview, confirmation, progress, taking it back."""

from __future__ import annotations

import io
import tempfile
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from guiju.clock import today
from guiju.db import db
from guiju.facts.workbook_writer import write_template
from guiju.importing import queries
from guiju.importing.changes import table_title
from guiju.importing.jobs import (
    IMPORT,
    PREVIEW,
    UNDO,
    request_import,
    request_preview,
    request_undo,
)
from guiju.importing.queries import ImportSummary
from guiju.jobs.kinds import Upload
from guiju.jobs.queries import JobSummary, job
from guiju.language import gettext as _
from guiju.organizations.portrait import Portrait
from guiju.rules import tables
from guiju.rules.problems import BadInput
from guiju.web import exports
from guiju.web.forms import Form
from guiju.web.lists import Column, Listing
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("imports", __name__)

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_KINDS = (PREVIEW.name, IMPORT.name, UNDO.name)

#: Tables as pages list them.
_ORDER = [*tables.TABLES, "people"]

#: So many of a unit's latest imports are listed.
_MOST = 100


@blueprint.get("/organizations/<number:organization_id>/imports")
def page(organization_id: int) -> str | Response:
    """The way to a preview, and what was imported before."""
    portrait = _portrait(organization_id)
    if exports.wanted_format():
        return _listing(portrait).send(_("导入过的文件"), portrait.place.code)
    return _page(portrait, Form())


@blueprint.get("/imports/template")
def template() -> Response:
    """An empty workbook with headings, explanations and drop-downs."""
    if not current_user.may("import.run"):
        abort(403)
    return send_file(
        io.BytesIO(_template()),
        mimetype=_WORKBOOK,
        as_attachment=True,
        download_name=_("导入模板.xlsx"),
    )


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "template.xlsx")
        write_template(path)
        return path.read_bytes()


@blueprint.post("/organizations/<number:organization_id>/imports")
def upload(organization_id: int) -> BaseResponse | tuple[str, int]:
    """Have an uploaded workbook looked at; nothing is stored yet."""
    portrait = _portrait(organization_id)
    file = request.files.get("file")
    try:
        number = request_preview(
            db.session,
            current_user.actor(),
            organization_id,
            Upload(
                (file.filename or "") if file else "",
                _WORKBOOK,
                file.stream if file else b"",  # type: ignore[arg-type]
            ),
        )
    except BadInput as refused:
        return _page(portrait, Form(refused=refused)), 422
    return redirect(url_for("imports.progress", job_id=number))


@blueprint.get("/imports/jobs/<number:job_id>")
def progress(job_id: int) -> str:
    """How far a preview, an import or its undoing is, and what came of it."""
    return render_template("imports/job.html", **_job_page(_job(job_id)))


@blueprint.get("/imports/jobs/<number:job_id>/state")
def state(job_id: int) -> str:
    """The same without the page around it, asked for again while it is under way."""
    return render_template("imports/state.html", **_job_page(_job(job_id)))


@blueprint.post("/imports/jobs/<number:job_id>/confirm")
def confirm(job_id: int) -> BaseResponse | tuple[str, int]:
    """Store what was previewed."""
    preview = _job(job_id)
    try:
        number = request_import(db.session, current_user.actor(), preview)
    except BadInput as refused:
        context = _job_page(preview)
        context["refused"] = [problem.wanted for problem in refused.problems]
        return render_template("imports/job.html", **context), 422
    return redirect(url_for("imports.progress", job_id=number))


@blueprint.post("/imports/<number:import_id>/undo")
def undo(import_id: int) -> BaseResponse:
    """Take an import back."""
    found = queries.imports(db.session, current_user.within, import_id=import_id)
    not_found_unless(found)
    if not current_user.may("import.run", found[0].path):
        abort(403)
    number = request_undo(db.session, current_user.actor(), found[0])
    return redirect(url_for("imports.progress", job_id=number))


def _portrait(organization_id: int) -> Portrait:
    portrait = visible_portrait(organization_id, today())
    if not current_user.may("import.run", portrait.place.path):
        abort(403)
    return portrait


def _page(portrait: Portrait, form: Form) -> str:
    return render_template(
        "imports/page.html",
        portrait=portrait,
        trail=trail(portrait),
        form=form,
        listing=_listing(portrait),
        total=_total,
    )


def _listing(portrait: Portrait) -> Listing[ImportSummary]:
    columns: list[Column[ImportSummary]] = [
        Column("name", _("文件"), lambda made: made.name),
        Column("made", _("导入时间"), lambda made: made.made_at),
        Column("who", _("导入人"), lambda made: made.made_by),
        Column("new", _("新增"), lambda made: _total(made)[0]),
        Column("changed", _("更新"), lambda made: _total(made)[1]),
        Column("undone", _("撤销时间"), lambda made: made.undone_at),
    ]
    found = queries.imports(db.session, [portrait.place.path], limit=_MOST)
    return Listing(columns, "-made", found)


def _total(made: ImportSummary) -> tuple[int, int]:
    return sum(made.inserted.values()), sum(made.updated.values())


def _job(job_id: int) -> JobSummary:
    found = job(db.session, current_user, job_id)
    not_found_unless(found is not None and found.kind in _KINDS)
    assert found is not None
    if not current_user.may("import.run", found.path):
        abort(403)
    return found


def _job_page(found: JobSummary) -> dict[str, object]:
    result = found.result or {}
    made = None
    if found.kind == IMPORT.name and result.get("import"):
        made = next(
            iter(
                queries.imports(
                    db.session, current_user.within, import_id=int(result["import"]), limit=1
                )
            ),
            None,
        )
    written = []
    if made is not None:
        written = [
            (table_title(name), made.inserted.get(name, 0), made.updated.get(name, 0))
            for name in _ORDER
            if name in made.inserted or name in made.updated
        ]
    return {
        "job": found,
        "result": result,
        "step": found.kind,
        "made": made,
        "written": written,
        "refused": [],
        "nothing": not any(row["new"] or row["changed"] for row in result.get("tables", [])),
    }
