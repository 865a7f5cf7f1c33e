"""What people and programs write into cells, read as the values that the schemas expect.

A *spelling* knows one kind of document: JSON is typed and read strictly, CSV cells are
all text, a workbook's cells are whatever the spreadsheet made of what was typed.  A
spelling turns a cell into what :meth:`marshmallow.fields.Field.deserialize` takes, or
None where nothing is written; white space around a value is not part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from marshmallow import ValidationError

from guiju.facts import layout
from guiju.facts.layout import Field
from guiju.language import gettext as _

#: Control characters, and code points that are no characters: XML and databases refuse them.
_UNPRINTABLE: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_NOT_IN_TEXT: Final = re.compile(f"[{_UNPRINTABLE}]")
_NOT_IN_IDS: Final = re.compile(f"[{_UNPRINTABLE}\t\n]")
_ISO_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_CLOCK: Final = re.compile(r"(\d{1,2})[:：](\d\d)", re.ASCII)
_HOURS: Final = re.compile(r"(\d{1,9})(?:\.(\d))?", re.ASCII)
_LIST: Final = re.compile(f"[{layout.SEPARATORS}]")
_FLAGS: Final = {
    layout.YES: True,
    layout.NO: False,
    "true": True,
    "false": False,
    "1": True,
    "0": False,
}
#: A double holds whole numbers exactly up to 15 digits; Excel drops the others.
_EXACT: Final = 10**15

#: What it is called when a value that is well written is refused by the schema.
_REFUSED: Final = {"day": "out_of_range", "count": "out_of_range", "period": "wrong_type"}


class Misfit(Exception):
    """A cell does not hold what its column wants.

    ``found`` and ``wanted`` are given where something better can be said than the value
    and the column's usual demand.
    """

    def __init__(self, code: str, *, found: str = "", wanted: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.found = found
        self.wanted = wanted


def quoted(value: object) -> str:
    """A value as it is shown in messages: recognizable, and not too long."""
    match value:
        case str():
            text = _("“{text}”").format(text=value.encode("utf-8", "replace").decode())
        case float() if value.is_integer() and abs(value) < _EXACT:
            text = f" {int(value)}"
        case datetime():
            text = f" {value:%Y-%m-%d %H:%M}"
        case tuple() | list() | dict() | bool() | None:
            text = " " + json.dumps(value, ensure_ascii=True, default=str)
        case _:
            text = f" {value}"
    return text if len(text) <= 60 else text[:60] + "…"


class Typed:
    """JSON: every kind of column has one way of writing."""

    def __init__(self, codes: Mapping[str, Mapping[str, str]]) -> None:
        """``codes`` are the codes that profiles add, with labels, by vocabulary."""
        self._codes = codes

    def read(self, value: Any, field: Field, *, hours: bool) -> Any:
        """What the field takes for ``value``; raises Misfit."""
        match layout.kind(field):
            case "day":
                return self.day(value)
            case "flag":
                return self.flag(value)
            case "count":
                return self.count(value, layout.unit(field), hours=hours)
            case "codes":
                return self._unique(self.code(entry, field) for entry in self.entries(value))
            case "refs":
                return self._unique(self.entries(value))
            case "code":
                text = self.identifier(value)
                return text and self.code(text, field)
            case "period":
                return self.period(value)
            case "text":
                return self.text(value)
            case _:
                return self.identifier(value)

    @staticmethod
    def _unique(entries: Any) -> list[str] | None:
        return list(dict.fromkeys(entries)) or None

    def text(self, value: Any) -> str | None:
        """Text of any shape."""
        if not isinstance(value, str):
            raise Misfit("wrong_type")
        return _clean(value, _NOT_IN_TEXT)

    def identifier(self, value: Any) -> str | None:
        """Text on one line: an id, a code or a label."""
        if not isinstance(value, str):
            raise Misfit("wrong_type")
        return _clean(value, _NOT_IN_IDS)

    def period(self, value: Any) -> str | None:
        """A period's label."""
        return self.identifier(value)

    def day(self, value: Any) -> str | None:
        """A day in ISO form."""
        text = self.identifier(value)
        if text is None:
            return None
        if not _ISO_DAY.fullmatch(text):
            raise Misfit("wrong_type")
        try:
            date.fromisoformat(text)
        except ValueError:
            raise Misfit("wrong_type", found=_("日历上没有“{day}”").format(day=text)) from None
        return text

    def flag(self, value: Any) -> bool | None:
        """True or false."""
        if not isinstance(value, bool):
            raise Misfit("wrong_type", wanted=_("应为 true 或 false"))
        return value

    def count(self, value: Any, unit: str, *, hours: bool) -> int | None:
        """A whole number in the column's unit."""
        if isinstance(value, float):
            raise Misfit("wrong_type", found=_("写的是小数 {value}").format(value=value))
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misfit("wrong_type")
        return value

    def entries(self, value: Any) -> list[str]:
        """The entries of a list."""
        if not isinstance(value, tuple):
            raise Misfit("wrong_type", wanted=_('应为文字的列表，如 ["…"]'))
        entries = [self.identifier(entry) for entry in value]
        return [entry for entry in entries if entry]

    def code(self, text: str, field: Field) -> str:
        """The code that ``text``, a code or a label, names."""
        vocabulary = layout.vocabulary(field)
        added = self._codes.get(vocabulary.name, {}) if vocabulary.open else {}
        if text in added:
            return text
        for code, label in added.items():
            if label == text:
                return code
        known = vocabulary.code(text)
        if known is not None:
            return known
        return _refuse_code(text, field, {**vocabulary, **added})


