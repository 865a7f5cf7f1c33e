"""Why somebody had leave: one of few words, kept with the attendance and nowhere else."""

import pytest
import sqlalchemy as sa

from guiju.activities import leave
from guiju.activities.models import attendance
from guiju.activities.payloads import load
from guiju.rules import tables
from guiju.rules.problems import BadInput

HEALTH = ("sick", "病假", "因病", "health", "family", "家庭")


def test_the_words_are_few_and_none_is_about_health_or_family():
    assert list(leave.LEAVE_REASONS) == ["duty", "training", "private"]
    assert not [label for label in leave.LEAVE_REASONS.values() if "病" in label or "家" in label]


@pytest.mark.parametrize("told", HEALTH)
def test_nothing_else_is_taken(told):
    row = {"person": "p1", "status": "excused", "leave_reason": told}
    with pytest.raises(BadInput) as refused:
        load({"kinds": ["theme_day"], "held_on": "2021-03-05", "attendance": [row]}, {})
    assert [problem.place for problem in refused.value.problems] == ["/attendance/0/leave_reason"]


@pytest.mark.parametrize(
    "row",
    [
        {"person": "p1", "status": "present", "leave_reason": "duty"},
        {"person": "p1", "status": "unexcused", "leave_reason": "duty"},
        {"person_class": "other", "status": "excused", "leave_reason": "duty"},
    ],
)
def test_only_who_had_leave_has_a_reason(row):
    with pytest.raises(BadInput) as refused:
        load({"kinds": ["theme_day"], "held_on": "2021-03-05", "attendance": [row]}, {})
    assert refused.value.problems[0].code == "not_on_leave"


def test_the_facts_document_does_not_have_it():
    assert leave.COLUMN not in tables.columns("attendance")
    assert isinstance(attendance.c.leave_reason.type, sa.Text)
