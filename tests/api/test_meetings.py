"""What surrounds a meeting: its announcement, what it left to be done, and what users are told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from guiju.accounts.models import User
from guiju.clock import today
from guiju.db.locks import hold

TASK = {"what": "补交学习心得", "who": "党员3", "due_on": "2021-12-31"}


def noted(asking, occasion: str = "finance-1-theme_day-2", **changes):
    return asking.post(f"/occasions/{occasion}/follow-ups", {**TASK, **changes})


def test_what_a_meeting_left_is_done(ask):
    secretary = ask("secretary")
    made = noted(secretary)
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert made.json["occasion"] == "finance-1-theme_day-2"
    listed = secretary.get("/follow-ups?organization=finance-1").json["items"]
    assert made.json in listed
    done = secretary.change("POST", f"{address}/finish", {"note": "已交"}, of=address)
    assert (done.json["done_on"], done.json["note"]) == (today().isoformat(), "已交")
    assert made.json["id"] not in {one["id"] for one in secretary.get("/follow-ups").json["items"]}
    again = secretary.change("POST", f"{address}/reopen", of=address)
    assert again.json["done_on"] is None
    changed = secretary.change("PUT", address, {**TASK, "who": "党员4"})
    assert changed.json["who"] == "党员4"
    assert secretary.change("DELETE", address).status_code == 204
    assert secretary.get(address).status_code == 404


def test_a_stale_follow_up_is_not_changed(ask):
    secretary = ask("secretary")
    made = noted(secretary)
    address = made.headers["Location"]
    secretary.change("PUT", address, {**TASK, "what": "先改"})
    late = secretary("PUT", address, json=TASK, headers={"If-Match": made.headers["ETag"]})
    assert late.status_code == 412
    assert secretary.get(address).json["what"] == "先改"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"what": ""}, "/what"),
        ({"who": " "}, "/who"),
        ({"due_on": "2021-13-01"}, "/due_on"),
        ({"what": "长" * 2001}, "/what"),
        ({"done": True}, "/done"),
    ],
)
def test_faults_of_a_follow_up_have_their_place(ask, changes, pointer):
    answer = noted(ask("secretary"), **changes)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_follow_ups_name_people_and_are_for_whom_they_concern(ask, caller, staffed):
    made = noted(ask("secretary"))
    reader = caller(staffed, "committee")
    assert reader.get(made.headers["Location"]).status_code == 404
    assert reader.get("/occasions/finance-1-theme_day-2/follow-ups").json["items"] == []
    for name in ("second", "elsewhere"):
        assert ask(name).get(made.headers["Location"]).status_code == 404
        assert noted(ask(name)).status_code == 404
    assert noted(ask("deputy")).status_code == 403


def test_a_meeting_is_announced_and_withdrawn(ask):
    secretary = ask("secretary")
    body = {"text": "周五下午三点", "meets_on": (today() + timedelta(days=3)).isoformat()}
    made = secretary.post("/organizations/finance-1/announcements", body)
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert made.json in secretary.get("/announcements").json["items"]
    above = ask("department").get("/organizations/finance-1/announcements").json["items"]
    assert made.json in above
    assert ask("second").get(address).status_code == 404
    assert ask("deputy").change("DELETE", address).status_code == 403
    assert secretary.change("DELETE", address).status_code == 204
    assert made.json not in secretary.get("/announcements").json["items"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"meets_on": "2020-01-01"}, "/meets_on"),
        ({"meets_on": None}, "/meets_on"),
        ({"occasion": "finance-2-theme_day-1"}, "/occasion"),
        ({"occasion": "nothing"}, "/occasion"),
        ({"occasion": "finance-1-theme_day-1"}, "/occasion"),
        ({"title": "通知"}, "/title"),
    ],
)
def test_faults_of_an_announcement_have_their_place(ask, changes, pointer):
    body = {"text": "开会", "meets_on": (today() + timedelta(days=1)).isoformat(), **changes}
    answer = ask("secretary").post("/organizations/finance-1/announcements", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_users_are_told_and_read_it(ask):
    department, second = ask("department"), ask("second")
    item = {
        "organization": "finance-2",
        "requirement": "xian.theme_day.monthly",
        "period": "2021-03",
    }
    department.post("/tasks", {"kind": "remind", "text": "请补开", "items": [item]})
    found = second.get("/notices?unread=true").json["items"][0]
    assert (found["kind"], found["organization"], found["period"]) == (
        "remind",
        "finance-2",
        "2021-03",
    )
    assert "请补开" in found["lines"]
    address = f"/notices/{found['id']}"
    for other in ("secretary", "department"):
        assert ask(other).get(address).status_code == 404
    assert second.change("POST", f"{address}/read", of=address).json["read_at"]
    unread = {one["id"] for one in second.get("/notices?unread=true").json["items"]}
    assert found["id"] not in unread


def test_how_to_be_told_is_ones_own_choice(ask):
    second = ask("second")
    choice = {"by_mail": False, "language": "en"}
    assert second.change("PUT", "/notice-settings", choice).json == choice
    assert ask("secretary").get("/notice-settings").json["by_mail"]
    wrong = second.change("PUT", "/notice-settings", {**choice, "language": "tlh"})
    assert wrong.json["errors"][0]["pointer"] == "/language"


def test_of_two_choices_at_once_one_is_told(caller, staffed, at_once):
    asking = [caller(staffed, "deputy") for _number in range(2)]
    tag = asking[0].tag("/notice-settings")

    def lock(session) -> None:
        number = session.scalars(sa.select(User.id).where(User.username == "deputy")).one()
        hold(session, f"notice setting of {number}")

    def choose(turn: int) -> int:
        body = {"by_mail": bool(turn), "language": "en"}
        return asking[turn](
            "PUT", "/notice-settings", json=body, headers={"If-Match": tag}
        ).status_code

    found = at_once(staffed, lock, choose)
    assert sorted(found) == [200, 412]
    shown = asking[0].get("/notice-settings").json
    assert shown == {"by_mail": bool(found.index(200)), "language": "en"}
