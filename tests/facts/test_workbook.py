"""Workbooks: names and values as people write them."""

import datetime as dt

import openpyxl
import pytest

from guiju import facts

ORGANIZATIONS = [["组织编号", "组织名称", "组织类型"], ["b1", "第一党支部", "党支部"]]
OCCASIONS = ["活动编号", "组织编号", "活动类型", "日期"]
DAY = dt.date(2021, 3, 5)


def read_rows(path, table):
    rows = facts.read(path).tables[table].to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_chinese_and_english_names(as_workbook):
    path = as_workbook(
        {
            "organizations": [["id", "name", "组织类型"], ["b1", "第一党支部", "branch"]],
            "活动 ": [
                [" 活动编号", "organization", "kinds", "日期"],
                ["o1", "b1", "党课；theme_day", DAY],
            ],
        }
    )
    assert read_rows(path, "organizations") == [
        {"id": "b1", "name": "第一党支部", "kind": "branch"}
    ]
    assert read_rows(path, "occasions") == [
        {"id": "o1", "organization": "b1", "kinds": ["party_lecture", "theme_day"], "held_on": DAY}
    ]


@pytest.mark.parametrize(
    ("heading", "column", "cell", "value"),
    [
        ("日期", "held_on", dt.datetime.combine(DAY, dt.time()), DAY),
        ("日期", "held_on", "2021-03-05", DAY),
        ("开始时间", "start_minute", dt.time(14, 30), 870),
        ("开始时间", "start_minute", "14:30", 870),
        ("开始时间", "start_minute", "9：05", 545),
        ("开始时间", "start_minute", 870, 870),
        ("受书记委托主持", "chair_entrusted", "是", True),
        ("受书记委托主持", "chair_entrusted", False, False),
        ("受书记委托主持", "chair_entrusted", "FALSE", False),
        ("应到人数", "expected", 12.0, 12),
        ("应到人数", "expected", " 12 ", 12),
        ("合并召开的活动编号", "merged_with", "o1、o1； o1;", ["o1"]),
        ("活动内容", "components", "study, ", None),
        ("活动内容", "components", "专题学习 ; 缴纳党费", ["study", "dues"]),
        ("名称", "title_text", 2021, "2021"),
        ("名称", "title_text", 3.5, "3.5"),
        ("名称", "title_text", DAY, "2021-03-05"),
        ("名称", "title_text", dt.time(9, 5), "09:05"),
        ("名称", "title_text", True, "true"),
        ("名称", "title_text", "上\r\n下", "上\n下"),
        ("平台会议编号", "platform_id", 123456789012345, "123456789012345"),
    ],
)
def test_values(heading, column, cell, value, as_workbook):
    row = dict(zip(OCCASIONS, ["o1", "b1", "党课", DAY], strict=True)) | {heading: cell}
    path = as_workbook({"组织": ORGANIZATIONS, "活动": [list(row), list(row.values())]})
    if value is None:
        with pytest.raises(facts.FactsError):
            facts.read(path)
    else:
        assert read_rows(path, "occasions")[0][column] == value


def test_ids_that_the_spreadsheet_took_for_numbers(as_workbook):
    path = as_workbook(
        {
            "组织": [["组织编号", "组织名称", "组织类型"], [101, "一支部", "党支部"]],
            "活动": [OCCASIONS, [1, "101", "党课", DAY]],
        }
    )
    assert read_rows(path, "occasions")[0]["organization"] == "101"


@pytest.mark.parametrize(
    ("heading", "cell", "tenths"),
    [
        ("学时", 32, 320),
        ("学时", 3.5, 35),
        ("学时", "3.5", 35),
        ("学时", 0.1, 1),
        ("tenths", 35, 35),
    ],
)
def test_hours(heading, cell, tenths, as_workbook):
    path = as_workbook(
        {
            "党员": [["党员编号", "所在党支部编号", "党员类别"], ["p1", "b1", "正式党员"]],
            "组织": ORGANIZATIONS,
            "培训": [["人员编号", "日期", heading], ["p1", DAY, cell]],
        }
    )
    assert read_rows(path, "training")[0]["tenths"] == tenths


@pytest.mark.parametrize(
    ("cell", "period"),
    [(2021, "2021"), ("2021-Q1", "2021-Q1"), (dt.date(2021, 3, 1), "2021-03")],
)
def test_periods(cell, period, as_workbook):
    path = as_workbook(
        {"组织": ORGANIZATIONS, "完整确认": [["组织编号", "期间", "确认日期"], ["b1", cell, DAY]]}
    )
    assert read_rows(path, "attestations")[0]["period"] == period


