"""Stopwatches, and the table of what was measured against what was wanted."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that ``work`` took, and what it gave."""
    gc.collect()
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def typical(work: Callable[[], Any], times: int) -> float:
    """The median of so many runs, after one that warms caches up."""
    work()
    return median(timed(work)[0] for _ in range(times))


@dataclass(frozen=True)
class Line:
    """One line of the report; with a ``limit``, ``value`` should not be above it."""

    item: str
    what: str
    value: float
    unit: str = "ms"
    limit: float | None = None
    #: What the limit is made of, e.g. ``2 × floor``.
    against: str = ""

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return "holds" if self.value <= self.limit else "FALLS SHORT"


@dataclass
class Report:
    """Lines as they are measured, printed at once and as a table in the end."""

    lines: list[Line] = field(default_factory=list)

    def add(self, item: str, what: str, value: float, **details: Any) -> float:
        """Note a line; returns its value."""
        line = Line(item, what, value, **details)
        self.lines.append(line)
        print(f"  {_columns(line)}", flush=True)
        return value

    def table(self) -> str:
        """All lines, ratios in the last columns."""
        return "\n".join(_columns(line) for line in self.lines)


def _columns(line: Line) -> str:
    value = f"{line.value:,.0f}" if line.value >= 100 else f"{line.value:,.1f}"
    text = f"({line.item}) {line.what:<58}{value:>10} {line.unit:<4}"
    if line.limit is None:
        return text
    ratio = line.value / line.limit if line.limit else 0
    return f"{text} {ratio:5.2f} of {line.against:<16} {line.verdict}"


def milliseconds(seconds: float | Sequence[float]) -> float:
    """Milliseconds, of the median where there are several."""
    return 1000 * (seconds if isinstance(seconds, float) else median(seconds))
