"""What every operation with a body says to one that it cannot use: and nothing is done."""

import json
import re

import pytest

from guiju.api.addresses import DOCUMENT
from guiju.api.reading import LARGEST_JSON

#: Values of parameters that are there, so that the body is what is wrong.
PLACES = {
    "organization_id": "finance-1",
    "occasion_id": "finance-1-theme_day-1",
    "batch": "none",
    "table": "talks",
    "month": "2021-08",
    "requirement": "xian.theme_day.monthly",
}


def filled(path: str) -> str:
    """An address of the document with something in each place."""
    for name, value in PLACES.items():
        path = path.replace(f"{{{name}}}", value)
    path = re.sub(r"\{\w+_id\}", "1", path)
    assert "{" not in path, f"give {path} a value in PLACES"
    return path


@pytest.fixture(scope="module")
def operations(app) -> list[tuple[str, str]]:
    """Method and address of every operation that takes JSON."""
    document = json.loads(app.test_client().get(DOCUMENT).text)
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            body = operation.get("requestBody", {}).get("content", {})
            if body.keys() != {"application/json"}:
                continue
            found.append((method.upper(), filled(path)))
    return found


@pytest.fixture(scope="module")
def asking(make_app, judged, token_of):
    """A program of the department's administrator, whose requests are not counted."""
    app = make_app(GUIJU_API_REQUESTS_PER_MINUTE="1000000")
    client, token = app.test_client(), token_of(judged, "department")

    def ask(method: str, path: str, data: bytes, media_type: str = "application/json"):
        headers = {"Authorization": f"Bearer {token}", "If-Match": '"x"'}
        return client.open(path, method=method, data=data, content_type=media_type, headers=headers)

    return ask


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b'["a list"]', "application/json", 422),
        (b'"a text"', "application/json", 422),
        (b'{"no such field": 1}', "application/json", 422),
        (b'{"a": "\\ud800"}', "application/json", 422),
        (b"{", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b'{"a": ' + b"1" * 5000 + b"}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        ('{"a": "中"}'.encode("gb18030"), "application/json", 400),
        ('{"a": "中"}'.encode("utf-16"), "application/json", 400),
        (b"{}", "application/json; charset=gbk", 415),
        (b"{}", "text/plain", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b" " * (LARGEST_JSON + 1), "application/json", 413),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_a_body_that_cannot_be_used(operations, asking, data, media_type, status):
    assert len(operations) >= 15
    for method, path in operations:
        answer = asking(method, path, data, media_type)
        assert answer.status_code == status, f"{method} {path}\n{answer.text}"
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == status


def test_an_unknown_field_is_named(operations, asking):
    for method, path in operations:
        answer = asking(method, path, b'{"colour": "red"}')
        places = {error.get("pointer"): error["code"] for error in answer.json["errors"]}
        assert places["/colour"] == "unknown", f"{method} {path}"


def test_a_change_without_a_tag_is_refused(app, judged, token_of):
    """Before it is even looked up what is to be changed."""
    document = json.loads(app.test_client().get(DOCUMENT).text)
    headers = {"Authorization": f"Bearer {token_of(judged, 'department')}"}
    client = app.test_client()
    seen = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "parameters" or "428" not in operation["responses"]:
                continue
            if "requestBody" in operation:
                continue
            answer = client.open(filled(path), method=method.upper(), headers=headers)
            assert answer.status_code == 428, f"{method} {path}\n{answer.text}"
            seen += 1
    assert seen >= 4
