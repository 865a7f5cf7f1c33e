"""What was asked of units: asking, answering, closing, and taking back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities.calendar import business_day
from guiju.db import db
from guiju.decisions import tasks
from guiju.decisions.models import TASK_KINDS, TASK_STATES, Task
from guiju.decisions.refusals import Outdated
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import queries as findings
from guiju.web import exports, refusals
from guiju.web.lists import Order, asked_first, asked_order
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.selections import selected
from guiju.web.wording import plugins
from guiju.web.workbooks import Cell

blueprint = Blueprint("tasks", __name__, url_prefix="/organizations/<number:organization_id>/tasks")
refusals.init_blueprint(blueprint)

_PAGE = 50
#: Rows asked for at a time while a list is exported.
_CHUNK = 500


@blueprint.get("")
def page(organization_id: int) -> Response | str:
    """What was asked of the unit and those below it."""
    return _page(organization_id)


@blueprint.post("")
def ask(organization_id: int) -> Response | tuple[Response | str, int]:
    """Ask something about the rows ticked in a list; the list says where to go afterwards."""
    portrait = visible_portrait(organization_id, business_day(db.session))
    given = request.form
    try:
        batch = tasks.ask(
            db.session,
            current_user,
            given.get("kind", ""),
            selected(),
            text=given.get("text", ""),
            due_on=_day(given.get("due_on", "")),
            today=business_day(db.session),
        )
    except BadInput as error:
        problems = list(error.problems)
    except Outdated:
        wanted = _("请返回列表，刷新后再选")
        problems = [Problem("/items", _("选中的事项里有的已不再欠缺"), wanted)]
    else:
        flash(_("已送达各单位。半小时内可以撤回。"))
        return redirect(url_for("tasks.page", organization_id=organization_id, batch=batch))
    return (
        render_template(
            "ask.html",
            portrait=portrait,
            trail=trail(portrait),
            problems={problem.place: problem for problem in problems},
            typed=given,
            items=given.getlist("item"),
        ),
        422,
    )


@blueprint.post("/undo")
def undo(organization_id: int) -> Response:
    """Take back what was asked in one go."""
    try:
        number = tasks.undo(db.session, current_user, request.form.get("batch", ""))
    except Outdated:
        flash(_("已有单位答复，或已超过半小时，不能撤回。"))
    else:
        flash(_("已撤回 {number} 项。").format(number=number))
    return redirect(url_for("tasks.page", organization_id=organization_id))


@blueprint.post("/<number:task_id>")
def act(organization_id: int, task_id: int) -> Response | tuple[Response | str, int]:
    """The unit answers, or who asked closes or sends back."""
    action, text = request.form.get("action"), request.form.get("text", "")
    try:
        if action == "answer":
            tasks.answer(db.session, current_user, task_id, text)
        else:
            accepted = action == "close"
            tasks.close(db.session, current_user, task_id, text, accepted=accepted)
    except BadInput as error:
        return _page(organization_id, faulty=(task_id, error.problems[0].wanted)), 422
    except Outdated:
        flash(_("这件事已有人处理，请看最新情况。"))
    return redirect(url_for("tasks.page", organization_id=organization_id, _anchor=f"t{task_id}"))


def _page(organization_id: int, faulty: tuple[int, str] | None = None) -> Response | str:
    portrait = visible_portrait(organization_id, business_day(db.session))
    state, kind = request.args.get("state"), request.args.get("kind")
    wanted: dict[str, Any] = {
        "state": state if state in TASK_STATES else None,
        "kind": kind if kind in TASK_KINDS else None,
    }
    order = asked_order(tasks.ORDERS, "-made")
    first = asked_first()
    if exports.wanted_format():
        headings = [
            _("类别"), _("单位"), _("要求"), _("期间"), _("内容"), _("时限"), _("状态"),
            _("答复"), _("提出人"), _("提出日期"),
        ]  # fmt: skip
        rows = _rows(organization_id, wanted, order)
        return exports.send(_("督办"), _("督办"), headings, rows, portrait.place.code)
    batch = request.args.get("batch")
    found = tasks.tasks(
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
    mine = next((row.task for row in found.rows if row.task.batch == batch), None)
    return render_template(
        "tasks.html",
        found=found,
        portrait=portrait,
        trail=trail(portrait),
        standing=findings.standing(db.session, current_user.within),
        today=business_day(db.session),
        wanted=wanted,
        order=order,
        orders=_order_titles(),
        first=first,
        page_size=_PAGE,
        undoable=mine if mine is not None and _undoable(found.rows, batch) else None,
        faulty=faulty,
        typed=request.form,
    )


def _undoable(rows: Any, batch: str | None) -> bool:
    return any(row.task.batch == batch and "undo" in row.actions for row in rows)


def _order_titles() -> list[tuple[str, str]]:
    return [("made", _("提出日期")), ("due", _("时限")), ("unit", _("单位")), ("state", _("状态"))]


def _rows(organization_id: int, wanted: dict[str, Any], order: Order) -> Iterator[list[Cell]]:
    skip = 0
    while True:
        found = tasks.tasks(
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
            task = row.task
            yield [
                task_kind(task.kind),
                row.unit.name,
                row.title,
                task.period,
                task.text,
                task.due_on,
                task_state(task),
                task.answer,
                task.made_by,
                task.made_at.date(),
            ]
        skip += _CHUNK
        if found.before is None:
            return


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@blueprint.app_template_filter()
def task_kind(kind: str) -> str:
    """What was asked."""
    return {"remind": _("提醒"), "ask_reason": _("要求说明"), "rectify": _("整改")}[kind]


@blueprint.app_template_filter()
def task_state(task: Task) -> str:
    """What has become of it."""
    if task.kind == "remind" and task.state == "closed":
        return _("已送达")
    return {
        "open": _("待答复"),
        "answered": _("已答复，待办结"),
        "closed": _("已办结"),
        "undone": _("已撤回"),
    }[task.state]
