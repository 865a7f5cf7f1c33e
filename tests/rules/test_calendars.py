"""The holiday calendar: well formed, and silent about years it does not hold."""

import re
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from guiju.rules import calendars, periods

YEARS = tomllib.loads(resources.files("guiju.rules").joinpath("holidays.toml").read_text("utf-8"))[
    "year"
]


def days(*texts):
    return np.array([periods.day(date.fromisoformat(text)) for text in texts], dtype=np.int32)


@pytest.mark.parametrize("year", YEARS)
def test_a_year_is_well_formed(year):
    entry = YEARS[year]
    assert entry["source"]
    assert all(day.year == int(year) for day in [*entry["holidays"], *entry["workdays"]])
    assert all(day.weekday() >= 5 for day in entry["workdays"])
    assert not set(entry["holidays"]) & set(entry["workdays"])
    assert entry["holidays"] == sorted(set(entry["holidays"]))


def test_every_year_is_in_the_operators_table_with_its_source():
    page = Path(__file__).parents[2] / "docs" / "operations" / "calendar.md"
    text = page.read_text("utf-8")
    told = re.findall(r"^\| (\d{4}) \| (.*) \|$", text, re.MULTILINE)
    assert dict(told) == {year: entry["source"] for year, entry in YEARS.items()}


def test_the_years_that_the_notices_need_are_there():
    assert set(YEARS) >= {"2019", "2020", "2021"}


def test_fridays_of_first_weeks_that_were_holidays():
    """The five Fridays among days 1-7 between May 2019 and December 2020 that were days off."""
    fridays = days(
        *(
            min(
                date(year, month, day)
                for day in range(1, 8)
                if date(year, month, day).weekday() == 4
            ).isoformat()
            for year, month in [(2019, m) for m in range(5, 13)] + [(2020, m) for m in range(1, 13)]
        )
    )
    off = [
        periods.to_date(day).isoformat() for day in fridays[calendars.load().is_holiday(fridays)]
    ]
    assert off == ["2019-05-03", "2019-06-07", "2019-10-04", "2020-05-01", "2020-10-02"]


def test_years_that_a_later_notice_adds_to():
    """The days before a New Year that begins after a weekend, by the notice of that year."""
    off = days("2022-12-31", "2023-01-02", "2023-12-30", "2024-01-01", "2026-02-23")
    assert calendars.load().is_holiday(off).all()
    assert calendars.load().is_working(days("2026-02-14", "2026-02-24", "2026-10-10")).all()


def test_working_weekends_and_the_next_working_day():
    calendar = calendars.load()
    assert calendar.is_working(days("2020-05-09", "2020-05-10", "2020-02-01")).tolist() == [
        True,
        False,
        False,
    ]
    assert calendar.next_working(days("2020-05-01", "2019-10-04")).tolist() == (
        days("2020-05-06", "2019-10-08").tolist()
    )


def test_a_year_that_is_missing_is_not_known():
    assert calendars.load().known(days("2018-12-31", "2019-01-01")).tolist() == [False, True]
