"""A small sound document, and ways to spoil it."""

import copy
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from guiju import facts

Document = dict[str, list[dict[str, Any]]]

SOUND: Document = {
    "organizations": [
        {"id": "dw", "name": "机关党委", "kind": "committee", "sector": "agency"},
        {
            "id": "b1",
            "name": "第一党支部",
            "kind": "branch",
            "parent": "dw",
            "opened_on": "2019-01-01",
            "closed_on": "2021-12-31",
        },
        {"id": "b2", "name": "第二党支部", "kind": "branch", "parent": "dw"},
        {"id": "g1", "name": "第一党小组", "kind": "party_group", "parent": "b1"},
    ],
    "members": [
        {"id": "p1", "organization": "b1", "membership_class": "full", "group": "g1"},
        {
            "id": "p2",
            "organization": "b1",
            "membership_class": "probationary",
            "until_on": "2021-06-30",
        },
        {"id": "p2", "organization": "b2", "membership_class": "full", "from_on": "2021-07-01"},
        {"id": "p3", "organization": "b2", "membership_class": "full"},
    ],
    "posts": [
        {"person": "p1", "organization": "b1", "post": "secretary", "from_on": "2020-01-01"},
        {"person": "x1", "organization": "dw", "post": "team_member"},
    ],
    "occasions": [
        {
            "id": "o1",
            "organization": "b1",
            "kinds": ["branch_assembly", "theme_day"],
            "held_on": "2021-03-05",
            "start_minute": 870,
            "chair": "p1",
            "chair_entrusted": False,
            "expected": 2,
            "present": 2,
            "voting_expected": 1,
            "voting_present": 1,
            "components": ["study", "dues"],
            "for_year": 2021,
            "merged_with": ["o2"],
        },
        {"id": "o2", "organization": "b2", "kinds": ["party_lecture"], "held_on": "2021-07-02"},
        {"id": "o3", "organization": "dw", "kinds": ["training"], "held_on": "2021-07-02"},
        {
            "id": "o4",
            "organization": "g1",
            "kinds": ["party_group_meeting"],
            "held_on": "2021-04-01",
        },
    ],
    "attendance": [
        {"occasion": "o1", "person": "p1", "status": "present"},
        {"occasion": "o1", "person": "p2", "status": "excused", "leave_self": True},
        {"occasion": "o1", "status": "present", "person_class": "activist", "number": 3},
        {"occasion": "o2", "person": "p2", "status": "present"},
        {"occasion": "o3", "person": "p3", "status": "present"},
        {"occasion": "o3", "person": "x1", "status": "present"},
        {"occasion": "o4", "person": "p1", "status": "present"},
        # No group is written for p2, so any group of the branch may be theirs.
        {"occasion": "o4", "person": "p2", "status": "present"},
    ],
    "documents": [{"occasion": "o1", "kind": "minutes", "kept_on": "2021-03-06"}],
    "votes": [
        {
            "occasion": "o1",
            "item": "1",
            "should_attend": 6,
            "present": 5,
            "ayes": 3,
            "noes": 1,
            "abstentions": 1,
        }
    ],
    "terms": [
        {"organization": "b1", "elected_on": "2016-05-01", "ends_on": "2019-05-01"},
        {
            "organization": "b1",
            "elected_on": "2019-05-01",
            "ends_on": "2022-05-01",
            "next_elected_on": "2021-11-01",
        },
        {"organization": "b1", "elected_on": "2021-11-01", "ends_on": "2024-11-01"},
    ],
    "dues": [{"person": "p1", "month": "2021-03", "due_amount": 500, "paid_amount": 500}],
    "training": [{"person": "p1", "held_on": "2021-05-06", "tenths": 35}],
    "attestations": [{"organization": "b1", "period": "2021-Q1", "attested_on": "2021-04-02"}],
    "settings": [{"key": "first_friday", "value": "holiday_moves"}],
}


@pytest.fixture
def document() -> Document:
    """A sound document that the test may change."""
    return copy.deepcopy(SOUND)


@pytest.fixture
def as_json(tmp_path) -> Callable[[Any], Path]:
    """Write a document as JSON."""

    def write(document: Any) -> Path:
        path = tmp_path / "facts.json"
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def as_workbook(tmp_path) -> Callable[[dict[str, list[list[Any]]]], Path]:
    """Write sheets, each a list of rows with the heading first, as a workbook."""

    def write(sheets: dict[str, list[list[Any]]]) -> Path:
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for name, rows in sheets.items():
            sheet = workbook.create_sheet(name)
            for row in rows:
                sheet.append(row)
        path = tmp_path / "facts.xlsx"
        workbook.save(path)
        workbook.close()
        return path

    return write


@pytest.fixture
def as_folder(tmp_path) -> Callable[[dict[str, list[list[Any]]]], Path]:
    """Write files, each a list of rows with the heading first, as a folder of CSV."""

    def write(files: dict[str, list[list[Any]]], encoding: str = "utf-8") -> Path:
        folder = tmp_path / "facts"
        folder.mkdir()
        for name, rows in files.items():
            with (folder / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
                csv.writer(file).writerows(rows)
        return folder

    return write


@pytest.fixture
def refused() -> Callable[[Path], list[tuple[str, str]]]:
    """Read what must be refused; the places, without the file's name, and codes of its problems."""

    def read(path: Path) -> list[tuple[str, str]]:
        with pytest.raises(facts.FactsError) as caught:
            facts.read(path)
        for problem in caught.value.problems:
            assert problem.place and problem.found and problem.wanted
        return [
            (problem.place.removeprefix(path.name).strip(), problem.code)
            for problem in caught.value.problems
        ]

    return read
