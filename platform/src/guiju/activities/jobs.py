"""What the scheduler runs for records."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa
import structlog

from guiju.activities import attachments
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.locks import Busy
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.tenancy.leaving import staying
from guiju.tenancy.queries import all_tenants

log = structlog.get_logger()


def sweep_files() -> None:
    """Delete the files of every tenant that were stored and never written down."""
    settings = load_settings()
    cabinet = attachments.cabinet(settings)
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    try:
        with ScopedSession(engine) as session:
            tenants = all_tenants(session, "sweeping files")
        for tenant in tenants:
            swept = 0
            # What is being imported is not written down yet, however long it takes.
            with (
                tenant_scope(tenant.id),
                ScopedSession(engine) as session,
                suppress(Busy),
                staying(session, tenant.id),
            ):
                swept = attachments.sweep(session, cabinet)
            if swept:
                log.info("files_swept", tenant=tenant.id, number=swept)
    finally:
        engine.dispose()
