"""Stored findings as findings again: unpacked, decoded by the pack, worded for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.db.codes import code_bits
from guiju.db.session import AnySession
from guiju.rules import engine, periods
from guiju.rules.engine import Rule
from guiju.rules.findings import (
    CODE_OF,
    SUBJECT_TABLES,
    VERDICT_CODES,
    Block,
    Evidence,
    Finding,
    Other,
)
from guiju.rules.pack import Choices, Pack
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict
from guiju.scoring import naming, payload, reader
from guiju.scoring.models import NO_YEAR
from guiju.scoring.naming import Names, NumberedFacts
from guiju.scoring.numbering import ReadingKey, RuleKey, reading_keys, rule_keys
from guiju.scoring.payload import EVIDENCE_TABLES, NO_PERIOD
from guiju.scoring.results import FindingView


class Law:
    """Numbers to rules: what stored findings were judged by, as it is today."""

    def __init__(
        self, session: AnySession, packs: Mapping[str, Pack], choices: Mapping[str, Choices]
    ) -> None:
        """``choices`` are those that hold for the organization looked at, by profile."""
        self.keys: Mapping[int, RuleKey] = rule_keys(session)
        self.readings: Mapping[int, ReadingKey] = reading_keys(session)
        self.packs = packs
        self._rules = {
            (profile, rule.id, rule.part.id, rule.version.from_on): rule
            for profile, chosen in choices.items()
            for rule in engine.compile_rules(packs[profile], chosen)
        }

    def rule(self, number: int) -> Rule | None:
        """The rule; None where the installed packs no longer have it."""
        key = self.keys[number]
        return self._rules.get((key.profile, key.requirement, key.part, key.valid_from))


def period_of(key: RuleKey, year: int, place: int) -> tuple[Unit, int] | None:
    """Unit and index of a stored period."""
    if key.unit is None or place == NO_PERIOD or year == NO_YEAR:
        return None
    unit = Unit.named(key.unit)
    return unit, (year - 1970) * (12 // unit.value) + place


@dataclass(frozen=True)
class Stored:
    """One stored finding before it is decoded."""

    profile: str
    rule: Rule
    subject_type: str
    #: Numbers of the organization that answers and of the subject.
    organization: int
    subject: int
    verdict: int
    required: int
    observed: int
    due: int
    note: int
    period: tuple[Unit, int] | None
    evidence_table: str | None
    evidence: Sequence[int]
    others: Sequence[tuple[ReadingKey, int]]


def unpacked(rows: Iterable[Mapping[str, Any]], law: Law, answerable: int) -> Iterator[Stored]:
    """The findings in stored rows; ``answerable`` is the branch that answers for its groups."""
    for row in rows:
        columns = payload.unpack(row)
        year, own = int(row["year"]), int(row["organization_id"])
        about_itself = "subjects" not in row
        evidence = columns.evidence.tolist()
        others: dict[int, list[tuple[ReadingKey, int]]] = {}
        for at, reading, verdict in zip(
            *_lists(columns.other_at, columns.other_reading, columns.other_verdict), strict=True
        ):
            others.setdefault(at, []).append((law.readings[reading], verdict))
        cells = zip(
            *_lists(columns.rule, columns.place, columns.verdict, columns.required),
            *_lists(columns.observed, columns.due, columns.note, columns.table),
            *_lists(columns.evidence_count, np.cumsum(columns.evidence_count)),
            [own] * len(columns) if about_itself else columns.subject.tolist(),
            strict=True,
        )
        for at, cell in enumerate(cells):
            number, place, verdict, required, observed, due, note, table, count, end, who = cell
            rule, key = law.rule(number), law.keys[number]
            if rule is None:
                continue
            yield Stored(
                profile=key.profile,
                rule=rule,
                subject_type=key.subject_type,
                organization=answerable if about_itself else own,
                subject=who,
                verdict=verdict,
                required=required,
                observed=observed,
                due=due,
                note=note,
                period=period_of(key, year, place),
                evidence_table=EVIDENCE_TABLES[table - 1] if table else None,
                evidence=evidence[end - count : end],
                others=others.get(at, ()),
            )


def _lists(*columns: NDArray[Any]) -> list[list[int]]:
    return [column.tolist() for column in columns]


def views(
    session: AnySession,
    packs: Mapping[str, Pack],
    stored: Sequence[Stored],
    names: Names,
    superiors: Iterable[int],
) -> list[FindingView]:
    """The findings as people and programs see them, in the order given.

    ``superiors`` are the numbers of the organizations above theirs.
    """
    facts = _facts(session, packs, stored, superiors)
    places = _Places(facts)
    found = [_finding(one, facts, places) for one in stored]
    names.look_up(key for finding in found for key in naming.keys_of(finding))
    return [view(finding, names) for finding in found]


def view(finding: Finding, names: Names) -> FindingView:
    """One finding (of :class:`~guiju.scoring.naming.NumberedFacts`) as people see it."""
    return FindingView(
        finding=naming.contract(finding, names),
        organization_id=int(finding.organization),
        subject_id=int(finding.subject["id"]),
        title=finding.rule.title,
        period_text=finding.period_text,
    )


def bare_facts(session: AnySession, packs: Mapping[str, Pack]) -> NumberedFacts:
    """Facts of no record, which know what stored masks and numbers of codes mean."""
    return NumberedFacts({}, bits=_code_lists(session, packs))


def compared(one: Stored, facts: NumberedFacts) -> tuple[int, int] | None:
    """Observed and required where both are numbers; ``facts`` may be bare."""
    rule = one.rule
    silent = one.verdict == CODE_OF[Verdict.NOT_APPLICABLE] and one.period is None
    if rule.check.observed_table is not None or silent:
        return None
    observed = rule.check.observed(rule, one.observed, facts)
    required = rule.check.required(rule, one.required, facts)
    if type(observed) is int and type(required) is int:
        return observed, required
    return None


def _code_lists(session: AnySession, packs: Mapping[str, Pack]) -> dict[str, list[str]]:
    bits = [(name, code) for name, codes in code_bits(session).items() for code in codes]
    return reader.code_lists(bits, packs)


def _facts(
    session: AnySession,
    packs: Mapping[str, Pack],
    stored: Sequence[Stored],
    superiors: Iterable[int],
) -> NumberedFacts:
    """The records that findings name, with everything that their wording may look at."""
    wanted: dict[str, set[int]] = {"organizations": set(superiors)}
    for one in stored:
        wanted["organizations"] |= {one.organization}
        for table, numbers in _named(one):
            wanted.setdefault(table, set()).update(numbers)
    people = wanted.pop("people", set())
    source = {table: reader.records(session, table, numbers) for table, numbers in wanted.items()}
    source["organizations"] = source["organizations"].drop_columns(["path"])
    if people and "members" not in source:
        # Nobody's roster, only their numbers.
        source["members"] = pa.table({"id": pa.array(sorted(people), pa.int64())})
    return NumberedFacts(source, bits=_code_lists(session, packs))


def _named(one: Stored) -> Iterator[tuple[str, Iterable[int]]]:
    yield SUBJECT_TABLES[one.subject_type], [one.subject]
    if one.evidence_table is not None:
        yield one.evidence_table, one.evidence
    table = one.rule.check.observed_table
    if table is not None and one.observed >= 0:
        yield table, [one.observed]


def _finding(one: Stored, facts: NumberedFacts, places: _Places) -> Finding:
    evidence = Evidence.none(1)
    if one.evidence_table is not None:
        rows = places.of(one.evidence_table, one.evidence)
        zero = np.zeros(1, dtype=np.int64)
        evidence = Evidence(one.evidence_table, rows, zero, zero + len(rows))
    observed = one.observed
    table = one.rule.check.observed_table
    if table is not None:
        observed = int(places.of(table, [observed])[0])
    block = Block(
        rule=one.rule,
        subject_type=one.subject_type,
        subject=places.of(SUBJECT_TABLES[one.subject_type], [one.subject]),
        organization=places.of("organizations", [one.organization]),
        verdict=np.array([one.verdict], dtype=np.int8),
        required=np.array([one.required], dtype=np.int64),
        observed=np.array([observed], dtype=np.int64),
        evidence=evidence,
        unit=None if one.period is None else one.period[0],
        period=None if one.period is None else np.array([one.period[1]], dtype=np.int32),
        due=np.array([one.due], dtype=np.int32),
        note=np.array([one.note], dtype=np.int8),
        others=[
            Other(
                reading.reading,
                reading.option,
                np.zeros(1, dtype=np.int64),
                np.array([verdict], dtype=np.int8),
            )
            for reading, verdict in one.others
        ],
    )
    return Finding(block, 0, facts)


class _Places:
    """Row numbers in the facts of the database's numbers."""

    def __init__(self, facts: NumberedFacts) -> None:
        self._facts = facts
        self._known: dict[str, dict[int, int]] = {}

    def of(self, table: str, numbers: Sequence[int]) -> np.ndarray[Any, np.dtype[np.int32]]:
        """The rows of ``table`` with these numbers; -1 for one that is gone."""
        known = self._known.get(table)
        if known is None:
            rows = enumerate(self._facts.numbers(table).tolist())
            known = self._known[table] = {number: row for row, number in rows}
        return np.array([known.get(number, -1) for number in numbers], dtype=np.int32)


def period_text(period: tuple[Unit, int] | None) -> tuple[str | None, str]:
    """A period's label and what a Chinese reader calls it."""
    if period is None:
        return None, ""
    unit, index = period
    return periods.label(index, unit), periods.describe(index, unit)


#: Key in counts of what is met by records made late; it is counted among what is met, too.
LATE = "late"
#: What counts name, in the order of the numbers that stand for it.
COUNTED = (*map(str, VERDICT_CODES), LATE)

#: Verdicts by how urgently they call for somebody.
GRAVEST_FIRST = (
    "not_met",
    "deviation",
    "action_due",
    "needs_judgement",
    "no_data",
    "pending",
    "met",
    "not_applicable",
)


def gravest(verdicts: Iterable[str]) -> str:
    """The verdict that a cell of several findings shows."""
    return min(verdicts, key=GRAVEST_FIRST.index)


def as_counts(numbers: Sequence[int], late: int) -> dict[str, int]:
    """Counts by verdict from an array in the order of the verdicts' codes, and what is late."""
    return {
        code: int(number) for code, number in zip(COUNTED, [*numbers, late], strict=True) if number
    }
