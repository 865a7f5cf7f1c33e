"""Superiors' duties: who is covered, who answers, and orders with a deadline."""

from datetime import date

import pytest

TREE = [
    {"id": "c", "kind": "committee"},
    {"id": "office", "kind": "unit", "parent": "c"},
    {"id": "g", "kind": "general_branch", "parent": "c"},
    {"id": "b1", "kind": "branch", "parent": "c"},
    {"id": "b2", "kind": "branch", "parent": "g"},
]
HALF = {
    "per": "half",
    "kinds": ["inspection"],
    "targets": ["branch", "general_branch"],
}


def inspected(number, target, day, by="c", **more):
    return {
        "id": f"i{number}",
        "by": by,
        "target": target,
        "kind": "inspection",
        "done_on": day,
        **more,
    }


def judged(judge, inspections, parameters=HALF, organizations=TREE, **more):
    rows = {
        "organizations": organizations,
        "inspections": inspections,
        "attestations": [{"organization": "c", "period": "2020", "attested_on": date(2021, 1, 1)}],
    }
    more.setdefault("kinds", ["committee"])
    return judge("subordinates", parameters, rows, date(2021, 1, 1), **more)


ALL = [inspected(n, t, date(2020, 6, 30)) for n, t in enumerate(("b1", "b2", "g"))]


@pytest.mark.parametrize(
    ("inspections", "covered", "expected"),
    [
        (ALL, 3, "met"),
        (ALL[:2], 2, "not_met"),
        ([*ALL[:2], inspected(9, "g", date(2020, 7, 1))], 2, "not_met"),
        ([*ALL[:2], inspected(9, "g", date(2020, 6, 30), "office")], 3, "met"),
        ([*ALL[:2], inspected(9, "b1", date(2020, 6, 30))], 2, "not_met"),
        ([*ALL[:2], inspected(9, "g", date(2020, 6, 30), "b1")], 2, "not_met"),
    ],
)
def test_every_subordinate_in_every_half_year(judge, inspections, covered, expected):
    found = [f for f in judged(judge, inspections) if f["period"] == "2020-H1"]
    assert [(f["required"], f["observed"], f["verdict"]) for f in found] == [(3, covered, expected)]


def test_those_left_out_are_named_to_the_superior_alone(judge):
    found = judged(judge, ALL[:2])
    assert {finding["organization"] for finding in found} == {"c"}
    number = [f["period"] for f in found].index("2020-H1")
    assert found.uncounted(number) == [("g", "本期没有相应记录")]


def test_a_subordinate_answers_to_the_nearest_that_the_rule_binds(judge):
    kinds = ["committee", "general_branch"]
    found = judged(judge, ALL, kinds=kinds)
    required = {f["organization"]: f["required"] for f in found if f["period"] == "2020-H1"}
    assert required == {"c": 2, "g": 1}


def test_judging_one_superior_alone_gives_the_same(judge):
    kinds = ["committee", "general_branch"]
    everyone = [f for f in judged(judge, ALL, kinds=kinds) if f["organization"] == "c"]
    assert list(judged(judge, ALL, kinds=kinds, only=["c"])) == everyone


def test_a_subordinate_founded_or_closed_in_the_period_is_not_counted(judge):
    late = {"id": "b3", "kind": "branch", "parent": "c", "opened_on": date(2020, 1, 2)}
    gone = {"id": "b4", "kind": "branch", "parent": "c", "closed_on": date(2020, 6, 29)}
    stays = {"id": "b5", "kind": "branch", "parent": "c", "closed_on": date(2020, 6, 30)}
    found = judged(judge, ALL, organizations=[*TREE, late, gone, stays])
    assert [f["required"] for f in found if f["period"] == "2020-H1"] == [4]


def test_without_subordinates_the_duty_does_not_apply(judge):
    found = judged(judge, [], organizations=TREE[:2])
    assert set(found.verdicts().values()) == {"not_applicable"}


ANY = {**HALF, "per": "year", "cover": "any", "reported": True}


@pytest.mark.parametrize(
    ("inspections", "expected"),
    [
        ([inspected(1, "b1", date(2020, 12, 31), reported_on=date(2021, 1, 1))], "met"),
        ([inspected(1, "b1", date(2020, 12, 31))], "pending"),
        ([inspected(1, "b1", date(2020, 12, 31), reported_on=date(2021, 1, 2))], "pending"),
        ([inspected(1, "b1", date(2019, 12, 31))], "not_met"),
    ],
)
def test_one_inspection_and_its_report(judge, inspections, expected):
    found = judged(judge, inspections, ANY)
    assert found.verdicts()["c 2020"] == expected
    assert [f["due"] for f in found if f["period"] == "2020"] == [None]


MEETINGS = {
    "per": "year",
    "kinds": ["meeting_guidance"],
    "targets": ["committee"],
    "cover": "meetings",
    "meetings": ["democratic_life_meeting"],
}


@pytest.mark.parametrize(
    ("guided", "expected"), [(["o1", "o2"], "met"), (["o1"], "not_met"), ([], "not_met")]
)
def test_every_meeting_of_a_subordinate_is_guided(judge, guided, expected):
    rows = {
        "organizations": [
            {"id": "c", "kind": "committee"},
            {"id": "d", "kind": "committee", "parent": "c"},
        ],
        "occasions": [
            {
                "id": name,
                "organization": "d",
                "kinds": ["democratic_life_meeting"],
                "held_on": date(2020, month, 1),
                "status": status,
            }
            for name, month, status in (
                ("o1", 3, None),
                ("o2", 12, "held"),
                ("o3", 12, "cancelled"),
            )
        ],
        "inspections": [
            {**inspected(n, "d", date(2020, 12, 1)), "kind": "meeting_guidance", "occasion": name}
            for n, name in enumerate(guided)
        ],
        "attestations": [{"organization": "c", "period": "2020", "attested_on": date(2021, 1, 1)}],
    }
    found = judge("subordinates", MEETINGS, rows, date(2021, 1, 1), kinds=["committee"])
    assert found.verdicts()["c 2020"] == expected
    assert found.verdicts()["d 2020"] == "not_applicable"
    number = [(f["organization"], f["period"]) for f in found].index(("c", "2020"))
    missing = [name for name in ("o1", "o2") if name not in guided]
    assert found.uncounted(number) == [(name, "本期没有相应记录") for name in missing]


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (date(2021, 1, 1), "pending"),
        (date(2020, 12, 31), "needs_judgement"),
        (None, "not_met"),
    ],
)
def test_an_order_runs_until_its_deadline_and_then_is_judged_by_a_person(judge, due, expected):
    order = {**inspected(1, "b1", date(2020, 6, 1)), "kind": "rectification_order", "due_on": due}
    rows = {"organizations": TREE, "inspections": [order]}
    [finding] = judge(
        "orders", {"kinds": ["rectification_order"]}, rows, date(2021, 1, 1), kinds=["committee"]
    )
    assert finding["verdict"] == expected
    assert finding["subject"] == {"type": "inspection", "id": "i1"}
    assert finding["due"] == ("2021-01-01" if expected == "pending" else None)
