from datetime import date

import pytest

BRANCH = {"id": "b", "name": "b", "kind": "branch", "has_committee": True}
ATTESTED = [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}]
ALL = {"relations": ["committee", "committee_member", "members"], "pairs": ["committee"]}


def member(name, **columns):
    return {"id": name, "organization": "b", "membership_class": "full", **columns}


def talk(number, one, other, day=date(2020, 2, 29)):
    return {
        "id": f"t{number}",
        "organization": "b",
        "held_on": day,
        "person": one,
        "partner": other,
    }


def found(judge, parameters, people, committee, talks, **branch):
    rows = {
        "organizations": [{**BRANCH, **branch}],
        "members": [member(name) if isinstance(name, str) else name for name in people],
        "posts": [
            {"person": name, "organization": "b", "post": "committee_member"} for name in committee
        ],
        "talks": [talk(n, *pair) for n, pair in enumerate(talks)],
        "attestations": ATTESTED,
    }
    every = judge("talks", parameters, rows, date(2021, 1, 1), strictness="general")
    finding = next(f for f in every if f["period"] == "2020")
    return finding["verdict"], finding["observed"], finding["required"]


def test_pairs_of_a_committee_and_one_talk_for_each_member(judge):
    talks = [("a", "b1"), ("a", "m"), ("n", "b1"), ("m", "n")]
    assert found(judge, ALL, ["a", "b1", "m", "n"], ["a", "b1"], talks) == ("met", 5, 5)
    assert found(judge, ALL, ["a", "b1", "m", "n"], ["a", "b1"], talks[:-1]) == ("deviation", 3, 5)


def test_every_pair(judge):
    every = {**ALL, "pairs": ALL["relations"]}
    talks = [("a", "b1"), ("a", "m"), ("n", "b1"), ("m", "n")]
    # One pair of the committee, four of committee and members, one of members.
    assert found(judge, every, ["a", "b1", "m", "n"], ["a", "b1"], talks) == ("deviation", 4, 6)


def test_without_a_committee_all_are_members(judge):
    talks = [("a", "m")]
    assert found(judge, ALL, ["a", "m"], ["a"], talks, has_committee=False) == ("met", 2, 2)


def test_one_member_alone_has_nobody_to_talk_to(judge):
    assert found(judge, ALL, ["m"], [], [], has_committee=False)[0] == "not_applicable"


def test_a_talk_with_oneself_or_outside_the_year_is_none(judge):
    talks = [("m", "m"), ("m", "n", date(2021, 1, 1)), ("m", "n", date(2019, 12, 31))]
    assert found(judge, {"relations": ["anyone"]}, ["m", "n"], [], talks) == ("deviation", 0, 2)


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2020, 12, 31)])
def test_first_and_last_day_count(judge, day):
    assert found(judge, {"relations": ["anyone"]}, ["m", "n"], [], [("m", "n", day)])[0] == "met"


def test_who_came_within_the_year_is_not_expected(judge):
    late = member("n", from_on=date(2020, 1, 2))
    people = ["m", "k", late]
    assert found(judge, {"relations": ["anyone"]}, people, [], [("m", "k")]) == ("met", 2, 2)


def test_members_away(judge):
    people = ["m", member("f", floating=True)]
    away = {"relations": ["floating"]}
    assert found(judge, away, people, [], [("m", "f")]) == ("met", 1, 1)
    assert found(judge, away, people, [], []) == ("deviation", 0, 1)
    assert found(judge, away, ["m"], [], [])[0] == "not_applicable"


def test_who_is_missing_is_named(judge):
    rows = {
        "organizations": [{**BRANCH, "has_committee": False}],
        "members": [member("m"), member("n"), member("k")],
        "talks": [talk(1, "m", "n")],
    }
    found = judge("talks", {"relations": ["anyone"]}, rows, date(2021, 1, 1))
    [this_year] = (row for row, one in enumerate(found) if one["period"] == "2020")
    assert found.uncounted(this_year) == [("k", "每名党员还没有谈心谈话")]
