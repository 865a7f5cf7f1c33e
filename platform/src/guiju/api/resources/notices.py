"""What the caller was told: by superiors, and of what falls due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields, validate

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.plugins import packs
from guiju.api.problems import not_found
from guiju.api.schemas import plain
from guiju.api.tags import check_match
from guiju.db import db
from guiju.language import CODES
from guiju.notices import operations, queries
from guiju.notices.models import NOTICE_KINDS
from guiju.notices.queries import NoticeRow
from guiju.notices.wording import worded
from guiju.scoring.naming import Names

blueprint = Blueprint(
    "notices", "消息", "与您有关的提醒、督办、认定和到期事项；只列您现在看得到的组织的。"
)


class NoticeSchema(Schema):
    """Something the caller was told."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(NOTICE_KINDS))
    organization = fields.String(required=True)
    title = fields.String(required=True, metadata={"description": "一句话"})
    lines = fields.List(fields.String(), required=True, metadata={"description": "详情"})
    requirement = fields.String(required=True, allow_none=True)
    period = fields.String(required=True, allow_none=True)
    made_at = fields.DateTime(required=True)
    read_at = fields.DateTime(required=True, allow_none=True)


class NoticeQuery(ListQuery):
    """Which notices are listed."""

    unread = fields.Boolean(load_default=False, metadata={"description": "只看未读的"})


class NoticeSettingSchema(Schema):
    """How the caller wants to be told."""

    by_mail = fields.Boolean(required=True, metadata={"description": "也以邮件告知，每天至多一封"})
    language = fields.String(
        required=True, validate=validate.OneOf(CODES), metadata={"description": "邮件的语言"}
    )


@blueprint.get("/notices")
@blueprint.says("列出我的消息", "新的在前。一页可能少于 `limit` 项，`next` 为 null 才是最后一页。")
@blueprint.asks(NoticeQuery)
@blueprint.lists(NoticeSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """The caller's notices."""
    after = opened(query)
    found = queries.notices(
        db.session,
        visitor(),
        unread=query["unread"],
        before=None if after is None else after[0],
        limit=query["limit"],
    )
    return Page(_shown(found.rows), None if found.before is None else [found.before])


@blueprint.get("/notices/<number:notice_id>")
@blueprint.says("读取一条消息")
@blueprint.shows(NoticeSchema)
def show(notice_id: int) -> dict[str, Any]:
    """One notice."""
    return _one(notice_id)


@blueprint.post("/notices/<number:notice_id>/read")
@blueprint.says("一条消息已读")
@blueprint.changes(NoticeSchema)
def read(notice_id: int) -> dict[str, Any]:
    """The caller has read a notice."""
    check_match(_one(notice_id))
    operations.mark_read(db.session, visitor(), notice_id)
    return _one(notice_id)


@blueprint.get("/notice-settings")
@blueprint.says("查看怎样告知我")
@blueprint.shows(NoticeSettingSchema)
def show_settings() -> dict[str, Any]:
    """How the caller wants to be told."""
    return _settings()


@blueprint.put("/notice-settings")
@blueprint.says("更改怎样告知我")
@blueprint.takes(NoticeSettingSchema)
@blueprint.changes(NoticeSettingSchema)
def choose(body: Mapping[str, Any]) -> dict[str, Any]:
    """Change how the caller wants to be told."""
    operations.lock_choice(db.session, visitor())
    check_match(_settings())
    operations.choose(db.session, visitor(), **body)
    return _settings()


def _settings() -> dict[str, Any]:
    by_mail, language = queries.setting(db.session, visitor().user_id)
    return {"by_mail": by_mail, "language": language}


def _one(number: int) -> dict[str, Any]:
    page = queries.notices(db.session, visitor(), before=number + 1, limit=1)
    found = [row for row in page.rows if row.notice.id == number]
    if not found:
        raise not_found()
    return _shown(found)[0]


def _shown(rows: Sequence[NoticeRow]) -> list[dict[str, Any]]:
    units = Names(db.session).units({row.notice.organization_id for row in rows})
    shown = []
    for row in rows:
        notice = row.notice
        words = worded(notice.kind, row.unit, notice.details, packs(), lambda day: day.isoformat())
        shown.append(
            plain(
                {
                    "id": notice.id,
                    "kind": notice.kind,
                    "organization": units[notice.organization_id].code,
                    "title": words.title,
                    "lines": list(words.lines),
                    "requirement": notice.details.get("requirement"),
                    "period": notice.details.get("period"),
                    "made_at": notice.made_at,
                    "read_at": notice.read_at,
                }
            )
        )
    return shown
