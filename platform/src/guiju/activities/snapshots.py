"""Records read back in the shape in which they are typed (:mod:`guiju.activities.payloads`).

What is blank is left out.  A snapshot has ``recorded_on`` and ``files`` besides (a list of
``id``, ``name``, ``kind`` and ``digest``), and is what a version keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, aggregate_order_by

from guiju.activities import leave
from guiju.activities.models import Record, RecordFile
from guiju.activities.payloads import PARTS
from guiju.db.arrays import any_of
from guiju.db.codes import bits, codes_of, masked_vocabularies
from guiju.db.facts_tables import stored_name
from guiju.db.models import metadata, this_tenant
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.rules import tables

Snapshot = dict[str, Any]

#: What a snapshot tells and nobody types.
_TOLD = frozenset({"recorded_on", "files"})
_TARGETS = ("organizations", "people", "occasions")


def snapshot(session: AnySession, occasion_id: int) -> Snapshot:
    """One occasion as it is recorded now."""
    return snapshots(session, [occasion_id])[occasion_id]


def snapshots(session: AnySession, occasions: Collection[int]) -> dict[int, Snapshot]:
    """Occasions (by number) as they are recorded now."""
    rows = _rows(session, occasions)
    words = _Words(session, {name: rows[name] for name in ("occasions", *PARTS)})
    found: dict[int, Snapshot] = {}
    for row in rows["occasions"]:
        found[row["id"]] = words.plain("occasions", row)
    for part in PARTS:
        for row in rows[part]:
            told = words.plain(part, row)
            if row.get(leave.COLUMN) is not None and row["status"] == "excused":
                told[leave.COLUMN] = row[leave.COLUMN]
            found[row["occasion_id"]].setdefault(part, []).append(told)
    for row in rows.pop("records"):
        told = found[row["occasion_id"]]
        if row["content"] is not None:
            told["content"] = row["content"]
        if row["extra"]:
            told["extra"] = row["extra"]
    for row in rows["record_files"]:
        told = {name: row[name] for name in ("id", "name", "kind", "digest")}
        found[row["occasion_id"]].setdefault("files", []).append(told)
    return found


def editable(snapshot: Mapping[str, Any]) -> Snapshot:
    """A snapshot without what nobody types: a payload to go on with.

    What was cancelled has been held after all when somebody corrects it.
    """
    return {
        name: value
        for name, value in snapshot.items()
        if name not in _TOLD and (name, value) != ("status", "cancelled")
    }


def _rows(session: AnySession, occasions: Collection[int]) -> dict[str, list[Mapping[str, Any]]]:
    """The rows of occasions and of all their parts, asked for at once."""
    found = session.execute(_ROWS, {"occasions": list(occasions)}).one()
    return {name: getattr(found, name) or [] for name in _TABLES}


def _listed(name: str) -> sa.ScalarSelect[Any]:
    """The rows of a table as one list, days as text."""
    table = metadata.tables[name]
    key = table.c.id if name == "occasions" else table.c.occasion_id
    order = [table.c.id] if "id" in table.c else [table.c.person_id, table.c.person_class]
    # A file that was removed is kept for the versions that had it.
    there = [table.c.removed_at.is_(None)] if "removed_at" in table.c else []
    row = sa.func.to_json(table.table_valued())
    return (
        sa.select(sa.func.json_agg(aggregate_order_by(row, *order), type_=JSON))
        .where(table.c.tenant_id == this_tenant(), key == sa.any_(_OCCASIONS), *there)
        .scalar_subquery()
    )


_TABLES = ("occasions", *PARTS, Record.__tablename__, RecordFile.__tablename__)
_OCCASIONS = sa.bindparam("occasions", type_=ARRAY(sa.BigInteger))
_ROWS = sa.select(*(_listed(name).label(name) for name in _TABLES))


def _columns(table: str) -> dict[str, Any]:
    """The columns that a snapshot tells: of a part not which occasion, of that not whose."""
    left_out = {"id", "organization"} if table == "occasions" else {"occasion"}
    columns = tables.columns(table)
    return {name: columns[name] for name in columns if name not in left_out}


class _Words:
    """Codes for the numbers and masks in rows."""

    def __init__(
        self, session: AnySession, rows: Mapping[str, Iterable[Mapping[str, Any]]]
    ) -> None:
        wanted: dict[str, set[int]] = {target: set() for target in _TARGETS}
        for name, found in rows.items():
            for column, field in _columns(name).items():
                target, stored = field.metadata.get("target"), stored_name(name, column)
                if target is None or stored is None:
                    continue
                for row in found:
                    value = row[stored]
                    wanted[target].update(value if isinstance(value, list) else [value])
        self._codes = {
            target: _codes_of(session, target, numbers - {None})
            for target, numbers in wanted.items()
        }
        self._bits = {name: bits(session, name) for name in masked_vocabularies()}

    def plain(self, table: str, row: Mapping[str, Any]) -> Snapshot:
        """A stored row as an author writes it."""
        told: Snapshot = {}
        for column, field in _columns(table).items():
            stored = stored_name(table, column)
            value = None if stored is None else row[stored]
            if value is None:
                continue
            match field.metadata["kind"]:
                case "ref":
                    told[column] = self._codes[field.metadata["target"]][value]
                case "refs":
                    codes = self._codes[field.metadata["target"]]
                    told[column] = [codes[number] for number in value]
                case "codes":
                    told[column] = codes_of(value, self._bits[field.metadata["vocabulary"].name])
                case _:
                    told[column] = value
        return {column: value for column, value in told.items() if value != []}


def _codes_of(session: AnySession, target: str, numbers: Collection[int]) -> dict[int, str]:
    if not numbers:
        return {}
    table = metadata.tables[target]
    rows = session.execute(
        sa.select(table.c.id, table.c.code).where(
            table.c.tenant_id == current_tenant_id(), any_of(table.c.id, numbers)
        )
    )
    return dict(rows.all())
