"""Where organizations stood in the tree, day by day, and which stored row a finding goes to.

Findings stay with the superiors of their day.  A stored row therefore belongs to an
organization, a year and a place in the tree; where nothing moved, each year has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.scoring.models import NO_YEAR

Days = NDArray[np.int32]


@dataclass(frozen=True)
class Move:
    """From ``day`` on the organization is no longer under ``old_parent``."""

    organization: int
    day: int
    old_parent: int | None

    @classmethod
    def of(cls, organization: int, moved_on: date, old_parent: int | None) -> Move:
        """A move as stored."""
        return cls(organization, periods.day(moved_on), old_parent)


class Places:
    """Paths of some organizations on any day.

    ``ids`` are their numbers, ``paths`` their places now; ``parents`` (of all organizations
    of the tenant) are needed only where there are ``moves``.
    """

    def __init__(
        self,
        ids: NDArray[np.int64],
        paths: Sequence[str],
        moves: Sequence[Move] = (),
        parents: Mapping[int, int | None] | None = None,
    ) -> None:
        self.ids = ids
        self.cuts: list[int] = sorted({move.day for move in moves})
        #: Paths before the first cut, between the cuts, and since the last.
        self.paths: list[Sequence[str]] = [paths]
        self._columns: dict[int, tuple[pa.Array, NDArray[np.int64]]] = {}
        above = dict(parents or {})
        for cut in reversed(self.cuts):
            above |= {move.organization: move.old_parent for move in moves if move.day == cut}
            self.paths.insert(0, _walk(ids.tolist(), above))

    def columns(self, epoch: int) -> tuple[pa.Array, NDArray[np.int64]]:
        """Paths of one of :attr:`paths`, and the superiors' numbers (0 at the top)."""
        found = self._columns.get(epoch)
        if found is None:
            paths = self.paths[epoch]
            above = [path.rsplit("/", 3)[-3] or "0" for path in paths]
            found = pa.array(paths, pa.string()), np.array(above, dtype=np.int64)
            self._columns[epoch] = found
        return found

    def epochs(self, days: Days) -> NDArray[np.int64]:
        """Which of ``paths`` held on each day."""
        return np.searchsorted(self.cuts, days, "right")


def _walk(ids: Sequence[int], above: Mapping[int, int | None]) -> list[str]:
    known: dict[int | None, str] = {None: "/"}

    def path(organization: int | None) -> str:
        if organization not in known:
            assert organization is not None
            known[organization] = f"{path(above.get(organization))}{organization}/"
        return known[organization]

    return [path(organization) for organization in ids]


class Slices:
    """Time cut into years, and where somebody moved; slice 0 holds what belongs to no year.

    A *group* is an organization (its code) in a slice: ``code * len(slices) + slice``.
    Slices of one year in which an organization stood in one place are one group.
    """

    def __init__(self, places: Places, as_of: date, years: tuple[int, int]) -> None:
        """``years`` are the first and the last that findings may belong to."""
        self._places = places
        first, last = periods.day(date(years[0], 1, 1)), periods.day(date(years[1], 12, 31))
        begins = {periods.day(date(year, 1, 1)) for year in range(years[0], years[1] + 1)}
        begins |= {cut for cut in places.cuts if first <= cut <= last}
        self._starts = np.array(sorted(begins), dtype=np.int32)
        days = np.concatenate([[periods.day(as_of)], self._starts]).astype(np.int32)
        self._epoch = places.epochs(days)
        self.year = np.array([periods.to_date(int(day)).year for day in days], dtype=np.int16)
        self.year[0] = NO_YEAR
        self._canonical = self._same_place()

    def __len__(self) -> int:
        return len(self.year)

    def _same_place(self) -> NDArray[np.int64] | None:
        """By code and slice, the first slice of the year with the same path; None: each its own."""
        if not self._places.cuts:
            return None
        found = np.tile(np.arange(len(self)), (len(self._places.ids), 1))
        for slice_ in range(2, len(self)):
            now = self._paths(slice_)
            # The earliest wins: somebody may have come back to where they were.
            for before in range(slice_ - 1, 0, -1):
                if self.year[before] == self.year[slice_]:
                    same = self._paths(before) == now
                    found[same, slice_] = found[same, before]
        return found

    def _paths(self, slice_: int) -> NDArray[np.object_]:
        return np.array(self._places.paths[int(self._epoch[slice_])], dtype=np.object_)

    def find(
        self, codes: NDArray[np.int32], years: NDArray[np.int16], paths: NDArray[np.object_]
    ) -> NDArray[np.int64]:
        """The group of each stored row; -1 where the organization was never there in that year."""
        found = np.full(len(codes), -1, dtype=np.int64)
        for slice_ in range(len(self) - 1, -1, -1):
            here = (years == self.year[slice_]) & (codes >= 0)
            here[here] = self._paths(slice_)[codes[here]] == paths[here]
            found[here] = codes[here].astype(np.int64) * len(self) + slice_
        return found

    def of_days(self, days: Days) -> NDArray[np.int64]:
        """The slice of each day (within the years)."""
        return np.searchsorted(self._starts, days, "right")

    def groups(self, codes: NDArray[np.int32], slices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The group of each organization code and slice."""
        if self._canonical is not None:
            slices = self._canonical[codes, slices]
        return codes.astype(np.int64) * len(self) + slices

    def describe(self, groups: NDArray[np.int64]) -> dict[str, pa.Array]:
        """Organization number, year, path and superior's number of groups."""
        codes, slices = np.divmod(groups, len(self))
        epochs = self._epoch[slices]
        paths = pa.array([], pa.string())
        superior = np.zeros(len(groups), dtype=np.int64)
        order = []
        for epoch in np.unique(epochs).tolist():
            here = np.flatnonzero(epochs == epoch)
            known, above = self._places.columns(epoch)
            paths = pa.concat_arrays([paths, known.take(pa.array(codes[here]))])
            superior[here] = above[codes[here]]
            order.append(here)
        if len(order) > 1:
            paths = paths.take(pa.array(np.argsort(np.concatenate(order))))
        return {
            "organization_id": pa.array(self._places.ids[codes]),
            "year": pa.array(self.year[slices]),
            "path": paths,
            "superior_id": pa.array(superior, mask=superior == 0),
        }
