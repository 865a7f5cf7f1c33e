"""Members period by period: who belongs to a branch when a period ends, and since when.

A rule about each member binds those on the roster on the period's last day (or on the day
judged, while the period is open).  Whoever came to the Party, or to these records, only in
the course of the period is there but not for the whole of it (X-T8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.periods import Unit

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

ROSTER = frozenset(
    ("members", c) for c in ("id", "organization", "membership_class", "from_on", "until_on")
)


@dataclass(frozen=True)
class Members:
    """Members × periods, period by period; all arrays have one length.

    ``row`` is the membership in force at the end, ``whole`` whether the person was on a
    roster when the period began.
    """

    context: Context
    low: int
    high: int
    row: Codes
    period: Codes
    whole: Bools

    def __len__(self) -> int:
        return len(self.row)

    @property
    def person(self) -> Codes:
        return self.context.facts.roster.person[self.row]

    @property
    def organization(self) -> Codes:
        """The branch of each."""
        return self.context.facts.roster.organization[self.row]

    def take(self, keep: Bools | NDArray[np.int64]) -> Members:
        return Members(
            self.context, self.low, self.high, self.row[keep], self.period[keep], self.whole[keep]
        )

    def place(self, people: Codes, found: Codes) -> Codes:
        """The entry of each person in each period; -1 where there is none."""
        width = self.high - self.low + 1
        table = np.full(self.context.facts.count("people") * width + 1, -1, dtype=np.int32)
        own = self.person.astype(np.int64) * width + (self.period - self.low)
        table[own] = np.arange(len(self), dtype=np.int32)
        inside = (people >= 0) & (found >= self.low) & (found <= self.high)
        wanted = people.astype(np.int64) * width + (found - self.low)
        return table[np.where(inside, wanted, len(table) - 1)]


def of(rule: Rule, context: Context, unit: Unit, group: str = "party") -> Members:
    """The members whom ``rule`` binds, in every period it judges as of the day."""
    low, high = context.span(rule, unit)
    key = ("membership", rule.requirement.applies_to, unit, low, high, group)
    return context.shared(key, lambda: _of(rule, context, unit, low, high, group))


def _of(  # noqa: PLR0917 - what identifies the answer
    rule: Rule, context: Context, unit: Unit, low: int, high: int, group: str
) -> Members:
    roster = context.facts.roster
    chosen: Bools = getattr(roster, group)
    applies = np.append(context.applies(rule), np.bool_(0))
    bound = np.flatnonzero(chosen & applies[roster.organization] & (roster.person >= 0))
    start, end, person = roster.start[bound], roster.end[bound], roster.person[bound]
    rows, found, whole = [], [], []
    for period in range(low, high + 1):
        last = min(periods.last_day(period, unit), context.as_of)
        at_end = np.flatnonzero((start <= last) & (end >= last))
        before = at_start(context, periods.first_day(period, unit))
        rows.append(bound[at_end])
        found.append(np.full(len(at_end), period, dtype=np.int32))
        whole.append(before[person[at_end]])
    if not rows:
        none = np.zeros(0, dtype=np.int32)
        return Members(context, low, high, none, none, none.astype(np.bool_))
    return Members(
        context,
        low,
        high,
        np.concatenate(rows).astype(np.int32),
        np.concatenate(found),
        np.concatenate(whole),
    )


def at_start(context: Context, day: int) -> Bools:
    """Whether each person (by code) was a Party member on a roster on a day."""

    def make() -> Bools:
        roster = context.facts.roster
        there = roster.party & (roster.start <= day) & (roster.end >= day)
        found = np.zeros(context.facts.count("people"), dtype=np.bool_)
        found[roster.person[there & (roster.person >= 0)]] = True
        return found

    return context.shared(("members on", day), make)
