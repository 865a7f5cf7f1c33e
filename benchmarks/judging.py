"""Reading and judging the whole province by the whole pack, beside reading alone: (a) and (b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from adbc_driver_postgresql import dbapi as adbc

from benchmarks import loading
from benchmarks.city import AS_OF
from benchmarks.measuring import Report, milliseconds, timed
from guiju.db import ScopedSession
from guiju.db.engine import arrow_connection, beside
from guiju.rules.findings import Findings
from guiju.scoring import judging
from guiju.scoring.judging import Law
from guiju.scoring.profiles import complete_after, enabled_profiles
from guiju.scoring.reader import Snapshot

Judged = list[tuple[str, Findings]]


def law_of(session: ScopedSession) -> Law:
    """What the province is judged by, as the scoring job puts it together."""
    packs = loading.plugin().packs
    law = Law(packs, enabled_profiles(session, packs), AS_OF, complete_after(session))
    session.rollback()
    return law


@dataclass
class Recorder:
    """Stands in for an ADBC connection and notes every statement put to it."""

    connection: adbc.Connection
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def cursor(self) -> _Cursor:
        return _Cursor(self.connection.cursor(), self.statements)


class _Cursor:
    def __init__(self, cursor: adbc.Cursor, statements: list[tuple[str, Any]]) -> None:
        self._cursor = cursor
        self._statements = statements

    def execute(self, statement: str, parameters: Any = None) -> None:
        self._statements.append((statement, parameters))
        self._cursor.execute(statement, parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def fetch(url: str, statements: Sequence[tuple[str, Any]]) -> None:
    """Read what the statements say as Arrow tables, and let go of it."""
    with arrow_connection(url) as connection, connection.cursor() as cursor:
        for statement, parameters in statements:
            cursor.execute(statement, parameters)
            cursor.fetch_arrow_table()


def read_and_judge(
    connection: adbc.Connection, second: adbc.Connection, law: Law
) -> tuple[Snapshot, Judged]:
    """As a scoring of everything does in one piece."""
    snapshot = judging.read(connection, law, None, superiors=True, second=second)
    scope = np.ones(snapshot.facts.count("organizations"), dtype=np.bool_)
    return snapshot, judging.judge(law, snapshot, scope)


def measure(report: Report, url: str, law: Law, times: int) -> float:
    """Floor and judging, turn by turn; returns the seconds that (b) took."""
    with arrow_connection(url) as connection:
        recorder = Recorder(connection)
        judging.read(recorder, law, None, superiors=True)
    floors, reads, alls = [], [], []
    for _ in range(times):
        floors.append(timed(lambda: fetch(url, recorder.statements))[0])
        with arrow_connection(url) as connection, beside(connection) as second:
            seconds, found = timed(lambda c=connection, s=second: read_and_judge(c, s, law))
            alls.append(seconds)
            reads.append(sum(len(one) for _, one in found[1]))
            del found
    floor = report.add("a", "floor: the reader's statements alone", milliseconds(floors))
    whole = report.add(
        "b",
        f"reading and judging, {reads[0]:,} findings",
        milliseconds(alls),
        limit=2 * floor,
        against="2 × (a)",
    )
    return whole / 1000
