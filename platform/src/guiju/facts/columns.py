"""Whole columns of cells, checked against the schema and made into Arrow arrays.

The schemas decide, but they are asked as seldom as possible: plain text is vouched for in
one go, and of everything else each distinct value is put to its field once.  A column of
dates in a year has 365 distinct values however long it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from guiju.facts import layout
from guiju.facts.cells import Misfit, Typed, deserialized
from guiju.facts.layout import Field
from guiju.rules import tables

TYPES: Final = {
    "day": pa.date32(),
    "flag": pa.bool_(),
    "count": pa.int64(),
    "codes": pa.list_(pa.string()),
    "refs": pa.list_(pa.string()),
}
_PLAIN_KINDS: Final = frozenset({"key", "ref", "text"})
_PLAIN_TYPES: Final = frozenset({str, type(None)})
_NUMBERS: Final = frozenset({bool, int, float})
#: Whatever needs a second look: control characters and code points that are none.
_UNUSUAL: Final = r"[\p{Cc}\x{FFFE}\x{FFFF}]"


@dataclass(frozen=True)
class Column:
    """A column read: its values, null where nothing or nothing usable is written.

    ``misfits`` are the rows whose cells were refused, with why; ``missing`` are the rows
    of a required column where nothing is written.
    """

    values: pa.Array
    misfits: dict[int, Misfit]
    missing: Sequence[int]


def arrow_type(field: Field) -> pa.DataType:
    """The Arrow type of a column."""
    return TYPES.get(layout.kind(field), pa.string())


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table: its columns in order, in the types they are read as."""
    fields = tables.columns(table)
    return pa.schema([(name, arrow_type(field)) for name, field in fields.items()])


def empty(field: Field, rows: int) -> pa.Array:
    """A column in which nothing is written."""
    return pa.nulls(rows, arrow_type(field))


def read(cells: Sequence[Any], field: Field, spelling: Typed, *, hours: bool) -> Column:
    """Read ``cells``, one a row, as the column that ``field`` describes."""
    types = set(map(type, cells))
    plain = None
    if layout.kind(field) in _PLAIN_KINDS and types <= _PLAIN_TYPES:
        plain = _read_plain(cells, field, spelling)
    values, misfits = plain or _read_distinct(cells, types, field, spelling, hours=hours)
    missing: Sequence[int] = ()
    if field.required and values.null_count:
        absent = np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))
        missing = [row for row in absent.tolist() if row not in misfits]
    return Column(values, misfits, missing)


def _read_plain(
    cells: Sequence[Any], field: Field, spelling: Typed
) -> tuple[pa.Array, dict[int, Misfit]] | None:
    """Text in bulk, a second look at the unusual; None where it is not even Unicode."""
    try:
        written = pa.array(cells, pa.string())
    except UnicodeEncodeError:
        return None
    values = pc.if_else(pc.equal(written, ""), None, written)
    unusual = pc.or_(
        pc.or_(
            pc.greater(pc.utf8_length(values), layout.length(field)[1]),
            pc.not_equal(values, pc.utf8_trim_whitespace(values)),
        ),
        pc.match_substring_regex(values, _UNUSUAL),
    ).fill_null(False)  # noqa: FBT003 - pyarrow takes it by position
    if not pc.any(unusual).as_py():
        return values, {}
    rows = np.flatnonzero(unusual.to_numpy(zero_copy_only=False)).tolist()
    reader = _Distinct(field, spelling, hours=False)
    again = [reader[cells[row]] for row in rows]
    values = pc.replace_with_mask(values, unusual, pa.array(_usable(again), pa.string()))
    misfits = {row: v for row, v in zip(rows, again, strict=True) if isinstance(v, Misfit)}
    return values, misfits


def _read_distinct(
    cells: Sequence[Any], types: set[type], field: Field, spelling: Typed, *, hours: bool
) -> tuple[pa.Array, dict[int, Misfit]]:
    """Each distinct value once."""
    if list in types:
        cells = [tuple(cell) if type(cell) is list else cell for cell in cells]
    reader = _Distinct(field, spelling, hours=hours)
    # 1, 1.0 and true are one key of a dictionary, but not one value.
    look = reader.__getitem__ if len(types & _NUMBERS) <= 1 else reader.__missing__
    try:
        values = list(map(look, cells))
    except TypeError:
        # Objects nested in cells are no keys; there is something wrong with each of them.
        values = list(map(reader.one, cells))
    misfits: dict[int, Misfit] = {}
    if reader.misfit:
        refused = [type(value) is Misfit for value in values]
        misfits = dict(compress(enumerate(values), refused))
        values = _usable(values)
    return pa.array(values, arrow_type(field)), misfits


def _usable(values: list[Any]) -> list[Any]:
    return [None if type(value) is Misfit else value for value in values]


class _Distinct(dict[Any, Any]):
    """Values of cells by what is written: computed when first met."""

    def __init__(self, field: Field, spelling: Typed, *, hours: bool) -> None:
        super().__init__()
        self._field = field
        self._spelling = spelling
        self._hours = hours
        #: Whether any cell was refused.
        self.misfit = False

    def __missing__(self, cell: Any) -> Any:
        value = self[cell] = self.one(cell)
        return value

    def one(self, cell: Any) -> Any:
        """The value of one cell, or the Misfit."""
        try:
            return deserialized(cell, self._field, self._spelling, hours=self._hours)
        except Misfit as misfit:
            self.misfit = True
            return misfit
