"""Signing in through the provider of one's tenant, and binding one's account to it."""

from __future__ import annotations

from typing import Any

import structlog
from flask import (
    Blueprint,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts import oidc
from guiju.accounts.identities import Provider, bind, provider_of, sign_in_as, unbind
from guiju.accounts.signing_in import SignInRefused, find_tenant
from guiju.db import db, tenant_scope
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web.pages.sign_in import proceed
from guiju.web.providers import callback, issuers
from guiju.web.sealing import seal
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("provider_sign_in", __name__)
log = structlog.get_logger()

# Between going to the provider and coming back: tenant, who binds, and the attempt.
_AWAY = "away"


@blueprint.get("/sign-in/provider")
def choose() -> str | tuple[str, int]:
    """Ask for the tenant; then offer the way to its provider.

    A link and not the form itself leads there: a form may not be sent to another site.
    """
    not_found_unless(issuers())
    code = request.args.get("tenant", "").strip()
    if not code:
        return render_template("accounts/provider_sign_in.html", code="", problem=None)
    _tenant_id, provider = _provider_of(code)
    if provider is None:
        problem = _("没有这个单位，或它没有设置统一身份登录。")
        page = render_template("accounts/provider_sign_in.html", code=code, problem=problem)
        return page, 404
    return render_template(
        "accounts/provider_sign_in.html", code=code, provider=provider, problem=None
    )


@blueprint.get("/sign-in/provider/<code>")
def go(code: str) -> Response | tuple[str, int]:
    """To the provider of a tenant."""
    tenant_id, provider = _provider_of(code)
    not_found_unless(provider)
    assert provider is not None
    return _away(tenant_id, provider, None)


@blueprint.get("/account/identity")
def begin_binding() -> Response | tuple[str, int]:
    """To the provider, to be known by it from then on."""
    provider = provider_of(db.session, seal())
    not_found_unless(provider and provider.issuer in issuers())
    assert provider is not None
    return _away(current_user.tenant_id, provider, current_user.user_id)


@blueprint.post("/account/identity/remove")
def end_binding() -> Response:
    """Sign in through the provider no more."""
    unbind(db.session, current_user)
    flash(_("已解除绑定。"))
    return redirect(url_for("own_account.page"))


@blueprint.get("/sign-in/provider/back")
def back() -> Response | tuple[str, int]:
    """Where the provider sends people back to."""
    if _AWAY not in session:
        return redirect(url_for("sign_in.form"))
    tenant_id, binder, *attempt = session.pop(_AWAY)
    with tenant_scope(tenant_id):
        provider = provider_of(db.session, seal())
        db.session.remove()
    not_found_unless(provider and provider.issuer in issuers())
    assert provider is not None
    try:
        identity = oidc.finish(_client(provider), oidc.Attempt(*attempt), request.args)
    except oidc.ProviderError as error:
        return _failed(error)
    if binder is not None:
        return _bound(binder, identity)
    try:
        signed_in = sign_in_as(
            db.session,
            tenant_id,
            identity,
            by_email=provider.by_email,
            address=request.remote_addr,
        )
    except SignInRefused:
        problem = _(
            "统一身份认证成功，但没有绑定到这里的账号。请先用密码登录，在“我的账号”里绑定。"
        )
        return _page(problem), 401
    finally:
        db.session.remove()
    return proceed(signed_in, None)


def _bound(binder: int, identity: oidc.Identity) -> Response | tuple[str, int]:
    # Whoever went is who has to come back.
    if not current_user.is_authenticated or current_user.user_id != binder:
        return redirect(url_for("sign_in.form"))
    try:
        bind(db.session, current_user, identity)
    except BadInput as refused:
        flash(refused.problems[0].wanted)
    else:
        flash(_("已绑定，以后可以用统一身份登录。"))
    return redirect(url_for("own_account.page"))


def _away(
    tenant_id: int | None, provider: Provider, binder: int | None
) -> Response | tuple[str, int]:
    try:
        address, attempt = oidc.start(_client(provider))
    except oidc.ProviderError as error:
        return _failed(error)
    kept: tuple[Any, ...] = (attempt.state, attempt.nonce, attempt.verifier)
    session[_AWAY] = (tenant_id, binder, *kept)
    return redirect(address)


def _provider_of(code: str) -> tuple[int | None, Provider | None]:
    """An active tenant's number and provider, where the operator still allows it."""
    tenant_id = find_tenant(db.session, code, "sign in")
    if tenant_id is None:
        return None, None
    with tenant_scope(tenant_id):
        provider = provider_of(db.session, seal())
        db.session.remove()
    if provider is None or provider.issuer not in issuers():
        return tenant_id, None
    return tenant_id, provider


def _client(provider: Provider) -> oidc.Client:
    return oidc.Client(provider.issuer, provider.client_id, provider.client_secret, callback())


def _failed(error: oidc.ProviderError) -> tuple[str, int]:
    log.warning("provider_failed", reason=str(error))
    return _page(_("统一身份认证没有成功。请重试，或用密码登录。")), 502


def _page(problem: str) -> str:
    return render_template("accounts/provider_sign_in.html", code="", problem=problem)
