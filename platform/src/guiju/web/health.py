"""Addresses for machines that watch over the service."""

import psycopg
import redis
import sqlalchemy as sa
import structlog
from flask import Blueprint, Response, current_app, jsonify

from guiju.config import Settings
from guiju.db import sqlalchemy_url
from guiju.db.migrate import is_current

blueprint = Blueprint("health", __name__)

log = structlog.get_logger()

#: A dependency that does not answer within so many seconds is not there.
_PATIENCE = 3


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """Database, queue and migrations are as this version needs them."""
    settings: Settings = current_app.extensions["guiju_settings"]
    found = {**_database(settings), "queue": _queue(settings)}
    all_well = all(state == "ok" for state in found.values())
    return jsonify(status="ok" if all_well else "unavailable", **found), 200 if all_well else 503


def _database(settings: Settings) -> dict[str, str]:
    # A connection of its own, outside any scope: it reads nobody's data, and a probe every
    # few seconds must not fill the operators' log.
    engine = sa.create_engine(
        sqlalchemy_url(settings.database_url),
        poolclass=sa.NullPool,
        connect_args={"connect_timeout": _PATIENCE},
    )
    try:
        with engine.connect() as connection:
            current = is_current(connection)
    except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
        log.warning("not_ready", part="database", error=type(error).__name__)
        return {"database": "unreachable", "migrations": "unknown"}
    return {"database": "ok", "migrations": "ok" if current else "outdated"}


def _queue(settings: Settings) -> str:
    try:
        with redis.Redis.from_url(
            settings.redis_url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
        ) as client:
            client.ping()
    except redis.RedisError as error:
        log.warning("not_ready", part="queue", error=type(error).__name__)
        return "unreachable"
    return "ok"
