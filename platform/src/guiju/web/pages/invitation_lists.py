"""Inviting everybody on a list: pasted or uploaded, seen before it is done, all or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju import mail
from guiju.accounts import inviting
from guiju.accounts.invitation_lists import (
    COLUMNS,
    MOST_ROWS,
    Row,
    empty_list,
    headings,
    read_file,
    read_text,
    written,
)
from guiju.accounts.inviting import Invited, Invitee, check_list, invite_again, invite_list
from guiju.accounts.reach import NotVisible, managed_paths
from guiju.clock import ZONE
from guiju.config import Settings
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.web import refusals
from guiju.web.forms import Form
from guiju.web.workbooks import Cell, send_list

blueprint = Blueprint("invitation_lists", __name__, url_prefix="/people/invite-list")
refusals.init_blueprint(blueprint)

#: So many people and problems are shown; the others are counted.
_SHOWN = 100


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, as the page says it; without a number with the whole list."""

    number: int | None
    column: str
    problem: Problem


@blueprint.before_request
def _only_account_managers() -> None:
    if current_user.is_authenticated and not managed_paths(current_user):
        raise NotVisible


@blueprint.get("")
def page() -> str:
    """Where a list is pasted or uploaded, and who was invited but did not come yet."""
    return _page(Form())


@blueprint.get("/template")
def template() -> Response:
    """A list to be filled in: the units in which nobody has a role yet."""
    rows = empty_list(db.session, current_user)
    return send_list(_("邀请名单.xlsx"), _("邀请名单"), headings(), rows)


@blueprint.post("/preview")
def preview() -> str | tuple[str, int]:
    """Who would be invited, or what is wrong with which row."""
    text = request.form.get("list", "")
    file = request.files.get("file")
    rows: list[Row] = []
    try:
        if file is not None and file.filename:
            rows = read_file(file.stream.read(), file.filename)
        else:
            rows = read_text(text)
        people = check_list(db.session, current_user, rows)
    except BadInput as refused:
        form = Form({"list": text})
        return _page(form, faults=_faults(rows, refused), omitted=refused.omitted), 422
    return _preview(people, rows)


@blueprint.post("/confirm")
def confirm() -> Response | tuple[str, int]:
    """Invite them all; the answer is a workbook with the links that are not mailed."""
    text = request.form.get("list", "")
    by_mail = _mails() and request.form.get("by_mail") == "yes"
    rows: list[Row] = []
    try:
        rows = read_text(text)
        invited = invite_list(db.session, current_user, rows, by_mail=by_mail)
    except BadInput as refused:
        form = Form({"list": text})
        return _page(form, faults=_faults(rows, refused), omitted=refused.omitted), 422
    return _links(invited)


@blueprint.post("/again")
def again() -> Response:
    """New links for everybody who was invited and did not come yet."""
    by_mail = _mails() and request.form.get("by_mail") == "yes"
    return _links(invite_again(db.session, current_user, by_mail=by_mail))


def _page(form: Form, faults: Sequence[Fault] = (), omitted: int = 0) -> str:
    return render_template(
        "accounts/invite_list.html",
        form=form,
        faults=faults[:_SHOWN],
        omitted=omitted + max(len(faults) - _SHOWN, 0),
        waiting=len(inviting.waiting(db.session, current_user)),
        most=MOST_ROWS,
        mails=_mails(),
    )


def _preview(people: Sequence[Invitee], rows: Sequence[Row]) -> str:
    return render_template(
        "accounts/invite_list_preview.html",
        people=people[:_SHOWN],
        total=len(people),
        units=len({grant.organization_id for person in people for grant in person.grants}),
        addresses=sum(person.email is not None for person in people),
        list=written(rows),
        mails=_mails(),
    )


def _faults(rows: Sequence[Row], refused: BadInput) -> list[Fault]:
    titles = dict(zip(COLUMNS, (title for title in headings() if title != "单位名称"), strict=True))
    faults = []
    for problem in refused.problems:
        parts = problem.place.split("/")
        if len(parts) == 4 and parts[1] == "rows":
            row = rows[int(parts[2])]
            faults.append(Fault(row.number, titles[parts[3]], problem))
        else:
            faults.append(Fault(None, "", problem))
    return faults


def _links(invited: Sequence[Invited]) -> Response:
    """The workbook of links; a page where all of them are mailed."""
    shown = [one for one in invited if one.secret is not None]
    if not shown:
        flash(_("已邀请 {number} 人，邮件正在发出。").format(number=len(invited)))
        return redirect(url_for("people.index", state="invited", sort="created"))
    titles = [_("姓名"), _("用户名"), _("单位和角色"), _("链接"), _("有效到")]
    return send_list(_("邀请链接.xlsx"), _("邀请链接"), titles, map(_line, shown))


def _line(one: Invited) -> list[Cell]:
    path = url_for("links.page", secret=one.secret)
    settings = _settings()
    whole = mail.link(settings, path) if settings.public_url else request.host_url[:-1] + path
    until = one.expires_at.astimezone(ZONE) if one.expires_at else None
    return [
        one.name,
        f"{one.username}@{current_user.tenant_code}",
        "；".join(one.roles),
        whole,
        f"{until:%Y-%m-%d %H:%M}" if until else None,
    ]


def _mails() -> bool:
    return mail.configured(_settings())


def _settings() -> Settings:
    found: Settings = current_app.extensions["guiju_settings"]
    return found
