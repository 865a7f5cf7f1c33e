"""What workers and the scheduler run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime

import redis
import sqlalchemy as sa
import structlog
from rq import get_current_job
from sqlalchemy import orm

from guiju import plugins, queue
from guiju.config import Settings, load_settings
from guiju.db.engine import create_engine
from guiju.db.locks import Busy
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.organizations.models import DirtyMark
from guiju.rules.pack import Pack
from guiju.scoring import bells, operations
from guiju.tenancy.queries import TenantSummary, all_tenants

log = structlog.get_logger()


def packs() -> Mapping[str, Pack]:
    """The installed packs."""
    return plugins.loaded().packs


@contextmanager
def _engine(settings: Settings) -> Iterator[sa.Engine]:
    """An engine of this job's own: connections do not survive a fork."""
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


def score(tenant_id: int, as_of: str, settle: bool = False) -> None:  # noqa: FBT001, FBT002
    """Judge what is dirty in a tenant, as of a day (ISO) unless the tenant has a fixed one."""
    job = get_current_job()
    with _engine(load_settings()) as engine:
        with tenant_scope(tenant_id), orm.Session(engine) as session:
            fixed = operations.fixed_as_of(session)

        def report(done: int, total: int) -> None:
            if job is not None:
                job.meta.update(done=done, total=total)
                job.save_meta()  # type: ignore[no-untyped-call]

        try:
            operations.drain(
                engine,
                packs(),
                tenant_id,
                fixed or date.fromisoformat(as_of),
                reason="job",
                settle=settle,
                asked_at=None if job is None else _aware(job.enqueued_at),
                report=report,
            )
        except Busy:
            # Whoever is at it goes on until nothing is dirty.
            log.info("scored already", tenant=tenant_id)


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def sweep() -> int:
    """Ring again for tenants with marks that nobody answers; returns how many."""
    settings = load_settings()
    minute = datetime.now(UTC).strftime("%Y%m%d%H%M")
    rung = 0
    with _engine(settings) as engine, queue.connect(settings.redis_url) as connection:
        for tenant in _active(engine, "scoring sweep"):
            with tenant_scope(tenant.id), orm.Session(engine) as session:
                waiting = session.scalar(sa.select(sa.exists().select_from(DirtyMark)))
            if waiting:
                rung += bells.ring_for(connection, tenant.id, again=minute, settle=True)
    return rung


def nightly() -> int:
    """Ring for every tenant: a new day's scoring judges everything; returns how many."""
    settings = load_settings()
    with _engine(settings) as engine, queue.connect(settings.redis_url) as connection:
        return _ring_all(connection, _active(engine, "nightly scoring"))


def _ring_all(connection: redis.Redis, tenants: list[TenantSummary]) -> int:
    day = datetime.now(UTC).strftime("%Y%m%d")
    return sum(bells.ring_for(connection, tenant.id, again=day, settle=True) for tenant in tenants)


def _active(engine: sa.Engine, reason: str) -> list[TenantSummary]:
    with ScopedSession(engine) as session:
        return [found for found in all_tenants(session, reason) if found.state == "active"]
