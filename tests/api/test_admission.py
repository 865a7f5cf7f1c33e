"""Who is let in, how often, and what they are told otherwise."""

import json

import pytest
import redis

from guiju.api import addresses


def test_the_document_is_there_for_everybody(nobody):
    answer = nobody.get(addresses.DOCUMENT)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    document = json.loads(answer.text)
    assert document["openapi"].startswith("3.1")
    again = nobody.get(addresses.DOCUMENT, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_operation_of_the_document_says_in_chinese_what_it_is_for(nobody):
    document = json.loads(nobody.get(addresses.DOCUMENT).text)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert any("一" <= letter <= "鿿" for letter in operation["summary"]), path
            assert not operation.get("description", "").isascii() or not operation["description"]
            assert {"401", "403", "404", "422", "429"} <= set(operation["responses"]), path


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", "Bearer guiju-1-" + "a" * 43, "Basic YTpi", "Token x"],
)
def test_without_a_good_token_nothing_is_shown(client, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.get("/api/v1/organizations", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == "urn:guiju:problem:unauthorized"


def test_a_session_of_the_browser_does_not_open_the_api(sign_in):
    client = sign_in("department")
    assert client.get("/", follow_redirects=True).status_code == 200
    assert client.get("/api/v1/organizations").status_code == 401


def test_the_api_sets_no_cookie(administrator):
    assert "Set-Cookie" not in administrator.get("/organizations").headers


def test_scopes_limit_what_the_owner_may(caller, office):
    only_reading = caller(office, "department", ("organization.read",))
    assert only_reading.get("/organizations").status_code == 200
    assert only_reading.get("/findings").status_code == 403


@pytest.mark.parametrize(("language", "title"), [("zh", "没有找到"), ("en", "Not found")])
def test_problems_speak_the_callers_language(administrator, language, title):
    answer = administrator.get("/organizations/none", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert answer.json["title"] == title
    assert answer.headers["Content-Language"] == language
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_an_address_that_is_not_there_is_a_problem_too(nobody):
    assert nobody.get("/nothing-of-the-kind").json["status"] == 404
    answer = nobody("DELETE", addresses.DOCUMENT)
    assert answer.json["status"] == 405
    assert "GET" in answer.headers["Allow"]


def test_asking_too_often_is_refused_with_the_time_to_wait(make_app, token_of, office):
    app = make_app(GUIJU_API_REQUESTS_PER_MINUTE="3")
    client, headers = (
        app.test_client(),
        {"Authorization": f"Bearer {token_of(office, 'committee')}"},
    )
    answers = [client.get("/api/v1/standing", headers=headers) for _ in range(5)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    # Another token is not concerned.
    other = {"Authorization": f"Bearer {token_of(office, 'committee')}"}
    assert client.get("/api/v1/standing", headers=other).status_code == 200


def test_guessing_tokens_is_refused(app, empty_redis_url):
    client = app.test_client()
    for _ in range(30):
        answer = client.get("/api/v1/standing", headers={"Authorization": "Bearer guess"})
        assert answer.status_code == 401
    answer = client.get("/api/v1/standing", headers={"Authorization": "Bearer guess"})
    assert answer.status_code == 429
    with redis.Redis.from_url(empty_redis_url) as queue:
        queue.flushdb()


def test_without_the_queues_server_requests_pass(make_app, token_of, office):
    app = make_app(REDIS_URL="redis://127.0.0.1:1/0")
    headers = {"Authorization": f"Bearer {token_of(office, 'committee')}"}
    assert app.test_client().get("/api/v1/standing", headers=headers).status_code == 200
