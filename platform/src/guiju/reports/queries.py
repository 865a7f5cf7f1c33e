"""Questions about reports, asked inside a tenant's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.reports.models import ReportFile


@dataclass(frozen=True)
class ReportSummary:
    """A report as lists show it."""

    id: int
    organization_id: int
    organization: str
    format: str
    as_of: date
    state: str
    requested_by: str
    requested_at: datetime
    error: str | None


def reports(
    session: AnySession,
    *,
    paths: Sequence[str],
    organization_id: int | None = None,
    limit: int = 20,
) -> list[ReportSummary]:
    """The latest reports of organizations at and below ``paths``, newest first."""
    select = _summaries(paths).order_by(ReportFile.id.desc()).limit(limit)
    if organization_id is not None:
        select = select.where(ReportFile.organization_id == organization_id)
    return [_summary(*row) for row in session.execute(select)]


def report(session: AnySession, report_id: int, *, paths: Sequence[str]) -> ReportSummary | None:
    """One report; None if there is none of that number at or below ``paths``."""
    found = session.execute(_summaries(paths).where(ReportFile.id == report_id)).one_or_none()
    return None if found is None else _summary(*found)


def content(session: AnySession, report_id: int, *, paths: Sequence[str]) -> bytes | None:
    """The finished file; None where :func:`report` is None or nothing is finished."""
    return session.scalars(
        sa.select(ReportFile.content)
        .join(Organization, _THERE)
        .where(ReportFile.id == report_id, _visible(paths))
    ).one_or_none()


def waiting(session: AnySession) -> list[int]:
    """Numbers of the reports that nobody has finished, oldest first."""
    return list(
        session.scalars(
            sa.select(ReportFile.id)
            .where(ReportFile.state.in_(("waiting", "making")))
            .order_by(ReportFile.id)
        )
    )


_THERE = sa.and_(
    Organization.tenant_id == ReportFile.tenant_id, Organization.id == ReportFile.organization_id
)


def _visible(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    path = Organization.__table__.c.path
    return sa.or_(sa.false(), *(within(path, top) for top in paths))


def _summaries(paths: Sequence[str]) -> sa.Select[ReportFile, str]:
    return (
        sa.select(ReportFile, Organization.name).join(Organization, _THERE).where(_visible(paths))
    )


def _summary(report: ReportFile, organization: str) -> ReportSummary:
    return ReportSummary(
        id=report.id,
        organization_id=report.organization_id,
        organization=organization,
        format=report.format,
        as_of=report.as_of,
        state=report.state,
        requested_by=report.requested_by,
        requested_at=report.requested_at,
        error=report.error,
    )
