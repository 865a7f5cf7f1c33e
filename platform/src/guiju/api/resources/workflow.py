"""How records are reviewed: by none, one or two levels, set at any organization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from guiju.activities import workflow
from guiju.activities.models import LATE_AFTER_DAYS, MOST_LEVELS
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.reach import demand, organization
from guiju.api.tags import check_match
from guiju.db import db
from guiju.organizations.models import Organization
from guiju.scoring.naming import Names

blueprint = Blueprint("workflow", "审核设置", "活动记录须经几级审核，多久之后填报算补录。")


class SetWorkflowSchema(Schema):
    """How records are reviewed where that is set."""

    organization = fields.String(required=True)
    levels = fields.Integer(required=True)
    late_after_days = fields.Integer(required=True)


class WorkflowChoiceSchema(Schema):
    """How records are to be reviewed."""

    levels = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, MOST_LEVELS),
        metadata={"description": "须经几级审核"},
    )
    late_after_days = fields.Integer(
        load_default=LATE_AFTER_DAYS,
        strict=True,
        validate=validate.Range(0, 366),
        metadata={"description": "活动过去几天以后才填报的算补录"},
    )


class WorkflowSchema(WorkflowChoiceSchema):
    """How records are reviewed here."""

    own = fields.Boolean(
        required=True, metadata={"description": "在这里设定（true），还是沿用上级或默认（false）"}
    )


@blueprint.get("/workflows")
@blueprint.says("列出各处的审核设置", "您看得到的组织中自己设定的，从上到下。")
@blueprint.asks(ListQuery)
@blueprint.lists(SetWorkflowSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """What is set where."""
    demand("records.read")
    found = workflow.workflows(db.session, visitor())
    units = Names(db.session).units({number for number, _set in found})
    rows = [
        {
            "organization": units[number].code,
            "levels": one.levels,
            "late_after_days": one.late_after_days,
        }
        for number, one in found
    ]
    return sliced(rows, query)


@blueprint.get("/organizations/<id:organization_id>/workflow")
@blueprint.says("查看审核设置")
@blueprint.shows(WorkflowSchema)
def show(organization_id: str) -> dict[str, Any]:
    """How records are reviewed at an organization."""
    return _shown(organization(organization_id, "records.read"))


@blueprint.put("/organizations/<id:organization_id>/workflow")
@blueprint.says("更改审核设置", "对这个组织及其下级，自此以后提交的记录有效。")
@blueprint.takes(WorkflowChoiceSchema)
@blueprint.changes(WorkflowSchema)
def change(body: Mapping[str, Any], organization_id: str) -> dict[str, Any]:
    """Set how records are reviewed at and below an organization."""
    found = organization(organization_id, "workflow.manage", lock=True)
    check_match(_shown(found))
    workflow.set_workflow(
        db.session,
        visitor(),
        found.id,
        levels=body["levels"],
        late_after_days=body["late_after_days"],
    )
    return _shown(organization(organization_id, "workflow.manage"))


@blueprint.delete("/organizations/<id:organization_id>/workflow")
@blueprint.says("沿用上级的审核设置", "自此以后提交的记录有效。")
@blueprint.removes()
def inherit(organization_id: str) -> None:
    """Be reviewed as the superior is."""
    found = organization(organization_id, "workflow.manage", lock=True)
    check_match(_shown(found))
    workflow.inherit_workflow(db.session, visitor(), found.id)


def _shown(found: Organization) -> dict[str, Any]:
    holding = workflow.workflow_of(db.session, found.path)
    return {
        "levels": holding.levels,
        "late_after_days": holding.late_after_days,
        "own": holding.organization_id == found.id,
    }
