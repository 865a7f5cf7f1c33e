"""Folders of CSV files."""

import datetime as dt

import pytest

from guiju import facts

ORGANIZATIONS = [
    ["组织编号", "组织名称", "组织类型", "是否设委员会"],
    ["b1", "第一\n党支部", "党支部", "是"],
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_read(encoding, as_folder):
    folder = as_folder(
        {
            "组织": ORGANIZATIONS,
            "occasions": [
                ["id", "organization", "kinds", "held_on", "start_minute"],
                ["o1", "b1", "党课；主题党日", "2021-03-05", "14:30"],
            ],
            "党员": [],
        },
        encoding=encoding,
    )
    (folder / ".hidden").write_text("x", encoding="utf-8")
    read = facts.read(folder)
    assert read.tables["organizations"]["has_committee"].to_pylist() == [True]
    assert read.tables["organizations"]["name"].to_pylist() == ["第一\n党支部"]
    occasion = read.tables["occasions"].to_pylist()[0]
    assert occasion["kinds"] == ["party_lecture", "theme_day"]
    assert occasion["held_on"] == dt.date(2021, 3, 5)
    assert occasion["start_minute"] == 870


def test_places_are_lines(as_folder):
    # The name of the first row has a line break, so the second begins on line 4.
    folder = as_folder({"组织": [*ORGANIZATIONS, [" ", "", "", ""], ["b1", "甲", "党支", "也许"]]})
    with pytest.raises(facts.FactsError) as caught:
        facts.read(folder)
    assert [(problem.place, problem.code) for problem in caught.value.problems] == [
        ("组织.csv 第5行 id", "duplicate"),
        ("组织.csv 第5行 kind", "unknown_code"),
        ("组织.csv 第5行 has_committee", "wrong_type"),
    ]


def test_refused_files(as_folder):
    folder = as_folder(
        {
            "组识": [["a"]],
            "organizations": ORGANIZATIONS,
            "组织": ORGANIZATIONS,
            "设置": [["名称", "取值"], ["a"], ["a", "b", "c"], ["d", "e"]],
            "党员": [["党员编号"]],
        }
    )
    (folder / "读我.txt").write_text("", encoding="utf-8")
    (folder / "任职").mkdir()
    (folder / "谈话.csv").write_bytes('谈话编号\n"a'.encode())
    (folder / "报告备案.csv").write_bytes("报告编号\n一".encode("gbk"))
    with pytest.raises(facts.FactsError) as caught:
        facts.read(folder)
    assert {(problem.place, problem.code) for problem in caught.value.problems} == {
        ("组识.csv", "unknown_table"),
        ("组织.csv", "duplicate_table"),
        ("设置.csv 第2行", "ragged_row"),
        ("设置.csv 第3行", "ragged_row"),
        ("党员.csv 第1行", "missing_column"),
        ("读我.txt", "unknown_file"),
        ("任职", "unknown_file"),
        ("谈话.csv 第2行", "not_csv"),
        ("报告备案.csv", "not_utf8"),
    }


def test_numbers_are_digits(as_folder):
    heading = ["id", "organization", "kinds", "held_on", "expected"]
    row = ["o1", "b1", "党课", "2021-03-05"]
    folder = as_folder({"组织": ORGANIZATIONS, "occasions": [heading, [*row, "12"]]})
    assert facts.read(folder).tables["occasions"]["expected"].to_pylist() == [12]


@pytest.mark.parametrize("text", ["12.0", "1e3", "0x10", "１２", "１2", "1_000", "9" * 30])
def test_numbers_are_nothing_but_digits(text, as_folder):
    heading = ["occasion", "item", "should_attend", "present", "ayes"]
    folder = as_folder({"votes": [heading, ["o1", "1", text, "1", "1"]]})
    with pytest.raises(facts.FactsError) as caught:
        facts.read(folder)
    assert ("votes.csv 第2行 should_attend", "wrong_type") in {
        (problem.place, problem.code) for problem in caught.value.problems
    }
