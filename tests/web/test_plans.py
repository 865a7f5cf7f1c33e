"""Meetings to come, on pages: planned, told to the members, recorded once held."""

import re
from datetime import timedelta

import pytest
from offices import AS_OF

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SOON = (AS_OF + timedelta(days=3)).isoformat()


@pytest.fixture
def person(sign_in, office):
    """Somebody signed in: what a page says, and forms sent to it."""

    class Person:
        def __init__(self, name):
            self._client = sign_in(name, office)

        def get(self, address):
            return self._client.get(address)

        def page(self, unit="finance-1"):
            return self.get(f"/organizations/{office.units[unit]}/plans")

        def post(self, address, **fields):
            fields["csrf_token"] = TOKEN.search(self.get("/account").text)[1]
            return self._client.post(address, data=fields)

        def plan(self, unit="finance-1", **fields):
            given = {"kinds": "theme_day", "held_on": SOON, **fields}
            given = {name: value for name, value in given.items() if value is not None}
            return self.post(f"/organizations/{office.units.get(unit, unit)}/plans", **given)

    return Person


def planned(person):
    """Address of the planned record that the page lists."""
    return re.search(r'href="(/records/\d+)"', person.page().text)[1]


def test_a_meeting_is_planned_announced_and_recorded(person, office):
    secretary = person("secretary")
    assert secretary.plan(start="15:00", place="三楼", text="请带学习资料").status_code == 302
    page = secretary.page().text
    assert "15:00 · 三楼" in page
    # The unit's people find it among their notices, its superiors on the unit.
    assert "请带学习资料" in secretary.get("/notices").text
    assert "请带学习资料" not in person("department").get("/notices").text
    assert "请带学习资料" in person("department").page().text

    address = planned(secretary)
    assert "计划中" in secretary.get(address).text
    form = secretary.post(f"{address}/correct").location
    draft, revision = (
        re.search(rf'name="{name}" value="(\d+)"', secretary.get(form).text)[1]
        for name in ("draft", "revision")
    )
    unit = office.units["finance-1"]
    fields = {"draft": draft, "revision": revision, "kinds": "theme_day", "place": "四楼"}
    early = secretary.post(f"/organizations/{unit}/records/submit", held_on=SOON, **fields)
    assert early.status_code == 422
    assert "日期不能晚于今天" in early.text
    revision = re.search(r'name="revision" value="(\d+)"', early.text)[1]
    fields |= {"held_on": AS_OF.isoformat(), "revision": revision}
    held = secretary.post(f"/organizations/{unit}/records/submit", **fields)
    assert held.status_code == 302, held.text
    assert held.location == address
    assert "已归档" in secretary.get(address).text
    assert "没有计划中的活动" in secretary.page().text


def test_without_a_kind_it_is_an_announcement_alone_and_is_withdrawn(person, office):
    secretary = person("secretary")
    assert secretary.plan(kinds=None).status_code == 422
    assert secretary.plan(kinds=None, text="周五交党费").status_code == 302
    page = secretary.page().text
    assert "周五交党费" in page
    away = re.search(r'周五交党费.*?action="([^"]+/withdraw)"', page, re.DOTALL)[1]
    assert person("committee").post(away).status_code == 403
    elsewhere = re.sub(r"/organizations/\d+", f"/organizations/{office.units['root']}", away)
    assert person("department").post(elsewhere).status_code == 404
    assert secretary.post(away).status_code == 302
    assert "周五交党费" not in secretary.page().text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"held_on": "2021-02-30"}, "应为"),
        ({"held_on": (AS_OF - timedelta(days=1)).isoformat()}, "计划的日期不能早于今天"),
        ({"kinds": None, "text": "开会", "held_on": "2021-01-04"}, "会议日期不能早于今天"),
        ({"start": "25:99"}, "应"),
        ({"text": "通" * 2001}, "2000"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_stays(person, fields, told):
    answer = person("secretary").plan(place="五楼会议室", **fields)
    assert answer.status_code == 422
    assert told in re.search(r'class="field-error mb-0">([^<]*)', answer.text)[1]
    assert "五楼会议室" in answer.text
    assert "五楼会议室" not in person("secretary").page().text


def test_of_others_is_not_there_nor_for_who_does_not_record(person):
    for unit in ("finance-2", "987654321"):
        assert person("secretary").plan(unit).status_code == 404
    reader = person("committee")
    assert 'name="held_on"' not in reader.page().text
    assert reader.plan().status_code == 403
