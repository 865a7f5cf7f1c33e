"""What meetings left to be done: by whom, until when, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.activities import follow_ups, queries
from guiju.activities.access import MOST_WORDS
from guiju.activities.follow_ups import FollowUpView
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.reach import demand, organization
from guiju.api.schemas import id_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.scoring.naming import Names

blueprint = Blueprint(
    "follow_ups",
    "待办事项",
    "会议议定的事：谁、何时办、办得如何。涉及姓名，有权查看姓名的才能看到。",
)

#: Open ones that are listed at most.
_MOST = 1000


class FollowUpTextSchema(Schema):
    """What is to be done."""

    what = text_field("做什么", MOST_WORDS, required=True)
    who = text_field("谁来做", MOST_WORDS, required=True)
    due_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "何时以前"})


class FollowUpSchema(FollowUpTextSchema):
    """Something to be done."""

    id = fields.Integer(required=True)
    occasion = fields.String(required=True, metadata={"description": "活动编号"})
    organization = fields.String(required=True)
    done_on = fields.Date(required=True, allow_none=True, metadata={"description": "办结的日期"})
    note = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)
    author = fields.String(required=True)
    changed_at = fields.DateTime(required=True)


class DoneSchema(Schema):
    """That it has been done."""

    done_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "哪一天；不填为今天"}
    )
    note = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=MOST_WORDS),
        metadata={"description": "办得如何"},
    )


class FollowUpQuery(ListQuery):
    """Which of them are listed."""

    organization = id_field("只看这个组织的")


@blueprint.get("/follow-ups")
@blueprint.says("列出未办结的待办事项", "您填报的组织的，先到期的在前。")
@blueprint.asks(FollowUpQuery)
@blueprint.lists(FollowUpSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """What is still to be done."""
    demand("records.write")
    number = None
    if "organization" in query:
        number = organization(query["organization"], "records.write").id
    found = follow_ups.open_follow_ups(db.session, visitor(), number, limit=_MOST)
    return sliced(_shown(found), query)


@blueprint.get("/occasions/<id:occasion_id>/follow-ups")
@blueprint.says("列出一次活动的待办事项", "无权查看姓名的，列表为空。")
@blueprint.asks(ListQuery)
@blueprint.lists(FollowUpSchema)
def of_occasion(query: Mapping[str, Any], occasion_id: str) -> Page:
    """What a meeting left to be done."""
    number = _occasion(occasion_id)
    return sliced(_shown(follow_ups.follow_ups_of(db.session, visitor(), number)), query)


@blueprint.post("/occasions/<id:occasion_id>/follow-ups")
@blueprint.says("记下待办事项")
@blueprint.takes(
    FollowUpTextSchema,
    example={"what": "补交学习心得", "who": "张三", "due_on": "2021-12-31"},
)
@blueprint.creates(FollowUpSchema)
def add(body: Mapping[str, Any], occasion_id: str) -> tuple[dict[str, Any], str]:
    """Note something to be done after a meeting."""
    number = follow_ups.add_follow_up(db.session, visitor(), _occasion(occasion_id), **body)
    return _one(number), url_for(".show", follow_up_id=number)


@blueprint.get("/follow-ups/<number:follow_up_id>")
@blueprint.says("读取一件待办事项")
@blueprint.shows(FollowUpSchema)
def show(follow_up_id: int) -> dict[str, Any]:
    """Something to be done."""
    return _one(follow_up_id)


@blueprint.put("/follow-ups/<number:follow_up_id>")
@blueprint.says("更改待办事项")
@blueprint.takes(FollowUpTextSchema)
@blueprint.changes(FollowUpSchema)
def change(body: Mapping[str, Any], follow_up_id: int) -> dict[str, Any]:
    """Say anew what is to be done."""
    revision = _as_read(follow_up_id)
    follow_ups.change_follow_up(db.session, visitor(), follow_up_id, **body, revision=revision)
    return _one(follow_up_id)


@blueprint.post("/follow-ups/<number:follow_up_id>/finish")
@blueprint.says("办结待办事项")
@blueprint.takes(DoneSchema)
@blueprint.changes(FollowUpSchema)
def finish(body: Mapping[str, Any], follow_up_id: int) -> dict[str, Any]:
    """It has been done."""
    revision = _as_read(follow_up_id)
    follow_ups.finish_follow_up(db.session, visitor(), follow_up_id, **body, revision=revision)
    return _one(follow_up_id)


@blueprint.post("/follow-ups/<number:follow_up_id>/reopen")
@blueprint.says("重新打开待办事项")
@blueprint.changes(FollowUpSchema)
def reopen(follow_up_id: int) -> dict[str, Any]:
    """It has not been done after all."""
    revision = _as_read(follow_up_id)
    follow_ups.reopen_follow_up(db.session, visitor(), follow_up_id, revision=revision)
    return _one(follow_up_id)


@blueprint.delete("/follow-ups/<number:follow_up_id>")
@blueprint.says("删去待办事项", "记错了的。")
@blueprint.removes()
def drop(follow_up_id: int) -> None:
    """It was noted by mistake."""
    revision = _as_read(follow_up_id)
    follow_ups.drop_follow_up(db.session, visitor(), follow_up_id, revision=revision)


def _occasion(code: str) -> int:
    return queries.record_with_code(db.session, visitor(), code).summary.occasion_id


def _as_read(number: int) -> int:
    """The revision of what the caller has read; whoever acts meanwhile raises a conflict."""
    found = follow_ups.find_follow_up(db.session, visitor(), number)
    check_match(_shown([found])[0])
    return found.revision


def _one(number: int) -> dict[str, Any]:
    return _shown([follow_ups.find_follow_up(db.session, visitor(), number)])[0]


def _shown(found: list[FollowUpView]) -> list[dict[str, Any]]:
    units = Names(db.session).units({one.organization_id for one in found})
    return [
        plain(
            {
                "id": one.follow_up_id,
                "occasion": one.occasion,
                "organization": units[one.organization_id].code,
                "what": one.what,
                "who": one.who,
                "due_on": one.due_on,
                "done_on": one.done_on,
                "note": one.note,
                "revision": one.revision,
                "author": one.author,
                "changed_at": one.changed_at,
            }
        )
        for one in found
    ]
