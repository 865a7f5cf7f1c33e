"""Sign-in providers as this installation knows them: which ones, and the way back from them."""

from __future__ import annotations

from flask import current_app, url_for

from guiju import mail
from guiju.config import Settings


def issuers() -> tuple[str, ...]:
    """The issuers that the operator lets tenants use."""
    return tuple((_settings().oidc_issuers or "").split())


def callback() -> str:
    """The address that a provider has to know."""
    path = url_for("provider_sign_in.back")
    settings = _settings()
    if settings.public_url:
        return mail.link(settings, path)
    return url_for("provider_sign_in.back", _external=True)


def _settings() -> Settings:
    found: Settings = current_app.extensions["guiju_settings"]
    return found
