"""Fields that plugins add to records: what they may be, and reading what was typed in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from guiju.hookspecs import RecordFields
from guiju.language import gettext as _
from guiju.rules import vocabulary as v
from guiju.rules.pack import Pack
from guiju.rules.problems import Problem

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: Longest text where a field says nothing.
MOST_TEXT: Final = 2000

_Field = fields.Field[Any]
_TYPES: Final[Mapping[type[_Field], str]] = {
    fields.String: "text",
    fields.Integer: "number",
    fields.Boolean: "flag",
    fields.Date: "day",
}
#: How the values of each type are written in JSON.
_WRITTEN: Final[Mapping[str, type[object]]] = {
    "text": str,
    "number": int,
    "flag": bool,
    "day": str,
}


@dataclass(frozen=True)
class RecordField:
    """One such field as forms and programs need to know it.

    ``type`` is ``text``, ``number``, ``flag`` or ``day``.  ``choices`` maps the values of a
    closed list to their labels; ``least`` and ``most`` bound a number, or the length of a
    text.
    """

    name: str
    label: str
    note: str
    type: str
    required: bool
    choices: Mapping[str, str]
    least: int | None
    most: int | None
    clause: str
    field: _Field

    @property
    def wanted(self) -> str:
        """What may stand in it."""
        if self.choices:
            return _("应为{labels}之一").format(labels=_("、").join(self.choices.values()))
        match self.type:
            case "number":
                least = 0 if self.least is None else self.least
                if self.most is None:
                    return _("应为不小于 {least} 的整数").format(least=least)
                return _("应为 {least} 至 {most} 的整数").format(least=least, most=self.most)
            case "flag":
                return _("应为 true 或 false")
            case "day":
                return _("应为日期，写作 2021-03-05")
            case _:
                return _("应为不超过 {most} 个字的文字").format(most=self.most)


def faults(added: RecordFields, packs: Mapping[str, Pack]) -> list[str]:
    """What is wrong with the fields that a plugin adds, in words for its author."""
    pack = packs.get(added.profile)
    if pack is None:
        return [f"没有规则包 {added.profile}"]
    known = {*v.OCCASION_KINDS, *pack.vocabularies.get(v.OCCASION_KINDS.name, {})}
    found = [f"没有活动类型 {kind}" for kind in added.kinds if kind not in known]
    if not added.kinds or not added.clause:
        found.append(f"{added.profile} 的字段没有活动类型或条款")
    for name, field in added.fields.items():
        if not _NAME.fullmatch(name):
            found.append(f"字段名 {name} 应为小写字母、数字和下划线")
        if type(field) not in _TYPES:
            found.append(f"字段 {name} 的类型 {type(field).__name__} 不能用")
        if not field.metadata.get("heading"):
            found.append(f"字段 {name} 没有 heading")
    return found


def fields_for(
    added: Iterable[RecordFields], profile: str | None, kinds: Iterable[str]
) -> list[RecordField]:
    """The fields of a record of these kinds where ``profile`` holds, in the plugin's order."""
    asked = set(kinds)
    return [
        _described(name, field, one.clause)
        for one in added
        if one.profile == profile and asked.intersection(one.kinds)
        for name, field in one.fields.items()
    ]


def read(
    known: Iterable[RecordField], given: Mapping[str, Any], place: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The values as stored in JSON, blank ones left out, and what is wrong with them.

    ``place`` is the JSON pointer of ``given``.  Names that are no field are the caller's.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for one in known:
        at = f"{place}/{one.name}"
        value = given.get(one.name)
        if isinstance(value, str):
            value = value.strip()
        if value is None or value == "":
            if one.required:
                blank = _("没有填写“{heading}”").format(heading=one.label)
                problems.append(Problem(at, blank, one.wanted, "missing_value"))
            continue
        try:
            found[one.name] = _value(one, value)
        except ValidationError:
            shown = _("写的是“{value}”").format(value=str(value)[:60])
            problems.append(Problem(at, shown, one.wanted, "wrong_type"))
    return found, problems


def _value(one: RecordField, value: Any) -> Any:
    # marshmallow takes "yes", 1.5 and numbers written as text; records are typed.
    if type(value) is not _WRITTEN[one.type]:
        raise ValidationError("Not of the field's type.")
    if isinstance(value, str) and _CONTROL.search(value):
        raise ValidationError("Not a text.")
    if one.type == "text" and len(str(value)) > (one.most or MOST_TEXT):
        raise ValidationError("Too long.")
    if one.type == "number" and one.least is None and int(str(value)) < 0:
        raise ValidationError("Negative.")
    loaded = one.field.deserialize(value)
    return loaded.isoformat() if one.type == "day" else loaded


def _described(name: str, field: _Field, clause: str) -> RecordField:
    choices: dict[str, str] = {}
    least: int | None = None
    most: int | None = MOST_TEXT if isinstance(field, fields.String) else None
    for validator in field.validators:
        match validator:
            case validate.OneOf():
                labels = validator.labels or validator.choices
                choices = dict(zip(map(str, validator.choices), map(str, labels), strict=True))
            case validate.Range() | validate.Length():
                least, most = validator.min, validator.max
    return RecordField(
        name=name,
        label=str(field.metadata["heading"]),
        note=str(field.metadata.get("note", "")),
        type=_TYPES[type(field)],
        required=field.required,
        choices=choices,
        least=least,
        most=most,
        clause=clause,
        field=field,
    )
