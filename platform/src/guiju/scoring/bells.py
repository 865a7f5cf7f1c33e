"""Ringing for a worker when something has become dirty."""

from __future__ import annotations

import redis
import sqlalchemy as sa
from sqlalchemy import orm

from guiju import clock, queue
from guiju.config import load_settings
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, ScopedSession

_JOB = "guiju.scoring.jobs.score"
_MARKED = "guiju_marked"


def ring_when_committed(session: AnySession) -> None:
    """Ring once the session's transaction is committed, if its engine has a queue."""
    session.info[_MARKED] = True


def ring(session: AnySession) -> bool:
    """Have the current tenant scored; False if a worker was asked already or cannot be."""
    with queue.connect(load_settings().redis_url) as connection:
        return ring_for(connection, current_tenant_id())


def ring_for(
    connection: redis.Redis, tenant_id: int, *, again: str = "", settle: bool = False
) -> bool:
    """Have a tenant scored; ``again`` tells this bell from one whose worker may have died.

    ``settle`` has superiors judged as well that wait for what is below them.
    """
    job_id = "-".join(part for part in ("score", str(tenant_id), again) if part)
    as_of = clock.today().isoformat()
    return queue.enqueue(connection, queue.SCORING, _JOB, tenant_id, as_of, settle, job_id=job_id)


@sa.event.listens_for(ScopedSession, "after_commit", propagate=True)
def _after_commit(session: orm.Session) -> None:
    if not session.info.pop(_MARKED, False):
        return
    connection = queue.of(session.get_bind())
    if connection is not None:
        ring_for(connection, current_tenant_id())


@sa.event.listens_for(ScopedSession, "after_rollback", propagate=True)
def _after_rollback(session: orm.Session) -> None:
    session.info.pop(_MARKED, None)
