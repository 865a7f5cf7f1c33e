"""Mandatory talks before a meeting, each person's own part, and talks by relation."""

from datetime import date

import pytest

DAY = date(2020, 12, 20)
COMMITTEE = [
    {"id": "county", "kind": "committee"},
    {"id": "office", "kind": "unit", "parent": "county"},
    {"id": "town", "kind": "committee", "parent": "county", "sector": "township"},
]
POSTS = [
    {"person": "s", "organization": "county", "post": "secretary"},
    {"person": "a", "organization": "county", "post": "team_member", "oversees": "office"},
    {"person": "b", "organization": "county", "post": "team_member"},
    {"person": "c", "organization": "county", "post": "team_member"},
    {
        "person": "gone",
        "organization": "county",
        "post": "team_member",
        "until_on": date(2020, 12, 19),
    },
    {"person": "d", "organization": "office", "post": "department_head"},
    {"person": "t", "organization": "town", "post": "secretary"},
    {"person": "h", "organization": "town", "post": "administrative_head"},
]


def meeting(id="o", day=DAY):
    return {
        "id": id,
        "organization": "county",
        "kinds": ["democratic_life_meeting"],
        "held_on": day,
    }


def talk(one, other, day=date(2020, 12, 1), **more):
    return {
        "id": f"{one}{other}{day}",
        "organization": "county",
        "held_on": day,
        "person": one,
        "partner": other,
        **more,
    }


def before(judge, relation, talks, occasions=(), *, every=True):
    rows = {
        "organizations": COMMITTEE,
        "posts": POSTS,
        "occasions": [meeting(), *occasions],
        "talks": talks,
    }
    parameters = {
        "kinds": ["democratic_life_meeting"],
        "relation": relation,
        "every": every,
    }
    found = judge("pairs_before", parameters, rows, date(2021, 2, 1), kinds=["committee"])
    return next(f for f in found if f["subject"]["id"] == "o")


@pytest.mark.parametrize(
    ("relation", "talks", "pairs"),
    [
        ("secretary_each", [talk("s", x) for x in "abc"], 3),
        ("secretary_each", [talk(x, "s") for x in "abc"], 3),
        ("pairwise", [talk("a", "b"), talk("b", "c"), talk("c", "a")], 3),
        ("department_heads", [talk("a", "d")], 1),
        ("subordinate_heads", [talk("s", "t"), talk("s", "h")], 2),
    ],
)
def test_every_pair_talked(judge, relation, talks, pairs):
    found = before(judge, relation, talks)
    assert (found["required"], found["observed"], found["verdict"]) == (pairs, pairs, "met")
    assert sorted(found["evidence"]) == sorted(row["id"] for row in talks)
    short = before(judge, relation, talks[1:])
    assert (short["observed"], short["verdict"]) == (pairs - 1, "not_met")


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        (talk("a", "d", DAY), True),
        (talk("a", "d", date(2020, 12, 21)), False),
        (talk("a", "d", date(2020, 12, 21), occasion="o"), False),
        (talk("a", "d", date(2019, 12, 21)), True),
        (talk("a", "d", date(2019, 12, 20)), False),
        (talk("a", "d", date(2018, 1, 1), occasion="o"), True),
    ],
)
def test_only_talks_that_prepare_the_meeting_count(judge, row, counts):
    found = before(judge, "department_heads", [row])
    assert found["verdict"] == ("met" if counts else "not_met")


def test_a_talk_before_an_earlier_meeting_serves_that_one(judge):
    earlier = [meeting("early", date(2020, 6, 1))]
    row = talk("a", "d", date(2020, 6, 1))
    assert before(judge, "department_heads", [row], earlier)["verdict"] == "not_met"
    row = talk("a", "d", date(2020, 6, 2))
    assert before(judge, "department_heads", [row], earlier)["verdict"] == "met"


def test_by_the_other_reading_everyone_needs_one_partner(judge):
    talks = [talk("a", "b"), talk("c", "b")]
    assert before(judge, "pairwise", talks)["verdict"] == "not_met"
    found = before(judge, "pairwise", talks, every=False)
    assert (found["required"], found["observed"], found["verdict"]) == (3, 3, "met")
    found = before(judge, "pairwise", talks[:1], every=False)
    assert (found["observed"], found["verdict"]) == (2, "not_met")


