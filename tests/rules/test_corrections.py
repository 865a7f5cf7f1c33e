"""Correction: items listed, closed and reported on."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
DAY = date(2020, 12, 10)
MEETING = [
    {"id": "o", "organization": "b", "kinds": ["organizational_life_meeting"], "held_on": DAY}
]
LIST = {"kinds": ["organizational_life_meeting"]}


def item(id, **more):
    return {"id": id, "organization": "b", "occasion": "o", "opened_on": DAY, **more}


WHOLE = {
    "measure": True,
    "commitment": True,
    "owner_type": "organization",
    "due_on": date(2021, 6, 30),
    "published_on": date(2020, 12, 20),
    "opinion_linked": True,
    "verified_by": "v",
}


def listed(judge, items, **parameters):
    rows = {
        "organizations": BRANCH,
        "occasions": MEETING,
        "rectifications": items,
        "members": [
            {"id": "p", "organization": "b", "membership_class": "full"},
            {"id": "q", "organization": "b", "membership_class": "probationary"},
            {"id": "x", "organization": "b", "membership_class": "activist"},
        ],
        "posts": [{"person": "p", "organization": "b", "post": "secretary"}],
    }
    [found] = judge("rectification_list", {**LIST, **parameters}, rows, date(2021, 1, 1))
    return found["verdict"]


@pytest.mark.parametrize(
    ("need", "column"),
    [
        ("measure", "measure"),
        ("commitment", "commitment"),
        ("owner", "owner_type"),
        ("due", "due_on"),
        ("published", "published_on"),
        ("opinion_linked", "opinion_linked"),
        ("verified", "verified_by"),
    ],
)
def test_every_item_carries_what_is_needed(judge, need, column):
    lacking = {key: value for key, value in WHOLE.items() if key != column}
    assert listed(judge, [item("1", **WHOLE)], needs=[need]) == "met"
    assert listed(judge, [item("1", **WHOLE), item("2", **lacking)], needs=[need]) == "not_met"


def test_a_person_is_an_owner_too(judge):
    assert listed(judge, [item("1", person="p")], needs=["owner"]) == "met"


def test_publication_still_to_come_is_not_publication(judge):
    later = {**WHOLE, "published_on": date(2021, 1, 2)}
    assert listed(judge, [item("1", **later)], needs=["published"]) == "not_met"


def test_nothing_listed_is_awaited(judge):
    assert listed(judge, [], needs=["measure"]) == "pending"
    assert listed(judge, [item("1", opened_on=date(2021, 1, 2))], needs=["measure"]) == "pending"


@pytest.mark.parametrize(
    ("owners", "items", "expected"),
    [
        (["team"], [item("1", owner_type="team")], "met"),
        (["team", "secretary"], [item("1", owner_type="team")], "pending"),
        (
            ["member"],
            [
                item("1", owner_type="member", person="p"),
                item("2", owner_type="member", person="q"),
            ],
            "met",
        ),
        (["member"], [item("1", owner_type="member", person="p")], "pending"),
        (["member"], [item("1", owner_type="member")], "pending"),
    ],
)
def test_everyone_who_owes_items_has_some(judge, owners, items, expected):
    assert listed(judge, items, owners=owners) == expected


def test_members_may_be_those_of_the_team_alone(judge):
    items = [item("1", owner_type="member", person="p")]
    assert listed(judge, items, owners=["member"], people="team") == "met"


def closed(judge, rows, as_of=date(2021, 7, 1), **parameters):
    found = judge(
        "rectification_closing",
        parameters,
        {"organizations": BRANCH, "rectifications": rows},
        as_of,
    )
    return [(f["verdict"], f["due"]) for f in found]


@pytest.mark.parametrize(
    ("row", "as_of", "expected"),
    [
        (item("1", **WHOLE, closed_on=date(2021, 6, 30)), date(2021, 7, 1), ("met", None)),
        (item("1", **WHOLE, closed_on=date(2021, 7, 1)), date(2021, 7, 1), ("not_met", None)),
        (item("1", **WHOLE), date(2021, 6, 30), ("pending", "2021-06-30")),
        (item("1", **WHOLE), date(2021, 7, 1), ("not_met", None)),
        (item("1", closed_on=date(2021, 6, 30)), date(2021, 6, 29), ("pending", None)),
        (item("1"), date(2021, 7, 1), ("pending", None)),
    ],
)
def test_an_item_is_closed_by_its_own_deadline(judge, row, as_of, expected):
    assert closed(judge, [row], as_of) == [expected]


def test_what_a_closed_item_needs_beside(judge):
    row = item("1", **{**WHOLE, "verified_by": None}, closed_on=date(2021, 6, 1))
    assert closed(judge, [row]) == [("met", None)]
    assert closed(judge, [row], needs_closed=["verified"]) == [("not_met", None)]
    assert closed(judge, [item("1")], needs_closed=["verified"]) == [("pending", None)]
    assert closed(judge, [item("1")], needs=["due"]) == [("not_met", None)]


def test_items_from_before_the_rule_are_not_judged(judge):
    assert closed(judge, [item("1", opened_on=date(2019, 12, 19))]) == []


ENDED = date(2020, 8, 31)


def owed(id, owner, **more):
    return item(id, owner_type=owner, source_ended_on=ENDED, **more)


def report(owner, day, **more):
    return {
        "id": f"{owner}{day}",
        "organization": "b",
        "kind": "rectification",
        "filed_on": day,
        "owner_type": owner,
        "source_ended_on": ENDED,
        **more,
    }


@pytest.mark.parametrize(
    ("reports", "as_of", "expected"),
    [
        # Half a year after 31 August ends with February.
        ([report("team", date(2021, 2, 28))], date(2021, 3, 1), "met"),
        ([report("team", date(2021, 3, 1))], date(2021, 3, 1), "not_met"),
        ([], date(2021, 2, 28), "pending"),
        ([], date(2021, 3, 1), "not_met"),
        ([report("secretary", date(2021, 1, 1))], date(2021, 3, 1), "not_met"),
        ([report("team", date(2021, 1, 1), source_ended_on=None)], date(2021, 3, 1), "not_met"),
        (
            [report("team", date(2021, 1, 1)), report("team", date(2021, 5, 1))],
            date(2021, 6, 1),
            "met",
        ),
    ],
)
def test_each_owner_reports_within_half_a_year(judge, reports, as_of, expected):
    rows = {
        "organizations": BRANCH,
        "rectifications": [owed("1", "team"), owed("2", "team"), owed("3", "member", person="p")],
        "reports": reports,
        "attestations": [
            {"organization": "b", "period": "2021-02", "attested_on": date(2021, 3, 1)}
        ],
    }
    parameters = {"months": 6, "owners": ["team", "secretary"]}
    [found] = judge("rectification_report", parameters, rows, as_of)
    assert found["subject"] == {"type": "rectification", "id": "1"}
    assert found["required"] == "2021-02-28"
    assert found["verdict"] == expected


def test_a_report_that_is_missing_is_unknown_until_attested(judge):
    rows = {"organizations": BRANCH, "rectifications": [owed("1", "team")]}
    [found] = judge("rectification_report", {"months": 6, "owners": ["team"]}, rows)
    assert found["verdict"] == "no_data"


def commitments(judge, reports, items=None, as_of=date(2021, 10, 1)):
    rows = {
        "organizations": BRANCH,
        "rectifications": [
            item("1", owner_type="member", person="p", source_ended_on=date(2020, 12, 20)),
            item("2", owner_type="team", source_ended_on=date(2020, 12, 20)),
        ]
        if items is None
        else items,
        "reports": reports,
        "attestations": [
            {"organization": "b", "period": f"2021-Q{q}", "attested_on": date(2021, 10, 1)}
            for q in (1, 2, 3)
        ],
    }
    parameters = {"kinds": ["commitments"], "audiences": ["assembly", "group_meeting"]}
    return judge("commitment_reports", parameters, rows, as_of).verdicts()


def told(day, person="p", audience="assembly"):
    return {
        "id": f"{person}{day}",
        "organization": "b",
        "kind": "commitments",
        "filed_on": day,
        "person": person,
        "audience": audience,
    }


def test_members_with_items_report_in_every_full_quarter_after_the_review(judge):
    found = commitments(
        judge,
        [
            told(date(2020, 12, 31)),
            told(date(2021, 3, 31)),
            told(date(2021, 6, 30), audience="superior"),
            told(date(2021, 9, 30), audience="group_meeting"),
        ],
    )
    assert found == {
        "p 2021-Q1": "met",
        "p 2021-Q2": "not_met",
        "p 2021-Q3": "met",
        "p 2021-Q4": "pending",
    }


def test_the_next_review_ends_the_duty(judge):
    reviewed = [
        item("1", owner_type="member", person="p", source_ended_on=date(2020, 12, 20)),
        item("2", owner_type="member", person="q", source_ended_on=date(2021, 7, 10)),
    ]
    found = commitments(judge, [], reviewed)
    assert {key for key in found if key.startswith("p")} == {"p 2021-Q1", "p 2021-Q2"}
    assert {key for key in found if key.startswith("q")} == {"q 2021-Q4"}


def test_a_member_without_items_owes_no_report(judge):
    assert commitments(judge, [], [item("1", owner_type="team")]) == {}
