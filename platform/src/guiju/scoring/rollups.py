"""Totals of each organization with all that is below it: by rule, period and verdict.

They are the sums of what is stored, taken from the bottom up, so they cannot drift from it.
A place in the tree is a path; who was below whom follows from the paths of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.db.models import metadata
from guiju.scoring import bulk
from guiju.scoring.numbering import LAST_RULE
from guiju.scoring.payload import COUNT, LATE, NO_PERIOD, SECTION
from guiju.scoring.sheets import counts_bytes, row_sums

#: A place: a year and a path.
Place = tuple[int, str]

#: Where findings are counted; members' are counted with those about records.
_TABLES = ("organization_findings", "record_findings")
_ROLLUPS = "rollups"
#: Verdicts, and what was recorded late.
_KINDS = LATE + 1
_CELLS = (LAST_RULE + 1) * 16 * _KINDS


def rebuild(connection: adbc.Connection, places: Collection[Place] | None) -> int:
    """Sum up again: everything, or what lies above ``places``; returns how many rows changed."""
    nodes = None if places is None else _above(places)
    if nodes is not None and not nodes:
        return 0
    sums = _Sums()
    summed: set[Place] = set()
    if nodes is not None:
        # What is not to be summed up again counts with the sum that there is.
        below = _rows(connection, metadata.tables[_ROLLUPS], nodes)
        below = _kept(below, lambda place: place not in nodes and _superior(place) in nodes)
        sums.add(below)
        summed = set(_places(below))
    for name in _TABLES:
        rows = _rows(connection, metadata.tables[name], nodes)
        if nodes is not None:
            rows = _kept(
                rows,
                lambda place: place in nodes or (_superior(place) in nodes and place not in summed),
            )
        sums.add(rows)
    return _write(connection, sums.rows(nodes), nodes)


def _above(places: Collection[Place]) -> set[Place]:
    """The places themselves and everything above them."""
    found: set[Place] = set()
    for year, path in places:
        place = year, path
        while place[1] != "/" and place not in found:
            found.add(place)
            place = year, parent(place[1])
    return found


def parent(path: str) -> str:
    """The path of the superior; ``/`` above the top."""
    return path[: path.rindex("/", 0, -1) + 1]


def _superior(place: Place) -> Place:
    return place[0], parent(place[1])


def _kept(rows: pa.Table, wanted: Callable[[Place], bool]) -> pa.Table:
    return rows.filter(pa.array([wanted(place) for place in _places(rows)], pa.bool_()))


def _number_of(path: str) -> int:
    """The number of the organization at the end of a path."""
    return int(path.rsplit("/", 2)[-2])


def _superior_number(path: str) -> int | None:
    above = parent(path)
    return None if above == "/" else _number_of(above)


def _rows(connection: adbc.Connection, table: sa.Table, nodes: set[Place] | None) -> pa.Table:
    """Rows that count for ``nodes``: their own, and those directly below."""
    names = ["year", "path", "totals"]
    names += ["counts"] if "counts" in table.c else ["sections", "verdicts"]
    select = sa.select(*(table.c[name] for name in names)).where(table.c.tenant_id == bulk.tenant())
    if nodes is None:
        return bulk.query(connection, select).combine_chunks()
    ids = sorted({_number_of(path) for _, path in nodes})
    wanted: Any = sa.literal_column("ANY ($1::bigint[])")
    years: Any = sa.literal_column("ANY ($2::smallint[])")
    select = select.where(
        sa.or_(table.c.organization_id == wanted, table.c.superior_id == wanted),
        table.c.year == years,
    )
    return bulk.query(connection, select, ids, sorted({year for year, _ in nodes})).combine_chunks()


def _places(rows: pa.Table) -> list[Place]:
    return list(zip(rows["year"].to_pylist(), rows["path"].to_pylist(), strict=True))


class _Sums:
    """Counts by cell (rule, period, verdict) of the places that have something below them."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._row: list[NDArray[np.int64]] = []
        self._cell: list[NDArray[np.int64]] = []
        self._count: list[NDArray[np.int64]] = []

    def add(self, rows: pa.Table) -> None:
        """Count rows of findings, or rollups of places that stay as they are."""
        if "counts" in rows.column_names:
            row, records = _joined(rows["counts"], COUNT)
            cell = (records["rule"].astype(np.int64) * 16 + records["place"]) * _KINDS
            cell += records["verdict"]
            count = records["number"].astype(np.int64)
        else:
            row, cell = _cells(rows)
            count = np.ones(len(cell), dtype=np.int64)
        self._row.append(row + len(self._places))
        self._cell.append(cell)
        self._count.append(count)
        self._places += _places(rows)

    def rows(self, nodes: set[Place] | None) -> pa.Table:
        """Rows of ``rollups`` for the places (``nodes``, or all) with something below them."""
        superior = {place: _superior(place) for place in self._places}
        inner: set[Place] = set()
        for found in superior.values():
            place = found
            while place[1] != "/" and place not in inner:
                inner.add(place)
                place = _superior(place)
        # Superiors first: their paths are the beginnings of the others.
        order = sorted(inner)
        number = {place: at for at, place in enumerate(order)}
        # What has nothing below it counts with its superior; the top alone has no superior.
        target = np.array(
            [number.get(place, number.get(superior[place], -1)) for place in self._places],
            dtype=np.int64,
        )
        sums, cells = self._summed(target, len(order))
        for at in range(len(order) - 1, -1, -1):
            above = number.get(_superior(order[at]))
            if above is not None:
                sums[above] += sums[at]
        wanted = [at for at, place in enumerate(order) if nodes is None or place in nodes]
        return _packed([order[at] for at in wanted], sums[wanted], cells)

    def _summed(
        self, target: NDArray[np.int64], size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sums by place and by column, and the cell of each column."""
        cell = np.concatenate(self._cell)
        # A table of all cells there can be is quicker than sorting millions of them.
        column = np.zeros(_CELLS, dtype=np.int32)
        column[cell] = 1
        cells = np.flatnonzero(column)
        column[cells] = np.arange(len(cells))
        row = target[np.concatenate(self._row)]
        keep = row >= 0
        sums = np.zeros((size, len(cells)), dtype=np.int64)
        np.add.at(sums, (row[keep], column[cell[keep]]), np.concatenate(self._count)[keep])
        return sums, cells


def _joined(column: pa.ChunkedArray, dtype: np.dtype[Any]) -> tuple[NDArray[np.int64], Any]:
    """The records in all byte strings of a column, and the row of each."""
    strings = column.combine_chunks()
    strings = strings.chunk(0) if isinstance(strings, pa.ChunkedArray) else strings
    offsets = np.frombuffer(strings.buffers()[1], dtype=np.int32)[
        strings.offset : strings.offset + len(strings) + 1
    ]
    data = strings.buffers()[2]
    found = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    records = found[offsets[0] : offsets[-1]].view(dtype)
    return np.repeat(np.arange(len(strings)), np.diff(offsets) // dtype.itemsize), records


def _cells(rows: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and cell of every finding about an organization."""
    _, sections = _joined(rows["sections"], SECTION)
    row, verdicts = _joined(rows["verdicts"], np.dtype(np.uint8))
    length = (sections["run"] & 15).astype(np.int64)
    first = sections["run"] >> 4
    nth = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    place = np.repeat(first, length) + np.where(np.repeat(first, length) == NO_PERIOD, 0, nth)
    cell = np.repeat(sections["rule"].astype(np.int64), length) * 16 + place
    return row, cell * _KINDS + verdicts


def _packed(places: list[Place], sums: NDArray[np.int64], cells: NDArray[np.int64]) -> pa.Table:
    row, column = np.nonzero(sums)
    records = np.empty(len(row), dtype=COUNT)
    rest, records["verdict"] = np.divmod(cells[column], _KINDS)
    records["rule"], records["place"] = np.divmod(rest, 16)
    records["number"] = sums[row, column]
    totals, late = row_sums(row, records, len(places))
    paths = [path for _, path in places]
    return pa.table(
        {
            "organization_id": pa.array(
                [int(path.rsplit("/", 2)[-2]) for path in paths], pa.int64()
            ),
            "year": pa.array([year for year, _ in places], pa.int16()),
            "path": pa.array(paths, pa.string()),
            "superior_id": pa.array([_superior_number(path) for path in paths], pa.int64()),
            "totals": totals,
            "late": late,
            "counts": counts_bytes(row, records, len(places)),
        }
    )


def _write(connection: adbc.Connection, rows: pa.Table, nodes: set[Place] | None) -> int:
    table = metadata.tables[_ROLLUPS]
    keys = ["organization_id", "year", "path"]
    select = sa.select(*(table.c[name] for name in keys)).where(table.c.tenant_id == bulk.tenant())
    if nodes is None:
        stored = bulk.query(connection, select)
    else:
        wanted: Any = sa.literal_column("ANY ($1::bigint[])")
        ids = sorted({_number_of(path) for _, path in nodes})
        stored = bulk.query(connection, select.where(table.c.organization_id == wanted), ids)
        here = [place in nodes for place in _places(stored)]
        stored = stored.filter(pa.array(here, pa.bool_()))
    gone = stored.join(rows.select(keys), keys, join_type="left anti")
    written = bulk.upsert(connection, table, rows, compare=["counts"])
    return written + bulk.delete(connection, table, gone)
