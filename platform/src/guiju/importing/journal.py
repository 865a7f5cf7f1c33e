"""What an import writes, noted while it is written."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from guiju.db.facts_tables import stored_name
from guiju.db.merge import Journal
from guiju.db.models import metadata
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.importing.models import Import, ReplacedRow
from guiju.rules import tables


@cache
def facts_columns(table: str) -> tuple[str, ...]:
    """The stored columns that say what a row says; what is derived from others is none."""
    if table == "people":
        return ("code", "name")
    stored = (stored_name(table, column) for column in tables.columns(table))
    return tuple(name for name in stored if name is not None)


def journal(import_id: int, *, rehearsed: bool = False) -> Journal:
    """Where the rows of an import are noted; of one rehearsed, those alone that are shown."""
    key = {"tenant_id": current_tenant_id(), "import_id": import_id}
    inserted, replaced = (metadata.tables[name] for name in ("imported_rows", "replaced_rows"))
    return Journal(None if rehearsed else inserted, replaced, key, facts_columns)


def fingerprint(session: AnySession, made: Import) -> dict[str, Any]:
    """What an import did, briefly: two that do the same have the same.

    Numbers given to new rows are not in it, so it is the same before and after a rehearsal.
    """
    row = ReplacedRow.__table__.c
    said = sa.func.hashtextextended(sa.cast(row.before, sa.Text), row.number)
    replaced = session.execute(
        sa.select(row.table_name, sa.cast(sa.func.sum(sa.cast(said, sa.Numeric)), sa.Text))
        .where(row.import_id == made.id)
        .group_by(row.table_name)
    )
    return {
        "inserted": made.inserted,
        "updated": made.updated,
        "replaced": {name: total for name, total in replaced},  # noqa: C416 - rows of a result
    }
