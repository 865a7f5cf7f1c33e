"""Doing another's work for some days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields

from guiju.accounts.delegations import (
    DelegationSummary,
    delegate,
    delegation,
    delegations_of,
    end_delegation,
)
from guiju.accounts.permissions import DELEGABLE
from guiju.accounts.reach import managed_user
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.reach import demand
from guiju.api.schemas import number_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db

blueprint = Blueprint(
    "delegations",
    "委托",
    "出差、休假时，把自己的角色（" + "、".join(DELEGABLE) + "）委托给本单位或上下级的人代理若干天；"
    "到期自动结束。令牌的范围须包括该角色的全部权限。",
)


class NewDelegationSchema(Schema):
    """Whose work of the caller's is done by whom, for how long."""

    role = number_field("自己的角色的编号，见 /me", required=True)
    username = text_field("代理人的用户名，@ 之前的部分", 100, required=True)
    from_on = fields.Date(required=True, metadata={"description": "第一天"})
    until_on = fields.Date(required=True, metadata={"description": "最后一天"})
    reason = text_field("原因", 200, load_default=None, allow_none=True)


class DelegationSchema(Schema):
    """A delegation that lasts or is yet to come."""

    id = fields.Integer(required=True)
    role = fields.String(required=True)
    organization = fields.String(required=True, metadata={"description": "组织的名称"})
    giver = fields.String(required=True, metadata={"description": "委托人的姓名"})
    taker = fields.String(required=True, metadata={"description": "代理人的姓名"})
    from_on = fields.Date(required=True)
    until_on = fields.Date(required=True)
    reason = fields.String(required=True, allow_none=True)


@blueprint.get("/delegations")
@blueprint.says("列出与我有关的委托", "我委托他人的，和他人委托我的；已结束的不列。")
@blueprint.asks(ListQuery)
@blueprint.lists(DelegationSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """Delegations from and to the caller."""
    found = delegations_of(db.session, visitor().user_id)
    return sliced([_plain(one) for one in found], query)


@blueprint.get("/users/<number:user_id>/delegations")
@blueprint.says("列出一个用户的委托", "您管理其账号的。")
@blueprint.asks(ListQuery)
@blueprint.lists(DelegationSchema)
def of_user(query: Mapping[str, Any], user_id: int) -> Page:
    """Delegations from and to a user."""
    demand("accounts.manage")
    user = managed_user(db.session, visitor(), user_id)
    return sliced([_plain(one) for one in delegations_of(db.session, user.id)], query)


@blueprint.post("/delegations")
@blueprint.says("委托他人代理")
@blueprint.takes(NewDelegationSchema)
@blueprint.creates(DelegationSchema)
def create(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Let a colleague do the work of one of the caller's roles."""
    number = delegate(
        db.session,
        visitor(),
        body["role"],
        body["username"].partition("@")[0],
        body["from_on"],
        body["until_on"],
        body["reason"],
    )
    return _shown(number), url_for(".show", delegation_id=number)


@blueprint.get("/delegations/<number:delegation_id>")
@blueprint.says("读取一项委托")
@blueprint.shows(DelegationSchema)
def show(delegation_id: int) -> dict[str, Any]:
    """One delegation."""
    return _shown(delegation_id)


@blueprint.delete("/delegations/<number:delegation_id>")
@blueprint.says("结束一项委托", "委托人、代理人和账号管理员都可以；立即结束。")
@blueprint.removes()
def end(delegation_id: int) -> None:
    """End a delegation at once."""
    check_match(_shown(delegation_id))
    end_delegation(db.session, visitor(), delegation_id)


def _shown(number: int) -> dict[str, Any]:
    return _plain(delegation(db.session, visitor(), number))


def _plain(found: DelegationSummary) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.id,
            "role": found.role,
            "organization": found.organization,
            "giver": found.giver,
            "taker": found.taker,
            "from_on": found.from_on,
            "until_on": found.until_on,
            "reason": found.reason,
        }
    )
    return shown
