from datetime import date

import pytest

STATES = {"good": "达标", "bad": "未达标"}
DAY = date(2021, 7, 1)


def tree(number, sector=None):
    city = {"id": "city", "name": "city", "kind": "committee"}
    branches = [
        {"id": f"b{n}", "name": f"b{n}", "kind": "branch", "parent": "city", "sector": sector}
        for n in range(number)
    ]
    return [city, *branches]


def state(organization, value, since=date(2021, 5, 1), **columns):
    return {
        "organization": organization,
        "item": "standard_state",
        "since_on": since,
        "value": value,
        **columns,
    }


def target(judge, states, number=10, as_of=DAY, **parameters):
    rows = {"organizations": tree(number), "register": states}
    parameters = {**STATES, "ratio": [9, 10], "by": "2021-06-30", **parameters}
    found = judge(
        "standard_target", parameters, rows, as_of, kinds=["committee"], strictness="general"
    )
    return found.verdicts().get("city")


def test_exactly_nine_in_ten(judge):
    good = [state(f"b{n}", "达标") for n in range(9)]
    assert target(judge, [*good, state("b9", "未达标")]) == "met"
    assert target(judge, [*good[:8], state("b8", "未达标"), state("b9", "未达标")]) == "deviation"


def test_branches_without_a_decision_leave_it_open(judge):
    good = [state(f"b{n}", "达标") for n in range(8)]
    assert target(judge, good) == "no_data"
    # Two undecided cannot make up for two below.
    below = [*good[:7], state("b8", "未达标"), state("b9", "未达标")]
    assert target(judge, below) == "deviation"


def test_open_until_the_day_is_over(judge):
    below = [state("b0", "未达标")]
    assert target(judge, below, 1, date(2021, 6, 30)) == "pending"
    assert target(judge, below, 1, DAY) == "deviation"
    # What comes after the day changes nothing.
    late = [*below, state("b0", "达标", DAY)]
    assert target(judge, late, 1, date(2021, 12, 31)) == "deviation"
    in_time = [*below, state("b0", "达标", date(2021, 6, 30))]
    assert target(judge, in_time, 1, date(2021, 12, 31)) == "met"


def test_only_a_whole_city_is_judged(judge):
    assert target(judge, [], 1, city="b0") is None
    assert target(judge, [state("b0", "达标")], 1, city="city") == "met"
    assert target(judge, [], 1, city="nowhere") is None


def test_sectors_under_another_scheme(judge):
    rows = {"organizations": tree(1, "village"), "register": [state("b0", "未达标")]}
    parameters = {**STATES, "ratio": [9, 10], "by": "2021-06-30", "except_sectors": ["village"]}
    found = judge("standard_target", parameters, rows, DAY, kinds=["committee"])
    assert found.verdicts() == {"city": "not_applicable"}


def test_a_ledger_names_who_is_missing(judge):
    rows = {"organizations": tree(2), "register": [state("b0", "未达标")]}
    found = judge("standard_ledger", STATES, rows, DAY, kinds=["committee"])
    assert found.verdicts() == {"city": "pending"}
    assert found.uncounted() == [("b1", "未认定")]


def test_appraisals_decide_states_too(judge):
    graded = {
        "subject_type": "organization",
        "organization": "b0",
        "year": 2021,
        "grade": "达标",
        "decided_on": DAY,
    }
    rows = {"organizations": tree(1), "appraisals": [graded]}
    assert judge("standard_ledger", STATES, rows, DAY, kinds=["committee"]).verdicts() == {
        "city": "met"
    }
    proposed = {"organizations": tree(1), "appraisals": [{**graded, "proposed": True}]}
    assert judge("standard_ledger", STATES, proposed, DAY, kinds=["committee"]).verdicts() == {
        "city": "pending"
    }


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([("达标", 1)], "met"),
        ([("未达标", 1)], "not_applicable"),
        ([("未达标", 1), ("达标", 2)], "met"),
        ([("达标", 1), ("未达标", 2)], "not_met"),
        ([("达标", 1), ("未达标", 2), ("达标", 3)], "needs_judgement"),
    ],
)
def test_a_fall_back(judge, states, verdict):
    entries = [state("b0", value, date(2021, month, 1)) for value, month in states]
    rows = {"organizations": tree(1), "register": entries}
    assert judge("standard_kept", STATES, rows, DAY).verdicts() == {"b0": verdict}


def item(**columns):
    return {
        "id": "r",
        "organization": "b0",
        "opened_on": date(2021, 5, 2),
        "measure": True,
        "due_on": date(2021, 6, 30),
        **columns,
    }


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ([], "pending"),
        ([item()], "not_met"),
        ([item(due_on=DAY)], "pending"),
        ([item(closed_on=date(2021, 6, 30))], "met"),
        ([item(closed_on=DAY)], "not_met"),
        ([item(measure=None, closed_on=date(2021, 6, 30))], "not_met"),
        # Listed before the branch was below the standard: of another occasion.
        ([item(opened_on=date(2021, 4, 30))], "pending"),
    ],
)
def test_shortfalls_closed_one_by_one(judge, items, verdict):
    rows = {
        "organizations": tree(1),
        "register": [state("b0", "未达标")],
        "rectifications": items,
    }
    assert judge("standard_closing", STATES, rows, DAY).verdicts() == {"b0": verdict}


@pytest.mark.parametrize(("weight", "verdict"), [(49, "not_applicable"), (50, "not_met")])
def test_records_weigh_less_than_half(judge, weight, verdict):
    rows = {"organizations": tree(1)}
    found = judge("standard_method", {**STATES, "weight": weight}, rows, DAY)
    assert found.verdicts() == {"b0": verdict}


def weak(judge, entries, as_of=date(2022, 1, 1), *, attested=True):
    rows = {
        "organizations": tree(2),
        "register": [
            {"organization": o, "item": i, "since_on": day, "target": t} for o, i, day, t in entries
        ],
        "attestations": [
            {"organization": "city", "period": "2021", "attested_on": date(2022, 1, 1)}
        ]
        if attested
        else [],
    }
    found = judge("weak_list", {}, rows, as_of, kinds=["committee"], conditions=["has_branches"])
    return found.verdicts()["city 2021"]


def test_a_list_of_none_is_a_list(judge):
    assert weak(judge, [("city", "weak_list", date(2021, 12, 31), None)]) == "met"
    assert weak(judge, []) == "not_met"
    assert weak(judge, [], attested=False) == "no_data"
    assert weak(judge, [("city", "weak_list", date(2022, 1, 1), None)]) == "not_met"


def test_every_branch_listed_is_led(judge):
    listed = ("b0", "weak_list", date(2021, 2, 1), None)
    assert weak(judge, [listed]) == "not_met"
    assert weak(judge, [listed, ("b0", "weak_lead", date(2021, 3, 1), None)]) == "met"
    named = ("city", "weak_list", date(2021, 2, 1), "b1")
    led = ("city", "weak_lead", date(2021, 3, 1), "b1")
    assert weak(judge, [named, led]) == "met"
    assert weak(judge, [listed, named, led]) == "not_met"
    assert weak(judge, [listed], date(2021, 12, 31)) == "pending"


@pytest.mark.parametrize(
    ("sector", "verdict"),
    [("agency", "met"), ("village", "not_applicable"), (None, "no_data")],
)
def test_a_scheme_for_some_sectors(judge, sector, verdict):
    rows = {"organizations": tree(1, sector)}
    found = judge("scheme", {"sectors": ["agency"], "scheme": "附件"}, rows, DAY)
    assert found.verdicts() == {"b0": verdict}