class Written(Typed):
    """CSV: everything is text."""

    def flag(self, value: Any) -> bool | None:
        """是 or 否, true or false, 1 or 0."""
        text = self.identifier(value)
        if text is None:
            return None
        try:
            return _FLAGS[text.casefold()]
        except KeyError:
            raise Misfit("wrong_type") from None

    def count(self, value: Any, unit: str, *, hours: bool) -> int | None:
        """Digits; a time of day or hours where the unit says so."""
        text = self.identifier(value)
        if text is None:
            return None
        if unit == "tenth" and hours:
            if written := _HOURS.fullmatch(text):
                return int(written[1]) * 10 + int(written[2] or 0)
        elif unit == "minute" and (clock := _CLOCK.fullmatch(text)):
            return _minutes(int(clock[1]), int(clock[2]))
        elif _INTEGER.fullmatch(text):
            return int(text)
        raise Misfit("wrong_type")

    def entries(self, value: Any) -> list[str]:
        """Entries with separators between them."""
        text = self.identifier(value)
        return [] if text is None else [e for e in map(str.strip, _LIST.split(text)) if e]


class Sheet(Written):
    """A workbook: text, or what the spreadsheet took the typing for."""

    def text(self, value: Any) -> str | None:
        """Text, or the number, truth value, date or time that the spreadsheet saw in it."""
        match value:
            case str():
                return _clean(value.replace("\r\n", "\n"), _NOT_IN_TEXT)
            case bool():
                return "true" if value else "false"
            case float():
                return _digits(value) if value.is_integer() else repr(value)
            case datetime():
                return f"{value:%Y-%m-%d %H:%M}"
            case date():
                return value.isoformat()
            case time():
                return f"{value:%H:%M}"
            case _:
                raise Misfit("wrong_type")

    def identifier(self, value: Any) -> str | None:
        """Text on one line; a whole number stands for its digits."""
        match value:
            case float() if value.is_integer():
                return _digits(value)
            case date() | time():
                raise Misfit(
                    "wrong_type",
                    found=_("被表格软件当作了日期或时间{value}").format(value=quoted(value)),
                    wanted=_("请先把单元格格式设为“文本”再填写"),
                )
        return super().identifier(value)

    def period(self, value: Any) -> str | None:
        """A period; 2021-03 typed into an unformatted cell has become the first of March."""
        if isinstance(value, date) and not isinstance(value, datetime) and value.day == 1:
            return f"{value:%Y-%m}"
        return super().period(value)

    def day(self, value: Any) -> str | None:
        """A date cell, or a day in ISO form."""
        match value:
            case datetime():
                raise Misfit(
                    "wrong_type", found=_("带有时刻：{value}").format(value=quoted(value).strip())
                )
            case date():
                return value.isoformat()
            case float():
                raise Misfit(
                    "wrong_type", found=_("是数字{value}，不是日期").format(value=quoted(value))
                )
        return super().day(value)

    def flag(self, value: Any) -> bool | None:
        """A truth value, or 是 or 否."""
        return value if isinstance(value, bool) else super().flag(value)

    def count(self, value: Any, unit: str, *, hours: bool) -> int | None:
        """A number; a time of day or hours where the unit says so."""
        match value:
            case time() if unit == "minute" and not value.second:
                return _minutes(value.hour, value.minute)
            case float() if unit == "tenth" and hours:
                tenths = round(value * 10)
                # Hours with one decimal are not exact in binary; those with two are far off.
                if abs(value * 10 - tenths) > 1e-6:
                    raise Misfit("wrong_type")
                return tenths
            case float() if not value.is_integer():
                raise Misfit("wrong_type")
            case float():
                return int(value)
        return super().count(value, unit, hours=hours)


def deserialized(value: Any, field: Field, spelling: Typed, *, hours: bool) -> Any:
    """The value of a cell as the schema loads it, None where nothing is written; raises Misfit."""
    if value is None or value == "":
        return None
    spelled = spelling.read(value, field, hours=hours)
    if spelled is None:
        return None
    try:
        return field.deserialize(spelled)
    except ValidationError:
        raise Misfit(_REFUSED.get(layout.kind(field), "too_long")) from None


def _clean(text: str, forbidden: re.Pattern[str]) -> str | None:
    text = text.strip()
    found = forbidden.search(text)
    if found:
        raise Misfit(
            "control_character",
            found=_("含有不能出现的字符 U+{code:04X}").format(code=ord(found[0])),
        )
    return text or None


def _minutes(hour: int, minute: int) -> int:
    if hour > 23 or minute > 59:
        raise Misfit("out_of_range")
    return hour * 60 + minute


def _digits(value: float) -> str:
    if abs(value) >= _EXACT:
        raise Misfit(
            "wrong_type",
            found=_("是超过 15 位的数字，末几位已被表格软件改为 0"),
            wanted=_("请先把单元格格式设为“文本”再填写"),
        )
    return str(int(value))


def _refuse_code(text: str, field: Field, known: Mapping[str, str]) -> str:
    wanted = _("应为{phrase}").format(phrase=layout.wanted(field))
    likely = layout.nearest(text, [*known.values(), *known])
    if likely:
        wanted = _("{wanted}，是否“{likely}”").format(wanted=wanted, likely=likely)
    elif len(known) <= 12:
        wanted = _("{wanted}：{labels}").format(wanted=wanted, labels=_("、").join(known.values()))
    found = _("没有{value}这一项").format(value=quoted(text))
    raise Misfit("unknown_code", found=found, wanted=wanted)
