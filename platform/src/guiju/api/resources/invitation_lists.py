"""Inviting many people at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import current_app, url_for
from marshmallow import Schema, fields, validate

from guiju import mail
from guiju.accounts.invitation_lists import MOST_ROWS, Row
from guiju.accounts.inviting import check_list, invite_list
from guiju.accounts.permissions import ROLES
from guiju.accounts.reach import PERMISSION
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint
from guiju.api.reach import demand
from guiju.api.schemas import id_field, plain, text_field
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

blueprint = Blueprint(
    "invitation_lists",
    "批量邀请",
    "一次邀请许多单位的人员：每行一个人的一个角色，有一行不对就一个也不邀请。",
)


class InvitationRowSchema(Schema):
    """A role of somebody to be invited."""

    organization = id_field("组织编号", required=True)
    name = text_field("姓名", 100, required=True)
    username = text_field("用户名；不填则取邮箱 @ 之前的部分", 100, load_default="")
    email = text_field("邮箱", 254, load_default="")
    role = fields.String(
        required=True, validate=validate.OneOf(ROLES), metadata={"description": "角色"}
    )
    until_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "最后一天；不填为长期"}
    )


class InvitationRowsSchema(Schema):
    """Whom to invite."""

    rows = fields.List(
        fields.Nested(InvitationRowSchema),
        required=True,
        validate=validate.Length(1, MOST_ROWS),
        metadata={"description": "一人有多个角色的，写多行，用户名相同"},
    )


class InvitationListSchema(InvitationRowsSchema):
    """Whom to invite, and how they get their links."""

    by_mail = fields.Boolean(
        load_default=False, metadata={"description": "有邮箱的由后台发邮件，不在回答中给出密语"}
    )


class InviteeSchema(Schema):
    """Somebody who would be invited."""

    username = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    roles = fields.List(
        fields.String(), required=True, metadata={"description": "单位和角色的名称"}
    )


class InviteesSchema(Schema):
    """Everybody who would be invited."""

    people = fields.List(fields.Nested(InviteeSchema), required=True)


class ListedInvitationSchema(Schema):
    """Somebody who was invited; the secret is shown this once."""

    user = fields.Integer(required=True, metadata={"description": "用户的编号"})
    username = fields.String(required=True)
    secret = fields.String(
        required=True, allow_none=True, metadata={"description": "邀请的密语；发邮件的为 null"}
    )
    expires_at = fields.DateTime(required=True, allow_none=True)


class InvitedListSchema(Schema):
    """Everybody who was invited."""

    people = fields.List(fields.Nested(ListedInvitationSchema), required=True)


@blueprint.post("/invitation-lists/preview")
@blueprint.says("预览批量邀请", "只检查，不邀请；逐行列出所有错误。")
@blueprint.takes(InvitationRowsSchema)
@blueprint.shows(InviteesSchema)
def preview(body: Mapping[str, Any]) -> dict[str, Any]:
    """Who would be invited."""
    demand(PERMISSION)
    with _as_sent():
        people = check_list(db.session, visitor(), _rows(body["rows"]))
    return {
        "people": [
            {"username": one.username, "name": one.name, "email": one.email, "roles": one.roles}
            for one in people
        ]
    }


@blueprint.post("/invitation-lists")
@blueprint.says("批量邀请", "全部成功或一个也不邀请；密语只显示这一次。")
@blueprint.takes(InvitationListSchema)
@blueprint.creates(InvitedListSchema, secret=True)
def invite(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Invite everybody on a list."""
    demand(PERMISSION)
    if body["by_mail"] and not mail.configured(current_app.extensions["guiju_settings"]):
        wanted = _("平台没有设置邮件服务器")
        raise BadInput([Problem("/by_mail", "true", wanted, "no_mail")])
    with _as_sent():
        invited = invite_list(db.session, visitor(), _rows(body["rows"]), by_mail=body["by_mail"])
    shown: dict[str, Any] = plain(
        {
            "people": [
                {
                    "user": one.user_id,
                    "username": one.username,
                    "secret": one.secret,
                    "expires_at": one.expires_at,
                }
                for one in invited
            ]
        }
    )
    return shown, url_for("api_accounts.users")


@contextmanager
def _as_sent() -> Iterator[None]:
    """Let faults have their places in the body, where a unit is called an organization."""
    try:
        yield
    except BadInput as error:
        found = [
            replace(one, place=one.place.replace("/unit", "/organization"))
            for one in error.problems
        ]
        raise BadInput(found, error.omitted) from None


def _rows(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        Row(
            number,
            row["organization"],
            row["name"].strip(),
            row["username"].strip(),
            row["email"].strip(),
            row["role"],
            row["until_on"].isoformat() if row["until_on"] else "",
        )
        for number, row in enumerate(rows, 1)
    ]
