"""Meetings combined or kept apart, and the form in which they are held."""

from datetime import date

import pytest

TREE = [{"id": "b", "kind": "branch"}, {"id": "g", "kind": "party_group", "parent": "b"}]
DAY = date(2021, 3, 10)


def meeting(id, *kinds, day=DAY, organization="b", **more):
    return {"id": id, "organization": organization, "kinds": list(kinds), "held_on": day, **more}


def run(judge, mode, occasions, parameters=None, strictness="bare", **rows):
    wanted = {"kinds": ["party_lecture"], "mode": mode, **(parameters or {})}
    rows = {"organizations": TREE, "occasions": occasions, **rows}
    return judge("combine", wanted, rows, strictness=strictness).verdicts()


WITH = {"with": ["branch_assembly"]}
ONE = [meeting("l", "party_lecture", "branch_assembly")]
LINKED = [meeting("l", "party_lecture"), meeting("a", "branch_assembly", merged_with=["l"])]
SAME_DAY = [meeting("l", "party_lecture"), meeting("a", "branch_assembly")]
NEXT_DAY = [meeting("l", "party_lecture"), meeting("a", "branch_assembly", day=date(2021, 3, 11))]


@pytest.mark.parametrize(
    ("occasions", "same_day", "expected"),
    [
        (ONE, False, "met"),
        (LINKED, False, "met"),
        (SAME_DAY, False, "deviation"),
        (SAME_DAY, True, "met"),
        (NEXT_DAY, True, "deviation"),
    ],
)
def test_must_go_together(judge, occasions, same_day, expected):
    parameters = {**WITH, "same_day": same_day}
    assert run(judge, "must", occasions, parameters, "general")["l"] == expected


def test_may_go_together_never_fails(judge):
    assert run(judge, "may", ONE, WITH, "may")["l"] == "met"
    assert run(judge, "may", SAME_DAY, WITH, "may")["l"] == "not_applicable"


@pytest.mark.parametrize(
    ("occasions", "expected"),
    [
        ([meeting("l", "party_lecture")], "met"),
        (SAME_DAY, "met"),
        (ONE, "not_met"),
        # Nothing may be merged into it either, whichever record says so.
        (LINKED, "not_met"),
        ([meeting("l", "party_lecture", merged_with=["a"]), SAME_DAY[1]], "not_met"),
    ],
)
def test_stands_alone(judge, occasions, expected):
    assert run(judge, "apart", occasions, strictness="hard")["l"] == expected


def test_stands_alone_with_its_own_topics_only(judge):
    own = {"topics": ["study"]}
    alone = [meeting("l", "party_lecture")]
    study = [{"occasion": "l", "item": "1", "topic": "study"}]
    stray = [*study, {"occasion": "l", "item": "2", "topic": "daily_business"}]
    assert run(judge, "apart", alone, own, agenda=study)["l"] == "met"
    assert run(judge, "apart", alone, own, agenda=stray)["l"] == "not_met"


@pytest.mark.parametrize(
    ("occasion", "expected"),
    [
        (meeting("m", "member_appraisal", form="assembly"), "met"),
        (meeting("m", "member_appraisal", "branch_assembly"), "met"),
        (meeting("m", "member_appraisal", organization="g"), "met"),
        (meeting("m", "member_appraisal", form="committee"), "deviation"),
        (meeting("m", "member_appraisal", "branch_committee"), "deviation"),
        (meeting("m", "member_appraisal"), "no_data"),
    ],
)
def test_form_stated_or_implied(judge, occasion, expected):
    parameters = {"kinds": ["member_appraisal"], "allowed": ["assembly", "group"]}
    rows = {"organizations": TREE, "occasions": [occasion]}
    [finding] = judge(
        "form", parameters, rows, kinds=["branch", "party_group"], strictness="general"
    )
    assert (finding["verdict"], finding["organization"]) == (expected, "b")
