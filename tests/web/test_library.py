"""The installed notices as reading matter: alone, beside another, and as a workbook."""

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from python_calamine import CalamineWorkbook

from guiju import plugins
from guiju.rules.conventions import conventions
from guiju.web.pages.library import RELATIONS, by_subject, is_stale


@pytest.fixture(scope="module")
def client(sign_in):
    return sign_in("committee")


@pytest.fixture(scope="module")
def packs():
    return plugins.load().packs


def test_every_notice_tells_all_its_statements_readings_and_what_it_forbids(client, packs):
    for pack in packs.values():
        page = client.get(f"/library/{pack.id}").text
        for requirement in pack.requirements:
            assert escaped(requirement.title) in page
        for reading in pack.readings:
            assert escaped(reading.title) in page
        for entry in pack.forbidden:
            assert escaped(entry.message) in page
        for convention in conventions():
            assert escaped(convention.says) in page


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&#34;").replace("<", "&lt;")


def test_the_coverage_is_a_workbook_with_a_row_for_each_statement(client, packs):
    answer = client.get("/library/xian/coverage.xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0)
    head, *rows = sheet.to_python()
    assert head[0] == "编号"
    assert {row[0] for row in rows} == set(packs["xian"].by_id)
    assert client.get("/library/nowhere/coverage.xlsx").status_code == 404


def test_two_notices_stand_side_by_side(client):
    page = client.get("/library/compare?a=xian&b=jiaozuo").text
    assert "主题党日每月一次" in page
    assert "没有规定" in page
    some = client.get("/library/compare?a=xian&b=jiaozuo&relation=only_b").text
    assert "主题党日每月一次" not in some
    assert "没有符合条件的条文" in client.get("/library/compare?q=nothing-like-it").text


@pytest.mark.parametrize("query", ["", "?a=no&b=such&relation=thing", "?a=xian&b=xian"])
def test_odd_comparisons_are_answered(client, query):
    assert client.get(f"/library/compare{query}").status_code == 200


def test_every_relation_can_be_chosen():
    row = {"a": [{"id": "xian.theme_day.monthly", "title": "t", "clause": "1"}], "b": []}
    rows = [{**row, "relation": relation} for relation in RELATIONS]
    for relation in RELATIONS:
        (found,) = by_subject(rows, relation, None)
        assert [shown["relation"] for shown in found.rows] == [relation]


def test_a_notice_that_nobody_has_re_read_for_a_year_says_so(packs):
    pack = replace(packs["xian"], checked_on=date(2021, 3, 1))
    assert not is_stale(pack, date(2022, 3, 1))
    assert is_stale(pack, date(2022, 3, 1) + timedelta(days=1))
