"""However the facts are brought, row by row or by whole columns, they are the same."""

from contextlib import ExitStack
from datetime import date

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from guiju.db.engine import arrow_connection, beside
from guiju.organizations.models import Organization
from guiju.rules import tables
from guiju.scoring import packing, reader
from guiju.scoring.operations import arrow_url

#: Every column, and those alone that can come whole.
COLUMNS = {
    "all": {name: set(tables.columns(name)) for name in tables.TABLES},
    "plain": {
        name: {
            column for column, field in tables.columns(name).items()
            if field.metadata["kind"] != "refs"
        }
        for name in tables.TABLES
    },
}  # fmt: skip


class Brought:
    """Stands in for the engine's facts and keeps what it is made of."""

    def __init__(self, source, **_):
        self.rows = {name: rows.num_rows for name, rows in source.items()}
        self.tables = {
            # Attendance alone has no order: a meeting's sheet is a set.
            name: sorted(map(repr, rows.to_pylist())) if name == "attendance" else rows.to_pylist()
            for name, rows in source.items()
        }


@pytest.fixture(scope="module")
def scoped(shared_town):
    """The town's session in its scope, and where its columns come from."""
    with shared_town.scope(restricted=True), shared_town.session() as session:
        yield session, arrow_url(session)


def brought(scoped, packs, columns, *, connections=1, organizations=None):
    _, url = scoped
    with ExitStack() as stack:
        first = stack.enter_context(arrow_connection(url))
        second = stack.enter_context(beside(first)) if connections == 2 else None
        return reader.read(first, columns, packs, organizations, second=second, facts=Brought).facts


@pytest.mark.parametrize("which", COLUMNS)
@pytest.mark.parametrize("connections", [1, 2])
def test_whole_columns_bring_what_rows_bring(scoped, packs, monkeypatch, which, connections):
    session, _ = scoped
    numbers = pa.array(session.scalars(sa.select(Organization.id)).all()).to_numpy()
    by_row = brought(scoped, packs, COLUMNS[which], organizations=numbers)
    # Also where a table is cut into as many parts as it has pages.
    monkeypatch.setattr(reader, "_PART", 1)
    whole = brought(scoped, packs, COLUMNS[which], connections=connections)
    assert by_row.rows["attendance"] > 1000
    assert whole.rows == by_row.rows
    assert whole.tables == by_row.tables


VALUES = [
    (1, 2**40, 7, True, date(2021, 2, 28), "党支部"),
    (2, -1, None, None, None, None),
    (3, None, -32767, False, date(1999, 12, 31), ""),
    (4, 0, 0, True, date(2024, 2, 29), "a\nb\x1f\\000"),
]
TYPES = [
    ("id", sa.Integer),
    ("key", sa.BigInteger),
    ("small", sa.SmallInteger),
    ("flag", sa.Boolean),
    ("day", sa.Date),
    ("word", sa.Text),
]


@pytest.mark.parametrize("rows", [VALUES, VALUES[:1], []], ids=["unknowns", "known", "none"])
def test_packed_values_are_the_values(scoped, rows):
    _, url = scoped
    values = sa.values(*(sa.column(name, kind) for name, kind in TYPES), name="v").data(
        [*rows, (0, None, None, None, None, None)]
    )
    # The row that gives the columns their types is not asked for.
    found = sa.select(*(sa.cast(c, c.type).label(c.name) for c in values.c)).subquery()
    columns = [found.c[name] for name, _ in TYPES]
    layout = packing.layout(columns)
    assert layout
    select = sa.select(*map(packing.packed, columns)).where(found.c.id > 0)
    text = select.compile(
        dialect=PGDialect(paramstyle="numeric_dollar"), compile_kwargs={"literal_binds": True}
    )
    with arrow_connection(url) as connection, connection.cursor() as cursor:
        cursor.execute(str(text))
        unpacked = packing.unpacked(cursor.fetch_arrow_table(), layout)
    assert [tuple(row.values()) for row in unpacked.to_pylist()] == rows


def test_lists_do_not_come_packed():
    assert packing.layout([sa.column("ids", sa.ARRAY(sa.BigInteger))]) is None
