"""The audit trail, searched and exported by the auditor of the whole tenant alone."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from guiju.audit import queries, wording
from guiju.audit.field_names import field_names
from guiju.audit.jobs import AUDIT_EXPORT
from guiju.audit.operations import record_reading
from guiju.audit.queries import Filters
from guiju.db import db, transaction
from guiju.jobs.operations import request_job
from guiju.language import gettext as _
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("audit", __name__)

_PAGE = 50
_LARGEST = 2**63 - 1
_FIELDS = tuple(Filters.__dataclass_fields__)


@blueprint.before_request
def _auditors_only() -> None:
    # Entries are about the whole tenant, so who audits a part of it has no page here.
    not_found_unless(current_user.may_everywhere("audit.read"))


@blueprint.get("/audit")
def page() -> str:
    """The latest entries, filtered by what the address says; that they were read is recorded."""
    given = {name: request.args.get(name, "") for name in _FIELDS}
    filters = _filters(given)
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before <= _LARGEST:
        abort(404)
    listed: list[queries.Entry] = []
    if filters is not None:
        _note(filters)
        listed = queries.entries(db.session, filters, before=before, limit=_PAGE + 1)
    return render_template(
        "audit.html",
        given=given,
        faulty=filters is None,
        listed=listed[:_PAGE],
        more=len(listed) > _PAGE,
        before=before,
        actions=wording.actions(),
        subjects=wording.subjects(),
        field_names=field_names,
    )


@blueprint.post("/audit/export")
def export() -> BaseResponse:
    """Have the entries written into a workbook, in the background."""
    filters = _filters({name: request.form.get(name, "") for name in _FIELDS})
    if filters is None:
        abort(400)
    with transaction(db.session):
        job = request_job(db.session, current_user.actor(), AUDIT_EXPORT, filters.told())
    flash(_("正在导出，完成后可在此下载。"))
    return redirect(url_for("jobs.page", job_id=job))


@blueprint.app_template_filter()
def plain_value(value: Any) -> str:
    """A value of an entry as the page shows it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(map(plain_value, value))
    if isinstance(value, dict):
        return "；".join(f"{name}={plain_value(part)}" for name, part in value.items())
    return str(value)


def _filters(given: dict[str, str]) -> Filters | None:
    """What is asked for; None where a day is none."""
    try:
        return Filters.read(given)
    except ValueError:
        return None


def _note(filters: Filters) -> None:
    with transaction(db.session):
        told = "；".join(f"{name}={value}" for name, value in filters.told().items())
        record_reading(db.session, current_user.actor(), "audit_entries", told or "page")