def test_a_late_talk_is_named_as_late(judge):
    rows = {
        "organizations": COMMITTEE,
        "posts": POSTS,
        "occasions": [meeting()],
        "talks": [talk("a", "d", date(2020, 12, 21), occasion="o")],
    }
    parameters = {"kinds": ["democratic_life_meeting"], "relation": "department_heads"}
    found = judge("pairs_before", parameters, rows, date(2021, 2, 1), kinds=["committee"])
    assert found.uncounted() == [("ad2020-12-21", "晚于会议")]


def test_without_anybody_to_talk_with_the_rule_does_not_apply(judge):
    rows = {"organizations": COMMITTEE, "occasions": [meeting()]}
    parameters = {"kinds": ["democratic_life_meeting"], "relation": "secretary_each"}
    [found] = judge("pairs_before", parameters, rows, date(2021, 2, 1), kinds=["committee"])
    assert found["verdict"] == "not_applicable"


def papers(judge, steps=(), documents=(), people="team", **more):
    rows = {
        "organizations": COMMITTEE,
        "posts": POSTS,
        "occasions": [meeting()],
        "steps": steps,
        "documents": documents,
    }
    parameters = {"kinds": ["democratic_life_meeting"], "people": people, **more}
    [found] = judge("each_person", parameters, rows, date(2021, 2, 1), kinds=["committee"])
    return found["required"], found["observed"], found["verdict"]


def wrote(person, day=DAY):
    return {"occasion": "o", "step": "paper", "done_on": day, "person": person}


def paper(person=None):
    return {"occasion": "o", "kind": "comparison_paper", "person": person}


BOTH = {"step": "paper", "document": "comparison_paper"}


@pytest.mark.parametrize(
    ("steps", "documents", "done"),
    [
        ([wrote(p) for p in "sabc"], [], 4),
        ([wrote(p) for p in "sab"], [paper("c")], 4),
        ([wrote(p) for p in "sab"], [paper("a")], 3),
        ([wrote(p) for p in "sab"], [paper()], 4),
        ([wrote(p) for p in "sab"] + [wrote("c", date(2020, 12, 21))], [], 3),
        ([wrote(p) for p in "sab"] + [wrote("gone")], [], 3),
        ([], [paper()] * 9, 4),
    ],
)
def test_everyone_on_the_team_that_day_writes(judge, steps, documents, done):
    expected = "met" if done == 4 else "not_met"
    assert papers(judge, steps, documents, **BOTH) == (4, done, expected)


def test_a_step_may_come_later_where_the_rule_says_so(judge):
    steps = [wrote("s", date(2021, 1, 5))]
    assert papers(judge, steps, people="secretary", step="paper")[2] == "not_met"
    assert papers(judge, steps, people="secretary", step="paper", before=False)[2] == "met"


def test_nobody_known_means_nothing_known(judge):
    assert papers(judge, people="group_leader", **BOTH)[2] == "no_data"


BRANCH = {
    "organizations": [{"id": "b", "kind": "branch"}],
    "members": [{"id": p, "organization": "b", "membership_class": "full"} for p in "vwxyz"],
    "posts": [
        {"person": "v", "organization": "b", "post": "secretary"},
        {"person": "w", "organization": "b", "post": "committee_member"},
    ],
    "attestations": [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}],
}
RELATIONS = ["team", "team_member", "members", "masses"]


@pytest.mark.parametrize(
    ("row", "relation"),
    [
        (talk("v", "w"), ["team"]),
        (talk("v", "x"), ["team_member"]),
        (talk("x", "w"), ["team_member"]),
        (talk("x", "y"), ["members"]),
        ({**talk("x", None), "partner_class": "mass_representative"}, ["masses"]),
        (talk("x", "stranger"), ["masses"]),
        (talk("stranger", "x"), ["masses"]),
        (talk("stranger", "other"), []),
    ],
)
def test_the_relation_of_a_talk(judge, row, relation):
    rows = {**BRANCH, "talks": [{**row, "organization": "b"}]}
    found = judge("talk_relations", {"relations": RELATIONS}, rows, date(2021, 1, 1))
    [finding] = [f for f in found if f["period"] == "2020"]
    assert finding["observed"] == relation
    assert finding["verdict"] == "needs_judgement"


def test_all_relations_or_any(judge):
    rows = {**BRANCH, "talks": [{**talk("x", "y"), "organization": "b"}]}
    parameters = {"relations": ["members", "masses"]}
    found = judge("talk_relations", parameters, rows, date(2021, 1, 1))
    assert found.verdicts()["b 2020"] == "needs_judgement"
    found = judge("talk_relations", {**parameters, "require": "any"}, rows, date(2021, 1, 1))
    assert found.verdicts()["b 2020"] == "met"
