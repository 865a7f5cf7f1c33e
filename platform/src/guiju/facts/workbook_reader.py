"""Workbooks (.xlsx): a sheet a table, with a heading in row 1."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from python_calamine import CalamineWorkbook, SheetTypeEnum

from guiju.facts import layout, limits
from guiju.facts.cells import Sheet
from guiju.facts.faults import Faults
from guiju.facts.inspection import inspect
from guiju.facts.places import SheetPlaces, letters, shown
from guiju.facts.raw import Codes, RawTable, find_table, read_header, refuse_rows
from guiju.language import gettext as _

_Result = TypeVar("_Result")


def read_workbook(path: Path, codes: Codes, faults: Faults) -> Iterator[RawTable]:
    """The tables of the workbook at ``path``; raises FactsError where it must not be read."""
    areas = inspect(path, faults)
    spelling = Sheet(codes)
    with open_workbook(path, faults) as workbook:
        tables = list(_tables(workbook, path, faults))
        names = [places.sheet for _table, places in tables]
        with closing(_sheets(path, workbook, together(names, areas), faults)) as sheets:
            for (table, places), rows in zip(tables, sheets, strict=True):
                raw = _read_sheet(table, places, rows, spelling, faults)
                if raw:
                    yield raw


def _tables(
    workbook: CalamineWorkbook, path: Path, faults: Faults
) -> Iterator[tuple[str, SheetPlaces]]:
    """The sheets that are tables; a fault for each that is none."""
    seen: dict[str, str] = {}
    for sheet in workbook.sheets_metadata:
        if sheet.name.strip() in (layout.GUIDE_SHEET, layout.OPTIONS_SHEET):
            continue
        places = SheetPlaces(shown(path), sheet=sheet.name)
        if sheet.typ != SheetTypeEnum.WorkSheet:
            faults.whole(places.table(), _("不是普通工作表"), _("请删除这张表"), "unknown_table")
            continue
        table = find_table(sheet.name, places.table(), seen, faults)
        if table is not None:
            yield table, places


def together(names: Iterable[str], areas: Mapping[str, int]) -> Iterator[list[str]]:
    """Sheets in groups that have no more cells than one alone may have."""
    group: list[str] = []
    cells = 0
    for name in names:
        area = areas.get(name, limits.SHEET_CELLS)
        if group and cells + area > limits.SHEET_CELLS:
            yield group
            group, cells = [], 0
        group.append(name)
        cells += area
    yield group


def _sheets(
    path: Path, workbook: CalamineWorkbook, groups: Iterable[Sequence[str]], faults: Faults
) -> Generator[list[list[Any]]]:
    """The rows of each sheet in turn; raises FactsError where the workbook cannot be read.

    A thread takes the sheets of a group out of the file, which needs no interpreter, while
    those before them are looked at.
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        for names in groups:
            taken = deque(reader.submit(workbook.get_sheet_by_name, name) for name in names)
            while taken:
                sheet = attempt(path, faults, taken.popleft().result)
                yield attempt(path, faults, partial(sheet.to_python, skip_empty_area=False))


def refuse_macros(path: Path, faults: Faults) -> None:
    """Raise FactsError: the workbook may hold macros."""
    faults.whole(
        shown(path),
        _("是带宏的或二进制的工作簿"),
        _("请另存为不带宏的 .xlsx 工作簿"),
        "macros",
    )
    raise faults.error()


def open_workbook(path: Path, faults: Faults) -> CalamineWorkbook:
    """The spreadsheet reader on a workbook already inspected; raises FactsError."""
    return attempt(path, faults, lambda: CalamineWorkbook.from_path(path))


def attempt(path: Path, faults: Faults, work: Callable[[], _Result]) -> _Result:
    """What ``work`` with the spreadsheet reader gives; raises FactsError where it fails."""
    try:
        return work()
    except (KeyboardInterrupt, SystemExit):
        raise
    # Its errors come in many types, and its panics are no Exceptions.
    except BaseException:  # noqa: BLE001
        faults.whole(
            shown(path),
            _("工作簿已损坏，无法读取"),
            _("请用表格软件打开后另存为 .xlsx"),
            "damaged",
        )
        raise faults.error() from None


def _read_sheet(
    table: str, places: SheetPlaces, rows: list[list[Any]], spelling: Sheet, faults: Faults
) -> RawTable | None:
    """The rows below the heading as columns; None for an empty sheet."""
    if not rows:
        return None
    heading, width = rows[0], len(rows[0])
    if heading.count("") == width:
        faults.whole(places.table(), _("第 1 行是空行"), _("第 1 行应为列名"), "missing_heading")
        faults.lost.add(table)
        return None
    numbers: Sequence[int] = range(2, len(rows) + 1)
    body = rows[1:]
    blank = [""] * width
    if blank in body:
        numbers = [number for number, row in zip(numbers, body, strict=True) if row != blank]
        body = [row for row in body if row != blank]
    if refuse_rows(table, len(body), places.table(), faults):
        return None
    cells = list(zip(*body, strict=True)) or [()] * width
    header = read_header(
        table,
        heading,
        filled=lambda position: cells[position].count("") < len(body),
        at=lambda position: places.at(letters(position) + "1") if position >= 0 else places.table(),
        faults=faults,
    )
    columns = {column: cells[position] for column, position in header.columns.items()}
    return RawTable(
        table,
        replace(places, numbers=numbers, columns=header.columns),
        len(body),
        columns,
        spelling,
        header.hours,
    )
