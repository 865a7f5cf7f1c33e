"""Asking for reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from guiju.audit.operations import Actor
from guiju.db.session import AnySession, transaction
from guiju.hookspecs import ReportFormat
from guiju.jobs.operations import request_job
from guiju.language import gettext as _
from guiju.reports.jobs import REPORT
from guiju.rules.problems import BadInput, Problem


def request_report(
    session: AnySession,
    actor: Actor,
    formats: Mapping[str, ReportFormat],
    organization_id: int,
    format_: str,
    as_of: date,
) -> int:
    """Ask for a report; returns its job's number.  Raises ``BadInput`` for an unknown format.

    Whether ``actor`` may see the organization is the caller's to know.
    """
    if format_ not in formats:
        known = _("、").join(formats) or _("没有安装报表")
        raise BadInput([Problem("/format", format_, known, "unknown")])
    with transaction(session):
        return request_job(
            session,
            actor,
            REPORT,
            {"format": format_, "as_of": as_of.isoformat()},
            organization_id,
            subject=formats[format_].title,
        )
