"""What the scheduler runs beside scoring."""

from __future__ import annotations

import sqlalchemy as sa

from guiju import plugins
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.decisions import reviewing
from guiju.tenancy.queries import all_tenants


def review() -> int:
    """Look again at decisions whose facts may have changed; returns how many."""
    packs = plugins.loaded().packs
    engine = create_engine(load_settings().database_url, poolclass=sa.NullPool)
    looked = 0
    try:
        with ScopedSession(engine) as session:
            tenants = [one for one in all_tenants(session, "review") if one.state == "active"]
        for tenant in tenants:
            # Decisions about members are among them; nobody is shown any.
            with tenant_scope(tenant.id, restricted=True), ScopedSession(engine) as session:
                looked += reviewing.review(session, packs)
    finally:
        engine.dispose()
    return looked
