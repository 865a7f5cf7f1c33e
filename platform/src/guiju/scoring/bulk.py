"""Writing Arrow tables through ADBC: a temporary table, then what differs.

``COPY`` straight into a table with row-level security is refused.  A few rows are bound
as parameters instead, which spares the catalogue a table each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGDialect

from guiju.db.scope import current_tenant_id

#: Up to this many rows, parameters are quicker than a bulk copy.
FEW = 50

_DIALECT = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_STAGED = "staged"


def tenant() -> sa.ColumnElement[int]:
    """The tenant's number, written into the statement."""
    return sa.literal_column(str(current_tenant_id()), sa.BigInteger)


def sql(statement: Any, *, literals: bool = False) -> str:
    """The text of a statement for ADBC: parameters are numbered in their order.

    With ``literals`` the values of parameters are written into the text.
    """
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": literals}))


def query(connection: adbc.Connection, statement: Any, *parameters: Any) -> pa.Table:
    """The rows of a query; ``parameters`` are what it calls ``$1`` and so on."""
    with connection.cursor() as cursor:
        cursor.execute(sql(statement, literals=True), parameters or None)
        return cursor.fetch_arrow_table()


def upsert(
    connection: adbc.Connection, table: sa.Table, rows: pa.Table, *, compare: Sequence[str] = ()
) -> int:
    """Insert ``rows`` (all columns but the tenant), or replace those with the same key.

    Rows that say the same in the columns ``compare`` stay as they are.  Returns how many were
    written.
    """
    keys = [column.name for column in table.primary_key]
    names = rows.column_names

    def statement(source: sa.Select[Any]) -> Any:
        insert = postgresql.insert(table).from_select(["tenant_id", *names], source)
        others = {name: insert.excluded[name] for name in names if name not in keys}
        differs = [table.c[n].is_distinct_from(insert.excluded[n]) for n in compare]
        where = sa.or_(*differs) if differs else None
        return insert.on_conflict_do_update(index_elements=keys, set_=others, where=where)

    return _write(connection, table, rows, statement)


def insert(connection: adbc.Connection, table: sa.Table, rows: pa.Table) -> int:
    """Insert ``rows`` (all columns but the tenant)."""

    def statement(source: sa.Select[Any]) -> Any:
        return sa.insert(table).from_select(["tenant_id", *rows.column_names], source)

    return _write(connection, table, rows, statement)


def delete(connection: adbc.Connection, table: sa.Table, keys: pa.Table) -> int:
    """Delete the rows whose columns equal a row of ``keys``; returns how many."""

    def statement(source: sa.Select[Any]) -> Any:
        wanted = source.subquery()
        return sa.delete(table).where(
            table.c.tenant_id == tenant(),
            *(table.c[name] == wanted.c[name] for name in keys.column_names),
        )

    return _write(connection, table, keys, statement)


def _write(connection: adbc.Connection, table: sa.Table, rows: pa.Table, statement: Any) -> int:
    if not rows.num_rows:
        return 0
    if rows.num_rows <= FEW:
        values = [
            sa.cast(sa.bindparam(f"p{number}", type_=table.c[name].type), table.c[name].type).label(
                name
            )
            for number, name in enumerate(rows.column_names)
        ]
        text = sql(statement(sa.select(tenant().label("tenant_id"), *values)))
        with connection.cursor() as cursor:
            cursor.executemany(text, rows)
        return int(rows.num_rows)
    with _staged(connection, table, rows) as staged, connection.cursor() as cursor:
        cursor.execute(sql(statement(sa.select(tenant().label("tenant_id"), *staged.c))))
        return int(cursor.rowcount)


@contextmanager
def _staged(
    connection: adbc.Connection, table: sa.Table, rows: pa.Table
) -> Iterator[sa.FromClause]:
    columns = [sa.Column(name, table.c[name].type) for name in rows.column_names]
    staged = sa.Table(_STAGED, sa.MetaData(), *columns)
    with connection.cursor() as cursor:
        cursor.adbc_ingest(_STAGED, rows, mode="create", temporary=True)
        yield staged
        cursor.execute(f"DROP TABLE {_STAGED}")
