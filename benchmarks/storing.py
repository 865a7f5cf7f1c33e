"""Storing findings: into empty tables, with everything changed, with little changed: (e)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.judging import Judged
from benchmarks.measuring import Report, milliseconds, timed
from guiju.db import ScopedSession
from guiju.db.engine import arrow_connection
from guiju.rules.findings import SUBJECT_TABLES, Findings
from guiju.scoring import judging, rollups
from guiju.scoring.judging import Law
from guiju.scoring.numbering import Numbering
from guiju.scoring.reader import Snapshot
from guiju.scoring.store import Written

_TABLES = ("organization_findings", "record_findings", "member_findings", "attention", "rollups")
_SHARE = 0.02


class Storage:
    """Stores findings of a snapshot the way the scoring job does."""

    def __init__(
        self, url: str, superuser: str, session: ScopedSession, law: Law, snapshot: Snapshot
    ) -> None:
        self._url = url
        self._superuser = superuser
        self._law = law
        self._snapshot = snapshot
        self._numbering = Numbering(session)

    def clear(self) -> None:
        """Forget all findings."""
        with psycopg.connect(self._superuser, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {', '.join(_TABLES)}")

    def store(self, judged: Judged, *, complete: bool) -> Written:
        """Findings, what needs attention, and totals; in one transaction."""
        scope = np.ones(self._snapshot.facts.count("organizations"), dtype=np.bool_)
        with arrow_connection(self._url, write=True) as connection:
            written = judging.store(
                connection, self._law, self._numbering, self._snapshot, judged, scope
            )
            rollups.rebuild(connection, None if complete else written.places)
        return written


def measure(
    report: Report, storage: Storage, judged: Judged, organizations: int, limit: float
) -> None:
    """Findings about organizations, then all; ``limit`` are the seconds of (b)."""
    # Rules are given their numbers once in the life of a database.
    storage.store(judged, complete=True)
    for what, some in (("of organizations", _of_organizations(judged)), ("of all kinds", judged)):
        storage.clear()
        size = sum(len(found) for _, found in some)
        fresh, _ = timed(lambda some=some: storage.store(some, complete=True))
        report.add("e", f"storing {size:,} findings {what}, fresh", milliseconds(fresh))
        everywhere = np.ones(organizations, dtype=np.bool_)
        other = _changed(some, everywhere)
        seconds, written = timed(lambda other=other: storage.store(other, complete=True))
        rows = f"{written.rows:,} rows"
        report.add(
            "e",
            f"… everything changed, {rows}",
            milliseconds(seconds),
            limit=1000 * limit,
            against="(b)",
        )
        few = np.random.default_rng(2).random(organizations) < _SHARE
        again = _changed(other, few)
        seconds, written = timed(lambda again=again: storage.store(again, complete=False))
        report.add(
            "e",
            f"… 2 % of organizations changed, {written.rows:,} rows",
            milliseconds(seconds),
            limit=300 * limit,
            against="0.3 × (b)",
        )


def _of_organizations(judged: Judged) -> Judged:
    return [
        (
            profile,
            replace(
                found,
                blocks=[
                    block
                    for block in found.blocks
                    if SUBJECT_TABLES[block.subject_type] == "organizations"
                ],
            ),
        )
        for profile, found in judged
    ]


def _changed(judged: Judged, organizations: NDArray[np.bool_]) -> Judged:
    """The same findings, each of these organizations' having observed one more."""

    def other(found: Findings) -> Findings:
        blocks = [
            replace(block, observed=block.observed + organizations[block.organization])
            for block in found.blocks
        ]
        return replace(found, blocks=blocks)

    return [(profile, other(found)) for profile, found in judged]
