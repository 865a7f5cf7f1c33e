"""Talk by talk: notice and outline before, a list after."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
DAY = date(2021, 3, 10)


def run(judge, needs, **talk):
    row = {"id": "t", "organization": "b", "held_on": DAY, "person": "p", "partner": "q", **talk}
    [finding] = judge("talk_record", {"needs": needs}, {"organizations": BRANCH, "talks": [row]})
    return finding


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        ({"notified_on": DAY, "outline": True}, "met"),
        ({"notified_on": date(2021, 3, 11), "outline": True}, "not_met"),
        ({"notified_on": DAY, "outline": False}, "not_met"),
        ({}, "not_met"),
    ],
)
def test_before(judge, talk, expected):
    assert run(judge, ["notified", "outline"], **talk)["verdict"] == expected


@pytest.mark.parametrize(
    ("talk", "expected"),
    [({"listed": True}, "met"), ({"listed": False}, "not_met"), ({}, "pending")],
)
def test_after(judge, talk, expected):
    assert run(judge, ["listed"], **talk)["verdict"] == expected


def test_talk_message(judge):
    assert run(judge, ["notified", "outline"], outline=True)["message"] == (
        "2021年3月10日谈心谈话“示例要求”缺少提前通知的记录。"
    )
