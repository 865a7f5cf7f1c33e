"""Whose records for which months are complete: attested, or taken to be complete in time.

A shortfall can only be told where the records are complete (reading D3).  A unit says so
for a period; where the tenant chose a number of days, a month counts as complete that many
days after its end, unless somebody objects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.facts import Facts
from guiju.rules.periods import Unit

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Completeness:
    """Running numbers of complete months, from month ``low`` on, by organization."""

    low: int
    running: NDArray[np.int16]

    def table(self, unit: Unit) -> tuple[int, Bools]:
        """Whether all months of each period are complete: first period, organizations × periods.

        The first and the last column stand for all periods before and after.
        """
        length = unit.value
        begin = -(-self.low // length)
        first = np.arange(begin * length - self.low, self.running.shape[1] - length, length)
        whole = self.running[:, first + length] - self.running[:, first] == length
        found = np.zeros((len(self.running), len(first) + 2), dtype=np.bool_)
        found[:, 1:-1] = whole
        return begin - 1, found


def of(facts: Facts, as_of: int, since: int, after_days: int | None) -> Completeness:
    """Complete months as of a day.

    ``after_days`` is how long after its end a month is taken to be complete without a word
    (None: never), from the month of the day ``since`` on.
    """
    spans = _Spans(facts, as_of)
    low, high = spans.low, spans.high
    automatic = 0
    if after_days is not None:
        begin = periods.index(since, Unit.MONTH)
        automatic = _complete_until(as_of, after_days)
        low = min(low, begin) if high > low else begin
        high = max(high, automatic, low)
    grid = np.zeros((facts.count("organizations"), high - low), dtype=np.int8)
    if after_days is not None:
        grid[:, : max(automatic - low, 0)] = 1
        spans.mark(grid, low, spans.objected, 0)
    spans.mark(grid, low, spans.attested, 1)
    running = np.zeros((len(grid), high - low + 1), dtype=np.int16)
    np.cumsum(grid, axis=1, out=running[:, 1:], dtype=np.int16)
    return Completeness(low, running)


def _complete_until(as_of: int, after_days: int) -> int:
    """The first month that is not yet complete by itself."""
    month = periods.index(as_of, Unit.MONTH)
    while periods.last_day(month, Unit.MONTH) + after_days >= as_of:
        month -= 1
    return month + 1


class _Spans:
    """The attestations as months: which rows hold, where they begin, how long they are."""

    def __init__(self, facts: Facts, as_of: int) -> None:
        rows = facts["attestations"]
        labels, words = rows["period"], rows.words("period")
        first, length = (np.zeros(len(words) + 1, dtype=np.int64) for _ in range(2))
        for code, text in enumerate(words):
            if text is not None:
                found, unit = periods.parse(text)
                first[code], length[code] = found * unit.value, unit.value
        self._organization = rows["organization"]
        self._first, self._length = first[labels], np.where(labels >= 0, length[labels], 0)
        said = (self._organization >= 0) & (rows["attested_on"] <= as_of) & (self._length > 0)
        self.objected = said & (rows["objected"] == 1)
        self.attested = said & (rows["objected"] != 1)
        self.low = int(self._first[said].min()) if bool(said.any()) else 0
        self.high = int((self._first + self._length)[said].max()) if bool(said.any()) else 0

    def mark(self, grid: NDArray[np.int8], low: int, rows: Bools, value: int) -> None:
        """Write ``value`` into the months of the chosen rows."""
        for step in range(int(self._length[rows].max(initial=0))):
            chosen = rows & (self._length > step)
            grid[self._organization[chosen], self._first[chosen] + step - low] = value
