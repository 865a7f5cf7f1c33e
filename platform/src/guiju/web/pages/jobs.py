"""Background jobs: how far they are, what they said, and the files that came of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from guiju.audit.operations import record
from guiju.background import KINDS
from guiju.db import db, transaction
from guiju.jobs import queries
from guiju.jobs.queries import JobSummary
from guiju.language import gettext as _
from guiju.web import exports
from guiju.web.downloads import send_job_file
from guiju.web.lists import Column, Listing
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("jobs", __name__)

#: So many are sorted and filtered together; older ones are a page of their own.
_PAGE = 200

#: A number from an address that no row can have makes no query fail.
_LARGEST = 2**63 - 1


@blueprint.get("/jobs")
def index() -> str | Response:
    """The latest jobs that the visitor may see; as a file where the address asks for one."""
    if exports.wanted_format():
        listing: Listing[JobSummary] = _listed()["listing"]
        return listing.send(_("后台任务"), None)
    return render_template("jobs/index.html", **_listed())


@blueprint.get("/jobs/list")
def listing() -> str:
    """The same without the page around it, asked for again while one is under way."""
    return render_template("jobs/list.html", **_listed())


@blueprint.get("/jobs/<number:job_id>")
def page(job_id: int) -> str:
    """One job with its log."""
    return render_template("jobs/job.html", job=_job(job_id))


@blueprint.get("/jobs/<number:job_id>/state")
def state(job_id: int) -> str:
    """How far one job is, asked for again while it is under way."""
    return render_template("jobs/state.html", job=_job(job_id))


@blueprint.get("/jobs/<number:job_id>/files/<number:file_id>")
def download(job_id: int, file_id: int) -> Response:
    """A file of a job; "no right" where the visitor sees the job but may not have its files."""
    job = _job(job_id)
    file = next((file for file in job.files if file.id == file_id), None)
    not_found_unless(file)
    assert file is not None
    if not may_have_files(job):
        abort(403)
    with transaction(db.session):
        after = {"kind": job.kind, "name": file.name}
        record(db.session, current_user.actor(), "job.download", "job", job.id, after=after)
    return send_job_file(file)


@blueprint.app_template_global()
def job_title(job: JobSummary) -> str:
    """What a kind of job is called; its name where this version has it no longer."""
    kind = KINDS.get(job.kind)
    return kind.title() if kind else job.kind


@blueprint.app_template_global()
def job_state(job: JobSummary) -> str:
    """The state in words."""
    return {
        "waiting": _("等待处理"),
        "running": _("正在处理"),
        "done": _("已完成"),
        "failed": _("没有完成"),
    }[job.state]


@blueprint.app_template_global()
def may_have_files(job: JobSummary) -> bool:
    """Whether the visitor may download the files of a job."""
    kind = KINDS.get(job.kind)
    return kind is not None and queries.may_download(current_user, job, kind.permission)


@blueprint.app_template_filter()
def file_size(number: int) -> str:
    """So many bytes, in units that say something."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"


def _listed() -> dict[str, Any]:
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before <= _LARGEST:
        abort(404)
    found = queries.jobs(db.session, current_user, before=before, limit=_PAGE + 1)
    columns: list[Column[JobSummary]] = [
        Column("title", _("任务"), lambda job: f"{job_title(job)} {job.subject or ''}".strip()),
        Column("unit", _("单位"), lambda job: job.organization or _("全租户")),
        Column("who", _("申请人"), lambda job: job.requested_by),
        Column("asked", _("申请时间"), lambda job: job.requested_at),
        Column("state", _("状态"), job_state),
    ]
    return {
        "listing": Listing(columns, "-asked", found[:_PAGE]),
        "last": found[_PAGE - 1].id if len(found) > _PAGE else None,
        "before": before,
    }


def _job(job_id: int) -> JobSummary:
    found = queries.job(db.session, current_user, job_id)
    not_found_unless(found)
    assert found is not None
    return found
