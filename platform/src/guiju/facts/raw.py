"""Tables as a document brings them, before anything is checked but their headings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiju.facts import layout, limits
from guiju.facts.cells import Typed
from guiju.facts.faults import Faults
from guiju.facts.places import Places
from guiju.language import gettext as _
from guiju.rules import tables

#: Codes that profiles add to open vocabularies, with labels, by vocabulary.
Codes = Mapping[str, Mapping[str, str]]
#: Reads the tables of one file or folder; faults of headings and the like go to Faults.
Reader = Callable[[Path, Codes, Faults], Iterable["RawTable"]]


@dataclass(frozen=True)
class RawTable:
    """One table: cells by column, each column with ``size`` of them.

    ``spelling`` reads them; ``hours`` are the columns in which people write hours where
    the schema counts tenths of them.
    """

    name: str
    places: Places
    size: int
    columns: Mapping[str, Sequence[Any]]
    spelling: Typed
    hours: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Header:
    """What the heading of a sheet or CSV file names: positions of columns."""

    columns: Mapping[str, int]
    hours: frozenset[str]


def read_header(
    table: str,
    cells: Sequence[Any],
    filled: Callable[[int], bool],
    at: Callable[[int], str],
    faults: Faults,
) -> Header:
    """Match the ``cells`` of a heading with the columns of ``table``.

    ``filled`` tells whether anything stands below a position, ``at`` names its place.
    """
    names = layout.headings(table)
    columns: dict[str, int] = {}
    hours = set()
    for position, cell in enumerate(cells):
        text = cell.strip() if isinstance(cell, str) else str(cell)
        if not text:
            if filled(position):
                faults.whole(
                    at(position),
                    _("这一列有内容，却没有列名"),
                    _("请填写列名或清空这一列"),
                    "unnamed_column",
                )
            continue
        name = names.get(text)
        if name is None:
            faults.whole(at(position), *unknown(text, names, _("列")), "unknown_column")
        elif name in columns:
            faults.whole(
                at(position),
                _("“{column}”这一列出现了两次").format(column=text),
                _("只能有一列"),
                "duplicate_column",
            )
        else:
            columns[name] = position
            if text == layout.heading(tables.columns(table)[name]):
                hours.add(name)
    for name, field in tables.columns(table).items():
        if field.required and name not in columns:
            faults.whole(
                at(-1),
                _("没有必填的列“{heading}”").format(heading=layout.heading(field)),
                _("应有列“{heading}”（{name}）").format(heading=layout.heading(field), name=name),
                "missing_column",
            )
            if name == "id":
                faults.lost.add(table)
    return Header(columns, frozenset(hours))


def find_table(
    text: str, place: str, seen: dict[str, str], faults: Faults, *, english: bool = False
) -> str | None:
    """The table called ``text``; None, and a fault, where there is none or it was ``seen``.

    ``english`` leaves Chinese names to people.  ``seen`` maps tables to what they were
    called.
    """
    names = {name: name for name in tables.TABLES} if english else layout.TABLE_NAMES
    table = names.get(text.strip())
    if table is None:
        faults.whole(place, *unknown(text.strip(), names, _("表")), "unknown_table")
        faults.lost.add(None)
        return None
    if table in seen:
        found = _("与“{other}”是同一张表").format(other=seen[table])
        faults.whole(place, found, _("一张表只能出现一次"), "duplicate_table")
        return None
    seen[table] = text
    return table


def refuse_rows(table: str, rows: int, place: str, faults: Faults) -> bool:
    """Whether the table has more rows than are read; a fault if so."""
    if rows <= limits.ROWS:
        return False
    faults.whole(
        place,
        _("有 {rows} 行").format(rows=rows),
        _("一张表至多 {most} 行").format(most=limits.ROWS),
        "too_large",
    )
    faults.lost.add(table)
    return True


def unknown(text: str, names: Iterable[str], what: str) -> tuple[str, str]:
    """What to say of a sheet, file or column with a name that nothing has."""
    names = list(names)
    likely = layout.nearest(text, names)
    found = _("没有叫“{text}”的{what}").format(text=text[:60], what=what)
    if likely:
        return found, _("是否“{likely}”").format(likely=likely)
    chinese = [name for name in names if not name.isascii()]
    return found, _("应为：{names}").format(names=_("、").join(chinese or names))
