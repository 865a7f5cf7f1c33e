"""Signing in and out."""

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from guiju.accounts.operations import LOCK, Refusal, SignInRefused, authenticate
from guiju.db import db
from guiju.language import gettext as _
from guiju.web import sessions
from guiju.web.sessions import safe_target

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def form() -> Response | str:
    """The form, unless somebody is signed in already."""
    if current_user.is_authenticated:
        return redirect(safe_target(request.args.get("next")))
    return _form()


@blueprint.post("/sign-in")
def submit() -> Response | tuple[str, int]:
    """Sign in, or show the form again with what is wrong."""
    username = request.form.get("username", "").strip()
    logout_user()
    try:
        signed_in = authenticate(
            db.session, username, request.form.get("password", ""), address=request.remote_addr
        )
    except SignInRefused as refused:
        if refused.reason is Refusal.LOCKED:
            minutes = int(LOCK.total_seconds()) // 60
            problem = _("连续多次输错密码，账号已暂时锁定，请 {minutes} 分钟后再试。").format(
                minutes=minutes
            )
            return _form(username, problem), 429
        return _form(username, _("用户名或密码不对。用户名须连同 @ 和单位代号一起输入。")), 401
    finally:
        db.session.remove()
    # Nothing of an earlier visit, the form's token included, is carried into this one.
    session.clear()
    visitor = sessions.load(signed_in.tenant_id, signed_in.user_id)
    if visitor is None:
        abort(500)
    login_user(visitor)
    sessions.begin()
    return redirect(safe_target(request.args.get("next")))


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session in this browser."""
    logout_user()
    session.clear()
    flash(_("已退出。"))
    return redirect(url_for("sign_in.form"))


def _form(username: str = "", problem: str | None = None) -> str:
    return render_template(
        "sign_in.html", username=username, problem=problem, target=request.args.get("next")
    )
