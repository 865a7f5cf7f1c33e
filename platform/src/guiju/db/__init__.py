"""The database: scopes, guarded engines, sessions, and what all tables have in common.

In a request, a job or a command::

    with app.app_context(), tenant_scope(tenant_id):
        db.session.execute(...)

Without Flask::

    engine = create_engine(database_url)
    with tenant_scope(tenant_id), ScopedSession(engine) as session:
        ...
"""

from guiju.db.engine import arrow_connection, create_engine, sqlalchemy_url
from guiju.db.migrate import upgrade
from guiju.db.models import Base, TenantRow, metadata, reference
from guiju.db.scope import (
    ScopeError,
    current_scope,
    current_tenant_id,
    operator_scope,
    tenant_scope,
)
from guiju.db.session import ScopedSession, db, transaction

__all__ = [
    "Base",
    "ScopeError",
    "ScopedSession",
    "TenantRow",
    "arrow_connection",
    "create_engine",
    "current_scope",
    "current_tenant_id",
    "db",
    "metadata",
    "operator_scope",
    "reference",
    "sqlalchemy_url",
    "tenant_scope",
    "transaction",
    "upgrade",
]
