"""Exporting a tenant in the background."""

from __future__ import annotations

import tempfile
from typing import Final

from guiju.clock import today
from guiju.config import load_settings
from guiju.db import contents
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.files import FileStore
from guiju.jobs.kinds import JobContext, JobKind, Result
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.archive import export_tenant

#: Bytes of all files together that are kept for a download; more are for the operator's command.
MOST_BYTES: Final = 2_000_000_000


def export(context: JobContext) -> Result:
    """Write everything of the tenant into a file to be downloaded."""
    refuse_large(context.session)
    context.session.rollback()
    store = FileStore(load_settings().files_url)
    with tempfile.TemporaryFile() as out:
        found = export_tenant(
            context.session, context.actor, store, out, lenient=True, progress=context.progress
        )
        for name in found.missing:
            context.log(_("附件 {name} 的内容已缺失，没有导出").format(name=name))
        out.seek(0)
        name = _("全部数据-{day}.zip").format(day=today())
        context.keep_file(name, "application/zip", out)
    return {"rows": found.rows, "files": found.files, "missing": len(found.missing)}


def refuse_large(session: AnySession) -> None:
    """Raise ``BadInput`` for a tenant with more files than are kept for a download."""
    _number, size = contents.totals(session.connection(), current_tenant_id())
    if size > MOST_BYTES:
        found = _("附件共 {size:.1f} GB").format(size=size / 1e9)
        wanted = _("超过 {most:.0f} GB 的请由平台运维人员用 guiju tenant export 导出").format(
            most=MOST_BYTES / 1e9
        )
        raise BadInput([Problem("", found, wanted, "too_large")])


TENANT_EXPORT: Final = JobKind(
    "tenant_export",
    lambda: _("导出全部数据"),
    "tenant.export",
    export,
    restricted=True,
    keep_days=7,
)
