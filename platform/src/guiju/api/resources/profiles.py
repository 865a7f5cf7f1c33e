"""Which notice judges which part of the tree: looked at beforehand, confirmed, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened, sliced
from guiju.api.plugins import packs
from guiju.api.problems import Refused, fault, not_found
from guiju.api.reach import demand, organization
from guiju.api.schemas import plain, text_field
from guiju.api.tags import check_match
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.profiles import keeping, operations, queries
from guiju.profiles.queries import Change, PreviewHead
from guiju.profiles.terms import Choose, Edit, Enable, End, Term, Withdraw
from guiju.scoring.naming import Names
from guiju.scoring.queries import standing

blueprint = Blueprint(
    "enabling",
    "启用地方文件",
    "哪个文件从哪一天起适用于组织树的哪一部分。先预览会使哪些组织的结果改变，再确认生效。",
)

_ACTIONS = ("enable", "end", "withdraw", "choose")


class TermSchema(Schema):
    """One notice from a day on."""

    profile = fields.String(required=True, metadata={"description": "文件的编号"})
    judge_from = fields.Date(required=True, metadata={"description": "评判的第一天"})
    until = fields.Date(required=True, allow_none=True, metadata={"description": "最后一天"})
    settings = fields.Dict(
        required=True, metadata={"description": "在这里选定的理解和设置；其余沿用上级的"}
    )


class TermsSchema(Schema):
    """What is enabled at an organization itself."""

    terms = fields.List(fields.Nested(TermSchema), required=True)


class EditSchema(Schema):
    """A change to be looked at."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(_ACTIONS),
        metadata={
            "description": "启用（enable）、停用（end）、如同没有启用过（withdraw）、"
            "改设置（choose）"
        },
    )
    judge_from = fields.Date(
        required=True, metadata={"description": "评判的第一天；改动已启用的，以此指明是哪一段"}
    )
    profile = text_field("启用哪个文件", 100)
    until = fields.Date(metadata={"description": "最后一天；停用时必填"})
    since = fields.Date(metadata={"description": "新设置自哪一天起；不填为自始"})
    settings = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "选定的理解和设置"},
    )


class PreviewSchema(Schema):
    """What a change would do."""

    id = fields.Integer(required=True)
    organization = fields.String(required=True, metadata={"description": "组织的名称"})
    as_of = fields.Date(required=True)
    done = fields.Boolean(required=True, metadata={"description": "预览已完成"})
    before = fields.List(fields.Nested(TermSchema), required=True)
    after = fields.List(fields.Nested(TermSchema), required=True)
    summary = fields.Dict(required=True, allow_none=True)
    changed = fields.Integer(
        required=True, allow_none=True, metadata={"description": "结果会改变的组织数"}
    )
    confirmed = fields.Boolean(required=True)


class ProfileChangeSchema(Schema):
    """Something that was changed of what is enabled."""

    id = fields.Integer(required=True)
    organization = fields.String(required=True, metadata={"description": "组织编号"})
    action = fields.String(required=True)
    before = fields.List(fields.Nested(TermSchema), required=True)
    after = fields.List(fields.Nested(TermSchema), required=True)
    changed_by = fields.String(required=True)
    changed_at = fields.DateTime(required=True)
    undoes = fields.Integer(
        required=True, allow_none=True, metadata={"description": "撤回了哪一项改动"}
    )
    undoable = fields.Boolean(required=True, metadata={"description": "其后没有别的改动，可以撤回"})


class MoveOfFindingsSchema(Schema):
    """What becomes of some findings."""

    requirement = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    from_ = fields.String(required=True, allow_none=True, data_key="from")
    to = fields.String(required=True, allow_none=True)
    number = fields.Integer(required=True)


class ChangedUnitSchema(Schema):
    """An organization whose findings would change."""

    organization = fields.String(required=True)
    name = fields.String(required=True)
    changed = fields.Integer(required=True)
    moves = fields.List(fields.Nested(MoveOfFindingsSchema), required=True)


class ConfirmationSchema(Schema):
    """That a change is wanted."""

    despite_drift = fields.Boolean(
        load_default=False, metadata={"description": "预览之后记录有变化也确认"}
    )


@blueprint.get("/organizations/<id:organization_id>/profiles")
@blueprint.says("查看启用的文件", "在这个组织本身启用的；没有的沿用上级的。")
@blueprint.shows(TermsSchema)
def show(organization_id: str) -> dict[str, Any]:
    """What is enabled at an organization itself."""
    found = organization(organization_id, "findings.read")
    return {"terms": [term.as_json() for term in operations.terms_of(db.session, found.id)]}


@blueprint.post("/organizations/<id:organization_id>/profiles/previews")
@blueprint.says("预览一项改动", "按现有记录各判一次，看哪些组织的结果会改变。没有任何改动。")
@blueprint.takes(
    EditSchema, example={"action": "enable", "profile": "xian", "judge_from": "2021-01-01"}
)
@blueprint.creates(PreviewSchema)
def preview(body: Mapping[str, Any], organization_id: str) -> tuple[dict[str, Any], str]:
    """Ask what a change would do."""
    found = organization(organization_id, "profile.manage")
    proposal = operations.propose(
        db.session, packs(), found.id, _edit(body), visitor().roots("profile.manage")
    )
    as_of = standing(db.session, visitor().within).as_of or today()
    number = keeping.request_preview(db.session, packs(), visitor().actor(), proposal, as_of)
    return _shown(_head(number)), url_for(".show_preview", preview_id=number)


