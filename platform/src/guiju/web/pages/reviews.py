"""Records that wait for the visitor's review: one by one, or several at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities import queries, records
from guiju.activities.access import Conflict, NotAllowed, NotVisible
from guiju.activities.queries import RecordSummary
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import exports, refusals
from guiju.web.lists import Column, Listing
from guiju.web.wording import label

blueprint = Blueprint("reviews", __name__, url_prefix="/reviews")
refusals.init_blueprint(blueprint)


@dataclass
class _Done:
    """What became of the records ticked; ``missed`` had changed or were gone by then."""

    number: int = 0
    missed: int = 0
    faults: list[str] = field(default_factory=list)


@blueprint.get("")
def page() -> str | Response:
    """The list, those that wait longest first; as a file where the address asks for one."""
    _demand()
    if exports.wanted_format():
        return _listing().send(_("待审核的记录"), None)
    return _page()


@blueprint.post("")
def decide() -> Response | tuple[str, int]:
    """Approve or return every record ticked, each as it was when it was listed."""
    _demand()
    returning = request.form.get("do") == "return"
    comment = request.form.get("comment", "")
    chosen = [_numbers(text) for text in request.form.getlist("item")]
    if not chosen:
        return _page(faults=[_("还没有勾选记录。")]), 422
    done = _Done()
    for occasion_id, revision in chosen:
        _decide(done, occasion_id, revision, comment, returning=returning)
    if done.faults:
        return _page(faults=done.faults), 422
    _tell(done, returning=returning)
    return redirect(url_for(".page"))


def _decide(done: _Done, occasion_id: int, revision: int, comment: str, *, returning: bool) -> None:
    try:
        if returning:
            records.return_record(db.session, current_user, occasion_id, comment, revision=revision)
        else:
            records.approve_record(
                db.session, current_user, occasion_id, revision=revision, comment=comment
            )
        done.number += 1
    except (Conflict, NotVisible, NotAllowed):
        done.missed += 1
    except BadInput as error:
        if any(problem.place == "/comment" for problem in error.problems):
            done.faults = [problem.wanted for problem in error.problems]
        else:
            done.missed += 1


def _tell(done: _Done, *, returning: bool) -> None:
    if done.number and returning:
        flash(ngettext("已退回 %(num)s 条。", "已退回 %(num)s 条。", done.number))
    elif done.number:
        flash(ngettext("已通过 %(num)s 条。", "已通过 %(num)s 条。", done.number))
    if done.missed:
        flash(
            ngettext(
                "%(num)s 条刚被更正或已有人审过，没有处理。",
                "%(num)s 条刚被更正或已有人审过，没有处理。",
                done.missed,
            )
        )


def _demand() -> None:
    if not current_user.may("records.review"):
        abort(403)


def _numbers(text: str) -> tuple[int, int]:
    """Occasion and revision of a ticked row; 400 for what no page of ours sends."""
    occasion, dot, revision = text.partition(".")
    if not (dot and occasion.isdecimal() and revision.isdecimal()):
        abort(400)
    numbers = int(occasion), int(revision)
    if max(numbers) >= 2**63:
        abort(404)
    return numbers


def _page(faults: list[str] | None = None) -> str:
    return render_template(
        "records/reviews.html",
        listing=_listing(),
        faults=faults or [],
        chosen=set(request.form.getlist("item")),
    )


def _listing() -> Listing[RecordSummary]:
    columns: list[Column[RecordSummary]] = [
        Column("unit", _("单位"), lambda row: row.organization),
        Column("date", _("日期"), lambda row: row.held_on),
        Column("kind", _("活动类型"), _kinds),
        Column("theme", _("主题"), lambda row: row.theme or row.title),
        Column("author", _("填报人"), lambda row: row.author),
        Column("submitted", _("提交时间"), lambda row: row.submitted_at),
    ]
    return Listing(columns, "submitted", queries.awaiting_review(db.session, current_user))


def _kinds(row: RecordSummary) -> str:
    return _("、").join(label(kind, "occasion_kind") for kind in row.kinds)
