"""Counts by requirement of everything directly below an organization, for parts of a year.

Stored counts of all children are read in one go and added up in columns, so that a superior
of three hundred branches takes as many queries as one of three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from guiju.db.session import AnySession
from guiju.rules.pack import Pack
from guiju.rules.periods import Unit as PeriodUnit
from guiju.rules.periods import parse
from guiju.scoring.models import NO_YEAR, OrganizationFindings, RecordFindings, Rollup
from guiju.scoring.naming import Names
from guiju.scoring.numbering import RuleKey, rule_keys
from guiju.scoring.payload import COUNT, NO_PERIOD, SECTION
from guiju.scoring.results import Counts, Unit
from guiju.scoring.views import COUNTED

_KINDS = len(COUNTED)

#: Rule, place in the year, verdict and number of each count.
_Counted = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class HeatRow:
    """One part of a requirement, with the counts of each unit in the order of the units."""

    profile: str
    requirement: str
    part: str | None
    title: str
    clause: str
    strictness: str
    cells: Sequence[Counts]


@dataclass(frozen=True)
class Heat:
    """Requirement by unit."""

    units: Sequence[Unit]
    rows: Sequence[HeatRow]


def heat(
    session: AnySession,
    packs: Mapping[str, Pack],
    organization_id: int,
    period: str,
    *,
    newest: bool,
) -> Heat:
    """The findings of everything directly below an organization within ``period``.

    A finding is within a year, half or quarter if its own period is.  States that belong to no
    period go with the ``newest`` year.  Raises ``ValueError`` for what is no period.
    """
    year = int(period[:4])
    stored = _stored(session, organization_id, [year, NO_YEAR] if newest else [year])
    known = rule_keys(session)
    keys = {number: known[number] for number in _rules_in(stored)}
    wanted = _Wanted(keys, period, newest=newest)
    units = Names(session).units(set(stored))
    order = sorted(stored, key=lambda unit: (units[unit].code, unit))
    counts = np.zeros((len(order), int(max(keys, default=0)) + 1, _KINDS), dtype=np.int64)
    for at, unit in enumerate(order):
        for stored_year, (rule, place, verdict, number) in stored[unit]:
            keep = wanted.mask(rule, place, stored_year)
            np.add.at(counts[at], (rule[keep], verdict[keep]), number[keep])
    return Heat([units[unit] for unit in order], list(_rows(packs, keys, counts)))


def within_period(key: RuleKey, place: int, period: str) -> bool:
    """Whether a place in the year (of the rule's own length) lies within ``period``."""
    if place == NO_PERIOD or key.unit is None:
        return False
    index, unit = parse(period)
    first = index % (12 // unit.value) * unit.value
    length = PeriodUnit.named(key.unit).value
    begin = place * length
    return first <= begin and begin + length <= first + unit.value


class _Wanted:
    """Which stored counts are within a period: a table of rules and places."""

    def __init__(self, keys: Mapping[int, RuleKey], period: str, *, newest: bool) -> None:
        _index, unit = parse(period)
        whole_year = unit is PeriodUnit.YEAR
        self._table = np.zeros((max(keys, default=0) + 1, NO_PERIOD + 1), dtype=np.bool_)
        for number, key in keys.items():
            for place in range(NO_PERIOD):
                self._table[number, place] = within_period(key, place, period)
            # Records of the year that belong to no period of it, and states of now.
            self._table[number, NO_PERIOD] = whole_year
        self._states = newest and whole_year

    def mask(
        self, rule: NDArray[np.int64], place: NDArray[np.int64], year: int
    ) -> NDArray[np.bool_]:
        """Which of these counts of a stored year are wanted."""
        if year == NO_YEAR and not self._states:
            return np.zeros(len(rule), dtype=np.bool_)
        return self._table[rule, place]


def _stored(
    session: AnySession, organization_id: int, years: Sequence[int]
) -> dict[int, list[tuple[int, _Counted]]]:
    """What is stored below the organization, by child: sums where there are any."""
    found: dict[int, list[tuple[int, _Counted]]] = {}
    for model in (Rollup, OrganizationFindings, RecordFindings):
        table = model.__table__
        columns = ["counts"] if "counts" in table.c else ["sections", "verdicts"]
        rows = session.execute(
            sa.select(
                table.c.organization_id, table.c.year, *(table.c[name] for name in columns)
            ).where(table.c.superior_id == organization_id, table.c.year.in_(years))
        ).all()
        if model is Rollup:
            summed = {row[0] for row in rows}
        for row in rows:
            if model is not Rollup and row[0] in summed:
                continue
            counted = _of_counts(row[2]) if len(columns) == 1 else _of_findings(row[2], row[3])
            found.setdefault(row[0], []).append((row[1], counted))
    return found


def _rules_in(stored: Mapping[int, Sequence[tuple[int, _Counted]]]) -> list[int]:
    """The numbers of the rules that anything is stored of."""
    rules = [counted[0] for counts in stored.values() for _year, counted in counts]
    found: list[int] = np.unique(np.concatenate([np.zeros(0, np.int64), *rules])).tolist()
    return found


def _of_counts(packed: bytes) -> _Counted:
    records = np.frombuffer(packed, dtype=COUNT)
    rule, place, verdict, number = (
        records[name].astype(np.int64) for name in ("rule", "place", "verdict", "number")
    )
    return rule, place, verdict, number


def _of_findings(sections: bytes, verdicts: bytes) -> _Counted:
    """One count for each finding; :mod:`guiju.scoring.payload` says how they are packed."""
    runs = np.frombuffer(sections, dtype=SECTION)
    length = (runs["run"] & 15).astype(np.int64)
    first = np.repeat((runs["run"] >> 4).astype(np.int64), length)
    nth = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    place = first + np.where(first == NO_PERIOD, 0, nth)
    verdict = np.frombuffer(verdicts, dtype=np.uint8).astype(np.int64)
    rule = np.repeat(runs["rule"].astype(np.int64), length)
    return rule, place, verdict, np.ones(len(rule), dtype=np.int64)


def _rows(
    packs: Mapping[str, Pack], keys: Mapping[int, RuleKey], counts: NDArray[np.int64]
) -> list[HeatRow]:
    """A row for each part of a requirement that says anything, in order of the packs."""
    numbers: dict[tuple[str, str, str | None], list[int]] = {}
    for number, key in keys.items():
        numbers.setdefault((key.profile, key.requirement, key.part), []).append(number)
    found = []
    for profile, pack in sorted(packs.items()):
        for requirement in pack.requirements:
            for part in requirement.parts:
                of = numbers.get((profile, requirement.id, part.id), [])
                sums = counts[:, of, :].sum(axis=1)
                if not sums.any():
                    continue
                found.append(
                    HeatRow(
                        profile,
                        requirement.id,
                        part.id,
                        part.title or requirement.title,
                        part.versions[-1].citation.clause,
                        str(part.versions[-1].strictness),
                        [
                            {
                                code: int(number)
                                for code, number in zip(COUNTED, row, strict=True)
                                if number
                            }
                            for row in sums
                        ],
                    )
                )
    return found
