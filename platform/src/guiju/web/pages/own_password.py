"""Changing one's own password."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts.operations import change_password
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import sessions
from guiju.web.forms import Form

blueprint = Blueprint("own_password", __name__)


@blueprint.get("/account/password")
def page() -> str:
    """The form; it says so where the password has to be changed."""
    return _page(Form())


@blueprint.post("/account/password")
def change() -> Response | tuple[str, int]:
    """Change the password; other sessions end, this one goes on."""
    form = Form()
    if request.form.get("password") != request.form.get("again"):
        form.refuse("again", _("两次输入的密码不一样"))
        return _page(form), 422
    try:
        change_password(
            db.session,
            current_user,
            request.form.get("old", ""),
            request.form.get("password", ""),
        )
    except BadInput as refused:
        return _page(Form(refused=refused)), 422
    sessions.renew(current_user)
    flash(_("密码已更改；在其他设备上须重新登录。"))
    return redirect(url_for("front.page"))


def _page(form: Form) -> str:
    return render_template("accounts/own_password.html", form=form)
