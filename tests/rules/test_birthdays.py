from datetime import date

import pytest

RULE = {"kinds": ["political_birthday"]}
ORGANIZATIONS = [
    {"id": "b", "name": "b", "kind": "branch"},
    {"id": "g", "name": "g", "kind": "party_group", "parent": "b"},
]


def marked(day, number=1, organization="b"):
    return {
        "id": f"o{number}",
        "organization": organization,
        "kinds": ["political_birthday"],
        "held_on": day,
    }


def verdict(judge, joined, occasions, year, as_of=date(2026, 1, 1), **options):
    parameters = {**RULE, **options.pop("parameters", {})}
    rows = {
        "organizations": ORGANIZATIONS,
        "members": [
            {"id": "p", "organization": "b", "membership_class": "full", "joined_on": joined}
            | options.pop("member", {})
        ],
        "occasions": occasions,
        "attestations": [
            {"organization": "b", "period": str(y), "attested_on": date(2026, 1, 1)}
            for y in range(2020, 2026)
        ],
        **options,
    }
    return judge("birthdays", parameters, rows, as_of, strictness="duty").verdicts()[f"p {year}"]


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        (date(2021, 7, 1), "met"),
        (date(2021, 7, 31), "met"),
        (date(2021, 6, 30), "needs_judgement"),
        (date(2021, 8, 1), "needs_judgement"),
    ],
)
def test_within_the_month(judge, day, wanted):
    assert verdict(judge, date(2001, 7, 15), [marked(day)], 2021) == wanted


def test_a_group_marks_it_for_its_branch(judge):
    occasions = [marked(date(2021, 7, 1), organization="g")]
    assert verdict(judge, date(2001, 7, 15), occasions, 2021) == "met"


@pytest.mark.parametrize(
    ("day", "year", "wanted", "february"),
    [
        (date(2020, 2, 29), 2020, "met", "met"),
        (date(2020, 3, 1), 2020, "needs_judgement", "needs_judgement"),
        (date(2021, 2, 28), 2021, "met", "met"),
        (date(2021, 3, 1), 2021, "met", "needs_judgement"),
        (date(2021, 3, 2), 2021, "needs_judgement", "needs_judgement"),
        (date(2024, 2, 10), 2024, "met", "met"),
    ],
)
def test_the_29th_of_february(judge, day, year, wanted, february):
    joined = date(2000, 2, 29)
    assert verdict(judge, joined, [marked(day)], year) == wanted
    only = {"leap_day": "february"}
    assert verdict(judge, joined, [marked(day)], year, parameters=only) == february


def test_a_list_marks_only_those_on_it(judge):
    occasion = marked(date(2021, 7, 1))
    came = [{"occasion": "o1", "person": "p", "status": "present"}]
    other = [{"occasion": "o1", "person": "q", "status": "present"}]
    people = {"posts": [{"person": "q", "organization": "b", "post": "secretary"}]}
    joined = date(2001, 7, 15)
    assert verdict(judge, joined, [occasion], 2021, attendance=came) == "met"
    assert verdict(judge, joined, [occasion], 2021, attendance=other, **people) == "needs_judgement"


def test_open_months_and_unknown_dates(judge):
    joined = date(2001, 7, 15)
    assert verdict(judge, joined, [], 2021, date(2021, 7, 31)) == "pending"
    assert verdict(judge, joined, [], 2021, date(2021, 8, 1)) == "no_data"
    assert verdict(judge, None, [], 2021) == "no_data"
    assert verdict(judge, joined, [], 2021, parameters={"unmarked": "shortfall"}) == "not_met"


def test_the_first_anniversary_is_a_year_after(judge):
    joined = date(2020, 7, 15)
    assert verdict(judge, joined, [], 2020) == "not_applicable"
    assert verdict(judge, joined, [marked(date(2021, 7, 15))], 2021) == "met"


def test_who_came_after_the_anniversary(judge):
    late = {"from_on": date(2021, 8, 1)}
    assert verdict(judge, date(2001, 7, 15), [], 2021, member=late) == "not_applicable"
    in_time = {"from_on": date(2021, 7, 31)}
    assert verdict(judge, date(2001, 7, 15), [], 2021, member=in_time) == "needs_judgement"
