"""What the scheduler and workers run for the audit trail."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from guiju.audit import chain, queries, wording
from guiju.audit.operations import record_reading
from guiju.audit.queries import Entry, Filters
from guiju.clock import ZONE, today
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession, transaction
from guiju.jobs.kinds import JobContext, JobKind, Result
from guiju.language import gettext as _
from guiju.reports import sheets
from guiju.tenancy.queries import all_tenants

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: Rows of a workbook beyond which spreadsheets refuse to open it, with room for headings.
_MOST_ROWS = 1_000_000

_STEP = 1000


def seal_all() -> None:
    """Seal what every tenant's trail has more."""
    engine = create_engine(load_settings().database_url, poolclass=sa.NullPool)
    try:
        with ScopedSession(engine) as session:
            tenants = all_tenants(session, "sealing the audit trail")
        for tenant in tenants:
            with tenant_scope(tenant.id), ScopedSession(engine) as session:
                chain.seal(session)
    finally:
        engine.dispose()


def export(context: JobContext) -> Result:
    """Write the entries that the parameters (filters) ask for into a workbook."""
    filters = Filters.read(context.parameters)
    with transaction(context.session):
        record_reading(context.session, context.actor, "audit_entries", _words(filters))
    total = min(queries.count(context.session, filters), _MOST_ROWS)
    out = io.BytesIO()
    with sheets.report(out) as workbook:
        headings = [
            (_("编号"), 10),
            (_("时间"), 20),
            (_("操作人"), 16),
            (_("地址"), 16),
            (_("动作"), 18),
            (_("动作代码"), 22),
            (_("对象"), 18),
            (_("对象编号"), 14),
            (_("改前"), 40),
            (_("改后"), 40),
        ]
        workbook.sheet(
            _("审计"), _("审计记录"), headings, _rows(context, filters, total), note=_words(filters)
        )
    context.keep_file(_("审计记录-{day}.xlsx").format(day=today()), _WORKBOOK, out.getvalue())
    return {"entries": total}


def _rows(context: JobContext, filters: Filters, total: int) -> Iterator[list[Any]]:
    actions, subjects = wording.actions(), wording.subjects()
    for number, entry in enumerate(queries.all_entries(context.session, filters), 1):
        if number > total:
            return
        if number % _STEP == 0 or number == total:
            context.progress(number, total)
        yield _row(entry, actions, subjects)


def _row(entry: Entry, actions: Mapping[str, str], subjects: Mapping[str, str]) -> list[Any]:
    return [
        entry.id,
        entry.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S"),
        entry.actor,
        entry.address,
        actions.get(entry.action, entry.action),
        entry.action,
        subjects.get(entry.subject_type, entry.subject_type),
        entry.subject,
        _text(entry.before),
        _text(entry.after),
    ]


def _text(values: Any) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False, sort_keys=True)


def _words(filters: Filters) -> str:
    told = filters.told()
    return "；".join(f"{name}={value}" for name, value in told.items()) or _("全部")


AUDIT_EXPORT: Final = JobKind(
    "audit_export", lambda: _("导出审计记录"), "audit.read", export, keep_days=30
)
