from datetime import date

import pytest

TREE = [
    {"id": "c", "name": "c", "kind": "committee"},
    {"id": "u", "name": "u", "kind": "unit", "parent": "c", "internal": True},
    {"id": "b", "name": "b", "kind": "branch", "parent": "u"},
]
DAY = date(2021, 1, 1)


def secretary(**columns):
    return {"person": "p", "organization": "b", "post": "secretary", **columns}


def standing(judge, dates, taken, as_of=DAY, **parameters):
    rows = {
        "organizations": TREE,
        "members": [{"id": "p", "organization": "b", "membership_class": "full", **dates}],
        "posts": [secretary(from_on=taken)],
    }
    return judge("standing", {"months": 12, **parameters}, rows, as_of).verdicts().get("p")


@pytest.mark.parametrize(
    ("full", "taken", "verdict"),
    [
        (date(2019, 3, 1), date(2020, 3, 1), "met"),
        (date(2019, 3, 2), date(2020, 3, 1), "not_met"),
        (date(2020, 2, 29), date(2021, 2, 28), "met"),
        (date(2020, 2, 29), date(2021, 2, 27), "not_met"),
        (None, date(2020, 3, 1), "no_data"),
    ],
)
def test_a_year_of_standing(judge, full, taken, verdict):
    assert standing(judge, {"full_member_on": full}, taken, date(2021, 3, 1)) == verdict


def test_who_held_the_post_when_the_rule_began(judge):
    dates = {"full_member_on": date(2018, 12, 20)}
    assert standing(judge, dates, date(2019, 1, 1)) == "met"
    assert standing(judge, {"full_member_on": date(2018, 12, 21)}, date(2019, 1, 1)) == "not_met"


def test_counted_from_joining(judge):
    dates = {"joined_on": date(2019, 1, 1), "full_member_on": date(2020, 1, 1)}
    taken = date(2020, 6, 1)
    assert standing(judge, dates, taken) == "not_met"
    assert standing(judge, dates, taken, since="joined_on") == "met"


@pytest.mark.parametrize(
    ("heads", "verdict"),
    [
        ([("p", "u")], "met"),
        ([("p", "c")], "met"),
        ([("q", "u"), ("p", "c")], "met"),
        ([("q", "u")], "not_met"),
        ([], "no_data"),
    ],
)
def test_a_head_of_the_unit_or_above(judge, heads, verdict):
    posts = [secretary()] + [
        {"person": person, "organization": unit, "post": "department_head"}
        for person, unit in heads
    ]
    rows = {"organizations": TREE, "posts": posts}
    found = judge("headship", {"posts": ["department_head"]}, rows, DAY)
    assert found.verdicts() == {"p": verdict}


def test_a_post_ended_yesterday_is_no_post(judge):
    head = {"person": "p", "organization": "u", "post": "department_head"}
    rows = {
        "organizations": TREE,
        "posts": [secretary(), {**head, "until_on": date(2020, 12, 31)}],
    }
    found = judge("headship", {"posts": ["department_head"]}, rows, DAY)
    assert found.verdicts() == {"p": "no_data"}


def trained(judge, cover, training, as_of=DAY, *, attested=True):
    tree = [*TREE, {"id": "d", "name": "d", "kind": "branch", "parent": "c"}]
    rows = {
        "organizations": tree,
        "posts": [
            secretary(from_on=date(2020, 1, 1)),
            secretary(person="q", organization="d", from_on=date(2020, 12, 31)),
        ],
        "training": [
            {"person": "p", "held_on": date(2020, 2, 29), "tenths": 10, "secretaries": True} | row
            for row in training
        ],
        "attestations": [{"organization": "c", "period": "2020", "attested_on": DAY}]
        if attested
        else [],
    }
    found = judge("secretary_training", {"cover": cover}, rows, as_of, kinds=["committee"])
    finding = next(f for f in found if f["period"] == "2020")
    return finding["verdict"], finding["observed"], finding["required"]


def test_all_secretaries_or_any(judge):
    one, both = [{}], [{}, {"person": "q"}]
    assert trained(judge, "all", one) == ("not_met", 1, 2)
    assert trained(judge, "all", both) == ("met", 2, 2)
    assert trained(judge, "any", one) == ("met", 1, 1)
    assert trained(judge, "any", []) == ("not_met", 0, 1)


def test_training_by_others_or_of_another_kind(judge):
    assert trained(judge, "any", [{"organizer": "u"}])[0] == "not_met"
    assert trained(judge, "any", [{"organizer": "c"}])[0] == "met"
    assert trained(judge, "any", [{"secretaries": False}])[0] == "not_met"
    assert trained(judge, "any", [{"held_on": date(2021, 1, 1)}])[0] == "not_met"
    assert trained(judge, "any", [], attested=False)[0] == "no_data"
    assert trained(judge, "any", [], date(2020, 12, 31))[0] == "pending"
