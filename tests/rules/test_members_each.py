"""What each member of a branch should have, and how single talks are held."""

from datetime import date

import pytest

BRANCH = {"id": "b", "name": "b", "kind": "branch", "sector": "university"}
DAY = date(2021, 1, 1)


def member(name="p", **columns):
    return {"id": name, "organization": "b", "membership_class": "full", **columns}


def rows(*members, **more):
    return {"organizations": [BRANCH], "members": members, **more}


VERIFIED = {"joined_on": date(2000, 2, 29), "joined_verified": True}


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (VERIFIED, "met"),
        ({**VERIFIED, "joined_verified": False}, "not_met"),
        ({**VERIFIED, "joined_verified": None}, "no_data"),
        ({"joined_verified": True}, "no_data"),
        ({**VERIFIED, "until_on": date(2020, 12, 31), "joined_verified": False}, "met"),
    ],
)
def test_joining_dates(judge, second, verdict):
    facts = rows(member(**VERIFIED), member("q", **second))
    found = judge("member_states", {"state": "verified_joining"}, facts, DAY)
    assert found.verdicts() == {"b": verdict}


@pytest.mark.parametrize(
    ("people", "verdict"), [(("p", "q"), "met"), (("p",), "needs_judgement"), ((), "pending")]
)
def test_registration_of_those_whom_records_cannot_tell(judge, people, verdict):
    entries = [
        {"organization": "b", "person": p, "item": "community_registration", "since_on": DAY}
        for p in people
    ]
    parameters = {"state": "registered", "items": ["community_registration"], "bound": "some"}
    found = judge("member_states", parameters, rows(member(), member("q"), register=entries), DAY)
    assert found.verdicts() == {"b": verdict}


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({}, "met"),
        ({"entries": 0}, "no_data"),
        ({"promised_on": None}, "no_data"),
        ({"reviewed_on": date(2021, 1, 2)}, "no_data"),
    ],
)
def test_promise_points_and_review(judge, columns, verdict):
    cycle = {
        "person": "p",
        "year": 2020,
        "promised_on": date(2020, 1, 10),
        "entries": 1,
        "reviewed_on": date(2020, 12, 31),
        **columns,
    }
    facts = rows(member(), commitments=[cycle])
    found = judge("member_states", {"state": "points_cycle", "per": "year"}, facts, DAY)
    assert found.verdicts()["b 2020"] == verdict


def talk(**columns):
    return {
        "id": "t",
        "organization": "b",
        "held_on": date(2020, 2, 29),
        "person": "p",
        "partner": "q",
        "mode": "in_person",
        **columns,
    }


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({}, "met"),
        ({"participants": 2}, "met"),
        ({"participants": 3}, "not_met"),
        ({"mode": "phone"}, "not_met"),
        ({"mode": None}, "no_data"),
        ({"held_on": date(2019, 12, 20)}, "met"),
    ],
)
def test_one_to_one_and_in_person(judge, columns, verdict):
    facts = rows(member(), member("q"), talks=[talk(**columns)])
    assert judge("talk_mode", {}, facts, DAY).verdicts() == {"t": verdict}


def test_a_talk_before_the_rule_is_not_judged(judge):
    facts = rows(member(), member("q"), talks=[talk(held_on=date(2019, 12, 19))])
    assert judge("talk_mode", {}, facts, DAY).verdicts() == {}


def test_members_away_may_be_telephoned_where_the_notice_says_so(judge):
    away = member("q", floating=True, until_on=date(2020, 2, 29))
    facts = rows(member(), away, talks=[talk(mode="phone")])
    telephone = {"floating_sectors": ["university"]}
    assert judge("talk_mode", telephone, facts, DAY).verdicts() == {"t": "met"}
    elsewhere = {"floating_sectors": ["agency"]}
    assert judge("talk_mode", elsewhere, facts, DAY).verdicts() == {"t": "not_met"}
    back = rows(member(), away, talks=[talk(mode="phone", held_on=date(2020, 3, 1))])
    assert judge("talk_mode", telephone, back, DAY).verdicts() == {"t": "not_met"}
