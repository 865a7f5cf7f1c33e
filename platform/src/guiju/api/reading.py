"""Reading what a request brings: JSON and parameters, every fault listed with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError
from webargs import missing
from webargs.flaskparser import FlaskParser

from guiju.api import languages
from guiju.api.problems import Refused
from guiju.language import gettext as _

#: A body of JSON; files have addresses and limits of their own.
LARGEST_JSON = 1024 * 1024

#: marshmallow's messages: pattern, code for programs, and the Chinese, made when needed.
_MESSAGES: tuple[tuple[str, str, Callable[[], str]], ...] = (
    (r"Missing data for required field\.", "required", lambda: _("不能缺少")),
    (r"Field may not be null\.", "null", lambda: _("不能为空")),
    (r"Unknown field\.", "unknown", lambda: _("没有这个字段")),
    (r"Invalid input type\.|Not a valid mapping type\.", "type", lambda: _("应为一个对象")),
    (r"Not a valid list\.", "type", lambda: _("应为一个数组")),
    (r"Not a valid string\.", "type", lambda: _("应为文本")),
    (r"Not a valid integer\.", "type", lambda: _("应为整数")),
    (r"Not a valid number\.", "type", lambda: _("应为数字")),
    (r"Not a valid boolean\.", "type", lambda: _("应为 true 或 false")),
    (r"Not a valid date\.", "type", lambda: _("应为日期，写作 2021-03-15")),
    (r"Not a valid datetime\.", "type", lambda: _("应为时间，写作 2021-03-15T14:30:00+08:00")),
    (r"Not a period\.", "period", lambda: _("应为期间，写作 2021、2021-H1、2021-Q1 或 2021-03")),
    (r"Not a month\.", "period", lambda: _("应为月份，写作 2021-03")),
    (r"Outside the calendar\.", "range", lambda: _("超出可用的日期范围")),
    (r"Must be one of: (.*)\.", "choice", lambda: _("应为其中之一：{0}")),
    (
        r"Length must be between (\d+) and (\d+)\.",
        "length",
        lambda: _("长度应在 {0} 与 {1} 之间"),
    ),
    (r"Length must be (\d+)\.", "length", lambda: _("长度应为 {0}")),
    (r"Shorter than minimum length (\d+)\.", "length", lambda: _("长度不能小于 {0}")),
    (r"Longer than maximum length (\d+)\.", "length", lambda: _("长度不能超过 {0}")),
    (
        r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.",
        "range",
        lambda: _("应在 {0} 与 {1} 之间"),
    ),
    (r"Must be greater than or equal to (\S+)\.", "range", lambda: _("不能小于 {0}")),
    (r"Must be less than or equal to (\S+)\.", "range", lambda: _("不能大于 {0}")),
)


class Parser(FlaskParser):
    """Bodies of JSON and parameters, refused whole where anything is unknown or unreadable."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - as webargs declares it
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": RAISE,
        "query": RAISE,
        "querystring": RAISE,
        "files": RAISE,
        "form": RAISE,
    }

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body; raises :class:`Refused` (400, 413, 415) for what is no JSON in UTF-8."""
        if req.mimetype != "application/json" or req.mimetype_params.get(
            "charset", "utf-8"
        ).lower() not in {"utf-8", "utf8"}:
            raise Refused(415, _("请以 application/json（UTF-8）提交"))
        req.max_content_length = LARGEST_JSON
        raw = req.get_data()
        if not raw:
            return missing
        try:
            found = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except UnicodeDecodeError:
            raise Refused(400, _("正文不是 UTF-8")) from None
        except json.JSONDecodeError as error:
            place = _("第 {line} 行第 {column} 个字符").format(
                line=error.lineno, column=error.colno
            )
            raise Refused(400, _("正文不是 JSON：{place}").format(place=place)) from None
        except (ValueError, RecursionError):
            raise Refused(400, _("正文不是可用的 JSON")) from None
        if unusable := [
            _error(place, "pointer", "text", _("含有不能保存的字符")) for place in unstorable(found)
        ]:
            raise Refused(422, errors=unusable)
        return found

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """List what the schema refused."""
        raise Refused(
            422,
            errors=[
                fault
                for location, messages in error.messages_dict.items()
                for fault in faults(messages, location)
            ],
        )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def unstorable(found: Any, place: str = "") -> Iterator[str]:
    """JSON pointers of texts that PostgreSQL cannot hold: with NUL or half a character."""
    if isinstance(found, str):
        if "\0" in found or any("\ud800" <= character <= "\udfff" for character in found):
            yield place
    elif isinstance(found, dict):
        for name, value in found.items():
            inner = f"{place}/{escaped(name)}"
            yield from unstorable(name, inner)
            yield from unstorable(value, inner)
    elif isinstance(found, list):
        for number, value in enumerate(found):
            yield from unstorable(value, f"{place}/{number}")


def escaped(name: str) -> str:
    """A name as JSON pointers write it; what cannot be sent is replaced."""
    name = name.encode("utf-8", "replace").decode()
    return name.replace("~", "~0").replace("/", "~1")


def faults(messages: Any, location: str, place: str = "") -> Iterator[dict[str, str]]:
    """Nested messages of marshmallow,  as errors of a problem."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name == "_schema" else f"/{escaped(str(name))}"
            yield from faults(inner, location, place + step)
    elif isinstance(messages, list):
        for message in messages:
            yield from faults(message, location, place)
    elif location == "json":
        yield _error(place, "pointer", *said(str(messages)))
    else:
        yield _error(place.lstrip("/").partition("/")[0], "parameter", *said(str(messages)))


def said(message: str) -> tuple[str, str]:
    """Code and text, in the caller's language, of a message of marshmallow's or our own."""
    for pattern, code, chinese in _MESSAGES:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            return code, message if languages.language() == "en" else chinese().format(
                *found.groups()
            )
    return "invalid", message


def _error(place: str, at: str, code: str, detail: str) -> dict[str, str]:
    return {at: place, "code": code, "detail": detail}


def body_digest_source() -> bytes:
    """What makes a request the same request when it is repeated."""
    return b"\0".join([request.full_path.encode(), request.mimetype.encode(), request.get_data()])
