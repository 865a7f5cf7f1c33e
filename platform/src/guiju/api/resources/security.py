"""What the tenant demands of signing in, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from marshmallow import Schema, fields, validate

from guiju.accounts import matrix, policies
from guiju.accounts.permissions import PERMISSIONS, ROLES
from guiju.accounts.policies import BOUNDS
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.reach import demand, demand_everywhere
from guiju.api.schemas import plain
from guiju.api.tags import check_match
from guiju.db import db

blueprint = Blueprint("security", "账号安全", "登录的要求、权限表，和谁在哪里有什么角色。")


def _number(name: str, description: str) -> fields.Integer:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(*BOUNDS[name]),
        metadata={"description": description},
    )


class PolicySchema(Schema):
    """What the tenant demands of signing in."""

    idle_minutes = _number("idle_minutes", "多少分钟没有操作即退出")
    longest_hours = _number("longest_hours", "登录后至多多少小时即退出")
    shortest_password = _number("shortest_password", "密码至少多少个字符")
    former_passwords = _number("former_passwords", "不得与最近多少个密码相同")
    rotation_days = _number("rotation_days", "多少天须改一次密码；0 为不要求")
    totp_required = fields.Boolean(
        required=True, metadata={"description": "管理员须启用动态验证码"}
    )
    separated = fields.Boolean(
        required=True, metadata={"description": "系统、安全、审计管理员分立"}
    )


class RolePermissionsSchema(Schema):
    """What a role allows."""

    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    permissions = fields.List(
        fields.String(validate=validate.OneOf(list(PERMISSIONS))), required=True
    )


class PermissionsSchema(Schema):
    """What each role allows in this tenant."""

    separated = fields.Boolean(required=True)
    roles = fields.List(fields.Nested(RolePermissionsSchema), required=True)


class HoldingSchema(Schema):
    """A role that somebody holds today."""

    organization = fields.String(required=True, metadata={"description": "组织编号"})
    user = fields.Integer(required=True)
    username = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    since = fields.Date(required=True)
    until_on = fields.Date(required=True, allow_none=True)
    instead_of = fields.String(
        required=True, allow_none=True, metadata={"description": "代理谁；自己的角色为 null"}
    )


@blueprint.get("/account-policy")
@blueprint.says("查看登录的要求")
@blueprint.shows(PolicySchema)
def show_policy() -> dict[str, Any]:
    """What is demanded of signing in."""
    demand_everywhere("policy.manage")
    return _policy()


@blueprint.put("/account-policy")
@blueprint.says("更改登录的要求", "对所有人，自其下一次请求起有效。")
@blueprint.takes(PolicySchema)
@blueprint.changes(PolicySchema)
def change_policy(body: Mapping[str, Any]) -> dict[str, Any]:
    """Change what is demanded of signing in."""
    demand_everywhere("policy.manage")
    policies.lock_policy(db.session)
    check_match(_policy())
    policies.set_policy(db.session, visitor().actor(), **body)
    return _policy()


@blueprint.get("/permissions")
@blueprint.says("查看权限表", "各角色可以做什么。")
@blueprint.shows(PermissionsSchema)
def permissions() -> dict[str, Any]:
    """What each role allows."""
    separated = visitor().separated
    rows = matrix.permissions_by_role(separated=separated)
    roles = [
        {"role": role, "permissions": [name for name, allowed in rows if allowed[place]]}
        for place, role in enumerate(ROLES)
    ]
    return {"separated": separated, "roles": roles}


@blueprint.get("/holdings")
@blueprint.says("列出谁在哪里有什么角色", "您管理账号的范围内，从上到下。")
@blueprint.asks(ListQuery)
@blueprint.lists(HoldingSchema)
def holdings(query: Mapping[str, Any]) -> Page:
    """Who holds what."""
    demand("accounts.manage")
    after = opened(query)
    begin = 0 if after is None else int(after[0])
    limit = query["limit"]
    found = list(islice(matrix.holdings(db.session, visitor()), begin, begin + limit + 1))
    rows = [
        plain(
            {
                "organization": one.code,
                "user": one.user_id,
                "username": one.username,
                "name": one.name,
                "state": one.state,
                "role": one.role,
                "since": one.since,
                "until_on": one.until_on,
                "instead_of": one.instead_of,
            }
        )
        for one in found[:limit]
    ]
    return Page(rows, [begin + limit] if len(found) > limit else None)


def _policy() -> dict[str, Any]:
    found = policies.policy_of(db.session)
    return {name: getattr(found, name) for name in policies.NAMES}
