"""What workers run to make reports."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa
import structlog
from adbc_driver_postgresql import dbapi as adbc

from guiju import plugins, queue
from guiju.config import load_settings
from guiju.db.engine import arrow_connection, create_engine
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.language import gettext as _
from guiju.plugins import Plugins
from guiju.reports import operations, queries, rendering
from guiju.reports.models import ReportFile
from guiju.scoring.operations import arrow_url
from guiju.tenancy.queries import all_tenants

log = structlog.get_logger()


@cache
def installed() -> Plugins:
    """The installed plugins; a worker loads them before it forks."""
    return plugins.load()


def make(tenant_id: int, report_id: int) -> None:
    """Make one report; what cannot be made says so to the person who asked."""
    engine = create_engine(load_settings().database_url, poolclass=sa.NullPool)
    try:
        with tenant_scope(tenant_id), ScopedSession(engine) as session:
            report = operations.begin(session, report_id)
            if report is None:
                return
            try:
                with arrow_connection(arrow_url(session)) as connection:
                    content = _render(session, connection, report)
            except Exception as error:
                session.rollback()
                log.exception("report failed", tenant=tenant_id, report=report_id)
                operations.fail(session, report_id, _reason(error))
                return
            session.rollback()
            operations.finish(session, report_id, content)
    finally:
        engine.dispose()


def _render(session: ScopedSession, connection: adbc.Connection, report: ReportFile) -> bytes:
    found = installed()
    return rendering.render(
        session,
        connection,
        found.packs,
        found.report_formats[report.format],
        report.organization_id,
        report.as_of,
        requested_by=report.requested_by,
    )


def _reason(error: Exception) -> str:
    """What the person who asked is told; the trace is in the log."""
    problems = getattr(error, "problems", None)
    if problems:
        return "；".join(str(problem) for problem in problems)
    return _("生成时出错，管理员可在日志中看到原因。")


def sweep() -> int:
    """Ring again for reports that nobody makes; returns how many."""
    settings = load_settings()
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    rung = 0
    try:
        with ScopedSession(engine) as session, queue.connect(settings.redis_url) as connection:
            for tenant in all_tenants(session, "report sweep"):
                with tenant_scope(tenant.id):
                    waiting = queries.waiting(session)
                session.close()
                for number in waiting:
                    rung += queue.enqueue(
                        connection,
                        queue.REPORTS,
                        "guiju.reports.jobs.make",
                        tenant.id,
                        number,
                        job_id=f"report-{tenant.id}-{number}",
                    )
    finally:
        engine.dispose()
    return rung
