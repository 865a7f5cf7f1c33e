"""What every list has in common: the order in its address, a filter, its rows as a file.

An address says ``?sort=-date``: a column's key, with a minus for the greatest first.  A key
that the list does not know is left out, as is any other value that makes no sense; a key never
reaches the database but by the list's own table of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from flask import Response, request
from flask_babel import to_user_timezone

from guiju.web import exports
from guiju.web.workbooks import Cell

Row = TypeVar("Row")

#: Whoever pastes a page of text filters nothing.
_LONGEST = 100


@dataclass(frozen=True)
class Order:
    """A column's key, and whether the greatest comes first."""

    key: str
    falling: bool = False

    def __str__(self) -> str:
        return f"-{self.key}" if self.falling else self.key


def asked_order(keys: Collection[str], usual: str, parameter: str = "sort") -> Order:
    """The order that the address asks for: one of ``keys``, or else the ``usual`` one."""
    asked = request.args.get(parameter, usual)
    if asked.removeprefix("-") not in keys:
        asked = usual
    return Order(asked.removeprefix("-"), asked.startswith("-"))


def asked_first() -> int:
    """How many rows come before the page that the address asks for."""
    return min(max(request.args.get("from", 0, type=int), 0), 10**6)


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a list: what a row has in it, as the exported file has it."""

    key: str
    title: str
    value: Callable[[Row], Cell | datetime]


class Listing(Generic[Row]):
    """A list that is read whole: sorted and filtered by what the address says.

    ``usual`` is its order where the address names none; ``q`` leaves the rows that contain a
    text anywhere.  ``rows`` are those to be shown.
    """

    def __init__(self, columns: Sequence[Column[Row]], usual: str, rows: Iterable[Row]) -> None:
        self.columns = columns
        self.order = asked_order([column.key for column in columns], usual)
        self.text = request.args.get("q", "").strip()[:_LONGEST]
        self.rows = self._sorted([row for row in rows if self._has_text(row)])

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Key and title of each column, for the choice of an order."""
        return [(column.key, column.title) for column in self.columns]

    @property
    def used(self) -> list[Column[Row]]:
        """The columns in which some row has something."""
        return [
            column
            for column in self.columns
            if any(column.value(row) is not None for row in self.rows)
        ]

    def send(self, name: str, about: str | None) -> Response:
        """The rows as the file that the address asks for; that it was taken is written down."""
        headings = [column.title for column in self.columns]
        cells = ([_cell(column.value(row)) for column in self.columns] for row in self.rows)
        return exports.send(name, name, headings, list(cells), about)

    def _has_text(self, row: Row) -> bool:
        if not self.text:
            return True
        wanted = self.text.casefold()
        return any(
            wanted in str(_cell(column.value(row)) or "").casefold() for column in self.columns
        )

    def _sorted(self, rows: list[Row]) -> list[Row]:
        column = next(column for column in self.columns if column.key == self.order.key)
        known = [row for row in rows if column.value(row) is not None]
        # Rows without a value come last, whichever way the others stand.
        unknown = [row for row in rows if column.value(row) is None]
        return sorted(known, key=column.value, reverse=self.order.falling) + unknown  # type: ignore[arg-type]


def _cell(value: Cell | datetime) -> Cell:
    if isinstance(value, datetime):
        return str(to_user_timezone(value).strftime("%Y-%m-%d %H:%M"))
    return value
