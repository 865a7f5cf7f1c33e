"""One line of log for each request, without anything that tells who or what about.

The route is logged rather than the address, because addresses hold searches and names.
"""

import time
import uuid

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger()

#: Probes come every few seconds and say nothing.
_QUIET = {"health.alive", "health.ready", "metrics.scrape", "static"}


def init_app(app: Flask) -> None:
    """Log each request of the application once it is answered."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.begun = time.perf_counter()
    # An identifier given by the proxy joins its log to ours; anything else is replaced.
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if given.isalnum() and len(given) <= 64 else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    if request.endpoint not in _QUIET:
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            ms=round((time.perf_counter() - g.begun) * 1000, 1),
        )
    return response
