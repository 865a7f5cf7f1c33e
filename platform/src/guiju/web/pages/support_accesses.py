"""What the tenant lets the platform's support read: granted, listed, revoked."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts.reach import NotVisible
from guiju.accounts.support import (
    LONGEST_HOURS,
    PERMISSION,
    grant_support,
    list_support,
    revoke_support,
)
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import refusals
from guiju.web.forms import Form
from guiju.web.unit_choice import choose_unit, offered_units

blueprint = Blueprint("support_accesses", __name__, url_prefix="/people/support")
refusals.init_blueprint(blueprint)


@blueprint.before_request
def _only_who_may_grant() -> None:
    if current_user.is_authenticated and not current_user.roots(PERMISSION):
        raise NotVisible


@blueprint.get("")
def page() -> str:
    """Who was let in when and for what, and the form to let somebody in."""
    return _page(Form({"hours": 4}))


@blueprint.post("")
def grant() -> str | tuple[str, int]:
    """Grant an access and show its code, once."""
    form = Form(typed=request.form)
    unit = choose_unit(form, request.form.get("unit", ""), current_user.roots(PERMISSION))
    hours = request.form.get("hours", type=int)
    if hours is None:
        form.refuse("hours", _("应为整数"))
    if unit is None or hours is None:
        return _page(form), 422
    try:
        access = grant_support(
            db.session, current_user, unit, request.form.get("purpose", ""), hours
        )
    except BadInput as refused:
        return _page(Form(typed=request.form, refused=refused)), 422
    return render_template("accounts/support_code.html", access=access)


@blueprint.post("/<number:support_id>/revoke")
def revoke(support_id: int) -> Response:
    """End an access at once."""
    revoke_support(db.session, current_user, support_id)
    flash(_("已收回。已打开的页面从下一次请求起不再可用。"))
    return redirect(url_for("support_accesses.page"))


def _page(form: Form) -> str:
    return render_template(
        "accounts/support.html",
        form=form,
        listed=list_support(db.session, current_user),
        units=offered_units(current_user.roots(PERMISSION)),
        longest=LONGEST_HOURS,
    )
