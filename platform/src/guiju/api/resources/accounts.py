"""Users and their rights, and the caller's own tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.accounts import directory, links, roles, tokens
from guiju.accounts.directory import ListedUser
from guiju.accounts.permissions import PERMISSIONS, ROLES
from guiju.accounts.roles import Grant
from guiju.accounts.tokens import TokenSummary
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened, sliced
from guiju.api.problems import not_found
from guiju.api.reach import demand, known_organization
from guiju.api.schemas import id_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.scoring.naming import Names

blueprint = Blueprint(
    "accounts",
    "账号",
    "用户、角色和邀请，您自己的身份和令牌。新建令牌须本人登录后在网页上进行。",
)


class PostOfUserSchema(Schema):
    """A role on an organization and everything below it."""

    id = fields.Integer(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    organization = fields.String(required=True, metadata={"description": "组织编号"})
    until_on = fields.Date(required=True, allow_none=True)


class UserSchema(Schema):
    """A user with those roles that the caller manages."""

    id = fields.Integer(required=True)
    username = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(directory.STATES))
    second_factor = fields.Boolean(required=True, metadata={"description": "已启用动态验证码"})
    roles = fields.List(fields.Nested(PostOfUserSchema), required=True)


class UserQuery(ListQuery):
    """Which users are listed."""

    text = text_field("姓名、用户名、邮箱或所在组织名称中的文字", 100, load_default="")
    role = fields.String(validate=validate.OneOf(ROLES), metadata={"description": "角色"})
    state = fields.String(
        validate=validate.OneOf(directory.STATES), metadata={"description": "状态"}
    )


class GrantSchema(Schema):
    """A role to be given."""

    role = fields.String(
        required=True, validate=validate.OneOf(ROLES), metadata={"description": "角色"}
    )
    organization = id_field("组织编号", required=True)
    until_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "最后一天；不填为长期"}
    )


class InvitationSchema(Schema):
    """A user to be invited."""

    username = text_field("用户名，@ 之前的部分", 100, required=True)
    name = text_field("姓名", 100, required=True)
    email = text_field("邮箱", 200, load_default=None, allow_none=True)
    roles = fields.List(fields.Nested(GrantSchema), required=True, validate=validate.Length(1, 50))


class InvitedSchema(Schema):
    """An invitation; the secret is shown this once."""

    user = fields.Integer(required=True, metadata={"description": "用户的编号"})
    secret = fields.String(required=True, metadata={"description": "邀请的密语，只显示这一次"})
    expires_at = fields.DateTime(required=True)


class OwnRoleSchema(PostOfUserSchema):
    """One of the caller's own roles, or one that is held in another's stead."""

    instead_of = fields.String(
        required=True, allow_none=True, metadata={"description": "代理谁；自己的角色为 null"}
    )


class MySelfSchema(Schema):
    """Who the token speaks for."""

    username = fields.String(required=True)
    name = fields.String(required=True)
    tenant = fields.String(required=True)
    permissions = fields.List(
        fields.String(validate=validate.OneOf(list(PERMISSIONS))),
        required=True,
        metadata={"description": "至少在一处有的权限，已按令牌的范围限制"},
    )
    roles = fields.List(fields.Nested(OwnRoleSchema), required=True)


class TokenSchema(Schema):
    """One of the caller's own tokens; of the token itself nothing is kept."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(required=True, allow_none=True)
    revoked_at = fields.DateTime(required=True, allow_none=True)


@blueprint.get("/me")
@blueprint.says("我是谁", "令牌所代表的用户，及其权限。")
@blueprint.shows(MySelfSchema)
def me() -> dict[str, Any]:
    """Who asks."""
    asking = visitor()
    units = Names(db.session).units({post.organization_id for post in asking.posts})
    return {
        "username": asking.username,
        "name": asking.name,
        "tenant": asking.tenant,
        "permissions": [name for name in PERMISSIONS if asking.may(name)],
        "roles": [
            plain(
                {
                    "id": post.role_id,
                    "role": post.role,
                    "organization": units[post.organization_id].code,
                    "until_on": post.until_on,
                    "instead_of": post.instead_of,
                }
            )
            for post in asking.posts
        ],
    }


