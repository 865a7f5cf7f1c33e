"""What superiors ask of units that fall short: reminders, reasons, rectifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.plugins import packs
from guiju.api.reach import known_organization, top
from guiju.api.schemas import WithinQuery, id_field, part_field, period_field, plain, text_field
from guiju.api.tags import check_match
from guiju.clock import today
from guiju.db import db
from guiju.decisions import tasks
from guiju.decisions.models import TASK_KINDS, TASK_STATES
from guiju.decisions.refusals import LONGEST
from guiju.decisions.tasks import MOST_AT_ONCE, Target, TaskRow

blueprint = Blueprint(
    "tasks",
    "督办",
    "对没有达到的要求：提醒（remind）、要求说明（ask_reason）、下达整改（rectify）。"
    "只对组织，不对个人；半小时内可以撤回。",
)


class TaskSchema(Schema):
    """Something asked of a unit."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(TASK_KINDS))
    batch = fields.String(required=True, metadata={"description": "一次提出的各项，可一并撤回"})
    organization = fields.String(required=True)
    requirement = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, metadata={"description": "要求的名称"})
    period = fields.String(required=True, allow_none=True)
    text = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(TASK_STATES))
    made_by = fields.String(required=True)
    made_at = fields.DateTime(required=True)
    answer = fields.String(required=True, allow_none=True)
    answered_by = fields.String(required=True, allow_none=True)
    answered_at = fields.DateTime(required=True, allow_none=True)
    remark = fields.String(
        required=True, allow_none=True, metadata={"description": "办结或退回时所说的"}
    )
    may = fields.List(fields.String(), required=True, metadata={"description": "您现在可以做的"})


class BatchSchema(Schema):
    """What was asked in one go."""

    batch = fields.String(required=True)
    tasks = fields.List(fields.Nested(TaskSchema), required=True)


class TaskQuery(ListQuery, WithinQuery):
    """Which tasks are listed."""

    state = fields.String(
        validate=validate.OneOf(TASK_STATES),
        metadata={"description": "状态；不填为除已撤回（undone）以外的"},
    )
    kind = fields.String(validate=validate.OneOf(TASK_KINDS), metadata={"description": "种类"})


class AskedItemSchema(Schema):
    """What falls short."""

    organization = id_field("组织编号", required=True)
    requirement = text_field("要求的编号", 200, required=True)
    part = part_field()
    period = period_field()


class AskingSchema(Schema):
    """What is asked of whom."""

    kind = fields.String(
        required=True, validate=validate.OneOf(TASK_KINDS), metadata={"description": "种类"}
    )
    text = text_field("写给各组织的话", LONGEST, load_default="")
    due_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "时限；整改必填"}
    )
    items = fields.List(
        fields.Nested(AskedItemSchema),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE),
        metadata={"description": "所关的事项，现在都没有达到"},
    )


class TaskAnswerSchema(Schema):
    """What the unit says."""

    text = text_field("说明，或整改的情况", LONGEST, required=True)


class ClosingSchema(Schema):
    """What is said on closing."""

    remark = text_field("办结意见", LONGEST, load_default="")


class SendingBackSchema(Schema):
    """Why the answer does not do."""

    remark = text_field("退回的原因", LONGEST, required=True)


