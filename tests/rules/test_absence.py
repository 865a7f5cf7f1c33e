from datetime import date

import pytest

ORGANIZATIONS = [
    {"id": "b", "name": "b", "kind": "branch"},
    {"id": "g", "name": "g", "kind": "party_group", "parent": "b"},
]
MEMBERS = [{"id": p, "organization": "b", "membership_class": "full"} for p in "pq"]
LIFE = {"kinds": ["theme_day"], "steps": ["reason_found", "criticism"]}


def year(statuses, organization="b", start=1):
    """A theme day on the 10th of each month, with what p did at each; None: no list at all."""
    occasions, attendance = [], []
    for month, status in enumerate(statuses, start):
        occasions.append(
            {
                "id": f"o{month}",
                "organization": organization,
                "kinds": ["theme_day"],
                "held_on": date(2020 + (month - 1) // 12, (month - 1) % 12 + 1, 10),
            }
        )
        if status is not None:
            attendance.append({"occasion": f"o{month}", "person": "q", "status": "present"})
        if status:
            attendance.append({"occasion": f"o{month}", "person": "p", "status": status})
    return {"occasions": occasions, "attendance": attendance}


def found(judge, check, parameters, rows, as_of):
    every = judge(
        check,
        {**LIFE, **parameters},
        {"organizations": ORGANIZATIONS, "members": MEMBERS, **rows},
        as_of,
    )
    return {
        f"{f['subject']['id']} {f['period']}" if f["period"] else f["subject"]["id"]: f["verdict"]
        for f in every
        if f["verdict"] != "not_applicable"
    }


def months(judge, statuses, as_of, **more):
    parameters = more.pop("parameters", {})
    return found(judge, "absence_months", parameters, {**year(statuses), **more}, as_of)


def test_six_closed_months_with_a_leap_february(judge):
    assert months(judge, [""] * 6, date(2020, 7, 1)) == {"p": "action_due"}
    # The sixth month is not over on its last day.
    assert months(judge, [""] * 6, date(2020, 6, 30)) == {}
    assert months(judge, [""] * 5, date(2020, 7, 1)) == {}


@pytest.mark.parametrize("status", ["present", "remote"])
def test_taking_part_once_ends_the_row(judge, status):
    assert months(judge, ["", "", status, "", "", "", ""], date(2020, 8, 1)) == {}


def test_an_excused_month_ends_it_or_is_passed_over(judge):
    statuses = ["unexcused"] * 3 + ["excused"] + ["unexcused"] * 3
    assert months(judge, statuses, date(2020, 8, 1)) == {}
    over = {"excused": "passed_over"}
    assert months(judge, statuses, date(2020, 8, 1), parameters=over) == {"p": "action_due"}


def test_a_month_without_a_list_offers_nothing(judge):
    assert months(judge, [""] * 3 + [None] + [""] * 3, date(2020, 8, 1)) == {}


def test_what_another_group_does_is_not_offered(judge):
    rows = year([""] * 6, organization="g")
    assert found(judge, "absence_months", {}, rows, date(2020, 7, 1)) == {}


def test_who_came_back_is_for_a_person_to_judge(judge):
    statuses = [""] * 6 + ["present"]
    assert months(judge, statuses, date(2020, 8, 1)) == {"p": "needs_judgement"}


def test_a_long_time_since_the_last_is_a_warning(judge):
    statuses = ["present"] + [""] * 5 + [""]
    # Last there on 10 January: six months later, on 11 July, five months are over.
    assert months(judge, statuses, date(2020, 7, 10)) == {}
    assert months(judge, statuses, date(2020, 7, 11)) == {"p": "needs_judgement"}


def test_a_reason_found_settles_it(judge):
    step = {"case": "k", "organization": "b", "person": "p", "step": "reason_found"}
    late = [{**step, "taken_on": date(2020, 7, 1)}]
    early = [{**step, "taken_on": date(2020, 6, 29)}]
    assert months(judge, [""] * 6, date(2020, 7, 2), disciplinary_steps=late) == {"p": "met"}
    assert months(judge, [""] * 6, date(2020, 7, 2), disciplinary_steps=early) == {
        "p": "action_due"
    }


def test_absence_before_the_rule_is_not_counted(judge):
    assert months(judge, [""] * 6, date(2020, 7, 1)) == {"p": "action_due"}
    rows = year([""] * 6)
    for occasion in rows["occasions"]:
        occasion["held_on"] = occasion["held_on"].replace(year=2019)
    assert found(judge, "absence_months", {}, rows, date(2020, 7, 1)) == {}


def test_an_unexcused_absence_waits_for_somebody_to_act(judge):
    rows = year(["unexcused", "excused", "unexcused"])
    step = {"case": "k", "organization": "b", "person": "p", "step": "criticism"}
    rows["disciplinary_steps"] = [{**step, "taken_on": date(2020, 1, 10)}]
    assert found(judge, "unexcused", {}, rows, date(2020, 4, 1)) == {
        "p 2020-01": "met",
        "p 2020-03": "action_due",
    }


@pytest.mark.parametrize(
    ("statuses", "row", "excused", "wanted"),
    [
        (["unexcused"], 1, "ends", {"p": "action_due"}),
        (["unexcused", "unexcused"], 3, "ends", {}),
        (["unexcused"] * 3, 3, "ends", {"p": "action_due"}),
        (["unexcused", "present", "unexcused"], 2, "ends", {}),
        (["unexcused", "excused", "unexcused"], 2, "ends", {}),
        (["unexcused", "excused", "unexcused"], 2, "passed_over", {"p": "action_due"}),
    ],
)
def test_one_after_another(judge, statuses, row, excused, wanted):
    parameters = {"row": row, "excused": excused}
    assert found(judge, "absence_ladder", parameters, year(statuses), date(2020, 12, 31)) == wanted


def test_several_items_of_a_day_are_one(judge):
    rows = year(["unexcused", "unexcused"])
    rows["occasions"][1]["held_on"] = rows["occasions"][0]["held_on"]
    assert found(judge, "absence_ladder", {"row": 2}, rows, date(2020, 12, 31)) == {}
