"""Organizations: the tree with its dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.api import keyset
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.problems import Refused, fault, in_body, not_found
from guiju.api.reach import at_or_below, below, demand, known_organization, organization
from guiju.api.schemas import WithinQuery, id_field, number_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import current_tenant_id, db
from guiju.db.authored import authored, select_authored
from guiju.language import gettext as _
from guiju.organizations import history, operations
from guiju.organizations.history import Change
from guiju.organizations.models import Organization
from guiju.organizations.restructuring import NewUnit, merge_organizations, split_organization
from guiju.organizations.rights import PERMISSION, may_change, may_undo
from guiju.organizations.undoing import undo_change
from guiju.rules import tables
from guiju.rules import vocabulary as v

blueprint = Blueprint("organizations", "组织", "组织树：各级党组织，及其成立、撤销和调整。")

_table = Organization.__table__

_ORDERS = {
    "path": keyset.Order(_table.c.path),
    "name": keyset.Order(_table.c.name),
    "id": keyset.Order(_table.c.code),
}

_EXAMPLE = {
    "id": "finance-1",
    "name": "市财政局第一党支部",
    "kind": "branch",
    "sector": "agency",
    "parent": "finance",
    "opened_on": None,
    "closed_on": None,
}


#: Members named one by one in a change; more go whole.
_MOST_NAMED = 5000


def _posts_field(description: str) -> fields.List[Any]:
    return fields.List(
        number_field("任职的编号"),
        load_default=list,
        validate=validate.Length(max=_MOST_NAMED),
        metadata={"description": description},
    )


class OrganizationSchema(tables.Organizations):
    """An organization, as it is entered and shown."""


class RenameSchema(Schema):
    """Another name from a day on."""

    name = fields.String(
        required=True, validate=validate.Length(1, 500), metadata={"description": "新名称"}
    )
    renamed_on = fields.Date(required=True, metadata={"description": "使用新名称的第一天"})


class MoveSchema(Schema):
    """Another superior from a day on."""

    parent = id_field("新的上级", required=True)
    moved_on = fields.Date(required=True, metadata={"description": "归新上级的第一天"})


class CloseSchema(Schema):
    """The end of an organization."""

    closed_on = fields.Date(required=True, metadata={"description": "存在的最后一天"})


class MergeSchema(Schema):
    """Organizations that become part of another."""

    sources = fields.List(id_field("并入的组织"), required=True, validate=validate.Length(1, 100))
    effective_on = fields.Date(required=True, metadata={"description": "并入的第一天"})
    members = fields.List(
        id_field("党员编号"),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=_MOST_NAMED),
        metadata={"description": "转入的党员；不填为全部，其余的党籍到前一天为止"},
    )
    posts = _posts_field("在本组织继续担任的任职（编号见任职列表）；其余到前一天为止")


class NewUnitSchema(Schema):
    """An organization that a split makes."""

    id = id_field("组织编号", required=True)
    name = fields.String(
        required=True, validate=validate.Length(1, 500), metadata={"description": "名称"}
    )
    kind = fields.String(
        validate=validate.OneOf(list(v.ORGANIZATION_KINDS)),
        metadata={"description": "组织类型；不填与被拆分的相同"},
    )
    sector = fields.String(
        validate=validate.OneOf(list(v.SECTORS)),
        metadata={"description": "领域；不填与被拆分的相同"},
    )
    members = fields.List(
        id_field("党员编号"),
        load_default=list,
        validate=validate.Length(max=_MOST_NAMED),
        metadata={"description": "转入的党员"},
    )
    posts = _posts_field("在新组织继续担任的任职（编号见任职列表）")


class SplitSchema(Schema):
    """Organizations that are made of one."""

    made = fields.List(
        fields.Nested(NewUnitSchema),
        required=True,
        validate=validate.Length(1, 50),
        metadata={"description": "新组织，上级与被拆分的相同"},
    )
    effective_on = fields.Date(required=True, metadata={"description": "拆分的第一天"})
    close = fields.Boolean(
        load_default=False, metadata={"description": "被拆分的组织到前一天为止（true）"}
    )


class ChangeSchema(Schema):
    """Something done to the tree."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    effective_on = fields.Date(required=True)
    made_at = fields.DateTime(required=True)
    made_by = fields.String(required=True)
    undone_at = fields.DateTime(required=True, allow_none=True)
    units = fields.List(
        fields.String(), required=True, metadata={"description": "所涉及的组织，您可见的"}
    )


class OrganizationQuery(ListQuery, WithinQuery):
    """Which organizations are listed."""

    parent = id_field("只看直接在这个组织之下的")
    kind = fields.String(
        validate=validate.OneOf(list(v.ORGANIZATION_KINDS)), metadata={"description": "组织类型"}
    )
    sector = fields.String(
        validate=validate.OneOf(list(v.SECTORS)), metadata={"description": "领域（本组织自己填的）"}
    )
    on = fields.Date(metadata={"description": "只看这一天存在的"})
    name = text_field("名称中含有的文字", 100)
    sort = keyset.sort_field(_ORDERS, "path")


