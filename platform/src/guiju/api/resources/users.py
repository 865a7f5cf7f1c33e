"""One user: name, access, roles, and handing over to a successor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.accounts import links, people, roles
from guiju.accounts.directory import held_roles, state_of
from guiju.accounts.people import Newcomer
from guiju.accounts.reach import managed_user
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint
from guiju.api.problems import fault, not_found
from guiju.api.reach import demand, known_organization
from guiju.api.resources.accounts import InvitedSchema, PostOfUserSchema, UserSchema
from guiju.api.schemas import id_field, number_field, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.scoring.naming import Names

blueprint = Blueprint(
    "users",
    "用户",
    "单个用户：改名、停用、重设密码、收回角色、交接。涉及整个人的（停用、重设），"
    "只有管理其全部角色的人可以。",
)

_PERMISSION = "accounts.manage"


class UserEditSchema(Schema):
    """What is corrected of a user; what is not given stays."""

    name = text_field("姓名", 100)
    email = fields.String(
        allow_none=True, validate=validate.Length(max=200), metadata={"description": "邮箱"}
    )


class NewcomerSchema(Schema):
    """Somebody to be invited."""

    username = text_field("用户名，@ 之前的部分", 100, required=True)
    name = text_field("姓名", 100, required=True)
    email = text_field("邮箱", 200, load_default=None, allow_none=True)


class HandoverSchema(Schema):
    """Who takes over what."""

    organization = id_field("在哪个组织的角色", required=True)
    successor = number_field("接任者（已有用户）的编号；与 newcomer 二者取一")
    newcomer = fields.Nested(NewcomerSchema, metadata={"description": "接任者（新邀请）"})
    reason = text_field("交接的原因", 500, required=True)


class HandedOverSchema(Schema):
    """What came of it."""

    user = fields.Integer(required=True, metadata={"description": "接任者的编号"})
    secret = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "新邀请的密语，只显示这一次；已有用户为 null"},
    )
    expires_at = fields.DateTime(required=True, allow_none=True)
    deactivated = fields.Boolean(
        required=True, metadata={"description": "原任者再无角色，账号已停用"}
    )


@blueprint.get("/users/<number:user_id>")
@blueprint.says("读取一个用户", "所列角色是您管理范围内的。")
@blueprint.shows(UserSchema)
def show(user_id: int) -> dict[str, Any]:
    """One user."""
    return _user(user_id)


@blueprint.patch("/users/<number:user_id>")
@blueprint.says("更正姓名和邮箱")
@blueprint.takes(UserEditSchema)
@blueprint.changes(UserSchema)
def edit(body: Mapping[str, Any], user_id: int) -> dict[str, Any]:
    """Correct a user's name and e-mail address."""
    found = _as_read(user_id)
    name, email = body.get("name", found["name"]), body.get("email", found["email"])
    people.edit_user(db.session, visitor(), user_id, name, email)
    return _user(user_id)


@blueprint.post("/users/<number:user_id>/deactivate")
@blueprint.says("停用账号", "立即退出所有设备，未用的链接作废；角色保留。")
@blueprint.changes(UserSchema)
def deactivate(user_id: int) -> dict[str, Any]:
    """Let a user in no more."""
    _as_read(user_id)
    people.deactivate(db.session, visitor(), user_id)
    return _user(user_id)


@blueprint.post("/users/<number:user_id>/reactivate")
@blueprint.says("恢复账号")
@blueprint.changes(UserSchema)
def reactivate(user_id: int) -> dict[str, Any]:
    """Let a user in again."""
    _as_read(user_id)
    people.reactivate(db.session, visitor(), user_id)
    return _user(user_id)


@blueprint.delete("/users/<number:user_id>/second-factor")
@blueprint.says("清除动态验证码", "用于遗失了验证器的人；所有设备退出。If-Match 是用户的 ETag。")
@blueprint.removes()
def clear_second_factor(user_id: int) -> None:
    """Take the second factor away from who lost it."""
    _as_read(user_id)
    people.reset_second_factor(db.session, visitor(), user_id)


