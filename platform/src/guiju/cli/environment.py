"""What commands that work on a database share: settings, a session, the tenant by its code."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from guiju.audit.operations import Actor
from guiju.config import Settings, load_settings
from guiju.db import ScopedSession, create_engine, tenant_scope
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.queries import TenantSummary, all_tenants


def operator() -> Actor:
    """Who acts in a command: the account that runs it."""
    return Actor(name=f"cli:{getpass.getuser()}")


@contextmanager
def session(settings: Settings | None = None) -> Iterator[ScopedSession]:
    """A session in no scope yet."""
    engine = create_engine((settings or load_settings()).database_url)
    try:
        with ScopedSession(engine) as opened:
            yield opened
    finally:
        engine.dispose()


def tenant(opened: ScopedSession, code: str) -> TenantSummary:
    """The tenant called ``code``; BadInput names those that exist."""
    found = {entry.code: entry for entry in all_tenants(opened, f"{operator().name}: {code}")}
    if code not in found:
        known = "、".join(found) or _("还没有租户")
        raise BadInput([Problem(_("租户 {code}").format(code=code), _("不存在"), known, "unknown")])
    return found[code]


@contextmanager
def tenant_session(code: str, settings: Settings | None = None) -> Iterator[ScopedSession]:
    """A session in a tenant's scope."""
    with session(settings) as opened:
        found = tenant(opened, code)
        with tenant_scope(found.id):
            yield opened
