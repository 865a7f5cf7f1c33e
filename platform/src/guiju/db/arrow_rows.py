"""Facts rows as Arrow tables, references resolved to numbers and lists of codes to masks.

Everything here works on whole columns: a million rows cost what a few big operations cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from guiju.db.facts_tables import stored_name
from guiju.language import gettext as _
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

#: Rows of one facts table: an Arrow table, or mappings as the marshmallow schemas load them.
Rows: TypeAlias = pa.Table | Iterable[Mapping[str, Any]]

#: How many faults of one column are named; the rest are likely the same mistake.
MOST_FAULTS = 100

_TYPES = {
    "day": pa.date32(),
    "flag": pa.bool_(),
    "count": pa.int64(),
    "refs": pa.list_(pa.string()),
    "codes": pa.list_(pa.string()),
}


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type of a column of ``kind`` as an author brings it."""
    return _TYPES.get(kind, pa.string())


def as_arrow(table: str, rows: Rows) -> pa.Table:
    """``rows`` of the facts table ``table`` with every column in its Arrow type.

    Columns that no row mentions are left out.  Raises ``BadInput`` for unknown columns and
    for required ones that are missing or blank.
    """
    fields = tables.columns(table)
    found = rows if isinstance(rows, pa.Table) else _from_mappings(list(rows))
    unknown = [name for name in found.column_names if name not in fields]
    missing = [
        name
        for name, field in fields.items()
        if field.required
        and found.num_rows
        and (name not in found.column_names or found[name].null_count)
    ]
    if unknown or missing:
        raise BadInput(
            [Problem(f"/{table}", name, _("没有这一列"), "unknown_column") for name in unknown]
            + [Problem(f"/{table}", name, _("这一列必须填写"), "required") for name in missing]
        )
    return pa.table(
        {
            name: found[name].cast(arrow_type(str(fields[name].metadata["kind"])))
            for name in found.column_names
        }
    )


def _from_mappings(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


class Numbers:
    """The numbers of the rows that authors' ids stand for."""

    def __init__(self, codes: pa.Array, ids: pa.Array) -> None:
        """``codes`` are strings, ``ids`` the int64 numbers of the same rows."""
        self.codes = codes
        self.ids = ids
        #: Codes and numbers of rows about to be written.
        self.new: pa.Array = codes.slice(0, 0)
        self.new_ids: pa.Array = ids.slice(0, 0)

    def missing(self, codes: pa.Array) -> pa.Array:
        """Those of ``codes`` (distinct, without null) that stand for no row yet."""
        return codes.filter(pc.invert(pc.is_in(codes, value_set=self.codes)))

    def add(self, codes: pa.Array, ids: pa.Array) -> None:
        """Remember rows that are about to be written."""
        self.new, self.new_ids = codes, ids
        self.codes = pa.concat_arrays([self.codes, codes])
        self.ids = pa.concat_arrays([self.ids, ids])

    def of(self, codes: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        """The number for each code, null for null and for what stands for no row."""
        return pc.take(self.ids, pc.index_in(codes, value_set=self.codes))


def resolved(
    table: str,
    rows: pa.Table,
    numbers: Mapping[str, Numbers],
    bits: Mapping[str, Mapping[str, int]],
) -> pa.Table:
    """``rows`` (of :func:`as_arrow`) with the columns that are stored, under their names.

    ``numbers`` are known by table, ``bits`` by vocabulary.  Raises ``BadInput`` naming the
    ids and codes that nothing is known about.
    """
    fields = tables.columns(table)
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    problems: list[Problem] = []
    for name in rows.column_names:
        stored, metadata, column = stored_name(table, name), fields[name].metadata, rows[name]
        if stored is None:
            continue
        kind = metadata["kind"]
        if kind == "ref":
            columns[stored] = numbers[metadata["target"]].of(column)
            strange = pc.and_(column.is_valid(), columns[stored].is_null())
        elif kind == "refs":
            columns[stored], strange = _resolved_lists(column, numbers[metadata["target"]])
        elif kind == "codes":
            columns[stored], strange = _masks(column, bits[metadata["vocabulary"].name])
        else:
            columns[stored] = column
            continue
        problems += _unknown(table, name, column, strange)
    if problems:
        raise BadInput(problems)
    return pa.table(columns)


def _unknown(table: str, name: str, column: pa.ChunkedArray, strange: Any) -> list[Problem]:
    rows = np.flatnonzero(np.asarray(strange))[:MOST_FAULTS].tolist()
    wanted = _("应为已有的编号或代码")
    return [
        Problem(f"/{table}/{row}/{name}", str(column[row].as_py()), wanted, "unknown_reference")
        for row in rows
    ]


def _resolved_lists(
    column: pa.ChunkedArray, numbers: Numbers
) -> tuple[pa.ChunkedArray, np.ndarray[Any, Any]]:
    """Lists of numbers, and which rows have a member that stands for nothing."""
    lists = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    found = numbers.of(pa.chunked_array([lists.flatten()])).combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = np.concatenate([[0], np.cumsum(np.asarray(lengths))]).astype(np.int32)
    starts = pa.array(offsets, mask=np.append(np.asarray(lists.is_null()), False))
    parents = np.repeat(np.arange(len(lists)), np.asarray(lengths))
    strange = np.zeros(len(lists), dtype=np.bool_)
    strange[parents[np.asarray(found.is_null())]] = True
    return pa.chunked_array([pa.ListArray.from_arrays(starts, found)]), strange


def _masks(
    column: pa.ChunkedArray, bits: Mapping[str, int]
) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Masks, and which rows have a code without a bit."""
    lists = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    codes = lists.flatten()
    place = pc.fill_null(pc.index_in(codes, value_set=pa.array(bits, pa.string())), -1)
    places = np.asarray(place)
    parents = np.asarray(pc.list_parent_indices(lists))
    strange = np.zeros(len(lists), dtype=np.bool_)
    strange[parents[places < 0]] = True
    values = np.array([1 << bit for bit in bits.values()] + [0], dtype=np.int64)
    masks = np.zeros(len(lists), dtype=np.int64)
    np.bitwise_or.at(masks, parents, values[places])
    return pa.array(masks), strange
