"""Going through a workbook before a spreadsheet reader is let near it.

That reader believes what a file says of its size, unfolds whatever cells share, and shows
formulas as plain values: what would hurt, or mislead, is found here in the file itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from guiju.facts import limits
from guiju.facts.faults import Faults
from guiju.facts.files import refuse_size, refuse_unreadable
from guiju.facts.package import Package
from guiju.facts.places import SheetPlaces, shown
from guiju.facts.sheet_scan import MalformedSheetError, SheetScan
from guiju.language import gettext as _

_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_STRINGS: Final = "xl/sharedstrings.xml"
_STRING: Final = re.compile(rb"<(?:\w+:)?si[\s/>]")
_SHARING: Final = re.compile(rb"<(?:\w+:)?c\s[^>]*t\s*=\s*[\"']s[\"'][^>]*>\s*<[^>]*>\s*(\d{1,9})")
#: Parts that name sheets; a thousand sheets need some 200 KB.  Strings are far shorter.
_INDEX_BYTES: Final = 4 * limits.MIB
_MACROS: Final = re.compile(r"vbaproject|xl/macrosheets/|xl/workbook\.bin", re.IGNORECASE)
#: Beginnings of XML in UTF-16, in which nothing can be found by searching bytes.
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")


def inspect(path: Path, faults: Faults) -> dict[str, int]:
    """Report formulas and error values; raises FactsError if the workbook must not be read.

    Returns the areas of the sheets by name: as many cells as a reader may keep, or more.
    """
    refuse_size(path, limits.WORKBOOK_BYTES, faults)
    try:
        with Package(path, faults) as package:
            return _inspect(package, shown(path), faults)
    except OSError as error:
        refuse_unreadable(path, error, faults)
        raise faults.error() from None


def _inspect(package: Package, file: str, faults: Faults) -> dict[str, int]:
    if any(_MACROS.search(part) for part in package.parts):
        package.refuse(_("工作簿带有宏"), _("请另存为不带宏的 .xlsx 工作簿"), "macros")
    if _WORKBOOK not in package.parts or _RELATIONS not in package.parts:
        package.refuse(_("不是 .xlsx 工作簿"), _("请另存为 .xlsx 工作簿"), "not_workbook")
    names = _sheet_names(package)
    strings: list[int] = []
    scans: dict[str, SheetScan] = {}
    for part in package.parts:
        if part.lower() == _STRINGS:
            strings = _string_sizes(package, part)
            continue
        scan = _scan(package, part)
        if scan.is_sheet:
            scans[part] = scan
            _report(scan, SheetPlaces(file, sheet=names.get(part, part)), faults)
    if any(scan.area > limits.SHEET_CELLS for scan in scans.values()):
        raise faults.error()
    cells = sum(scan.cells for scan in scans.values())
    # Counting what each cell unfolds to is slow, and hardly ever needed.
    if (
        cells * max(strings, default=0) > limits.SHARED_TEXT_BYTES
        and _unfolded(package, scans, strings) > limits.SHARED_TEXT_BYTES
    ):
        package.refuse(_("工作簿中的文字太长"), _("请分成几个文件"), "too_large")
    return {names[part]: scan.area for part, scan in scans.items() if part in names}


def _report(scan: SheetScan, places: SheetPlaces, faults: Faults) -> None:
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


def _string_sizes(package: Package, part: str) -> list[int]:
    """The bytes of XML of each string that cells share, in order."""
    sizes: list[int] = []
    current = b""
    for chunk in package.chunks(part):
        *ended, current = _STRING.split(current + chunk)
        sizes += map(len, ended)
        if len(current) > _INDEX_BYTES:
            package.damaged()
    # What comes before the first string is not one.
    return [*sizes, len(current)][1:]


def _unfolded(package: Package, parts: Iterable[str], strings: Sequence[int]) -> int:
    """The bytes of text that a reader gets out of cells which share strings."""
    total = 0
    for part in parts:
        rest = b""
        for chunk in chain(package.chunks(part), [b"<c "]):
            data = rest + chunk
            cut = data.rfind(b"<c")
            rest = data[cut:]
            for number in map(int, _SHARING.findall(data[:cut])):
                total += strings[number] if number < len(strings) else 0
    return total


def _sheet_names(package: Package) -> dict[str, str]:
    """Names of sheets by part; parts that the workbook does not name are left out."""
    targets = {
        relation.get("Id"): posixpath.join("/xl", relation.get("Target", ""))
        for relation in _parsed(package, _RELATIONS)
    }
    names = {}
    for sheet in _parsed(package, _WORKBOOK).iter():
        if sheet.tag.rpartition("}")[2] == "sheet":
            for attribute, value in sheet.items():
                if attribute.endswith("}id") and value in targets:
                    names[posixpath.normpath(targets[value])[1:]] = sheet.get("name", "")
    return names


def _parsed(package: Package, part: str) -> ET.Element:
    content = package.read(part, _INDEX_BYTES)
    # Definitions of entities are the one thing in XML that can grow; no spreadsheet writes them.
    if content.startswith(_UTF_16) or b"<!DOCTYPE" in content:
        package.damaged()
    try:
        return ET.fromstring(content)  # noqa: S314 - without definitions there is nothing to fear
    except (ET.ParseError, LookupError, ValueError):
        # Not well-formed, in an encoding that is none, or in one that the parser does not take.
        package.damaged()
