"""One's own account: who one is here, how one signs in, and who stands in for one."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts import second_factor
from guiju.accounts.delegations import delegable, delegate, delegations_of, end_delegation
from guiju.accounts.identities import is_bound, provider_of
from guiju.accounts.models import User
from guiju.accounts.operations import edit_own
from guiju.accounts.reach import NotVisible
from guiju.accounts.signing_in import end_session, open_sessions
from guiju.accounts.tokens import tokens_of
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import refusals
from guiju.web.forms import Form
from guiju.web.providers import issuers
from guiju.web.sealing import seal
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("own_account", __name__)
refusals.init_blueprint(blueprint)


@blueprint.get("/account")
def page() -> str:
    """Everything about one's account on one page."""
    return _page()


@blueprint.post("/account")
def edit() -> Response | tuple[str, int]:
    """Correct one's name and e-mail address."""
    try:
        edit_own(
            db.session,
            current_user,
            request.form.get("password", ""),
            request.form.get("name", ""),
            request.form.get("email"),
        )
    except BadInput as refused:
        return _page(profile=Form(typed=request.form, refused=refused)), 422
    flash(_("已保存。"))
    return redirect(url_for("own_account.page"))


@blueprint.post("/account/sessions/<number:session_id>/end")
def end(session_id: int) -> Response:
    """Sign out of another browser."""
    ended = end_session(db.session, current_user.actor(), current_user.user_id, session_id)
    not_found_unless(ended)
    flash(_("那台设备已退出登录。"))
    return redirect(url_for("own_account.page"))


@blueprint.post("/account/delegations")
def add_delegation() -> Response | tuple[str, int]:
    """Let a colleague do one's work for some days."""
    form = Form(typed=request.form)
    from_on, until_on = _day("from_on"), _day("until_on")
    role_id = request.form.get("role_id", type=int)
    for name, value in (("from_on", from_on), ("until_on", until_on)):
        if value is None:
            form.refuse(name, _("请填写日期"))
    if role_id is None:
        form.refuse("role_id", _("请选择角色"))
    if from_on is None or until_on is None or role_id is None:
        return _page(delegating=form), 422
    try:
        delegate(
            db.session,
            current_user,
            role_id,
            request.form.get("username", "").partition("@")[0],
            from_on,
            until_on,
            request.form.get("reason"),
        )
    except BadInput as refused:
        return _page(delegating=Form(typed=request.form, refused=refused)), 422
    flash(_("委托已生效；到期自动结束。"))
    return redirect(url_for("own_account.page"))


@blueprint.post("/account/delegations/<number:delegation_id>/end")
def stop_delegation(delegation_id: int) -> Response:
    """End a delegation before its last day."""
    end_delegation(db.session, current_user, delegation_id)
    flash(_("委托已结束。"))
    return redirect(url_for("own_account.page"))


def _page(profile: Form | None = None, delegating: Form | None = None) -> str:
    user = db.session.get(User, (current_user.tenant_id, current_user.user_id))
    if user is None:
        raise NotVisible
    provider = provider_of(db.session, seal()) if issuers() else None
    return render_template(
        "accounts/own_account.html",
        user=user,
        provider=provider,
        bound=provider and is_bound(db.session, user.id, provider.issuer),
        sessions=open_sessions(db.session, current_user),
        tokens=tokens_of(db.session, current_user.user_id),
        codes_left=second_factor.codes_left(db.session, current_user.user_id),
        delegable=delegable(current_user),
        delegations=delegations_of(db.session, current_user.user_id),
        today=today(),
        profile=profile or Form({"name": user.name, "email": user.email}),
        delegating=delegating or Form({"from_on": today().isoformat()}),
    )


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
