"""Workbooks that must not be let near a reader, and those that are none."""

import zipfile

import openpyxl
import pytest

from guiju import facts
from guiju.facts import limits, workbook_reader
from guiju.facts.sheet_scan import SheetScan

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def sound(as_workbook):
    return as_workbook({"设置": [["名称", "取值"], ["a", "b"]]})


def rewrite(path, parts=(), *, compression=zipfile.ZIP_DEFLATED):
    """Replace or add parts of a workbook."""
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist()} | dict(parts)
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, content in kept.items():
            new.writestr(name, content)


def sheet(*cells, prefix="", after=""):
    """The XML of a sheet with these cells, all in one row."""
    p = f"{prefix}:" if prefix else ""
    space = f":{prefix}" if prefix else ""
    return (
        f'<?xml version="1.0"?><{p}worksheet xmlns{space}="{NAMESPACE}"><{p}sheetData>'
        f'<{p}row r="1">{"".join(cells)}</{p}row></{p}sheetData>{after}</{p}worksheet>'
    )


HEADING = (
    '<c r="A1" t="inlineStr"><is><t>key</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>value</t></is></c>'
)


def test_sound(sound):
    assert facts.read(sound).counts()["settings"] == 1
    rewrite(sound, compression=zipfile.ZIP_STORED)
    assert facts.read(sound).counts()["settings"] == 1


def test_no_more_cells_are_kept_at_a_time_than_one_sheet_may_have(as_workbook, monkeypatch):
    monkeypatch.setattr(limits, "SHEET_CELLS", 3_000_000)
    areas = {"a": 1_000_000, "b": 2_000_000, "c": 1, "d": 3_000_000}
    groups = [*workbook_reader.together("abcde", areas)]
    # Of e nobody knows how large it is.
    assert groups == [["a", "b"], ["c"], ["d"], ["e"]]
    path = as_workbook(
        {
            "组织": [["id", "name", "kind"], ["b", "第一党支部", "党支部"]],
            "设置": [["名称", "取值"], ["a", "b"]],
        }
    )
    assert [*facts.read(path).tables["settings"]["key"].to_pylist()] == ["a"]


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x03\x04" + b"\x00" * 100, b"hello", b"\x00" * 1000]
)
def test_no_workbook(content, tmp_path, refused):
    path = tmp_path / "facts.xlsx"
    path.write_bytes(content)
    assert refused(path) == [("", "not_workbook")]


def test_some_other_zip_file(tmp_path, refused):
    path = tmp_path / "facts.xlsx"
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("word/document.xml", "<x/>")
    assert refused(path) == [("", "not_workbook")]


def test_cut_short(sound, refused):
    content = sound.read_bytes()
    sound.write_bytes(content[: len(content) // 2])
    assert refused(sound) == [("", "not_workbook")]


@pytest.mark.parametrize("position", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
def test_damaged_anywhere(position, sound):
    content = bytearray(sound.read_bytes())
    start = int(len(content) * position)
    content[start : start + 40] = b"\xff" * 40
    sound.write_bytes(bytes(content))
    with pytest.raises(facts.FactsError):
        facts.read(sound)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "password_protected",
        ),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"Workbook", "not_workbook"),
    ],
)
def test_compound_files(content, code, tmp_path, refused):
    path = tmp_path / "facts.xlsx"
    path.write_bytes(content)
    assert refused(path) == [("", code)]


@pytest.mark.parametrize("suffix", [".xlsm", ".xlsb", ".XLSM", ".xltm"])
def test_macro_files_by_name(suffix, sound, refused):
    assert refused(sound.rename(sound.with_suffix(suffix))) == [("", "macros")]


@pytest.mark.parametrize(
    "part", ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml", "xl/workbook.bin"]
)
def test_macros_by_content(part, sound, refused):
    rewrite(sound, {part: b"x"})
    assert refused(sound) == [("", "macros")]


def test_sixty_megabytes(tmp_path, refused):
    path = tmp_path / "facts.xlsx"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(60 * limits.MIB)
    assert refused(path) == [("", "too_large")]


