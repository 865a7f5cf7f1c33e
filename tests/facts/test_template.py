"""The template: every table, ready to be filled in."""

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from guiju import facts
from guiju.facts import layout
from guiju.facts.workbook_writer import write_template
from guiju.rules import tables


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "事实.xlsx"
    write_template(path)
    return path


@pytest.fixture(scope="module")
def template(path):
    workbook = openpyxl.load_workbook(path)
    yield workbook
    workbook.close()


def test_passes_the_check(path):
    assert set(facts.read(path).counts().values()) == {0}


def test_sheets(template):
    titles = [table.title for table in tables.TABLES.values()]
    assert template.sheetnames == ["说明", *titles, "选项"]
    assert template["选项"].sheet_state == "hidden"
    named = {cell.value for cell in template["说明"]["A"]}
    assert named.issuperset(titles)


@pytest.mark.parametrize("name", tables.TABLES)
def test_headings(name, template):
    sheet = template[tables.TABLES[name].title]
    assert sheet.freeze_panes == "A2"
    assert sheet.max_row == 1
    for cell, (column, field) in zip(sheet[1], tables.columns(name).items(), strict=True):
        assert cell.value == layout.heading(field)
        assert cell.comment.text.startswith(column)
        assert ("必填" in cell.comment.text) == field.required


@pytest.mark.parametrize("name", tables.TABLES)
def test_drop_downs(name, template):
    sheet = template[tables.TABLES[name].title]
    offered = {
        str(rule.sqref).split(":")[0].rstrip("0123456789"): rule.formula1
        for rule in sheet.data_validations.dataValidation
    }
    for position, field in enumerate(tables.columns(name).values(), start=1):
        source = offered.pop(get_column_letter(position), None)
        match layout.kind(field):
            case "flag":
                assert source == '"是,否"'
            case "code" | "codes":
                assert options(template, source) == list(layout.vocabulary(field).values())
            case _:
                assert source is None
    assert not offered


def options(template, source):
    sheet, cells = source.split("!")
    return [cell.value for (cell,) in template[sheet][cells.replace("$", "")]]


def test_what_excel_would_change_is_formatted_as_text(template):
    formats = {
        number: columns.number_format
        for columns in template["完整确认"].column_dimensions.values()
        for number in range(columns.min, columns.max + 1)
    }
    headings = [cell.value for cell in template["完整确认"][1]]
    assert formats[headings.index("期间") + 1] == "@"
    assert formats[headings.index("组织编号") + 1] == "@"
    assert formats[headings.index("确认日期") + 1] == "yyyy-mm-dd"


def test_filled_in_by_hand(path, tmp_path):
    workbook = openpyxl.load_workbook(path)
    workbook["组织"].append(["b1", "第一党支部", "党支部", "机关"])
    workbook["党员"].append(["p1", "b1", None, "正式党员"])
    workbook.save(tmp_path / "filled.xlsx")
    workbook.close()
    read = facts.read(tmp_path / "filled.xlsx")
    assert read.tables["organizations"]["sector"].to_pylist() == ["agency"]
    assert read.counts()["members"] == 1


def test_no_label_looks_like_several():
    for name in tables.TABLES:
        for field in tables.columns(name).values():
            if layout.kind(field) == "codes":
                for label in layout.vocabulary(field).values():
                    assert not set(label) & set(layout.SEPARATORS)


def test_names_are_unambiguous():
    titles = [table.title for table in tables.TABLES.values()]
    assert len({*titles, *tables.TABLES, "说明", "选项"}) == 2 * len(titles) + 2
    for name in tables.TABLES:
        assert len(layout.headings(name)) == 2 * len(tables.columns(name))
