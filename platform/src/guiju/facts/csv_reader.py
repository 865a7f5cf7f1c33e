"""Folders of CSV files, each a table with a heading on its first line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from guiju.facts.cells import Written
from guiju.facts.faults import FactsError, Faults
from guiju.facts.files import read_text, refuse_unreadable
from guiju.facts.places import CsvPlaces, shown
from guiju.facts.raw import Codes, RawTable, find_table, read_header, refuse_rows
from guiju.language import gettext as _


def read_folder(path: Path, codes: Codes, faults: Faults) -> Iterator[RawTable]:
    """The tables of the CSV files in the folder ``path``; hidden files are not looked at."""
    try:
        files = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    except OSError as error:
        refuse_unreadable(path, error, faults)
        raise faults.error() from None
    spelling = Written(codes)
    seen: dict[str, str] = {}
    for file in files:
        if file.is_dir() or file.suffix.lower() != ".csv":
            wanted = _("文件夹中应只有以表名命名的 .csv 文件")
            faults.whole(shown(file), _("不是 CSV 文件"), wanted, "unknown_file")
            faults.lost.add(None)
            continue
        table = find_table(shown(file)[: -len(file.suffix)], shown(file), seen, faults)
        if table is None:
            continue
        try:
            raw = _read_file(file, table, spelling, faults)
        except FactsError:
            # Reported; the other files may have faults of their own.
            faults.lost.add(table)
            continue
        if raw:
            yield raw


def _read_file(file: Path, table: str, spelling: Written, faults: Faults) -> RawTable | None:
    """The rows of one file; None for an empty file or one with too many.

    Raises FactsError where the file cannot be read.
    """
    rows, numbers = _lines(file, faults)
    name = shown(file)
    if not rows or refuse_rows(table, len(rows) - 1, name, faults):
        return None
    heading, width = rows[0], len(rows[0])
    kept, lines = [], []
    for row, number in zip(rows[1:], numbers[1:], strict=True):
        if len(row) == width:
            kept.append(row)
            lines.append(number)
        elif row:
            faults.whole(
                CsvPlaces(name, [number]).row(0),
                _("有 {number} 个值").format(number=len(row)),
                _("列名有 {number} 个，应一一对应").format(number=width),
                "ragged_row",
            )
            faults.lost.add(table)
    cells = list(zip(*kept, strict=True)) or [()] * width
    header = read_header(
        table,
        heading,
        filled=lambda position: any(cells[position]),
        at=lambda _position: CsvPlaces(name, numbers).row(0),
        faults=faults,
    )
    columns = {column: cells[position] for column, position in header.columns.items()}
    return RawTable(table, CsvPlaces(name, lines), len(kept), columns, spelling, header.hours)


def _lines(file: Path, faults: Faults) -> tuple[list[list[str]], list[int]]:
    """Rows, blank ones as empty lists, and the lines on which they begin."""
    reader = csv.reader(io.StringIO(read_text(file, faults), newline=""), strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    begins = 1
    try:
        for row in reader:
            rows.append(row if any(map(str.strip, row)) else [])
            numbers.append(begins)
            begins = reader.line_num + 1
    except csv.Error:
        faults.whole(
            CsvPlaces(shown(file), [begins]).row(0),
            _("引号没有配对，或一个值太长"),
            _("应为用逗号分隔的值，含逗号的值用双引号括起"),
            "not_csv",
        )
        raise faults.error() from None
    return rows, numbers
