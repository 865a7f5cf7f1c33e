"""Records: a unit's list of them, and each with its way, its versions and what rests on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from guiju.activities import (
    attachments,
    drafts,
    extra_fields,
    follow_ups,
    leave,
    queries,
    records,
)
from guiju.activities.access import Conflict, find_unit
from guiju.activities.differences import differences
from guiju.activities.payloads import columns
from guiju.activities.queries import RecordView, VersionView
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.people import names
from guiju.organizations.portrait import Portrait
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput
from guiju.scoring import queries as findings
from guiju.scoring.operations import fixed_as_of
from guiju.scoring.results import FindingView
from guiju.web import exports, lists, record_forms, refusals
from guiju.web.account_words import shown_name
from guiju.web.pages.record_form import HANDED_IN
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.record_words import Told, heading_of, in_words, told
from guiju.web.wording import label, plugins, short_value
from guiju.web.workbooks import Cell

blueprint = Blueprint("records", __name__)
refusals.init_blueprint(blueprint)

_PAGE = 50
#: Rows asked for at a time while a list is exported.
_CHUNK = 500

#: Columns of the occasion as the record's page lists them.
_SHOWN = (
    "place",
    "chair",
    "lecturer",
    "theme",
    "title_text",
    "components",
    "mode",
    "form",
    "platform_id",
    "outside_reason",
    "campaign_document",
)


# -- a unit's list ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Filter:
    """What the address asks to see of a unit's records."""

    kind: str | None
    month: str
    state: str | None
    below: bool
    order: lists.Order

    @property
    def span(self) -> tuple[date | None, date | None]:
        """First and last day of the month."""
        try:
            first = date.fromisoformat(f"{self.month}-01")
        except ValueError:
            return None, None
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return first, date.fromordinal(following.toordinal() - 1)

    @classmethod
    def asked(cls) -> Filter:
        """What the address says; what makes no sense is left out."""
        state = request.args.get("state")
        return cls(
            kind=request.args.get("kind") or None,
            month=request.args.get("month", ""),
            state=state if state in queries.STATES else None,
            below=bool(request.args.get("below")),
            order=lists.asked_order(queries.ORDERS, "-date"),
        )


@blueprint.get("/organizations/<number:organization_id>/records")
def listing(organization_id: int) -> str | Response:
    """A unit's records, the latest first; ``kind``, ``month`` and ``state`` choose among them."""
    portrait = visible_portrait(organization_id, fixed_as_of(db.session) or today())
    wanted = Filter.asked()
    if exports.wanted_format():
        find_unit(db.session, current_user, organization_id)
        return _export(portrait, wanted)
    found = _found(organization_id, wanted, request.args.get("cursor"), _PAGE)
    may_record = current_user.may("records.write", portrait.place.path)
    return render_template(
        "records/list.html",
        portrait=portrait,
        trail=trail(portrait),
        wanted=wanted,
        found=found,
        kinds=list(v.OCCASION_KINDS),
        states=queries.STATES,
        orders=_order_titles(),
        may_record=may_record,
    )


def _order_titles() -> list[tuple[str, str]]:
    return [("date", _("日期")), ("recorded", _("录入日期")), ("unit", _("单位"))]


def _export(portrait: Portrait, wanted: Filter) -> Response:
    headings = [
        _("单位"),
        _("日期"),
        _("活动类型"),
        _("主题"),
        _("地点"),
        _("应到人数"),
        _("实到人数"),
        _("材料"),
        _("状态"),
        _("录入日期"),
        _("填报人"),
        _("活动编号"),
    ]
    name = _("{unit}活动记录").format(unit=portrait.place.name)
    rows = _rows(portrait.place.organization_id, wanted)
    return exports.send(name, _("活动记录"), headings, rows, portrait.place.code)


def _rows(organization_id: int, wanted: Filter) -> Iterator[list[Cell]]:
    cursor = None
    while True:
        found = _found(organization_id, wanted, cursor, _CHUNK)
        for row in found.items:
            yield [
                row.organization,
                row.held_on,
                _("、").join(label(kind, "occasion_kind") for kind in row.kinds),
                row.theme or row.title,
                row.place,
                row.expected,
                row.present,
                _("、").join(label(kind, "document_kind") for kind in row.documents),
                record_state_label(row.state),
                row.recorded_on,
                shown_name(row.author) if row.author else None,
                row.code,
            ]
        cursor = found.cursor
        if cursor is None:
            return


