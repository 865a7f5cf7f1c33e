"""Public holidays and working weekends, as dated data with a source.

A calendar answers only for the years it holds: a missing year is said, never guessed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.arrays import among

Days = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    """``holidays`` and ``workdays`` (working weekends) are day numbers of the ``years`` known."""

    years: frozenset[int] = frozenset()
    holidays: frozenset[int] = frozenset()
    workdays: frozenset[int] = frozenset()
    sources: Mapping[int, str] = field(default_factory=dict)

    def known(self, days: Days) -> Bools:
        """Whether the calendar holds the year of each day."""
        years = periods.indices(days, periods.Unit.YEAR) + 1970
        return among(years, self.years)

    def is_holiday(self, days: Days) -> Bools:
        """Public holidays proper (days off by the holiday notice)."""
        return among(days, self.holidays)

    def is_working(self, days: Days) -> Bools:
        """Working days: weekdays that are no holiday, and working weekends."""
        weekend = periods.weekday(days) >= 5
        return np.where(weekend, among(days, self.workdays), ~self.is_holiday(days))

    def next_working(self, days: Days) -> Days:
        """Each day itself, or the first working day after it."""
        moved = days.copy()
        for _ in range(16):
            off = ~self.is_working(moved)
            if not bool(off.any()):
                break
            moved = np.where(off, moved + 1, moved).astype(np.int32)
        return moved


@cache
def load() -> Calendar:
    """The calendar that comes with Guiju (``holidays.toml``)."""
    text = resources.files("guiju.rules").joinpath("holidays.toml").read_text("utf-8")
    years: dict[str, Any] = tomllib.loads(text)["year"]
    return Calendar(
        years=frozenset(int(year) for year in years),
        holidays=frozenset(_days(years, "holidays")),
        workdays=frozenset(_days(years, "workdays")),
        sources={int(year): entry["source"] for year, entry in years.items()},
    )


def _days(years: Mapping[str, Any], name: str) -> list[int]:
    days: list[date] = [value for entry in years.values() for value in entry[name]]
    return [periods.day(value) for value in days]
