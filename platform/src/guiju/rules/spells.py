"""Dated states of people: who was on a roster, or held a post, on a given day.

A spell has an owner (an organization, a person), a first day and a last day, both
included.  All questions are asked in columns: arrays of owners and days in, an array out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from guiju.rules.arrays import among
from guiju.rules.periods import FIRST_DAY, LAST_DAY, NULL_DAY

Array = NDArray[Any]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]

_SPAN = np.int64(2**22)


class Columns(Protocol):
    """Anything with encoded columns, such as :class:`guiju.rules.facts.Rows`."""

    def __getitem__(self, column: str) -> Array: ...


def bounds(rows: Columns, first: str, last: str) -> tuple[Days, Days]:
    """First and last days of spells; unknown ends are far away."""
    start, end = rows[first], rows[last]
    return (
        np.where(start == NULL_DAY, np.int32(FIRST_DAY), start).astype(np.int32),
        np.where(end == NULL_DAY, np.int32(LAST_DAY), end).astype(np.int32),
    )


def _keys(owners: Codes, days: Days) -> NDArray[np.int64]:
    clipped = np.minimum(np.maximum(days, FIRST_DAY), LAST_DAY).astype(np.int64)
    return owners.astype(np.int64) * _SPAN + (clipped - FIRST_DAY)


def _pair_keys(people: Codes, organizations: Codes) -> NDArray[np.int64]:
    return (people.astype(np.int64) << 32) + organizations


class Spells:
    """How many spells of an owner cover a day, and which."""

    def __init__(self, owners: Codes, start: Days, end: Days) -> None:
        """Arrays of one length; spells whose owner is below 0 are ignored."""
        self.rows = np.flatnonzero(owners >= 0).astype(np.int32)
        starts = _keys(owners[self.rows], start[self.rows])
        order = np.argsort(starts, kind="stable")
        self.rows = self.rows[order]
        self._starts = starts[order]
        self._end = end[self.rows]
        self._ends = np.sort(_keys(owners[self.rows], np.minimum(self._end, LAST_DAY - 1) + 1))

    def count(self, owners: Codes, days: Days) -> NDArray[np.int32]:
        """Number of spells of each owner that cover each day."""
        if not len(owners):
            return np.zeros(0, dtype=np.int32)
        key = _keys(owners, days)
        every = np.arange(int(owners.max()) + 1, dtype=np.int32)
        first = _keys(every, np.full_like(every, FIRST_DAY))
        before = np.searchsorted(self._starts, first) - np.searchsorted(self._ends, first)
        begun = np.searchsorted(self._starts, key, "right")
        over = np.searchsorted(self._ends, key, "right")
        return (begun - over - before[owners]).astype(np.int32)

    def latest(self, owners: Codes, days: Days) -> Codes:
        """The row of the spell that covers each day (the one begun last); -1 where none does."""
        place = np.searchsorted(self._starts, _keys(owners, days), "right") - 1
        inside = place >= 0
        place = np.maximum(place, 0)
        if not len(self.rows):
            return np.full(len(owners), -1, dtype=np.int32)
        same = self._starts[place] // _SPAN == owners
        covers = inside & same & (self._end[place] >= days)
        return np.where(covers, self.rows[place], -1).astype(np.int32)


class _Pairs:
    """Numbers for the pairs of a person and an organization that occur together."""

    def __init__(self, people: Codes, organizations: Codes) -> None:
        self._known = np.unique(_pair_keys(people, organizations))

    def number(self, people: Codes, organizations: Codes) -> Codes:
        """Number of each pair; one past the last where it does not occur."""
        wanted = _pair_keys(people, organizations)
        if not len(self._known):
            return np.zeros(len(wanted), dtype=np.int32)
        place = np.minimum(np.searchsorted(self._known, wanted), len(self._known) - 1)
        found = self._known[place] == wanted
        return np.where(found, place, len(self._known)).astype(np.int32)


class Roster:
    """Membership: one row of ``members`` for each spell."""

    def __init__(self, members: Columns, classes: Sequence[str]) -> None:
        self.members = members
        self._classes = list(classes)
        self.person: Codes = members["id"]
        self.organization: Codes = members["organization"]
        self.start, self.end = bounds(members, "from_on", "until_on")
        self._by_organization: dict[str, Spells] = {}
        self._by_pair: dict[str, Spells] = {}

    @cached_property
    def full(self) -> Bools:
        """Spells of full members."""
        return self._is("full")

    @cached_property
    def party(self) -> Bools:
        """Spells of Party members, full or probationary."""
        return self.full | self._is("probationary")

    @cached_property
    def voting(self) -> Bools:
        """Spells with the right to vote: full members unless the row says otherwise (D5)."""
        stated = self.members["voting"]
        return np.where(stated < 0, self.full, stated == 1)

    def _is(self, name: str) -> Bools:
        if name not in self._classes:
            return np.zeros(len(self.person), dtype=np.bool_)
        return np.asarray(self.members["membership_class"] == self._classes.index(name))

    def spells(self, group: str) -> Spells:
        """Spells by organization of ``full``, ``party`` or ``voting`` members."""
        found = self._by_organization.get(group)
        if found is None:
            chosen: Bools = getattr(self, group)
            owners = np.where(chosen, self.organization, -1).astype(np.int32)
            found = self._by_organization[group] = Spells(owners, self.start, self.end)
        return found

    def count(self, group: str, organizations: Codes, days: Days) -> NDArray[np.int32]:
        """Members of a ``group`` on the roster of each organization on each day."""
        return self.spells(group).count(organizations, days)

    @cached_property
    def of_person(self) -> Spells:
        """Spells by person, all classes."""
        return Spells(self.person, self.start, self.end)

    def includes(self, group: str, people: Codes, organizations: Codes, days: Days) -> Bools:
        """Whether each person was in a ``group`` of each organization on each day."""
        spells = self._by_pair.get(group)
        if spells is None:
            chosen: Bools = getattr(self, group)
            owners = np.where(chosen, self._pairs.number(self.person, self.organization), -1)
            spells = self._by_pair[group] = Spells(owners.astype(np.int32), self.start, self.end)
        return spells.count(self._pairs.number(people, organizations), days) > 0

    @cached_property
    def _pairs(self) -> _Pairs:
        return _Pairs(self.person, self.organization)


class Posts:
    """Posts: one row of ``posts`` for each holder and time."""

    def __init__(self, posts: Columns, codes: Sequence[str]) -> None:
        self.posts = posts
        self._codes = list(codes)
        self.person: Codes = posts["person"]
        self.organization: Codes = posts["organization"]
        self.start, self.end = bounds(posts, "from_on", "until_on")
        self._spells: dict[tuple[str, ...], Spells] = {}

    def holding(self, names: Sequence[str]) -> Bools:
        """Rows whose post is one of ``names``."""
        wanted = [self._codes.index(name) for name in names if name in self._codes]
        return among(self.posts["post"], wanted)

    def spells(self, names: Sequence[str]) -> Spells:
        """Spells in these posts by organization."""
        key = tuple(names)
        found = self._spells.get(key)
        if found is None:
            owners = np.where(self.holding(key), self.organization, -1).astype(np.int32)
            found = self._spells[key] = Spells(owners, self.start, self.end)
        return found

    def count(self, names: Sequence[str], organizations: Codes, days: Days) -> NDArray[np.int32]:
        """Holders of these posts in each organization on each day."""
        return self.spells(names).count(organizations, days)

    def held_by(
        self, names: Sequence[str], people: Codes, organizations: Codes, days: Days
    ) -> Bools:
        """Whether each person held one of these posts in each organization on each day."""
        return (
            self._pairs(tuple(names)).count(self._numbers.number(people, organizations), days) > 0
        )

    @cached_property
    def _numbers(self) -> _Pairs:
        return _Pairs(self.person, self.organization)

    @cached_property
    def _pair_spells(self) -> dict[tuple[str, ...], Spells]:
        return {}

    def _pairs(self, names: tuple[str, ...]) -> Spells:
        spells = self._pair_spells.get(names)
        if spells is None:
            owners = np.where(
                self.holding(names), self._numbers.number(self.person, self.organization), -1
            )
            spells = Spells(owners.astype(np.int32), self.start, self.end)
            self._pair_spells[names] = spells
        return spells
