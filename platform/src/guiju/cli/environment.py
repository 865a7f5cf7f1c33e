"""What commands that work on a database share: settings, a session, the tenant by its code."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import sqlalchemy as sa

from guiju import queue
from guiju.audit.operations import Actor
from guiju.config import Settings, load_settings
from guiju.db import ScopedSession, create_engine, sqlalchemy_url, tenant_scope
from guiju.db.migrate import is_current
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.queries import TenantSummary, all_tenants


def operator() -> Actor:
    """Who acts in a command: the account that runs it."""
    return Actor(name=f"cli:{getpass.getuser()}")


def reach(url: str, name: str, *, current: bool = True) -> None:
    """Connect once, outside any scope, to see that a command can begin.

    Raises BadInput naming the setting whose database does not answer or, with ``current``,
    has not the tables of this version.
    """
    engine = sa.create_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            ready = not current or is_current(connection)
    except sa.exc.OperationalError as error:
        raise BadInput([_silence(name, str(error.orig))]) from None
    if not ready:
        found, wanted = _("表结构不是本版本的"), _("请先运行 guiju db upgrade")
        raise BadInput([Problem(name, found, wanted, "outdated")])


@contextmanager
def queue_connection(settings: Settings) -> Iterator[redis.Redis]:
    """The queue's server; BadInput where it does not answer."""
    with queue.connect(settings.redis_url) as connection:
        try:
            connection.ping()
        except redis.RedisError as error:
            raise BadInput([_silence("REDIS_URL", str(error))]) from None
        yield connection


def _silence(name: str, reason: str) -> Problem:
    found = _("连接不上（{reason}）").format(reason=" ".join(reason.split()))
    return Problem(name, found, _("请检查地址，并确认服务已启动"), "unreachable")


@contextmanager
def session(settings: Settings | None = None, *, rings: bool = False) -> Iterator[ScopedSession]:
    """A session in no scope yet; with ``rings``, workers hear of what it commits."""
    settings = settings or load_settings()
    reach(settings.database_url, "DATABASE_URL")
    engine = create_engine(settings.database_url)
    if rings:
        queue.attach(engine, settings.redis_url)
    try:
        with ScopedSession(engine) as opened:
            yield opened
    finally:
        engine.dispose()


def tenant(opened: ScopedSession, code: str) -> TenantSummary:
    """The tenant called ``code``; BadInput names those that exist."""
    found = {entry.code: entry for entry in all_tenants(opened, f"{operator().name}: {code}")}
    if code not in found:
        known = _("、").join(found) or _("还没有租户")
        raise BadInput([Problem(_("租户 {code}").format(code=code), _("不存在"), known, "unknown")])
    return found[code]


@contextmanager
def tenant_session(code: str, settings: Settings | None = None) -> Iterator[ScopedSession]:
    """A session in a tenant's scope."""
    with session(settings) as opened:
        found = tenant(opened, code)
        with tenant_scope(found.id):
            yield opened
