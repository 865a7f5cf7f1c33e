"""Writing workbooks: the template, and facts in the same form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from guiju.facts import columns, layout
from guiju.facts.layout import Field
from guiju.facts.places import letters
from guiju.language import gettext as _
from guiju.rules import tables
from guiju.rules.vocabulary import Vocabulary

#: Last row that Excel has, counted from 0: drop-downs reach down to it.
_LAST_ROW: Final = 1_048_575
#: The number of Excel's own format for text.
_TEXT: Final = 49

#: Writes a value into a row and column of a sheet.
_Write = Callable[[Worksheet, int, int, Any], object]


@dataclass(frozen=True)
class _Formats:
    """How cells look; what Excel takes typing for depends on it."""

    heading: Format
    required: Format
    text: Format
    day: Format
    minute: Format
    hours: Format
    count: Format
    wrapped: Format

    @classmethod
    def of(cls, workbook: Workbook) -> _Formats:
        heading = {
            "bold": True,
            "bottom": 1,
            "text_wrap": True,
            "valign": "top",
            "num_format": _TEXT,
        }
        return cls(
            heading=workbook.add_format({**heading, "bg_color": "#E7EEF5"}),
            required=workbook.add_format({**heading, "bg_color": "#F8D7DA"}),
            text=workbook.add_format({"num_format": _TEXT}),
            day=workbook.add_format({"num_format": "yyyy-mm-dd"}),
            minute=workbook.add_format({"num_format": "hh:mm"}),
            hours=workbook.add_format({"num_format": "0.#"}),
            count=workbook.add_format({"num_format": "0"}),
            wrapped=workbook.add_format({"text_wrap": True, "valign": "top"}),
        )

    def of_column(self, field: Field) -> Format:
        """The format of the cells below a heading."""
        match layout.kind(field), layout.unit(field):
            case "day", _:
                return self.day
            case "count", "minute":
                return self.minute
            case "count", "tenth":
                return self.hours
            case "count", _:
                return self.count
            case _:
                # Or else Excel makes a number of the id 001 and a date of the month 2021-03.
                return self.text


def write_template(path: str | Path) -> None:
    """Write a workbook with every table and no rows."""
    write_xlsx({name: columns.schema(name).empty_table() for name in tables.TABLES}, path)


def write_xlsx(document: Mapping[str, pa.Table], path: str | Path) -> None:
    """Write tables, by name, as a workbook with a sheet a table, a guide first.

    Tables keep their order and columns are those of the schema; columns that a table
    lacks are blank.  Raises OSError where the file cannot be written.
    """
    buffer = BytesIO()
    with Workbook(buffer, {"constant_memory": True}) as workbook:
        formats = _Formats.of(workbook)
        names = [name for name in tables.TABLES if name in document]
        _write_guide(workbook.add_worksheet(layout.GUIDE_SHEET), names, formats)
        options = _Options(names)
        for name in names:
            sheet = workbook.add_worksheet(tables.TABLES[name].title)
            _write_table(sheet, name, document[name], options, formats)
        options.write(workbook.add_worksheet(layout.OPTIONS_SHEET))
    Path(path).write_bytes(buffer.getvalue())


class _Options:
    """The sheet with the entries of drop-downs: a vocabulary a column."""

    def __init__(self, names: list[str]) -> None:
        self._vocabularies: dict[str, Vocabulary] = {}
        for name in names:
            for field in tables.columns(name).values():
                if layout.kind(field) in ("code", "codes"):
                    found = layout.vocabulary(field)
                    self._vocabularies[found.name] = found

    def source(self, vocabulary: Vocabulary) -> str:
        """The cells with the labels of ``vocabulary``."""
        column = letters(list(self._vocabularies).index(vocabulary.name))
        return f"={layout.OPTIONS_SHEET}!${column}$2:${column}${len(vocabulary) + 1}"

    def write(self, sheet: Worksheet) -> None:
        """Fill the sheet, and hide it."""
        listed = list(self._vocabularies.values())
        sheet.write_row(0, 0, [vocabulary.name for vocabulary in listed])
        for row in range(max(map(len, listed), default=0)):
            for column, vocabulary in enumerate(listed):
                if row < len(vocabulary):
                    sheet.write_string(row + 1, column, list(vocabulary.values())[row])
        sheet.hide()


def _write_guide(sheet: Worksheet, names: list[str], formats: _Formats) -> None:
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 80, formats.wrapped)
    advice = (
        _("每张工作表是一类事实，第 1 行是列名，从第 2 行起一行一条；用不着的表可以留空或删除。"),
        _("红底的列必填；鼠标停在列名上可看说明；有下拉框的列从中选择，可选多项的列用“；”隔开。"),
        _("日期写作 2021-03-05，时间写作 14:30；编号由填写人自定，全表前后一致即可。"),
        _("不要改动工作表名和列名，不要使用公式；空白表示不知道或没有。"),
        _("填好后可用 guiju facts check 检查，问题会逐条列出。"),
    )
    sheet.write_string(0, 0, _("填写说明"), formats.heading)
    for row, line in enumerate(advice, start=1):
        sheet.write_string(row, 1, line)
    start = len(advice) + 2
    sheet.write_string(start, 0, _("工作表"), formats.heading)
    sheet.write_string(start, 1, _("一行是"), formats.heading)
    for row, name in enumerate(names, start=start + 1):
        table = tables.TABLES[name]
        sheet.write_string(row, 0, table.title)
        note = _("{row}（内容敏感，请控制知悉范围）") if table.restricted else "{row}"
        sheet.write_string(row, 1, note.format(row=table.row))


def _write_table(
    sheet: Worksheet, name: str, rows: pa.Table, options: _Options, formats: _Formats
) -> None:
    fields = tables.columns(name)
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, 32)
    for position, (column, field) in enumerate(fields.items()):
        heading = layout.heading(field)
        style = formats.required if field.required else formats.heading
        sheet.set_column(
            position, position, max(12, 2 * len(heading) + 2), formats.of_column(field)
        )
        sheet.write_string(0, position, heading, style)
        sheet.write_comment(0, position, _comment(column, field), {"x_scale": 2})
        _offer(sheet, position, field, options)
    cells = [
        (position, rows[column].to_pylist(), _writer(field, formats))
        for position, (column, field) in enumerate(fields.items())
        if column in rows.column_names
    ]
    for row in range(rows.num_rows):
        for position, values, write in cells:
            if values[row] is not None:
                write(sheet, row + 1, position, values[row])


def _comment(column: str, field: Field) -> str:
    lines = [
        _("{column}（必填）").format(column=column) if field.required else column,
        str(field.metadata["note"]),
        _("应为{phrase}").format(phrase=layout.wanted(field, hours=True)),
    ]
    return "\n".join(line for line in lines if line)


def _offer(sheet: Worksheet, position: int, field: Field, options: _Options) -> None:
    """Give a column a drop-down, where it has few enough possible values."""
    kind = layout.kind(field)
    if kind == "flag":
        source: str | list[str] = [layout.YES, layout.NO]
    elif kind in ("code", "codes"):
        source = options.source(layout.vocabulary(field))
    else:
        return
    sheet.data_validation(
        1,
        position,
        _LAST_ROW,
        position,
        {
            "validate": "list",
            "source": source,
            # Excel would let nobody type a second entry, or a code of a profile's own.
            "show_error": kind == "flag" or (kind == "code" and not layout.vocabulary(field).open),
            "error_title": layout.heading(field),
            "error_message": _("请从下拉框中选择"),
        },
    )


def _writer(field: Field, formats: _Formats) -> _Write:
    """How the values of a column are written, so that reading gives them back."""
    style = formats.of_column(field)

    def write_text(spell: Callable[[Any], str]) -> _Write:
        return lambda sheet, row, column, value: sheet.write_string(
            row, column, spell(value), style
        )

    match layout.kind(field), layout.unit(field):
        case "day", _:
            return lambda sheet, row, column, value: sheet.write_datetime(row, column, value, style)
        case "count", "minute":
            return lambda sheet, row, column, value: sheet.write_datetime(
                row, column, time(*divmod(value, 60)), style
            )
        case "count", "tenth":
            return lambda sheet, row, column, value: sheet.write_number(
                row, column, value / 10, style
            )
        case "count", _:
            return lambda sheet, row, column, value: sheet.write_number(row, column, value, style)
        case "flag", _:
            return write_text(lambda value: layout.YES if value else layout.NO)
        case "code", _:
            labels = layout.vocabulary(field)
            return write_text(lambda value: labels.get(value, value))
        case "codes", _:
            labels = layout.vocabulary(field)
            return write_text(lambda value: _joined(labels.get(code, code) for code in value))
        case "refs", _:
            return write_text(_joined)
        case _:
            return write_text(str)


def _joined(entries: Any) -> str:
    return layout.SEPARATORS[0].join(entries)
