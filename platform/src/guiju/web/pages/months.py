"""Months: what one still lacks, declaring it complete, and taking that back."""

from __future__ import annotations

import re
from datetime import date

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities import attestations
from guiju.activities.attestations import MonthStatus, OpenMonths
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.scoring.guidance import guidance
from guiju.scoring.operations import fixed_as_of
from guiju.web import exports, refusals
from guiju.web.lists import Column, Listing
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import month_text, plugins

blueprint = Blueprint(
    "months", __name__, url_prefix="/organizations/<number:organization_id>/months"
)
refusals.init_blueprint(blueprint)

_MONTH = re.compile(r"(19|20|21)\d\d-(0[1-9]|1[0-2])")


@blueprint.get("")
def listing(organization_id: int) -> str | Response:
    """Months that are over and not declared complete, of the unit and of those below it."""
    day = _today()
    portrait = visible_portrait(organization_id, day)
    below = not current_user.works_in_branch
    units = attestations.open_months(
        db.session, current_user, organization_id, below=below, today=day
    )
    listing = Listing(_columns(), "unit", units)
    if exports.wanted_format():
        return listing.send(_("没有声明齐全的月份"), portrait.place.code)
    return render_template(
        "records/months.html", portrait=portrait, trail=trail(portrait), listing=listing
    )


def _columns() -> list[Column[OpenMonths]]:
    return [
        Column("unit", _("单位"), lambda unit: unit.name),
        Column("overdue", _("已经过期"), lambda unit: _("、").join(unit.overdue)),
        Column(
            "open",
            _("还没到期"),
            lambda unit: _("、").join(month for month in unit.open if month not in unit.overdue),
        ),
    ]


@blueprint.get("/<month>")
def page(organization_id: int, month: str) -> str:
    """One month: what is missing first, then the word that nothing is."""
    return _page(organization_id, month)


@blueprint.post("/<month>/declare")
def declare(organization_id: int, month: str) -> Response | tuple[str, int]:
    """Say that the month's records are complete."""
    _known(month)
    try:
        attestations.declare_month(db.session, current_user, organization_id, month)
    except BadInput as error:
        return _page(organization_id, month, [one.wanted for one in error.problems]), 422
    flash(_("已声明{month}的记录齐全。").format(month=month_text(month)))
    return redirect(_back(organization_id))


@blueprint.post("/<month>/reopen")
def reopen(organization_id: int, month: str) -> Response | tuple[str, int]:
    """Take the word back, or (as a superior) object to it; why has to be said."""
    _known(month)
    portrait = visible_portrait(organization_id, _today())
    own = current_user.may("period.attest", portrait.place.path)
    operation = attestations.reopen_month if own else attestations.object_to_month
    try:
        operation(db.session, current_user, organization_id, month, request.form.get("reason", ""))
    except BadInput as error:
        return _page(organization_id, month, [one.wanted for one in error.problems]), 422
    flash(_("{month}已重新打开。").format(month=month_text(month)))
    return redirect(url_for(".page", organization_id=organization_id, month=month))


def _page(organization_id: int, month: str, faults: list[str] | None = None) -> str:
    _known(month)
    portrait = visible_portrait(organization_id, _today())
    packs = plugins().packs
    status: MonthStatus = attestations.month_status(
        db.session, current_user, packs, organization_id, month
    )
    may_object = current_user.may("period.attest", portrait.place.path) or current_user.may(
        "records.review", portrait.place.path
    )
    return render_template(
        "records/month.html",
        portrait=portrait,
        trail=trail(portrait),
        status=status,
        asked=guidance(db.session, packs, portrait, date.fromisoformat(f"{month}-01")),
        may_record=current_user.may("records.write", portrait.place.path),
        may_object=may_object,
        faults=faults or [],
    )


def _back(organization_id: int) -> str:
    return url_for("workbench.page", organization_id=organization_id)


def _known(month: str) -> None:
    if not _MONTH.fullmatch(month):
        abort(404)


def _today() -> date:
    return fixed_as_of(db.session) or today()


@blueprint.app_template_filter()
def month_action(action: str) -> str:
    """What somebody said about a month."""
    return {"declare": _("声明齐全"), "reopen": _("重新打开"), "object": _("提出不齐全")}[action]
