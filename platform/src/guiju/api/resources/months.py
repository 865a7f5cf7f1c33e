"""Months: what is still missing, declaring them complete, and taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from guiju.activities.attestations import (
    declare_month,
    month_status,
    object_to_month,
    open_months,
    reopen_month,
)
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.plugins import packs
from guiju.api.problems import not_found
from guiju.api.reach import organization, top
from guiju.api.schemas import WithinQuery, is_month, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.scoring.operations import fixed_as_of

blueprint = Blueprint("months", "按月声明", "声明一个月的记录已经齐全；此后没有记录的即为没有做。")


class LackingSchema(Schema):
    """What the rules still ask for in a month."""

    requirement = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)
    verdict = fields.String(required=True)
    due = fields.Date(required=True, allow_none=True)


class MonthWordSchema(Schema):
    """Something somebody said about a month."""

    action = fields.String(required=True, metadata={"description": "declare、reopen 或 object"})
    actor = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    made_at = fields.DateTime(required=True)


class MonthSchema(Schema):
    """Where a unit stands with a month."""

    month = fields.String(required=True)
    complete_since = fields.Date(
        required=True, allow_none=True, metadata={"description": "自哪一天起视为齐全"}
    )
    declared = fields.Boolean(
        required=True, metadata={"description": "由人声明（true），还是到期自动（false）"}
    )
    due_on = fields.Date(required=True, metadata={"description": "应声明的最后一天"})
    overdue = fields.Boolean(required=True)
    lacking = fields.List(fields.Nested(LackingSchema), required=True)
    returned = fields.Integer(required=True, metadata={"description": "被退回的记录数"})
    waiting = fields.Integer(required=True, metadata={"description": "等待审核的记录数"})
    drafts = fields.Integer(required=True, metadata={"description": "草稿数"})
    said = fields.List(fields.Nested(MonthWordSchema), required=True)


class OpenMonthsSchema(Schema):
    """The months of a unit that are over and not complete."""

    organization = fields.String(required=True)
    open = fields.List(fields.String(), required=True, metadata={"description": "未声明齐全的月份"})
    overdue = fields.List(
        fields.String(), required=True, metadata={"description": "其中已过应声明之日的"}
    )


class OpenMonthsQuery(ListQuery, WithinQuery):
    """Whose months are listed."""


class ReopenSchema(Schema):
    """Why a month is open again."""

    reason = text_field("原因", 2000, required=True)


@blueprint.get("/months")
@blueprint.says("列出尚未声明齐全的月份", "逐个支部，已过去的月份；没有的支部不列。")
@blueprint.asks(OpenMonthsQuery)
@blueprint.lists(OpenMonthsSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """Months that are over and not complete, of the branches of a part of the tree."""
    number, _path = top(query, "records.read")
    today = fixed_as_of(db.session)
    found = open_months(db.session, visitor(), number, below=True, today=today)
    rows = [
        {"organization": one.code, "open": list(one.open), "overdue": list(one.overdue)}
        for one in found
    ]
    return sliced(rows, query)


@blueprint.get("/organizations/<id:organization_id>/months/<month>")
@blueprint.says("查看一个月", "还缺什么，是否已声明齐全。月份写作 2021-03。")
@blueprint.shows(MonthSchema)
def show(organization_id: str, month: str) -> dict[str, Any]:
    """Where a unit stands with a month."""
    return _shown(organization(organization_id, "records.read").id, month)


@blueprint.post("/organizations/<id:organization_id>/months/<month>/declare")
@blueprint.says("声明一个月的记录齐全")
@blueprint.changes(MonthSchema)
def declare(organization_id: str, month: str) -> dict[str, Any]:
    """State that the records for a month are complete."""
    number = organization(organization_id, "period.attest", lock=True).id
    check_match(_shown(number, month))
    declare_month(db.session, visitor(), number, month)
    return _shown(number, month)


@blueprint.post("/organizations/<id:organization_id>/months/<month>/reopen")
@blueprint.says("撤回齐全的声明")
@blueprint.takes(ReopenSchema)
@blueprint.changes(MonthSchema)
def reopen(body: dict[str, Any], organization_id: str, month: str) -> dict[str, Any]:
    """Take back that a month is complete."""
    number = organization(organization_id, "period.attest", lock=True).id
    check_match(_shown(number, month))
    reopen_month(db.session, visitor(), number, month, body["reason"])
    return _shown(number, month)


@blueprint.post("/organizations/<id:organization_id>/months/<month>/object")
@blueprint.says("提出一个月并不齐全", "上级的审核人也可以；须再由本单位声明。")
@blueprint.takes(ReopenSchema)
@blueprint.changes(MonthSchema)
def object_(body: dict[str, Any], organization_id: str, month: str) -> dict[str, Any]:
    """Say that a month is not complete, although it counts so."""
    number = organization(organization_id, "records.read", lock=True).id
    check_match(_shown(number, month))
    object_to_month(db.session, visitor(), number, month, body["reason"])
    return _shown(number, month)


def _shown(number: int, month: str) -> dict[str, Any]:
    if not is_month(month):
        raise not_found()
    found = month_status(db.session, visitor(), packs(), number, month)
    shown: dict[str, Any] = plain(
        {
            "month": found.month,
            "complete_since": None if found.completion is None else found.completion.on,
            "declared": found.completion is not None and found.completion.declared,
            "due_on": found.due_on,
            "overdue": found.overdue,
            "lacking": [
                {
                    "requirement": item.requirement,
                    "part": item.part,
                    "title": item.title,
                    "verdict": item.verdict,
                    "due": item.due,
                }
                for item in found.lacking
            ],
            "returned": found.returned,
            "waiting": found.waiting,
            "drafts": found.drafts,
            "said": [
                {
                    "action": word.action,
                    "actor": word.actor,
                    "reason": word.reason,
                    "made_at": word.made_at,
                }
                for word in found.said
            ],
        }
    )
    return shown
