"""What is written is what was read, whatever it is."""

import datetime as dt
import string
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from guiju import facts
from guiju.facts import columns, layout
from guiju.facts.cells import Sheet, Typed
from guiju.facts.faults import Faults
from guiju.facts.workbook_reader import read_workbook
from guiju.facts.workbook_writer import write_xlsx
from guiju.rules import tables

#: Tables without references: any rows of theirs are sound on their own.
ALONE = ("settings", "judgements")

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.just("\n"), min_size=1, max_size=40
).filter(lambda text: text.strip() == text)
ids = st.text(string.ascii_letters + string.digits + "-_./支部", min_size=1, max_size=12)
days = st.dates(tables.FIRST_DAY, tables.LAST_DAY)
periods = st.builds(
    "{}{}".format,
    st.integers(1921, 2199),
    st.sampled_from(["", "-H1", "-H2", "-Q4", "-B6", "-01", "-12"]),
)


def values(field):
    """Canonical values of a column, None for blank."""
    match layout.kind(field):
        case "day":
            found = days
        case "flag":
            found = st.booleans()
        case "count":
            found = st.integers(*layout.bounds(field))
        case "code":
            found = st.sampled_from(list(layout.vocabulary(field)))
        case "codes":
            found = st.lists(
                st.sampled_from(list(layout.vocabulary(field))), min_size=1, max_size=3, unique=True
            )
        case "refs":
            found = st.lists(ids, min_size=1, max_size=3, unique=True)
        case "period" if layout.unit(field) == "month":
            found = st.builds("{}-{:02}".format, st.integers(1921, 2199), st.integers(1, 12))
        case "period":
            found = periods
        case "text":
            found = texts
        case _:
            found = ids
    return found if field.required else st.none() | found


@st.composite
def any_columns(draw):
    """A few columns of any tables with values, all of one length."""
    table = draw(st.sampled_from(list(tables.TABLES)))
    rows = draw(st.integers(1, 4))
    return table, {
        name: draw(st.lists(values(field), min_size=rows, max_size=rows))
        for name, field in tables.columns(table).items()
    }


@given(any_columns())
def test_columns_read_back_from_json(made):
    table, cells = made
    for name, field in tables.columns(table).items():
        typed = [
            value.isoformat() if isinstance(value, dt.date) else value for value in cells[name]
        ]
        read = columns.read(typed, field, Typed({}), hours=False)
        assert (read.misfits, list(read.missing)) == ({}, [])
        assert read.values.to_pylist() == cells[name]


@given(any_columns())
@settings(max_examples=40)
def test_columns_read_back_from_a_workbook(made):
    table, cells = made
    schema = facts.schema(table)
    written = pa.table({name: pa.array(cells[name], schema.field(name).type) for name in cells})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.xlsx"
        write_xlsx({table: written}, path)
        raw = raw_table(path)
    for name, field in tables.columns(table).items():
        read = columns.read(raw.columns[name], field, Sheet({}), hours=name in raw.hours)
        assert (read.misfits, list(read.missing)) == ({}, [])
        assert read.values.to_pylist() == cells[name]


def raw_table(path):
    """The one table of a workbook, before it is checked."""
    (raw,) = read_workbook(path, {}, Faults())
    return raw


def test_documents_read_back(document, as_json, tmp_path):
    read = facts.read(as_json(document))
    facts.write_json(read.tables, tmp_path / "again.json")
    write_xlsx(read.tables, tmp_path / "again.xlsx")
    for name in ("again.json", "again.xlsx"):
        again = facts.read(tmp_path / name)
        for table in tables.TABLES:
            assert again.tables[table].equals(read.tables[table])


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 3000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.text("长", min_size=490, max_size=510),
    st.sampled_from(["2021-03-05", "2021-3-5", "2200-01-01", "2021-Q1", "branch", "theme_day"]),
    st.lists(st.sampled_from(["theme_day", "o1", "", "x" * 65]), max_size=2),
)


@given(st.sampled_from([(t, c) for t in tables.TABLES for c in tables.columns(t)]), odd_values)
@settings(max_examples=400)
def test_what_a_column_takes_the_schema_takes(column, value):
    """The columns are checked by other code than the schemas, and never take what those refuse."""
    table, name = column
    field = tables.columns(table)[name]
    read = columns.read([value, value], field, Typed({}), hours=False)
    taken = read.values[0].as_py()
    if taken is None:
        return
    plain = taken.isoformat() if isinstance(taken, dt.date) else taken
    try:
        assert field.deserialize(plain) == taken
    except ValidationError:
        pytest.fail(f"{table}.{name} takes {value!r}")


@given(st.sampled_from([(t, c) for t in tables.TABLES for c in tables.columns(t)]), odd_values)
@settings(max_examples=200)
def test_bulk_and_single_reading_agree(column, value):
    table, name = column
    field = tables.columns(table)[name]
    alone = columns.read([value], field, Typed({}), hours=False)
    # A list of another type in between keeps the bulk way from being taken.
    mixed = columns.read([value, 1, True, 1.5], field, Typed({}), hours=False)
    assert alone.values[0] == mixed.values[0]
    assert (0 in alone.misfits) == (0 in mixed.misfits)
