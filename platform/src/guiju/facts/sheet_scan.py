"""One pass over a sheet's XML before it is read: formulas, error values, and its extent.

The reader of workbooks shows only what formulas last computed, takes error values for
blanks, and keeps a sheet's whole area in memory, however few of its cells are used.  All
three have to be seen in the XML itself, and 70 MB of it in a fraction of a second: so the
usual form of a cell is counted with plain byte searches, and only what looks different
is taken apart.
"""

from __future__ import annotations

import re
from typing import Final

#: Longest piece of XML without an end in sight; a cell's text has at most 32,767 characters.
_LONGEST_CELL: Final = 4 * 1024 * 1024
_BEGIN: Final = re.compile(rb"<((?:[\w.-]+:)?)sheetData\b[^>]*?(/?)>")
_CELL_OR_FORMULA: Final = re.compile(rb"<((?:[\w.-]+:)?)[cf](?=[\s/>])")
_ADDRESS: Final = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7})[\"']")
_ERROR_TYPE: Final = b't="e"'
_ERROR: Final = re.compile(rb"\s" + _ERROR_TYPE)
#: Columns and rows beyond these are looked for one by one.
_ONE_LETTER: Final = 26
_FIVE_DIGITS: Final = 99_999


class MalformedSheetError(Exception):
    """The XML is not such as spreadsheets write: cells without an address, for example."""


class SheetScan:
    """What was seen in the XML fed so far."""

    def __init__(self) -> None:
        #: Addresses of cells with formulas, and of cells with error values.
        self.formulas: list[str] = []
        self.errors: list[str] = []
        #: At least the number of cells.
        self.cells = 0
        #: Whether the part is a sheet at all.
        self.is_sheet = False
        self._columns = 0
        self._rows = 0
        self._rest = b""
        # Cells end where the sheet's data end; extensions with formulas may follow.
        self._over = False

    @property
    def area(self) -> int:
        """At least the number of cells in the rectangle that the sheet uses."""
        return self._columns * self._rows

    def feed(self, chunk: bytes) -> None:
        """Scan one more piece; raises MalformedSheetError."""
        if self._over:
            return
        data = self._rest + chunk
        if not self.is_sheet:
            begin = _BEGIN.search(data)
            if begin is None:
                self._rest = data[-256:]
                return
            self.is_sheet = True
            self._name_tags(begin[1])
            if begin[2]:
                self._over = True
                return
            data = data[begin.end() :]
        end = data.find(self._end)
        if end >= 0:
            self._over = True
            self._scan(data[:end])
            return
        # A cell is looked at whole: what follows the beginning of the last one waits.
        cut = max(0, *map(data.rfind, self._borders))
        self._rest = data[cut:]
        if len(self._rest) > _LONGEST_CELL:
            raise MalformedSheetError
        self._scan(data[:cut])

    def end(self) -> None:
        """Say that there is no more; raises MalformedSheetError if the sheet has no end."""
        if self.is_sheet and not self._over:
            raise MalformedSheetError

    def _name_tags(self, prefix: bytes) -> None:
        """Search for the tags under the namespace prefix that the sheet uses."""
        self._prefix = prefix
        self._cell = b"<" + prefix + b"c"
        self._end = b"</" + prefix + b"sheetData"
        self._borders = (self._cell, b"<" + prefix + b"row", b"</" + prefix + b"row")
        self._usual_cell = self._cell + b' r="'
        self._any_cell = re.compile(re.escape(self._cell) + rb"(?=[\s/>])([^>]*)")
        self._far = re.compile(re.escape(self._usual_cell) + rb"(?:[A-Za-z]{2}|[A-Za-z]\d{6})")
        self._wide = re.compile(re.escape(self._usual_cell) + rb"([A-Za-z]{2,9})")
        self._low = re.compile(re.escape(self._usual_cell) + rb"[A-Za-z]+(\d{6,12})")
        self._formula_start = b"<" + prefix + b"f"
        self._formula = re.compile(re.escape(self._formula_start) + rb"(?=[\s/>])")

    def _scan(self, data: bytes) -> None:
        self._refuse_disguises(data)
        cells = data.count(self._cell)
        self.cells += cells
        if cells == data.count(self._usual_cell):
            self._measure_usual(data)
        else:
            self._measure(data)
        if _has(data, b"f", self._formula_start):
            for found in self._formula.finditer(data):
                self.formulas.append(self._address_before(data, found.start()))
        for found in _ERROR.finditer(data) if _ERROR_TYPE in data else ():
            # The same letters may be the text of a cell, where they are outside a tag.
            if data.rfind(b"<", 0, found.start()) > data.rfind(b">", 0, found.start()):
                self.errors.append(self._address_before(data, found.start()))

    def _refuse_disguises(self, data: bytes) -> None:
        """No spreadsheet puts comments between cells, or uses two prefixes for one namespace."""
        if _has(data, b"!", b"<!"):
            raise MalformedSheetError
        if self._prefix or _has(data, b":", b":c") or _has(data, b":", b":f"):
            for tag in _CELL_OR_FORMULA.finditer(data):
                if tag[1] != self._prefix:
                    raise MalformedSheetError

    def _measure_usual(self, data: bytes) -> None:
        if self._usual_cell not in data:
            return
        wide, low = _ONE_LETTER, _FIVE_DIGITS
        # One look tells of nearly every piece that nothing in it is far away.
        if self._far.search(data):
            wide = max(map(_column_number, set(self._wide.findall(data))), default=wide)
            low = max(map(int, self._low.findall(data)), default=low)
        self._columns = max(self._columns, wide)
        self._rows = max(self._rows, low)

    def _measure(self, data: bytes) -> None:
        for cell in self._any_cell.finditer(data):
            address = _ADDRESS.search(b" " + cell[1])
            if address is None:
                raise MalformedSheetError
            self._columns = max(self._columns, _column_number(address[1]))
            self._rows = max(self._rows, int(address[2]))

    def _address_before(self, data: bytes, position: int) -> str:
        """The address of the cell that ``position`` is in."""
        start = data.rfind(self._cell, 0, position)
        while start >= 0:
            # Other tags begin with the same letters, such as that of a colour.
            cell = self._any_cell.match(data, start)
            if cell:
                address = _ADDRESS.search(b" " + cell[1])
                return (address[1] + address[2]).decode() if address else ""
            start = data.rfind(self._cell, 0, start)
        return ""


def _has(data: bytes, rare: bytes, wanted: bytes) -> bool:
    """Whether ``wanted`` is in the data; one byte of it that is ``rare`` is found much sooner."""
    return rare in data and wanted in data


def _column_number(letters: bytes) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
