"""Organizations: the tree with its dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import url_for
from marshmallow import fields, validate

from guiju.api import keyset
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page
from guiju.api.problems import fault, in_body
from guiju.api.reach import at_or_below, below, known_organization, organization
from guiju.api.schemas import WithinQuery, id_field, plain, text_field
from guiju.db import db
from guiju.db.authored import authored, select_authored
from guiju.language import gettext as _
from guiju.organizations import operations
from guiju.organizations.models import Organization
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


class OrganizationSchema(tables.Organizations):
    """An organization, as it is entered and shown."""


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
    return representation(organization(organization_id, "organization.read"))


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
    return representation(made), url_for(".show", organization_id=made.code)


def representation(found: Organization) -> dict[str, Any]:
    """An organization as programs see it."""
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