@blueprint.get("/profiles/previews/<number:preview_id>")
@blueprint.says("读取预览")
@blueprint.shows(PreviewSchema)
def show_preview(preview_id: int) -> dict[str, Any]:
    """One preview."""
    return _shown(_head(preview_id))


@blueprint.get("/profiles/previews/<number:preview_id>/organizations")
@blueprint.says("列出结果会改变的组织", "改变多的在前。预览尚未完成时为空。")
@blueprint.asks(ListQuery)
@blueprint.lists(ChangedUnitSchema)
def changed(query: Mapping[str, Any], preview_id: int) -> Page:
    """The organizations that would change."""
    head = _head(preview_id)
    if head.summary is None:
        return Page([])
    after = opened(query)
    begin = 0 if after is None else int(after[0])
    found = queries.changed(db.session, head, visitor().within, offset=begin, limit=query["limit"])
    end = begin + len(found.units)
    rows = [
        {
            "organization": unit.code,
            "name": unit.name,
            "changed": unit.changed,
            "moves": [
                {
                    "requirement": move.rule.requirement,
                    "part": move.rule.part,
                    "from": move.from_,
                    "to": move.to,
                    "number": move.number,
                }
                for move in unit.moves
            ],
        }
        for unit in found.units
    ]
    return Page(rows, [end] if end < found.total else None)


@blueprint.post("/profiles/previews/<number:preview_id>/confirm")
@blueprint.says("确认改动", "使预览过的改动生效；相关组织重新评判。")
@blueprint.takes(ConfirmationSchema)
@blueprint.changes(PreviewSchema)
def confirm(body: Mapping[str, Any], preview_id: int) -> dict[str, Any]:
    """Make the change that a preview is about."""
    check_match(_shown(_head(preview_id)))
    keeping.confirm(
        db.session,
        packs(),
        visitor().actor(),
        preview_id,
        standing(db.session, visitor().within).as_of or today(),
        despite_drift=body["despite_drift"],
    )
    return _shown(_head(preview_id))


@blueprint.get("/organizations/<id:organization_id>/profiles/changes")
@blueprint.says("列出启用文件的改动", "这个组织及其下级的，新的在前。")
@blueprint.asks(ListQuery)
@blueprint.lists(ProfileChangeSchema)
def changes(query: Mapping[str, Any], organization_id: str) -> Page:
    """What was changed at and below an organization."""
    found = organization(organization_id, "findings.read")
    return sliced(_changes(queries.history(db.session, found.path, limit=1000)), query)


@blueprint.get("/profiles/changes/<number:change_id>")
@blueprint.says("读取一项改动")
@blueprint.shows(ProfileChangeSchema)
def show_change(change_id: int) -> dict[str, Any]:
    """One change."""
    return _changes([_change(change_id, "findings.read")])[0]


@blueprint.post("/profiles/changes/<number:change_id>/undo")
@blueprint.says("撤回一项改动", "恢复到改动之前，相关组织重新评判；回答是撤回这一改动。")
@blueprint.changes(ProfileChangeSchema)
def undo(change_id: int) -> dict[str, Any]:
    """Take a change back."""
    check_match(_changes([_change(change_id, "profile.manage")])[0])
    number = operations.undo(db.session, visitor().actor(), change_id)
    return _changes([_change(number, "profile.manage")])[0]


def _change(change_id: int, permission: str) -> Change:
    found = queries.change(db.session, change_id)
    if found is None or not visitor().sees(found.path):
        raise not_found()
    demand(permission, found.path)
    return found


def _changes(found: Sequence[Change]) -> list[dict[str, Any]]:
    units = Names(db.session).units({one.organization_id for one in found})
    return [
        plain(
            {
                "id": one.id,
                "organization": units[one.organization_id].code,
                "action": one.action,
                "before": [term.as_json() for term in one.before],
                "after": [term.as_json() for term in one.after],
                "changed_by": one.changed_by,
                "changed_at": one.changed_at,
                "undoes": one.undoes_id,
                "undoable": one.undoable,
            }
        )
        for one in found
    ]


def _edit(body: Mapping[str, Any]) -> Edit:
    begin, settings = body["judge_from"], body["settings"]
    match body["action"]:
        case "enable":
            if "profile" not in body:
                raise fault("/profile", "required", _("不能缺少"))
            return Enable(Term(body["profile"], begin, body.get("until"), settings))
        case "end":
            if "until" not in body:
                raise fault("/until", "required", _("不能缺少"))
            return End(begin, body["until"])
        case "withdraw":
            return Withdraw(begin)
    return Choose(begin, settings, body.get("since"))


def _head(preview_id: int) -> PreviewHead:
    demand("profile.manage")
    found = queries.preview(db.session, preview_id)
    if found is None or not visitor().sees(found.path):
        raise not_found()
    if not visitor().may("profile.manage", found.path):
        raise Refused(403)
    return found


def _shown(head: PreviewHead) -> dict[str, Any]:
    made = head.summary is not None
    counted = queries.changed_counts(db.session, head.id, visitor().within)[0] if made else None
    shown: dict[str, Any] = plain(
        {
            "id": head.id,
            "organization": head.organization,
            "as_of": head.row.as_of,
            "done": made,
            "before": [term.as_json() for term in head.before],
            "after": [term.as_json() for term in head.after],
            "summary": None if head.summary is None else head.summary.as_json(),
            "changed": counted,
            "confirmed": head.row.change_id is not None,
        }
    )
    return shown
