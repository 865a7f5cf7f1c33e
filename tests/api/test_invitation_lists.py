"""Inviting everybody on a list by a program."""

import pytest

from guiju.accounts.links import find_link
from guiju.db import ScopedSession

ROWS = [
    {"organization": "finance-1", "name": "张三", "username": "zhangsan", "role": "recorder"},
    {"organization": "justice", "name": "李四", "email": "li@example.cn", "role": "administrator"},
]


@pytest.fixture(scope="module")
def own(create_office):
    return create_office()


def test_a_list_is_previewed_and_everybody_invited(own, caller, engine):
    department = caller(own, "department")
    seen = department.post("/invitation-lists/preview", {"rows": ROWS})
    assert seen.status_code == 200
    assert [one["username"] for one in seen.json["people"]] == ["zhangsan", "li"]
    made = department.post("/invitation-lists", {"rows": ROWS})
    assert made.status_code == 201
    with ScopedSession(engine) as session:
        names = [find_link(session, one["secret"]).name for one in made.json["people"]]
    assert names == ["张三", "李四"]
    again = department.post("/invitation-lists", {"rows": ROWS})
    assert again.status_code == 422
    assert [error["pointer"] for error in again.json["errors"]] == [
        "/rows/0/username",
        "/rows/1/username",
    ]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"organization": "nowhere"}, "/rows/1/organization"),
        ({"role": "boss"}, "/rows/1/role"),
        ({"until_on": "2001-01-01"}, "/rows/1/until_on"),
        ({"name": ""}, "/rows/1/name"),
        ({"unknown": 1}, "/rows/1/unknown"),
    ],
)
def test_what_is_wrong_is_told_row_by_row(own, caller, change, pointer):
    rows = [ROWS[0] | {"username": "one"}, ROWS[1] | {"username": "two"} | change]
    answer = caller(own, "department").post("/invitation-lists", {"rows": rows})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    seen = caller(own, "department").post("/invitation-lists/preview", {"rows": rows})
    assert seen.status_code == 422


def test_without_a_mail_server_nothing_is_mailed(own, caller):
    rows = [ROWS[0] | {"username": "other"}]
    answer = caller(own, "department").post("/invitation-lists", {"rows": rows, "by_mail": True})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/by_mail"


def test_nobody_else_may(own, caller):
    secretary = caller(own, "secretary")
    assert secretary.post("/invitation-lists", {"rows": ROWS}).status_code == 403
    assert secretary.post("/invitation-lists/preview", {"rows": ROWS}).status_code == 403
