"""A hundred thousand rows: three faults planted among them are the three that are named."""

import datetime as dt

import pyarrow as pa
import pytest

from guiju import facts
from guiju.facts.workbook_writer import write_xlsx

BRANCHES = 500
MEMBERS = 9_499
OCCASIONS = 20_000
ATTENDANCE = 70_000
FIRST = dt.date(2021, 1, 1)


def table(name, rows, /, **cells):
    """A table of ``rows`` rows with columns made by functions of the row's number."""
    schema = facts.schema(name)
    made = {
        column: pa.array([make(row) for row in range(rows)], schema.field(column).type)
        for column, make in cells.items()
    }
    return pa.table({n: made.get(n, pa.nulls(rows, schema.field(n).type)) for n in schema.names})


def test_a_hundred_thousand_sound_rows(tmp_path):
    facts.write_json(large(), tmp_path / "facts.json")
    assert sum(facts.read(tmp_path / "facts.json").counts().values()) == 100_000


def large():
    return {
        "organizations": table(
            "organizations",
            BRANCHES + 1,
            id=lambda row: f"b{row}",
            name=lambda row: f"第{row}党支部",
            kind=lambda row: "branch" if row else "committee",
            parent=lambda row: "b0" if row else None,
        ),
        "members": table(
            "members",
            MEMBERS,
            id=lambda row: f"p{row}",
            organization=lambda row: f"b{row % BRANCHES + 1}",
            membership_class=lambda _row: "full",
        ),
        "occasions": table(
            "occasions",
            OCCASIONS,
            id=lambda row: f"o{row}",
            organization=lambda row: f"b{row % BRANCHES + 1}",
            kinds=lambda row: ["theme_day", "branch_assembly"] if row % 3 else ["party_lecture"],
            held_on=lambda row: FIRST + dt.timedelta(row % 365),
            start_minute=lambda _row: 870,
            title_text=lambda row: f"活动{row}",
        ),
        "attendance": table(
            "attendance",
            ATTENDANCE,
            occasion=lambda row: f"o{row % OCCASIONS}",
            # The same branch as the occasion's, somebody else each time round.
            person=lambda row: f"p{row % BRANCHES + BRANCHES * (row // OCCASIONS)}",
            status=lambda _row: "present",
        ),
    }


def spoiled(document):
    """The document with an unknown person, a kind that is none and a day that is none."""
    attendance = document["attendance"]
    people = attendance["person"].to_pylist()
    people[64_321] = "p99999"
    people[12_344] = "p1"
    occasions = document["occasions"]
    kinds = occasions["kinds"].to_pylist()
    kinds[15] = ["主题党目"]
    return {
        **document,
        "occasions": replaced(occasions, "kinds", kinds),
        "attendance": replaced(attendance, "person", people),
    }


def replaced(rows, column, values):
    place = rows.column_names.index(column)
    return rows.set_column(place, column, pa.array(values, rows.schema.field(column).type))


@pytest.mark.parametrize("suffix", [".xlsx", ".json"])
def test_three_faults_in_a_hundred_thousand_rows(suffix, tmp_path):
    document = large()
    assert sum(rows.num_rows for rows in document.values()) == 100_000
    write = write_xlsx if suffix == ".xlsx" else facts.write_json
    path = tmp_path / f"facts{suffix}"
    write(spoiled(document), path)
    with pytest.raises(facts.FactsError) as caught:
        facts.read(path)
    assert caught.value.omitted == 0
    assert [(problem.place, problem.code) for problem in caught.value.problems] == (
        [
            ("facts.xlsx 工作表“活动” 单元格 C17", "unknown_code"),
            ("facts.xlsx 工作表“出席” 单元格 B12346", "not_on_roster"),
            ("facts.xlsx 工作表“出席” 单元格 B64323", "unknown_reference"),
        ]
        if suffix == ".xlsx"
        else [
            ("facts.json /occasions/15/kinds", "unknown_code"),
            ("facts.json /attendance/12344/person", "not_on_roster"),
            ("facts.json /attendance/64321/person", "unknown_reference"),
        ]
    )
