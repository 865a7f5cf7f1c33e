"""The workbench: what is due, by how urgent it is, under which clause."""

import re
from datetime import date
from functools import cache

import pytest

from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.organizations.portrait import portrait
from guiju.scoring.duties import duties
from guiju.scoring.guidance import guidance
from guiju.scoring.operations import drain
from guiju.scoring.results import NotVisible

TODAY = date(2021, 11, 10)


@pytest.fixture(scope="module")
def visit(sign_in, judged):
    client = cache(lambda name: sign_in(name, judged))

    def visit(name, address):
        return client(name).get(address.format(**judged.units))

    return visit


@pytest.fixture
def work_of(app, engine, judged):
    """What a branch of the judged office has to do, and what is asked of it."""
    packs = app.extensions["guiju_plugins"].packs

    def work_of(code, *, within=None, today=TODAY):
        number = judged.units[code]
        with tenant_scope(judged.tenant.tenant_id), ScopedSession(engine) as session:
            unit = portrait(session, number, today)
            asked = guidance(session, packs, unit, today)
            found = duties(
                session,
                packs,
                number,
                within=[unit.place.path] if within is None else within,
                asked=asked,
                today=today,
            )
        return found, asked

    return work_of


def titles(listed):
    return [duty.item.requirement for duty in listed]


def test_what_is_short_is_late_and_the_latest_first(work_of):
    work, _asked = work_of("finance-2")
    late = [one for one in work.late if one.item.requirement == "xian.theme_day.monthly"]
    assert [one.item.period for one in late] == ["2021-07", "2021-04", "2021-03"]
    assert [one.due for one in late] == [date(2021, 7, 31), date(2021, 4, 30), date(2021, 3, 31)]


def test_what_ends_with_the_month_is_due_before_what_ends_later(work_of):
    work, _asked = work_of("finance-1")
    assert "xian.theme_day.monthly" in titles(work.soon)
    assert "xian.party_lecture.quarterly" in titles(work.later)
    assert {one.due for one in work.soon} == {date(2021, 11, 30)}
    assert all(one.due > date(2021, 11, 30) for one in work.later)


def test_a_duty_names_its_clause_and_what_answers_it(work_of):
    work, _asked = work_of("finance-1")
    (duty,) = [one for one in work.soon if one.item.requirement == "xian.theme_day.monthly"]
    assert (duty.clause, duty.strictness) == ("附件1·13; 附件2·13", "bare")
    assert duty.kinds == ("theme_day",)
    assert duty.remedy


def test_what_no_occasion_answers_offers_none(work_of):
    work, _asked = work_of("finance-1")
    everything = [*work.late, *work.soon, *work.later, *work.undated]
    filed = [one for one in everything if one.item.requirement.endswith("yearend_filing")]
    assert filed
    assert filed[0].kinds == ()


def test_nobody_sees_the_duties_of_others(work_of):
    with pytest.raises(NotVisible):
        work_of("finance-1", within=["/999999/"])


def test_what_is_asked_of_a_theme_day(work_of):
    _work, asked = work_of("finance-1")
    wanted = asked.wanted(["theme_day"])
    five = [one.code for one in wanted.components if not one.open]
    assert five == ["study", "exchange", "comment", "service", "dues"]
    assert [one.code for one in wanted.steps.before] == ["notified"]


def test_what_a_year_holds_together_no_occasion_has_to_hold(work_of):
    _work, asked = work_of("finance-1")
    wanted = asked.wanted(["party_lecture"])
    assert {one.open for one in wanted.components if one.code == "theory"} == {True}


def test_reports_are_no_occasions(work_of):
    _work, asked = work_of("finance-1")
    assert "three_meetings" not in asked.kinds
    assert asked.kinds_for("xian.agency.three_meetings.yearend_filing") == ()


def test_the_page_says_until_when_and_why(visit):
    page = visit("secretary", "/organizations/{finance-1}/workbench")
    assert page.status_code == 200
    text = re.sub(r"\s+", " ", page.text)
    assert "2021年11月10日" in text
    assert "主题党日每月一次" in text
    assert "附件1·13; 附件2·13" in text
    assert "还有 20 天" in text


def test_the_workbench_of_others_is_not_there(visit, judged):
    def answer(unit):
        found = visit("secretary", f"/organizations/{unit}/workbench")
        # The form's token says when it was made.
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", found.text)
        return found.status_code, text.replace(f"/{unit}/".format(**judged.units), "/unit/")

    absent = answer("987654321")
    assert absent[0] == 404
    for code in ("{finance-2}", "{justice-1}", "{root}"):
        assert answer(code) == absent


def test_an_auditor_has_no_workbench(visit):
    assert visit("auditor", "/organizations/{finance-1}/workbench").status_code == 404


def test_more_records_ask_no_more_questions(app, engine, create_office, sign_in, statements):
    office = create_office(recorded=True)
    packs = app.extensions["guiju_plugins"].packs
    client = sign_in("secretary", office)

    def asked_with(days):
        rows = [
            {
                "id": f"more-{day}",
                "organization": "finance-1",
                "kinds": ["party_lecture"],
                "held_on": date(2021, 9, day),
            }
            for day in days
        ]
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, Actor("test"), {"occasions": rows})
        drain(engine, packs, office.tenant.tenant_id, TODAY, reason="test")
        address = f"/organizations/{office.units['finance-1']}/workbench"
        client.get(address)
        return statements(lambda: client.get(address))

    assert asked_with(range(1, 3)) == asked_with(range(3, 29))
