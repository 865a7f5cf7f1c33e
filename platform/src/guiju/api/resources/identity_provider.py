"""Through which provider the tenant's users may sign in; its secret goes in and never out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from marshmallow import Schema, fields, validate

from guiju.accounts.identities import (
    lock_provider,
    remove_provider,
    set_provider,
    settings_of,
)
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint
from guiju.api.reach import demand_everywhere
from guiju.api.schemas import text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.web.providers import callback, issuers
from guiju.web.sealing import seal

blueprint = Blueprint(
    "identity_provider",
    "统一身份登录",
    "本单位的人员可以用哪个统一身份认证（OpenID Connect）登录；密码登录照常可用。",
)

_EXAMPLE = {
    "title": "市统一身份认证",
    "issuer": "https://sso.example.cn",
    "client_id": "guiju",
    "by_email": True,
}


class ProviderSchema(Schema):
    """The provider, without its secret."""

    title = text_field("登录页上显示的名称", 200, required=True)
    issuer = text_field("认证系统的地址，须是 issuers 之一", 1000, required=True)
    client_id = text_field("本应用在认证系统的编号", 500, required=True)
    by_email = fields.Boolean(
        required=True,
        metadata={"description": "认证系统核实过的邮箱与这里唯一的账号相同时，自动绑定"},
    )


class ProviderChoiceSchema(ProviderSchema):
    """The provider, as it is set up."""

    client_secret = text_field(
        "本应用在认证系统的密钥，不再显示；不填为保留原来的", 1000, load_default=""
    )


class IdentityProviderSchema(Schema):
    """What is set up, and what can be."""

    provider = fields.Nested(ProviderSchema, required=True, allow_none=True)
    issuers = fields.List(
        fields.String(), required=True, metadata={"description": "运维开放的认证系统"}
    )
    callback = fields.String(
        required=True,
        validate=validate.Length(1),
        metadata={"description": "在认证系统登记本应用时填写的回调地址"},
    )


@blueprint.get("/identity-provider")
@blueprint.says("查看统一身份登录", "没有设置的，`provider` 为 null。")
@blueprint.shows(IdentityProviderSchema)
def show() -> dict[str, Any]:
    """The provider that is set up, and what can be."""
    demand_everywhere("policy.manage")
    return _shown()


@blueprint.put("/identity-provider")
@blueprint.says("设置统一身份登录", "首次设置，或换一个认证系统，须有 `client_secret`。")
@blueprint.takes(ProviderChoiceSchema, example={**_EXAMPLE, "client_secret": "……"})
@blueprint.changes(IdentityProviderSchema)
def change(body: Mapping[str, Any]) -> dict[str, Any]:
    """Set the provider up, or change it."""
    demand_everywhere("policy.manage")
    lock_provider(db.session)
    check_match(_shown())
    set_provider(db.session, seal(), visitor().actor(), **body, allowed=issuers())
    return _shown()


@blueprint.delete("/identity-provider")
@blueprint.says("停用统一身份登录", "以后只用密码登录；谁绑定了哪个身份仍保留。")
@blueprint.removes()
def remove() -> None:
    """Sign in by password alone again."""
    demand_everywhere("policy.manage")
    lock_provider(db.session)
    check_match(_shown())
    remove_provider(db.session, visitor().actor())


def _shown() -> dict[str, Any]:
    found = settings_of(db.session)
    return {
        "provider": None if found is None else asdict(found),
        "issuers": list(issuers()),
        "callback": callback(),
    }
