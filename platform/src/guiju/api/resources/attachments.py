"""Files of occasions and drafts: sent as they are, looked at closely, kept with every version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from flask import Response, current_app, request, send_file, url_for
from marshmallow import Schema, fields, validate

from guiju.activities import attachments, queries
from guiju.activities.access import MOST_WORDS, NotAllowed
from guiju.activities.attachments import Cabinet, FileView
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.problems import Refused, fault, not_found
from guiju.api.schemas import plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.files import MEDIA_TYPES, ScannerUnavailable
from guiju.language import gettext as _
from guiju.rules import vocabulary as v

blueprint = Blueprint(
    "attachments",
    "附件",
    "活动和草稿的附件（.pdf、.docx、.xlsx、.jpg、.png）。按内容核对类型，图片去掉拍摄信息后保存；"
    "为活动增减附件即形成一个新版本。",
)


class NewFileQuery(Schema):
    """What a file is called, and what it is a copy of."""

    name = fields.String(
        required=True,
        validate=validate.Length(1, 255),
        metadata={"description": "文件名，带后缀", "example": "签到表.pdf"},
    )
    kind = fields.String(
        validate=validate.OneOf(sorted(v.DOCUMENT_KINDS)),
        metadata={"description": "材料类型；活动的这种材料即算留存"},
    )


class ReasonQuery(Schema):
    """Why a record is changed."""

    reason = text_field("更正原因；该月已声明齐全时必填", MOST_WORDS)


class NewRecordFileQuery(NewFileQuery, ReasonQuery):
    """The same, for a record."""


class AttachmentSchema(Schema):
    """A file."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, allow_none=True, metadata={"description": "材料类型"})
    media_type = fields.String(required=True)
    size = fields.Integer(required=True, metadata={"description": "字节数"})
    digest = fields.String(required=True, metadata={"description": "内容的 SHA-256"})
    author = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    removed_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "删除后只属于以前的版本"}
    )


@blueprint.get("/occasions/<id:occasion_id>/files")
@blueprint.says("列出活动的附件", "现在的附件；无权查看姓名的，看不到附件。")
@blueprint.asks(ListQuery)
@blueprint.lists(AttachmentSchema)
def of_occasion(query: Mapping[str, Any], occasion_id: str) -> Page:
    """The files that a record has now."""
    found = attachments.files_of_record(db.session, visitor(), _number(occasion_id))
    return sliced([_shown(one) for one in found], query)


@blueprint.get("/drafts/<number:draft_id>/files")
@blueprint.says("列出草稿的附件")
@blueprint.asks(ListQuery)
@blueprint.lists(AttachmentSchema)
def of_draft(query: Mapping[str, Any], draft_id: int) -> Page:
    """The files of a draft."""
    found = attachments.files_of_draft(db.session, visitor(), draft_id)
    return sliced([_shown(one) for one in found], query)


def _cabinet() -> Cabinet:
    return attachments.cabinet(current_app.extensions["guiju_settings"])


def _most_bytes() -> int:
    return _cabinet().most_bytes


@blueprint.post("/occasions/<id:occasion_id>/files")
@blueprint.says("为活动添加附件", "正文就是文件。")
@blueprint.asks(NewRecordFileQuery)
@blueprint.receives(*MEDIA_TYPES.values(), most_bytes=_most_bytes)
@blueprint.creates(AttachmentSchema)
def to_occasion(
    content: bytes, query: Mapping[str, Any], occasion_id: str
) -> tuple[dict[str, Any], str]:
    """Add a file to a record."""
    number = _number(occasion_id)

    def attach(file: BinaryIO) -> FileView:
        return attachments.attach_to_record(
            db.session,
            visitor(),
            _cabinet(),
            number,
            query["name"],
            file,
            kind=query.get("kind"),
            reason=query.get("reason"),
        )

    return _attached(query["name"], content, attach)


@blueprint.post("/drafts/<number:draft_id>/files")
@blueprint.says("为草稿添加附件", "正文就是文件；提交草稿时随之成为活动的附件。")
@blueprint.asks(NewFileQuery)
@blueprint.receives(*MEDIA_TYPES.values(), most_bytes=_most_bytes)
@blueprint.creates(AttachmentSchema)
def to_draft(content: bytes, query: Mapping[str, Any], draft_id: int) -> tuple[dict[str, Any], str]:
    """Add a file to a draft."""

    def attach(file: BinaryIO) -> FileView:
        return attachments.attach_to_draft(
            db.session,
            visitor(),
            _cabinet(),
            draft_id,
            query["name"],
            file,
            kind=query.get("kind"),
        )

    return _attached(query["name"], content, attach)


@blueprint.get("/files/<number:record_file_id>")
@blueprint.says("读取一个附件的说明")
@blueprint.shows(AttachmentSchema)
def show(record_file_id: int) -> dict[str, Any]:
    """One file, without its content."""
    return _shown(attachments.find_file(db.session, visitor(), record_file_id))


@blueprint.get("/files/<number:record_file_id>/content")
@blueprint.says("下载一个附件")
@blueprint.sends(*MEDIA_TYPES.values())
def download(record_file_id: int) -> Response:
    """A file's content."""
    with _store_answers():
        try:
            found, content = attachments.open_file(
                db.session, visitor(), _cabinet(), record_file_id
            )
        except FileNotFoundError:
            raise not_found() from None
    response = send_file(
        content, mimetype=found.media_type, as_attachment=True, download_name=found.name
    )
    # Whatever it may hold: opened by mistake, it runs nothing and reaches nothing of ours.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.delete("/files/<number:record_file_id>")
@blueprint.says("删除一个附件", "活动以前的版本仍有它。")
@blueprint.asks(ReasonQuery)
@blueprint.removes()
def remove(query: Mapping[str, Any], record_file_id: int) -> None:
    """Take a file off its draft or record."""
    check_match(_shown(attachments.find_file(db.session, visitor(), record_file_id)))
    attachments.remove_file(db.session, visitor(), record_file_id, reason=query.get("reason"))


def _number(code: str) -> int:
    """The number of an occasion that the visitor sees."""
    return queries.record_with_code(db.session, visitor(), code).summary.occasion_id


def _attached(
    name: str, content: bytes, attach: Callable[[BinaryIO], FileView]
) -> tuple[dict[str, Any], str]:
    suffix = PurePosixPath(name).suffix.lower().replace(".jpeg", ".jpg")
    if MEDIA_TYPES.get(suffix) != request.mimetype:
        wanted = _("后缀应与 Content-Type 相符")
        raise fault("name", "wrong_type", wanted, suffix, at="parameter")
    with _store_answers():
        made = attach(BytesIO(content))
    return _shown(made), url_for(".show", record_file_id=made.file_id)


@contextmanager
def _store_answers() -> Iterator[None]:
    """Say that it may work later where the store or the scanner is away."""
    try:
        yield
    except NotAllowed:
        raise  # an OSError as well
    except (ScannerUnavailable, OSError) as error:
        raise Refused(503, headers={"Retry-After": "30"}) from error


def _shown(found: FileView) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.file_id,
            "name": found.name,
            "kind": found.kind,
            "media_type": found.media_type,
            "size": found.size,
            "digest": found.digest,
            "author": found.author,
            "created_at": found.created_at,
            "removed_at": found.removed_at,
        }
    )
    return shown
