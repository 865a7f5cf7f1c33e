"""A user's own notices, and how they want to be told."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju import mail
from guiju.activities.announcements import announcements_for
from guiju.db import db
from guiju.decisions.models import Matter
from guiju.language import CODES
from guiju.language import gettext as _
from guiju.notices import operations, queries
from guiju.notices.queries import NoticeRow
from guiju.notices.wording import Words, worded
from guiju.web.languages import NAMES
from guiju.web.wording import day, plugins

blueprint = Blueprint("notices", __name__, url_prefix="/notices")

_PAGE = 50


@blueprint.get("")
def page() -> str:
    """The visitor's notices, newest first."""
    by_mail, language = queries.setting(db.session, current_user.user_id)
    return render_template(
        "notices.html",
        found=queries.notices(
            db.session, current_user, before=request.args.get("before", type=int), limit=_PAGE
        ),
        announced=announcements_for(db.session, current_user),
        by_mail=by_mail,
        mail_language=language,
        language_names=NAMES,
        mailed=mail.configured(current_app.extensions["guiju_settings"]),
    )


@blueprint.get("/<number:notice_id>")
def follow(notice_id: int) -> Response:
    """To what a notice is about; it counts as read."""
    page = queries.notices(db.session, current_user, before=notice_id + 1, limit=1)
    found = next((row for row in page.rows if row.notice.id == notice_id), None)
    if found is None:
        abort(404)
    target = _target(found)
    operations.mark_read(db.session, current_user, notice_id)
    return redirect(target)


@blueprint.post("/read")
def read() -> Response:
    """All of them are read."""
    operations.mark_read(db.session, current_user)
    return redirect(url_for("notices.page"))


@blueprint.post("/settings")
def choose() -> Response:
    """By mail or not, and in which language."""
    language = request.form.get("language", "zh")
    operations.choose(
        db.session,
        current_user,
        by_mail=bool(request.form.get("by_mail")),
        language=language if language in CODES else "zh",
    )
    flash(_("已保存。"))
    return redirect(url_for("notices.page"))


def _target(row: NoticeRow) -> str:
    notice, details = row.notice, row.notice.details
    if "task" in details:
        anchor = f"t{details['task']}"
        return url_for("tasks.page", organization_id=notice.organization_id, _anchor=anchor)
    matter = db.session.get(Matter, (current_user.tenant_id, details.get("matter", 0)))
    if matter is not None and matter.subject_type == "organization":
        return url_for(
            "findings.page",
            organization_id=matter.organization_id,
            requirement=matter.requirement,
            part=matter.part,
            period=matter.period,
        )
    if "matter" in details:
        return url_for("desk.made", organization_id=notice.organization_id)
    return url_for("attention.page", organization_id=notice.organization_id, verdict="pending")


@blueprint.app_template_filter()
def notice_words(row: NoticeRow) -> Words:
    """What a notice says."""
    return worded(row.notice.kind, row.unit, row.notice.details, plugins().packs, day)


@blueprint.app_context_processor
def _unread() -> dict[str, Any]:
    return {"unread_notices": unread_notices}


def unread_notices() -> int:
    """How many notices the visitor has not read."""
    return queries.unread_number(db.session, current_user)
