"""Imports of workbooks: looked at first, then stored whole or not at all, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, fields, validate

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.problems import not_found
from guiju.api.reach import below, demand, organization
from guiju.api.resources.jobs import JobSchema, accepted
from guiju.api.schemas import WithinQuery, id_field, plain
from guiju.db import db
from guiju.importing.jobs import request_import, request_preview, request_undo
from guiju.importing.queries import ImportSummary
from guiju.importing.queries import imports as made_imports
from guiju.jobs import queries as jobs
from guiju.jobs.kinds import Upload

blueprint = Blueprint(
    "imports",
    "导入",
    "导入工作簿：先预览（逐行的错误、将有的变化），再确认。要么全部导入，要么全不导入；"
    "其后没有新的改动时可以撤回。",
)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SUFFIXES = {WORKBOOK: ".xlsx", "application/json": ".json"}


class ImportQuery(Schema):
    """Whose workbook it is, and what it is called."""

    organization = id_field("导入到这个组织及其下级", required=True)
    name = fields.String(
        load_default="import",
        validate=validate.Regexp(r"[^/\\\x00-\x1f]{1,100}\Z"),
        metadata={"description": "文件名，不带后缀"},
    )


class ImportListQuery(ListQuery, WithinQuery):
    """Which imports are listed."""


class ImportSchema(Schema):
    """An import that was made."""

    id = fields.Integer(required=True)
    organization = fields.String(required=True, metadata={"description": "组织的名称"})
    name = fields.String(required=True)
    digest = fields.String(required=True, metadata={"description": "文件的 SHA-256"})
    made_at = fields.DateTime(required=True)
    made_by = fields.String(required=True)
    inserted = fields.Dict(required=True, metadata={"description": "各表新增的行数"})
    updated = fields.Dict(required=True, metadata={"description": "各表更改的行数"})
    undone_at = fields.DateTime(required=True, allow_none=True)


@blueprint.get("/imports")
@blueprint.says("列出导入", "新的在前。")
@blueprint.asks(ImportListQuery)
@blueprint.lists(ImportSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """Imports into the parts of the tree that the visitor imports into."""
    found = made_imports(db.session, below(query, "import.run"), limit=1000)
    return sliced([_shown(one) for one in found], query)


@blueprint.post("/imports")
@blueprint.says(
    "上传工作簿并预览",
    "正文就是文件。得到一个后台任务；完成后其 `result` 说明将有的变化，"
    "有错误时 `error` 逐行列出。没有任何改动。",
)
@blueprint.asks(ImportQuery)
@blueprint.receives(*_SUFFIXES)
@blueprint.begins(JobSchema)
def preview(content: bytes, query: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Have a workbook looked at."""
    found = organization(query["organization"], "import.run")
    name = query["name"] + _SUFFIXES[request.mimetype]
    file = Upload(name, request.mimetype, content)
    return accepted(request_preview(db.session, visitor().actor(), found.id, file))


@blueprint.post("/imports/<number:job_id>/confirm")
@blueprint.says("确认导入", "`job_id` 是预览的任务。得到一个后台任务；完成后导入即生效。")
@blueprint.begins(JobSchema)
def confirm(job_id: int) -> tuple[dict[str, Any], str]:
    """Store the workbook of a preview."""
    found = jobs.job(db.session, visitor(), job_id)
    if found is None:
        raise not_found()
    demand("import.run", found.path)
    return accepted(request_import(db.session, visitor().actor(), found))


@blueprint.post("/imports/<number:import_id>/undo")
@blueprint.says("撤回导入", "得到一个后台任务；导入后又有改动的，任务会说明不能撤回的原因。")
@blueprint.begins(JobSchema)
def undo(import_id: int) -> tuple[dict[str, Any], str]:
    """Take an import back."""
    demand("import.run")
    found = made_imports(db.session, visitor().roots("import.run"), import_id=import_id)
    if not found:
        raise not_found()
    return accepted(request_undo(db.session, visitor().actor(), found[0]))


def _shown(found: ImportSummary) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.id,
            "organization": found.organization,
            "name": found.name,
            "digest": found.digest,
            "made_at": found.made_at,
            "made_by": found.made_by,
            "inserted": found.inserted,
            "updated": found.updated,
            "undone_at": found.undone_at,
        }
    )
    return shown
