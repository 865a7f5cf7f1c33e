"""The count rules alone: by the engine, by one strong SQL statement, and by OpenFisca."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from openfisca_core import periods as openfisca_periods
from openfisca_core.entities import build_entity
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable
from sqlalchemy.dialects import postgresql

from guiju.activities.models import Occasion
from guiju.db.engine import arrow_connection
from guiju.rules import engine, findings, periods
from guiju.rules.engine import Rule
from guiju.rules.periods import Unit
from guiju.scoring import reader
from guiju.scoring.judging import Law

_OCCASIONS = Occasion.__table__
_FILTERS = ("components", "lecturer_posts", "committee_quorum", "on_kinds", "audience")


def measure(report: Any, url: str, law: Law) -> None:
    """Adds ``counted``, ``sql``, ``verdicts`` and ``openfisca`` to the report; checks agreement."""
    pack = law.packs["xian"]
    rules = [
        rule
        for rule in engine.compile_rules(pack, law.enabled[0].choices)
        if rule.check.name == "count"
        and rule.parameters["source"] == "occasions"
        and not any(rule.parameters.get(name) for name in _FILTERS)
    ]
    columns = engine.columns_read(rules)

    def counted() -> Any:
        with arrow_connection(url) as connection:
            facts = reader.read(connection, columns, law.packs).facts
        return facts, engine.evaluate(
            pack,
            facts,
            law.as_of,
            only=[rule.id for rule in rules],
            judge_from=law.enabled[0].judge_from,
            alternatives=False,
            not_applicable=False,
        )

    facts, judged = report.best_of("counted", counted)
    statement = _statement(rules, facts, law)

    def queried() -> Any:
        with arrow_connection(url) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    rows = report.best_of("sql", queried)
    _compare(rules, facts, judged, rows)
    _from_counts(report, judged, periods.day(law.as_of))


def _statement(rules: Sequence[Rule], facts: Any, law: Law) -> str:
    """One scan: for each organization and rule the periods with enough, as bits of an integer.

    A rule of at least one needs no counting: an occasion sets its period's bit.
    """
    year = law.as_of.year - 1
    month = sa.extract("year", _OCCASIONS.c.held_on).cast(sa.Integer) * 12
    month += sa.extract("month", _OCCASIONS.c.held_on).cast(sa.Integer) - year * 12 - 1
    cells = []
    for number, rule in enumerate(rules):
        mask = int(facts.mask("occasion_kind", rule.parameters["kinds"]))
        bit = sa.literal(1, sa.BigInteger).bitwise_lshift(
            month // Unit.named(rule.parameters["per"]).value
        )
        cells.append(
            sa.func.bit_or(bit)
            .filter(_OCCASIONS.c.kinds.bitwise_and(mask) != 0)
            .label(f"r{number}")
        )
    status = _OCCASIONS.c.status
    select = (
        sa.select(_OCCASIONS.c.organization_id, *cells)
        .where(_OCCASIONS.c.held_on.between(sa.func.make_date(year, 1, 1), law.as_of))
        .where(sa.or_(status.is_(None), status == "held"))
        .group_by(_OCCASIONS.c.organization_id)
    )
    return str(select.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))


def _compare(rules: Sequence[Rule], facts: Any, judged: Any, rows: Any) -> None:
    """Every met verdict of the engine is a bit of the statement's answer, and no other is."""
    ids = facts.numbers("organizations")
    place = np.searchsorted(ids, rows["organization_id"].to_numpy())
    columns = {rule.id: number for number, rule in enumerate(rules)}
    for block in judged.blocks:
        bits = np.zeros(len(ids), dtype=np.int64)
        bits[place] = rows[f"r{columns[block.rule.id]}"].fill_null(0).to_numpy()
        first = (_year(judged) - 1970) * 12 // block.unit.value
        wanted = (bits[block.subject] >> (block.period - first)) & 1
        assert np.array_equal(wanted == 1, block.verdict == findings.MET), block.rule.id


def _year(judged: Any) -> int:
    return int(min(periods.label(int(b.period.min()), b.unit)[:4] for b in judged.blocks))


def _from_counts(report: Any, judged: Any, as_of: int) -> None:
    """Verdicts from counts already made: in columns, and as OpenFisca variables."""
    observed = np.concatenate([block.observed for block in judged.blocks]).astype(np.int32)
    required = np.concatenate([block.required for block in judged.blocks]).astype(np.int32)
    over = np.concatenate(
        [periods.last_days(block.period, block.unit) < as_of for block in judged.blocks]
    )
    short = np.concatenate(
        [np.full(len(block), block.rule.shortfall_code, dtype=np.int8) for block in judged.blocks]
    )

    def verdicts() -> Any:
        late = np.where(over, short, findings.PENDING)
        return np.where(observed >= required, findings.MET, late).astype(np.int8)

    report.best_of("verdicts", verdicts, 9)
    unit = build_entity(key="unit", plural="units", label="unit", is_person=True)

    def count_formula(units: Any, period: Any) -> Any:
        enough = units("observed", period) >= units("required", period)
        late = np.where(units("over", period), units("short", period), findings.PENDING)
        return np.where(enough, findings.MET, late)

    def variable(name: str, **more: Any) -> type[Variable]:
        body = {
            "value_type": int,
            "entity": unit,
            "definition_period": openfisca_periods.DateUnit.MONTH,
            **more,
        }
        return type(name, (Variable,), body)

    def calculated() -> Any:
        system = TaxBenefitSystem([unit])
        system.add_variables(
            *(variable(name) for name in ("observed", "required", "over", "short")),
            variable("verdict", formula=count_formula),
        )
        simulation = SimulationBuilder().build_default_simulation(system, count=len(observed))
        month = openfisca_periods.period("2021-01")
        for name, column in (
            *(("observed", observed), ("required", required)),
            *(("over", over.astype(np.int32)), ("short", short.astype(np.int32))),
        ):
            simulation.set_input(name, month, column)
        return simulation.calculate("verdict", month)

    theirs = report.best_of("openfisca", calculated, 9)
    assert np.array_equal(theirs, verdicts())
    print(f"{len(observed):,} verdicts from counts")
