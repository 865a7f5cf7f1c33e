"""Through which provider the tenant's users may sign in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts.identities import remove_provider, set_provider, settings_of
from guiju.accounts.reach import NotVisible
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import refusals
from guiju.web.forms import Form
from guiju.web.providers import callback, issuers
from guiju.web.sealing import seal

blueprint = Blueprint("account_provider", __name__, url_prefix="/people/provider")
refusals.init_blueprint(blueprint)


@blueprint.before_request
def _only_policy_managers() -> None:
    if not current_user.is_authenticated:
        return
    if not issuers() or not current_user.may_everywhere("policy.manage"):
        raise NotVisible


@blueprint.get("")
def page() -> str:
    """The provider, as a form; its secret is never shown."""
    found = settings_of(db.session)
    if found is None:
        return _page(Form(), set_up=False)
    values = {
        "title": found.title,
        "issuer": found.issuer,
        "client_id": found.client_id,
        "by_email": ["yes"] if found.by_email else [],
    }
    return _page(Form(values), set_up=True)


@blueprint.post("")
def change() -> Response | tuple[str, int]:
    """Set it up, or change it."""
    try:
        set_provider(
            db.session,
            seal(),
            current_user.actor(),
            request.form.get("title", ""),
            request.form.get("issuer", ""),
            request.form.get("client_id", ""),
            request.form.get("client_secret", ""),
            by_email="by_email" in request.form,
            allowed=issuers(),
        )
    except BadInput as refused:
        form = Form(typed=request.form, refused=refused)
        return _page(form, set_up=settings_of(db.session) is not None), 422
    flash(_("统一身份登录已保存。"))
    return redirect(url_for("account_provider.page"))


@blueprint.post("/remove")
def remove() -> Response:
    """Sign in by password alone again."""
    remove_provider(db.session, current_user.actor())
    flash(_("统一身份登录已停用。"))
    return redirect(url_for("account_provider.page"))


@blueprint.app_template_global()
def providers_allowed() -> bool:
    """Whether the operator lets tenants sign in through providers."""
    return bool(issuers())


def _page(form: Form, *, set_up: bool) -> str:
    return render_template(
        "accounts/provider.html", form=form, set_up=set_up, issuers=issuers(), callback=callback()
    )
