"""Workbooks as offices expect them: a title, a header row, borders, print set-up.

Every text is written as text, so that nothing a person typed becomes a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

#: Fonts of offices; a viewer without them falls back by itself.
_BODY_FONT = "仿宋"
_TITLE_FONT = "方正小标宋简体"
_SHEET_NAME = 31


class Report:
    """One workbook being written; sheets are added with :meth:`sheet`."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._names: set[str] = set()
        body = {"font_name": _BODY_FONT, "font_size": 11, "valign": "vcenter", "text_wrap": True}
        self._title = workbook.add_format(
            {"font_name": _TITLE_FONT, "font_size": 18, "align": "center", "valign": "vcenter"}
        )
        self._note = workbook.add_format({**body, "font_size": 10, "text_wrap": False})
        self._head = workbook.add_format(
            {**body, "bold": True, "border": 1, "align": "center", "bg_color": "#F2F2F2"}
        )
        self._text = workbook.add_format({**body, "border": 1})
        self._number = workbook.add_format({**body, "border": 1, "align": "center"})

    def sheet(
        self,
        name: str,
        title: str,
        columns: Sequence[tuple[str, int]],
        rows: Iterable[Sequence[Any]],
        *,
        note: str = "",
        foot: str = "",
    ) -> int:
        """A sheet with a title, a line of note, a header and rows; returns the number of rows.

        ``columns`` are (heading, width in characters); dates are written as text in ISO
        form, None as an empty cell.
        """
        sheet = self._workbook.add_worksheet(self._unique(name))
        self._set_up(sheet, columns)
        last = len(columns) - 1
        sheet.merge_range(0, 0, 0, max(last, 1), title, self._title)
        sheet.write_string(1, 0, note, self._note)
        for column, (heading, _width) in enumerate(columns):
            sheet.write_string(2, column, heading, self._head)
        line = 2
        for line, row in enumerate(rows, 3):
            for column, value in enumerate(row):
                self._write(sheet, line, column, value)
        sheet.autofilter(2, 0, max(line, 3), last)
        if foot:
            sheet.write_string(line + 2, 0, foot, self._note)
        return line - 2

    def _set_up(self, sheet: Worksheet, columns: Sequence[tuple[str, int]]) -> None:
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
        sheet.set_footer("&C— &P —")
        sheet.freeze_panes(3, 0)
        sheet.set_row(0, 32)
        for column, (_heading, width) in enumerate(columns):
            sheet.set_column(column, column, width)

    def _write(self, sheet: Worksheet, line: int, column: int, value: Any) -> None:
        if value is None or value == "":
            sheet.write_blank(line, column, None, self._text)
        elif isinstance(value, bool):
            sheet.write_string(line, column, "是" if value else "否", self._number)
        elif isinstance(value, int):
            sheet.write_number(line, column, value, self._number)
        elif isinstance(value, date):
            sheet.write_string(line, column, value.isoformat(), self._number)
        else:
            sheet.write_string(line, column, str(value), self._text)

    def _unique(self, name: str) -> str:
        """A sheet name that Excel accepts and that is not taken yet."""
        wanted = re.sub(r"[\[\]:*?/\\']", "", name)[:_SHEET_NAME] or "表"
        found, number = wanted, 2
        while found.casefold() in self._names:
            tail = f"-{number}"
            found = wanted[: _SHEET_NAME - len(tail)] + tail
            number += 1
        self._names.add(found.casefold())
        return found


@contextmanager
def report(out: BinaryIO) -> Iterator[Report]:
    """A workbook written to ``out`` when the block ends."""
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        yield Report(workbook)
