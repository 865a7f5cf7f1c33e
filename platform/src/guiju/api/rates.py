"""How often one token may ask, counted in the queue's server for all processes together.

Where that server does not answer, requests pass and the log says so: a limit that keeps
everybody out is worse than none for a while.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache

import structlog
from flask import current_app, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

from guiju.api.problems import Refused
from guiju.config import Settings

log = structlog.get_logger()

#: Wrong tokens from one address in a minute: enough for a mistake, useless for guessing.
_FAILURES = RateLimitItemPerMinute(30, namespace="guiju-api")


def count_attempt(token: str) -> None:
    """Count a request of a token; raises :class:`Refused` (429) beyond the limit.

    Addresses from which too many wrong tokens came are refused before the token is looked at.
    """
    settings: Settings = current_app.extensions["guiju_settings"]
    failures = _limiter(settings.redis_url)
    try:
        if not failures.test(_FAILURES, _address()):
            _refuse(failures, _FAILURES, _address())
        allowed = RateLimitItemPerMinute(settings.api_requests_per_minute, namespace="guiju-api")
        key = hashlib.sha256(token.encode()).hexdigest()[:32]
        if not failures.hit(allowed, key):
            _refuse(failures, allowed, key)
    except RedisError as error:
        log.warning("rate_limit_open", error=type(error).__name__)


def count_failure() -> None:
    """Count a wrong token against the address that it came from."""
    settings: Settings = current_app.extensions["guiju_settings"]
    try:
        _limiter(settings.redis_url).hit(_FAILURES, _address())
    except RedisError as error:
        log.warning("rate_limit_open", error=type(error).__name__)


def _address() -> str:
    return f"address-{request.remote_addr}"


def _refuse(limiter: FixedWindowRateLimiter, limit: RateLimitItem, key: str) -> None:
    opens = limiter.get_window_stats(limit, key).reset_time
    wait = max(1, round(opens - time.time()))
    raise Refused(429, headers={"Retry-After": str(wait)})


@cache
def _limiter(redis_url: str) -> FixedWindowRateLimiter:
    storage = RedisStorage(redis_url, socket_connect_timeout=1, socket_timeout=1)
    return FixedWindowRateLimiter(storage)