def _found(
    organization_id: int, wanted: Filter, cursor: str | None, limit: int
) -> queries.RecordPage:
    since, until = wanted.span
    try:
        return queries.records_of(
            db.session,
            current_user,
            organization_id,
            below=wanted.below,
            since=since,
            until=until,
            states=[wanted.state] if wanted.state else [],
            kind=wanted.kind,
            order_by=wanted.order.key,
            falling=wanted.order.falling,
            cursor=cursor,
            limit=limit,
        )
    except ValueError:
        abort(404)


# -- one record -----------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """A version with what it changed; nothing for the first."""

    version: VersionView
    changes: list[Told]


@blueprint.get("/records/<number:occasion_id>")
def page(occasion_id: int) -> str:
    """One record: what was recorded, where it is, what rests on it."""
    return _page(occasion_id)


@blueprint.post("/records/<number:occasion_id>/correct")
def correct(occasion_id: int) -> BaseResponse:
    """Go on to a draft of the correction."""
    draft = drafts.begin_correction(db.session, current_user, occasion_id)
    return redirect(
        url_for("record_form.draft", organization_id=draft.organization_id, draft_id=draft.draft_id)
    )


@blueprint.post("/records/<number:occasion_id>/void")
def void(occasion_id: int) -> BaseResponse | tuple[str, int]:
    """Declare that it was not held, or recorded by mistake; why has to be said."""
    try:
        records.void_record(db.session, current_user, occasion_id, request.form.get("reason", ""))
    except BadInput as error:
        return _page(occasion_id, void_errors=[one.wanted for one in error.problems]), 422
    flash(_("已作废。作废的记录仍可查看，不再计入。"))
    return redirect(url_for(".page", occasion_id=occasion_id))


@blueprint.post("/records/<number:occasion_id>/review")
def review(occasion_id: int) -> BaseResponse | tuple[str, int]:
    """Approve the record, or return it with a comment."""
    revision = request.form.get("revision", type=int)
    comment = request.form.get("comment", "")
    try:
        if request.form.get("do") == "return":
            records.return_record(db.session, current_user, occasion_id, comment, revision=revision)
            flash(_("已退回填报人。"))
        else:
            records.approve_record(
                db.session, current_user, occasion_id, revision=revision, comment=comment
            )
            flash(_("已通过。"))
    except Conflict as conflict:
        flash(_("{who}刚更正了这条记录，请看过再审。").format(who=conflict.author))
    except BadInput as error:
        return _page(occasion_id, review_errors=[one.wanted for one in error.problems]), 422
    return redirect(url_for(".page", occasion_id=occasion_id))


@blueprint.post("/records/<number:occasion_id>/follow-ups")
def add_follow_up(occasion_id: int) -> BaseResponse | tuple[str, int]:
    """Note something that the meeting left to be done."""
    due = request.form.get("due_on", "")
    try:
        follow_ups.add_follow_up(
            db.session,
            current_user,
            occasion_id,
            what=request.form.get("what", ""),
            who=request.form.get("who", ""),
            due_on=_day(due),
        )
    except BadInput as error:
        faults = [one.wanted for one in error.problems]
        return _page(occasion_id, follow_up_errors=faults), 422
    return redirect(url_for(".page", occasion_id=occasion_id, _anchor="follow-ups"))