def test_large_text_files(tmp_path, refused):
    path = tmp_path / "facts.json"
    with path.open("wb") as file:
        file.truncate(limits.TEXT_BYTES + 1)
    assert refused(path) == [("", "too_large")]


def test_bomb_that_says_so(sound, monkeypatch, refused):
    monkeypatch.setattr(limits, "UNPACKED_BYTES", 100_000)
    rewrite(sound, {"xl/media/image1.png": bytes(200_000)})
    assert refused(sound) == [("", "too_large")]


def test_bomb_that_does_not(sound, monkeypatch, refused):
    """The directory understates the size of a part; what is counted is what comes out."""
    monkeypatch.setattr(limits, "UNPACKED_BYTES", 100_000)
    rewrite(sound, {"xl/media/image1.png": bytes(200_000)})
    content = sound.read_bytes()
    sound.write_bytes(content.replace((200_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert refused(sound) == [("", "too_large")]


def test_two_parts_of_one_name(sound, refused):
    with zipfile.ZipFile(sound, "a") as workbook:
        workbook.writestr("xl/WORKBOOK.xml", "<x/>")
    assert refused(sound) == [("", "damaged")]


def test_formulas_are_named(tmp_path, refused):
    workbook = openpyxl.Workbook()
    workbook.active.title = "设置"
    for row in [["名称", "取值"], ["a", "=1+1"], ["b", "2"], ['="a"&"c"', "3"]]:
        workbook.active.append(row)
    workbook.create_sheet("说明").append(["=NOW()"])
    path = tmp_path / "facts.xlsx"
    workbook.save(path)
    assert refused(path) == [
        ("工作表“设置” 单元格 B2", "formula"),
        ("工作表“设置” 单元格 A4", "formula"),
        ("工作表“说明” 单元格 A1", "formula"),
    ]


def test_error_values_are_named(tmp_path, refused):
    workbook = openpyxl.Workbook()
    workbook.active.title = "设置"
    for row in [["名称", "取值"], ["a", "#REF!"], ["b", 't="e"']]:
        workbook.active.append(row)
    path = tmp_path / "facts.xlsx"
    workbook.save(path)
    assert refused(path) == [("工作表“设置” 单元格 B2", "error_value")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (sheet('<c r="A1"><f>1</f><v>1</v></c>'), [("工作表“设置” 单元格 A1", "formula")]),
        (
            sheet('<c s="1" r = \'C7\'><f t="shared" si="0"/><v>1</v></c>'),
            [("工作表“设置” 单元格 C7", "formula")],
        ),
        (
            sheet('<x:c r="A1"><x:f>1</x:f></x:c>', prefix="x"),
            [("工作表“设置” 单元格 A1", "formula")],
        ),
        (
            sheet('<c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c>'),
            [("工作表“设置”", "too_large")],
        ),
        (
            sheet('<c r="A1"><v>1</v></c><c r="xfd1048576"><v>1</v></c>'),
            [("工作表“设置”", "too_large")],
        ),
        (sheet('<c s="1" r="XFD1048576"><v>1</v></c>'), [("工作表“设置”", "too_large")]),
        (sheet('<c r="AAAA1"><v>1</v></c>'), [("工作表“设置”", "too_large")]),
        (sheet("<c><v>1</v></c>"), [("", "damaged")]),
        (sheet('<x:c r="A1"><v>1</v></x:c>'), [("", "damaged")]),
        (sheet('<c r="A1"><x:f>1</x:f></c>'), [("", "damaged")]),
        (sheet("<!--</sheetData>-->", '<c r="A1"><f>1</f></c>'), [("", "damaged")]),
        (sheet("<![CDATA[</sheetData>]]>", '<c r="A1"><f>1</f></c>'), [("", "damaged")]),
        (sheet('<c r="A1"><v>1</v></c><c\n><v>1</v></c>'), [("", "damaged")]),
        (sheet(HEADING).encode("utf-16"), [("", "damaged")]),
        ("<worksheet", [("", "damaged")]),
    ],
)
def test_sheets_are_looked_through(content, expected, sound, refused):
    rewrite(sound, {"xl/worksheets/sheet1.xml": content})
    found = refused(sound)
    assert found[: len(expected)] == expected


def test_what_is_no_formula(sound):
    after = (
        '<conditionalFormatting sqref="A1"><cfRule type="expression" priority="1">'
        "<formula>A1</formula></cfRule></conditionalFormatting>"
        '<dataValidations count="1"><dataValidation sqref="A2"><formula1>"f"</formula1>'
        "</dataValidation></dataValidations>"
        '<extLst><ext xmlns:xm="x"><xm:f>选项!$A$1</xm:f></ext></extLst>'
    )
    rewrite(sound, {"xl/worksheets/sheet1.xml": sheet(HEADING, after=after)})
    assert facts.read(sound).counts()["settings"] == 0


@pytest.mark.parametrize(("long", "sound"), [(0, False), (1, True)])
def test_strings_that_would_unfold_beyond_measure(long, sound, as_workbook, monkeypatch, refused):
    path = as_workbook({"设置": [["名称", "取值"]]})
    monkeypatch.setattr(limits, "SHARED_TEXT_BYTES", 200_000)
    texts = [f"<si><t>{'长' * 20_000}</t></si>", "<si><t>key</t></si>", "<si><t>value</t></si>"]
    cells = [
        f'<c r="{letter}1" t="s"><v>{number}</v></c>' for letter, number in [("A", 1), ("B", 2)]
    ]
    cells += [f'<c r="{letter}2" t="s"><v>{long}</v></c>' for letter in "ABCD"]
    strings = f'<sst xmlns="{NAMESPACE}">{"".join(texts)}</sst>'
    rewrite(path, {"xl/sharedStrings.xml": strings, "xl/worksheets/sheet1.xml": sheet(*cells)})
    # What matters is what the cells unfold to, not the longest string alone.
    assert (refused(path) == [("", "too_large")]) != sound


def test_an_empty_sheet_with_extensions(sound):
    empty = (
        f'<worksheet xmlns="{NAMESPACE}"><sheetData/>'
        '<extLst><ext xmlns:xm="x"><xm:f>选项!$A$1</xm:f></ext></extLst></worksheet>'
    )
    rewrite(sound, {"xl/worksheets/sheet1.xml": empty})
    assert facts.read(sound).counts()["settings"] == 0


@pytest.mark.parametrize("encoding", ["UTY-8", "utf-16", "idna"])
def test_encodings_that_are_none(encoding, sound, refused):
    index = f'<?xml version="1.0" encoding="{encoding}"?><workbook/>'
    rewrite(sound, {"xl/workbook.xml": index})
    assert refused(sound) == [("", "damaged")]


def test_definitions_of_entities(sound, refused):
    with zipfile.ZipFile(sound) as workbook:
        index = workbook.read("xl/workbook.xml")
    rewrite(sound, {"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY a "b">]>' + index})
    assert refused(sound) == [("", "damaged")]


def test_panics_of_the_reader(sound, monkeypatch, refused):
    class PanicException(BaseException):
        pass

    def panic(_path):
        raise PanicException

    monkeypatch.setattr(workbook_reader.CalamineWorkbook, "from_path", panic, raising=False)
    assert refused(sound) == [("", "damaged")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 1000])
def test_the_scan_does_not_depend_on_where_chunks_end(size):
    cells = [f'<c r="{letter}{row}" t="s"><v>1</v></c>' for row in range(1, 9) for letter in "ABC"]
    cells[5] = '<c r="C2" t="e"><v>#N/A</v></c>'
    cells[7] = '<c s="3" r="B3"><f>1 + 2</f><v>3</v></c>'
    cells.append('<c r="BA100000"><f/></c>')
    content = sheet(*cells).encode()
    scan = SheetScan()
    for start in range(0, len(content), size):
        scan.feed(content[start : start + size])
    scan.end()
    assert scan.is_sheet
    assert scan.formulas == ["B3", "BA100000"]
    assert scan.errors == ["C2"]
    assert scan.cells == 25
    assert scan.area == 53 * 100_000
