"""Keeping findings: only rows that differ from what is stored are written.

A row holds what is said of one organization in one year and place (see
:mod:`guiju.scoring.payload` for its bytes).  The digests of the stored rows are compared
first, so organizations whose findings are as before cost nothing but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.db.models import metadata
from guiju.rules import periods
from guiju.rules.facts import Facts
from guiju.rules.periods import NULL_DAY
from guiju.scoring import bulk
from guiju.scoring.models import NOT_DUE
from guiju.scoring.places import Slices
from guiju.scoring.sheets import OPEN, Groups, Sheet

Mask = NDArray[np.bool_]

_ATTENTION = "attention"


@dataclass
class Written:
    """What storing changed."""

    #: Codes of organizations with a row that is new, other than before or gone.
    organizations: set[int] = field(default_factory=set)
    #: Number and path of the organizations, by year, whose totals are others now.
    places: set[tuple[int, str]] = field(default_factory=set)
    rows: int = 0


class Store:
    """Writes sheets inside the transaction of an ADBC connection."""

    def __init__(
        self, connection: adbc.Connection, facts: Facts, slices: Slices, scope: Mask
    ) -> None:
        """``scope`` are the organizations (by code) whose findings the sheets hold completely."""
        self._connection = connection
        self._slices = slices
        self._facts = facts
        self._scope = scope
        self._ids = facts.numbers("organizations")

    def write(self, sheets: Mapping[str, Sheet]) -> Written:
        """Replace what is stored about the organizations in scope."""
        written = Written()
        touched = np.zeros(self._ids.size * len(self._slices), dtype=np.bool_)
        gone: list[pa.Table] = []
        for name, sheet in sheets.items():
            table = metadata.tables[name]
            groups, emptied, missing = self._differences(table, sheet)
            rows = pa.table({**self._keys(groups), **sheet.packed(groups)})
            written.rows += bulk.upsert(self._connection, table, rows)
            written.rows += bulk.delete(self._connection, table, missing)
            touched[groups] = touched[emptied] = True
            gone.append(missing)
        self._note(written, np.flatnonzero(touched), pa.concat_tables(gone))
        self._attend(sheets, np.flatnonzero(touched), pa.concat_tables(gone))
        return written

    def _differences(self, table: sa.Table, sheet: Sheet) -> tuple[Groups, Groups, pa.Table]:
        """Groups to write, groups whose row goes, and keys of all rows that go."""
        stored = self._stored(table)
        codes = self._facts.encode("organizations", stored["organization_id"])
        years = stored["year"].to_numpy()
        groups = self._slices.find(codes, years, np.array(stored["path"].to_pylist(), dtype=object))
        kept = (groups >= 0) & sheet.present[groups]
        digests = np.zeros(len(sheet.present), dtype=np.uint64)
        known = np.zeros(len(sheet.present), dtype=np.bool_)
        digests[groups[kept]] = stored["digest"].to_numpy().view(np.uint64)[kept]
        known[groups[kept]] = True
        changed = sheet.present & ~(known & (digests == sheet.digests))
        missing = stored.select(["organization_id", "year", "path"]).filter(pa.array(~kept))
        return np.flatnonzero(changed), groups[~kept & (groups >= 0)], missing

    def _stored(self, table: sa.Table) -> pa.Table:
        """Keys and digests of the rows about the organizations in scope."""
        names = ("organization_id", "year", "path", "digest")
        select = sa.select(*(table.c[name] for name in names)).where(
            table.c.tenant_id == bulk.tenant()
        )
        if bool(self._scope.all()):
            found = bulk.query(self._connection, select)
        else:
            wanted: Any = sa.literal_column("ANY ($1::bigint[])")
            select = select.where(table.c.organization_id == wanted)
            found = bulk.query(self._connection, select, self._ids[self._scope].tolist())
        return found.combine_chunks()

    def _keys(self, groups: Groups) -> dict[str, pa.Array]:
        ids, years, paths = self._slices.describe(groups)
        return {
            "organization_id": pa.array(ids),
            "year": pa.array(years),
            "path": pa.array(paths, pa.string()),
            "superior_id": superiors(paths),
        }

    def _note(self, written: Written, touched: Groups, gone: pa.Table) -> None:
        ids, years, paths = self._slices.describe(touched)
        written.places = set(zip(years.tolist(), paths, strict=True))
        written.places |= set(zip(gone["year"].to_pylist(), gone["path"].to_pylist(), strict=True))
        written.organizations = set(ids.tolist()) | set(gone["organization_id"].to_pylist())

    # -- attention ----------------------------------------------------------------

    def _attend(self, sheets: Mapping[str, Sheet], touched: Groups, gone: pa.Table) -> None:
        table = metadata.tables[_ATTENTION]
        keys = ["organization_id", "year", "path"]
        rows = self._open(sheets, touched)
        stored = self._stored_attention(table, touched, gone)
        bulk.upsert(self._connection, table, rows, compare=["cells"])
        left = [*keys, "verdict", "due"]
        stale = stored.join(rows.select(left), left, join_type="left anti")
        bulk.delete(self._connection, table, stale)

    def _open(self, sheets: Mapping[str, Sheet], groups: Groups) -> pa.Table:
        """Rows of ``attention`` for ``groups``."""
        parts = [part for sheet in sheets.values() for part in sheet.attention(groups)]
        row = np.concatenate([np.zeros(0, dtype=np.int64), *(row for row, _ in parts)])
        said = np.concatenate([np.zeros(0, dtype=OPEN), *(said for _, said in parts)])
        no_day = periods.day(NOT_DUE)
        due = np.where(said["due"] == NULL_DAY, no_day, np.maximum(said["due"], 0)).astype(np.int64)
        # Row, verdict and day (3 and 22 bits) above, the cell (20 bits) below: one sort does it.
        key = ((row * 8 + said["verdict"]) << 42) | (due << 20) | said["cell"]
        key = np.unique(key)
        head, cell = key >> 20, (key & 0xFFFFF).astype(np.int32)
        begins = np.flatnonzero(np.concatenate([[True], head[1:] != head[:-1]]))[: len(key)]
        rest, due = head[begins] >> 22, head[begins] & 0x3FFFFF
        starts = np.append(begins, len(key)).astype(np.int32)
        columns = self._keys(groups[rest >> 3])
        del columns["superior_id"]
        return pa.table(
            {
                **columns,
                "verdict": pa.array((rest & 7).astype(np.int16)),
                "due": pa.array(due.astype(np.int32)).cast(pa.date32()),
                "cells": pa.ListArray.from_arrays(pa.array(starts), pa.array(cell)),
            }
        )

    def _stored_attention(self, table: sa.Table, touched: Groups, gone: pa.Table) -> pa.Table:
        """Keys of the rows about what was touched or is gone."""
        names = ("organization_id", "year", "path", "verdict", "due")
        select = sa.select(*(table.c[name] for name in names)).where(
            table.c.tenant_id == bulk.tenant()
        )
        ids, years, paths = self._slices.describe(touched)
        there = pa.table(
            {
                "organization_id": pa.array(ids),
                "year": pa.array(years),
                "path": pa.array(paths, pa.string()),
            }
        )
        there = pa.concat_tables([there, gone])
        wanted: Any = sa.literal_column("ANY ($1::bigint[])")
        organizations = pc.unique(there["organization_id"]).to_pylist()
        found = bulk.query(
            self._connection, select.where(table.c.organization_id == wanted), organizations
        )
        keys = ["organization_id", "year", "path"]
        return found.join(there.group_by(keys).aggregate([]), keys, join_type="left semi")


def superiors(paths: list[str]) -> pa.Array:
    """The last but one organization of each path; null at the top."""
    found = [path.rsplit("/", 3)[-3] for path in paths]
    return pa.array([int(above) if above else None for above in found], pa.int64())
