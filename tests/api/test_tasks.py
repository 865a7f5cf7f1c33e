"""Reminding units, asking for reasons and rectifications, by programs."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from guiju.clock import today
from guiju.db import ScopedSession, tenant_scope
from guiju.decisions.models import Task

THEME_DAY = "xian.theme_day.monthly"


def item(period: str = "2021-03", unit: str = "finance-2") -> dict:
    return {"organization": unit, "requirement": THEME_DAY, "period": period}


def asked(asking, *items: dict, kind: str = "ask_reason", **more):
    body = {"kind": kind, "text": "请说明情况", "items": [*items] or [item()], **more}
    return asking.post("/tasks", body)


def test_a_unit_is_asked_answers_and_is_answered(ask):
    department, second = ask("department"), ask("second")
    made = asked(department)
    assert made.status_code == 201, made.text
    (task,) = made.json["tasks"]
    assert (task["state"], task["organization"], task["text"]) == (
        "open",
        "finance-2",
        "请说明情况",
    )
    address = f"/tasks/{task['id']}"
    assert second.get(address).json["may"] == ["answer"]
    told = second.change("POST", f"{address}/answer", {"text": "当月停工"}, of=address)
    assert (told.json["state"], told.json["answer"]) == ("answered", "当月停工")
    back = department.change("POST", f"{address}/return", {"remark": "请附通知"}, of=address)
    assert (back.json["state"], back.json["remark"]) == ("open", "请附通知")
    second.change("POST", f"{address}/answer", {"text": "当月停工，通知附后"}, of=address)
    done = department.change("POST", f"{address}/close", {"remark": "同意"}, of=address)
    assert (done.json["state"], done.json["may"]) == ("closed", [])


def test_a_rectification_has_a_day(ask):
    department = ask("department")
    without = asked(department, kind="rectify")
    assert [error["pointer"] for error in without.json["errors"]] == ["/due_on"]
    past = asked(department, kind="rectify", due_on="2020-01-01")
    assert [error["pointer"] for error in past.json["errors"]] == ["/due_on"]
    due = (today() + timedelta(days=30)).isoformat()
    made = asked(department, kind="rectify", due_on=due)
    assert made.json["tasks"][0]["due_on"] == due


def test_what_was_asked_is_taken_back_in_one_go(ask, staffed, engine):
    department, second = ask("department"), ask("second")
    made = asked(department, item("2021-04"), item("2021-07"))
    address, tag = made.headers["Location"], made.headers["ETag"]
    assert len(department.get(address).json["tasks"]) == 2
    assert second.get(address).status_code == 404
    assert ask("deputy").get(address).status_code == 404
    undone = department("DELETE", address, headers={"If-Match": tag})
    assert undone.status_code == 204
    listed = second.get("/tasks?limit=200").json["items"]
    assert not {"2021-04", "2021-07"} & {one["period"] for one in listed}
    assert {one["state"] for one in department.get(address).json["tasks"]} == {"undone"}
    again = department.change("DELETE", address)
    assert again.status_code == 409


def test_what_has_been_answered_is_not_taken_back(ask):
    department, second = ask("department"), ask("second")
    made = asked(department, item("2021-04"))
    address = f"/tasks/{made.json['tasks'][0]['id']}"
    second.change("POST", f"{address}/answer", {"text": "已补"}, of=address)
    stale = department(
        "DELETE", made.headers["Location"], headers={"If-Match": made.headers["ETag"]}
    )
    assert stale.status_code == 412
    assert department.change("DELETE", made.headers["Location"]).status_code == 409
    assert second.get(address).json["state"] == "answered"


def test_all_are_asked_or_none(ask, staffed, engine):
    department = ask("department")

    def number() -> int:
        with tenant_scope(staffed.tenant.tenant_id), ScopedSession(engine) as session:
            return session.scalars(sa.select(sa.func.count()).select_from(Task)).one()

    before = number()
    # What is met is not asked about: nothing falls short there.
    assert asked(department, item(), item("2021-01")).status_code == 409
    strange = asked(department, item(), item(unit="nothing"))
    assert [error["pointer"] for error in strange.json["errors"]] == ["/items/1/organization"]
    assert number() == before


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "scold"}, "/kind"),
        ({"items": []}, "/items"),
        ({"items": [{**item(), "person": "finance-2-1"}]}, "/items/0/person"),
        ({"items": [{**item(), "period": "March"}]}, "/items/0/period"),
        ({"text": "长" * 2001}, "/text"),
        ({"due_on": "soon"}, "/due_on"),
    ],
)
def test_every_fault_has_its_place(ask, changes, pointer):
    body = {"kind": "remind", "items": [item()], **changes}
    answer = ask("department").post("/tasks", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_who_may_not_ask_and_whom(ask, caller, staffed):
    assert asked(ask("second")).status_code == 403
    assert asked(caller(staffed, "committee")).status_code == 403
    other = asked(ask("elsewhere"))
    absent = asked(ask("elsewhere"), item(unit="nothing"))
    assert other.status_code == absent.status_code == 422
    made = asked(ask("department"))
    number = made.json["tasks"][0]["id"]
    assert ask("secretary").get(f"/tasks/{number}").status_code == 404
    assert number not in {one["id"] for one in ask("secretary").get("/tasks").json["items"]}
    # Nobody answers for the unit from above.
    address = f"/tasks/{number}"
    answer = ask("department").change("POST", f"{address}/answer", {"text": "代答"}, of=address)
    assert answer.status_code == 403


def test_filters_and_pages(ask):
    department = ask("department")
    for kind in ("remind", "ask_reason"):
        asked(department, kind=kind)
    found = department.get("/tasks?kind=remind&limit=200").json["items"]
    assert {one["kind"] for one in found} == {"remind"}
    assert {one["state"] for one in department.get("/tasks?state=open").json["items"]} == {"open"}
    first = department.get("/tasks?limit=1").json
    second = department.get(f"/tasks?limit=1&cursor={first['next']}").json
    assert first["items"][0]["id"] > second["items"][0]["id"]
    other = department.get(f"/tasks?limit=1&kind=remind&cursor={first['next']}")
    assert other.json["errors"][0]["parameter"] == "cursor"
    assert date.fromisoformat(first["items"][0]["made_at"][:10])
