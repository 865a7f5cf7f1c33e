"""Workbooks (.xlsx): a sheet a table, with a heading in row 1.

The file is gone through before the spreadsheet reader sees it, because that reader
believes what a file says of its size and shows formulas as plain values.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from xml.etree import ElementTree as ET

from python_calamine import CalamineWorkbook, SheetTypeEnum

from guiju.facts import layout, limits
from guiju.facts.cells import Sheet
from guiju.facts.faults import Faults
from guiju.facts.files import refuse_size, refuse_unreadable
from guiju.facts.package import Package
from guiju.facts.places import SheetPlaces, letters, shown
from guiju.facts.raw import Codes, RawTable, find_table, read_header, refuse_rows
from guiju.facts.sheet_scan import MalformedSheetError, SheetScan
from guiju.language import gettext as _

_Result = TypeVar("_Result")

_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_STRINGS: Final = "xl/sharedstrings.xml"
_STRING: Final = re.compile(rb"<(?:\w+:)?si[\s/>]")
#: Parts that name sheets; a thousand sheets need some 200 KB.
_INDEX_BYTES: Final = 4 * limits.MIB
_MACROS: Final = re.compile(r"vbaproject|xl/macrosheets/|xl/workbook\.bin", re.IGNORECASE)
#: Beginnings of XML in UTF-16, which the scan cannot read.
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")


def read_workbook(path: Path, codes: Codes, faults: Faults) -> Iterator[RawTable]:
    """The tables of the workbook at ``path``; raises FactsError where it must not be read."""
    refuse_size(path, limits.WORKBOOK_BYTES, faults)
    try:
        with Package(path, faults) as package:
            _inspect(package, shown(path), faults)
    except OSError as error:
        refuse_unreadable(path, error, faults)
        raise faults.error() from None
    spelling = Sheet(codes)
    seen: dict[str, str] = {}
    with _attempt(path, faults, lambda: CalamineWorkbook.from_path(path)) as workbook:
        for sheet in workbook.sheets_metadata:
            name = sheet.name
            if name.strip() in (layout.GUIDE_SHEET, layout.OPTIONS_SHEET):
                continue
            places = SheetPlaces(shown(path), sheet=name)
            if sheet.typ != SheetTypeEnum.WorkSheet:
                faults.whole(
                    places.table(), _("不是普通工作表"), _("请删除这张表"), "unknown_table"
                )
                continue
            table = find_table(name, places.table(), seen, faults)
            if table is None:
                continue
            rows = _attempt(path, faults, partial(_rows, workbook, name))
            raw = _read_sheet(table, places, rows, spelling, faults)
            if raw:
                yield raw


def refuse_macros(path: Path, faults: Faults) -> None:
    """Raise FactsError: the workbook may hold macros."""
    faults.whole(
        shown(path),
        _("是带宏的或二进制的工作簿"),
        _("请另存为不带宏的 .xlsx 工作簿"),
        "macros",
    )
    raise faults.error()


def _inspect(package: Package, file: str, faults: Faults) -> None:
    """Go through all parts; raises FactsError if a reader must not be let near them."""
    if any(_MACROS.search(part) for part in package.parts):
        package.refuse(_("工作簿带有宏"), _("请另存为不带宏的 .xlsx 工作簿"), "macros")
    if _WORKBOOK not in package.parts or _RELATIONS not in package.parts:
        package.refuse(_("不是 .xlsx 工作簿"), _("请另存为 .xlsx 工作簿"), "not_workbook")
    names = _sheet_names(package)
    shared, longest = 0, 0
    for part in package.parts:
        if part.lower() == _STRINGS:
            longest = _longest_string(package, part)
            continue
        scan = _scan(package, part)
        if not scan.is_sheet:
            continue
        places = SheetPlaces(file, sheet=names.get(part, part))
        shared += scan.shared
        _report_scan(scan, places, faults)
        if scan.area > limits.SHEET_CELLS:
            raise faults.error()
    if shared * longest > limits.SHARED_TEXT_BYTES:
        package.refuse(_("工作簿中的文字太长"), _("请分成几个文件"), "too_large")


def _report_scan(scan: SheetScan, places: SheetPlaces, faults: Faults) -> None:
    for address in scan.formulas:
        faults.whole(
            places.at(address),
            _("是公式"),
            _("应为值本身：请复制后选择性粘贴为“数值”"),
            "formula",
        )
    for address in scan.errors:
        faults.whole(places.at(address), _("是错误值"), _("应为值或空白"), "error_value")
    if scan.area > limits.SHEET_CELLS:
        faults.whole(
            places.table(),
            _("使用的范围太大，远处可能有零散的单元格"),
            _("请删除数据以外的行和列，一张表至多 {most} 行").format(most=limits.ROWS),
            "too_large",
        )


def _scan(package: Package, part: str) -> SheetScan:
    scan = SheetScan()
    try:
        for number, chunk in enumerate(package.chunks(part)):
            if number == 0 and chunk.startswith(_UTF_16):
                package.damaged()
            scan.feed(chunk)
        scan.end()
    except MalformedSheetError:
        package.damaged()
    return scan


def _longest_string(package: Package, part: str) -> int:
    """An upper bound of the bytes of the longest string that cells share."""
    longest, current = 0, b""
    for chunk in package.chunks(part):
        *ended, current = _STRING.split(current + chunk)
        longest = max(longest, max(map(len, ended), default=0))
        if len(current) > _INDEX_BYTES:
            package.damaged()
    return max(longest, len(current))


def _sheet_names(package: Package) -> dict[str, str]:
    """Names of sheets by part; parts that the workbook does not name are left out."""
    try:
        book = ET.fromstring(_index(package, _WORKBOOK))  # noqa: S314 - see _index
        relations = ET.fromstring(_index(package, _RELATIONS))  # noqa: S314
    except ET.ParseError:
        package.damaged()
    targets = {
        relation.get("Id"): posixpath.normpath(posixpath.join("/xl", relation.get("Target", "")))[
            1:
        ]
        for relation in relations
    }
    names = {}
    for sheet in book.iter():
        if sheet.tag.rpartition("}")[2] == "sheet":
            for attribute, value in sheet.items():
                if attribute.endswith("}id") and value in targets:
                    names[targets[value]] = sheet.get("name", "")
    return names


def _index(package: Package, part: str) -> bytes:
    content = package.read(part, _INDEX_BYTES)
    # Definitions of entities are the one thing in XML that can grow; no spreadsheet writes them.
    if b"<!DOCTYPE" in content:
        package.damaged()
    return content


def _attempt(path: Path, faults: Faults, work: Callable[[], _Result]) -> _Result:
    """What ``work`` with the spreadsheet reader gives; raises FactsError where it fails."""
    try:
        return work()
    except (KeyboardInterrupt, SystemExit, MemoryError):
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


def _rows(workbook: CalamineWorkbook, sheet: str) -> list[list[Any]]:
    return workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


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
