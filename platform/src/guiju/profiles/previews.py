"""What a change of profiles, or a newer version of a pack, would do to a tenant's findings.

The records are read once and judged twice, as things are and as they would be, by the code
that scores; nothing is stored but the preview itself.  Matters of discipline are neither
read nor compared: the summary names the requirements that rest on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.db.engine import arrow_connection
from guiju.db.session import AnySession
from guiju.organizations.models import DirtyMark, Organization
from guiju.profiles import reasons
from guiju.profiles.comparing import ABSENT, Comparison
from guiju.profiles.operations import Proposal
from guiju.profiles.terms import Terms
from guiju.rules import engine, tables
from guiju.rules.findings import VERDICT_CODES, Findings
from guiju.rules.pack import Pack
from guiju.scoring import bulk, dirty, judging, sheets
from guiju.scoring.judging import Law
from guiju.scoring.operations import arrow_url
from guiju.scoring.places import Places
from guiju.scoring.profiles import complete_after, enabled_profiles
from guiju.tenancy.queries import ProfileInForce
from guiju.tenancy.queries import enabled_profiles as stored_profiles

Packs = Mapping[str, Pack]
#: Numbers of an organization's superiors from the top down and its own; None for the tenant.
Line = Sequence[int] | None
#: Told how far it is: (done, total) organizations.
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Laws:
    """What everything is judged by at present, and what it would be judged by."""

    present: Law
    proposed: Law


@dataclass(frozen=True)
class RuleSummary:
    """What becomes of the findings on one part of a requirement.

    ``moves`` are ``[from, to, findings]`` by verdict code, -1 for what is not judged;
    ``why`` are sentences.
    """

    profile: str
    requirement: str
    part: str | None
    subject_type: str
    organizations: int
    findings: int
    moves: list[list[int]]
    why: list[str]


@dataclass(frozen=True)
class Summary:
    """A preview without its list of organizations.

    ``before`` and ``after`` count findings by verdict; ``judged`` organizations were looked
    at; ``left_out`` are ids of requirements that rest on matters of discipline.
    """

    before: dict[str, int]
    after: dict[str, int]
    judged: int
    rules: list[RuleSummary]
    left_out: list[str]

    def as_json(self) -> dict[str, Any]:
        """For storage; :meth:`from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Summary:
        """What :meth:`as_json` gave."""
        return cls(**{**stored, "rules": [RuleSummary(**rule) for rule in stored["rules"]]})


@dataclass(frozen=True)
class Preview:
    """A summary and the moves behind it; ``newest_mark`` is the last change that was seen."""

    summary: Summary
    comparison: Comparison
    newest_mark: int


def laws(
    session: AnySession,
    packs: Packs,
    proposal: Proposal | None,
    as_of: date,
    newer: Iterable[Pack] = (),
) -> Laws:
    """The law as it is, and as it would be after a proposal or with newer versions of packs.

    Raises ``BadInput`` where enabled profiles cannot be judged by, now or then.
    """
    rows = stored_profiles(session)
    wait = complete_after(session)
    present = Law(packs, enabled_profiles(session, packs, rows), as_of, wait)
    if proposal is not None:
        rows = _replaced(session, rows, proposal.organization_id, proposal.after)
    later = {**packs, **{pack.id: pack for pack in newer}}
    proposed = Law(later, enabled_profiles(session, later, rows), as_of, wait)
    return Laws(present, proposed)


def _line(session: AnySession, organization_id: int) -> list[int]:
    path = session.scalars(
        sa.select(Organization.path).where(Organization.id == organization_id)
    ).one()
    return [int(step) for step in path.strip("/").split("/")]


def _replaced(
    session: AnySession, rows: Iterable[ProfileInForce], organization_id: int, terms: Terms
) -> list[ProfileInForce]:
    path = session.scalars(
        sa.select(Organization.path).where(Organization.id == organization_id)
    ).one()
    others = [row for row in rows if row.organization_id != organization_id]
    new = [
        # It has no number yet.
        ProfileInForce(
            0, organization_id, path, term.profile, term.judge_from, term.until, term.settings
        )
        for term in terms
    ]
    return sorted([*others, *new], key=lambda row: (row.path, row.judge_from))


def preview(
    session: AnySession,
    laws: Laws,
    organization_id: int | None,
    report: Report = lambda _done, _total: None,
) -> Preview:
    """Judge the records of an organization and everything below it (None: of all) both ways.

    Inside a tenant's scope; what was ever below the organization counts in.
    """
    comparison = Comparison()
    judged = 0
    line = None if organization_id is None else _line(session, organization_id)
    both = _BothLaws(**vars(laws.proposed), laws=laws)
    with arrow_connection(arrow_url(session)) as connection:
        newest = _newest_mark(connection)
        plan = dirty.plan(connection, both.reach(), complete=True)
        for task in plan.tasks if plan else []:
            snapshot = judging.read(connection, both, task.read, superiors=task.superiors)
            ids = snapshot.facts.numbers("organizations")
            scope = np.ones(len(ids), dtype=np.bool_)
            if task.judged is not None:
                scope &= np.isin(ids, task.judged)
            if organization_id is not None:
                scope &= _ever_below(snapshot.places, organization_id)
            judged += int(scope.sum())
            comparison.add(
                ids,
                _unrestricted(judging.judge(laws.present, snapshot, scope)),
                _unrestricted(judging.judge(laws.proposed, snapshot, scope)),
            )
            report(judged, plan.total if plan else judged)
    return Preview(_summary(laws, line, comparison, judged), comparison, newest)


def _newest_mark(connection: adbc.Connection) -> int:
    """Number of the last change of records that waits to be judged; 0 where none does."""
    mark = DirtyMark.__table__
    newest = sa.select(sa.func.coalesce(sa.func.max(mark.c.id), 0).label("newest")).where(
        mark.c.tenant_id == bulk.tenant(), mark.c.reason != dirty.BELOW
    )
    (found,) = bulk.query(connection, newest)["newest"].to_pylist()
    return int(found)


def _ever_below(places: Places, organization_id: int) -> NDArray[np.bool_]:
    """Organizations at or below one, now or on an earlier day."""
    step = f"/{organization_id}/"
    found = np.zeros(len(places.ids), dtype=np.bool_)
    for paths in places.paths:
        found |= np.fromiter((step in path for path in paths), np.bool_, len(found))
    return found


@dataclass(frozen=True, kw_only=True)
class _BothLaws(Law):
    """Reads what either law needs, matters of discipline excepted."""

    laws: Laws

    def rules(self) -> Iterator[engine.Rule]:
        yield from self.laws.present.rules()
        yield from self.laws.proposed.rules()

    def columns(self) -> dict[str, set[str]]:
        return {
            name: found
            for name, found in super().columns().items()
            if not tables.TABLES[name].restricted
        }


def _unrestricted(judged: Iterable[tuple[str, Findings]]) -> Iterator[tuple[str, Findings]]:
    for profile, found in judged:
        blocks = [block for block in found.blocks if not sheets.is_restricted(block.rule)]
        yield profile, replace(found, blocks=blocks)


# -- what comes of it ------------------------------------------------------------------


def _summary(laws: Laws, line: Line, comparison: Comparison, judged: int) -> Summary:
    before, after = _judging(laws.present, line), _judging(laws.proposed, line)
    left_out = {
        rule.id
        for law, judging_ in ((laws.present, before), (laws.proposed, after))
        for rule in law.rules()
        if sheets.is_restricted(rule)
        and any(rule.id in one.pack.by_id for one in judging_.values())
    }
    return Summary(
        _by_verdict(comparison.before),
        _by_verdict(comparison.after),
        judged,
        [_of_rule(comparison, place, before, after) for place in range(len(comparison.rules))],
        sorted(left_out),
    )


def _judging(law: Law, line: Line) -> reasons.Law:
    """The profiles enabled in a line from the top down, with the nearest readings and settings."""
    nearest = sorted(
        (one for one in law.enabled if line is None or one.organization_id in line),
        key=lambda one: 0 if line is None else line.index(one.organization_id),
    )
    return {one.profile: reasons.Judging(law.packs[one.profile], one.choices) for one in nearest}


def _of_rule(
    comparison: Comparison, place: int, before: reasons.Law, after: reasons.Law
) -> RuleSummary:
    rule = comparison.rules[place]
    here = comparison.rule == place
    pairs = np.stack([comparison.from_[here], comparison.to[here]], axis=1)
    number = comparison.number[here]
    kinds, kind = np.unique(pairs, axis=0, return_inverse=True)
    sums = np.bincount(kind.ravel(), weights=number, minlength=len(kinds)).astype(np.int64)
    moves = [[int(a), int(b), int(n)] for (a, b), n in zip(kinds, sums, strict=True)]
    return RuleSummary(
        *rule,
        organizations=len(np.unique(comparison.organization[here])),
        findings=int(number.sum()),
        moves=moves,
        why=reasons.reasons(
            before,
            after,
            rule,
            begins=all(move[0] == ABSENT for move in moves),
            ends=all(move[1] == ABSENT for move in moves),
        ),
    )


def _by_verdict(totals: Mapping[int, NDArray[np.int64]]) -> dict[str, int]:
    sums = sum(totals.values(), np.zeros(len(VERDICT_CODES), dtype=np.int64))
    return {
        str(verdict): int(number)
        for verdict, number in zip(VERDICT_CODES, sums, strict=True)
        if number
    }
