"""Many rows in and out of the session's transaction at once, through COPY."""

import io
from collections.abc import Mapping
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql
from pyarrow import csv
from sqlalchemy.dialects.postgresql import REGCLASS

from guiju.db.arrow_rows import Numbers
from guiju.db.session import AnySession

#: Up to this many rows, or ids looked up, a parameter is quicker than a copy.
FEW = 1000

_BATCH = 100_000


def count_anew(session: AnySession, table: str) -> None:
    """Bring the statistics of a table up to date with what this transaction wrote to it.

    Others who want the same of the table wait for the end of the transaction.
    """
    session.execute(sa.select(sa.func.count_anew(sa.cast(table, REGCLASS))))


def look_up_by_index(session: AnySession) -> None:
    """From now to the end of the transaction, have rows looked up by index, not by scanning.

    Foreign keys are checked row by row.  Where the statistics say that a table is empty, as they
    do before the first import or after one that was rolled back, each check would scan what the
    same transaction has just written: 100,000 members right after their preview took minutes.
    """
    session.execute(sa.text("SELECT set_config('enable_seqscan', 'off', true)"))


def copy_in(session: AnySession, table: str, rows: pa.Table) -> None:
    """Append ``rows`` to a table without row-level security, such as a temporary one."""
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(table))
    plain = pa.table({name: _plain(rows[name]) for name in rows.column_names})
    options = csv.WriteOptions(include_header=False)
    with _driver(session).cursor() as cursor, cursor.copy(statement) as copy:
        for batch in plain.to_batches(max_chunksize=_BATCH):
            buffer = io.BytesIO()
            csv.write_csv(batch, buffer, options)
            copy.write(buffer.getbuffer())


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column that CSV can say; a list becomes PostgreSQL's ``{1,2}``."""
    if not pa.types.is_list(column.type):
        return column
    text = [
        None if value is None else f"{{{','.join(map(str, value))}}}"
        for value in column.to_pylist()
    ]
    return pa.chunked_array([pa.array(text, pa.string())])


def numbers_of(session: AnySession, table: sa.Table, codes: pa.Array) -> Numbers:
    """The numbers of the rows of ``table`` whose code is one of ``codes``."""
    if len(codes) <= FEW:
        named = sa.select(table.c.code, table.c.id).where(table.c.code.in_(codes.to_pylist()))
        found = session.execute(named).all() if len(codes) else []
        return Numbers(
            pa.array([code for code, _ in found], pa.string()),
            pa.array([number for _, number in found], pa.int64()),
        )
    found = copy_out(
        session, sa.select(table.c.code, table.c.id), {"code": pa.string(), "id": pa.int64()}
    )
    return Numbers(found["code"].combine_chunks(), found["id"].combine_chunks())


def new_numbers(session: AnySession, table: sa.Table, count: int) -> pa.Array:
    """``count`` numbers for rows to come."""
    if not count:
        return pa.array([], pa.int64())
    sequence = sa.Sequence(f"{table.name}_id_seq")
    (ids,) = session.execute(
        sa.select(sa.func.array_agg(sequence.next_value())).select_from(
            sa.func.generate_series(1, count)
        )
    ).one()
    return pa.array(ids or [], pa.int64())


def copy_out(
    session: AnySession, select: sa.Select[Any], types: Mapping[str, pa.DataType]
) -> pa.Table:
    """What ``select`` finds, by the million; it has no parameters.

    ``types`` are the columns in its order.  Blank text is text, not null.
    """
    statement = str(select.compile(dialect=session.get_bind().dialect))
    buffer = io.BytesIO()
    with (
        _driver(session).cursor() as cursor,
        cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy,
    ):
        for data in copy:
            buffer.write(data)
    if not buffer.tell():
        return pa.schema(list(types.items())).empty_table()
    buffer.seek(0)
    return csv.read_csv(
        buffer,
        read_options=csv.ReadOptions(column_names=list(types)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict(types),
            strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _driver(session: AnySession) -> psycopg.Connection:
    """The driver's connection, in the session's transaction."""
    connection: Any = session.connection().connection.driver_connection
    return connection  # type: ignore[no-any-return]
