"""JSON documents: an object of table names, each with a list of row objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from guiju.facts.cells import Typed, quoted
from guiju.facts.faults import Faults
from guiju.facts.files import read_text
from guiju.facts.places import JsonPlaces, pointer, shown
from guiju.facts.raw import Codes, RawTable, find_table, refuse_rows, unknown
from guiju.language import gettext as _
from guiju.rules import tables


class _Doubled(dict[str, Any]):
    """An object in which names occur twice; ``names`` are those."""

    names: list[str]


def read_json(path: Path, codes: Codes, faults: Faults) -> Iterator[RawTable]:
    """The tables of the JSON document at ``path``."""
    document = _parse(path, faults)
    file = shown(path)
    if not isinstance(document, dict):
        faults.whole(
            file,
            _("最外层是{value}").format(value=quoted(document)),
            _("应为对象：表名对应行的列表"),
            "wrong_type",
        )
        raise faults.error()
    _refuse_doubled(document, f"{file} ", faults)
    spelling = Typed(codes)
    for name, rows in document.items():
        place = f"{file} {pointer(name)}"
        table = find_table(name, place, {}, faults, english=True)
        if table is None:
            continue
        if not isinstance(rows, list):
            found = _("写的是{value}").format(value=quoted(rows))
            faults.whole(place, found, _("应为行的列表"), "wrong_type")
            faults.lost.add(table)
        elif not refuse_rows(table, len(rows), place, faults):
            yield _table(table, rows, file, spelling, faults)


def _parse(path: Path, faults: Faults) -> Any:
    text = read_text(path, faults)
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        found = _("第{line}行第{column}个字起不是 JSON").format(
            line=error.lineno, column=error.colno
        )
    except RecursionError:
        found = _("括号套得太深")
    except ValueError:
        # The interpreter refuses numbers of thousands of digits.
        found = _("有一个数字太长")
    faults.whole(shown(path), found, _("应为 JSON 文件：表名对应行的列表"), "not_json")
    raise faults.error()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    doubled = _Doubled(made)
    doubled.names = [name for name, times in Counter(n for n, _v in pairs).items() if times > 1]
    return doubled


def _refuse_doubled(found: dict[str, Any], prefix: str, faults: Faults) -> None:
    """Report names that occur twice; ``prefix`` and a pointer's last step make their places."""
    if isinstance(found, _Doubled):
        for name in found.names:
            faults.whole(
                prefix + pointer(name),
                _("“{name}”在同一对象中出现了两次").format(name=name[:60]),
                _("只能出现一次"),
                "duplicate_name",
            )


def _table(name: str, rows: list[Any], file: str, spelling: Typed, faults: Faults) -> RawTable:
    """The rows as columns; whatever is no row is reported and left out."""
    fields = tables.columns(name)
    places = JsonPlaces(file, range(len(rows)), name)
    names = fields.keys()
    kept = [
        number
        for number, row in enumerate(rows)
        if (type(row) is dict and row.keys() <= names) or _is_row(row, number, places, faults)
    ]
    if len(kept) < len(rows):
        faults.lost.add(name)
        rows = [rows[number] for number in kept]
        places = JsonPlaces(file, kept, name)
    used = set().union(*rows)
    columns = {
        column: [row.get(column) for row in rows]
        for column, field in fields.items()
        # A required column that no row has is missing from each of them.
        if column in used or field.required
    }
    return RawTable(name, places, len(rows), columns, spelling)


def _is_row(row: Any, number: int, places: JsonPlaces, faults: Faults) -> bool:
    """Whether ``row`` is an object; names that are no columns, or occur twice, are reported."""
    fields = tables.columns(places.name)
    if not isinstance(row, dict):
        faults.whole(
            places.row(number),
            _("写的是{value}").format(value=quoted(row)),
            _("应为对象：列名对应值"),
            "wrong_type",
        )
        return False
    _refuse_doubled(row, places.row(number), faults)
    for column in row:
        if column not in fields:
            place = places.cell(number, column)
            faults.whole(place, *unknown(column, fields, _("列")), "unknown_column")
    return True
