"""What the tenant lets the platform's support read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.accounts import support
from guiju.accounts.support import LONGEST_HOURS, LONGEST_PURPOSE, PERMISSION, AccessSummary
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.problems import not_found
from guiju.api.reach import demand, known_organization
from guiju.api.schemas import id_field, plain
from guiju.api.tags import check_match
from guiju.db import db

blueprint = Blueprint(
    "support",
    "平台支持",
    "允许平台的运维人员限时、只读地查看一个单位及其下级；随时可以收回，打开的每一页都记入审计。",
)


class AccessGrantSchema(Schema):
    """An access to be granted."""

    organization = id_field("组织编号；连同其下级", required=True)
    purpose = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_PURPOSE),
        metadata={"description": "用途，对方和审计员都会看到"},
    )
    hours = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, LONGEST_HOURS),
        metadata={"description": "多少小时，从现在起算"},
    )


class GrantedSchema(Schema):
    """An access just granted; the code is shown this once."""

    id = fields.Integer(required=True)
    code = fields.String(
        required=True, metadata={"description": "交给运维人员的代码，只显示这一次"}
    )
    expires_at = fields.DateTime(required=True)


class AccessSchema(Schema):
    """An access that was granted."""

    id = fields.Integer(required=True)
    organization = fields.String(required=True, metadata={"description": "组织编号"})
    purpose = fields.String(required=True)
    granted_by = fields.String(required=True)
    granted_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
    opened_by = fields.String(
        required=True, allow_none=True, metadata={"description": "最近一次由谁查看"}
    )
    opened_at = fields.DateTime(required=True, allow_none=True)
    ended_by = fields.String(required=True, allow_none=True, metadata={"description": "由谁收回"})
    ended_at = fields.DateTime(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(["active", "revoked", "expired"]))


@blueprint.get("/support-accesses")
@blueprint.says("列出平台支持访问", "您可以授予的范围内的，最近授予的在前，最多一百个。")
@blueprint.asks(ListQuery)
@blueprint.lists(AccessSchema)
def accesses(query: Mapping[str, Any]) -> Page:
    """Accesses to units at which the visitor could grant one."""
    demand(PERMISSION)
    found = support.list_support(db.session, visitor())
    return sliced([_shown(one) for one in found], query)


@blueprint.post("/support-accesses")
@blueprint.says("授予平台支持访问", "得到一个只显示一次的代码，交给平台的运维人员兑换。")
@blueprint.takes(AccessGrantSchema)
@blueprint.creates(GrantedSchema, secret=True)
def grant(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Let support read a part of the tree for some hours."""
    demand(PERMISSION)
    unit = known_organization(body["organization"], "/organization", PERMISSION)
    assert unit is not None
    made = support.grant_support(db.session, visitor(), unit.id, body["purpose"], body["hours"])
    shown: dict[str, Any] = plain({"id": made.id, "code": made.code, "expires_at": made.expires_at})
    return shown, url_for(".access", support_id=made.id)


@blueprint.get("/support-accesses/<number:support_id>")
@blueprint.says("读取一个平台支持访问")
@blueprint.shows(AccessSchema)
def access(support_id: int) -> dict[str, Any]:
    """One access."""
    return _shown(_find(support_id))


@blueprint.delete("/support-accesses/<number:support_id>")
@blueprint.says("收回平台支持访问", "立即生效，已打开的页面从下一次请求起不再可用。")
@blueprint.removes()
def revoke(support_id: int) -> None:
    """End an access at once."""
    check_match(_shown(_find(support_id)))
    support.revoke_support(db.session, visitor(), support_id)


def _find(support_id: int) -> AccessSummary:
    demand(PERMISSION)
    for found in support.list_support(db.session, visitor()):
        if found.id == support_id:
            return found
    raise not_found()


def _shown(found: AccessSummary) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.id,
            "organization": found.organization_code,
            "purpose": found.purpose,
            "granted_by": found.granted_by,
            "granted_at": found.granted_at,
            "expires_at": found.expires_at,
            "opened_by": found.opened_by,
            "opened_at": found.opened_at,
            "ended_by": found.ended_by,
            "ended_at": found.ended_at,
            "state": found.state,
        }
    )
    return shown
