"""How many reviews a unit's records pass, and after how many days an entry is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities import workflow
from guiju.activities.models import LATE_AFTER_DAYS, MOST_LEVELS
from guiju.activities.workflow import Workflow
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.portrait import Portrait
from guiju.rules.problems import BadInput
from guiju.scoring.naming import Names
from guiju.scoring.operations import fixed_as_of
from guiju.web import exports, refusals
from guiju.web.forms import Form
from guiju.web.lists import Column, Listing
from guiju.web.pages.units import trail, visible_portrait

blueprint = Blueprint(
    "review_levels", __name__, url_prefix="/organizations/<number:organization_id>/review-levels"
)
refusals.init_blueprint(blueprint)


@dataclass(frozen=True)
class _Setting:
    """What is set at a unit below the one that is shown."""

    organization_id: int
    unit: str
    levels: int
    late_after_days: int


@blueprint.get("")
def page(organization_id: int) -> str | Response:
    """What holds at the unit, and what is set below it; as a file where the address asks."""
    portrait = visible_portrait(organization_id, _today())
    if exports.wanted_format():
        return _below(portrait).send(_("下级的审核设置"), portrait.place.code)
    holding = workflow.workflow_of(db.session, portrait.place.path)
    values = {"levels": holding.levels, "late_after_days": holding.late_after_days}
    return _page(portrait, holding, Form(values))


@blueprint.post("")
def change(organization_id: int) -> Response | tuple[str, int]:
    """Set it for the unit and what is below it, or let the unit follow its superior again."""
    portrait = visible_portrait(organization_id, _today())
    if "inherit" in request.form:
        workflow.inherit_workflow(db.session, current_user, organization_id)
        flash(_("本单位的设定已取消。"))
        return redirect(url_for(".page", organization_id=organization_id))
    form = Form(typed=request.form)
    levels, days = _number(form, "levels"), _number(form, "late_after_days")
    try:
        if levels is not None and days is not None:
            workflow.set_workflow(
                db.session, current_user, organization_id, levels=levels, late_after_days=days
            )
    except BadInput as refused:
        form = Form(typed=request.form, refused=refused)
    if form.errors:
        holding = workflow.workflow_of(db.session, portrait.place.path)
        return _page(portrait, holding, form), form.status
    flash(_("审核设置已保存，以后提交的记录照此审核。"))
    return redirect(url_for(".page", organization_id=organization_id))


def _number(form: Form, name: str) -> int | None:
    found = request.form.get(name, type=int)
    if found is None:
        form.refuse(name, _("应为整数"))
    return found


def _page(portrait: Portrait, holding: Workflow, form: Form) -> str:
    superior = next(
        (place for place in trail(portrait) if place.organization_id == holding.organization_id),
        None,
    )
    return render_template(
        "records/levels.html",
        portrait=portrait,
        trail=trail(portrait),
        holding=holding,
        own=holding.organization_id == portrait.place.organization_id,
        superior=superior,
        form=form,
        choices=range(MOST_LEVELS + 1),
        usual_days=LATE_AFTER_DAYS,
        listing=_below(portrait),
        may_change=current_user.may("workflow.manage", portrait.place.path),
    )


def _below(portrait: Portrait) -> Listing[_Setting]:
    path = portrait.place.path
    found = workflow.workflows(db.session, current_user, below=path)
    units = Names(db.session).units({number for number, _set in found})
    rows = [
        _Setting(number, units[number].name, one.levels, one.late_after_days)
        for number, one in found
    ]
    columns: list[Column[_Setting]] = [
        Column("unit", _("单位"), lambda row: row.unit),
        Column("levels", _("审核级数"), lambda row: row.levels),
        Column("days", _("几天后算补录"), lambda row: row.late_after_days),
    ]
    return Listing(columns, "unit", rows)


def _today() -> date:
    return fixed_as_of(db.session) or today()


@blueprint.app_template_filter()
def review_levels(levels: int) -> str:
    """How many reviews a record passes, in words."""
    return (_("不审核，提交即归档"), _("一级审核"), _("两级审核"))[levels]