@blueprint.get("/tokens")
@blueprint.says("列出我的令牌")
@blueprint.asks(ListQuery)
@blueprint.lists(TokenSchema)
def own_tokens(query: Mapping[str, Any]) -> Page:
    """The caller's own tokens."""
    found = tokens.tokens_of(db.session, visitor().user_id)
    return sliced([_token(one) for one in found], query)


@blueprint.get("/tokens/<number:token_id>")
@blueprint.says("读取我的一个令牌")
@blueprint.shows(TokenSchema)
def own_token(token_id: int) -> dict[str, Any]:
    """One of the caller's own tokens."""
    return _token(_own(token_id))


@blueprint.delete("/tokens/<number:token_id>")
@blueprint.says("废止我的一个令牌", "立即失效；可以是正在使用的这一个。")
@blueprint.removes()
def revoke_token(token_id: int) -> None:
    """End one of the caller's own tokens."""
    found = _own(token_id)
    check_match(_token(found))
    if not tokens.revoke_token(db.session, visitor(), found.id):
        raise not_found()


@blueprint.get("/users")
@blueprint.says("列出用户", "您管理账号的范围内的用户。")
@blueprint.asks(UserQuery)
@blueprint.lists(UserSchema)
def users(query: Mapping[str, Any]) -> Page:
    """Users that the visitor manages."""
    demand("accounts.manage")
    after = opened(query)
    begin = 0 if after is None else int(after[0])
    found = directory.list_users(
        db.session,
        visitor(),
        text=query["text"],
        role=query.get("role"),
        state=query.get("state"),
        order_by="username",
        offset=begin,
        limit=query["limit"],
    )
    end = begin + len(found.items)
    return Page(_users(found.items), [end] if end < found.total else None)


@blueprint.post("/invitations")
@blueprint.says("邀请用户", "得到一次性的密语；被邀请的人在网页上用它设置密码。")
@blueprint.takes(InvitationSchema)
@blueprint.creates(InvitedSchema, secret=True)
def invite(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Add a user who chooses a password by a link."""
    demand("accounts.manage")
    grants = [
        _grant(grant, f"/roles/{number}/organization") for number, grant in enumerate(body["roles"])
    ]
    made = links.invite(
        db.session, visitor(), body["username"], body["name"], grants, email=body["email"]
    )
    shown: dict[str, Any] = plain(
        {"user": made.user_id, "secret": made.secret, "expires_at": made.expires_at}
    )
    return shown, url_for(".users")


@blueprint.post("/users/<number:user_id>/roles")
@blueprint.says("授予角色", "同一组织上已有同一角色的，改为新的最后一天。")
@blueprint.takes(GrantSchema)
@blueprint.creates(PostOfUserSchema)
def grant_role(body: Mapping[str, Any], user_id: int) -> tuple[dict[str, Any], str]:
    """Give a role to a user."""
    demand("accounts.manage")
    number = roles.grant_role(db.session, visitor(), user_id, _grant(body, "/organization"))
    shown: dict[str, Any] = plain({"id": number, **body})
    return shown, url_for(".users")


def _grant(given: Mapping[str, Any], place: str) -> Grant:
    unit = known_organization(given["organization"], place, "accounts.manage")
    assert unit is not None
    return Grant(given["role"], unit.id, given["until_on"])


def _own(token_id: int) -> TokenSummary:
    for found in tokens.tokens_of(db.session, visitor().user_id):
        if found.id == token_id:
            return found
    raise not_found()


def _token(found: TokenSummary) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.id,
            "name": found.name,
            "scopes": list(found.scopes),
            "created_at": found.created_at,
            "expires_at": found.expires_at,
            "last_used_at": found.last_used_at,
            "revoked_at": found.revoked_at,
        }
    )
    return shown


def _users(found: list[ListedUser]) -> list[dict[str, Any]]:
    units = Names(db.session).units({role.organization_id for one in found for role in one.roles})
    return [
        plain(
            {
                "id": one.id,
                "username": one.username,
                "name": one.name,
                "email": one.email,
                "state": one.state,
                "second_factor": one.second_factor,
                "roles": [
                    {
                        "id": role.id,
                        "role": role.role,
                        "organization": units[role.organization_id].code,
                        "until_on": role.until_on,
                    }
                    for role in one.roles
                ],
            }
        )
        for one in found
    ]
