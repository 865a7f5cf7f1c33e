"""Facts as encoded columns: what the checks compute with.

A :class:`Facts` wraps Arrow tables whose columns are those of
:mod:`guiju.rules.tables`.  A column is encoded the first time a check asks for it:
ids become int32 codes (row numbers of the table they point to), days int32 days since
1970-01-01, code lists uint64 masks.  Nothing is copied that nobody reads.

Two kinds of source are accepted.  Facts documents bring strings.  A database
brings integers: int64 ids, int64 masks whose bit order is given in ``bits``, and
counts that were derived when the occasion was written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from guiju.rules import tables
from guiju.rules.arrays import among
from guiju.rules.periods import NULL_DAY
from guiju.rules.problems import BadInput, Problem
from guiju.rules.spells import Posts, Roster

Array = NDArray[Any]
Codes = NDArray[np.int32]

#: Tables whose rows other tables refer to by id.
_KEYED = ("organizations", "occasions", "talks", "rectifications", "reports", "inspections")
#: Columns a database adds to those of :mod:`guiju.rules.tables`, with their kinds.
_EXTRA: dict[str, dict[str, str]] = {"occasions": {"document_mask": "codes"}}


class Rows:
    """One facts table: ``rows[column]`` is the encoded column, one entry a row.

    Missing columns and missing tables are columns of unknowns.
    """

    def __init__(self, name: str, facts: Facts, table: pa.Table | None) -> None:
        self.name = name
        self._facts = facts
        self._table = table
        self._encoded: dict[str, Array] = {}
        self._brought = frozenset(() if table is None else table.column_names)
        self.fields = tables.columns(name)

    def __len__(self) -> int:
        return 0 if self._table is None else int(self._table.num_rows)

    def __getitem__(self, column: str) -> Array:
        found = self._encoded.get(column)
        if found is None:
            found = self._encoded[column] = self._encode(column)
        return found

    def has(self, column: str) -> bool:
        """Whether the source brought the column at all."""
        return column in self._brought

    def stated(self, column: str) -> Array:
        """Which cells hold anything, be it known here or not."""
        if not self.has(column):
            return np.zeros(len(self), dtype=np.bool_)
        return _combined(self._source(column)).is_valid().to_numpy(zero_copy_only=False)

    def strings(self, column: str) -> list[str | None]:
        """The column as the author wrote it."""
        if not self.has(column):
            return [None] * len(self)
        return [None if v is None else str(v) for v in self._source(column).to_pylist()]

    def words(self, column: str) -> list[str | None]:
        """What the codes of a text or period column stand for, in their order."""
        if not self.has(column):
            return []
        cells = _combined(self._source(column))
        cells = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        return list(cells.dictionary.to_pylist())

    def text(self, column: str, row: int) -> str | None:
        """One cell as the author wrote it."""
        if not self.has(column):
            return None
        found = self._source(column)[int(row)].as_py()
        return None if found is None else str(found)

    def is_text(self, column: str, values: Sequence[str]) -> Array:
        """Which cells hold one of ``values``."""
        if not self.has(column):
            return np.zeros(len(self), dtype=np.bool_)
        wanted = [code for code, word in enumerate(self.words(column)) if word in values]
        return among(self[column], wanted)

    def codes_in(self, column: str, other: Rows, theirs: str) -> Array:
        """Each text cell in the numbering of ``other[theirs]``; -1 where that has no such text."""
        if not (self.has(column) and other.has(theirs)):
            return np.full(len(self), -1, dtype=np.int32)
        known = _combined(other._source(theirs))
        known = known if pa.types.is_dictionary(known.type) else known.dictionary_encode()
        cells = _combined(self._source(column)).cast(pa.string())
        wanted = known.dictionary.cast(pa.string())
        return _numbers(pc.index_in(cells, value_set=wanted), -1, np.int32)

    def lists(self, column: str) -> tuple[NDArray[np.int64], Codes]:
        """A ``refs`` column as offsets (rows + 1) and codes, -1 where the target is unknown."""
        if not self.has(column):
            return np.zeros(len(self) + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
        chunk = _combined(self._source(column))
        # Nothing comes of a null when lists are flattened.
        lengths = _numbers(pc.list_value_length(chunk), 0, np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        target = str(self.fields[column].metadata["target"])
        return offsets.astype(np.int64), self._facts.encode(target, pc.list_flatten(chunk))

    def _source(self, column: str) -> pa.ChunkedArray:
        assert self._table is not None
        return self._table[column]

    def _encode(self, column: str) -> Array:
        if column in self.fields:
            metadata = self.fields[column].metadata
            kind = str(metadata["kind"])
        else:
            metadata, kind = {}, _EXTRA[self.name][column]
        # A table without rows has nothing to encode, whatever columns it came with.
        if not len(self) or not self.has(column):
            return _unknown(kind, len(self))
        if kind == "key":
            return np.arange(len(self), dtype=np.int32)
        source = _combined(self._source(column))
        if kind == "ref":
            return self._facts.encode(str(metadata["target"]), source)
        if kind == "codes":
            vocabulary = metadata["vocabulary"].name if metadata else "document_kind"
            return self._facts.encode_masks(vocabulary, source)
        if kind == "code":
            return self._facts.encode_codes(metadata["vocabulary"].name, source)
        if kind in {"text", "period"}:
            dictionary = pa.types.is_dictionary(source.type)
            source = (source if dictionary else source.dictionary_encode()).indices
        missing, dtype = _PLAIN[kind]
        return _numbers(source, missing, dtype)


#: Missing value and numpy type of the plain kinds of column.
_PLAIN: dict[str, tuple[int, Any]] = {
    "day": (NULL_DAY, np.int32),
    "flag": (-1, np.int8),
    "count": (-1, np.int32),
    "text": (-1, np.int32),
    "period": (-1, np.int32),
}


def _combined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column


def _numbers(column: pa.Array, missing: int, dtype: Any) -> Array:
    """Whole numbers, days or flags, ``missing`` for nulls.

    Straight from the column's memory: of one organization's few rows, Arrow's own functions
    cost many times what there is to do.
    """
    if not len(column):
        return np.zeros(0, dtype=dtype)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind)):
        column = column.cast(pa.int64())
        kind = column.type
    valid, data = column.buffers()
    start, stop = column.offset, column.offset + len(column)
    if pa.types.is_boolean(kind):
        values = _bits(data, start, stop)
    else:
        sign = "u" if pa.types.is_unsigned_integer(kind) else "i"
        stored = np.dtype(f"{sign}{kind.bit_width // 8}")
        values = np.frombuffer(data, dtype=stored, count=stop)[start:]
    if not column.null_count:
        return values.astype(dtype, copy=False)
    found: Array = values.astype(dtype)
    found[_bits(valid, start, stop) == 0] = missing
    return found


def _bits(packed: pa.Buffer, start: int, stop: int) -> NDArray[np.uint8]:
    """Bits of a buffer as numbers, one by one."""
    octets = np.frombuffer(packed, dtype=np.uint8, count=(stop + 7) // 8)
    return np.unpackbits(octets, count=stop, bitorder="little")[start:]


def _distinct(columns: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The integers of all columns, once each and ascending."""
    filled = [column for column in columns if len(column)]
    if not filled:
        return np.zeros(0, dtype=np.int64)
    low = min(int(column.min()) for column in filled)
    high = max(int(column.max()) for column in filled)
    if high - low > 64 * sum(len(column) for column in filled):
        return np.unique(np.concatenate([np.unique(column) for column in filled]))
    # Ids of a database are dense enough, so ticking them off beats sorting them.
    there = np.zeros(high - low + 1, dtype=np.bool_)
    for column in filled:
        there[column - low] = True
    return np.flatnonzero(there) + low


