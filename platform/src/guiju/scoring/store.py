"""Keeping findings: only rows that differ from what is stored are written.

A row holds what is said of one organization in one year and place (see
:mod:`guiju.scoring.payload` for its bytes).  The digests of the stored rows are compared
first, so organizations whose findings are as before cost nothing but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.db.models import metadata
from guiju.rules.facts import Facts
from guiju.scoring import bulk, punctuality
from guiju.scoring.hashes import Hashes
from guiju.scoring.opening import OpenItems
from guiju.scoring.places import Slices
from guiju.scoring.sheets import Groups, Sheet

Mask = NDArray[np.bool_]


class LaidOut(Protocol):
    """Rows of a table by group: digests of those that are present, and their columns."""

    digests: Hashes
    present: Mask

    def packed(self, groups: Groups) -> dict[str, pa.Array]:
        """The columns (all but the key) of the rows of ``groups``."""


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
        self._count_late(sheets)
        for name, sheet in sheets.items():
            self._write(name, sheet, written)
        size = len(self._ids) * len(self._slices)
        # What is open changes only with findings, so it changes no totals by itself.
        written.rows += self._write(_ATTENTION, OpenItems(sheets.values(), size), Written()).rows
        return written

    def _count_late(self, sheets: Mapping[str, Sheet]) -> None:
        late = punctuality.late_occasions(self._connection, self._facts)
        if bool(late.any()):
            for counts in sheets["organization_findings"].met_late(late):
                sheets["record_findings"].count_also(counts)

    def _write(self, name: str, laid_out: LaidOut, written: Written) -> Written:
        """Bring one table up to date, and note where."""
        table = metadata.tables[name]
        groups, gone = self._differences(table, laid_out)
        columns = {**self._slices.describe(groups), **laid_out.packed(groups)}
        rows = pa.table({name: columns[name] for name in columns if name in table.c})
        written.rows += bulk.upsert(self._connection, table, rows)
        written.rows += bulk.delete(self._connection, table, gone)
        for changed in (rows, gone):
            years, paths = changed["year"].to_pylist(), changed["path"].to_pylist()
            written.places |= set(zip(years, paths, strict=True))
            written.organizations |= set(changed["organization_id"].to_pylist())
        return written

    def _differences(self, table: sa.Table, laid_out: LaidOut) -> tuple[Groups, pa.Table]:
        """Groups to write, in ascending order, and keys of the rows that go."""
        stored = self._stored(table)
        codes = self._facts.encode("organizations", stored["organization_id"])
        years = stored["year"].to_numpy()
        paths = np.array(stored["path"].to_pylist(), dtype=np.object_)
        groups = self._slices.find(codes, years, paths)
        kept = (groups >= 0) & laid_out.present[groups]
        digests = np.zeros_like(laid_out.digests)
        known = np.zeros_like(laid_out.present)
        digests[groups[kept]] = stored["digest"].to_numpy().view(np.uint64)[kept]
        known[groups[kept]] = True
        changed = laid_out.present & ~(known & (digests == laid_out.digests))
        gone = stored.select(["organization_id", "year", "path"]).filter(pa.array(~kept))
        return np.flatnonzero(changed), gone

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
