"""A scoring of everything in a process of its own, to see how much memory it takes: (g).

``python -m benchmarks.peak FOLDER SCALE`` prints seconds and peak bytes as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks import loading
from benchmarks.city import AS_OF
from benchmarks.measuring import Report
from guiju.db import create_engine
from guiju.scoring.operations import drain

_LIMIT = 2 * 1024


def measure(report: Report, url: str, tenant: int) -> None:
    """The job as a worker runs it: read, judge, store, sum up, all of the province."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak", url, str(tenant)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    found = json.loads(done.stdout)
    report.add("g", "scoring everything, the job itself", 1000 * found["seconds"])
    report.add(
        "g", "its peak memory", found["mebibytes"], unit="MiB", limit=_LIMIT, against="2 GiB"
    )


def main(url: str, tenant: int) -> None:
    """Score the tenant and print what it took."""
    engine: sa.Engine = create_engine(url)
    packs = loading.plugin().packs
    began = time.perf_counter()
    drain(engine, packs, tenant, AS_OF, reason="benchmark", complete=True)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "mebibytes": _peak() / 1024}))


def _peak() -> int:
    """The most memory that this program had, in KiB.

    What ``getrusage`` says counts what the program that started this one had, too.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
