"""Going on when the queue's server was away.

RQ's worker waits for a server that goes away while it is idle, but ends when that happens in
the middle of a job; its scheduler always ends.  Nothing of the work is lost by it, as that
stands in PostgreSQL, but somebody must go on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import NoReturn

import redis
import structlog

from guiju import queue

log = structlog.get_logger()

_SECONDS_BETWEEN_TRIES = 1


def begin_anew(redis_url: str) -> NoReturn:
    """Put a fresh process of the same command in this one's place once the queue answers.

    Fresh, since what RQ leaves behind (threads, connections) would add up.
    """
    log.warning("queue_lost")
    # The worker that ended had them for itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    while not _answers(redis_url):
        time.sleep(_SECONDS_BETWEEN_TRIES)
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - our own command, as it was given


def _answers(redis_url: str) -> bool:
    try:
        with queue.connect(redis_url) as connection:
            return bool(connection.ping())
    except redis.RedisError:
        return False
