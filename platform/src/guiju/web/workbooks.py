"""Lists as workbooks, written row by row whatever their length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO

from flask import Response, send_file
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: A cell: text, a number, a day, or nothing.
Cell = str | int | date | None


def send_list(
    name: str, title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> Response:
    """A workbook of one sheet as a download called ``name``.

    Texts are written as texts, whatever they begin with: no cell is ever a formula.
    """
    return send_lists(name, [(title, headings, rows)])


def send_lists(
    name: str, sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]
) -> Response:
    """The same with several sheets, each a title, headings and rows."""
    file = BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as workbook:
        bold = workbook.add_format({"bold": True, "bottom": 1})
        days = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for title, headings, rows in sheets:
            _write(workbook.add_worksheet(title), headings, rows, bold, days)
    file.seek(0)
    return send_file(file, mimetype=_MEDIA_TYPE, as_attachment=True, download_name=name)


def _write(
    sheet: Worksheet,
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    bold: Format,
    days: Format,
) -> None:
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(number, column, value, days)
            elif isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value:
                sheet.write_string(number, column, value)
    sheet.freeze_panes(1, 0)
