"""The form of a record: payloads as fields and back, nothing lost that is not shown."""

import pytest
from werkzeug.datastructures import MultiDict

from guiju.rules.problems import Problem
from guiju.web import record_forms
from guiju.web.record_forms import by_field, fields_of, payload_of

FULL = {
    "kinds": ["theme_day", "party_lecture"],
    "held_on": "2021-11-05",
    "start_minute": 14 * 60 + 30,
    "place": "党员活动室",
    "chair": "p1",
    "components": ["study", "dues"],
    "agenda": [
        {"item": "1", "topic": "study", "important": True},
        {"item": "2", "matter": "m-7"},
    ],
    "documents": [{"kind": "minutes", "kept_on": "2021-11-06"}, {"kind": "photos"}],
    "steps": [
        {"step": "notified", "done_on": "2021-11-02"},
        {"step": "count", "done_on": "2021-11-05"},
    ],
    "attendance": [
        {"person": "p1", "status": "present"},
        {"person": "p2", "status": "excused", "leave_self": True},
        {"person_class": "activist", "status": "present", "number": 3},
    ],
    "votes": [{"item": "2", "should_attend": 3, "present": 3, "ayes": 3}],
    "content": "第一行\n第二行",
}
OFFERED = {"study", "minutes", "photos"}


def test_what_is_not_touched_stays():
    assert payload_of(fields_of(FULL), FULL, offered=OFFERED) == FULL


@pytest.mark.parametrize(
    ("field", "values", "column", "expected"),
    [
        ("place", [" 礼堂 "], "place", "礼堂"),
        ("place", [""], "place", None),
        ("start", ["9:05"], "start_minute", 9 * 60 + 5),
        ("start", ["noon"], "start_minute", "noon"),
        ("components", [], "components", None),
        ("att-p2", ["unexcused"], "attendance", "unexcused"),
        ("att-p2", [""], "attendance", None),
        ("out-activist", ["many"], "attendance", "many"),
        ("step-notified", [""], "steps", None),
    ],
)
def test_what_is_typed_is_taken(field, values, column, expected):
    fields = fields_of(FULL)
    if values:
        fields.setlist(field, values)
    else:
        fields.poplist(field)
    found = payload_of(fields, FULL, offered=OFFERED).get(column)
    if column == "attendance":
        rows = [row for row in found if row.get("person") == "p2" or "person_class" in row]
        told = {row.get("status" if "person" in row else "number") for row in rows}
        assert (expected in told) == (expected is not None)
        assert len(rows) == (2 if expected else 1)
    elif column == "steps":
        assert [row["step"] for row in found] == ["count"]
    else:
        assert found == expected


def test_topics_are_added_and_removed_without_renumbering():
    fields = fields_of(FULL)
    fields.setlist("topics", ["criticism"])
    agenda = payload_of(fields, FULL, offered={"study", "criticism"})["agenda"]
    assert agenda == [{"item": "2", "matter": "m-7"}, {"item": "1", "topic": "criticism"}]


def test_papers_that_the_form_did_not_offer_stay():
    fields = fields_of(FULL)
    fields.poplist("papers")
    assert payload_of(fields, FULL, offered={"minutes"})["documents"] == [{"kind": "photos"}]


def test_steps_of_the_day_follow_it():
    fields = fields_of(FULL)
    fields["held_on"] = "2021-11-08"
    fields.setlist("on_day", ["count"])
    fields.setlist("on_day_offered", ["count"])
    fields.poplist("step-count")
    steps = payload_of(fields, FULL, offered=OFFERED)["steps"]
    assert {row["step"]: row["done_on"] for row in steps} == {
        "notified": "2021-11-02",
        "count": "2021-11-08",
    }


def test_a_step_of_the_day_can_be_unticked():
    fields = fields_of(FULL)
    fields.poplist("on_day")
    fields.poplist("step-count")
    fields.setlist("on_day_offered", ["count"])
    steps = payload_of(fields, FULL, offered=OFFERED)["steps"]
    assert [row["step"] for row in steps] == ["notified"]


def test_people_who_are_not_on_the_form_keep_their_attendance():
    fields = MultiDict({"att-p1": "present"})
    attendance = payload_of(fields, FULL, offered=OFFERED)["attendance"]
    assert {"person": "p2", "status": "excused", "leave_self": True} in attendance


@pytest.mark.parametrize("payload", [{}, {"attendance": "?"}, {"steps": [1]}, {"kinds": None}])
def test_any_draft_can_be_shown(payload):
    assert isinstance(fields_of(payload), MultiDict)


def test_faults_are_shown_at_their_fields():
    found = by_field(
        [
            Problem("/held_on", "x", "应为日期"),
            Problem("/attendance/3/person", "x", "应为名册中的人员"),
            Problem("/agenda/0/topic", "x", "应为代码"),
            Problem("/start_minute", "x", "应为时间"),
            Problem("", "x", "已经变了"),
        ]
    )
    assert set(found) == {"held_on", "attendance", "topics", "start", ""}


def test_minutes_of_the_day():
    assert [record_forms.clock_text(minute) for minute in (0, 870, "x")] == ["00:00", "14:30", "x"]
