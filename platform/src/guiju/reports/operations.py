"""Asking for reports and writing down what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import sqlalchemy as sa

from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession, transaction
from guiju.hookspecs import ReportFormat
from guiju.language import gettext as _
from guiju.reports.models import ReportFile
from guiju.rules.problems import BadInput, Problem


def request_report(
    session: AnySession,
    actor: Actor,
    formats: Mapping[str, ReportFormat],
    organization_id: int,
    format_: str,
    as_of: date,
) -> int:
    """Ask for a report; returns its number.  Raises ``BadInput`` for an unknown format.

    Whether ``actor`` may see the organization is the caller's to know.
    """
    if format_ not in formats:
        known = "、".join(formats) or _("没有安装报表")
        raise BadInput([Problem("/format", format_, known, "unknown")])
    with transaction(session):
        report = ReportFile(
            organization_id=organization_id,
            format=format_,
            as_of=as_of,
            requested_by=actor.name,
        )
        session.add(report)
        session.flush()
        record(session, actor, "report.request", "report", report.id, after={"format": format_})
        return report.id


def begin(session: AnySession, report_id: int) -> ReportFile | None:
    """Take a report on; None if it is done already, or there is none of that number."""
    with transaction(session):
        report = session.scalars(
            sa.select(ReportFile).where(ReportFile.id == report_id).with_for_update()
        ).one_or_none()
        if report is None or report.state == "done":
            return None
        report.state = "making"
        session.flush()
        return report


def finish(session: AnySession, report_id: int, content: bytes) -> None:
    """Keep the finished file."""
    _settle(session, report_id, state="done", content=content, error=None)


def fail(session: AnySession, report_id: int, error: str) -> None:
    """Say why there is no file."""
    _settle(session, report_id, state="failed", content=None, error=error)


def _settle(session: AnySession, report_id: int, **values: object) -> None:
    with transaction(session):
        session.execute(
            sa.update(ReportFile)
            .where(ReportFile.id == report_id)
            .values(finished_at=datetime.now(UTC), **values)
        )
