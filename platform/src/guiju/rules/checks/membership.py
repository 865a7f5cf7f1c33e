"""Members period by period: who belongs to a branch when a period ends, and since when.

A rule about each member binds those on the roster on the period's last day (or on the day
judged, while the period is open).  Whoever came to the Party, or to these records, only in
the course of the period is there but not for the whole of it (X-T8).
"""

from __future__ import annotations

from functools import cached_property
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


class Members:
    """Members × periods, period by period; all arrays have one length.

    ``row`` is the membership in force at the end, ``whole`` whether the person was on a
    roster when the period began.
    """

    def __init__(self, everyone: Everyone, chosen: Codes | None = None) -> None:
        """All entries of ``everyone``, or the ``chosen`` ones, in order."""
        self.everyone, self._chosen = everyone, chosen
        self.context, self.low, self.high = everyone.context, everyone.low, everyone.high
        self.row, self.period, self.whole = everyone.row, everyone.period, everyone.whole
        if chosen is not None:
            self.row, self.period = self.row[chosen], self.period[chosen]
            self.whole = self.whole[chosen]

    def __len__(self) -> int:
        return len(self.row)

    @cached_property
    def person(self) -> Codes:
        return self.context.facts.roster.person[self.row]

    @cached_property
    def organization(self) -> Codes:
        """The branch of each."""
        return self.context.facts.roster.organization[self.row]

    @cached_property
    def numbers(self) -> Codes:
        """The number of each among everyone."""
        if self._chosen is None:
            return np.arange(len(self), dtype=np.int32)
        return self._chosen

    @cached_property
    def _position(self) -> Codes:
        """The entry of each of everyone; -1 for those not chosen, and at the end."""
        found = np.full(len(self.everyone.row) + 1, -1, dtype=np.int32)
        found[self.numbers] = np.arange(len(self), dtype=np.int32)
        return found

    def already(self, days: Days) -> Bools:
        """Who was in the same branch on each day (on the day judged, where that is earlier)."""
        roster = self.context.facts.roster
        spell = roster.of_person.latest(
            self.person, np.minimum(days, np.int32(self.context.as_of)).astype(np.int32)
        )
        found: Bools = (spell >= 0) & (roster.organization[spell] == self.organization)
        return found

    def take(self, keep: Bools) -> Members:
        """The entries that ``keep`` (a mask) selects."""
        return Members(self.everyone, self.numbers[keep])

    def at(self, numbers: Codes) -> Codes:
        """The entries of people numbered among everyone; -1 for others and for -1."""
        found: Codes = self._position[numbers]
        return found

    def place(self, people: Codes, found: Codes) -> Codes:
        """The entry of each person in each period; -1 where there is none."""
        return self.at(self.everyone.place(people, found))

    def attested(self, found: Codes, unit: Unit) -> Bools:
        """Whether the records of each one's branch for each period are attested complete."""
        if not len(found):
            return np.zeros(0, dtype=np.bool_)
        low = int(found.min())
        # Branches are few beside members: ask for each of them once.
        known = np.stack(
            [_attested(self.context, period, unit) for period in range(low, int(found.max()) + 1)]
        )
        answer: Bools = known[found - low, self.organization]
        return answer


def _attested(context: Context, period: int, unit: Unit) -> Bools:
    """Whether each organization's records for a period are attested complete."""

    def make() -> Bools:
        everybody = np.arange(context.size, dtype=np.int32)
        return context.attested(everybody, np.full_like(everybody, period), unit)

    return context.shared(("attested", period, unit), make)


class Everyone:
    """All members of all branches by period: what the members of each rule are taken from.

    ``span`` is the first and last period, both included.
    """

    def __init__(self, context: Context, unit: Unit, span: tuple[int, int], group: str) -> None:
        self.context, (self.low, self.high) = context, span
        low, high = span
        roster = context.facts.roster
        chosen: Bools = getattr(roster, group)
        there = (roster.organization >= 0) & (roster.person >= 0)
        bound = np.flatnonzero(chosen & there).astype(np.int32)
        start, end, person = roster.start[bound], roster.end[bound], roster.person[bound]
        rows, found, whole = ([np.zeros(0, dtype=np.int32)] for _ in range(3))
        for period in range(low, high + 1):
            last = min(periods.last_day(period, unit), context.as_of)
            at_end = np.flatnonzero((start <= last) & (end >= last))
            before = at_start(context, periods.first_day(period, unit))
            rows.append(bound[at_end])
            found.append(np.full(len(at_end), period, dtype=np.int32))
            whole.append(before[person[at_end]].astype(np.int32))
        self.row, self.period = np.concatenate(rows), np.concatenate(found)
        self.whole = np.concatenate(whole).astype(np.bool_)

    @cached_property
    def _table(self) -> Codes:
        """The entry of each person and period, flat; the last answers for all others."""
        width = self.high - self.low + 1
        people = self.context.facts.count("people")
        table = np.full(people * width + 1, -1, dtype=np.int32)
        own = self.context.facts.roster.person[self.row].astype(np.int64) * width
        table[own + (self.period - self.low)] = np.arange(len(self.row), dtype=np.int32)
        return table

    def place(self, people: Codes, found: Codes) -> Codes:
        """The entry of each person in each period; -1 where there is none."""
        width = self.high - self.low + 1
        inside = (people >= 0) & (found >= self.low) & (found <= self.high)
        wanted = people.astype(np.int64) * width + (found - self.low)
        answer: Codes = self._table[np.where(inside, wanted, len(self._table) - 1)]
        return answer


def of(rule: Rule, context: Context, unit: Unit, group: str = "party") -> Members:
    """The members whom ``rule`` binds, in every period it judges as of the day.

    ``group`` is one of the roster's: ``party`` (all) or ``full``.
    """
    span = context.span(rule, unit)
    everyone = context.shared(
        ("everyone", unit, span, group), lambda: Everyone(context, unit, span, group)
    )
    key = ("membership", rule.requirement.applies_to, unit, span, group)
    return context.shared(key, lambda: _bound(rule, context, everyone))


def _bound(rule: Rule, context: Context, everyone: Everyone) -> Members:
    applies = context.applies(rule)
    bound = applies[context.facts.roster.organization[everyone.row]]
    return Members(everyone, np.flatnonzero(bound).astype(np.int32))


def at_start(context: Context, day: int) -> Bools:
    """Whether each person (by code) was a Party member on a roster on a day."""

    def make() -> Bools:
        roster = context.facts.roster
        there = roster.party & (roster.start <= day) & (roster.end >= day)
        found = np.zeros(context.facts.count("people"), dtype=np.bool_)
        found[roster.person[there & (roster.person >= 0)]] = True
        return found

    return context.shared(("members on", day), make)