@pytest.mark.parametrize(
    ("heading", "cell", "code"),
    [
        ("日期", dt.datetime.combine(DAY, dt.time(14, 30)), "wrong_type"),
        ("日期", 44260, "wrong_type"),
        ("日期", "2021/3/5", "wrong_type"),
        ("日期", "2021-02-30", "wrong_type"),
        ("日期", dt.date(1900, 3, 1), "out_of_range"),
        ("开始时间", "24:00", "out_of_range"),
        ("开始时间", 0.604, "wrong_type"),
        ("受书记委托主持", "也许", "wrong_type"),
        ("受书记委托主持", 2, "wrong_type"),
        ("应到人数", 2.5, "wrong_type"),
        ("应到人数", "十二", "wrong_type"),
        ("应到人数", True, "wrong_type"),
        ("应到人数", -1, "out_of_range"),
        ("主持人编号", 1.5, "wrong_type"),
        ("主持人编号", DAY, "wrong_type"),
        ("平台会议编号", 1234567890123456, "wrong_type"),
        ("活动类型", "党课,主题党日", "unknown_code"),
    ],
)
def test_refused_values(heading, cell, code, as_workbook, refused):
    row = dict(zip(OCCASIONS, ["o1", "b1", "党课", DAY], strict=True)) | {heading: cell}
    path = as_workbook({"组织": ORGANIZATIONS, "活动": [list(row), list(row.values())]})
    letter = "ABCDE"[list(row).index(heading)]
    assert refused(path) == [(f"工作表“活动” 单元格 {letter}2", code)]


def test_refused_hours(as_workbook, refused):
    path = as_workbook(
        {
            "党员": [["党员编号", "所在党支部编号", "党员类别"], ["p1", "b1", "正式党员"]],
            "组织": ORGANIZATIONS,
            "培训": [
                ["人员编号", "日期", "学时"],
                ["p1", DAY, 3.25],
                ["p1", DAY, "3.25"],
                ["p1", DAY, -1],
            ],
        }
    )
    assert refused(path) == [
        ("工作表“培训” 单元格 C2", "wrong_type"),
        ("工作表“培训” 单元格 C3", "wrong_type"),
        ("工作表“培训” 单元格 C4", "out_of_range"),
    ]


def test_places_count_blank_rows(as_workbook, refused):
    rows = [
        *ORGANIZATIONS,
        [None] * 3,
        ["b2", "第二党支部", "支部"],
        [None] * 3,
        ["b2", "甲", "党支部"],
    ]
    assert refused(as_workbook({"组织": rows})) == [
        ("工作表“组织” 单元格 C4", "unknown_code"),
        ("工作表“组织” 单元格 A6", "duplicate"),
    ]


def test_rows_without_facts_are_no_rows(as_workbook):
    path = as_workbook(
        {"组织": [*ORGANIZATIONS, [None, None, None]], "党员": [], "说明": [["随便"]]}
    )
    assert facts.read(path).counts()["organizations"] == 1


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ({"组识": []}, [("工作表“组识”", "unknown_table")]),
        (
            {"组织": ORGANIZATIONS, "organizations": []},
            [("工作表“organizations”", "duplicate_table")],
        ),
        ({"设置": [["名称", "取值", "备注"]]}, [("工作表“设置” 单元格 C1", "unknown_column")]),
        ({"设置": [["名称", "取值", "key"]]}, [("工作表“设置” 单元格 C1", "duplicate_column")]),
        ({"设置": [["名称"], ["a"]]}, [("工作表“设置”", "missing_column")]),
        (
            {"设置": [["名称", "取值", None], ["a", "b", "c"]]},
            [("工作表“设置” 单元格 C1", "unnamed_column")],
        ),
        ({"设置": [[None], ["名称", "取值"], ["a", "b"]]}, [("工作表“设置”", "missing_heading")]),
    ],
)
def test_refused_shapes(sheets, expected, as_workbook, refused):
    assert refused(as_workbook(sheets)) == expected


def test_messages_say_what_was_found_and_wanted(as_workbook):
    path = as_workbook(
        {"组织": ORGANIZATIONS, "活动": [OCCASIONS, ["o1", "b9", "支部党员大绘", "2021/3/5"]]}
    )
    with pytest.raises(facts.FactsError) as caught:
        facts.read(path)
    assert [str(problem) for problem in caught.value.problems] == [
        "facts.xlsx 工作表“活动” 单元格 B2：没有编号为“b9”的组织；应为“组织”表中的编号",
        (
            "facts.xlsx 工作表“活动” 单元格 C2：没有“支部党员大绘”这一项；"
            "应为“活动类型”的一种或几种，多个用“；”隔开，是否“支部党员大会”"
        ),
        (
            "facts.xlsx 工作表“活动” 单元格 D2：写的是“2021/3/5”；"
            "应为日期，写作 2021-03-05（1921-01-01 至 2199-12-31）"
        ),
    ]


def test_dates_of_the_1904_system(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.epoch = openpyxl.utils.datetime.MAC_EPOCH
    sheet = workbook.active
    sheet.title = "组织"
    sheet.append(["组织编号", "组织名称", "组织类型", "成立日期"])
    sheet.append(["b1", "第一党支部", "党支部", DAY])
    workbook.save(tmp_path / "facts.xlsx")
    assert read_rows(tmp_path / "facts.xlsx", "organizations")[0]["opened_on"] == DAY