@blueprint.post("/records/<number:occasion_id>/follow-ups/<number:follow_up_id>")
def settle_follow_up(occasion_id: int, follow_up_id: int) -> BaseResponse | tuple[str, int]:
    """It has been done; or it has not after all."""
    try:
        if request.form.get("do") == "reopen":
            follow_ups.reopen_follow_up(db.session, current_user, follow_up_id)
        else:
            note = request.form.get("note")
            follow_ups.finish_follow_up(db.session, current_user, follow_up_id, note=note)
    except BadInput as error:
        faults = [one.wanted for one in error.problems]
        return _page(occasion_id, follow_up_errors=faults), 422
    return redirect(url_for(".page", occasion_id=occasion_id, _anchor="follow-ups"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _page(
    occasion_id: int,
    *,
    void_errors: list[str] | None = None,
    review_errors: list[str] | None = None,
    follow_up_errors: list[str] | None = None,
) -> str:
    found = queries.find_record(db.session, current_user, occasion_id)
    portrait = visible_portrait(found.summary.organization_id, found.summary.held_on)
    history = _history(occasion_id)
    known = names(db.session, _people_in(found.payload)) if found.people else {}
    return render_template(
        "records/record.html",
        record=found,
        portrait=portrait,
        trail=trail(portrait),
        values=_values(found, known),
        absent=_absent(found, known),
        added=_added(found),
        known=known,
        history=history,
        resting=_resting(found),
        standing=findings.standing(db.session, current_user.within),
        handed_in=session.pop(HANDED_IN, None) == occasion_id,
        files=attachments.files_of_record(db.session, current_user, occasion_id),
        follow_ups=follow_ups.follow_ups_of(db.session, current_user, occasion_id),
        today=fixed_as_of(db.session) or today(),
        void_errors=void_errors or [],
        review_errors=review_errors or [],
        follow_up_errors=follow_up_errors or [],
    )


def _history(occasion_id: int) -> list[History]:
    """Versions, the latest first, each with what it changed of the one before."""
    found = queries.versions(db.session, current_user, occasion_id)
    return [
        History(
            version,
            told(
                db.session,
                differences(found[place - 1].payload, version.payload),
            )
            if place
            else [],
        )
        for place, version in reversed(list(enumerate(found)))
    ]


def _values(found: RecordView, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Headings and words of the columns that hold something."""
    return [
        (heading_of(columns()[name]), in_words("occasions", name, value, known))
        for name in _SHOWN
        if (value := found.payload.get(name)) is not None
    ]


def _added(found: RecordView) -> list[tuple[str, str]]:
    """Headings and words of the fields that the plugin of the unit's profile adds."""
    given = found.payload.get("extra") or {}
    known = extra_fields.fields_of(
        db.session, plugins(), found.path, found.summary.kinds, found.summary.held_on
    )
    headings = {one.name: one.label for one in known}
    return [(headings.get(name, name), short_value(value)) for name, value in given.items()]


def _absent(found: RecordView, known: Mapping[str, str]) -> dict[str, list[str]]:
    """Names by status of attendance, without those who simply came."""
    listed: dict[str, list[str]] = {}
    for row in found.payload.get("attendance", ()):
        if row.get("person") is not None and row.get("status") != "present":
            name = known.get(row["person"], row["person"])
            if reason := row.get(leave.COLUMN):
                name = f"{name}（{label(reason, leave.LEAVE_REASONS.name)}）"
            listed.setdefault(row["status"], []).append(name)
    return listed


def _people_in(payload: Mapping[str, Any]) -> set[str]:
    codes = {payload.get("chair"), payload.get("lecturer")}
    codes |= {row.get("person") for row in payload.get("attendance", ())}
    return {code for code in codes if code is not None}


def _resting(found: RecordView) -> list[FindingView]:
    """The unit's findings of that year that count the record, or are about it."""
    listed = findings.findings(
        db.session,
        plugins().packs,
        found.summary.organization_id,
        within=current_user.within,
        year=found.summary.held_on.year,
    )
    code = found.summary.code
    return [
        view
        for view in listed
        if code in (view.finding["evidence"] or ())
        or view.finding["subject"] == {"type": "occasion", "id": code}
    ]


@blueprint.app_template_filter()
def record_state_label(state: str) -> str:
    """What a state of a record is called."""
    return {
        "recorded": _("已记录"),
        "planned": _("计划中"),
        "submitted": _("待审核"),
        "reviewed": _("待上级审核"),
        "archived": _("已归档"),
        "returned": _("已退回"),
        "voided": _("已作废"),
    }[state]


@blueprint.app_template_filter()
def step_label(action: str) -> str:
    """What was done to a record."""
    return {
        "plan": _("安排"),
        "submit": _("提交"),
        "correct": _("更正"),
        "approve": _("通过"),
        "return": _("退回"),
        "void": _("作废"),
    }[action]


@blueprint.app_template_filter()
def clock(minute: int) -> str:
    """14:30."""
    return record_forms.clock_text(minute)
