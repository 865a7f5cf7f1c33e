"""Meetings to come: planned, announced to the unit's members, called off."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities import announcements, queries
from guiju.activities.access import NotVisible
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput
from guiju.scoring.guidance import guidance
from guiju.scoring.operations import fixed_as_of
from guiju.web import record_forms, refusals
from guiju.web.forms import Form
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import plugins

blueprint = Blueprint("plans", __name__, url_prefix="/organizations/<number:organization_id>/plans")
refusals.init_blueprint(blueprint)

#: What a plan says beside its kinds: fields as those of records are called.
_FIELDS = ("held_on", "place", "theme")
#: A unit plans a few meetings ahead.
_MOST = 100


@blueprint.get("")
def page(organization_id: int) -> str:
    """What is planned and announced, and a form for more."""
    return _page(organization_id, Form())


@blueprint.post("")
def plan(organization_id: int) -> Response | tuple[str, int]:
    """Plan a meeting, with or without telling the members; or tell them of something else."""
    form, text = Form(typed=request.form), request.form.get("text", "")
    try:
        if kinds := request.form.getlist("kinds"):
            payload = _payload(kinds)
            announcements.plan_meeting(
                db.session, current_user, plugins(), organization_id, payload, text
            )
        elif (day := _day(form)) is not None:
            announcements.announce(db.session, current_user, organization_id, text, day)
    except BadInput as refused:
        form = Form(typed=request.form, refused=refused)
        # The form has one field for the day, of the meeting and of what is told of it.
        for wanted in form.errors.pop("meets_on", ()):
            form.refuse("held_on", wanted)
    if form.errors:
        return _page(organization_id, form), form.status
    flash(_("已安排。") if kinds else _("通知已发出。"))
    return redirect(url_for(".page", organization_id=organization_id))


@blueprint.post("/announcements/<number:announcement_id>/withdraw")
def withdraw(organization_id: int, announcement_id: int) -> Response:
    """Show an announcement no longer."""
    found = announcements.find_announcement(db.session, current_user, announcement_id)
    if found.organization_id != organization_id:
        raise NotVisible(f"announcement {announcement_id}")
    announcements.withdraw_announcement(db.session, current_user, announcement_id)
    flash(_("通知已收回。"))
    return redirect(url_for(".page", organization_id=organization_id))


def _payload(kinds: list[str]) -> dict[str, Any]:
    """What was typed, as a record has it."""
    typed = {name: request.form.get(name, "").strip() for name in _FIELDS}
    start = record_forms.minutes(request.form.get("start", ""))
    given = {**typed, "start_minute": start}
    return {"kinds": kinds, **{name: value for name, value in given.items() if value or value == 0}}


def _day(form: Form) -> date | None:
    try:
        return date.fromisoformat(request.form.get("held_on", ""))
    except ValueError:
        form.refuse("held_on", _("应为日期，如 2021-03-05"))
        return None


def _page(organization_id: int, form: Form) -> str:
    day = fixed_as_of(db.session) or today()
    portrait = visible_portrait(organization_id, day)
    may_plan = current_user.may("records.write", portrait.place.path)
    named = guidance(db.session, plugins().packs, portrait, day).kinds if may_plan else ()
    planned = queries.records_of(
        db.session,
        current_user,
        organization_id,
        states=("planned",),
        falling=False,
        limit=_MOST,
    )
    return render_template(
        "records/plans.html",
        portrait=portrait,
        trail=trail(portrait),
        planned=planned.items,
        announced=announcements.announcements_of(db.session, current_user, organization_id),
        form=form,
        kinds=[kind for kind in v.OCCASION_KINDS if kind in named],
        may_plan=may_plan,
        day=day,
    )
