"""Judging a few invented facts by one invented rule."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from guiju.facts.columns import arrow_type
from guiju.rules import calendars, periods, tables
from guiju.rules.calendars import Calendar
from guiju.rules.context import Context
from guiju.rules.engine import evaluate
from guiju.rules.facts import Facts
from guiju.rules.findings import Findings
from guiju.rules.loader import loads
from guiju.rules.pack import Pack
from guiju.rules.registry import CHECKS

ISSUED = date(2019, 12, 20)


def as_facts(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Facts:
    """Facts tables from lists of rows; a column exists where some row names it."""
    found = {}
    for table, entries in rows.items():
        fields = tables.columns(table)
        named = [column for column in fields if any(column in entry for entry in entries)]
        found[table] = pa.table(
            {
                column: pa.array(
                    [entry.get(column) for entry in entries], arrow_type(fields[column])
                )
                for column in named
            }
        )
    return Facts(found)


def as_toml(value: Any) -> str:
    """A parameter as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {as_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(v) for v in value) + "]"
    return repr(value)


class Judged(list[dict[str, Any]]):
    """Findings as dictionaries, with what was found behind them."""

    def __init__(self, found: Findings, pack: Pack, as_of: date) -> None:
        super().__init__(finding.as_dict() for finding in found)
        self.warnings = found.warnings
        self._found, self._pack, self._as_of = found, pack, as_of

    def uncounted(self, number: int = 0) -> list[tuple[str, str]]:
        """The records that a finding's explanation says were not counted."""
        finding = list(self._found)[number]
        context = Context(
            self._pack,
            self._found.facts,
            periods.day(self._as_of),
            self._pack.choices({}),
            calendars.load(),
        )
        return finding.rule.check.uncounted(finding, context)

    def verdicts(self) -> dict[str, str]:
        """Verdict by subject, or by subject and period where there is one."""
        return {
            f"{f['subject']['id']} {f['period']}" if f["period"] else f["subject"]["id"]: f[
                "verdict"
            ]
            for f in self
        }


Judge = Callable[..., Judged]


@pytest.fixture
def facts_of() -> Callable[[Mapping[str, Sequence[Mapping[str, Any]]]], Facts]:
    """``facts_of(rows)``: facts tables from lists of rows."""
    return as_facts


@pytest.fixture
def judge() -> Judge:
    """``judge(check, parameters, rows, as_of, …)``: the findings of one rule."""

    def run(
        check: str,
        parameters: Mapping[str, Any],
        rows: Mapping[str, Sequence[Mapping[str, Any]]],
        as_of: date = date(2021, 6, 30),
        *,
        kinds: Sequence[str] = ("branch",),
        conditions: Sequence[str] = (),
        strictness: str = "bare",
        shortfall: str | None = None,
        until: date | None = None,
        only: Sequence[str] = (),
        calendar: Calendar | None = None,
    ) -> Judged:
        rule = f"""
            [pack]
            id = "x"
            title = "示例"
            issuer = "示例"
            document = "示例〔2019〕1号"
            issued_on = {ISSUED}
            checked_on = 2020-01-01
            [[requirement]]
            id = "x.matter.name"
            kind = "REQ"
            title = "示例要求"
            clause = "一"
            strictness = "{strictness}"
            automation = "full"
            applies_to = {{ kinds = {list(kinds)}, conditions = {list(conditions)} }}
            check = "{check}"
        """
        if shortfall:
            rule += f'shortfall = "{shortfall}"\n'
        if until:
            rule += f"until = {until}\n"
        rule += "[requirement.parameters]\n"
        for name, value in parameters.items():
            rule += f"{name} = {as_toml(value)}\n"
        facts = as_facts(rows)
        scope = None
        if only:
            scope = np.isin(facts.ids("organizations").to_pylist(), list(only))
        pack = loads(rule)
        found = evaluate(pack, facts, as_of, scope=scope, calendar=calendar, checks=CHECKS)
        return Judged(found, pack, as_of)

    return run
