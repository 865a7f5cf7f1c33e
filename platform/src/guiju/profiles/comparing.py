"""Two judgements of the same records, told apart finding by finding; pure, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from guiju.rules.findings import VERDICT_CODES, Block, Findings

#: Stands for the verdict of what is not judged on one of the two sides.
ABSENT = -1

_VERDICTS = len(VERDICT_CODES)
#: Verdicts with :data:`ABSENT` as 0.
_STATES = _VERDICTS + 1

Numbers = NDArray[np.int64]


class Rule(NamedTuple):
    """What findings are compared by: a part of a requirement about one kind of subject."""

    profile: str
    requirement: str
    part: str | None
    subject_type: str


@dataclass
class Comparison:
    """What becomes of the findings, of one set of organizations or several after another.

    ``organization``, ``rule`` (a place in ``rules``), ``from_`` and ``to`` (verdict codes or
    :data:`ABSENT`) and ``number`` (of findings) are columns of the moves between different
    verdicts.  ``before`` and ``after`` count all findings by organization and verdict code.
    """

    rules: list[Rule] = field(default_factory=list)
    organization: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    rule: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    from_: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    to: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    number: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    before: dict[int, Numbers] = field(default_factory=dict)
    after: dict[int, Numbers] = field(default_factory=dict)

    def add(
        self,
        organizations: Numbers,
        before: Iterable[tuple[str, Findings]],
        after: Iterable[tuple[str, Findings]],
    ) -> None:
        """Compare the findings by profile on the two sides.

        Both are about the same facts; ``organizations`` are the numbers behind the codes, and
        none of them is added twice.
        """
        sides = _Side.of(before), _Side.of(after)
        self.before |= sides[0].totals(organizations)
        self.after |= sides[1].totals(organizations)
        for key in sorted({*sides[0].rules, *sides[1].rules}, key=_order):
            moves = _moves(*(side.rules.get(key, _Rows()) for side in sides))
            if not len(moves[0]):
                continue
            rule = Rule(*key[:4])
            if rule not in self.rules:
                self.rules.append(rule)
            codes, from_, to, number = moves
            self.organization = np.concatenate([self.organization, organizations[codes]])
            here = np.full(len(codes), self.rules.index(rule), dtype=np.int64)
            self.rule = np.concatenate([self.rule, here])
            self.from_ = np.concatenate([self.from_, from_])
            self.to = np.concatenate([self.to, to])
            self.number = np.concatenate([self.number, number])

    def by_organization(self) -> dict[int, Numbers]:
        """Rows of the moves by organization, each in the order of the rules and verdicts."""
        order = np.lexsort((self.to, self.from_, self.rule, self.organization))
        organizations, starts = np.unique(self.organization[order], return_index=True)
        # No pieces come of nothing.
        pieces = np.split(order, starts[1:]) if len(starts) else []
        return dict(zip(organizations.tolist(), pieces, strict=True))


#: A rule and the unit of its periods: months are not compared with quarters.
_Key = tuple[str, str, str | None, str, str]


def _order(key: _Key) -> tuple[str, ...]:
    return tuple(part or "" for part in key)


@dataclass
class _Rows:
    """Findings on one rule as columns: organization, subject, period, verdict."""

    columns: Sequence[Numbers] = tuple(np.zeros(0, dtype=np.int64) for _ in range(4))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __add__(self, other: _Rows) -> _Rows:
        pairs = zip(self.columns, other.columns, strict=True)
        return _Rows([np.concatenate(pair) for pair in pairs])

    @classmethod
    def of(cls, block: Block) -> _Rows:
        period = block.period if block.period is not None else np.zeros(len(block), dtype=np.int64)
        columns = (block.organization, block.subject, period, block.verdict)
        return cls([column.astype(np.int64) for column in columns])


@dataclass
class _Side:
    rules: dict[_Key, _Rows]

    @classmethod
    def of(cls, judged: Iterable[tuple[str, Findings]]) -> _Side:
        rules: dict[_Key, _Rows] = {}
        for key, rows in _rows(judged):
            rules[key] = rules[key] + rows if key in rules else rows
        return cls(rules)

    def totals(self, organizations: Numbers) -> Mapping[int, Numbers]:
        """Findings by organization and verdict."""
        cells = np.zeros(len(organizations) * _VERDICTS, dtype=np.int64)
        for rows in self.rules.values():
            organization, _, _, verdict = rows.columns
            cells += np.bincount(organization * _VERDICTS + verdict, minlength=len(cells))
        counts = cells.reshape(len(organizations), _VERDICTS)
        judged = np.flatnonzero(counts.any(axis=1))
        return {int(organizations[code]): counts[code] for code in judged.tolist()}


def _rows(judged: Iterable[tuple[str, Findings]]) -> Iterator[tuple[_Key, _Rows]]:
    for profile, found in judged:
        for block in found.blocks:
            if len(block):
                rule = block.rule
                unit = "" if block.unit is None else block.unit.name
                key = (profile, rule.id, rule.part.id, block.subject_type, unit)
                yield key, _Rows.of(block)


def _moves(before: _Rows, after: _Rows) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Organization codes, verdicts before and after, and numbers of what differs."""
    if all(map(np.array_equal, before.columns, after.columns)):
        before = after = _Rows()
    sizes = len(before), len(after)
    organization, subject, period, verdict = (before + after).columns
    side = np.repeat([0, 1], sizes)
    same = _groups(organization, subject, period)
    # One organization may be judged twice by a rule, as where a notice came anew in mid-year:
    # the first verdict is compared with the first, the second with the second.
    pair = _groups(same, _places(same, side, verdict))
    from_, to = (np.full(int(pair.max(initial=-1)) + 1, ABSENT, dtype=np.int64) for _ in range(2))
    code = np.zeros(len(from_), dtype=np.int64)
    code[pair] = organization
    from_[pair[side == 0]] = verdict[side == 0]
    to[pair[side == 1]] = verdict[side == 1]
    differs = from_ != to
    cells = (code * _STATES + from_ + 1) * _STATES + to + 1
    found, number = np.unique(cells[differs], return_counts=True)
    rest, to_state = np.divmod(found, _STATES)
    codes, from_state = np.divmod(rest, _STATES)
    return codes, from_state - 1, to_state - 1, number.astype(np.int64)


def _groups(*columns: Numbers) -> Numbers:
    """A number for each row, equal where all columns are."""
    order = np.lexsort(columns)
    changes = np.zeros(len(order), dtype=np.bool_)
    for column in columns:
        changes[1:] |= column[order][1:] != column[order][:-1]
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.cumsum(changes)
    return found


def _places(same: Numbers, side: Numbers, verdict: Numbers) -> Numbers:
    """Which one of its side each row is among those that are ``same``, by verdict."""
    order = np.lexsort((verdict, side, same))
    run = _groups(same, side)[order]
    starts = np.flatnonzero(np.concatenate([[True], run[1:] != run[:-1]])) if len(run) else run
    lengths = np.diff(np.append(starts, len(run)))
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.arange(len(run)) - np.repeat(starts, lengths)
    return found
