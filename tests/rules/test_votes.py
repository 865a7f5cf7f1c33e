"""Quorum and vote: exactly half, exactly two thirds, and who counts."""

from datetime import date

import pytest

TREE = [
    {"id": "l", "kind": "leading_group"},
    {"id": "b", "kind": "branch", "parent": "l"},
]
DAY = date(2021, 3, 10)


def meeting(kind="branch_assembly", organization="b", **more):
    return {"id": "o", "organization": organization, "kinds": [kind], "held_on": DAY, **more}


def tally(should_attend, present, ayes=0, **more):
    return {
        "occasion": "o",
        "item": "1",
        "should_attend": should_attend,
        "present": present,
        "ayes": ayes,
        **more,
    }


HALF = {"kinds": ["branch_assembly"], "of": "voting", "ratio": [1, 2]}


@pytest.mark.parametrize(
    ("present", "inclusive", "expected"),
    [(10, True, "met"), (9, True, "not_met"), (10, False, "not_met"), (11, False, "met")],
)
def test_half_of_twenty(judge, present, inclusive, expected):
    rows = {"organizations": TREE, "occasions": [meeting()], "votes": [tally(20, present)]}
    [finding] = judge("quorum", {**HALF, "inclusive": inclusive}, rows)
    assert finding["verdict"] == expected
    assert finding["required"] == (10 if inclusive else 11)


@pytest.mark.parametrize(
    ("seats", "present", "expected"),
    [(6, 4, "met"), (7, 4, "not_met"), (8, 5, "not_met"), (8, 6, "met"), (3, 2, "met")],
)
def test_two_thirds_of_a_team(judge, seats, present, expected):
    people = [f"p{number}" for number in range(seats)]
    rows = {
        "organizations": TREE,
        "posts": [{"person": p, "organization": "l", "post": "team_member"} for p in people],
        "occasions": [meeting("democratic_life_meeting", "l")],
        "attendance": [
            {"occasion": "o", "person": p, "status": "present" if n < present else "excused"}
            for n, p in enumerate(people)
        ],
    }
    parameters = {"kinds": ["democratic_life_meeting"], "of": "team", "ratio": [2, 3]}
    [finding] = judge("quorum", parameters, rows, kinds=["leading_group"])
    assert (finding["verdict"], finding["observed"]) == (expected, present)


def test_a_teams_holders_outside_the_party_can_be_left_out(judge):
    people = ["p1", "p2", "p3", "p4"]
    rows = {
        "organizations": TREE,
        "members": [{"id": p, "organization": "b", "membership_class": "full"} for p in people[:3]],
        "posts": [{"person": p, "organization": "l", "post": "team_member"} for p in people],
        "occasions": [meeting("democratic_life_meeting", "l")],
        "attendance": [
            {"occasion": "o", "person": "p1", "status": "present"},
            {"occasion": "o", "person": "p2", "status": "present"},
            {"occasion": "o", "person": "p4", "status": "present"},
        ],
    }
    parameters = {"kinds": ["democratic_life_meeting"], "of": "team", "ratio": [2, 3]}
    [everyone] = judge("quorum", parameters, rows, kinds=["leading_group"])
    assert (everyone["required"], everyone["observed"]) == (3, 3)
    members = {**parameters, "members_only": True}
    [only_members] = judge("quorum", members, rows, kinds=["leading_group"])
    assert (only_members["required"], only_members["observed"]) == (2, 2)


def test_those_without_a_vote_are_in_neither_number(judge):
    rows = {
        "organizations": TREE,
        "members": [
            {"id": "p1", "organization": "b", "membership_class": "full"},
            {"id": "p2", "organization": "b", "membership_class": "full"},
            {"id": "p3", "organization": "b", "membership_class": "full", "voting": False},
            {"id": "p4", "organization": "b", "membership_class": "probationary"},
            {
                "id": "p5",
                "organization": "b",
                "membership_class": "full",
                "until_on": date(2021, 3, 9),
            },
        ],
        "occasions": [meeting()],
        "attendance": [
            {"occasion": "o", "person": p, "status": "present"} for p in ("p1", "p3", "p4", "p5")
        ],
    }
    [finding] = judge("quorum", HALF, rows)
    assert (finding["required"], finding["observed"], finding["verdict"]) == (1, 1, "met")


def test_too_few_for_a_vote_is_no_breach_where_nothing_was_put_to_it(judge):
    rows = {
        "organizations": TREE,
        "occasions": [meeting(voting_expected=20, voting_present=9)],
    }
    parameters = {**HALF, "for_votes": True}
    [finding] = judge("quorum", parameters, rows)
    assert finding["verdict"] == "not_applicable"
    [finding] = judge("quorum", parameters, {**rows, "votes": [tally(20, 9)]})
    assert finding["verdict"] == "not_met"


def test_the_worst_attended_of_several_votes_decides(judge):
    votes = [tally(20, 12), {**tally(20, 9), "item": "2"}, {**tally(20, 15), "item": "3"}]
    rows = {"organizations": TREE, "occasions": [meeting()], "votes": votes}
    [finding] = judge("quorum", HALF, rows)
    assert (finding["verdict"], finding["observed"]) == ("not_met", 9)


def test_numbers_nobody_recorded_are_no_data(judge):
    [finding] = judge("quorum", HALF, {"organizations": TREE, "occasions": [meeting()]})
    assert (finding["verdict"], finding["observed"]) == ("no_data", None)


def test_quorum_message(judge):
    rows = {"organizations": TREE, "occasions": [meeting()], "votes": [tally(20, 9)]}
    [finding] = judge("quorum", HALF, rows)
    assert finding["message"] == (
        "2021年3月10日支部党员大会“示例要求”到会有表决权的党员 9 人，至少须 10 人，少 1 人。"
    )


PASS = {"kinds": ["branch_assembly"], "ratio": [1, 2]}


@pytest.mark.parametrize(
    ("ayes", "outcome", "expected"),
    [
        (11, "passed", "met"),
        (10, "passed", "not_met"),
        (10, None, "not_met"),
        (10, "rejected", "met"),
        (11, "rejected", "not_met"),
        (11, None, "met"),
    ],
)
def test_more_than_half_of_those_who_should_attend(judge, ayes, outcome, expected):
    rows = {
        "organizations": TREE,
        "occasions": [meeting()],
        "votes": [tally(20, 12, ayes, outcome=outcome)],
    }
    [finding] = judge("vote", PASS, rows)
    assert (finding["verdict"], finding["required"]) == (expected, 11)


def test_a_wrong_result_outweighs_a_vote_judged_elsewhere(judge):
    parameters = {**PASS, "judged_elsewhere": ["admission"]}
    special = tally(20, 20, 18, vote_type="admission")
    rows = {"organizations": TREE, "occasions": [meeting()], "votes": [special]}
    assert judge("vote", parameters, rows)[0]["verdict"] == "needs_judgement"
    rows["votes"] = [special, {**tally(20, 20, 9), "item": "2"}]
    assert judge("vote", parameters, rows)[0]["verdict"] == "not_met"
    rows["votes"] = []
    assert judge("vote", parameters, rows)[0]["verdict"] == "not_applicable"
