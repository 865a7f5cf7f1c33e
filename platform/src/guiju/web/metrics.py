"""``/metrics`` for Prometheus: requests counted here, queues and jobs asked on each scrape.

Labels are routes, methods, states and names of queues: nothing that tells a tenant or a person.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import redis
import sqlalchemy as sa
import structlog
from flask import Blueprint, Flask, Response, abort, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from rq import Queue

from guiju import queue
from guiju.config import Settings
from guiju.db import create_engine, tenant_scope
from guiju.jobs.models import STATES, Job
from guiju.organizations.models import DirtyMark
from guiju.tenancy.queries import all_tenants

blueprint = Blueprint("metrics", __name__)

log = structlog.get_logger()

#: Seconds: a page is to be there in a tenth of one, a report's list in a few.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_requests = Counter(
    "guiju_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
_seconds = Histogram(
    "guiju_request_seconds",
    "Time to answer a request.",
    ("method", "route"),
    buckets=_BUCKETS,
    registry=REGISTRY,
)


def init_app(app: Flask) -> None:
    """Count requests and offer the address, where the settings have a token for it."""
    settings: Settings = app.extensions["guiju_settings"]
    if settings.metrics_token is not None:
        app.after_request(_count)
        app.register_blueprint(blueprint)


def forget_process(process_id: int) -> None:
    """Leave out gauges of a process that has ended; its counts stay."""
    if _several_processes():
        mark_process_dead(process_id)  # type: ignore[no-untyped-call]


@blueprint.get("/metrics")
def scrape() -> Response:
    """Everything, in Prometheus' text form; without the token there is no such address."""
    settings: Settings = current_app.extensions["guiju_settings"]
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode()):
        abort(404)
    registry = CollectorRegistry()
    if _several_processes():
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(_Standing(settings))
    counted = b"" if _several_processes() else generate_latest(REGISTRY)
    return Response(counted + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _several_processes() -> bool:
    return values.ValueClass is not values.MutexValue


def _count(response: Response) -> Response:
    # An address that is none has no route: what was asked for is nobody's business here.
    route = request.url_rule.rule if request.url_rule else ""
    _requests.labels(request.method, route, response.status_code).inc()
    _seconds.labels(request.method, route).observe(time.perf_counter() - g.begun)
    return response


class _Standing(Collector):
    """What waits, asked of PostgreSQL and the queue at this moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """The figures; of a server that does not answer only that it does not."""
        up = GaugeMetricFamily("guiju_up", "Whether a server answers.", labels=["server"])
        try:
            found = list(self._database())
            up.add_metric(["database"], 1)
        except sa.exc.SQLAlchemyError as error:
            log.warning("not scraped", part="database", error=type(error).__name__)
            found = []
            up.add_metric(["database"], 0)
        try:
            found += self._queues()
            up.add_metric(["queue"], 1)
        except redis.RedisError as error:
            log.warning("not scraped", part="queue", error=type(error).__name__)
            up.add_metric(["queue"], 0)
        yield up
        yield from found

    def _database(self) -> Iterator[Metric]:
        counts = dict.fromkeys(STATES, 0)
        marks, oldest, active = 0, None, 0
        engine = create_engine(self._settings.database_url, poolclass=sa.NullPool)
        try:
            with sa.orm.Session(engine) as session:
                for tenant in all_tenants(session, "metrics"):
                    # Nothing is done for those that are suspended, so nothing is late.
                    if tenant.state != "active":
                        continue
                    active += 1
                    with tenant_scope(tenant.id):
                        waiting, first = session.execute(
                            sa.select(sa.func.count(), sa.func.min(DirtyMark.created_at))
                        ).one()
                        states = session.execute(
                            sa.select(Job.state, sa.func.count()).group_by(Job.state)
                        ).all()
                        session.rollback()
                    marks += waiting
                    oldest = min(filter(None, (oldest, first)), default=None)
                    for state, count in states:
                        counts[state] += count
        finally:
            engine.dispose()
        yield GaugeMetricFamily("guiju_tenants_active", "Tenants at work.", active)
        yield GaugeMetricFamily("guiju_dirty_marks", "Changes not judged yet.", marks)
        age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily(
            "guiju_oldest_dirty_mark_seconds", "How long the oldest change waits.", age
        )
        jobs = GaugeMetricFamily("guiju_jobs", "Background jobs kept.", labels=["state"])
        for state, count in counts.items():
            jobs.add_metric([state], count)
        yield jobs

    def _queues(self) -> list[Metric]:
        waiting = GaugeMetricFamily("guiju_queue_length", "Bells waiting.", labels=["queue"])
        with queue.connect(self._settings.redis_url) as connection:
            for name in queue.QUEUES:
                waiting.add_metric([name], Queue(name, connection=connection).count)
        return [waiting]
