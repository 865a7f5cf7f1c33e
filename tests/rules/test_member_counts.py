"""Rules about each person: counts in a period, a programme, rows of absences, six months."""

from datetime import date

import pytest

TREE = [
    {"id": "c", "kind": "committee"},
    {"id": "b", "kind": "branch", "parent": "c"},
    {"id": "g", "kind": "party_group", "parent": "b"},
    {"id": "other", "kind": "branch", "parent": "c"},
]


def member(id, **more):
    return {"id": id, "organization": "b", "membership_class": "full", **more}


def held(id, day, organization="b", kind="branch_assembly", **more):
    return {"id": id, "organization": organization, "kinds": [kind], "held_on": day, **more}


def at(occasion, person, status="present"):
    return {"occasion": occasion, "person": person, "status": status}


ATTESTED = [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}]
ATTENDS = {"source": "attendance", "kinds": ["branch_assembly"], "per": "year"}


def counted(judge, parameters, as_of=date(2021, 1, 1), members=None, **rows):
    tables = {
        "organizations": TREE,
        "members": [member("p")] if members is None else members,
        "attestations": ATTESTED,
        **rows,
    }
    return judge("member_count", parameters, tables, as_of).verdicts()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("present", "met"),
        ("remote", "met"),
        ("excused", "not_met"),
        ("unexcused", "not_met"),
    ],
)
def test_who_came_in_person_or_remotely_was_there(judge, status, expected):
    rows = {
        "occasions": [held("o", date(2020, 12, 31))],
        "attendance": [at("o", "p", status)],
    }
    assert counted(judge, ATTENDS, **rows)["p 2020"] == expected


@pytest.mark.parametrize(
    ("day", "as_of", "attested", "expected"),
    [
        (date(2021, 1, 1), date(2021, 1, 1), ATTESTED, "not_met"),
        (date(2021, 1, 1), date(2021, 1, 1), [], "no_data"),
        (date(2020, 12, 31), date(2020, 12, 30), [], "pending"),
    ],
)
def test_a_period_is_judged_once_it_is_over_and_attested(judge, day, as_of, attested, expected):
    rows = {
        "occasions": [held("o", day)],
        "attendance": [at("o", "p")],
        "attestations": attested,
    }
    assert counted(judge, ATTENDS, as_of, **rows)["p 2020"] == expected


@pytest.mark.parametrize(
    ("who", "bound"),
    [
        ("party", {"p", "q", "r", "w"}),
        ("full", {"p", "q", "w"}),
        ("leading_cadre", {"q"}),
        ("floating", {"w"}),
    ],
)
def test_whom_a_rule_binds(judge, who, bound):
    members = [
        member("p"),
        member("q", leading_cadre=True),
        member("r", membership_class="probationary"),
        member("w", floating=True),
        member("x", membership_class="activist"),
        member("gone", until_on=date(2019, 12, 31)),
    ]
    found = counted(judge, {**ATTENDS, "who": who}, members=members)
    assert {key.split()[0] for key in found if not key.endswith("2019")} == bound


def test_holders_of_posts_are_bound_where_they_hold_them(judge):
    posts = [
        {"person": "s", "organization": "b", "post": "secretary"},
        {
            "person": "late",
            "organization": "other",
            "post": "secretary",
            "from_on": date(2020, 2, 1),
        },
        {
            "person": "past",
            "organization": "other",
            "post": "secretary",
            "until_on": date(2020, 1, 31),
        },
        {"person": "group", "organization": "g", "post": "group_leader"},
    ]
    rows = {
        "posts": posts,
        "occasions": [held("o", date(2020, 5, 1))],
        "attendance": [at("o", "s")],
    }
    found = counted(judge, {**ATTENDS, "who": "posts", "posts": ["secretary"]}, **rows)
    assert found["s 2020"] == "met"
    assert found["late 2020"] == "not_applicable"
    assert "past 2020" not in found
    assert "group 2020" not in found


@pytest.mark.parametrize(
    ("organization", "own", "expected"),
    [("b", True, "met"), ("g", True, "met"), ("c", True, "not_met"), ("c", False, "met")],
)
def test_only_the_own_branch_counts_where_the_rule_says_so(judge, organization, own, expected):
    rows = {
        "occasions": [held("o", date(2020, 5, 1), organization)],
        "attendance": [at("o", "p")],
    }
    found = counted(judge, {**ATTENDS, "own_branch": own}, **rows)
    assert found["p 2020"] == expected


def test_who_came_in_the_course_of_the_period_is_not_judged(judge):
    found = counted(judge, ATTENDS, members=[member("p", from_on=date(2020, 1, 2))])
    assert found["p 2020"] == "not_applicable"


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        (
            {"source": "lectures", "kinds": ["party_lecture"]},
            {"occasions": [held("o", date(2020, 5, 1), "other", "party_lecture", lecturer="p")]},
        ),
        (
            {"source": "reports", "kinds": ["attendance_in_report"]},
            {
                "reports": [
                    {
                        "id": "r",
                        "organization": "b",
                        "kind": "attendance_in_report",
                        "filed_on": date(2020, 12, 31),
                        "person": "p",
                    }
                ]
            },
        ),
        (
            {"source": "talks_accepted"},
            {
                "talks": [
                    {
                        "id": "t",
                        "organization": "b",
                        "held_on": date(2020, 5, 1),
                        "person": "p",
                        "requested": True,
                    }
                ]
            },
        ),
    ],
)
def test_other_records_that_name_a_person(judge, parameters, rows):
    parameters = {"per": "year", **parameters}
    assert counted(judge, parameters, **rows)["p 2020"] == "met"
    assert counted(judge, parameters)["p 2020"] == "not_met"


