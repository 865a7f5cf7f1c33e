"""A facts document, read and found sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from guiju.facts.places import Places


@dataclass(frozen=True)
class FactsDocument:
    """The tables of a facts document.

    ``tables`` has every table of :mod:`guiju.rules.tables` with exactly its columns:
    days as date32, flags as bool, counts as int64, lists as lists of strings, codes and
    everything else as strings; null where nothing is written.  ``places`` tells where the
    rows of the tables stand that the document has.
    """

    tables: Mapping[str, pa.Table]
    places: Mapping[str, Places]

    def filled(self) -> dict[str, pa.Table]:
        """The tables that have rows."""
        return {name: table for name, table in self.tables.items() if table.num_rows}

    def counts(self) -> dict[str, int]:
        """Number of rows by table."""
        return {name: table.num_rows for name, table in self.tables.items()}
