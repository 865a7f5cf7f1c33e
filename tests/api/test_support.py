"""Granting, listing and revoking what the platform's support may read."""

import pytest

from guiju.accounts.support import SupportRefused, redeem
from guiju.audit.operations import Actor
from guiju.db import ScopedSession

WANTED = {"organization": "finance", "purpose": "查看记录", "hours": 2}


@pytest.fixture(scope="module")
def own(create_office):
    return create_office()


def test_an_access_is_granted_listed_and_revoked(own, caller, engine):
    department = caller(own, "department")
    made = department.post("/support-accesses", WANTED)
    assert made.status_code == 201
    code, address = made.json["code"], made.headers["Location"]
    shown = department.get(address)
    assert code not in shown.text
    told = [shown.json[name] for name in ("organization", "purpose", "state")]
    assert told == ["finance", "查看记录", "active"]
    with ScopedSession(engine) as session:
        redeem(session, Actor("operator"), code, "王支持")
    [listed] = department.get("/support-accesses").json["items"]
    assert listed["opened_by"] == "王支持"
    assert department.change("DELETE", address).status_code == 204
    assert department.get(address).json["state"] == "revoked"
    with ScopedSession(engine) as session, pytest.raises(SupportRefused):
        redeem(session, Actor("operator"), code, "王支持")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (WANTED | {"hours": 73}, "/hours"),
        (WANTED | {"hours": "2"}, "/hours"),
        (WANTED | {"purpose": ""}, "/purpose"),
        (WANTED | {"purpose": "  "}, "/purpose"),
        (WANTED | {"organization": "nowhere"}, "/organization"),
    ],
)
def test_what_is_wrong_is_told(own, caller, body, pointer):
    answer = caller(own, "department").post("/support-accesses", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_nobody_else_may(own, caller):
    secretary = caller(own, "secretary")
    assert secretary.get("/support-accesses").status_code == 403
    assert secretary.post("/support-accesses", WANTED).status_code == 403
    assert secretary.get("/support-accesses/1").status_code == 403
