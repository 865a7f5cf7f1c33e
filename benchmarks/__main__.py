"""Measure reading, judging and storing a province; prints ratios to what was measured beside.

Everything is measured in one run, so that the ratios hold on any machine.  ``--scale 0.02``
is quick.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import counts, loading
from benchmarks.city import AS_OF
from guiju import embedded, plugins
from guiju.db import ScopedSession, create_engine
from guiju.db.engine import arrow_connection
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.scoring import judging, operations, reader
from guiju.scoring.judging import Law
from guiju.scoring.profiles import enabled_profiles

PACKS = plugins.load().packs


@dataclass
class Report:
    """Figures with what they are compared with."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Time one step, once."""
        began = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - began

    def best_of(self, name: str, work: Callable[[], Any], times: int = 3) -> Any:
        """The median of several runs of ``work``; returns what it last returned."""
        taken, found = [], None
        for _ in range(times):
            began = time.perf_counter()
            found = work()
            taken.append(time.perf_counter() - began)
        self.seconds[name] = median(taken)
        return found

    def line(self, what: str, name: str, limit: float, base: str) -> None:
        """One ratio with its limit."""
        value = self.seconds[name] / self.seconds[base]
        mark = "holds" if value <= limit else "FALLS SHORT"
        print(
            f"{what}: {self.seconds[name] * 1000:,.0f} ms / {self.seconds[base] * 1000:,.0f} ms"
            f" = {value:.2f} (at most {limit}) {mark}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 20,000 branches")
    parser.add_argument("--data-dir", type=Path, default=embedded.default_data_dir() / "bench")
    arguments = parser.parse_args()
    with (
        loading.province(arguments.data_dir, arguments.scale) as (services, place),
        loading.session(services, place) as session,
    ):
        print(", ".join(f"{name} {number:,}" for name, number in place.rows.items() if number))
        report = Report()
        url = loading.application_url(services, place)
        law = Law(PACKS, enabled_profiles(session, PACKS), AS_OF)
        session.rollback()
        _read_and_judge(report, url, law)
        counts.measure(report, url, law)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        _store(report, url, place.tenant_id)
    _print(report, peak)


def _read_and_judge(report: Report, url: str, law: Law) -> None:
    """The floor: the reader's statements alone; then all that a job does before it stores."""

    def floor() -> None:
        with arrow_connection(url) as connection:
            for table, columns in law.columns().items():
                if table != "settings":
                    reader.fetch(connection, table, columns, None)

    def judge() -> int:
        with arrow_connection(url) as connection:
            snapshot = judging.read(connection, law, None)
        scope = np.ones(snapshot.facts.count("organizations"), dtype=np.bool_)
        return sum(len(found) for _, found in judging.judge(law, snapshot, scope))

    report.best_of("floor", floor)
    print(
        f"{report.best_of('judged', judge):,} findings by {len(PACKS['xian'].requirements)} rules"
    )
    with arrow_connection(url) as connection:
        organization = reader.fetch(connection, "organizations", {"id"}, None)["id"][-1].as_py()
        only = np.array([organization], dtype=np.int64)
        snapshot = judging.read(connection, law, only)
    one = np.ones(snapshot.facts.count("organizations"), dtype=np.bool_)
    report.best_of("one branch", lambda: judging.judge(law, snapshot, one), 9)


def _store(report: Report, url: str, tenant_id: int) -> None:
    """Whole scorings: fresh, once more with everything to compare, and with 2 % marked."""
    database = create_engine(url)

    def drain(name: str, *, complete: bool) -> None:
        with report.time(name):
            outcome = operations.drain(
                database, PACKS, tenant_id, AS_OF, reason="benchmark", complete=complete
            )
        print(f"{name}: {outcome}")

    drain("scored fresh", complete=True)
    drain("scored again", complete=True)
    with ScopedSession(database) as session:
        branches = session.query(Organization.id).order_by(Organization.id).all()
        chosen = [number for (number,) in branches[-max(1, len(branches) // 50) :]]
        mark_dirty(session, chosen, "benchmark")
        session.commit()
    drain("scored 2 %", complete=False)
    with ScopedSession(database) as session:
        mark_dirty(session, chosen[-1:], "benchmark")
        session.commit()
    drain("scored one", complete=False)
    database.dispose()


def _print(report: Report, peak: float) -> None:
    report.seconds["stored fresh"] = report.seconds["scored fresh"] - report.seconds["judged"]
    report.seconds["50 ms"] = 0.05
    report.line("(b) reading and judging / reading", "judged", 2, "floor")
    report.line("(c) count rules / SQL", "counted", 1, "sql")
    report.line("(d) judging from counts / OpenFisca", "verdicts", 5, "openfisca")
    report.line("(e) storing everything / (b)", "stored fresh", 1, "judged")
    report.line("(e) judging and storing 2 % / (b)", "scored 2 %", 0.3, "judged")
    report.line("(f) one branch judged / 50 ms", "one branch", 1, "50 ms")
    mark = "holds" if peak <= 2 else "FALLS SHORT"
    print(f"(g) peak memory while judging: {peak:.2f} GiB (at most 2) {mark}")
    print(f"one branch, read, judged and stored: {report.seconds['scored one'] * 1000:,.0f} ms")


if __name__ == "__main__":
    main()
