"""Making a report in the background."""

from __future__ import annotations

from datetime import date
from typing import Final

from guiju.db.engine import arrow_connection
from guiju.jobs.kinds import JobContext, JobKind, Result
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.reports import rendering
from guiju.scoring.operations import arrow_url


def make(context: JobContext) -> Result:
    """Render the report that the parameters name: ``format`` (its id) and ``as_of`` (ISO)."""
    form = context.plugins.report_formats[context.parameters["format"]]
    organization_id = context.organization_id
    assert organization_id is not None, "a report is of one organization"
    as_of = date.fromisoformat(context.parameters["as_of"])
    unit = context.session.get_one(Organization, (context.tenant_id, organization_id)).name
    with arrow_connection(arrow_url(context.session)) as connection:
        content = rendering.render(
            context.session,
            connection,
            context.plugins.packs,
            form,
            organization_id,
            as_of,
            requested_by=context.actor.name,
        )
    context.keep_file(f"{form.title}-{unit}-{as_of}{form.suffix}", form.media_type, content)
    return None


REPORT: Final = JobKind("report", lambda: _("生成报表"), "reports.make", make)
