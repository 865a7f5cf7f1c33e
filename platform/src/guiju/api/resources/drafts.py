"""Drafts of occasions: kept while they are typed, submitted when they are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields

from guiju.activities import drafts, queries, records
from guiju.activities.access import MOST_WORDS
from guiju.activities.drafts import DraftView
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.plugins import plugins
from guiju.api.reach import demand, known_organization, organization
from guiju.api.schemas import id_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.scoring.naming import Names

blueprint = Blueprint(
    "drafts", "草稿", "还没有提交的活动记录：内容可以不全；不计入评判。同一组织能填报的人都能继续。"
)


class NewDraftSchema(Schema):
    """What was typed so far."""

    organization = id_field("组织编号", required=True)
    typed = fields.Dict(
        required=True, metadata={"description": "已填内容，写法与填报活动相同，可以不全"}
    )


class TypedSchema(Schema):
    """What is typed by now."""

    typed = fields.Dict(required=True, metadata={"description": "已填的全部内容"})


class DraftSchema(NewDraftSchema):
    """A draft as it is kept."""

    id = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    author = fields.String(required=True)
    updated_at = fields.DateTime(required=True)


class DraftQuery(ListQuery):
    """Which drafts are listed."""

    organization = id_field("只看这个组织的")


class SubmittingSchema(Schema):
    """What is said on submitting."""

    reason = text_field("更正原因；该月已声明齐全时必填", MOST_WORDS)


class SubmittedSchema(Schema):
    """What became of a draft."""

    occasion = fields.String(required=True, metadata={"description": "活动编号"})
    state = fields.String(required=True)


@blueprint.get("/drafts")
@blueprint.says("列出草稿", "您能填报的组织的草稿，新改的在前。")
@blueprint.asks(DraftQuery)
@blueprint.lists(DraftSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """Open drafts."""
    demand("records.write")
    number = None
    if "organization" in query:
        number = organization(query["organization"], "records.write").id
    found = drafts.drafts_of(db.session, visitor(), number)
    units = Names(db.session).units({one.organization_id for one in found})
    return sliced([_plain(one, units[one.organization_id].code) for one in found], query)


@blueprint.post("/drafts")
@blueprint.says("新建草稿")
@blueprint.takes(NewDraftSchema)
@blueprint.creates(DraftSchema)
def create(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Keep what was typed so far."""
    unit = known_organization(body["organization"], "/organization", "records.write")
    assert unit is not None
    made = drafts.save_draft(db.session, visitor(), unit.id, body["typed"])
    return _shown(made), url_for(".show", draft_id=made.draft_id)


@blueprint.post("/occasions/<id:occasion_id>/drafts")
@blueprint.says("起草更正", "以记录现在的内容为草稿；已有更正草稿的，就是那一份。")
@blueprint.creates(DraftSchema)
def correct(occasion_id: str) -> tuple[dict[str, Any], str]:
    """Begin to correct a record."""
    number = queries.record_with_code(db.session, visitor(), occasion_id).summary.occasion_id
    made = drafts.begin_correction(db.session, visitor(), number)
    return _shown(made), url_for(".show", draft_id=made.draft_id)


@blueprint.get("/drafts/<number:draft_id>")
@blueprint.says("读取一份草稿")
@blueprint.shows(DraftSchema)
def show(draft_id: int) -> dict[str, Any]:
    """One draft."""
    return _shown(drafts.find_draft(db.session, visitor(), draft_id))


@blueprint.put("/drafts/<number:draft_id>")
@blueprint.says("保存草稿")
@blueprint.takes(TypedSchema)
@blueprint.changes(DraftSchema)
def save(body: Mapping[str, Any], draft_id: int) -> dict[str, Any]:
    """Save what is typed by now."""
    found = _as_read(draft_id)
    return _shown(
        drafts.save_draft(
            db.session,
            visitor(),
            found.organization_id,
            body["typed"],
            draft_id,
            revision=found.revision,
        )
    )


@blueprint.delete("/drafts/<number:draft_id>")
@blueprint.says("丢弃草稿")
@blueprint.removes()
def discard(draft_id: int) -> None:
    """Throw a draft away."""
    _as_read(draft_id)
    drafts.discard_draft(db.session, visitor(), draft_id)


@blueprint.post("/drafts/<number:draft_id>/submit")
@blueprint.says("提交草稿", "成为活动记录，或更正所依据的记录；有错误时草稿不变。")
@blueprint.takes(SubmittingSchema)
@blueprint.changes(SubmittedSchema)
def submit(body: Mapping[str, Any], draft_id: int) -> dict[str, Any]:
    """Make a record of a draft."""
    found = _as_read(draft_id)
    made = records.submit_draft(
        db.session,
        visitor(),
        plugins(),
        draft_id,
        revision=found.revision,
        reason=body.get("reason"),
    )
    shown = queries.find_record(db.session, visitor(), made.occasion_id).summary
    return {"occasion": shown.code, "state": shown.state}


def _as_read(draft_id: int) -> DraftView:
    """The draft, locked, which is as the caller has read it."""
    drafts.draft_of(db.session, visitor(), draft_id, lock=True)
    found = drafts.find_draft(db.session, visitor(), draft_id)
    check_match(_shown(found))
    return found


def _shown(found: DraftView) -> dict[str, Any]:
    return _plain(
        found, Names(db.session).units({found.organization_id})[found.organization_id].code
    )


def _plain(found: DraftView, unit: str) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.draft_id,
            "organization": unit,
            "typed": found.payload,
            "revision": found.revision,
            "author": found.author,
            "updated_at": found.updated_at,
        }
    )
    return shown
