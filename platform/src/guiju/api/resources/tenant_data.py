"""All of the tenant's data, for who may take it away."""

from __future__ import annotations

from typing import Any

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint
from guiju.api.reach import demand_everywhere
from guiju.api.resources.jobs import JobSchema, accepted
from guiju.db import db, transaction
from guiju.jobs.operations import request_job
from guiju.tenancy.jobs import TENANT_EXPORT, refuse_large

blueprint = Blueprint("tenant_data", "全部数据", "导出整个租户，可由另一处的规矩导入。")


@blueprint.post("/exports")
@blueprint.says(
    "导出全部数据",
    "连同附件和审计记录。得到一个后台任务；完成后下载其文件，文件保留七天。"
    "附件超过 2 GB 的由运维导出（422）。",
)
@blueprint.begins(JobSchema)
def export() -> tuple[dict[str, Any], str]:
    """Have everything written into a file, in the background."""
    demand_everywhere("tenant.export")
    refuse_large(db.session)
    with transaction(db.session):
        number = request_job(db.session, visitor().actor(), TENANT_EXPORT, {})
    return accepted(number)
