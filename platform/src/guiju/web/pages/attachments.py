"""Files of records: attached from a phone or a desk, sent to who may see the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO, cast

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    jsonify,
    redirect,
    request,
    send_file,
    url_for,
)
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities import attachments
from guiju.activities.access import Conflict, NotAllowed
from guiju.activities.attachments import Cabinet, FileView
from guiju.db import db
from guiju.files import ScannerUnavailable
from guiju.language import gettext as _
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput
from guiju.web import refusals
from guiju.web.sessions import safe_target

blueprint = Blueprint("attachments", __name__)
refusals.init_blueprint(blueprint)


@blueprint.post("/drafts/<number:draft_id>/files")
def to_draft(draft_id: int) -> Response | tuple[Response, int]:
    """Add files to a draft; a script is answered in JSON."""
    return _added(
        lambda name, stream, kind: attachments.attach_to_draft(
            db.session, current_user, _cabinet(), draft_id, name, stream, kind=kind
        )
    )


@blueprint.post("/records/<number:occasion_id>/files")
def to_record(occasion_id: int) -> Response | tuple[Response, int]:
    """Add files to a record, each of which makes a version of it."""
    reason = request.form.get("reason")
    return _added(
        lambda name, stream, kind: attachments.attach_to_record(
            db.session,
            current_user,
            _cabinet(),
            occasion_id,
            name,
            stream,
            kind=kind,
            reason=reason,
        )
    )


@blueprint.get("/record-files/<number:record_file_id>")
def send(record_file_id: int) -> Response:
    """A file's content."""
    try:
        found, content = attachments.open_file(db.session, current_user, _cabinet(), record_file_id)
    except FileNotFoundError:
        abort(404)
    response = send_file(
        content, mimetype=found.media_type, as_attachment=True, download_name=found.name
    )
    # Whatever it may hold: opened by mistake, it runs nothing and reaches nothing of ours.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.post("/record-files/<number:record_file_id>/remove")
def remove(record_file_id: int) -> Response:
    """Take a file off; earlier versions of a record still have it."""
    try:
        attachments.remove_file(
            db.session, current_user, record_file_id, reason=request.form.get("reason")
        )
        flash(_("文件已删除。"))
    except BadInput as error:
        flash(_said(error))
    except Conflict:
        flash(_("记录刚被更正，请看过再删。"))
    return redirect(_back())


def _added(
    attach: Callable[[str, BinaryIO, str | None], FileView],
) -> Response | tuple[Response, int]:
    """Attach every file of the form; what was refused is said by its name."""
    kind = request.form.get("file_kind") or None
    uploads = [upload for upload in request.files.getlist("file") if upload.filename]
    kept: list[FileView] = []
    refused: list[str] = []
    for upload in uploads:
        try:
            kept.append(attach(upload.filename or "", cast("BinaryIO", upload.stream), kind))
        except BadInput as error:
            refused.append(f"{upload.filename}：{_said(error)}")
        except NotAllowed:
            raise  # an OSError as well
        except (ScannerUnavailable, OSError):
            refused.append(f"{upload.filename}：{_('文件暂时存不了，请稍后再试')}")
    if request.accept_mimetypes.best == "application/json":
        return jsonify(files=[_told(one) for one in kept], refused=refused), 422 if refused else 200
    for text in refused:
        flash(text)
    if kept:
        flash(ngettext("已添加 %(num)s 个文件。", "已添加 %(num)s 个文件。", len(kept)))
    elif not uploads:
        flash(_("还没有选择文件。"))
    return redirect(_back())


def _told(found: FileView) -> dict[str, object]:
    return {
        "id": found.file_id,
        "name": found.name,
        "kind": found.kind,
        "address": url_for(".send", record_file_id=found.file_id),
        "remove": url_for(".remove", record_file_id=found.file_id),
    }


def _said(error: BadInput) -> str:
    return "；".join(f"{one.found}，{one.wanted}" for one in error.problems)


def _back() -> str:
    return safe_target(request.form.get("next"))


def _cabinet() -> Cabinet:
    return attachments.cabinet(current_app.extensions["guiju_settings"])


@blueprint.app_template_global()
def file_kinds(asked: Iterable[str]) -> list[str]:
    """Kinds of papers to choose from: those asked for first, photos and minutes next."""
    common = ("photos", "sign_in_sheet", "minutes")
    return list(dict.fromkeys([*asked, *common, *v.DOCUMENT_KINDS]))
