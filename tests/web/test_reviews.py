"""Reviewing records and declaring months complete in pages."""

import re
from datetime import date

import pytest
from offices import AS_OF

from guiju.accounts.operations import create_user
from guiju.activities.models import WorkflowSetting
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Person:
    """Somebody signed in, who submits forms from a page."""

    def __init__(self, client, units):
        self.client, self.units = client, units

    def get(self, address):
        return self.client.get(address.format(**self.units))

    def post(self, address, page, fields):
        token = TOKEN.search(self.get(page).text)[1]
        data = {"csrf_token": token, **fields}
        return self.client.post(address.format(**self.units), data=data)

    def record(self, unit="finance-1", **fields):
        given = {"kinds": "theme_day", "held_on": AS_OF.isoformat(), **fields}
        page = f"/organizations/{{{unit}}}/records/new"
        answer = self.post(f"/organizations/{{{unit}}}/records/submit", page, given)
        assert answer.status_code == 302, answer.text
        return int(answer.location.rpartition("/")[2])


@pytest.fixture(scope="module")
def reviewed(engine, create_office):
    """An office whose committee reviews what its branches record."""
    office = create_office(recorded=True)
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        session.add(
            WorkflowSetting(organization_id=office.units["finance"], levels=1, late_after_days=3660)
        )
        create_user(
            session,
            Actor("test"),
            "reviewer",
            "reviewer",
            [("reviewer", office.units["finance"])],
            password="Plain-words-2021",
        )
        create_user(
            session,
            Actor("test"),
            "other",
            "other",
            [("reviewer", office.units["justice"])],
            password="Plain-words-2021",
        )
        session.commit()
    at = "@" + office.users["secretary"].partition("@")[2]
    return office._replace(
        users={**office.users, "reviewer": "reviewer" + at, "other": "other" + at}
    )


@pytest.fixture
def person(sign_in, reviewed):
    return lambda name: Person(sign_in(name, reviewed), reviewed.units)


def key(page, number):
    return re.search(rf'name="item" value="({number}\.\d+)"', page)[1]


class TestReviews:
    def test_are_listed_for_who_reviews(self, person):
        number = person("secretary").record(theme="等着审的")
        assert "等着审的" in person("reviewer").get("/reviews").text
        assert "等着审的" not in person("other").get("/reviews").text
        assert person("secretary").get("/reviews").status_code == 403
        shown = person("secretary").get(f"/records/{number}").text
        assert "待市财政局机关党委审核" in shown

    def test_approve_several_at_once(self, person):
        numbers = [person("secretary").record() for _ in range(2)]
        reviewer = person("reviewer")
        page = reviewer.get("/reviews").text
        items = [key(page, number) for number in numbers]
        answer = reviewer.post("/reviews", "/reviews", {"item": items, "do": "approve"})
        assert answer.status_code == 302
        for number in numbers:
            assert "已归档" in person("secretary").get(f"/records/{number}").text

    def test_return_with_a_comment_that_the_author_reads(self, person):
        number = person("secretary").record()
        reviewer = person("reviewer")
        item = key(reviewer.get("/reviews").text, number)
        silent = reviewer.post("/reviews", "/reviews", {"item": item, "do": "return"})
        assert silent.status_code == 422
        assert f'value="{item}" id="item-{number}" checked' in silent.text
        fields = {"item": item, "do": "return", "comment": "签到表没有附上"}
        assert reviewer.post("/reviews", "/reviews", fields).status_code == 302
        workbench = person("secretary").get("/organizations/{finance-1}/workbench").text
        assert "签到表没有附上" in workbench
        assert f"/records/{number}" in workbench
        record = person("secretary").get(f"/records/{number}").text
        assert "补正后重新提交" in record

    def test_tell_what_changed_meanwhile(self, person):
        number = person("secretary").record()
        reviewer = person("reviewer")
        fields = {"item": f"{number}.0", "do": "approve"}
        answer = reviewer.post("/reviews", "/reviews", fields)
        assert answer.status_code == 302
        assert "没有处理" in reviewer.get("/reviews").text
        assert "待市财政局机关党委审核" in person("secretary").get(f"/records/{number}").text

    def test_of_others_are_out_of_reach(self, person):
        number = person("secretary").record()
        other = person("other")
        other.post("/reviews", "/reviews", {"item": f"{number}.1", "do": "approve"})
        assert "待市财政局机关党委审核" in person("secretary").get(f"/records/{number}").text
        answer = other.post(f"/records/{number}/review", "/reviews", {"do": "approve"})
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        ("item", "status"), [("x", 400), ("1", 400), (f"{2**63}.1", 404), ("1.1.1", 400)]
    )
    def test_refuse_what_no_page_sends(self, person, item, status):
        answer = person("reviewer").post("/reviews", "/reviews", {"item": item, "do": "approve"})
        assert answer.status_code == status

    def test_nobody_reviews_their_own(self, person):
        number = person("department").record()
        page = person("department").get(f"/records/{number}").text
        assert 'id="review"' not in page


class TestMonths:
    @pytest.fixture(autouse=True)
    def short(self, engine, reviewed):
        """November, of which nothing is attested, lacks its theme day."""
        row = {
            "id": "late",
            "organization": "justice-1",
            "kinds": ["training"],
            "held_on": date(2021, 11, 3),
        }
        with tenant_scope(reviewed.tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, Actor("test"), {"occasions": [row]})

    def test_are_declared_and_reopened(self, person):
        secretary, address = person("secretary"), "/organizations/{finance-1}/months/2021-11"
        page = secretary.get(address).text
        assert "2021年11月的记录" in page
        answer = secretary.post(address + "/declare", address, {})
        assert answer.status_code == 302
        page = secretary.get(address).text
        assert "声明齐全" in page
        assert "这个月的记录已经齐全</button>" not in page
        assert secretary.post(address + "/reopen", address, {"reason": ""}).status_code == 422
        secretary.post(address + "/reopen", address, {"reason": "还有一次党课"})
        page = secretary.get(address).text
        assert "还有一次党课" in page
        assert "这个月的记录已经齐全</button>" in page

    def test_wait_in_the_workbench(self, person, engine, reviewed):
        secretary = person("secretary")
        address = "/organizations/{finance-1}/months/2021-10"
        secretary.post(address + "/reopen", address, {"reason": "补一条"})
        assert (
            "2021年10月的记录齐全了吗" in secretary.get("/organizations/{finance-1}/workbench").text
        )
        listed = person("department").get("/organizations/{root}/months").text
        assert "市财政局第一党支部" in listed
        assert "2021年10月" in listed

    def test_of_others_are_not_there(self, person):
        for unit in ("{finance-2}", "{justice-1}", "987654321"):
            address = f"/organizations/{unit}/months"
            assert person("secretary").get(address).status_code == 404
            assert person("secretary").get(f"{address}/2021-10").status_code == 404
            answer = person("secretary").post(f"{address}/2021-10/declare", "/library/", {})
            assert answer.status_code == 404

    def test_are_declared_by_who_keeps_the_records(self, person):
        address = "/organizations/{finance-1}/months/2021-11"
        assert "齐全</button>" not in person("committee").get(address).text
        answer = person("committee").post(f"{address}/declare", "/library/", {})
        assert answer.status_code == 403

    @pytest.mark.parametrize("month", ["2021-13", "2021", "2021-Q1", "x", "0000-01"])
    def test_are_months(self, person, month):
        answer = person("secretary").get(f"/organizations/{{finance-1}}/months/{month}")
        assert answer.status_code == 404
