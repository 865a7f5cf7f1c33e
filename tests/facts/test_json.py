"""JSON documents: what is read, and what is refused before anything is understood."""

import datetime as dt
import json

import pytest

from guiju import facts
from guiju.rules import tables


def test_every_table_has_its_columns_in_their_types(document, as_json):
    read = facts.read(as_json(document))
    assert list(read.tables) == list(tables.TABLES)
    for name, table in read.tables.items():
        assert table.schema.equals(facts.schema(name))
        assert table.num_rows == len(document.get(name, []))


def test_values(document, as_json):
    read = facts.read(as_json(document))
    occasion = read.tables["occasions"].to_pylist()[0]
    assert occasion["held_on"] == dt.date(2021, 3, 5)
    assert occasion["kinds"] == ["branch_assembly", "theme_day"]
    assert occasion["chair_entrusted"] is False
    assert occasion["start_minute"] == 870
    assert occasion["merged_with"] == ["o2"]
    assert occasion["theme"] is None


def test_labels_stand_for_codes(document, as_json):
    document["occasions"][0]["kinds"] = ["支部党员大会", "theme_day", "支部党员大会"]
    document["organizations"][0]["kind"] = "党委"
    read = facts.read(as_json(document))
    assert read.tables["occasions"]["kinds"][0].as_py() == ["branch_assembly", "theme_day"]
    assert read.tables["organizations"]["kind"][0].as_py() == "committee"


def test_white_space_is_no_part_of_a_value(document, as_json):
    document["organizations"][0] |= {"id": " dw　", "name": "  ", "sector": ""}
    document["organizations"][0]["name"] = "\u00a0机关党委 "
    read = facts.read(as_json(document))
    row = read.tables["organizations"].to_pylist()[0]
    assert (row["id"], row["name"], row["sector"]) == ("dw", "机关党委", None)


def test_codes_of_a_profile(document, as_json):
    document["occasions"][0]["kinds"] = ["red_song", "唱红歌"]
    document["organizations"][0]["sector"] = "farm"
    codes = {"occasion_kind": {"red_song": "唱红歌"}, "sector": {"farm": "农场"}}
    with pytest.raises(facts.FactsError) as caught:
        facts.read(as_json(document), codes=codes)
    # Sectors are a closed vocabulary; kinds of occasions are open.
    assert [p.code for p in caught.value.problems] == ["unknown_code"]
    del document["organizations"][0]["sector"]
    read = facts.read(as_json(document), codes=codes)
    assert read.tables["occasions"]["kinds"][0].as_py() == ["red_song"]


def test_byte_order_mark_is_let_pass(document, tmp_path):
    path = tmp_path / "facts.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert facts.read(path).counts()["members"] == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("", "not_json")]),
        ("[]", [("", "wrong_type")]),
        ("null", [("", "wrong_type")]),
        ("{'a': 1}", [("", "not_json")]),
        ('{"members": [}', [("", "not_json")]),
        ("[" * 100_000, [("", "not_json")]),
        ('{"members": [{"id": ' + "9" * 5000 + "}]}", [("", "not_json")]),
        ('{"members": {}}', [("/members", "wrong_type")]),
        ('{"members": [1, null]}', [("/members/0", "wrong_type"), ("/members/1", "wrong_type")]),
        ('{"党员": []}', [("/党员", "unknown_table")]),
        ('{"a/b~": []}', [("/a~1b~0", "unknown_table")]),
        (
            '{"settings": [], "settings": [{"key": "a", "key": "b", "value": "c"}]}',
            [("/settings", "duplicate_name"), ("/settings/0/key", "duplicate_name")],
        ),
        (
            '{"settings": [{"key": "a", "value": "b", "valeu": "c"}]}',
            [("/settings/0/valeu", "unknown_column")],
        ),
        (
            '{"settings": [{}]}',
            [("/settings/0/key", "missing_value"), ("/settings/0/value", "missing_value")],
        ),
    ],
)
def test_refused(text, expected, as_json, refused):
    assert refused(as_json(text)) == expected


def test_refused_when_not_utf8(tmp_path, refused):
    path = tmp_path / "facts.json"
    path.write_bytes('{"settings": [{"key": "名称"}]}'.encode("gb18030"))
    assert refused(path) == [("", "not_utf8")]


def test_lone_surrogates_are_refused(as_json, refused):
    text = '{"settings": [{"key": "a", "value": "\\ud800"}, {"key": "b", "value": "\\udc00x"}]}'
    assert refused(as_json(text)) == [
        ("/settings/0/value", "control_character"),
        ("/settings/1/value", "control_character"),
    ]


def test_suggestions(as_json):
    with pytest.raises(facts.FactsError) as caught:
        facts.read(
            as_json('{"ocasions": [], "settings": [{"key": "a", "value": "b", "vaule": "c"}]}')
        )
    assert [p.wanted for p in caught.value.problems] == ["是否“occasions”", "是否“value”"]


@pytest.mark.parametrize("name", ["facts.txt", "facts", "facts.csv", "facts.xls"])
def test_unknown_kinds_of_files(name, tmp_path, refused):
    (tmp_path / name).write_text("{}", encoding="utf-8")
    assert refused(tmp_path / name) == [("", "unknown_file")]


def test_no_file(tmp_path, refused):
    assert refused(tmp_path / "facts.json") == [("", "unreadable")]


def test_other_problems_are_listed_beside_unknown_tables(document, as_json, refused):
    document["ocasions"] = document.pop("occasions")
    document["organizations"][0]["kind"] = "x"
    # What refers to occasions is let pass: nobody knows what the unknown table was to be.
    assert refused(as_json(document)) == [
        ("/ocasions", "unknown_table"),
        ("/organizations/0/kind", "unknown_code"),
    ]
