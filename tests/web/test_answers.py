"""What every answer has: headers, errors in plain words, log lines, states for machines."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from werkzeug.exceptions import TooManyRequests

from guiju.db import ScopeError, current_scope
from guiju.web import sessions


def test_nothing_from_elsewhere_and_nothing_inline(client):
    policy = client.get("/sign-in").headers["Content-Security-Policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives.pop("img-src") == "'self' data:"
    assert set(directives.values()) == {"'self'", "'none'"}
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"


def test_pages_are_not_kept_and_files_are(client):
    answer = client.get("/sign-in")
    assert answer.headers["Cache-Control"] == "no-store"
    sheet = re.search(r'href="(/static/guiju.css\?v=[0-9a-f]+)"', answer.text)
    assert sheet is not None
    with client.get(sheet[1]) as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_secure_transport_is_remembered_behind_a_proxy(make_app):
    app = make_app(GUIJU_TRUSTED_PROXIES="1")
    headers = {"X-Forwarded-Proto": "https"}
    answer = app.test_client().get("/sign-in", headers=headers)
    assert "Strict-Transport-Security" in answer.headers


def test_a_proxy_that_is_not_trusted_says_nothing(client):
    answer = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in answer.headers


@pytest.fixture(scope="module")
def failing(make_app):
    """An application with addresses that fail."""
    app = make_app()

    @app.get("/healthz/fail")
    def fail():
        raise RuntimeError("王小明 is the name in the message")

    @app.get("/healthz/busy")
    def busy():
        raise TooManyRequests(retry_after=60)

    sessions.PUBLIC |= {"fail", "busy"}
    yield app
    sessions.PUBLIC -= {"fail", "busy"}


def test_a_fault_is_a_page_and_tells_nothing(failing):
    answer = failing.test_client().get("/healthz/fail")
    assert answer.status_code == 500
    assert "系统出错" in answer.text
    assert "RuntimeError" not in answer.text
    assert 'href="/"' in answer.text


def test_a_refusal_says_when_to_come_back(failing):
    answer = failing.test_client().get("/healthz/busy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")


def test_too_much_is_refused(client):
    answer = client.post("/sign-in", data={"username": "x" * (1024 * 1024 + 1)})
    assert answer.status_code == 413
    assert "填写的文字超过了 1 MB 的上限" in answer.text


def test_too_large_a_file_is_refused_with_the_limit(client, app, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 3 * 1024**2)
    files = {"content_type": "multipart/form-data; boundary=x"}
    answer = client.post("/sign-in", data=bytes(3 * 1024**2 + 1), **files)
    assert answer.status_code == 413
    assert "提交的内容超过了 3 MB 的上限" in answer.text


def test_of_too_many_fields_no_limit_is_told_that_was_not_passed(client):
    fields = {f"field{number}": "1" for number in range(1001)}
    answer = client.post("/sign-in", data=fields, content_type="multipart/form-data")
    assert answer.status_code == 413
    assert "MB" not in answer.text


def test_a_method_that_is_not_there_is_answered_in_words(client):
    answer = client.delete("/sign-in")
    assert (answer.status_code, "请求有误" in answer.text) == (405, True)


def test_a_fault_within_a_page_is_a_part_of_it(failing):
    answer = failing.test_client().get("/healthz/fail", headers={"HX-Request": "true"})
    assert "<html" not in answer.text


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """What is logged, whatever level another test of this process asked for."""
    before = structlog.get_config()
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as lines:
        yield lines
    structlog.configure(**before)


def test_requests_are_logged_without_anything_personal(sign_in, office, logged):
    client = sign_in("secretary")
    client.get("/library/xian?q=王小明")
    requests = [line for line in logged if line["event"] == "request"]
    assert [line["route"] for line in requests] == ["/sign-in", "/sign-in", "/library/<profile>"]
    assert requests[-1]["status"] == 200
    said = json.dumps(logged, ensure_ascii=False)
    assert "王小明" not in said
    assert "secretary" not in said


def test_an_identifier_of_the_request_is_kept_if_it_is_one(client):
    given = client.get("/sign-in", headers={"X-Request-ID": "abc123"})
    assert given.headers["X-Request-ID"] == "abc123"
    forged = client.get("/sign-in", headers={"X-Request-ID": "a b{}"})
    assert re.fullmatch("[0-9a-f]{32}", forged.headers["X-Request-ID"])


def test_alive_and_ready(client):
    assert client.get("/healthz").json == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"database": "ok", "migrations": "ok", "queue": "ok", "status": "ok"}


def test_not_ready_names_what_is_missing(make_app, create_database, worker_id):
    empty = create_database(f"guiju_{worker_id}_unready")
    app = make_app(DATABASE_URL=empty.url, REDIS_URL="redis://127.0.0.1:1/0")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["migrations"] == "outdated"
    assert answer.json["queue"] == "unreachable"


def test_quiet_addresses_are_not_logged(client, logged):
    client.get("/healthz")
    assert not logged


@pytest.fixture(scope="module")
def without_database(make_app):
    """The application while its database is away."""
    return make_app(DATABASE_URL="postgresql://guiju_app@/guiju?host=/nowhere")


def test_a_database_that_is_away_will_be_back(without_database, sign_in):
    cookie = sign_in("department").get_cookie("guiju")
    visit = without_database.test_client()
    visit.set_cookie("guiju", cookie.value)
    answer = visit.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "暂时不可用" in answer.text
    # What comes after it in the same thread is in nobody's scope.
    with pytest.raises(ScopeError):
        current_scope()


def test_a_database_that_is_away_is_said_to_programs(without_database):
    headers = {"Authorization": f"Bearer guiju-1-{'a' * 43}"}
    answer = without_database.test_client().get("/api/v1/organizations", headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["type"] == "urn:guiju:problem:unavailable"
