"""Numbers that no row can have: refused in words, wherever a program may write one."""

import pytest

TOO_GREAT = 10**30


@pytest.mark.parametrize("path", ["/members", "/posts", "/tasks", "/users", "/jobs", "/notices"])
def test_in_an_address_it_is_not_there(administrator, path):
    for method in ("GET", "PUT", "PATCH", "POST", "DELETE"):
        assert administrator(method, f"{path}/{TOO_GREAT}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (
            "/users/1/hand-over",
            {"organization": "finance", "successor": TOO_GREAT, "reason": "换届"},
            "/successor",
        ),
        (
            "/delegations",
            {
                "role": TOO_GREAT,
                "username": "committee",
                "from_on": "2030-01-01",
                "until_on": "2030-01-02",
            },
            "/role",
        ),
        (
            "/organizations/finance/merge",
            {"sources": ["finance-1"], "effective_on": "2021-10-01", "posts": [TOO_GREAT]},
            "/posts/0",
        ),
    ],
)
def test_in_a_body_it_has_its_place(administrator, path, body, pointer):
    answer = administrator.post(path, body, headers={"If-Match": "*"})
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
