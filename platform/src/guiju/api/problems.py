"""What was wrong with a request: problem details of RFC 9457, in the caller's language.

Every answer of the API from 400 on has this form.  ``type`` and the ``code`` of each error
are for programs and never change; the texts are for people and may.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog
from flask import Response, g, request
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from guiju.activities.access import Conflict
from guiju.api import languages
from guiju.decisions.refusals import Outdated
from guiju.language import gettext, speaking
from guiju.rules.problems import BadInput
from guiju.rules.problems import Problem as Fault
from guiju.scoring.results import NotVisible

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"

#: Faults listed in one answer; the number of others is in ``omitted``.
_MOST_FAULTS = 1000


def _(text: str) -> str:
    """Mark ``text`` for translation; the translation itself happens on answering."""
    return text


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its name in ``type``, and what it is called."""

    name: str
    title: str


#: What each status says unless the exception says more.
KINDS: Mapping[int, Kind] = {
    400: Kind("malformed", _("请求无法读懂")),
    401: Kind("unauthorized", _("需要有效的个人令牌")),
    403: Kind("forbidden", _("没有这项权限")),
    404: Kind("not-found", _("没有找到")),
    405: Kind("method-not-allowed", _("这个地址不接受这种请求")),
    406: Kind("not-acceptable", _("不提供这种格式")),
    409: Kind("conflict", _("与正在进行或已有的内容冲突")),
    412: Kind("stale", _("内容已被修改，请重新读取后再提交")),
    413: Kind("too-large", _("请求内容太大")),
    414: Kind("too-long", _("地址太长")),
    415: Kind("unsupported-media-type", _("不接受这种内容类型")),
    422: Kind("bad-input", _("内容有误，没有作任何改动")),
    428: Kind("precondition-required", _("请在 If-Match 中给出所读到的 ETag")),
    429: Kind("too-many-requests", _("请求过于频繁，请稍候再试")),
    431: Kind("too-long", _("请求头太长")),
    500: Kind("internal", _("服务器出错，已经记录")),
    503: Kind("unavailable", _("暂时不可用，请稍后再试")),
}


class FaultSchema(Schema):
    """One fault of a request, for the OpenAPI document."""

    pointer = fields.String(
        metadata={"description": "请求正文中的位置（JSON Pointer）", "example": "/held_on"}
    )
    parameter = fields.String(metadata={"description": "地址中的参数名", "example": "limit"})
    header = fields.String(metadata={"description": "请求头的名称"})
    code = fields.String(
        required=True, metadata={"description": "供程序判断的代码，不会改变", "example": "required"}
    )
    found = fields.String(metadata={"description": "所收到的内容"})
    detail = fields.String(
        required=True, metadata={"description": "应当怎样", "example": "不能缺少"}
    )


class ProblemSchema(Schema):
    """The form of an answer from 400 on, for the OpenAPI document."""

    type = fields.String(
        required=True,
        metadata={"description": "问题的种类，不会改变", "example": "urn:guiju:problem:bad-input"},
    )
    title = fields.String(required=True, metadata={"description": "种类的名称"})
    status = fields.Integer(required=True, metadata={"description": "HTTP 状态码"})
    detail = fields.String(metadata={"description": "这一次的具体情况"})
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "逐项列出的错误"})
    omitted = fields.Integer(metadata={"description": "未列出的错误数"})
    request_id = fields.String(
        required=True, metadata={"description": "这次请求的编号，与 X-Request-ID 相同"}
    )


class Refused(Exception):
    """A request that is not done, with the status that says why and what to put right."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        errors: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def not_found() -> Refused:
    """What is not there, and what is not yours: one and the same answer."""
    return Refused(404)


def fault(place: str, code: str, detail: str, found: str = "", *, at: str = "pointer") -> Refused:
    """One fault of the request; ``at`` is ``pointer``, ``parameter`` or ``header``."""
    return Refused(422, errors=[_error(Fault(place, found, detail, code), at)])


@contextmanager
def in_body(prefix: str) -> Iterator[None]:
    """Let faults of a row that an operation calls ``prefix`` have their place in the body."""
    try:
        yield
    except BadInput as error:
        found = [replace(one, place=one.place.removeprefix(prefix)) for one in error.problems]
        raise BadInput(found, error.omitted) from None


def bad_input(error: BadInput) -> Refused:
    """The faults that an operation found in the body."""
    refused = Refused(422, errors=[_error(found, "pointer") for found in error.problems])
    refused.errors = refused.errors[:_MOST_FAULTS]
    return refused


def _error(found: Fault, at: str) -> dict[str, str]:
    shown = {at: found.place, "code": found.code, "detail": found.wanted}
    return {**shown, "found": found.found} if found.found else shown


def answer(error: Exception) -> Response:
    """The answer to a request that failed with ``error``."""
    if isinstance(error, Refused):
        return _respond(error)
    if isinstance(error, BadInput):
        omitted = error.omitted + max(0, len(error.problems) - _MOST_FAULTS)
        return _respond(bad_input(error), omitted=omitted)
    if isinstance(error, NotVisible):
        return _respond(not_found())
    if isinstance(error, PermissionError):
        return _respond(Refused(403))
    if isinstance(error, Conflict | Outdated):
        return _respond(Refused(409))
    if isinstance(error, HTTPException) and error.code is not None:
        if error.code < 400:
            return Response(status=error.code, headers=dict(error.get_headers()))
        kept = {
            name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}
        }
        return _respond(Refused(error.code, _limit(error.code), headers=kept))
    log.error("request_failed", endpoint=request.endpoint, exc_info=error)
    return _respond(Refused(500))


def _limit(status: int) -> str | None:
    """How much there may be, where a body was refused for being more."""
    most = request.max_content_length
    if status != 413 or most is None:
        return None
    with speaking(languages.language()):
        return gettext("正文至多 {most} 字节").format(most=most)


def _respond(refused: Refused, *, omitted: int = 0) -> Response:
    kind = KINDS.get(refused.status) or KINDS[400 if refused.status < 500 else 500]
    with speaking(languages.language()):
        title = gettext(kind.title)
    body: dict[str, Any] = {
        "type": f"urn:guiju:problem:{kind.name}",
        "title": title,
        "status": refused.status,
    }
    if refused.detail:
        body["detail"] = refused.detail
    if refused.errors:
        body["errors"] = refused.errors
    if omitted:
        body["omitted"] = omitted
    body["request_id"] = g.request_id
    headers = {"Content-Language": languages.language(), "Vary": "Accept-Language"}
    return Response(
        json.dumps(body, ensure_ascii=False),
        status=refused.status,
        headers={**headers, **refused.headers},
        mimetype=MEDIA_TYPE,
    )
