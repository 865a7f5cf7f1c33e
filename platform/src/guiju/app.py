"""The application: settings, plugins, database and pages put together."""

import structlog
from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

from guiju import api, queue
from guiju.api import problems
from guiju.config import Settings, load_settings
from guiju.db import db, sqlalchemy_url
from guiju.db.engine import is_out_of_reach
from guiju.plugins import Plugins
from guiju.plugins import load as load_plugins
from guiju.web import (
    account_words,
    addresses,
    assets,
    errors,
    health,
    languages,
    metrics,
    navigation,
    request_log,
    sealing,
    security,
    sessions,
    wording,
)
from guiju.web.pages import BLUEPRINTS

log = structlog.get_logger()

#: Seconds after which it is worth asking again when the database was not there.
_BACK_SOON = 5


def create_app(settings: Settings | None = None, *, plugins: Plugins | None = None) -> Flask:
    """The application with every page, and the API beside them.

    ``settings`` are by default those of the environment, ``plugins`` the installed ones.
    Nothing connects to database or queue yet.  Raises ``ConfigError``, ``PluginError`` or
    ``MissingAssetsError`` where something is wrong that no request could put right.
    """
    settings = load_settings() if settings is None else settings
    assets.check()
    app = Flask("guiju", static_folder="web/static", template_folder="web/templates")
    app.config.from_mapping(_configuration(settings))
    app.extensions["guiju_settings"] = settings
    app.extensions["guiju_plugins"] = load_plugins() if plugins is None else plugins
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
    db.init_app(app)
    with app.app_context():
        queue.attach(db.engine, settings.redis_url)
    # First what every request passes through, in this order; then the pages.
    for part in (request_log, languages, security, addresses, sessions):
        part.init_app(app)
    csrf = CSRFProtect(app)
    for part in (sealing, assets, wording, account_words, navigation):
        part.init_app(app)
    app.register_error_handler(Exception, _answer)
    app.register_blueprint(health.blueprint)
    metrics.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    api.init_app(app, csrf)
    return app


def _answer(error: Exception) -> ResponseReturnValue | HTTPException:
    """What went wrong: in a problem for programs, on a page for people."""
    if is_out_of_reach(error):
        log.error("database_out_of_reach", endpoint=request.endpoint, error=type(error).__name__)
        g.database_is_away = True
        error = ServiceUnavailable(retry_after=_BACK_SOON)
    return problems.answer(error) if api.is_ours(request.path) else errors.answer(error)


def _configuration(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": sqlalchemy_url(settings.database_url),
        # A connection that the server closed meanwhile is replaced, not handed to a request.
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True},
        "MAX_CONTENT_LENGTH": settings.max_upload_mb * 1024 * 1024,
        **security.configuration(settings),
    }
