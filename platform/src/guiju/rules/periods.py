"""Calendar periods as integers: fast in columns, readable at the edges.

Days are int32 counts since 1970-01-01; ``NULL_DAY`` means "no day".  A period is
an index in its unit, counted from the one that begins 1970-01-01, so that month,
two-month period, quarter, half-year and year are plain divisions of the month.

Everything here takes scalars or numpy arrays alike, except parsing and labels.
Sources: readings D2, D3, D4 and D8 of the catalogue of notices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]
Indices = NDArray[np.int32]

EPOCH: Final = date(1970, 1, 1)
#: Stands for "no day"; smaller than every day.
NULL_DAY: Final = -(2**31)
#: Bounds for open-ended spells, well outside any business day.
FIRST_DAY: Final = -(2**20)
LAST_DAY: Final = 2**20


class Unit(Enum):
    """A kind of calendar period; the value is its length in months."""

    MONTH = 1
    BIMONTH = 2
    QUARTER = 3
    HALF = 6
    YEAR = 12

    # There is one of each, so which it is tells it apart; a name's hash takes longer.
    __hash__ = object.__hash__

    @classmethod
    def named(cls, name: str) -> Unit:
        """The unit called ``month``, ``bimonth``, ``quarter``, ``half`` or ``year``."""
        return cls[name.upper()]


UNIT_NAMES: Final = tuple(unit.name.lower() for unit in Unit)


def day(value: date) -> int:
    """Days since 1970-01-01."""
    return (value - EPOCH).days


def to_date(value: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=int(value))


# Looking a day up in a table is several times faster than datetime64 arithmetic.
_TABLE_FIRST: Final = day(date(1900, 1, 1))
_TABLE_LAST: Final = day(date(2199, 12, 31))
_MONTH_OF_DAY: Final[Indices] = (
    np.arange(_TABLE_FIRST, _TABLE_LAST + 1, dtype="int64")
    .astype("datetime64[D]")
    .astype("datetime64[M]")
    .astype("int32")
)
_MONTH_LOW: Final = -70 * 12
_FIRST_OF_MONTH: Final[Days] = (
    np.arange(_MONTH_LOW, 230 * 12 + 1, dtype="int64")
    .astype("datetime64[M]")
    .astype("datetime64[D]")
    .astype("int32")
)


def months(days: Days) -> Indices:
    """Month index of each day; days outside 1900–2199 are clamped."""
    return _MONTH_OF_DAY.take(np.subtract(days, _TABLE_FIRST, dtype=np.int64), mode="clip")


def indices(days: Days, unit: Unit) -> Indices:
    """Period index of each day."""
    found = months(days)
    return found if unit is Unit.MONTH else found // np.int32(unit.value)


def index(value: int | date, unit: Unit) -> int:
    """Period index of one day."""
    number = day(value) if isinstance(value, date) else int(value)
    # One day is looked up several times faster without an array around it.
    month = int(_MONTH_OF_DAY[min(max(number, _TABLE_FIRST), _TABLE_LAST) - _TABLE_FIRST])
    return month // unit.value


def first_days(found: Indices, unit: Unit) -> Days:
    """First day of each period."""
    month = np.multiply(found, unit.value, dtype=np.int64)
    return _FIRST_OF_MONTH.take(month - _MONTH_LOW, mode="clip")


def last_days(found: Indices, unit: Unit) -> Days:
    """Last day of each period."""
    return first_days(np.asarray(found) + 1, unit) - np.int32(1)


def first_day(found: int, unit: Unit) -> int:
    """First day of one period."""
    place = found * unit.value - _MONTH_LOW
    return int(_FIRST_OF_MONTH[min(max(place, 0), len(_FIRST_OF_MONTH) - 1)])


def last_day(found: int, unit: Unit) -> int:
    """Last day of one period."""
    return first_day(found + 1, unit) - 1


def add_months(days: Days, number: int) -> Days:
    """The same day ``number`` months later (earlier if negative), clamped to the month's end."""
    days = np.asarray(days, dtype=np.int32)
    month = months(days)
    offset = days - first_days(month, Unit.MONTH)
    target = month + np.int32(number)
    first, last = first_days(target, Unit.MONTH), last_days(target, Unit.MONTH)
    shifted = np.minimum(first + offset, last)
    return np.where(days == NULL_DAY, np.int32(NULL_DAY), shifted).astype(np.int32)


def deadline(days: Days, months: int, end: str) -> Days:
    """The last day in time so many months after each day (before it if negative).

    ``end`` is an option of reading D8: the ``same_day`` of the month, or the ``day_before``.
    """
    found = add_months(days, months)
    if end == "same_day":
        return found
    return np.where(found == NULL_DAY, found, found - np.int32(1)).astype(np.int32)


def weekday(days: Days) -> Indices:
    """Monday 0 … Sunday 6."""
    return (np.asarray(days, dtype=np.int64) + 3).astype(np.int32) % np.int32(7)


@lru_cache(maxsize=1024)
def first_judged(issued_on: int, unit: Unit) -> Mapping[str, int]:
    """Index of the first period that a notice of that day governs, by option of reading D4.

    Shorter periods begin on or after the day of issue (``whole``); a year counts from the
    notice's own if that is dated on or before 30 June (``half_way``); or the period in which
    the notice was issued counts in any case (``touching``).
    """
    touching = index(issued_on, unit)
    whole = touching if first_day(touching, unit) >= issued_on else touching + 1
    issued = to_date(issued_on)
    early = unit is Unit.YEAR and (issued.month, issued.day) <= (6, 30)
    starts = {"half_way": touching if early else whole, "whole": whole, "touching": touching}
    return MappingProxyType(starts)


_LETTERS: Final = {Unit.HALF: "H", Unit.QUARTER: "Q", Unit.BIMONTH: "B"}
_PATTERN: Final = re.compile(r"(\d{4})(?:-(?:([HQB])(\d)|(\d{2})))?")


def label(found: int, unit: Unit) -> str:
    """``2020``, ``2020-H1``, ``2020-Q1``, ``2020-B1`` or ``2020-03``."""
    per_year = 12 // unit.value
    year, part = divmod(int(found), per_year)
    if unit is Unit.YEAR:
        return f"{year + 1970:04d}"
    if unit is Unit.MONTH:
        return f"{year + 1970:04d}-{part + 1:02d}"
    return f"{year + 1970:04d}-{_LETTERS[unit]}{part + 1}"


def parse(text: str) -> tuple[int, Unit]:
    """Index and unit of a period label.

    Raises ValueError for anything else, months and parts out of range included.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, letter, part, month = match.groups()
    unit = (
        Unit.MONTH
        if month
        else Unit.YEAR
        if not letter
        else next(u for u, known in _LETTERS.items() if known == letter)
    )
    per_year = 12 // unit.value
    number = int(month or part or 1)
    if not 1 <= number <= per_year:
        raise ValueError(text)
    return (int(year) - 1970) * per_year + number - 1, unit


def describe(found: int, unit: Unit) -> str:
    """A period as a Chinese reader says it: 2021年第一季度, 2021年3月 and so on."""
    per_year = 12 // unit.value
    year, part = divmod(int(found), per_year)
    head = f"{year + 1970}年"
    if unit is Unit.YEAR:
        return head
    if unit is Unit.MONTH:
        return f"{head}{part + 1}月"
    if unit is Unit.BIMONTH:
        return f"{head}{part * 2 + 1}—{part * 2 + 2}月"
    if unit is Unit.QUARTER:
        return f"{head}第{'一二三四'[part]}季度"
    return f"{head}{'上下'[part]}半年"