@blueprint.get("/organizations")
@blueprint.says("列出组织", "您管辖范围内的组织。默认按组织树的次序，上级在前。")
@blueprint.asks(OrganizationQuery)
@blueprint.lists(OrganizationSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """The organizations that the visitor may see."""
    select = select_authored("organizations").where(at_or_below(below(query, "organization.read")))
    if "parent" in query:
        above = organization(query["parent"], "organization.read")
        select = select.where(_table.c.parent_id == above.id)
    for column in ("kind", "sector"):
        if column in query:
            select = select.where(_table.c[column] == query[column])
    if "on" in query:
        select = select.where(
            sa.func.coalesce(_table.c.opened_on, query["on"]) <= query["on"],
            sa.func.coalesce(_table.c.closed_on, query["on"]) >= query["on"],
        )
    if "name" in query:
        select = select.where(sa.func.strpos(_table.c.name, query["name"]) > 0)
    select = select.add_columns(_table.c.path.label("_path"))
    rows, after = keyset.page(select, _ORDERS, _table.c.id, query)
    return Page(_shown(rows), after)


@blueprint.get("/organizations/<id:organization_id>")
@blueprint.says("读取一个组织")
@blueprint.shows(OrganizationSchema, example=_EXAMPLE)
def show(organization_id: str) -> dict[str, Any]:
    """One organization."""
    return _representation(organization(organization_id, "organization.read"))


@blueprint.post("/organizations")
@blueprint.says("新建组织", "`parent` 不能缺少：顶级组织在开通时已建。")
@blueprint.takes(OrganizationSchema)
@blueprint.creates(OrganizationSchema)
def create(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Add an organization below one that the visitor manages."""
    if body.get("parent") is None:
        raise fault("/parent", "required", _("不能缺少"))
    known_organization(body["parent"], "/parent", "organization.manage")
    with in_body("/organizations/0"):
        made = operations.create_organization(db.session, visitor().actor(), body)
    return _representation(made), url_for(".show", organization_id=made.code)


@blueprint.post("/organizations/<id:organization_id>/rename")
@blueprint.says("更改名称", "从某一天起使用新名称；以前的日子仍是原来的名称。")
@blueprint.takes(RenameSchema)
@blueprint.changes(OrganizationSchema)
def rename(body: dict[str, Any], organization_id: str) -> dict[str, Any]:
    """Give an organization another name from a day on."""
    found = _to_change(organization_id, "rename")
    operations.rename_organization(
        db.session, visitor().actor(), found, body["name"], body["renamed_on"]
    )
    return _again(found)


@blueprint.post("/organizations/<id:organization_id>/move")
@blueprint.says("调整上级", "连同下级一起，从某一天起归另一个上级；此前的结果仍归原处。")
@blueprint.takes(MoveSchema)
@blueprint.changes(OrganizationSchema)
def move(body: dict[str, Any], organization_id: str) -> dict[str, Any]:
    """Put an organization under another superior from a day on."""
    found = _to_change(organization_id, "move")
    parent = known_organization(body["parent"], "/parent", "organization.manage")
    assert parent is not None
    operations.move_organization(db.session, visitor().actor(), found, parent.id, body["moved_on"])
    return _again(found)


@blueprint.post("/organizations/<id:organization_id>/close")
@blueprint.says("撤销组织", "那一天是最后一天；党员和任职也到那一天为止。")
@blueprint.takes(CloseSchema)
@blueprint.changes(OrganizationSchema)
def close(body: dict[str, Any], organization_id: str) -> dict[str, Any]:
    """Close an organization."""
    found = _to_change(organization_id, "close")
    operations.close_organization(db.session, visitor().actor(), found, body["closed_on"])
    return _again(found)


@blueprint.post("/organizations/<id:organization_id>/reopen")
@blueprint.says("恢复组织", "如同没有撤销过；党员须重新登记。")
@blueprint.changes(OrganizationSchema)
def reopen(organization_id: str) -> dict[str, Any]:
    """Let a closed organization exist on."""
    found = _to_change(organization_id, "reopen")
    operations.reopen_organization(db.session, visitor().actor(), found)
    return _again(found)


@blueprint.post("/organizations/<id:organization_id>/merge")
@blueprint.says("并入其他组织", "`sources` 从那一天起成为本组织的一部分，党员随之转入。")
@blueprint.takes(MergeSchema)
@blueprint.changes(OrganizationSchema)
def merge(body: dict[str, Any], organization_id: str) -> dict[str, Any]:
    """Let organizations become part of this one from a day on."""
    # What comes to it changes what is its own.
    found = _to_change(organization_id, "create")
    sources = []
    for number, code in enumerate(body["sources"]):
        source = known_organization(code, f"/sources/{number}", "organization.read")
        assert source is not None
        _demand("merge", source.path)
        sources.append(source.id)
    merge_organizations(
        db.session,
        visitor().actor(),
        sources,
        found,
        body["effective_on"],
        members=body["members"],
        posts=body["posts"],
    )
    return _again(found)


@blueprint.post("/organizations/<id:organization_id>/split")
@blueprint.says(
    "拆分", "从那一天起由本组织分设新组织；点名的党员和任职随之转入。回答是本组织现在的样子。"
)
@blueprint.takes(
    SplitSchema,
    example={
        "made": [{"id": "finance-5", "name": "市财政局第五党支部", "members": ["finance-1-2"]}],
        "effective_on": "2021-11-01",
    },
)
@blueprint.changes(OrganizationSchema)
def split(body: dict[str, Any], organization_id: str) -> dict[str, Any]:
    """Make new organizations out of one from a day on."""
    found = _to_change(organization_id, "split")
    made = []
    for unit in body["made"]:
        members, posts = unit.pop("members"), unit.pop("posts")
        made.append(NewUnit(unit, members, posts))
    split_organization(
        db.session,
        visitor().actor(),
        found,
        made,
        body["effective_on"],
        close=body["close"],
    )
    return _again(found)


@blueprint.get("/organizations/<id:organization_id>/changes")
@blueprint.says("列出组织的变动", "新的在前。")
@blueprint.asks(ListQuery)
@blueprint.lists(ChangeSchema)
def changes(query: Mapping[str, Any], organization_id: str) -> Page:
    """What was done to an organization."""
    found = organization(organization_id, "organization.read")
    return sliced(
        [_change(change) for change in history.changes(db.session, found.id, limit=1000)], query
    )


@blueprint.get("/organization-changes/<number:change_id>")
@blueprint.says("读取一项变动")
@blueprint.shows(ChangeSchema)
def show_change(change_id: int) -> dict[str, Any]:
    """Something done to the tree."""
    return _change(_visible(change_id))


@blueprint.post("/organization-changes/<number:change_id>/undo")
@blueprint.says(
    "撤回一项变动", "一切如同没有变动过；其后又有改动、转入的党员已参加活动的，不能撤回。"
)
@blueprint.changes(ChangeSchema)
def undo(change_id: int) -> dict[str, Any]:
    """Take a change to the tree back."""
    found = _visible(change_id)
    if not may_undo(visitor(), found):
        raise Refused(403)
    check_match(_change(found))
    undo_change(db.session, visitor().actor(), change_id)
    again = history.change(db.session, change_id)
    assert again is not None
    # What the change made is gone with it, and so is what it could be seen by.
    return _change(replace(again, units=found.units))


def _visible(change_id: int) -> Change:
    """A change of a unit that the visitor sees."""
    found = history.change(db.session, change_id)
    if found is None or not any(visitor().sees(unit.path) for unit in found.units):
        raise not_found()
    demand("organization.read")
    return found


def _change(change: Change) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": change.id,
            "kind": change.kind,
            "effective_on": change.effective_on,
            "made_at": change.made_at,
            "made_by": change.made_by,
            "undone_at": change.undone_at,
            "units": [unit.code for unit in change.units if visitor().sees(unit.path)],
        }
    )
    return shown


def _demand(action: str, path: str) -> None:
    if not may_change(visitor(), action, path):
        raise Refused(403, _("需要“{permission}”的权限").format(permission=PERMISSION))


def _to_change(code: str, action: str) -> int:
    """The number of an organization that is locked and as the caller has read it."""
    found = organization(code, "organization.read", lock=True)
    _demand(action, found.path)
    check_match(_representation(found))
    return found.id


def _again(number: int) -> dict[str, Any]:
    db.session.expire_all()
    return _representation(
        db.session.scalars(
            sa.select(Organization).where(
                Organization.tenant_id == current_tenant_id(), Organization.id == number
            )
        ).one()
    )


def _representation(found: Organization) -> dict[str, Any]:
    select = select_authored("organizations").where(_table.c.id == found.id)
    rows = db.session.execute(select.add_columns(_table.c.path.label("_path"))).mappings().all()
    return _shown(rows)[0]


def _shown(rows: Any) -> list[dict[str, Any]]:
    """Representations of rows; a superior that the visitor may not see is not named."""
    shown = []
    for row in authored(db.session, "organizations", rows):
        above = str(row["_path"]).rstrip("/").rpartition("/")[0] + "/"
        if not visitor().sees(above):
            row["parent"] = None
        shown.append(
            plain({name: value for name, value in row.items() if not name.startswith("_")})
        )
    return shown
