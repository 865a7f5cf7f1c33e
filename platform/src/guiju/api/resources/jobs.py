"""Background jobs: followed here, their files collected; and reports, which are jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, send_file, url_for
from marshmallow import Schema, fields, validate

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.plugins import plugins
from guiju.api.problems import Refused, not_found
from guiju.api.reach import organization
from guiju.api.schemas import plain
from guiju.background import KINDS
from guiju.clock import today
from guiju.db import db
from guiju.jobs import queries
from guiju.jobs.models import STATES
from guiju.jobs.queries import FileSummary, JobSummary
from guiju.organizations.portrait import portrait
from guiju.reports.operations import request_report

blueprint = Blueprint(
    "jobs", "后台任务", "需要时间的工作：提出后得到任务，查看进度，完成后下载其文件。"
)


class JobFileSchema(Schema):
    """A file of a job."""

    id = fields.Integer(required=True)
    produced = fields.Boolean(
        required=True, metadata={"description": "是任务生成的（true），还是提交时带来的（false）"}
    )
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True, metadata={"description": "字节数"})
    digest = fields.String(required=True, metadata={"description": "SHA-256"})


class JobLineSchema(Schema):
    """A line of a job's log."""

    at = fields.DateTime(required=True)
    text = fields.String(required=True)


class JobSchema(Schema):
    """A job with how far it is."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    organization = fields.String(
        required=True, allow_none=True, metadata={"description": "所关组织的名称；全单位的为 null"}
    )
    subject = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    done = fields.Integer(required=True)
    total = fields.Integer(required=True, allow_none=True)
    result = fields.Dict(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    requested_by = fields.String(required=True)
    requested_at = fields.DateTime(required=True)
    finished_at = fields.DateTime(required=True, allow_none=True)
    log = fields.List(fields.Nested(JobLineSchema), required=True)
    files = fields.List(fields.Nested(JobFileSchema), required=True)


class JobQuery(ListQuery):
    """Which jobs are listed."""

    kind = fields.String(
        validate=validate.OneOf(sorted(KINDS)), metadata={"description": "任务的种类"}
    )


class ReportRequestSchema(Schema):
    """A report to be made."""

    format = fields.String(
        required=True,
        validate=validate.Length(1, 100),
        metadata={"description": "报表的编号，见文件库"},
    )
    as_of = fields.Date(metadata={"description": "截止日期；不填为今天"})


@blueprint.get("/jobs")
@blueprint.says("列出后台任务", "您提出的任务，以及您有权查看的任务，新的在前。")
@blueprint.asks(JobQuery)
@blueprint.lists(JobSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """The latest jobs that the visitor may see."""
    after = opened(query)
    found = queries.jobs(
        db.session,
        visitor(),
        kind=query.get("kind"),
        before=None if after is None else after[0],
        limit=query["limit"] + 1,
    )
    shown = found[: query["limit"]]
    more = len(found) > len(shown)
    return Page([representation(job) for job in shown], [shown[-1].id] if more else None)


@blueprint.get("/jobs/<number:job_id>")
@blueprint.says("读取一个后台任务", "`state` 为 done 或 failed 时已结束。")
@blueprint.shows(JobSchema)
def show(job_id: int) -> dict[str, Any]:
    """One job."""
    return representation(_job(job_id))


@blueprint.get("/jobs/<number:job_id>/files/<number:file_id>")
@blueprint.says("下载任务的文件")
@blueprint.sends("application/octet-stream")
def download(job_id: int, file_id: int) -> Response:
    """A file of a job."""
    job = _job(job_id)
    file = _file(job, file_id)
    kind = KINDS.get(job.kind)
    if kind is None or not queries.may_download(visitor(), job, kind.permission):
        raise Refused(403)
    return send_file(
        queries.read_file(db.session, file.id),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.name,
    )


@blueprint.post("/organizations/<id:organization_id>/reports")
@blueprint.says("生成报表", "按所适用文件的格式生成，作为后台任务；完成后下载其文件。")
@blueprint.takes(ReportRequestSchema, example={"format": "xian.member_register"})
@blueprint.begins(JobSchema)
def request_one(body: Mapping[str, Any], organization_id: str) -> tuple[dict[str, Any], str]:
    """Ask for a report."""
    found = organization(organization_id, "reports.make")
    as_of = body.get("as_of") or today()
    shown = portrait(db.session, found.id, as_of)
    profile = shown.profile if shown is not None else None
    formats = {known.id: known for known in plugins().formats_of(profile or "")}
    number = request_report(db.session, visitor().actor(), formats, found.id, body["format"], as_of)
    return accepted(number)


def accepted(job_id: int) -> tuple[dict[str, Any], str]:
    """A job just asked for, and where to follow it."""
    return representation(_job(job_id)), url_for("api_jobs.show", job_id=job_id)


def representation(job: JobSummary) -> dict[str, Any]:
    """A job as it is shown."""
    shown: dict[str, Any] = plain(
        {
            "id": job.id,
            "kind": job.kind,
            "organization": job.organization,
            "subject": job.subject,
            "state": job.state,
            "done": job.done,
            "total": job.total,
            "result": job.result,
            "error": job.error,
            "requested_by": job.requested_by,
            "requested_at": job.requested_at,
            "finished_at": job.finished_at,
            "log": [{"at": moment, "text": text} for moment, text in job.log],
            "files": [
                {
                    "id": file.id,
                    "produced": file.produced,
                    "name": file.name,
                    "media_type": file.media_type,
                    "size": file.size,
                    "digest": file.digest,
                }
                for file in job.files
            ],
        }
    )
    return shown


def _job(job_id: int) -> JobSummary:
    found = queries.job(db.session, visitor(), job_id)
    if found is None:
        raise not_found()
    return found


def _file(job: JobSummary, file_id: int) -> FileSummary:
    for file in job.files:
        if file.id == file_id:
            return file
    raise not_found()
