"""What several resources have in common: forms of rows, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from guiju.rules import periods
from guiju.rules.tables import MAX_ID

#: Greatest number that a row can have.
MOST_NUMBER = 2**63 - 1


def id_field(description: str, **options: Any) -> fields.String:
    """An author's own id."""
    return fields.String(
        validate=validate.Length(1, MAX_ID), metadata={"description": description}, **options
    )


def number_field(description: str, **options: Any) -> fields.Integer:
    """The number of a row."""
    return fields.Integer(
        strict=True,
        validate=validate.Range(1, MOST_NUMBER),
        metadata={"description": description},
        **options,
    )


def text_field(description: str, most: int, **options: Any) -> fields.String:
    """Free text of at most ``most`` characters."""
    return fields.String(
        validate=validate.Length(max=most), metadata={"description": description}, **options
    )


def part_field() -> fields.String:
    """A part of a requirement that is judged separately, in a body."""
    return text_field("分开评判的部分", 10, load_default=None, allow_none=True)


def period_field() -> fields.String:
    """A period as findings write it, in a body."""
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=is_period,
        metadata={"description": "期间；没有期间的不填"},
    )


class WithinQuery(Schema):
    """Parameter of lists that can be limited to a part of the tree."""

    within = id_field("只看这个组织及其下级")


def plain(found: Any) -> Any:
    """Values as JSON writes them: days and times in ISO form."""
    if isinstance(found, date | datetime):
        return found.isoformat()
    if isinstance(found, Mapping):
        return {name: plain(value) for name, value in found.items()}
    if isinstance(found, list | tuple | set | frozenset):
        return [plain(value) for value in found]
    return found


def is_period(text: str) -> None:
    """Validate a period as findings write it."""
    try:
        periods.parse(text)
    except ValueError:
        raise ValidationError("Not a period.") from None


def is_month(text: str) -> bool:
    """Whether a text is a month as findings write it: ``2021-03``."""
    try:
        return periods.parse(text)[1] is periods.Unit.MONTH
    except ValueError:
        return False
