"""How values are worded, and how a year is laid out."""

from datetime import date

import pytest

from guiju.rules.subjects import SUBJECTS, subject_of, subject_rank
from guiju.scoring.results import GridCell, GridRow, Unit
from guiju.web import wording
from guiju.web.pages.organization import lay_out, over_months
from guiju.web.pages.overview import natural


@pytest.fixture(autouse=True)
def _request(app):
    with app.test_request_context("/"):
        yield


def in_english(app):
    return app.test_request_context("/", headers={"Cookie": "guiju-language=en"})


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "–"), (0, 300, "0%"), (1, 300, "<1%"), (3, 300, "1%"), (150, 300, "50%"),
     (299, 300, ">99%"), (300, 300, "100%")],
)  # fmt: skip
def test_shares_never_round_to_none_or_all(part, whole, text):
    assert wording.percent(part, whole) == text


@pytest.mark.parametrize(
    ("period", "text", "months"),
    [
        ("2021", "全年", (1, 12)),
        ("2021-H2", "下半年", (7, 6)),
        ("2021-Q3", "第三季度", (7, 3)),
        ("2021-B1", "1月—2月", (1, 2)),
        ("2021-12", "12月", (12, 1)),
    ],
)
def test_periods_within_their_year(period, text, months):
    assert wording.period_short(period) == text
    assert wording.months_of(period) == months


@pytest.mark.parametrize(
    ("period", "text"),
    [
        ("2021-03", "2021年3月"),
        ("2021-B1", "2021年1月—2月"),
        ("2021-Q1", "2021年第一季度"),
        ("2021-H2", "2021年下半年"),
        ("2021", "2021年"),
        (None, ""),
    ],
)
def test_periods_with_their_year(period, text):
    assert wording.period_words(period) == text


def test_bars_fill_the_whole_in_order():
    found = wording.segments({"met": 1, "not_met": 2, "not_applicable": 9, "pending": 1})
    assert found == [("not_met", 0, 50), ("pending", 50, 25), ("met", 75, 25)]
    assert wording.segments({"not_applicable": 3}) == []


def test_dates_and_how_far_off_they_are():
    today = date(2021, 3, 5)
    assert wording.day(today) == wording.day("2021-03-05") == "2021年3月5日"
    assert wording.due_words(today, today) == "今天"
    assert wording.due_words(date(2021, 3, 4), today) == "已过 1 天"
    assert wording.due_words(date(2021, 3, 15), today) == "还有 10 天"
    assert wording.due_words(None, today) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "没有"), (3, "3"), (True, "是"), ([], "没有"), (["a", 2], "a、2"), ({"a": 1}, "a 1")],
)
def test_short_values(value, text):
    assert wording.short_value(value) == text


def test_labels_of_what_a_profile_adds():
    assert wording.label("met", "verdict") == "符合"
    assert wording.label("no-such-code", "occasion_kind", "xian") == "no-such-code"


def test_every_statement_has_a_subject_with_a_name(app):
    packs = app.extensions["guiju_plugins"].packs
    found = {subject_of(rule.id) for pack in packs.values() for rule in pack.requirements}
    assert found - set(SUBJECTS) == set()
    assert subject_rank("no_such_subject") == len(SUBJECTS)


def test_codes_with_numbers_come_in_the_order_of_the_numbers():
    codes = ["b10", "b9", "a-2-1", "a-10", "a-2", "1x"]
    assert sorted(codes, key=natural) == ["1x", "a-2", "a-2-1", "a-10", "b9", "b10"]


def cells(*periods: str | None, verdict: str = "met") -> list[GridCell]:
    return [GridCell(period, "", verdict, {verdict: 1}, 1, None) for period in periods]


def row(unit: str | None, found: list[GridCell]) -> GridRow:
    subject = Unit(1, "b", "支部", "branch")
    rule = ("xian", "xian.dues.monthly", None, "", "", "hard", "organization")
    return GridRow(*rule, subject, unit, found)


def test_a_row_covers_twelve_months_with_gaps_where_nothing_is_asked():
    spans = over_months(cells("2021-Q2", "2021-Q4"))
    assert [(span.months, span.cell is not None) for span in spans] == [
        (3, False),
        (3, True),
        (3, False),
        (3, True),
    ]


def test_what_is_asked_once_stands_apart_from_what_repeats():
    rows = [row("month", cells("2021-01")), row("year", cells("2021")), row(None, cells(None))]
    year = lay_out(rows, "applicable")
    assert [len(chapter.lines) for chapter in year.repeated] == [1]
    assert [len(chapter.lines) for chapter in year.once] == [2]


def test_what_does_not_apply_is_counted_and_shown_on_demand():
    rows = [
        row("year", cells("2021", verdict="not_applicable")),
        row("month", cells("2021-01", verdict="no_data")),
        row("year", cells("2021")),
    ]
    year = lay_out(rows, "applicable")
    assert (len(year.repeated), len(year.once), year.hidden) == (1, 1, 1)
    assert len(lay_out(rows, "all").once[0].lines) == 2
    still_open = lay_out(rows, "open")
    assert (len(still_open.repeated), len(still_open.once)) == (1, 0)
