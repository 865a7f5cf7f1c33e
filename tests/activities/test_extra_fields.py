"""Fields that a plugin adds: checked where its profile judges, kept with the record."""

from datetime import date

import pytest

from guiju.activities import queries, records
from guiju.activities.differences import differences
from guiju.audit.operations import Actor
from guiju.rules.problems import BadInput
from guiju.tenancy.operations import enable_profile

EXTRA = {"deliberated": "修路", "dues_payers": 4}


@pytest.fixture
def record(session, city, who, installed, meeting):
    """Record a theme day of b1, which Shendingshan's notice governs."""
    enable_profile(session, Actor("test"), city.units["b1"], "shendingshan", date(2021, 1, 1))

    def create(name="secretary", unit="b1", **changes):
        payload = meeting(**changes)
        return records.create_record(session, who(name), installed, city.units[unit], payload)

    return create


def test_they_are_kept_versioned_and_shown(session, who, installed, meeting, record):
    made = record(extra=EXTRA)
    assert (
        queries.find_record(session, who("secretary"), made.occasion_id).payload["extra"] == EXTRA
    )
    payload = meeting(extra={**EXTRA, "dues_payers": 5})
    records.correct_record(session, who("secretary"), installed, made.occasion_id, payload)
    first, second = queries.versions(session, who("secretary"), made.occasion_id)
    (change,) = differences(first.payload, second.payload)
    assert (change.field, change.before, change.after) == ("/extra/dues_payers", 4, 5)


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"extra": {"dues_payers": "4"}}, "/extra/dues_payers", "wrong_type"),
        ({"extra": {"dues_payers": True}}, "/extra/dues_payers", "wrong_type"),
        ({"extra": {"dues_payers": 10_001}}, "/extra/dues_payers", "wrong_type"),
        ({"extra": {"deliberated": "字" * 501}}, "/extra/deliberated", "wrong_type"),
        ({"extra": {"deliberated": "a\x00"}}, "/extra/deliberated", "wrong_type"),
        ({"extra": {"colour": "red"}}, "/extra/colour", "unknown_column"),
        ({"extra": ["red"]}, "/extra", "wrong_type"),
        ({"extra": EXTRA, "kinds": ["training"]}, "/extra/deliberated", "unknown_column"),
    ],
)
def test_refusals(record, changes, place, code):
    with pytest.raises(BadInput) as caught:
        record(**changes)
    first = caught.value.problems[0]
    assert (first.place, first.code) == (place, code)


def test_other_profiles_have_none(record):
    with pytest.raises(BadInput, match="deliberated"):
        record("neighbour", "b2", chair="b2-p0", attendance=..., extra=EXTRA)


def test_a_field_that_went_keeps_its_value(session, who, installed, meeting, record):
    made = record(extra=EXTRA)
    kept = meeting(extra=EXTRA, kinds=["training"])
    records.correct_record(session, who("secretary"), installed, made.occasion_id, kept)
    changed = meeting(extra={**EXTRA, "dues_payers": 9}, kinds=["training"])
    with pytest.raises(BadInput, match="/extra/dues_payers"):
        records.correct_record(session, who("secretary"), installed, made.occasion_id, changed)
