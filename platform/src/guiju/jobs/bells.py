"""Ringing for a worker when a job has been asked for."""

from __future__ import annotations

from typing import Any

import redis
import sqlalchemy as sa
from sqlalchemy import orm

from guiju import queue
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, ScopedSession

_RUN = "guiju.background.run"
_ASKED = "guiju_jobs"


def ring_when_committed(session: AnySession, job_id: int) -> None:
    """Ring once the session's transaction is committed, if its engine has a queue."""
    session.info.setdefault(_ASKED, []).append(job_id)


def ring_for(connection: redis.Redis, tenant_id: int, job_id: int, *, again: str = "") -> bool:
    """Have a job done; ``again`` tells this bell from one whose worker may have died."""
    name = "-".join(part for part in ("job", str(tenant_id), str(job_id), again) if part)
    return queue.enqueue(connection, queue.JOBS, _RUN, tenant_id, job_id, job_id=name)


@sa.event.listens_for(ScopedSession, "after_commit", propagate=True)
def _after_commit(session: orm.Session) -> None:
    asked: list[int] = session.info.pop(_ASKED, [])
    connection = queue.of(session.get_bind())
    if connection is not None:
        for job_id in asked:
            ring_for(connection, current_tenant_id(), job_id)


@sa.event.listens_for(ScopedSession, "after_rollback", propagate=True)
def _after_rollback(session: orm.Session, *_details: Any) -> None:
    session.info.pop(_ASKED, None)
