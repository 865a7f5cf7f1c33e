"""Calendar periods: boundaries, labels, and the day n months later."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiju.rules import periods
from guiju.rules.periods import Unit

DAYS = st.dates(date(1921, 7, 1), date(2199, 12, 31))


def days(*values):
    return np.array([periods.day(value) for value in values], dtype=np.int32)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2020", date(2020, 1, 1), date(2020, 12, 31)),
        ("2020-H1", date(2020, 1, 1), date(2020, 6, 30)),
        ("2020-H2", date(2020, 7, 1), date(2020, 12, 31)),
        ("2020-Q1", date(2020, 1, 1), date(2020, 3, 31)),
        ("2020-B1", date(2020, 1, 1), date(2020, 2, 29)),
        ("2020-B6", date(2020, 11, 1), date(2020, 12, 31)),
        ("2019-02", date(2019, 2, 1), date(2019, 2, 28)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
    ],
)
def test_first_and_last_day(text, first, last):
    index, unit = periods.parse(text)
    assert periods.to_date(periods.first_day(index, unit)) == first
    assert periods.to_date(periods.last_day(index, unit)) == last
    assert periods.label(index, unit) == text


@pytest.mark.parametrize(
    "text", ["", "20", "2020-Q5", "2020-H0", "2020-B7", "2020-13", "2020-1", "2020-00", "2020Q1"]
)
def test_what_is_no_period(text):
    with pytest.raises(ValueError, match=text or "^$"):
        periods.parse(text)


@given(DAYS, st.sampled_from(Unit))
def test_every_day_is_in_its_period(day, unit):
    index = periods.index(day, unit)
    number = periods.day(day)
    assert periods.first_day(index, unit) <= number <= periods.last_day(index, unit)
    assert periods.parse(periods.label(index, unit)) == (index, unit)


@given(DAYS, st.sampled_from(Unit))
def test_columns_agree_with_single_days(day, unit):
    column = days(day, day + timedelta(days=1))
    assert periods.indices(column, unit).tolist() == [
        periods.index(day, unit),
        periods.index(day + timedelta(days=1), unit),
    ]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2020, 1, 31), 1, date(2020, 2, 29)),
        (date(2019, 1, 31), 1, date(2019, 2, 28)),
        (date(2020, 2, 29), 12, date(2021, 2, 28)),
        (date(2020, 8, 31), 6, date(2021, 2, 28)),
        (date(2020, 7, 15), 6, date(2021, 1, 15)),
        (date(2021, 5, 31), -3, date(2021, 2, 28)),
        (date(2021, 12, 31), -6, date(2021, 6, 30)),
    ],
)
def test_months_later_is_the_same_day_clamped(start, months, end):
    (found,) = periods.add_months(days(start), months).tolist()
    assert periods.to_date(found) == end


def test_months_after_no_day_is_no_day():
    nothing = np.array([periods.NULL_DAY], dtype=np.int32)
    assert periods.add_months(nothing, 6).tolist() == [periods.NULL_DAY]


@given(DAYS)
def test_weekday(day):
    assert periods.weekday(days(day)).tolist() == [day.weekday()]


@pytest.mark.parametrize(
    ("issued", "unit", "first"),
    [
        (date(2020, 7, 15), Unit.MONTH, "2020-08"),
        (date(2020, 7, 15), Unit.QUARTER, "2020-Q4"),
        (date(2020, 7, 15), Unit.YEAR, "2021"),
        (date(2019, 4, 29), Unit.YEAR, "2019"),
        (date(2015, 3, 9), Unit.BIMONTH, "2015-B3"),
        (date(2015, 3, 9), Unit.HALF, "2015-H2"),
        (date(2020, 11, 10), Unit.MONTH, "2020-12"),
        (date(2020, 7, 1), Unit.MONTH, "2020-07"),
        (date(2020, 6, 30), Unit.YEAR, "2020"),
        (date(2020, 7, 1), Unit.YEAR, "2021"),
    ],
)
def test_the_first_period_a_notice_governs(issued, unit, first):
    found = periods.first_judged(periods.day(issued), unit)
    assert periods.label(found["half_way"], unit) == first


def test_other_options_for_the_first_period():
    def options(issued, unit):
        found = periods.first_judged(periods.day(issued), unit)
        return {option: periods.label(period, unit) for option, period in found.items()}

    assert options(date(2019, 4, 29), Unit.YEAR) == {
        "half_way": "2019",
        "whole": "2020",
        "touching": "2019",
    }
    assert options(date(2020, 7, 15), Unit.QUARTER) == {
        "half_way": "2020-Q4",
        "whole": "2020-Q4",
        "touching": "2020-Q3",
    }
    assert set(options(date(2020, 7, 1), Unit.QUARTER).values()) == {"2020-Q3"}


@pytest.mark.parametrize(
    ("months", "end", "last"),
    [
        (1, "same_day", date(2020, 2, 29)),
        (1, "day_before", date(2020, 2, 28)),
        (6, "same_day", date(2020, 7, 31)),
        (-2, "day_before", date(2019, 11, 29)),
    ],
)
def test_a_deadline_some_months_away(months, end, last):
    day = np.array([periods.day(date(2020, 1, 31)), periods.NULL_DAY], dtype=np.int32)
    found = periods.deadline(day, months, end)
    assert periods.to_date(int(found[0])) == last
    assert found[1] == periods.NULL_DAY


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2021", "2021年"),
        ("2021-03", "2021年3月"),
        ("2021-B2", "2021年3—4月"),
        ("2021-Q4", "2021年第四季度"),
        ("2021-H1", "2021年上半年"),
    ],
)
def test_periods_in_words(text, said):
    assert periods.describe(*periods.parse(text)) == said
