"""Reading facts documents of every kind."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from guiju.facts import columns, consistency, layout
from guiju.facts.cells import quoted
from guiju.facts.consistency.base import Known
from guiju.facts.csv_reader import read_folder
from guiju.facts.document import FactsDocument
from guiju.facts.faults import Faults
from guiju.facts.json_reader import read_json
from guiju.facts.places import Places, shown
from guiju.facts.raw import Codes, RawTable, Reader
from guiju.facts.workbook_reader import read_workbook, refuse_macros
from guiju.language import gettext as _
from guiju.rules import tables

_NO_CODES: Final[Codes] = MappingProxyType({})
_READERS: Final[Mapping[str, Reader]] = {".json": read_json, ".xlsx": read_workbook}
_MACRO_SUFFIXES: Final = frozenset({".xlsm", ".xlsb", ".xltm", ".xlam"})


def read(
    path: str | Path, codes: Codes = _NO_CODES, known: Known = MappingProxyType({})
) -> FactsDocument:
    """Read the JSON document, workbook or folder of CSV files at ``path``.

    ``codes`` are the codes that profiles add to open vocabularies, with their labels, by
    vocabulary.  ``known`` are ids that references may lead to although the document has no
    such rows.  Raises FactsError, which lists everything that is wrong.
    """
    path = Path(path)
    faults = Faults()
    found: dict[str, pa.Table] = {}
    places: dict[str, Places] = {}
    broken: dict[str, set[int]] = {}
    with _no_collecting():
        for raw in _reader(path, faults)(path, codes, faults):
            found[raw.name], broken[raw.name] = _typed(raw, faults)
            places[raw.name] = raw.places
    if None in faults.lost:
        # A sheet with a name that nothing has may be any of those that are not there.
        faults.lost |= tables.TABLES.keys() - found.keys()
    complete = {name: found.get(name, columns.schema(name).empty_table()) for name in tables.TABLES}
    document = FactsDocument(complete, places)
    consistency.check(document, broken, faults, known)
    if faults:
        raise faults.error()
    return document


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Leave the garbage collector out of it: of a million cells, none is part of a circle."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _reader(path: Path, faults: Faults) -> Reader:
    """How to read ``path``; raises FactsError where nothing can."""
    if path.is_dir():
        return read_folder
    suffix = path.suffix.lower()
    if suffix in _MACRO_SUFFIXES:
        refuse_macros(path, faults)
    if not path.exists():
        faults.whole(shown(path), _("没有这个文件"), _("请检查文件名"), "unreadable")
        raise faults.error()
    if suffix not in _READERS:
        faults.whole(
            shown(path),
            _("不是认识的文件类型"),
            _("应为 .json 文件、.xlsx 工作簿或 CSV 文件的文件夹"),
            "unknown_file",
        )
        raise faults.error()
    return _READERS[suffix]


def _typed(raw: RawTable, faults: Faults) -> tuple[pa.Table, set[int]]:
    """The table in its types, and the rows with cells that do not fit: reported, and null."""
    arrays = {}
    broken: set[int] = set()
    for name, field in tables.columns(raw.name).items():
        if name not in raw.columns:
            arrays[name] = columns.empty(field, raw.size)
            continue
        hours = name in raw.hours
        column = columns.read(raw.columns[name], field, raw.spelling, hours=hours)
        _report(column, raw, name, faults)
        arrays[name] = column.values
        broken.update(column.misfits, column.missing)
    return pa.table(arrays), broken


def _report(column: columns.Column, raw: RawTable, name: str, faults: Faults) -> None:
    field, cells, hours = tables.columns(raw.name)[name], raw.columns[name], name in raw.hours
    wanted = _("应为{phrase}").format(phrase=layout.wanted(field, hours=hours))
    by_code: dict[str, list[int]] = {}
    for row, misfit in column.misfits.items():
        by_code.setdefault(misfit.code, []).append(row)
    for code, rows in by_code.items():
        faults.cells(
            raw.places,
            raw.name,
            name,
            rows,
            lambda row: (
                column.misfits[row].found or _("写的是{value}").format(value=quoted(cells[row])),
                column.misfits[row].wanted or wanted,
            ),
            code=code,
        )
    faults.cells(
        raw.places,
        raw.name,
        name,
        column.missing,
        lambda _row: (
            _("没有填写“{heading}”").format(heading=layout.heading(field)),
            wanted,
        ),
        code="missing_value",
    )
