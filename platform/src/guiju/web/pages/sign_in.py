"""Signing in, with a code where the user has a second factor, and out."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts.attempts import locked_for
from guiju.accounts.signing_in import (
    Refusal,
    SignedIn,
    SignInRefused,
    authenticate,
    confirm_code,
)
from guiju.db import db
from guiju.language import gettext as _
from guiju.web import sessions
from guiju.web.sealing import seal
from guiju.web.sessions import safe_target

blueprint = Blueprint("sign_in", __name__)

# Between the password and the code: who it is, since when, and where they wanted to go.
_WAITING = "waiting"


@blueprint.get("/sign-in")
def form() -> Response | str:
    """The form, unless somebody is signed in already."""
    if current_user.is_authenticated:
        return redirect(safe_target(request.args.get("next")))
    return _form(request.args.get("username", ""))


@blueprint.post("/sign-in")
def submit() -> Response | tuple[str, int]:
    """Sign in, ask for a code, or show the form again with what is wrong."""
    username = request.form.get("username", "").strip()
    # Whoever was signed in here no longer is.
    session.clear()
    try:
        signed_in = authenticate(
            db.session, username, request.form.get("password", ""), address=request.remote_addr
        )
    except SignInRefused as refused:
        if refused.reason is Refusal.LOCKED:
            return _form(username, locked_for()), 429
        return _form(username, _("用户名或密码不对。用户名须连同 @ 和单位代号一起输入。")), 401
    finally:
        db.session.remove()
    return proceed(signed_in, request.args.get("next"))


@blueprint.get("/sign-in/code")
def code() -> Response | str:
    """The form for the code of the second factor."""
    if _WAITING not in session:
        return redirect(url_for("sign_in.form"))
    return render_template("sign_in_code.html", problem=None)


@blueprint.post("/sign-in/code")
def submit_code() -> Response | tuple[str, int]:
    """Sign in with the code, or show the form again."""
    if _WAITING not in session:
        return redirect(url_for("sign_in.form"))
    tenant_id, user_id, since, target = session[_WAITING]
    signed_in = SignedIn(tenant_id, user_id, needs_code=True)
    try:
        confirm_code(
            db.session,
            seal(),
            signed_in,
            request.form.get("code", ""),
            datetime.fromtimestamp(since, UTC),
            address=request.remote_addr,
        )
    except SignInRefused as refused:
        if refused.reason is Refusal.WRONG:
            problem = _("验证码不对。请输入验证器此刻显示的 6 位数字，或一个未用过的恢复码。")
            return render_template("sign_in_code.html", problem=problem), 401
        session.clear()
        if refused.reason is Refusal.LOCKED:
            return _form("", locked_for()), 429
        flash(_("等待时间太长，请重新登录。"))
        return redirect(url_for("sign_in.form"))
    finally:
        db.session.remove()
    return enter(signed_in, target)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session in this browser."""
    sessions.end()
    flash(_("已退出。"))
    return redirect(url_for("sign_in.form"))


def proceed(signed_in: SignedIn, target: str | None) -> Response:
    """Go on after the password, or what stands for it: to the code, or in."""
    if not signed_in.needs_code:
        return enter(signed_in, target)
    session.clear()
    since = datetime.now(UTC).timestamp()
    session[_WAITING] = (signed_in.tenant_id, signed_in.user_id, since, target)
    return redirect(url_for("sign_in.code"))


def enter(signed_in: SignedIn, target: str | None) -> Response:
    """Open the session and go where the visitor wanted to."""
    if sessions.begin(signed_in) is None:
        abort(500)
    return redirect(safe_target(target))


def _form(username: str = "", problem: str | None = None) -> str:
    return render_template(
        "sign_in.html",
        username=username,
        problem=problem,
        target=request.args.get("next"),
        expired="expired" in request.args,
    )
