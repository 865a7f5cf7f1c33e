"""Order of steps within an occasion, and of occasions within a cycle."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
DAY = date(2021, 3, 10)
ORDER = {"kinds": ["member_appraisal"], "steps": ["study", "ballot", "decision"]}


def taken(*steps):
    return [
        {"occasion": "o", "step": code, "done_on": date(2021, 3, day), "start_minute": minute}
        for code, day, minute in steps
    ]


def verdict(judge, *steps, **more):
    rows = {
        "organizations": BRANCH,
        "occasions": [
            {"id": "o", "organization": "b", "kinds": ["member_appraisal"], "held_on": DAY}
        ],
        "steps": taken(*steps),
    }
    [finding] = judge("order", {**ORDER, **more}, rows)
    return finding["verdict"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("study", 1, None), ("ballot", 2, None), ("decision", 3, None)], "met"),
        ([("study", 2, None), ("ballot", 2, None), ("decision", 2, None)], "met"),
        ([("study", 2, 600), ("ballot", 2, 599), ("decision", 3, None)], "not_met"),
        ([("study", 2, 600), ("ballot", 2, None), ("decision", 3, None)], "met"),
        ([("study", 3, None), ("ballot", 2, None), ("decision", 4, None)], "not_met"),
        ([("study", 1, None), ("decision", 3, None)], "not_met"),
        ([("ballot", 2, None)], "not_met"),
        ([("study", 1, None), ("ballot", 2, None)], "pending"),
        ([], "no_data"),
    ],
)
def test_steps_follow_one_another(judge, steps, expected):
    assert verdict(judge, *steps) == expected


def test_steps_of_one_stage_are_free_among_themselves(judge):
    steps = ["self_evaluation", "mutual_evaluation", "ballot"]
    mutual_first = [("mutual_evaluation", 1, None), ("self_evaluation", 2, None)]
    ballot = ("ballot", 3, None)
    assert verdict(judge, *mutual_first, ballot, steps=steps) == "not_met"
    together = {"steps": steps, "together": ["mutual_evaluation"]}
    assert verdict(judge, *mutual_first, ballot, **together) == "met"
    early = ("ballot", 1, None)
    assert verdict(judge, *mutual_first, early, **together) == "not_met"


@pytest.mark.parametrize(
    ("form", "expected"), [(None, "met"), ("assembly", "met"), ("committee", "not_met")]
)
def test_the_form_may_be_laid_down_as_well(judge, form, expected):
    rows = {
        "organizations": BRANCH,
        "occasions": [
            {
                "id": "o",
                "organization": "b",
                "kinds": ["member_appraisal"],
                "held_on": DAY,
                "form": form,
            }
        ],
        "steps": taken(("study", 1, None), ("ballot", 2, None), ("decision", 3, None)),
    }
    [finding] = judge("order", {**ORDER, "form": "assembly"}, rows)
    assert finding["verdict"] == expected


def occasion(id, kind, day, organization="b", **more):
    return {"id": id, "organization": organization, "kinds": [kind], "held_on": day, **more}


AFTER = {
    "kinds": ["organizational_life_meeting"],
    "after": ["democratic_life_meeting"],
}


@pytest.mark.parametrize(
    ("first", "expected", "gap"),
    [
        (occasion("d", "democratic_life_meeting", date(2021, 3, 9)), "met", 1),
        (occasion("d", "democratic_life_meeting", DAY), "met", 0),
        (occasion("d", "democratic_life_meeting", DAY, start_minute=540), "met", 0),
        (occasion("d", "democratic_life_meeting", DAY, start_minute=541), "not_met", None),
        (occasion("d", "democratic_life_meeting", date(2021, 3, 11)), "not_met", None),
        (occasion("d", "democratic_life_meeting", date(2020, 12, 31)), "not_met", None),
        (occasion("d", "democratic_life_meeting", date(2021, 3, 9), "c"), "not_met", None),
        (
            occasion("d", "democratic_life_meeting", date(2021, 3, 9), status="cancelled"),
            "not_met",
            None,
        ),
    ],
)
def test_each_occasion_after_another_of_its_year(judge, first, expected, gap):
    later = occasion("o", "organizational_life_meeting", DAY, start_minute=540)
    rows = {"organizations": [*BRANCH, {"id": "c", "kind": "committee"}]}
    [finding] = judge("sequence", AFTER, {**rows, "occasions": [first, later]})
    assert (finding["verdict"], finding["observed"]) == (expected, gap)


def test_every_kind_must_have_come_before(judge):
    parameters = {
        "kinds": ["member_appraisal"],
        "after": ["organization_appraisal", "secretary_appraisal"],
    }
    one = [occasion("o", "member_appraisal", DAY), occasion("a", "organization_appraisal", DAY)]
    both = [*one, occasion("s", "secretary_appraisal", date(2021, 3, 8))]
    assert judge("sequence", parameters, {"organizations": BRANCH, "occasions": one}).verdicts()[
        "o"
    ] == ("not_met")
    [finding] = judge("sequence", parameters, {"organizations": BRANCH, "occasions": both})
    # The later of the two counts for "at once".
    assert (finding["verdict"], finding["observed"]) == ("met", 0)


def test_the_superiors_meeting_may_be_the_one_that_comes_first(judge):
    tree = [{"id": "l", "kind": "leading_group"}, {"id": "b", "kind": "branch", "parent": "l"}]
    held = [
        occasion("d", "democratic_life_meeting", date(2021, 3, 9), "l"),
        occasion("o", "organizational_life_meeting", DAY),
    ]
    parameters = {**AFTER, "of": "superior"}
    [finding] = judge("sequence", parameters, {"organizations": tree, "occasions": held})
    assert finding["verdict"] == "met"


@pytest.mark.parametrize(
    ("held", "as_of", "expected"),
    [
        # A mid-year meeting is no breach if another follows the leaders' one.
        ([("o", 6), ("d", 11), ("o", 12)], date(2022, 1, 1), "met"),
        ([("o", 6), ("d", 11)], date(2022, 1, 1), "deviation"),
        ([("o", 6), ("d", 11)], date(2021, 12, 31), "pending"),
        ([("o", 6)], date(2022, 1, 1), "not_applicable"),
        ([("d", 11)], date(2022, 1, 1), "no_data"),
    ],
)
def test_a_cycle_needs_one_occasion_after_the_other(judge, held, as_of, expected):
    kinds = {"o": "organizational_life_meeting", "d": "democratic_life_meeting"}
    occasions = [
        occasion(f"{name}{number}", kinds[name], date(2021, month, 5))
        for number, (name, month) in enumerate(held)
    ]
    judged = judge(
        "sequence",
        {**AFTER, "judge": "cycle"},
        {"organizations": BRANCH, "occasions": occasions},
        as_of,
        strictness="general",
    )
    assert judged.verdicts()["b 2021"] == expected
