"""Collecting everything that is wrong with a document, to be listed in reading order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from guiju.facts.limits import LISTED_PROBLEMS
from guiju.facts.places import Places
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

#: What was found and what is wanted.
Saying = tuple[str, str]

_ORDER: Final = {
    name: (position, {column: place for place, column in enumerate(tables.columns(name))})
    for position, name in enumerate(tables.TABLES)
}


class FactsError(BadInput):
    """A facts document was refused; ``problems`` are in the order of its tables and rows."""


class Faults:
    """The faults found so far.

    However many a check finds, it makes texts of the first thousand only; the others
    are counted.
    """

    def __init__(self) -> None:
        self.count = 0
        #: Tables of which rows could not be read, so that nobody knows what they would hold;
        #: None stands for rows of which not even the table is known.
        self.lost: set[str | None] = set()
        self._wholes: set[str] = set()
        self._listed: list[tuple[tuple[int, int, int], Problem]] = []

    def whole(self, place: str, found: str, wanted: str, code: str) -> None:
        """A fault of the document, a sheet or a heading: these are listed first."""
        self._wholes.add(place)
        self._add((-1, self.count, 0), Problem(place, found, wanted, code))

    def cells(
        self,
        places: Places,
        table: str,
        column: str,
        rows: Sequence[int],
        say: Callable[[int], Saying],
        *,
        code: str,
    ) -> None:
        """Faults of one ``column`` in several ``rows``; ``say`` is asked for each in turn."""
        position, columns = _ORDER[table]
        for row in rows[:LISTED_PROBLEMS]:
            place = places.cell(int(row), column)
            # A cell with a formula, say, need not also be told that it is blank.
            if place not in self._wholes:
                problem = Problem(place, *say(int(row)), code)
                self._add((position, int(row), columns[column]), problem)
        self.count += len(rows[LISTED_PROBLEMS:])

    def _add(self, order: tuple[int, int, int], problem: Problem) -> None:
        self.count += 1
        self._listed.append((order, problem))

    def __bool__(self) -> bool:
        return self.count > 0

    def error(self) -> FactsError:
        """The error that lists them."""
        # Sorting by place alone keeps several faults of one cell in the order they were found.
        ordered = [problem for _, problem in sorted(self._listed, key=lambda item: item[0])]
        listed = ordered[:LISTED_PROBLEMS]
        return FactsError(listed, omitted=self.count - len(listed))
