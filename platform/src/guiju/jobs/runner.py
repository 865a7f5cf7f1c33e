"""What workers and the scheduler run for jobs of every kind."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import redis
import sqlalchemy as sa
import structlog

from guiju import queue
from guiju.audit.operations import Actor, record_reading
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.locks import Busy, alone
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession, transaction
from guiju.jobs import bells, operations, queries
from guiju.jobs.kinds import JobKind, Result, Upload
from guiju.jobs.models import Job
from guiju.language import gettext as _
from guiju.plugins import Plugins, loaded
from guiju.tenancy.queries import all_tenants

log = structlog.get_logger()

#: A job that so many workers died at is given up.
MOST_ATTEMPTS = 3

#: Problems that are told in one sentence; the others stand in the result.
_TOLD = 20

_SECONDS_BETWEEN_PROGRESS = 0.5

Kinds = Mapping[str, JobKind]


def run(kinds: Kinds, tenant_id: int, job_id: int) -> None:
    """Do a job, unless another worker is at it or it has ended.

    What cannot be done says so to the person who asked.
    """
    with _connected() as (engine, _bell):
        with tenant_scope(tenant_id), ScopedSession(engine) as session:
            kind_name = session.scalar(sa.select(Job.kind).where(Job.id == job_id))
        if kind_name is None:
            return
        kind = kinds.get(kind_name)
        restricted = kind is not None and kind.restricted
        try:
            with tenant_scope(tenant_id, restricted=restricted), alone(engine, *_key(job_id)):
                _Run(engine, tenant_id, job_id, kind).do()
        except Busy:
            log.info("done by another worker already", tenant=tenant_id, job=job_id)


def sweep(kinds: Kinds) -> int:
    """Ring again for jobs that nobody does, and delete files kept long enough.

    Returns how many were rung for.
    """
    minute = datetime.now(UTC).strftime("%Y%m%d%H%M")
    rung = 0
    with _connected() as (engine, connection):
        with ScopedSession(engine) as session:
            tenants = all_tenants(session, "job sweep")
        for tenant in tenants:
            if tenant.state != "active":
                continue
            with tenant_scope(tenant.id), ScopedSession(engine) as session:
                _forget_files(session, kinds)
                waiting = queries.unfinished(session)
                session.rollback()
                for job_id in waiting:
                    if _is_left_alone(engine, job_id):
                        rung += bells.ring_for(connection, tenant.id, job_id, again=minute)
    return rung


@contextmanager
def _connected() -> Iterator[tuple[sa.Engine, redis.Redis]]:
    """An engine of this job's own, as connections do not survive a fork, and the queue."""
    settings = load_settings()
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    queue.attach(engine, settings.redis_url)
    try:
        with queue.connect(settings.redis_url) as connection:
            yield engine, connection
    finally:
        engine.dispose()


def _key(job_id: int) -> tuple[str, int]:
    # Numbers of rows are unique in the database.
    return ("job", job_id)


def _is_left_alone(engine: sa.Engine, job_id: int) -> bool:
    try:
        with alone(engine, *_key(job_id)):
            return True
    except Busy:
        return False


def _forget_files(session: ScopedSession, kinds: Kinds) -> None:
    now = datetime.now(UTC)
    for kind in kinds.values():
        operations.forget_files(session, kind.name, now - timedelta(days=kind.keep_days))


@dataclass
class _Context:
    """See :class:`guiju.jobs.kinds.JobContext`."""

    session: ScopedSession
    actor: Actor
    tenant_id: int
    job_id: int
    organization_id: int | None
    parameters: Mapping[str, Any]
    attempt: int
    plugins: Plugins
    #: Shows progress while the kind's own transaction is open.
    notes: ScopedSession
    _shown_at: float = field(default=float("-inf"))

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._shown_at >= _SECONDS_BETWEEN_PROGRESS:
            self._shown_at = now
            operations.progress(self.notes, self.job_id, done, total)

    def log(self, text: str) -> None:
        operations.log(self.notes, self.job_id, text)

    def upload(self) -> BinaryIO:
        file_id = queries.uploaded(self.notes, self.job_id)
        if file_id is None:
            raise LookupError(f"job {self.job_id} came without a file")
        found = queries.read_file(self.notes, file_id)
        self.notes.rollback()
        return found

    def keep_file(self, name: str, media_type: str, content: bytes | BinaryIO) -> None:
        with transaction(self.notes):
            upload = Upload(name, media_type, content)
            operations.keep_file(self.notes, self.job_id, upload, produced=True)
        self.notes.expunge_all()


@dataclass
class _Run:
    """One worker's attempt at one job that it has to itself."""

    engine: sa.Engine
    tenant_id: int
    job_id: int
    kind: JobKind | None

    def do(self) -> None:
        with ScopedSession(self.engine) as session, ScopedSession(self.engine) as notes:
            job = operations.begin(notes, self.job_id)
            if job is None:
                return
            if job.attempts > MOST_ATTEMPTS:
                operations.fail(
                    notes, self.job_id, _("处理中断了多次，已放弃。管理员可在日志中看到原因。")
                )
                return
            try:
                result = self._work(session, notes, job)
            except Exception as error:  # noqa: BLE001 - whatever it is, the person is told
                session.rollback()
                notes.rollback()
                self._explain(notes, error)
            else:
                session.rollback()
                operations.finish(notes, self.job_id, result)

    def _work(self, session: ScopedSession, notes: ScopedSession, job: Job) -> Result:
        if self.kind is None:
            raise LookupError(f"no kind {job.kind!r} in this version")
        actor = Actor(job.requested_by, job.user_id, job.address)
        if self.kind.restricted:
            with transaction(notes):
                record_reading(notes, actor, "jobs", f"{job.kind} {job.id}")
        context = _Context(
            session=session,
            actor=actor,
            tenant_id=self.tenant_id,
            job_id=self.job_id,
            organization_id=job.organization_id,
            parameters=job.parameters,
            attempt=job.attempts,
            plugins=loaded(),
            notes=notes,
        )
        return self.kind.run(context)

    def _explain(self, notes: ScopedSession, error: Exception) -> None:
        problems = getattr(error, "problems", None)
        if problems:
            told = "；".join(str(problem) for problem in problems[:_TOLD])
            listed = [
                {"place": p.place, "found": p.found, "wanted": p.wanted, "code": p.code}
                for p in problems
            ]
            operations.fail(notes, self.job_id, told, {"problems": listed})
            return
        log.error("job failed", tenant=self.tenant_id, job=self.job_id, exc_info=error)
        operations.fail(notes, self.job_id, _("处理时出错，管理员可在日志中看到原因。"))