#: How many ids are looked up at a time.
_PIECE = 1 << 17


class _Positions:
    """Where each integer id stands: a table where ids are dense, a search where they are not."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._low = int(ids.min()) if len(ids) else 0
        span = (int(ids.max()) - self._low + 1) if len(ids) else 0
        self._table: Codes | None = None
        if span <= 8 * len(ids) + 1024:
            # The last entry answers for everything that is not there.
            self._table = np.full(span + 1, -1, dtype=np.int32)
            self._table[ids - self._low] = np.arange(len(ids), dtype=np.int32)
            self._in_order = bool((self._table[:-1] == np.arange(span)).all())
        else:
            self._order = np.argsort(ids).astype(np.int32)
            self._sorted = ids[self._order]

    def find(self, wanted: NDArray[np.integer[Any]]) -> Codes:
        """Positions of ids; -1 for those that are not there."""
        found = np.empty(len(wanted), dtype=np.int32)
        # Piece by piece: what lies in between then stays in the processor's memory.
        for start in range(0, len(wanted), _PIECE):
            piece = wanted[start : start + _PIECE].astype(np.int64, copy=False)
            found[start : start + _PIECE] = self._find(piece)
        return found

    def _find(self, wanted: NDArray[np.int64]) -> Codes:
        if self._table is not None:
            places = wanted - self._low
            last = len(self._table) - 1
            if len(places) and places.min() >= 0 and places.max() < last:
                # Nothing is missing, so nothing has to be told apart.
                return places.astype(np.int32) if self._in_order else self._table[places]
            return self._table[np.where((places < 0) | (places > last), last, places)]
        places = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return np.where(self._sorted[places] == wanted, self._order[places], -1).astype(np.int32)


def _unknown(kind: str, rows: int) -> Array:
    if kind == "day":
        return np.full(rows, NULL_DAY, dtype=np.int32)
    if kind == "codes":
        return np.zeros(rows, dtype=np.uint64)
    if kind == "flag":
        return np.full(rows, -1, dtype=np.int8)
    if kind == "code":
        return np.full(rows, -1, dtype=np.int16)
    return np.full(rows, -1, dtype=np.int32)


class Facts:
    """All facts about one set of organizations.

    ``source`` maps table names to Arrow tables; ``bits`` gives, by vocabulary name, the
    codes in bit order where the source brings masks (or small integers) instead of
    strings.
    """

    def __init__(
        self,
        source: Mapping[str, pa.Table],
        *,
        bits: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        unknown = sorted(set(source) - set(tables.TABLES))
        if unknown:
            raise BadInput(
                Problem(name, "没有这张表", "表名应为 " + "、".join(tables.TABLES))
                for name in unknown
            )
        self._source = dict(source)
        self._rows: dict[str, Rows] = {}
        self._codes: dict[str, list[str]] = {k: list(v) for k, v in (bits or {}).items()}
        self._positions: dict[str, dict[str, int]] = {}
        self._values: dict[str, pa.Array] = {}
        self._dense: dict[str, _Positions] = {}

    def __getitem__(self, table: str) -> Rows:
        rows = self._rows.get(table)
        if rows is None:
            rows = self._rows[table] = Rows(table, self, self._source.get(table))
        return rows

    def release(self, keep: Collection[str]) -> None:
        """Forget all tables but these: their columns are as if nobody had brought them."""
        self.ids("people")
        for table in set(self._source) - set(keep):
            self._rows.pop(table, None)
            del self._source[table]
        for derived in ("roster", "posts"):
            self.__dict__.pop(derived, None)

    # -- ids -----------------------------------------------------------------

    def ids(self, target: str) -> pa.Array:
        """The external ids of ``target`` in code order."""
        found = self._values.get(target)
        if found is None:
            found = self._values[target] = self._collect(target)
        return found

    def external(self, target: str, code: int) -> str:
        """The author's id behind a code."""
        return str(self.ids(target)[int(code)].as_py())

    def record_id(self, table: str, row: int) -> str:
        """The id by which people know a record; tables without ids use table and row."""
        if table in (*_KEYED, "people"):
            return self.external(table, row)
        number = self.numbers(table)[row] if self[table].has("row_number") else row + 1
        return f"{table}#{number}"

    def case_of(self, row: int) -> str:
        """The case that a paper (a row of ``documents``) belongs to, as the source calls it.

        That is the author's name of it, or the database's number of the paper.
        """
        if self["documents"].has("row_number"):
            return str(int(self.numbers("documents")[row]))
        return self["documents"].text("case", row) or self.record_id("documents", row)

    def first_of(self, table: str, rows: Sequence[int]) -> int:
        """The one of ``rows`` that was written first, wherever the source has put it."""
        if not self[table].has("row_number"):
            return min(rows)
        numbers = self.numbers(table)
        return min(rows, key=lambda row: int(numbers[row]))

    def numbers(self, target: str) -> NDArray[np.int64]:
        """The database's numbers of the rows (or people) of ``target``, in code order.

        Tables without ids of their own bring them as the column ``row_number``.
        """
        table = self._source.get(target)
        if table is not None and "row_number" in table.column_names:
            return _numbers(_combined(table["row_number"]), -1, np.int64)
        return _numbers(self.ids(target).cast(pa.int64()), -1, np.int64)

    def count(self, target: str) -> int:
        """How many rows (or people) ``target`` has."""
        return len(self.ids(target))

    def _collect(self, target: str) -> pa.Array:
        if target == "people":
            return self._people()
        table = self._source.get(target)
        if table is None or target not in _KEYED:
            return pa.array([], type=pa.string())
        return _combined(table["id"])

    def _people(self) -> pa.Array:
        found: list[pa.Array] = []
        for name, table in self._source.items():
            for column, field in tables.columns(name).items():
                if field.metadata.get("target") == "people" and column in table.column_names:
                    found.append(_combined(table[column]))
        if not found:
            return pa.array([], type=pa.string())
        if all(pa.types.is_integer(column.type) for column in found):
            return pa.array(_distinct([column.drop_null().to_numpy() for column in found]))
        # Roster and posts first, so that the bulky attendance column is only probed.
        return pc.unique(pa.chunked_array(found)).drop_null()

    def encode(self, target: str, column: pa.Array | pa.ChunkedArray) -> Codes:
        """Codes of ids of ``target``; -1 for null and for ids that do not exist."""
        column = _combined(column)
        values = self.ids(target)
        if pa.types.is_integer(column.type) and pa.types.is_integer(values.type):
            return self._encode_integers(target, column)
        if len(values) == 0:
            return np.full(len(column), -1, dtype=np.int32)
        # A row without an id (which validation refuses) is not what an empty reference means.
        found = pc.index_in(column, value_set=values.cast(column.type), skip_nulls=True)
        return _numbers(found, -1, np.int32)

    def _encode_integers(self, target: str, column: pa.Array) -> Codes:
        """Database ids are dense, so a table of positions beats hashing."""
        dense = self._dense.get(target)
        if dense is None:
            dense = self._dense[target] = _Positions(_numbers(self.ids(target), -1, np.int64))
        return dense.find(_numbers(column, -1, np.int64))

    def text_codes(self, *columns: tuple[str, str]) -> list[Codes]:
        """Text columns of (table, column) in one numbering, so that they can be compared."""
        arrays = [pa.array(self[table].strings(column), pa.string()) for table, column in columns]
        values = pc.unique(pa.chunked_array(arrays, pa.string())).drop_null()
        return [_numbers(pc.index_in(array, value_set=values), -1, np.int32) for array in arrays]

    # -- codes ---------------------------------------------------------------

    def codes(self, vocabulary: str) -> list[str]:
        """Codes of ``vocabulary`` in position (and bit) order; grows as new ones are met."""
        found = self._codes.get(vocabulary)
        if found is None:
            known = VOCABULARIES[vocabulary]
            found = self._codes[vocabulary] = list(known)
        return found

    def position(self, vocabulary: str, code: str) -> int:
        """Position of ``code``; added at the end if it is new."""
        places = self._positions.get(vocabulary)
        if places is None:
            known = enumerate(self.codes(vocabulary))
            places = self._positions[vocabulary] = {code: place for place, code in known}
        place = places.get(code)
        if place is None:
            place = places[code] = len(places)
            self.codes(vocabulary).append(code)
        return place

    def mask(self, vocabulary: str, codes: Sequence[str]) -> np.uint64:
        """The bit mask of several codes."""
        bits = 0
        for code in codes:
            bits |= 1 << self.position(vocabulary, code)
        return np.uint64(bits)

    def unmask(self, vocabulary: str, mask: int) -> list[str]:
        """The codes whose bits are set."""
        known = self.codes(vocabulary)
        return [known[bit] for bit in range(len(known)) if int(mask) >> bit & 1]

    def encode_codes(self, vocabulary: str, column: pa.Array) -> NDArray[np.int16]:
        if pa.types.is_integer(column.type):
            return _numbers(column, -1, np.int16)
        encoded = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
        lookup = np.array(
            [self.position(vocabulary, code) for code in encoded.dictionary.to_pylist()] + [-1],
            dtype=np.int16,
        )
        indices = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
        return lookup[indices.to_numpy(zero_copy_only=False)]

    def encode_masks(self, vocabulary: str, column: pa.Array) -> NDArray[np.uint64]:
        if pa.types.is_integer(column.type):
            return _numbers(column, 0, np.int64).view(np.uint64)
        column = pc.fill_null(column, pa.scalar([], type=column.type))
        lengths = np.asarray(pc.list_value_length(column))
        positions = self.encode_codes(vocabulary, pc.list_flatten(column)).astype(np.uint64)
        bits = np.left_shift(np.uint64(1), positions)
        masks = np.zeros(len(column), dtype=np.uint64)
        np.bitwise_or.at(masks, np.repeat(np.arange(len(column)), lengths), bits)
        return masks

    # -- organizations ---------------------------------------------------------

    @cached_property
    def sectors(self) -> NDArray[np.int16]:
        """Sector of each organization; where it states none, its superior's; -1 unknown."""
        found: NDArray[np.int16] = self["organizations"]["sector"].copy()
        parent = self["organizations"]["parent"]
        while True:
            missing = (found < 0) & (parent >= 0)
            inherited = np.where(missing, found[parent], found)
            if np.array_equal(inherited, found):
                return found
            found = inherited

    # -- people ----------------------------------------------------------------

    @cached_property
    def roster(self) -> Roster:
        """Membership by day."""
        return Roster(self["members"], self.codes("member_class"))

    @cached_property
    def posts(self) -> Posts:
        """Posts by day."""
        return Posts(self["posts"], self.codes("post"))


VOCABULARIES = {
    field.metadata["vocabulary"].name: field.metadata["vocabulary"]
    for name in tables.TABLES
    for field in tables.columns(name).values()
    if "vocabulary" in field.metadata
}
