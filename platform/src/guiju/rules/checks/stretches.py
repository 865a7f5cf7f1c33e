"""Stretches without a record, where a notice says "often" and names no number (D14).

The days are shown.  A tenant may set how many there may be at most; what exceeds that is a
question for a person, because the number is the tenant's and not the notice's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import periods

if TYPE_CHECKING:
    from guiju.rules.context import Context, Grid
    from guiju.rules.engine import Rule
    from guiju.rules.periods import Unit

#: Where an observed value holds the days of a stretch, they are above this many bits.
_BITS = 32


def days_field() -> fields.Integer:
    """The most days between two records; a rule without the parameter shows no days at all."""
    return fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 366))


def longest(
    place: NDArray[np.int32], day: NDArray[np.int32], grid: Grid, unit: Unit, context: Context
) -> NDArray[np.int64]:
    """The longest stretch without a record in each entry of the grid, in days.

    ``place`` and ``day`` are the records' grid entries and days.  A stretch begins with a
    record or the period, and ends with a record, the period or the day judged.
    """
    if not len(grid):
        return np.zeros(0, dtype=np.int64)
    entries = np.arange(len(grid), dtype=np.int64)
    before = periods.first_days(grid.period, unit) - 1
    end = np.minimum(periods.last_days(grid.period, unit), np.int32(context.as_of))
    where = np.concatenate([entries, place, entries])
    when = np.concatenate([before, day, np.maximum(before, end)]).astype(np.int64)
    # One number for both, sorted: entries in order, and in each its days.
    moment = np.sort((where << _BITS) + (when - before.min()))
    gaps, entry = np.diff(moment), moment >> _BITS
    gaps[entry[1:] != entry[:-1]] = 0
    # Each entry has two moments at least, so none is left out.
    return np.maximum.reduceat(gaps, np.searchsorted(entry, entries))


def exceed(rule: Rule, days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which stretches are longer than the tenant allows; none where it has set no number."""
    most = rule.parameters.get("days")
    return np.zeros(len(days), dtype=np.bool_) if most is None else days > most


def packed(value: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
    """An observed value with the days of a stretch above it."""
    return value | (days << _BITS)


def unpacked(value: int) -> tuple[int, int]:
    """The observed value and the days."""
    return value & ((1 << _BITS) - 1), value >> _BITS


def said(rule: Rule, days: int, *, silent: bool) -> str:
    """The longest stretch, and the tenant's own number where that is exceeded.

    ``silent`` is where the stretch is all there is.
    """
    most = rule.parameters.get("days")
    own = "" if most is None or days <= most else f"，超过本单位自定的 {most} 日"
    return f"本期已过 {days} 日{own}" if silent else f"其间最长 {days} 日没有记录{own}"
