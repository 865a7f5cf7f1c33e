"""Whole columns as one value each.

A row costs the server and the driver about half a microsecond each, whatever it holds.  The
values of a column strung together cost a fraction of that: numbers are an array as they come,
and words need only be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

#: PostgreSQL counts days from 2000-01-01, Arrow from 1970-01-01.
_EPOCH = 10_957
#: No text of PostgreSQL's holds the one, no UTF-8 the other.
_BETWEEN, _UNKNOWN_WORD = b"\x00", b"\xff"


@dataclass(frozen=True)
class _Kind:
    """How the values of a type travel."""

    send: str
    #: Stands for what is not known, as sent.
    unknown: bytes
    arrow: pa.DataType
    #: Of numbers, which travel signed and with the highest byte first.
    dtype: str | None = None
    offset: int = 0


_WORDS = _Kind("textsend", _UNKNOWN_WORD, pa.string())
_KINDS: dict[type[Any], _Kind] = {
    sa.BigInteger: _Kind("int8send", b"\x80" + bytes(7), pa.int64(), "i8"),
    sa.Integer: _Kind("int4send", b"\x80" + bytes(3), pa.int32(), "i4"),
    sa.SmallInteger: _Kind("int2send", b"\x80" + bytes(1), pa.int16(), "i2"),
    sa.Boolean: _Kind("boolsend", b"\x80", pa.bool_(), "i1"),
    sa.Date: _Kind("date_send", b"\x80" + bytes(3), pa.date32(), "i4", _EPOCH),
    sa.Text: _WORDS,
    sa.String: _WORDS,
}

Layout = Sequence[tuple[str, _Kind]]


def layout(columns: Sequence[sa.ColumnElement[Any]]) -> Layout | None:
    """Names and kinds of ``columns``; None if one of them holds neither numbers nor words."""
    kinds = [(column.name, _KINDS.get(type(column.type))) for column in columns]
    known = [(name, kind) for name, kind in kinds if kind is not None]
    return known if len(known) == len(kinds) else None


def packed(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bytes]:
    """The values of a column strung together, in the order in which rows are read."""
    kind = _KINDS[type(column.type)]
    value = getattr(column, "element", column)
    sent = getattr(sa.func, kind.send)(value)
    if getattr(value, "nullable", True):
        sent = sa.func.coalesce(sent, _literal(kind.unknown))
    between = _literal(_BETWEEN if kind is _WORDS else b"")
    return sa.func.string_agg(sent, between).label(column.name)


def unpacked(row: pa.Table, kinds: Layout) -> pa.Table:
    """The one row of packed columns as the rows that it stands for."""
    return pa.table({name: _values(row[name].chunk(0), kind) for name, kind in kinds})


def _literal(value: bytes) -> sa.ColumnElement[bytes]:
    return sa.literal_column(f"'\\x{value.hex()}'::bytea")


def _values(packed: pa.Array, kind: _Kind) -> pa.Array:
    if packed.null_count:
        return pa.array([], kind.arrow)
    if kind.dtype is None:
        return _words(packed)
    values = np.frombuffer(packed[0].as_buffer(), f">{kind.dtype}").astype(kind.dtype)
    unknown = values == np.iinfo(kind.dtype).min
    if kind.offset:
        values += kind.offset
    found = pa.array(values, mask=unknown if unknown.any() else None)
    return found if found.type == kind.arrow else found.cast(kind.arrow)


def _words(packed: pa.Array) -> pa.DictionaryArray:
    words = pc.split_pattern(packed, _BETWEEN).values.dictionary_encode()
    dictionary = words.dictionary.to_pylist()
    if _UNKNOWN_WORD not in dictionary:
        return words.cast(pa.dictionary(pa.int32(), pa.string()))
    place = dictionary.index(_UNKNOWN_WORD)
    numbers = words.indices.to_numpy()
    known = pa.array(numbers - (numbers > place).astype(numbers.dtype), mask=numbers == place)
    dictionary.pop(place)
    return pa.DictionaryArray.from_arrays(known, pa.array(dictionary, pa.binary()).cast("string"))
