"""Setting up one's second factor, and giving it up."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts import second_factor
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web.forms import Form
from guiju.web.sealing import seal

blueprint = Blueprint("second_factor", __name__)


@blueprint.get("/account/second-factor")
def page() -> str:
    """The picture to scan, or what is set up."""
    return _page()


@blueprint.post("/account/second-factor")
def confirm() -> tuple[str, int] | str:
    """Turn it on with a first code, and show the recovery codes once."""
    try:
        codes = second_factor.confirm(
            db.session, seal(), current_user, request.form.get("code", "")
        )
    except BadInput as refused:
        return _page(form=Form(refused=refused)), 422
    return _codes(codes)


@blueprint.post("/account/second-factor/recovery-codes")
def renew() -> tuple[str, int] | str:
    """Show new recovery codes once."""
    try:
        codes = second_factor.renew_recovery_codes(
            db.session, seal(), current_user, request.form.get("code", "")
        )
    except BadInput as refused:
        return _page(renewing=Form(refused=refused)), 422
    return _codes(codes)


@blueprint.post("/account/second-factor/off")
def off() -> Response | tuple[str, int]:
    """Turn it off with the password."""
    try:
        second_factor.give_up(db.session, current_user, request.form.get("password", ""))
    except BadInput as refused:
        return _page(giving_up=Form(refused=refused)), 422
    flash(_("两步验证已停用。"))
    return redirect(url_for("second_factor.page"))


def _page(
    form: Form | None = None, renewing: Form | None = None, giving_up: Form | None = None
) -> str:
    enrolment = None
    if not current_user.second_factor:
        enrolment = second_factor.begin(db.session, seal(), current_user)
    return render_template(
        "accounts/second_factor.html",
        enrolment=enrolment,
        codes_left=second_factor.codes_left(db.session, current_user.user_id),
        form=form or Form(),
        renewing=renewing or Form(),
        giving_up=giving_up or Form(),
    )


def _codes(codes: list[str]) -> str:
    return render_template("accounts/recovery_codes.html", codes=codes)
