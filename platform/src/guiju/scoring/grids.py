"""The year of one organization as a grid: requirements down, periods across."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from guiju.rules.findings import VERDICT_CODES
from guiju.rules.pack import Part, Requirement
from guiju.scoring import tallies, views
from guiju.scoring.naming import NumberedFacts
from guiju.scoring.numbering import RuleKey
from guiju.scoring.results import FindingView, GridCell, GridRow, Unit
from guiju.scoring.views import Law, Stored

#: A finding as it is stored and, where it was asked for, as people see it.
Told = tuple[Stored, FindingView | None]


def groups_among(stored: Iterable[Stored]) -> set[int]:
    """The numbers of the groups that findings are about."""
    return {one.subject for one in stored if one.subject_type == "group"}


class Rows:
    """Rows of a grid while they are gathered."""

    def __init__(
        self, law: Law, units: Mapping[int, Unit], organization_id: int, bare: NumberedFacts
    ) -> None:
        """``bare`` facts are those of no record, enough to say what numbers mean."""
        self._law = law
        self._units = units
        self._whole = organization_id
        self._bare = bare
        self._cells: dict[Any, dict[Any, list[Told]]] = {}
        self._counts: dict[Any, dict[Any, dict[str, int]]] = {}
        self._keys: dict[Any, RuleKey] = {}

    def add(self, one: Stored, view: FindingView | None) -> None:
        """A finding; several of one cell are exceptions, or states side by side."""
        rule = one.rule
        subject = one.subject if one.subject_type == "group" else self._whole
        row = (one.profile, rule.id, rule.part.id, one.subject_type, subject)
        unit = None if one.period is None else one.period[0].name.lower()
        self._keys[row] = RuleKey(
            one.profile, rule.id, rule.part.id, rule.version.from_on, one.subject_type, unit
        )
        self._cells.setdefault(row, {}).setdefault(one.period, []).append((one, view))

    def count(self, tally: tallies.Tally) -> None:
        """So many findings about members or records, the met ones included."""
        if tally.verdict == views.LATE:
            return
        key = self._law.keys[tally.rule]
        row = (key.profile, key.requirement, key.part, key.subject_type, self._whole)
        self._keys[row] = key
        period = views.period_of(key, tally.year, tally.place)
        counts = self._counts.setdefault(row, {}).setdefault(period, {})
        counts[tally.verdict] = counts.get(tally.verdict, 0) + tally.number

    def finished(self) -> list[GridRow]:
        """The rows in order of the packs."""
        of_part: dict[Any, list[Any]] = {}
        for row in self._keys:
            of_part.setdefault(row[:3], []).append(row)
        return [
            self._row(row, requirement, part)
            for profile, pack in sorted(self._law.packs.items())
            for requirement in pack.requirements
            for part in requirement.parts
            for row in of_part.get((profile, requirement.id, part.id), ())
        ]

    def _row(self, row: Any, requirement: Requirement, part: Part) -> GridRow:
        cells, counts = self._cells.get(row, {}), self._counts.get(row, {})
        order = sorted({*cells, *counts}, key=lambda p: (-1, 0) if p is None else (0, p[1]))
        profile, id_, part_id, subject_type, subject = row
        return GridRow(
            profile,
            id_,
            part_id,
            part.title or requirement.title,
            part.versions[-1].citation.clause,
            str(part.versions[-1].strictness),
            subject_type,
            self._units[subject],
            self._keys[row].unit,
            [self._cell(period, cells.get(period, []), counts.get(period)) for period in order],
        )

    def _cell(self, period: Any, found: Sequence[Told], counts: dict[str, int] | None) -> GridCell:
        if counts is None:
            counts = {}
            for one, _view in found:
                verdict = str(VERDICT_CODES[one.verdict])
                counts[verdict] = counts.get(verdict, 0) + 1
        label, text = views.period_text(period)
        return GridCell(
            label,
            text,
            views.gravest(counts),
            counts,
            len(found),
            views.compared(found[0][0], self._bare) if len(found) == 1 else None,
            [view for _one, view in found if view is not None],
        )
