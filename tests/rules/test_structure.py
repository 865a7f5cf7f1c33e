from datetime import date

import pytest

BRANCH = {"id": "b", "name": "b", "kind": "branch"}
DAY = date(2021, 6, 30)


def members(number, **extra):
    return [
        {"id": f"p{n}", "organization": "b", "membership_class": "full", **extra}
        for n in range(number)
    ]


def posts(*names):
    return [{"person": f"p{n}", "organization": "b", "post": name} for n, name in enumerate(names)]


@pytest.mark.parametrize(("number", "verdict"), [(50, "met"), (51, "not_met")])
def test_an_upper_number_includes_itself(judge, number, verdict):
    rows = {"organizations": [BRANCH], "members": members(number)}
    found = judge("structure", {"limits": [{"count": "party_members", "max": 50}]}, rows, DAY)
    assert found.verdicts() == {"b": verdict}
    assert found[0]["observed"] == number


def test_a_member_counts_through_the_last_day(judge):
    limits = {"limits": [{"count": "full_members", "min": 1}]}
    rows = {
        "organizations": [BRANCH],
        "members": members(1, from_on=date(2020, 2, 29), until_on=date(2024, 2, 29)),
    }
    assert judge("structure", limits, rows, date(2024, 2, 29)).verdicts() == {"b": "met"}
    assert judge("structure", limits, rows, date(2024, 3, 1)).verdicts() == {"b": "not_met"}
    assert judge("structure", limits, rows, date(2020, 2, 28)).verdicts() == {"b": "not_met"}


def test_without_a_roster_nothing_is_known(judge):
    limits = {"limits": [{"count": "full_members", "max": 50}]}
    assert judge("structure", limits, {"organizations": [BRANCH]}, DAY).verdicts() == {
        "b": "no_data"
    }


SEVEN = {
    "when": [{"count": "full_members", "min": 7}],
    "limits": [{"count": "has_committee", "min": 1}],
}


@pytest.mark.parametrize(
    ("number", "held", "verdict"),
    [
        (7, ("secretary", "organization_member", "publicity_member"), "met"),
        (7, ("secretary",), "not_met"),
        (7, (), "no_data"),
        (6, ("secretary",), "not_applicable"),
    ],
)
def test_a_number_that_calls_for_another(judge, number, held, verdict):
    rows = {"organizations": [BRANCH], "members": members(number), "posts": posts(*held)}
    assert judge("structure", SEVEN, rows, DAY).verdicts() == {"b": verdict}


def test_no_posts_at_all_is_a_shortfall_once_attested(judge):
    rows = {
        "organizations": [BRANCH],
        "members": members(7),
        "attestations": [
            {"organization": "b", "period": "2021-05", "attested_on": date(2021, 6, 1)}
        ],
    }
    assert judge("structure", SEVEN, rows, DAY).verdicts() == {"b": "not_met"}


def test_a_ceiling_that_does_not_bind(judge):
    rows = {
        "organizations": [{**BRANCH, "has_committee": True}],
        "members": members(9),
        "posts": posts("secretary", *["committee_member"] * 5),
    }
    limits = {"limits": [{"count": "committee_members", "min": 3, "max": 5}]}
    assert judge("structure", limits, rows, DAY).verdicts() == {"b": "not_met"}
    assert judge("structure", {**limits, "ceiling": False}, rows, DAY).verdicts() == {"b": "met"}


def test_two_limits_show_both_numbers(judge):
    limits = {
        "limits": [
            {"count": "secretaries", "min": 1, "max": 1},
            {"count": "deputies", "max": 1},
        ]
    }
    rows = {
        "organizations": [BRANCH],
        "members": members(3),
        "posts": posts("secretary", "deputy_secretary", "deputy_secretary"),
    }
    (found,) = judge("structure", limits, rows, DAY)
    assert (found["verdict"], found["observed"], found["required"]) == ("not_met", [1, 2], [1, 1])


def test_units_count_those_of_their_branches_or_as_registered(judge):
    at_3 = {
        "when": [{"count": "unit_members", "min": 3}],
        "limits": [{"count": "branches", "min": 1}],
    }
    unit = {"id": "u", "name": "u", "kind": "unit"}
    inside = {"organizations": [unit, {**BRANCH, "parent": "u"}], "members": members(3)}
    assert judge("structure", at_3, inside, DAY, kinds=["unit"]).verdicts()["u"] == "met"
    stated = {
        "organizations": [unit],
        "register": [
            {"organization": "u", "item": "unit_members", "since_on": date(2021, 1, 1), "number": 3}
        ],
    }
    assert judge("structure", at_3, stated, DAY, kinds=["unit"]).verdicts() == {"u": "not_met"}
    assert judge("structure", at_3, {"organizations": [unit]}, DAY, kinds=["unit"]).verdicts() == {
        "u": "no_data"
    }


def test_groups_without_leaders(judge):
    limits = {
        "limits": [
            {"count": "groups", "min": 1, "outside": "needs_judgement"},
            {"count": "leaderless_groups", "max": 0},
        ],
        "large_from": 2,
    }
    groups = [{"id": g, "name": g, "kind": "party_group", "parent": "b"} for g in "gh"]
    leader = [{"person": "p0", "organization": "g", "post": "group_leader"}]
    led = {"organizations": [BRANCH, *groups], "members": members(2), "posts": leader}
    assert judge("structure", limits, led, DAY).verdicts() == {"b": "not_met"}
    none = {"organizations": [BRANCH], "members": members(2)}
    assert judge("structure", limits, none, DAY).verdicts() == {"b": "needs_judgement"}
    small = {"organizations": [BRANCH], "members": members(1)}
    assert judge("structure", limits, small, DAY).verdicts() == {"b": "not_applicable"}


def test_before_the_rule_nothing_is_said(judge):
    rows = {"organizations": [BRANCH], "members": members(51)}
    limits = {"limits": [{"count": "party_members", "max": 50}]}
    assert not judge("structure", limits, rows, date(2019, 12, 19))
    assert judge("structure", limits, rows, date(2019, 12, 20))
