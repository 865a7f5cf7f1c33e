"""The audit trail, searched by the auditor of the whole tenant alone; that too is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.reach import demand_everywhere
from guiju.api.resources.jobs import JobSchema, accepted
from guiju.api.schemas import plain, text_field
from guiju.audit import queries
from guiju.audit.field_names import field_names
from guiju.audit.jobs import AUDIT_EXPORT
from guiju.audit.operations import record_reading
from guiju.audit.queries import Filters
from guiju.db import db, transaction
from guiju.jobs.operations import request_job

blueprint = Blueprint(
    "audit", "审计", "谁、何时、从哪里、做了什么、改动前后如何。只供全单位的审计员查阅。"
)

_FILTERS = tuple(Filters.__dataclass_fields__)


class AuditFilterSchema(Schema):
    """Which entries are meant."""

    actor = text_field("操作人姓名中的文字", 100)
    action = text_field("操作，或其开头，如 occasion.", 100)
    subject_type = text_field("对象的种类", 100)
    subject = text_field("对象的编号", 200)
    address = text_field("来源地址", 100)
    since = fields.Date(metadata={"description": "这一天及以后的"})
    until = fields.Date(metadata={"description": "这一天及以前的"})


class AuditQuery(AuditFilterSchema, ListQuery):
    """Which entries are listed."""


class AuditEntrySchema(Schema):
    """One thing done."""

    id = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    actor = fields.String(required=True)
    address = fields.String(required=True, allow_none=True)
    action = fields.String(required=True)
    subject_type = fields.String(required=True)
    subject = fields.String(required=True, allow_none=True)
    before = fields.Dict(required=True, allow_none=True)
    after = fields.Dict(required=True, allow_none=True)
    labels = fields.Dict(
        required=True,
        metadata={"description": "before 和 after 中各项的名称，按 `Accept-Language`"},
    )


@blueprint.get("/audit")
@blueprint.says("查阅审计记录", "新的在前。查阅本身也记入审计。")
@blueprint.asks(AuditQuery)
@blueprint.lists(AuditEntrySchema)
def listing(query: Mapping[str, Any]) -> Page:
    """The latest entries."""
    filters = _filters(query)
    with transaction(db.session):
        told = "；".join(f"{name}={value}" for name, value in filters.told().items())
        record_reading(db.session, visitor().actor(), "audit_entries", told or "api")
    after = opened(query)
    found = queries.entries(
        db.session, filters, before=None if after is None else after[0], limit=query["limit"] + 1
    )
    shown = found[: query["limit"]]
    rows = [
        plain(
            {
                "id": entry.id,
                "at": entry.at,
                "actor": entry.actor,
                "address": entry.address,
                "action": entry.action,
                "subject_type": entry.subject_type,
                "subject": entry.subject,
                "before": entry.before,
                "after": entry.after,
                "labels": field_names(
                    entry.subject_type, [*{**(entry.before or {}), **(entry.after or {})}]
                ),
            }
        )
        for entry in shown
    ]
    return Page(rows, [shown[-1].id] if len(found) > len(shown) else None)


@blueprint.post("/audit/exports")
@blueprint.says("导出审计记录", "作为后台任务写成工作簿；完成后下载其文件。导出本身也记入审计。")
@blueprint.takes(AuditFilterSchema)
@blueprint.begins(JobSchema)
def export(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Have the entries written into a workbook."""
    filters = _filters(body)
    with transaction(db.session):
        number = request_job(db.session, visitor().actor(), AUDIT_EXPORT, filters.told())
    return accepted(number)


def _filters(given: Mapping[str, Any]) -> Filters:
    """What the auditor of the whole tenant asks for; 403 for anybody else."""
    demand_everywhere("audit.read")
    return Filters(**{name: given[name] for name in _FILTERS if name in given})
