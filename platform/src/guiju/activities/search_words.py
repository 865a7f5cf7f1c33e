"""What words say of the records that somebody looks for."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, cast

import sqlalchemy as sa

from guiju.activities.models import Occasion

#: ``2021``, ``2021-10``, ``2021年10月``, ``2021/10/8``, ``2021年10月8日``.
_DAY = re.compile(
    r"(?P<year>\d{4})(?:[-./年](?P<month>\d{1,2})(?:[-./月](?P<day>\d{1,2})日?|月)?|年)?"
)

_occasions = Occasion.__table__


def span(word: str) -> tuple[date, date] | None:
    """First and last day of the day, month or year that a word names; None for another word."""
    found = _DAY.fullmatch(word)
    if found is None:
        return None
    year = int(found["year"])
    first_month = int(found["month"] or 1)
    last_month = int(found["month"] or 12)
    try:
        last_day = int(found["day"] or monthrange(year, last_month)[1])
        return date(year, first_month, int(found["day"] or 1)), date(year, last_month, last_day)
    except ValueError:
        return None


def says(word: str, kinds: int) -> sa.ColumnElement[bool]:
    """The condition on occasions that a word is said of them.

    By title, theme, place, number or day; or by kind, where ``kinds`` is the mask of those
    whose name has the word.
    """
    columns = cast("Any", _occasions.c)
    # Not LIKE: what people type is not a pattern.
    parts: list[sa.ColumnElement[bool]] = [
        sa.func.strpos(sa.func.coalesce(column, ""), word) > 0
        for column in (columns.title_text, columns.theme, columns.place)
    ]
    parts.append(columns.code == word)
    if kinds:
        parts.append(columns.kinds.bitwise_and(kinds) != 0)
    days = span(word)
    if days is not None:
        parts.append(columns.held_on.between(*days))
    return sa.or_(*parts)


def mask(kinds: Collection[str], known: Mapping[str, int]) -> int:
    """The mask of kinds by their bits; those that nobody has used yet have none."""
    return sum(1 << known[kind] for kind in kinds if kind in known)
