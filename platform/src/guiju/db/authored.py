"""Stored rows as their author would write them: the author's ids, codes and days.

The way back from :mod:`guiju.db.arrow_rows`: a row of a facts table with the column names of
:mod:`guiju.rules.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from guiju.db.codes import bits, codes_of
from guiju.db.facts_tables import stored_name
from guiju.db.models import metadata
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.rules import tables


def select_authored(table: str, *, only: Sequence[str] | None = None) -> sa.Select[Any]:
    """Rows of the facts table ``table``, each column under its author's name.

    Conditions and order are the caller's to add, on ``metadata.tables[table]``.  Columns kept
    in another table are left out (the name of a member), and so are those not in ``only``.
    Masks come as numbers until :func:`authored` has seen them.
    """
    stored = metadata.tables[table]
    return sa.select(
        *(
            _column(stored, table, column).label(column)
            for column in tables.columns(table)
            if stored_name(table, column) is not None and (only is None or column in only)
        )
    ).where(stored.c.tenant_id == current_tenant_id())


def authored(
    session: AnySession, table: str, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of :func:`select_authored` with lists of codes for masks, for the author to read."""
    columns = tables.columns(table)
    masked = {
        name: bits(session, field.metadata["vocabulary"].name)
        for name, field in columns.items()
        if field.metadata["kind"] == "codes"
    }
    return [
        {
            name: codes_of(value, masked[name]) if name in masked else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _column(stored: sa.Table, table: str, column: str) -> sa.ColumnElement[Any]:
    found = stored.c[str(stored_name(table, column))]
    field = tables.columns(table)[column]
    kind = field.metadata["kind"]
    if kind not in {"ref", "refs"}:
        return found
    # The alias is the subquery's own: a row may point to a row of its own table.
    target = metadata.tables[str(field.metadata["target"])].alias()
    codes = sa.select(target.c.code).where(target.c.tenant_id == stored.c.tenant_id)
    if kind == "ref":
        return codes.where(target.c.id == found).scalar_subquery()
    listed = sa.select(target.c.code).where(
        target.c.tenant_id == stored.c.tenant_id, target.c.id == sa.any_(found)
    )
    return sa.case((found.is_(None), None), else_=sa.func.array(listed.scalar_subquery()))
