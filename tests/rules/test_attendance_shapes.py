"""Who chairs and who is called: posts and rosters on the day."""

from datetime import date

import pytest

TREE = [
    {"id": "c", "kind": "committee"},
    {"id": "b", "kind": "branch", "parent": "c"},
    {"id": "g", "kind": "party_group", "parent": "b"},
]
DAY = date(2021, 3, 10)
DEPUTIES = {"posts": ["secretary"], "entrusted": ["deputy_secretary"]}


def meeting(kind="branch_assembly", organization="b", **more):
    return {"id": "o", "organization": organization, "kinds": [kind], "held_on": DAY, **more}


def post(person, name, organization="b", **more):
    return {"person": person, "organization": organization, "post": name, **more}


POSTS = [
    post("s", "secretary", until_on=DAY),
    post("n", "secretary", from_on=date(2021, 3, 11)),
    post("d", "deputy_secretary"),
]


@pytest.mark.parametrize(
    ("chair", "entrusted", "expected", "observed"),
    [
        ("s", None, "met", "by_post"),
        ("n", None, "not_met", "other"),
        ("d", True, "met", "entrusted"),
        ("d", False, "not_met", "not_entrusted"),
        ("d", None, "needs_judgement", "entrustment_unknown"),
        ("x", True, "not_met", "other"),
        (None, None, "no_data", None),
    ],
)
def test_the_post_on_the_day(judge, chair, entrusted, expected, observed):
    held = meeting(chair=chair, chair_entrusted=entrusted)
    rows = {"organizations": TREE, "posts": POSTS, "occasions": [held]}
    [finding] = judge("convener", {"kinds": ["branch_assembly"], **DEPUTIES}, rows)
    assert (finding["verdict"], finding["observed"]) == (expected, observed)


def test_nobody_on_record_in_the_post_leaves_it_open(judge):
    rows = {"organizations": TREE, "posts": [], "occasions": [meeting(chair="x")]}
    [finding] = judge("convener", {"kinds": ["branch_assembly"], **DEPUTIES}, rows)
    assert finding["verdict"] == "no_data"


def test_a_lecturer_may_hold_the_post_above(judge):
    rows = {
        "organizations": TREE,
        "posts": [post("s", "secretary"), post("t", "secretary", "c")],
        "occasions": [meeting("party_lecture", lecturer="t")],
    }
    parameters = {"kinds": ["party_lecture"], "role": "lecturer", "posts": ["secretary"]}
    assert judge("convener", parameters, rows)[0]["verdict"] == "not_met"
    assert judge("convener", {**parameters, "above": True}, rows)[0]["verdict"] == "met"


def test_convener_message(judge):
    rows = {"organizations": TREE, "posts": POSTS, "occasions": [meeting(chair="x")]}
    [finding] = judge("convener", {"kinds": ["branch_assembly"], **DEPUTIES}, rows)
    assert finding["message"] == (
        "2021年3月10日支部党员大会“示例要求”的主持人当日不是书记，也不是可受委托的人。"
    )


def member(person, **more):
    return {"id": person, "organization": "b", "membership_class": "full", **more}


ROSTER = [
    member("p1", group="g"),
    member("p2", membership_class="probationary"),
    member("p3", until_on=date(2021, 3, 9)),
    member("p4", membership_class="activist"),
]


def came(*people, status="present"):
    return [{"occasion": "o", "person": person, "status": status} for person in people]


@pytest.mark.parametrize(
    ("attendance", "expected", "observed"),
    [
        (came("p1", "p2"), "met", 2),
        (came("p1") + came("p2", status="excused"), "met", 2),
        (came("p1", "p3", "p4"), "not_met", 1),
        ([], "no_data", 0),
    ],
)
def test_everyone_on_the_roster_that_day(judge, attendance, expected, observed):
    rows = {
        "organizations": TREE,
        "members": ROSTER,
        "occasions": [meeting()],
        "attendance": attendance,
    }
    parameters = {"kinds": ["branch_assembly"], "who": "branch"}
    [finding] = judge("participants", parameters, rows)
    assert (finding["verdict"], finding["observed"], finding["required"]) == (
        expected,
        observed,
        2,
    )


def test_the_number_expected_stands_in_for_names(judge):
    rows = {"organizations": TREE, "members": ROSTER, "occasions": [meeting(expected=1)]}
    parameters = {"kinds": ["branch_assembly"], "who": "branch"}
    assert judge("participants", parameters, rows)[0]["verdict"] == "not_met"
    rows["occasions"] = [meeting(expected=2)]
    assert judge("participants", parameters, rows)[0]["verdict"] == "met"


def test_a_groups_members(judge):
    rows = {
        "organizations": TREE,
        "members": ROSTER,
        "occasions": [meeting("party_group_meeting", "g")],
        "attendance": came("p1"),
    }
    parameters = {"kinds": ["party_group_meeting"], "who": "group"}
    [finding] = judge("participants", parameters, rows, kinds=["party_group"])
    assert (finding["verdict"], finding["required"], finding["organization"]) == ("met", 1, "b")


def test_people_from_outside_by_class_or_by_name(judge):
    rows = {
        "organizations": TREE,
        "members": ROSTER,
        "occasions": [meeting("party_lecture")],
        "attendance": came("p1", "p2"),
    }
    parameters = {"kinds": ["party_lecture"], "who": "branch", "classes": ["activist"]}
    [finding] = judge("participants", parameters, rows)
    assert finding["verdict"] == "not_met"
    assert finding["message"] == (
        "2021年3月10日党课“示例要求”支部党员 2 人，列入 2 人，没有入党积极分子参加的记录。"
    )
    by_name = {**rows, "attendance": came("p1", "p2", "p4")}
    assert judge("participants", parameters, by_name)[0]["verdict"] == "met"
    by_class = {
        **rows,
        "attendance": [
            *came("p1", "p2"),
            {"occasion": "o", "status": "present", "person_class": "activist", "number": 3},
        ],
    }
    assert judge("participants", parameters, by_class)[0]["verdict"] == "met"
