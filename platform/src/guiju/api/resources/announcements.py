"""Announcements of meetings to come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields

from guiju.activities import announcements, queries
from guiju.activities.access import MOST_WORDS
from guiju.activities.announcements import AnnouncementView
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.problems import fault
from guiju.api.reach import organization
from guiju.api.schemas import id_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.language import gettext as _
from guiju.scoring.naming import Names
from guiju.scoring.results import NotVisible

blueprint = Blueprint(
    "announcements", "通知", "预告将要召开的会议，到那一天为止；看得到该组织的人都能看到。"
)


class NewAnnouncementSchema(Schema):
    """A meeting to come."""

    text = text_field("内容", MOST_WORDS, required=True)
    meets_on = fields.Date(required=True, metadata={"description": "会议日期"})
    occasion = id_field("计划中的活动的编号", load_default=None, allow_none=True)


class AnnouncementSchema(NewAnnouncementSchema):
    """An announcement."""

    id = fields.Integer(required=True)
    organization = fields.String(required=True)
    author = fields.String(required=True)
    created_at = fields.DateTime(required=True)


@blueprint.get("/announcements")
@blueprint.says("列出给我的通知", "您有角色的组织的，近的在前。")
@blueprint.asks(ListQuery)
@blueprint.lists(AnnouncementSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """What is announced to the caller."""
    return sliced(_shown(announcements.announcements_for(db.session, visitor())), query)


@blueprint.get("/organizations/<id:organization_id>/announcements")
@blueprint.says("列出一个组织的通知")
@blueprint.asks(ListQuery)
@blueprint.lists(AnnouncementSchema)
def of_organization(query: Mapping[str, Any], organization_id: str) -> Page:
    """What is announced to one unit."""
    unit = organization(organization_id, "records.read")
    return sliced(_shown(announcements.announcements_of(db.session, visitor(), unit.id)), query)


@blueprint.post("/organizations/<id:organization_id>/announcements")
@blueprint.says("发布通知")
@blueprint.takes(
    NewAnnouncementSchema, example={"text": "周五下午三点，三楼会议室", "meets_on": "2030-03-08"}
)
@blueprint.creates(AnnouncementSchema)
def announce(body: Mapping[str, Any], organization_id: str) -> tuple[dict[str, Any], str]:
    """Tell a unit's members of a meeting to come."""
    unit = organization(organization_id, "records.write").id
    occasion = None if body["occasion"] is None else _occasion(body["occasion"])
    number = announcements.announce(
        db.session, visitor(), unit, body["text"], body["meets_on"], occasion_id=occasion
    )
    return _one(number), url_for(".show", announcement_id=number)


@blueprint.get("/announcements/<number:announcement_id>")
@blueprint.says("读取一项通知")
@blueprint.shows(AnnouncementSchema)
def show(announcement_id: int) -> dict[str, Any]:
    """One announcement."""
    return _one(announcement_id)


@blueprint.delete("/announcements/<number:announcement_id>")
@blueprint.says("收回通知")
@blueprint.removes()
def withdraw(announcement_id: int) -> None:
    """Show an announcement no longer."""
    check_match(_one(announcement_id))
    announcements.withdraw_announcement(db.session, visitor(), announcement_id)


def _occasion(code: str) -> int:
    """The number of an occasion that a body names; one that is not seen is not known."""
    try:
        return queries.record_with_code(db.session, visitor(), code).summary.occasion_id
    except NotVisible:
        wanted = _("应为已有的活动")
        raise fault("/occasion", "unknown_reference", wanted, code) from None


def _one(number: int) -> dict[str, Any]:
    return _shown([announcements.find_announcement(db.session, visitor(), number)])[0]


def _shown(found: list[AnnouncementView]) -> list[dict[str, Any]]:
    units = Names(db.session).units({one.organization_id for one in found})
    return [
        plain(
            {
                "id": one.announcement_id,
                "organization": units[one.organization_id].code,
                "occasion": one.occasion,
                "meets_on": one.meets_on,
                "text": one.text,
                "author": one.author,
                "created_at": one.created_at,
            }
        )
        for one in found
    ]
