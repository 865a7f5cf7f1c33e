"""Enabling a notice by programs: looked at, confirmed, taken back."""

import pytest
from offices import PASSWORD

from guiju.accounts.operations import create_user
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope

EDIT = {"action": "enable", "profile": "jiaozuo", "judge_from": "2021-03-01"}


@pytest.fixture(scope="module")
def head(staffed, engine, caller):
    """A program of who administers one committee."""
    with tenant_scope(staffed.tenant.tenant_id), ScopedSession(engine) as session:
        grants = [("administrator", staffed.units["finance"])]
        create_user(session, Actor("test"), "head", "head", grants, password=PASSWORD)
    staffed.users["head"] = "head@" + staffed.tenant.sign_in_name.partition("@")[2]
    return caller(staffed, "head")


def looked_at(asking, unit: str = "finance", **changes):
    return asking.post(f"/organizations/{unit}/profiles/previews", {**EDIT, **changes})


def enabled(asking, unit: str = "finance") -> list[tuple]:
    found = asking.get(f"/organizations/{unit}/profiles").json["terms"]
    return [(term["profile"], term["judge_from"], term["until"]) for term in found]


def test_a_change_is_looked_at_confirmed_and_taken_back(ask, head):
    made = looked_at(head)
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert (made.json["done"], made.json["confirmed"]) == (True, False)
    assert made.json["changed"] > 0
    assert enabled(head) == []
    changed = head.get(f"{address}/organizations?limit=200").json["items"]
    assert {one["organization"] for one in changed} == {"finance", "finance-1", "finance-2"}
    confirmed = head.change("POST", f"{address}/confirm", {}, of=address)
    assert confirmed.json["confirmed"], confirmed.text
    assert enabled(head) == [("jiaozuo", "2021-03-01", None)]
    twice = head.change("POST", f"{address}/confirm", {}, of=address)
    assert twice.status_code == 422
    done = head.get("/organizations/finance/profiles/changes").json["items"][0]
    assert (done["organization"], done["changed_by"], done["undoable"]) == ("finance", "head", True)
    place = f"/profiles/changes/{done['id']}"
    undone = head.change("POST", f"{place}/undo", of=place)
    assert (undone.json["undoes"], undone.json["after"]) == (done["id"], [])
    assert enabled(head) == []
    assert not head.get(place).json["undoable"]


def test_records_that_changed_meanwhile_are_told(head, staffed, engine):
    address = looked_at(head).headers["Location"]
    row = {"id": "late", "organization": "finance-1", "kinds": ["theme_day"]}
    with tenant_scope(staffed.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, Actor("test"), {"occasions": [{**row, "held_on": "2021-09-30"}]})
    drifted = head.change("POST", f"{address}/confirm", {}, of=address)
    assert [error["code"] for error in drifted.json["errors"]] == ["drifted"]
    assert enabled(head) == []
    body = {"despite_drift": True}
    assert head.change("POST", f"{address}/confirm", body, of=address).json["confirmed"]
    done = head.get("/organizations/finance/profiles/changes").json["items"][0]
    place = f"/profiles/changes/{done['id']}"
    head.change("POST", f"{place}/undo", of=place)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"profile": "atlantis"}, "/profile"),
        ({"profile": None}, "/profile"),
        ({"action": "adore"}, "/action"),
        ({"judge_from": "2021-02-30"}, "/judge_from"),
        ({"until": "2021-01-01"}, "/until"),
        ({"settings": {"no.such": "x"}}, "/settings/no.such"),
        ({"settings": [1]}, "/settings"),
        ({"force": True}, "/force"),
    ],
)
def test_every_fault_has_its_place(head, changes, pointer):
    answer = looked_at(head, **changes)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_who_may_and_where(ask, head, caller, staffed):
    assert looked_at(head, "root").status_code == 404
    assert looked_at(head, "justice").status_code == 404
    assert looked_at(ask("secretary"), "finance-1").status_code == 403
    above = looked_at(ask("department"), "justice").headers["Location"]
    for tail in ("", "/organizations"):
        assert head.get(above + tail).status_code == 404
    confirmed = head.post(f"{above}/confirm", {}, headers={"If-Match": "*"})
    assert confirmed.status_code == 404
    assert caller(staffed, "committee").get(above).status_code == 403
    own = looked_at(head).headers["Location"]
    stale = head.post(f"{own}/confirm", {}, headers={"If-Match": '"other"'})
    assert stale.status_code == 412
    assert enabled(head) == []
