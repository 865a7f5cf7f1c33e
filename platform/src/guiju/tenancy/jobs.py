"""Exporting a tenant in the background."""

from __future__ import annotations

import tempfile
from typing import Final

from guiju.clock import today
from guiju.jobs.kinds import JobContext, JobKind, Result
from guiju.language import gettext as _
from guiju.tenancy.archive import export_tenant


def export(context: JobContext) -> Result:
    """Write everything of the tenant into a file to be downloaded."""
    with tempfile.TemporaryFile() as out:
        rows = export_tenant(context.session, context.actor, out, progress=context.progress)
        out.seek(0)
        name = _("全部数据-{day}.zip").format(day=today())
        context.keep_file(name, "application/zip", out)
    return {"rows": rows}


TENANT_EXPORT: Final = JobKind(
    "tenant_export",
    lambda: _("导出全部数据"),
    "tenant.export",
    export,
    restricted=True,
    keep_days=7,
)