@blueprint.post("/users/<number:user_id>/links")
@blueprint.says("生成设置密码的链接", "首次设置或重设；此前的链接作废。")
@blueprint.creates(InvitedSchema, secret=True)
def send_link(user_id: int) -> tuple[dict[str, Any], str]:
    """Make a link by which a user chooses a password."""
    demand(_PERMISSION)
    made = links.send_anew(db.session, visitor(), user_id)
    shown: dict[str, Any] = plain(
        {"user": made.user_id, "secret": made.secret, "expires_at": made.expires_at}
    )
    return shown, url_for(".show", user_id=user_id)


@blueprint.get("/users/<number:user_id>/roles/<number:role_id>")
@blueprint.says("读取用户的一个角色")
@blueprint.shows(PostOfUserSchema)
def show_role(user_id: int, role_id: int) -> dict[str, Any]:
    """A role of a user."""
    return _role(_user(user_id), role_id)


@blueprint.delete("/users/<number:user_id>/roles/<number:role_id>")
@blueprint.says("收回角色", "委托他人代理的一并结束；最后一名管理员的不能收回。")
@blueprint.removes()
def revoke_role(user_id: int, role_id: int) -> None:
    """Take a role away."""
    check_match(_role(_user(user_id, lock=True), role_id))
    roles.revoke_role(db.session, visitor(), role_id)


@blueprint.post("/users/<number:user_id>/hand-over")
@blueprint.says(
    "交接", "把一个用户在一个组织的全部角色交给接任者，如书记换届；原任者再无角色的，账号停用。"
)
@blueprint.takes(
    HandoverSchema,
    example={
        "organization": "finance-1",
        "newcomer": {"username": "wang", "name": "王某"},
        "reason": "换届",
    },
)
@blueprint.creates(HandedOverSchema, secret=True)
def hand_over(body: Mapping[str, Any], user_id: int) -> tuple[dict[str, Any], str]:
    """Give all that a user is on an organization to a successor."""
    demand(_PERMISSION)
    if ("successor" in body) == ("newcomer" in body):
        raise fault("/successor", "either", _("应在 successor 与 newcomer 中给出一个"))
    unit = known_organization(body["organization"], "/organization", _PERMISSION)
    assert unit is not None
    newcomer = body.get("newcomer")
    successor = body["successor"] if newcomer is None else Newcomer(**newcomer)
    with _of_newcomer():
        done = people.hand_over(db.session, visitor(), user_id, unit.id, successor, body["reason"])
    shown: dict[str, Any] = plain(
        {
            "user": done.user_id,
            "secret": None if done.link is None else done.link.secret,
            "expires_at": None if done.link is None else done.link.expires_at,
            "deactivated": done.deactivated,
        }
    )
    return shown, url_for(".show", user_id=done.user_id)


@contextmanager
def _of_newcomer() -> Iterator[None]:
    """Let what is wrong with somebody new have its place in the body."""
    try:
        yield
    except BadInput as error:
        own = {"/username", "/name", "/email"}
        found = [
            replace(one, place=f"/newcomer{one.place}") if one.place in own else one
            for one in error.problems
        ]
        raise BadInput(found, error.omitted) from None


def _as_read(user_id: int) -> dict[str, Any]:
    """The user, locked, who is as the caller has read them."""
    found = _user(user_id, lock=True)
    check_match(found)
    return found


def _role(user: Mapping[str, Any], role_id: int) -> dict[str, Any]:
    for role in user["roles"]:
        if role["id"] == role_id:
            return dict(role)
    raise not_found()


def _user(user_id: int, *, lock: bool = False) -> dict[str, Any]:
    """A user as lists show them, too; 404 for one whom the visitor does not know of."""
    demand(_PERMISSION)
    user = managed_user(db.session, visitor(), user_id, lock=lock)
    held = list(held_roles(db.session, visitor(), [user_id]))
    units = Names(db.session).units({role.organization_id for role in held})
    shown: dict[str, Any] = plain(
        {
            "id": user.id,
            "username": user.username,
            "name": user.name,
            "email": user.email,
            "state": state_of(user),
            "second_factor": user.totp_since is not None,
            "roles": [
                {
                    "id": role.id,
                    "role": role.role,
                    "organization": units[role.organization_id].code,
                    "until_on": role.until_on,
                }
                for role in held
            ],
        }
    )
    return shown
