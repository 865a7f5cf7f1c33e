"""Months declared complete, reopened, objected to, and overdue."""

from datetime import date

import pytest
import sqlalchemy as sa

from guiju.activities import attestations, drafts, months, records
from guiju.activities.access import NotAllowed, NotVisible
from guiju.activities.models import MonthStep
from guiju.activities.operations import attest_period, store_facts
from guiju.audit.operations import Actor
from guiju.organizations.models import DirtyMark
from guiju.rules.problems import BadInput
from guiju.scoring.operations import drain

ACTOR = Actor("test")
TODAY = date(2021, 5, 3)


@pytest.fixture
def never(session):
    """No month becomes complete by itself."""
    store_facts(session, ACTOR, {"settings": [{"key": "complete_after_days", "value": "never"}]})


@pytest.fixture
def status(session, city, who, installed):
    def ask(month="2021-04", name="secretary", unit="b1"):
        packs = installed.packs
        return attestations.month_status(session, who(name), packs, city.units[unit], month)

    return ask


def test_periods_around_a_month():
    assert months.around("2021-04") == ["2021-04", "2021-B2", "2021-Q2", "2021-H1", "2021"]
    assert months.months_in("2021-Q2") == ["2021-04", "2021-05", "2021-06"]
    assert months.month_of(date(2021, 4, 30)) == "2021-04"


def test_declaring_and_reopening(session, city, who, status, never):
    unit = city.units["b1"]
    assert status().completion is None
    session.execute(sa.delete(DirtyMark))
    session.commit()
    attestations.declare_month(session, who("secretary"), unit, "2021-04")
    assert set(session.scalars(sa.select(DirtyMark.organization_id))) == {unit}
    assert status().completion.declared
    attestations.declare_month(session, who("secretary"), unit, "2021-04")
    assert len(status().said) == 1
    with pytest.raises(BadInput) as caught:
        attestations.reopen_month(session, who("secretary"), unit, "2021-04", "")
    assert [problem.place for problem in caught.value.problems] == ["/reason"]
    attestations.reopen_month(session, who("secretary"), unit, "2021-04", "漏记一次党课")
    said = [(word.action, word.reason) for word in status().said]
    assert said == [("declare", None), ("reopen", "漏记一次党课")]
    assert status().completion is None
    with pytest.raises(BadInput, match="还没有声明齐全"):
        attestations.reopen_month(session, who("secretary"), unit, "2021-04", "再次")
    attestations.declare_month(session, who("secretary"), unit, "2021-04")
    assert status().completion.declared


def test_by_itself_unless_somebody_objects(session, city, who, status):
    found = status()
    assert not found.completion.declared
    assert found.completion.on == date(2021, 5, 11)
    unit = city.units["b1"]
    attestations.object_to_month(session, who("committee"), unit, "2021-04", "还缺记录")
    assert status().completion is None
    assert status().overdue


def test_reopening_one_month_of_an_attested_quarter(session, city, who, never):
    attest_period(session, ACTOR, "b1", "2021-Q2")
    unit = city.units["b1"]
    attestations.reopen_month(session, who("secretary"), unit, "2021-05", "漏记")
    complete = months.completions(
        session, unit, ["2021-04", "2021-05", "2021-06"], date(2021, 8, 1)
    )
    assert set(complete) == {"2021-04", "2021-06"}


def test_what_is_missing_is_shown_first(
    engine, session, city, who, installed, status, meeting, never
):
    unit = city.units["b1"]
    with_committee = {"id": "b1", "name": "第一支部", "kind": "branch", "has_committee": True}
    store_facts(session, ACTOR, {"organizations": [with_committee | {"parent": "c1"}]})
    drafts.save_draft(session, who("secretary"), unit, meeting(held_on="2021-04-09"))
    made = records.create_record(
        session, who("secretary"), installed, unit, meeting(held_on="2021-04-08")
    )
    assert made.state == "archived"
    session.close()
    drain(engine, installed.packs, city.tenant_id, TODAY, reason="test")
    found = status()
    assert found.drafts == 1
    assert (found.returned, found.waiting) == (0, 0)
    assert found.may_declare
    lacking = {item.requirement for item in found.lacking}
    assert "xian.branch_committee.monthly" in lacking
    assert {item.period for item in found.lacking} <= {"2021-04", "2021-B2"}
    assert not status(name="reader").may_declare
    assert status(name="reader").drafts == 0


def test_overdue_months(session, city, who, never):
    for month in ("2021-01", "2021-02"):
        attestations.declare_month(session, who("secretary"), city.units["b1"], month)
    (own,) = attestations.open_months(session, who("secretary"), city.units["b1"], today=TODAY)
    assert (own.open, own.overdue) == (["2021-03", "2021-04"], ["2021-03"])
    both = attestations.open_months(
        session, who("department"), city.units["root"], below=True, today=TODAY
    )
    assert [(one.code, len(one.open)) for one in both] == [("b1", 2), ("b2", 4)]
    below = attestations.open_months(
        session, who("committee"), city.units["c1"], below=True, today=TODAY
    )
    assert [one.code for one in below] == ["b1"]
    with pytest.raises(NotVisible):
        attestations.open_months(session, who("committee"), city.units["root"], below=True)


def test_nothing_is_overdue_that_becomes_complete_by_itself(session, city, who):
    found = attestations.open_months(
        session, who("secretary"), city.units["b1"], today=date(2021, 5, 20)
    )
    assert found == []
    attestations.object_to_month(session, who("secretary"), city.units["b1"], "2021-02", "缺")
    (found,) = attestations.open_months(
        session, who("secretary"), city.units["b1"], today=date(2021, 5, 20)
    )
    assert found.overdue == ["2021-02"]


@pytest.mark.parametrize("month", ["2021", "2021-Q1", "2021-13", "april", ""])
def test_only_months(session, city, who, month):
    with pytest.raises(BadInput):
        attestations.declare_month(session, who("secretary"), city.units["b1"], month)


def test_not_before_it_begins(session, city, who):
    with pytest.raises(BadInput, match="还没有开始"):
        attestations.declare_month(session, who("secretary"), city.units["b1"], "2199-01")


@pytest.mark.parametrize(
    ("name", "error"),
    [("neighbour", NotVisible), ("auditor", NotVisible), ("reader", NotAllowed)],
)
def test_others_do_not_speak_for_the_unit(session, city, who, name, error):
    unit = city.units["b1"]
    for attempt in (
        lambda: attestations.declare_month(session, who(name), unit, "2021-04"),
        lambda: attestations.reopen_month(session, who(name), unit, "2021-04", "x"),
        lambda: attestations.object_to_month(session, who(name), unit, "2021-04", "x"),
    ):
        with pytest.raises(error):
            attempt()
    assert session.scalar(sa.select(sa.func.count()).select_from(MonthStep)) == 0


def test_another_tenant(elsewhere, stranger, city, installed):
    unit = city.units["b1"]
    with elsewhere() as session:
        for attempt in (
            lambda: attestations.declare_month(session, stranger, unit, "2021-04"),
            lambda: attestations.open_months(session, stranger, unit),
            lambda: attestations.month_status(session, stranger, installed.packs, unit, "2021-04"),
        ):
            with pytest.raises(NotVisible):
                attempt()
