"""Whatever stands in a document: it is read, or refused with a list. It never breaks the reader."""

import datetime as dt
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from guiju import facts
from guiju.facts import layout
from guiju.rules import tables

#: Few, so that rows refer to each other and to themselves.
ids = st.sampled_from(["a", "b", "c", "d"])
days = st.dates(dt.date(2021, 1, 1), dt.date(2021, 1, 9)).map(str)
odd = st.sampled_from([None, "", " ", "x", 0, -1, 2.5, True, [], ["a"], {"a": 1}, "\ud800", 10**40])


def values(field):
    """Values that fit a column, mostly."""
    match layout.kind(field):
        case "day":
            fitting = days
        case "flag":
            fitting = st.booleans()
        case "count":
            fitting = st.integers(2020, 2022) if layout.unit(field) == "year" else st.integers(0, 9)
        case "code":
            fitting = st.sampled_from(list(layout.vocabulary(field)))
        case "codes":
            fitting = st.lists(st.sampled_from(list(layout.vocabulary(field))), max_size=2)
        case "refs":
            fitting = st.lists(ids, max_size=2)
        case "period":
            fitting = st.sampled_from(["2021-01", "2021-Q1"])
        case _:
            fitting = ids
    return st.integers(0, 19).flatmap(lambda chance: fitting if chance else odd)


def rows(table):
    fields = tables.columns(table)
    required = {name: values(field) for name, field in fields.items() if field.required}
    optional = {name: values(field) for name, field in fields.items() if not field.required}
    return st.lists(st.fixed_dictionaries(required, optional=optional), max_size=4)


documents = st.fixed_dictionaries({}, optional={table: rows(table) for table in tables.TABLES})


@given(documents)
@settings(max_examples=60)
def test_read_or_refused(document):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        try:
            read = facts.read(path)
        except facts.FactsError:
            return
    assert {name: read.counts()[name] for name in document} == {
        name: len(made) for name, made in document.items()
    }
