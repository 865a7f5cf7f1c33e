"""What is wrong with an input, said so that its author can put it right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One fault: where it is, what was found there and what is wanted.

    ``place`` names file and position (sheet and cell, JSON pointer, table and key);
    ``code`` is a stable short name for programs.
    """

    place: str
    found: str
    wanted: str
    code: str = "invalid"

    def __str__(self) -> str:
        return f"{self.place}：{self.found}；{self.wanted}"


class BadInput(ValueError):
    """An input was refused; ``problems`` lists every fault found.

    ``omitted`` counts further faults that a reader of a list this long would not miss.
    """

    def __init__(self, problems: Iterable[Problem], omitted: int = 0) -> None:
        self.problems = tuple(problems)
        self.omitted = omitted
        super().__init__("\n".join(str(problem) for problem in self.problems))