SEVEN = ["exhibition", "lecture", "oath"]


@pytest.mark.parametrize(
    ("attendance", "expected"),
    [
        ([at("o1", "p"), at("o2", "p")], "met"),
        ([at("o1", "p"), at("o2", "p", "excused")], "pending"),
        ([at("o1", "p"), at("cancelled", "p")], "pending"),
        ([at("o1", "p"), at("before", "p")], "pending"),
    ],
)
def test_a_programme_is_gone_through_in_any_order_without_a_deadline(judge, attendance, expected):
    occasions = [
        held("o1", date(2020, 3, 1), components=SEVEN[:2]),
        held("o2", date(2020, 5, 1), components=SEVEN[1:]),
        held("cancelled", date(2020, 5, 1), components=SEVEN, status="cancelled"),
        held("before", date(2019, 12, 19), components=SEVEN),
    ]
    rows = {
        "organizations": TREE,
        "members": [member("p"), member("gone", until_on=date(2020, 12, 31))],
        "occasions": occasions,
        "attendance": attendance,
    }
    [finding] = judge("programme", {"components": SEVEN}, rows, date(2021, 1, 1))
    assert finding["verdict"] == expected


LADDER = {"kinds": ["branch_assembly"], "steps": ["admonition"], "row": 2}
A, E, P = "unexcused", "excused", "present"


def ladder(judge, statuses, **parameters):
    rows = {
        "organizations": TREE,
        "members": [member("p")],
        "occasions": [held(f"o{n}", date(2020, 1, n + 1)) for n in range(len(statuses))],
        "attendance": [at(f"o{n}", "p", status) for n, status in enumerate(statuses)],
    }
    found = judge("absence_ladder", {**LADDER, **parameters}, rows, date(2021, 1, 1))
    return [(f["verdict"], f["observed"], f["evidence"]) for f in found]


@pytest.mark.parametrize(
    ("statuses", "excused", "expected"),
    [
        ([A], "ends", []),
        ([A, A], "ends", [("action_due", 2, ["o0", "o1"])]),
        ([A, P, A], "ends", []),
        ([A, E, A], "ends", [("not_applicable", 1, [])]),
        ([A, E, A], "passed_over", [("action_due", 2, ["o0", "o2"])]),
        ([A, A, E, A], "ends", [("action_due", 2, ["o0", "o1"])]),
        ([A, A, A], "ends", [("action_due", 2, ["o0", "o1"])]),
    ],
)
def test_both_readings_of_an_excused_absence_are_shown(judge, statuses, excused, expected):
    assert ladder(judge, statuses, excused=excused) == expected


MONTHS = {"kinds": ["branch_assembly"], "steps": ["reason_found"], "months": 6}


def dues(*months, paid=0):
    return [
        {"person": "p", "month": f"2020-{m:02d}", "due_amount": 100, "paid_amount": paid}
        for m in months
    ]


def departure(judge, rows, as_of=date(2020, 8, 1)):
    tables = {"organizations": TREE, "members": [member("p"), member("q")], **rows}
    found = judge("self_departure", MONTHS, tables, as_of)
    return [(f["subject"]["id"], f["observed"], f["verdict"]) for f in found]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (dues(1, 2, 3, 4, 5, 6), [("p", 6, "action_due")]),
        (dues(1, 2, 3, 4, 5), []),
        (dues(1, 2, 3, 5, 6, 7), []),
        (dues(2, 3, 4, 5, 6, 7), [("p", 6, "action_due")]),
        (dues(3, 4, 5, 6, 7, 8), []),
        (dues(1, 2, 3, 4, 5, 6, paid=1), []),
    ],
)
def test_six_closed_months_in_a_row_without_any_dues(judge, rows, expected):
    assert departure(judge, {"dues": rows}) == expected


def test_the_grounds_are_counted_apart_and_told_together(judge):
    occasions = [held(f"o{m}", date(2020, m, 10)) for m in range(1, 8)]
    attendance = [at(f"o{m}", "q") for m in range(1, 8)]
    attendance += [at(f"o{m}", "p", A) for m in range(1, 8)]
    rows = {"occasions": occasions, "attendance": attendance}
    assert departure(judge, rows) == [("p", 7, "action_due")]
    rows["dues"] = dues(1, 2, 3, 4, 5, 6)
    assert departure(judge, rows) == [("p", 7, "action_due")]
    tables = {"organizations": TREE, "members": [member("p"), member("q")], **rows}
    [finding] = judge("self_departure", MONTHS, tables, date(2020, 8, 1))
    assert "没有参加组织生活和交纳党费" in finding["message"]


def test_a_reason_found_settles_it(judge):
    steps = [
        {
            "case": "1",
            "organization": "b",
            "person": "p",
            "step": "reason_found",
            "taken_on": date(2020, 7, 10),
        }
    ]
    rows = {"dues": dues(1, 2, 3, 4, 5, 6), "disciplinary_steps": steps}
    assert departure(judge, rows) == [("p", 6, "met")]
