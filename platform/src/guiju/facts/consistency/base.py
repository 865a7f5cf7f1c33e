"""What the checks share: the document in both forms, and ways of speaking about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.facts import layout
from guiju.facts.document import FactsDocument
from guiju.facts.faults import Faults, Saying
from guiju.facts.places import Places
from guiju.rules import tables
from guiju.rules.facts import Facts

Array = NDArray[Any]

#: Ids (string arrays) by what they are of: a table with ids, or ``people``.
Known = Mapping[str, pa.Array]


@dataclass(frozen=True)
class Checked:
    """The document being checked, its rows that lack something, and where faults go."""

    document: FactsDocument
    broken: Mapping[str, Collection[int]]
    faults: Faults
    known: Known

    def known_ids(self, target: str) -> pa.Array:
        """Ids of ``target`` that are known from elsewhere."""
        return self.known.get(target, pa.array([], pa.string()))

    @cached_property
    def facts(self) -> Facts:
        """The tables encoded as numbers; references to what is not there are -1."""
        return Facts(self.document.tables)

    def table(self, name: str) -> pa.Table:
        """A table as it was read."""
        return self.document.tables[name]

    def sound(self, name: str) -> Array:
        """Of each row of a table, whether all its values could be read."""
        sound = np.ones(self.table(name).num_rows, dtype=np.bool_)
        sound[list(self.broken.get(name, ()))] = False
        return sound

    def places(self, name: str) -> Places:
        """Where the rows of a table that has any stand."""
        return self.document.places[name]

    def value(self, table: str, column: str, row: int) -> Any:
        """One value as it was read."""
        return self.table(table)[column][row].as_py()

    def report(
        self,
        table: str,
        column: str,
        rows: Sequence[int] | Array,
        say: Callable[[int], Saying],
        code: str,
    ) -> None:
        """Report ``rows`` of ``table``, if there are any."""
        if len(rows):
            listed = rows.tolist() if isinstance(rows, np.ndarray) else rows
            self.faults.cells(self.places(table), table, column, listed, say, code=code)


def heading(table: str, column: str) -> str:
    """The Chinese name of a column."""
    return layout.heading(tables.columns(table)[column])