@blueprint.get("/tasks")
@blueprint.says("列出督办事项", "新的在前。`within` 不填为您管辖的最上级组织。")
@blueprint.asks(TaskQuery)
@blueprint.lists(TaskSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """What was asked of an organization and those below it."""
    number, _path = top(query, "findings.read")
    after = opened(query)
    found = tasks.tasks(
        db.session,
        packs(),
        visitor(),
        number,
        state=query.get("state"),
        kind=query.get("kind"),
        before=None if after is None else after[0],
        limit=query["limit"],
    )
    return Page(
        [_plain(row) for row in found.rows], None if found.before is None else [found.before]
    )


@blueprint.post("/tasks")
@blueprint.says("提醒、要求说明或下达整改", "全部送达，或全不送达；已经达到的要求回答 409。")
@blueprint.takes(
    AskingSchema,
    example={
        "kind": "remind",
        "text": "请尽快补开",
        "items": [
            {
                "organization": "finance-2",
                "requirement": "xian.theme_day.monthly",
                "period": "2021-03",
            }
        ],
    },
)
@blueprint.creates(BatchSchema)
def ask(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Ask something of units."""
    targets = []
    for number, item in enumerate(body["items"]):
        place = f"/items/{number}/organization"
        unit = known_organization(item["organization"], place, "findings.act")
        assert unit is not None
        targets.append(Target(unit.id, item["requirement"], item["part"], item["period"]))
    batch = tasks.ask(
        db.session,
        visitor(),
        body["kind"],
        targets,
        text=body["text"],
        due_on=body["due_on"],
        today=today(),
    )
    return _batch(batch), url_for(".show_batch", batch=batch)


@blueprint.get("/tasks/batches/<batch>")
@blueprint.says("读取一次提出的各项", "只有提出的人可以。")
@blueprint.shows(BatchSchema)
def show_batch(batch: str) -> dict[str, Any]:
    """What the caller asked in one go."""
    return _batch(batch)


@blueprint.delete("/tasks/batches/<batch>")
@blueprint.says("撤回一次提出的各项", "半小时内，还没有组织答复时；如同没有提出过。")
@blueprint.removes()
def undo(batch: str) -> None:
    """Take back what the caller asked in one go."""
    check_match(_batch(batch, lock=True))
    tasks.undo(db.session, visitor(), batch)


@blueprint.get("/tasks/<number:task_id>")
@blueprint.says("读取一件督办事项")
@blueprint.shows(TaskSchema)
def show(task_id: int) -> dict[str, Any]:
    """One task."""
    return _task(task_id)


@blueprint.post("/tasks/<number:task_id>/answer")
@blueprint.says("答复", "由被督办的组织答复。")
@blueprint.takes(TaskAnswerSchema)
@blueprint.changes(TaskSchema)
def answer(body: Mapping[str, Any], task_id: int) -> dict[str, Any]:
    """Say why, or what has been done about it."""
    check_match(_task(task_id, lock=True))
    tasks.answer(db.session, visitor(), task_id, body["text"])
    return _task(task_id)


@blueprint.post("/tasks/<number:task_id>/close")
@blueprint.says("办结")
@blueprint.takes(ClosingSchema)
@blueprint.changes(TaskSchema)
def close(body: Mapping[str, Any], task_id: int) -> dict[str, Any]:
    """Close what a unit has answered."""
    check_match(_task(task_id, lock=True))
    tasks.close(db.session, visitor(), task_id, body["remark"], accepted=True)
    return _task(task_id)


@blueprint.post("/tasks/<number:task_id>/return")
@blueprint.says("退回答复", "须再作答复。")
@blueprint.takes(SendingBackSchema)
@blueprint.changes(TaskSchema)
def send_back(body: Mapping[str, Any], task_id: int) -> dict[str, Any]:
    """Send an answer back."""
    check_match(_task(task_id, lock=True))
    tasks.close(db.session, visitor(), task_id, body["remark"], accepted=False)
    return _task(task_id)


def _task(task_id: int, *, lock: bool = False) -> dict[str, Any]:
    return _plain(tasks.one(db.session, packs(), visitor(), task_id, lock=lock))


def _batch(batch: str, *, lock: bool = False) -> dict[str, Any]:
    found = tasks.batch_of(db.session, packs(), visitor(), batch, lock=lock)
    return {"batch": batch, "tasks": [_plain(row) for row in found]}


def _plain(row: TaskRow) -> dict[str, Any]:
    task = row.task
    shown: dict[str, Any] = plain(
        {
            "id": task.id,
            "kind": task.kind,
            "batch": task.batch,
            "organization": row.unit.code,
            "requirement": task.requirement,
            "part": task.part,
            "title": row.title,
            "period": task.period,
            "text": task.text,
            "due_on": task.due_on,
            "state": task.state,
            "made_by": task.made_by,
            "made_at": task.made_at,
            "answer": task.answer,
            "answered_by": task.answered_by,
            "answered_at": task.answered_at,
            "remark": task.remark,
            "may": sorted(row.actions),
        }
    )
    return shown
