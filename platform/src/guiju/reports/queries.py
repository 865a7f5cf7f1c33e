"""Questions about reports, asked inside a tenant's scope."""

from __future__ import annotations

from collections.abc import Sequence

from guiju.db.session import AnySession
from guiju.jobs.models import Job
from guiju.jobs.queries import JobSummary, about, summaries
from guiju.reports.jobs import REPORT


def reports(
    session: AnySession,
    *,
    paths: Sequence[str],
    organization_id: int | None = None,
    limit: int = 20,
) -> list[JobSummary]:
    """The latest reports of organizations at and below ``paths``, newest first.

    Whoever sees an organization sees its reports, whoever asked for them.
    """
    conditions = [Job.kind == REPORT.name, about(paths)]
    if organization_id is not None:
        conditions.append(Job.organization_id == organization_id)
    return summaries(session, *conditions, limit=limit)


def report(session: AnySession, report_id: int, *, paths: Sequence[str]) -> JobSummary | None:
    """One report; None if there is none of that number at or below ``paths``."""
    conditions = (Job.kind == REPORT.name, about(paths), Job.id == report_id)
    return next(iter(summaries(session, *conditions, limit=1)), None)
