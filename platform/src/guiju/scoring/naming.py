"""From the database's numbers to the authors' ids, titles and days, for people to read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from guiju.db.arrays import any_of
from guiju.db.models import metadata
from guiju.db.session import AnySession, once
from guiju.organizations.models import Organization
from guiju.rules import tables
from guiju.rules.facts import VOCABULARIES, Facts
from guiju.rules.findings import CASE, SUBJECT_TABLES, Finding
from guiju.scoring import reader
from guiju.scoring.results import NotVisible, Record, Unit

#: A table and the number of a row (or person) of it.
Key = tuple[str, int]


class NumberedFacts(Facts):
    """Facts from the database whose records are named by table and number."""

    def record_id(self, table: str, row: int) -> str:
        """``table#number``, whether the table has ids or not."""
        return f"{table}#{int(self.numbers(table)[row])}"


def key_of(record_id: str) -> Key:
    """The table and number of a record id of :class:`NumberedFacts`."""
    table, _, number = record_id.partition("#")
    return table, int(number)


class Names:
    """Ids, units and records by number, looked up once for many."""

    def __init__(self, session: AnySession) -> None:
        self._session = session
        self._codes: dict[Key, str] = {}

    def look_up(self, keys: Iterable[Key]) -> None:
        """Fetch the authors' ids of these records."""
        wanted: dict[str, set[int]] = {}
        for key in keys:
            if key not in self._codes:
                wanted.setdefault(key[0], set()).add(key[1])
        for table, numbers in wanted.items():
            if table == CASE:
                papers = metadata.tables["documents"].c
                rows = self._session.execute(
                    sa.select(papers.id, papers.case).where(any_of(papers.id, numbers))
                )
                self._codes |= {(table, number): case for number, case in rows}
                continue
            stored = metadata.tables[table]
            if "code" in stored.c:
                rows = self._session.execute(
                    sa.select(stored.c.id, stored.c.code).where(any_of(stored.c.id, numbers))
                )
                self._codes |= {(table, number): code for number, code in rows}

    def code(self, key: Key) -> str:
        """The author's id; ``table#number`` for records that have none."""
        return self._codes.get(key, f"{key[0]}#{key[1]}")

    def tell(self, unit: Unit) -> None:
        """Take the name of an organization from who has read it already."""
        known: dict[int, Unit] = once(self._session, Unit, dict)
        known[unit.organization_id] = unit

    def units(self, organizations: Collection[int]) -> Mapping[int, Unit]:
        """Organizations as lists name them."""
        known: dict[int, Unit] = once(self._session, Unit, dict)
        missing = set(organizations) - set(known)
        if missing:
            rows = self._session.execute(
                sa.select(
                    Organization.id, Organization.code, Organization.name, Organization.kind
                ).where(any_of(Organization.id, missing))
            )
            known |= {row[0]: Unit(*row) for row in rows}
        return known


def keys_of(finding: Finding) -> list[Key]:
    """Every record that a finding (of :class:`NumberedFacts`) names."""
    return [
        _subject_key(finding),
        ("organizations", int(finding.organization)),
        *map(key_of, finding.evidence),
    ]


def contract(finding: Finding, names: Names) -> dict[str, Any]:
    """The finding with the keys of the public contract and the authors' ids."""
    found = finding.as_dict()
    found["subject"] = {"type": found["subject"]["type"], "id": names.code(_subject_key(finding))}
    found["organization"] = names.code(("organizations", int(finding.organization)))
    found["evidence"] = [names.code(key_of(record)) for record in finding.evidence]
    return found


def _subject_key(finding: Finding) -> Key:
    subject = finding.subject
    if subject["type"] == CASE:
        return CASE, int(subject["id"])
    return SUBJECT_TABLES[subject["type"]], int(subject["id"])


def numbered_subject(session: AnySession, subject_type: str, code: str, organization: int) -> int:
    """The number of a subject by the author's id; raises ``NotVisible`` for an unknown one.

    A case is one of the ``organization`` that answers for it.
    """
    table = SUBJECT_TABLES.get(subject_type)
    if subject_type == CASE:
        paper = session.scalar(reader.first_paper(sa.literal(code), sa.literal(organization)))
        if paper is not None:
            return int(paper)
    elif table is not None:
        stored = metadata.tables[table]
        number = session.scalar(sa.select(stored.c.id).where(stored.c.code == code))
        if number is not None:
            return int(number)
    raise NotVisible(f"{subject_type} {code}")


# -- records as people call them ------------------------------------------------------


def records(
    session: AnySession, names: Names, reasons: Iterable[tuple[Key, str | None]], facts: Facts
) -> list[Record]:
    """What was looked at, in order; ``reasons`` say why a record was not counted."""
    wanted = list(reasons)
    names.look_up(key for key, _ in wanted)
    by_table: dict[str, set[int]] = {}
    for (table, number), _ in wanted:
        by_table.setdefault(table, set()).add(number)
    described: dict[Key, tuple[str, date | None]] = {}
    for table, numbers in by_table.items():
        if table in tables.TABLES:
            rows = reader.records(session, table, numbers)
            described |= _described(table, rows, facts)
    return [
        Record(key[0], names.code(key), *described.get(key, (names.code(key), None)), reason)
        for key, reason in wanted
    ]


def _described(table: str, rows: pa.Table, facts: Facts) -> dict[Key, tuple[str, date | None]]:
    fields = tables.columns(table)
    number = "row_number" if "row_number" in rows.column_names else "id"
    days = [name for name, field in fields.items() if field.metadata["kind"] == "day"]
    found = {}
    for row in rows.to_pylist():
        day = next((row[name] for name in days if row.get(name) is not None), None)
        found[table, row[number]] = (_title(table, row, facts), day)
    return found


def _title(table: str, row: Mapping[str, Any], facts: Facts) -> str:
    """What kind of record it is, and its own title or name."""
    own = next((str(row[name]) for name in ("title_text", "name", "theme") if row.get(name)), None)
    kind = _kind(table, row, facts) or tables.TABLES[table].title
    if own is None:
        return kind
    if table == "occasions":
        return kind if own in kind else f"{kind}：{own}"
    return own


def _kind(table: str, row: Mapping[str, Any], facts: Facts) -> str | None:
    """The labels of its first code or list of codes."""
    for name, field in tables.columns(table).items():
        value, kind = row.get(name), field.metadata["kind"]
        if not value or kind not in {"code", "codes"}:
            continue
        vocabulary = field.metadata["vocabulary"].name
        codes = facts.unmask(vocabulary, value) if kind == "codes" else [value]
        return "、".join(VOCABULARIES[vocabulary].get(code, code) for code in codes)
    return None
