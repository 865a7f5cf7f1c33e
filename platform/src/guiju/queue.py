"""The queue of background jobs: only a doorbell.

What is to be done stands in PostgreSQL.  Jobs carry numbers and days, can be run twice, and
may be lost with the whole queue: a sweep finds what was missed.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import redis
import sqlalchemy as sa
import structlog
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError

log = structlog.get_logger()

SCORING = "scoring"
JOBS = "jobs"
#: Queues in the order in which a worker empties them.
QUEUES = (JOBS, SCORING)

#: A failed job's traces are kept so long; the log of runs is in PostgreSQL.
_FAILURE_SECONDS = 60
_JOB_SECONDS = 3600


_attached: WeakKeyDictionary[sa.Engine, redis.Redis] = WeakKeyDictionary()


def attach(engine: sa.Engine, url: str) -> None:
    """From now on transactions of the engine ring at the queue of ``url`` when they commit."""
    _attached[engine] = connect(url)


def of(bind: sa.Engine | sa.Connection) -> redis.Redis | None:
    """The queue attached to a session's engine; None where nobody is to be rung for.

    Its connections are kept, as those of the engine are.
    """
    return _attached.get(bind) if isinstance(bind, sa.Engine) else None


def connect(url: str) -> redis.Redis:
    """A client for the queue's server; nothing connects until it is used."""
    # Whoever waits for work there has RQ make the second one longer.
    return redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)


def enqueue(
    connection: redis.Redis, queue: str, function: str, *args: Any, job_id: str, retries: int = 0
) -> bool:
    """Ask a worker for ``function`` (``module.name``) with ``args``; False if that was in vain.

    A job whose id is queued or running already is not enqueued again.  A queue that cannot be
    reached is logged, never fatal: what is to be done is written down elsewhere.
    """
    try:
        Queue(queue, connection=connection).enqueue_call(
            function,
            args,
            job_id=job_id,
            unique=True,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
            timeout=_JOB_SECONDS,
            retry=Retry(max=retries, interval=[5, 30, 120][:retries]) if retries else None,
        )
    except DuplicateJobError:
        return False
    except redis.RedisError as error:
        log.warning("queue out of reach", job=job_id, error=str(error))
        return False
    return True
