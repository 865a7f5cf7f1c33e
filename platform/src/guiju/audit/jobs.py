"""What the scheduler runs for the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from guiju.audit import chain
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.tenancy.queries import all_tenants


def seal_all() -> None:
    """Seal what every tenant's trail has more."""
    engine = create_engine(load_settings().database_url, poolclass=sa.NullPool)
    try:
        with ScopedSession(engine) as session:
            tenants = all_tenants(session, "sealing the audit trail")
        for tenant in tenants:
            with tenant_scope(tenant.id), ScopedSession(engine) as session:
                chain.seal(session)
    finally:
        engine.dispose()
