"""Answers to events, and a day of the month that is relatively fixed."""

from datetime import date

import pytest

BRANCH = {"id": "b", "name": "b", "kind": "branch"}


def vacancy(judge, vacant, filled=None, as_of=date(2020, 3, 31), **parameters):
    row = {"organization": "b", "post": "secretary", "vacant_on": vacant, "filled_on": filled}
    rows = {"organizations": [BRANCH], "vacancies": [row]}
    found = judge("response", {"source": "vacancies", **parameters}, rows, as_of)
    return found.verdicts().get(f"b {vacant.year}")


@pytest.mark.parametrize(
    ("vacant", "filled", "days", "verdict"),
    [
        (date(2020, 1, 1), date(2020, 3, 31), 0, "met"),
        (date(2020, 1, 1), None, 0, "needs_judgement"),
        (date(2020, 1, 1), date(2020, 4, 1), 0, "needs_judgement"),
        # From 29 February 31 days lead to 31 March.
        (date(2020, 2, 29), None, 31, "pending"),
        (date(2020, 2, 28), None, 31, "needs_judgement"),
        (date(2020, 2, 29), date(2020, 3, 31), 31, "met"),
        (date(2020, 2, 28), date(2020, 3, 31), 31, "needs_judgement"),
        (date(2019, 12, 19), None, 0, None),
    ],
)
def test_in_time_has_no_number_of_its_own(judge, vacant, filled, days, verdict):
    assert vacancy(judge, vacant, filled, within_days=days) == verdict


@pytest.mark.parametrize(
    ("closed", "verdict"),
    [(date(2020, 2, 29), "met"), (date(2020, 3, 1), "not_met"), (None, "not_met")],
)
def test_at_once(judge, closed, verdict):
    organization = {
        **BRANCH,
        "kind": "temporary_branch",
        "temporary_until": date(2020, 2, 29),
        "closed_on": closed,
    }
    found = judge(
        "response",
        {"source": "temporary", "at_once": True},
        {"organizations": [organization]},
        date(2020, 3, 31),
        kinds=["temporary_branch"],
    )
    assert found.verdicts() == {"b 2020": verdict}


def test_one_finding_for_the_events_of_a_year(judge):
    row = {"organization": "b", "post": "secretary"}
    rows = {
        "organizations": [BRANCH],
        "vacancies": [
            {**row, "vacant_on": date(2020, 1, 1), "filled_on": date(2020, 1, 5)},
            {**row, "vacant_on": date(2020, 2, 1)},
        ],
    }
    (found,) = judge("response", {"source": "vacancies"}, rows, date(2020, 3, 1))
    assert (found["verdict"], found["observed"], found["required"]) == ("needs_judgement", 1, 2)


@pytest.mark.parametrize(("full", "verdict"), [(2, "needs_judgement"), (3, None)])
def test_too_few_members_today(judge, full, verdict):
    members = [
        {"id": f"p{n}", "organization": "b", "membership_class": "full"} for n in range(full)
    ]
    rows = {"organizations": [BRANCH], "members": members}
    parameters = {"source": "adjustments", "least_members": 3}
    assert judge("response", parameters, rows, date(2020, 3, 1)).verdicts().get("b") == verdict


FIXED = {"kinds": ["theme_day"], "per": "month", "item": "fixed_theme_day", "ask": True}


def fixed(judge, days, register=(), **parameters):
    occasions = [
        {"id": f"o{n}", "organization": "b", "kinds": ["theme_day"], "held_on": day}
        for n, day in enumerate(days)
    ]
    rows = {"organizations": [BRANCH], "occasions": occasions, "register": list(register)}
    found = judge("fixed_day", {**FIXED, **parameters}, rows, date(2020, 4, 1)).verdicts()
    return [found[f"b 2020-0{month}"] for month in (1, 2, 3)]


def test_near_the_middle_of_the_days_kept(judge):
    near = [date(2020, 1, 8), date(2020, 2, 11), date(2020, 3, 14)]
    assert fixed(judge, near) == ["met", "met", "met"]
    far = [date(2020, 1, 7), date(2020, 2, 11), date(2020, 3, 14)]
    assert fixed(judge, far) == ["needs_judgement", "met", "met"]
    assert fixed(judge, far, ask=False) == ["met", "met", "met"]


def test_near_the_day_registered(judge):
    entry = {"organization": "b", "item": "fixed_theme_day", "since_on": date(2020, 1, 1)}
    days = [date(2020, 1, 26), date(2020, 2, 29), date(2020, 3, 25)]
    assert fixed(judge, days, [{**entry, "number": 29}]) == ["met", "met", "needs_judgement"]


def test_one_near_day_is_enough(judge):
    entry = {
        "organization": "b",
        "item": "fixed_theme_day",
        "since_on": date(2020, 1, 1),
        "number": 5,
    }
    days = [date(2020, 1, 5), date(2020, 1, 25), date(2020, 2, 25), date(2020, 3, 5)]
    assert fixed(judge, days, [entry]) == ["met", "needs_judgement", "met"]
