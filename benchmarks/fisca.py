"""OpenFisca-Core judging the same counts, beside the engine's own judging of counts: (d).

Both are given arrays: how many records each branch has in each period, whether the period is
judged, and whether its records are complete.  Both give a verdict for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openfisca_core.entities import Entity
from openfisca_core.periods import MONTH
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.city import AS_OF
from benchmarks.counting import ids
from benchmarks.measuring import Report, milliseconds, typical
from guiju.rules import engine, findings, periods
from guiju.rules.calendars import load
from guiju.rules.checks.count import Count
from guiju.rules.context import Context, Grid
from guiju.rules.engine import Rule
from guiju.rules.pack import Choices, Pack
from guiju.rules.periods import Unit
from guiju.scoring.judging import Law
from guiju.scoring.reader import Snapshot


@dataclass(frozen=True)
class Counted:
    """What a rule is judged from; all arrays have one entry for each cell of the grid."""

    rule: Rule
    unit: Unit
    grid: Grid
    number: NDArray[np.int64]


def counted(law: Law, snapshot: Snapshot) -> tuple[Context, list[Counted]]:
    """The counts of the compared rules, made once for both."""
    (enabled,) = law.enabled
    pack: Pack = law.packs[enabled.profile]
    choices: Choices = enabled.choices
    context = Context(
        pack,
        snapshot.facts,
        periods.day(AS_OF),
        choices,
        load(),
        None,
        periods.day(enabled.judge_from),
        law.complete_after,
    )
    found = []
    for rule in engine.compile_rules(pack, choices, only=ids()):
        assert isinstance(rule.check, Count)
        unit = Unit.named(rule.parameters["per"])
        low, high = context.span(rule, unit)
        (block,) = rule.check.judge([rule], context)
        found.append(Counted(rule, unit, context.grid(rule, unit, low, high), block.observed))
    return context, found


def by_engine(context: Context, cases: list[Counted]) -> list[NDArray[np.int8]]:
    """Verdicts of all cells."""
    return [
        context.period_verdict(
            case.rule, case.number >= case.rule.parameters["min"], case.grid, case.unit
        )
        for case in cases
    ]


class Fisca:
    """The same rules as one formula of OpenFisca over all cells of all rules at once.

    A cell is a member of the population and every rule is judged in the same month, so
    that OpenFisca has one long column to work on, which is what it is best at.
    """

    _MONTH = "2021-01"

    def __init__(self, context: Context, cases: list[Counted]) -> None:
        def joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
            return np.concatenate(columns)

        self._given = {
            "number": joined([case.number for case in cases]).astype(np.int32),
            "least": joined([_all(case, case.rule.parameters["min"]) for case in cases]),
            "short": joined([_all(case, int(case.rule.shortfall_code)) for case in cases]),
            "judged": joined([case.grid.judged for case in cases]),
            "complete": joined(
                [
                    context.attested(case.grid.organization, case.grid.period, case.unit)
                    for case in cases
                ]
            ),
            "over": joined([context.closed_periods(case.grid.period, case.unit) for case in cases]),
        }
        cell = Entity("cell", "cells", "", "")
        self._system = TaxBenefitSystem([cell])
        for name, column in self._given.items():
            kind = bool if column.dtype == np.bool_ else int
            self._system.add_variable(_variable(cell, name, kind))
        self._system.add_variable(_variable(cell, "verdict", int, formula=_verdict))

    def prepare(self) -> Any:
        """A simulation with the counts in it, nothing calculated."""
        size = len(self._given["number"])
        simulation = SimulationBuilder().build_default_simulation(self._system, count=size)
        for name, column in self._given.items():
            simulation.set_input(name, self._MONTH, column)
        return simulation

    def calculate(self, simulation: Any) -> NDArray[Any]:
        """All verdicts, rule by rule."""
        return simulation.calculate("verdict", self._MONTH)


def _all(case: Counted, value: int) -> NDArray[np.int32]:
    return np.full(len(case.number), value, dtype=np.int32)


def _variable(cell: Entity, name: str, kind: type, **more: Any) -> type[Variable]:
    body = {"value_type": kind, "entity": cell, "definition_period": MONTH, "label": name}
    return type(name, (Variable,), {**body, **more})


def _verdict(cells: Any, period: Any) -> NDArray[Any]:
    late = np.where(cells("complete", period), cells("short", period), findings.NO_DATA)
    open_ = np.where(cells("over", period), late, findings.PENDING)
    enough = cells("number", period) >= cells("least", period)
    verdict = np.where(enough, findings.MET, open_)
    return np.where(cells("judged", period), verdict, findings.NOT_APPLICABLE)


def measure(report: Report, law: Law, snapshot: Snapshot, times: int) -> None:
    """OpenFisca and the engine on the same counts."""
    context, cases = counted(law, snapshot)
    fisca = Fisca(context, cases)
    ready = [fisca.prepare() for _ in range(times + 2)]
    theirs = fisca.calculate(ready.pop())
    assert np.array_equal(np.concatenate(by_engine(context, cases)), theirs)
    # A simulation keeps what it has calculated, so each is used once.
    theirs = typical(lambda: fisca.calculate(ready.pop()), times)
    ours = typical(lambda: by_engine(context, cases), times)
    number = sum(len(case.number) for case in cases)
    base = report.add("d", f"{number:,} verdicts by OpenFisca from counts", milliseconds(theirs))
    report.add(
        "d",
        "the same by the engine from counts",
        milliseconds(ours),
        limit=5 * base,
        against="5 × OpenFisca",
    )
