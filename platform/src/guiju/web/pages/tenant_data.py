"""All of the tenant's data, for who may take it away."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.db import db, transaction
from guiju.jobs import queries
from guiju.jobs.operations import request_job
from guiju.rules.problems import BadInput
from guiju.tenancy.jobs import TENANT_EXPORT, refuse_large
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("tenant_data", __name__)


@blueprint.before_request
def _whole_tenant_only() -> None:
    not_found_unless(current_user.may_everywhere("tenant.export"))


@blueprint.get("/data")
def page() -> str:
    """What an export holds, and the exports made lately."""
    try:
        refuse_large(db.session)
    except BadInput as refused:
        return _page(refused)
    return _page()


@blueprint.post("/data/export")
def export() -> Response | tuple[str, int]:
    """Have everything written into a file, in the background."""
    try:
        refuse_large(db.session)
    except BadInput as refused:
        return _page(refused), 422
    with transaction(db.session):
        job = request_job(db.session, current_user.actor(), TENANT_EXPORT, {})
    return redirect(url_for("jobs.page", job_id=job))


def _page(refused: BadInput | None = None) -> str:
    listed = queries.jobs(db.session, current_user, kind=TENANT_EXPORT.name, limit=10)
    problems = [] if refused is None else refused.problems
    return render_template("tenant_data.html", listed=listed, problems=problems)
