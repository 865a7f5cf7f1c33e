"""Where the rows of a table stand in the document, said the way its author finds them.

Rows are counted from 0, in the order in which they were read; each kind of document
turns that into a sheet's cell, a JSON pointer or a line of a CSV file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from guiju.language import gettext as _


def shown(path: Path) -> str:
    """The file's own name, fit for printing whatever its bytes are."""
    name = path.name or str(path)
    return name.encode("utf-8", "replace").decode("utf-8")


def letters(column: int) -> str:
    """The name of a sheet's column: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


@dataclass(frozen=True)
class Places:
    """The places of one table: ``numbers`` are those by which the document knows its rows."""

    file: str
    numbers: Sequence[int] = ()

    def table(self) -> str:
        """The table as a whole."""
        return self.file

    def row(self, row: int) -> str:
        """A row as a whole."""
        return _("{table} 第{number}行").format(table=self.table(), number=self.numbers[row])

    def cell(self, row: int, column: str) -> str:
        """One value; ``column`` is its English name."""
        return f"{self.row(row)} {column}"

    def beside(self, row: int) -> str:
        """A row, said to somebody who is already looking at the table."""
        return _("第{number}行").format(number=self.numbers[row])


@dataclass(frozen=True)
class CsvPlaces(Places):
    """Places in a CSV file; rows have the numbers of the lines on which they begin."""


@dataclass(frozen=True)
class SheetPlaces(Places):
    """Places in a workbook's sheet; rows have the numbers that Excel shows.

    ``columns`` are the positions of the columns that the sheet has.
    """

    sheet: str = ""
    columns: Mapping[str, int] = field(default_factory=dict)

    def table(self) -> str:
        """The sheet."""
        return _("{file} 工作表“{sheet}”").format(file=self.file, sheet=self.sheet)

    def cell(self, row: int, column: str) -> str:
        """The cell, or the row where the sheet lacks the column."""
        if column not in self.columns:
            return self.row(row)
        return self.at(letters(self.columns[column]) + str(self.numbers[row]))

    def at(self, reference: str) -> str:
        """The cell that Excel calls ``reference``."""
        return _("{table} 单元格 {reference}").format(table=self.table(), reference=reference)


@dataclass(frozen=True)
class JsonPlaces(Places):
    """Places in a JSON document, as pointers; rows have their positions in the list."""

    name: str = ""

    def table(self) -> str:
        """The list of rows."""
        return f"{self.file} {pointer(self.name)}"

    def row(self, row: int) -> str:
        """The object."""
        return f"{self.file} {self.beside(row)}"

    def cell(self, row: int, column: str) -> str:
        """The value."""
        return f"{self.row(row)}{pointer(column)}"

    def beside(self, row: int) -> str:
        """The pointer without the file."""
        return pointer(self.name, self.numbers[row])


def pointer(*steps: str | int) -> str:
    """The JSON pointer (RFC 6901) through ``steps``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
