"""The OpenAPI document, built once from what the resources declare.

It holds nothing of any tenant, so anybody may read it.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import flask_smorest
from flask import Flask, Response, request
from marshmallow import fields

from guiju.api import addresses
from guiju.api.blueprint import Blueprint
from guiju.api.problems import KINDS, MEDIA_TYPE, ProblemSchema

_DESCRIPTION = """\
规矩的 REST 接口。凡网页上能做的，这里都能做，权限相同，审计相同。

- **身份**：请求头 `Authorization: Bearer <个人令牌>`。令牌在网页“我的账号”中生成，只显示一次，\
有范围和期限。不使用 cookie。
- **编号**：地址和内容中的编号都是各单位自己的编号，与导入的工作簿一致。
- **看不到的**：不在您管辖范围内的内容与不存在的内容回答相同（404）。
- **列表**：每页 `limit` 项；`next` 不为 null 时，带上 `cursor` 读取下一页。
- **修改**：先读取，得到 `ETag`；修改时放入 `If-Match`。其间被他人改过则回答 412。
- **新建**：带上自取的 `Idempotency-Key`，没有收到回答时可放心重发。
- **错误**：`application/problem+json`，逐项列出位置、代码和应当怎样；\
请求头 `Accept-Language: en` 得到英文。
"""


class Document(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's document, without what it does beside documenting."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register the operations, under the Chinese title in the document."""
        self._app.register_blueprint(blueprint, **options)
        blueprint.register_views_in_doc(
            self, self._app, self.spec, name=blueprint.name, parameters=None
        )
        self.spec.tag({"name": blueprint.title, "description": blueprint.description})

    def _register_error_handlers(self) -> None:
        """Errors are answered for the whole application in one place."""

    def _register_responses(self) -> None:
        self.spec.components.response("NotModified", {"description": "内容未变"})
        for status, kind in KINDS.items():
            self.spec.components.response(
                f"Problem{status}",
                {
                    "description": kind.title,
                    "content": {MEDIA_TYPE: {"schema": ProblemSchema}},
                },
                lazy=True,
            )


def init_app(app: Flask, blueprints: tuple[Blueprint, ...]) -> None:
    """Register the resources, and show the document."""
    app.config.update(
        API_TITLE="规矩",
        API_VERSION=version("guiju"),
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": _DESCRIPTION},
            "security": [{"token": []}],
        },
    )
    document = Document(app)
    spec = document.spec
    spec.components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "个人令牌"}
    )
    converter = document.ma_plugin.converter
    converter.add_attribute_function(_described)
    document.flask_plugin.register_converter(addresses.IdConverter, _id_schema)
    for blueprint in blueprints:
        document.register_blueprint(blueprint)
    text = json.dumps(spec.to_dict(), ensure_ascii=False, indent=1)

    def show() -> Response:
        """The document."""
        response = Response(text, mimetype="application/json")
        response.add_etag()
        response.make_conditional(request)
        return response

    app.add_url_rule(addresses.DOCUMENT, "api_document", show)


def _described(_converter: Any, field: fields.Field[Any], **_options: Any) -> dict[str, Any]:
    """What a column of a facts table says about itself, in the words of the document."""
    heading, note = field.metadata.get("heading"), field.metadata.get("note")
    if heading is None:
        return {}
    found: dict[str, Any] = {"description": f"{heading}。{note}" if note else str(heading)}
    vocabulary = field.metadata.get("vocabulary")
    if vocabulary is not None:
        labels = "、".join(f"`{code}` {label}" for code, label in vocabulary.items())
        found["description"] += f"：{labels}"
    return found


def _id_schema(_converter: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": 64}
