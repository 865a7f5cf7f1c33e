from datetime import date

import pytest

TREE = [{"id": b, "name": b, "kind": "branch"} for b in "bc"]
DAY = date(2021, 1, 1)
REFERRED = {
    "kinds": ["branch_assembly"],
    "topics": ["major_matter"],
    "reports": ["major_matter", "sudden_matter"],
}


def referred(judge, report, as_of=DAY):
    reports = [
        {"id": "r", "organization": "b", "kind": "major_matter", "filed_on": date(2020, 3, 1)}
        | report
    ]
    rows = {
        "organizations": TREE,
        "occasions": [
            {
                "id": "o",
                "organization": "b",
                "kinds": ["branch_assembly"],
                "held_on": date(2020, 2, 29),
            }
        ],
        "agenda": [{"occasion": "o", "item": "1", "topic": "major_matter", "matter": "m"}],
        "reports": reports,
    }
    return judge("referred", REFERRED, rows, as_of).verdicts()["o"]


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        ({"matter": "m"}, "met"),
        ({"occasion": "o"}, "met"),
        ({"matter": "n"}, "needs_judgement"),
        ({}, "needs_judgement"),
        ({"matter": "m", "organization": "c"}, "needs_judgement"),
        ({"matter": "m", "kind": "work_report"}, "needs_judgement"),
        ({"matter": "m", "filed_on": date(2021, 1, 2)}, "needs_judgement"),
    ],
)
def test_a_matter_is_reported_by_its_number_or_its_meeting(judge, report, verdict):
    assert referred(judge, report) == verdict


def asked(judge, **columns):
    parameters = {"kinds": ["major_matter"], **columns.pop("parameters", {})}
    report = {
        "id": "r",
        "organization": "b",
        "kind": "major_matter",
        "filed_on": date(2020, 3, 1),
        "requested_on": date(2020, 2, 29),
        "decided_on": date(2020, 2, 29),
        **columns,
    }
    rows = {"organizations": TREE, "reports": [report]}
    return judge("asked_first", parameters, rows, DAY, strictness="hard").verdicts().get("r")


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({}, "met"),
        ({"requested_on": date(2020, 3, 1)}, "not_met"),
        ({"requested_on": date(2020, 3, 1), "urgent": False}, "not_met"),
        ({"requested_on": date(2020, 3, 1), "urgent": True}, "needs_judgement"),
        (
            {"requested_on": date(2020, 3, 1), "urgent": True, "filed_on": date(2020, 2, 29)},
            "met",
        ),
        # Where no request is dated, the report is the request.
        ({"requested_on": None}, "not_met"),
        ({"requested_on": None, "filed_on": date(2020, 2, 29)}, "met"),
        ({"decided_on": None}, "pending"),
        ({"decided_on": date(2021, 1, 2)}, "pending"),
        ({"decided_on": date(2019, 12, 19), "requested_on": date(2020, 1, 1)}, None),
    ],
)
def test_asked_before_decided(judge, columns, verdict):
    assert asked(judge, **columns) == verdict


def test_a_kind_that_the_ban_may_not_cover(judge):
    late = {"requested_on": date(2020, 3, 1), "parameters": {"doubtful": ["major_matter"]}}
    assert asked(judge, **late) == "needs_judgement"
