"""Judging organizations from one snapshot and storing what is found, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.rules import engine, findings, periods, tables
from guiju.rules.checks.base import Footprint
from guiju.rules.engine import Rule
from guiju.rules.findings import Findings
from guiju.rules.pack import Choices, Pack
from guiju.rules.vocabulary import BRANCH_KINDS
from guiju.scoring import reader, sheets
from guiju.scoring.dirty import Reach
from guiju.scoring.numbering import Numbering
from guiju.scoring.places import Slices
from guiju.scoring.profiles import Enabled, assign
from guiju.scoring.reader import Ids, Snapshot
from guiju.scoring.store import Store, Written


@dataclass(frozen=True)
class Law:
    """Everything that a tenant is judged by, on one day."""

    packs: Mapping[str, Pack]
    enabled: Sequence[Enabled]
    as_of: date
    complete_after: int | None = None

    def rules(self) -> Iterable[Rule]:
        """All rules that may be judged by, other readings included."""
        seen: list[tuple[str, Choices]] = []
        for one in self.enabled:
            if (one.profile, one.choices) not in seen:
                seen.append((one.profile, one.choices))
                yield from engine.rules_under_all_readings(self.packs[one.profile], one.choices)

    def columns(self) -> dict[str, set[str]]:
        """The facts that judging reads."""
        return engine.columns_read(self.rules())

    def tables_read_whole(self, *, superiors: bool) -> set[str]:
        """The tables that are read of everybody, whoever is judged."""
        rules = [
            rule
            for rule in self.rules()
            if rule.check.footprint & Footprint.TENANT
            or (
                superiors
                and rule.check.footprint & Footprint.SUBORDINATES
                and _binds_superiors(rule)
            )
        ]
        return set(engine.columns_read(rules)) if rules else set()

    def reach(self) -> Reach:
        """Whom a change may concern."""
        rules = list(self.rules())
        tenant_wide = [rule for rule in rules if rule.check.footprint & Footprint.TENANT]
        read = {table for rule in tenant_wide for table, _ in rule.check.reads(rule.parameters)}
        return Reach(engine.footprint(rules), frozenset(read - {"organizations", "settings"}))

    @property
    def reads_restricted(self) -> bool:
        """Whether restricted records are read."""
        return any(tables.TABLES[table].restricted for table in self.columns())


def _binds_superiors(rule: Rule) -> bool:
    """Whether a rule is about others than branches and their groups."""
    kinds = rule.requirement.applies_to.kinds
    return not kinds or not set(kinds) <= {*BRANCH_KINDS, "party_group"}


def judge(law: Law, snapshot: Snapshot, scope: NDArray[np.bool_]) -> list[tuple[str, Findings]]:
    """Findings by profile about the organizations (a mask over codes) in scope."""
    found = []
    for assignment in assign(law.enabled, snapshot.places, law.as_of):
        wanted = assignment.scope & scope
        if not bool(wanted.any()):
            continue
        enabled = assignment.enabled
        judged = engine.evaluate(
            law.packs[enabled.profile],
            snapshot.facts,
            assignment.as_of,
            choices=enabled.choices,
            scope=wanted,
            judge_from=assignment.judge_from,
            not_applicable=False,
            complete_after=law.complete_after,
        )
        if assignment.over:
            judged = _without_pending(judged)
        found.append((enabled.profile, judged))
    return found


def _without_pending(judged: Findings) -> Findings:
    """What was pending when the profile ceased to judge can no longer be done."""
    blocks = [block.take(block.verdict != findings.PENDING) for block in judged.blocks]
    return replace(judged, blocks=[block for block in blocks if len(block)])


def slices_of(law: Law, snapshot: Snapshot, judged: Iterable[tuple[str, Findings]]) -> Slices:
    """The years that the findings belong to, and the places within them."""
    days = [periods.day(law.as_of)]
    for _, found in judged:
        for block in found.blocks:
            days += sheets.days_of(block, snapshot.facts)
    years = periods.to_date(min(days)).year, periods.to_date(max(days)).year
    return Slices(snapshot.places, law.as_of, years)


def judge_and_store(
    connection: adbc.Connection,
    law: Law,
    numbering: Numbering,
    wanted: Ids | None,
    snapshot: Snapshot,
) -> Written:
    """Judge the organizations numbered in ``wanted`` (all by default) and store the findings."""
    ids = snapshot.facts.numbers("organizations")
    scope = np.ones(len(ids), dtype=np.bool_) if wanted is None else np.isin(ids, wanted)
    judged = judge(law, snapshot, scope)
    # What comes next is as large as what was read.
    snapshot.facts.release(sheets.tables_of(judged))
    return store(connection, law, numbering, snapshot, judged, scope)


def store(
    connection: adbc.Connection,
    law: Law,
    numbering: Numbering,
    snapshot: Snapshot,
    judged: Sequence[tuple[str, Findings]],
    scope: NDArray[np.bool_],
) -> Written:
    """Replace what is stored about the organizations (a mask over codes) in scope."""
    numbering.require(*sheets.keys_of(judged))
    slices = slices_of(law, snapshot, judged)
    laid_out = sheets.lay_out(judged, numbering, snapshot.facts, slices)
    return Store(connection, snapshot.facts, slices, scope).write(laid_out)


def read(
    connection: adbc.Connection,
    law: Law,
    organizations: Ids | None,
    *,
    superiors: bool = False,
    second: adbc.Connection | None = None,
) -> Snapshot:
    """What judging needs of these organizations; for superiors, of everybody below as well.

    ``second`` is as in :func:`guiju.scoring.reader.read`.
    """
    whole = law.tables_read_whole(superiors=superiors)
    return reader.read(
        connection, law.columns(), law.packs, organizations, whole=whole, second=second
    )
