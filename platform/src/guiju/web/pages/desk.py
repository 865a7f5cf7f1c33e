"""The judgement desk: what needs a person, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.clock import today
from guiju.db import db
from guiju.decisions import matters, queries
from guiju.decisions.matters import MOST_AT_ONCE, About
from guiju.decisions.queries import DESK_VERDICTS, MatterRow
from guiju.decisions.refusals import Outdated
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import queries as findings
from guiju.scoring.attending import ORDERS
from guiju.scoring.results import AttentionItem
from guiju.web import exports, refusals
from guiju.web.lists import Order, asked_first, asked_order
from guiju.web.pages.findings import about_address
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.selections import chosen, selected
from guiju.web.sessions import about_people, not_found_unless
from guiju.web.wording import label, period_words, plugins
from guiju.web.workbooks import Cell

blueprint = Blueprint("desk", __name__, url_prefix="/organizations/<number:organization_id>/desk")
refusals.init_blueprint(blueprint)

_PAGE = 50
#: Rows asked for at a time while a list is exported.
_CHUNK = 500


@blueprint.get("")
def page(organization_id: int) -> Response | str:
    """What waits for a decision; filters and order are in the address."""
    return _desk(organization_id)


@blueprint.post("")
def decide(organization_id: int) -> Response | tuple[Response | str, int]:
    """Settle the selected findings, which are about one requirement, with one reason."""
    targets = selected()
    abouts = [
        About(target.organization_id, target.requirement, target.part, None, target.period)
        for target in targets
    ]
    try:
        found = matters.decide_many(
            db.session,
            plugins().packs,
            current_user,
            abouts,
            request.form.get("verdict", ""),
            request.form.get("reason", ""),
        )
    except BadInput as error:
        return _desk(organization_id, {problem.place: problem for problem in error.problems}), 422
    except Outdated:
        problem = Problem("/items", _("情况已有变化"), _("没有作任何认定，请核对后再提交"))
        return _desk(organization_id, {"/items": problem}), 409
    flash(_("已认定 {number} 项。新的结论稍后计入。").format(number=len(found)))
    return redirect(request.full_path.rstrip("?"))


@blueprint.get("/matters")
def made(organization_id: int) -> Response | str:
    """Decisions, reasons and objections; ``waiting`` leaves those that need an answer.

    With ``people`` those about single members too, for who may see them.
    """
    portrait = visible_portrait(organization_id, today())
    people = bool(request.args.get("people"))
    if not people:
        return _made(organization_id, people=False)
    not_found_unless(current_user.may_see_people(portrait.place.path))
    with about_people(f"{portrait.place.code} matters"):
        return _made(organization_id, people=True)


def _desk(organization_id: int, problems: dict[str, Problem] | None = None) -> Response | str:
    standing = findings.standing(db.session, current_user.within)
    portrait = visible_portrait(organization_id, standing.as_of or today())
    verdicts = [code for code in request.args.getlist("verdict") if code in DESK_VERDICTS]
    order = request.args.get("sort", "due")
    wanted: dict[str, Any] = {
        "verdicts": verdicts,
        "requirement": request.args.get("requirement") or None,
        "due_until": _day(request.args.get("due_until", "")),
        "order_by": order if order in ORDERS else "due",
    }
    if exports.wanted_format():
        headings = [
            _("结论"), _("单位"), _("要求"), _("条款"), _("期间"), _("期限"), _("处理"),
        ]  # fmt: skip
        rows = _rows(organization_id, wanted)
        return exports.send(_("认定台"), _("认定台"), headings, rows, portrait.place.code)
    try:
        items, found = queries.desk(
            db.session,
            plugins().packs,
            current_user,
            organization_id,
            cursor=request.args.get("cursor"),
            limit=_PAGE,
            **wanted,
        )
    except ValueError:
        abort(404)
    return render_template(
        "desk.html",
        items=items,
        found=found,
        portrait=portrait,
        trail=trail(portrait),
        standing=standing,
        today=standing.as_of or today(),
        verdicts=verdicts,
        wanted=wanted,
        waiting=queries.waiting_number(db.session, portrait.place.path),
        pack=plugins().packs.get(portrait.profile or ""),
        may_decide=current_user.may("findings.decide", portrait.place.path),
        most=MOST_AT_ONCE,
        problems=problems or {},
        typed=request.form,
        chosen=chosen(),
    )


def _rows(organization_id: int, wanted: dict[str, Any]) -> Iterator[list[Cell]]:
    cursor: str | None = None
    while True:
        items, found = queries.desk(
            db.session,
            plugins().packs,
            current_user,
            organization_id,
            cursor=cursor,
            limit=500,
            **wanted,
        )
        for one in items:
            item = one.item
            yield [
                label(item.verdict, "verdict"),
                item.unit.name,
                item.title,
                _clause(item),
                period_words(item.period),
                item.due,
                matter_state(one.state) if one.state else None,
            ]
        cursor = found.cursor
        if cursor is None:
            return


def _clause(item: AttentionItem) -> str:
    pack = plugins().packs.get(item.profile)
    known = pack.by_id.get(item.requirement) if pack else None
    return known.clause if known else ""


def _made(organization_id: int, *, people: bool) -> Response | str:
    portrait = visible_portrait(organization_id, today())
    wanted: dict[str, Any] = {
        "waiting": bool(request.args.get("waiting")),
        "requirement": request.args.get("requirement") or None,
    }
    order, first = asked_order(queries.ORDERS, "-made"), asked_first()
    if exports.wanted_format():
        headings = [
            _("单位"), _("要求"), _("期间"), _("状态"), _("认定为"), _("理由"), _("认定人"),
            _("日期"),
        ]  # fmt: skip
        # Read whole while the scope is open: the answer is sent after it.
        rows = list(_made_rows(organization_id, wanted, order))
        return exports.send(_("认定记录"), _("认定记录"), headings, rows, portrait.place.code)
    found = queries.matters(
        db.session,
        plugins().packs,
        current_user,
        organization_id,
        order_by=order.key,
        falling=order.falling,
        skip=first,
        limit=_PAGE,
        **wanted,
    )
    return render_template(
        "matters.html",
        order=order,
        orders=[
            ("made", _("日期")),
            ("unit", _("单位")),
            ("requirement", _("要求")),
            ("period", _("期间")),
        ],
        first=first,
        page_size=_PAGE,
        found=found,
        portrait=portrait,
        trail=trail(portrait),
        standing=findings.standing(db.session, current_user.within),
        people=people,
        may_see_people=current_user.may_see_people(portrait.place.path),
        waiting=wanted["waiting"],
    )


def _made_rows(organization_id: int, wanted: dict[str, Any], order: Order) -> Iterator[list[Cell]]:
    skip = 0
    while True:
        found = queries.matters(
            db.session,
            plugins().packs,
            current_user,
            organization_id,
            order_by=order.key,
            falling=order.falling,
            skip=skip,
            limit=_CHUNK,
            **wanted,
        )
        for row in found.rows:
            yield [
                row.unit.name,
                row.title,
                row.period,
                matter_state(row.state),
                label(row.verdict, "verdict") if row.verdict else None,
                row.reason,
                row.decided_by,
                row.decided_at.date() if row.decided_at else None,
            ]
        skip += _CHUNK
        if found.before is None:
            return


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@blueprint.app_template_global()
def matter_address(row: MatterRow) -> str:
    """Where a matter is shown: with the finding that it is about."""
    whole = row.subject_type == "organization"
    return about_address(
        About(
            row.unit.organization_id,
            row.requirement,
            row.part,
            None if whole else (row.subject_type, row.subject),
            row.period,
        )
    )


@blueprint.app_template_filter()
def matter_state(state: str) -> str:
    """What has become of a matter."""
    return {
        "open": _("未处理"),
        "explained": _("已说明理由，待答复"),
        "accepted": _("理由已接受"),
        "declined": _("理由未接受"),
        "decided": _("已认定"),
        "appealed": _("有异议，待复核"),
    }[state]


@blueprint.app_template_filter()
def step_words(action: str) -> str:
    """What was done about a matter."""
    return {
        "explain": _("说明理由"),
        "accept": _("接受理由"),
        "decline": _("不接受理由"),
        "decide": _("作出认定"),
        "reopen": _("撤回认定"),
        "appeal": _("提出异议"),
        "uphold": _("认为异议成立，撤回认定"),
        "reject": _("认为异议不成立"),
    }[action]
