"""Signing in and out, and what the session's cookie is worth."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from guiju.accounts.attempts import MOST_FAILURES
from guiju.accounts.operations import set_password
from guiju.accounts.policies import DEFAULT
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.tenancy.operations import set_tenant_state
from guiju.web import sessions

PASSWORD = "Plain-words-2021"
IDLE = DEFAULT.idle_minutes * 60
LONGEST = DEFAULT.longest_hours * 3600


@pytest.fixture
def attempt(client, submit):
    def attempt(username, password=PASSWORD, address="/sign-in"):
        return submit(client, address, "/sign-in", username=username, password=password)

    return attempt


def test_every_page_asks_to_sign_in_and_comes_back(client, attempt, office):
    answer = client.get("/library/xian?strictness=hard")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/library/xian?strictness%3Dhard"
    answer = attempt(office.users["department"], address=answer.location)
    assert answer.location == "/library/xian?strictness=hard"
    assert client.get(answer.location).status_code == 200


def test_every_address_needs_somebody_unless_it_says_so(app, client):
    for rule in app.url_map.iter_rules():
        program = rule.rule.startswith("/api/")
        if "GET" in rule.methods and rule.endpoint not in sessions.PUBLIC and not program:
            address = rule.rule
            for name in rule.arguments:
                address = address.replace(f"<number:{name}>", "1").replace(f"<{name}>", "1")
            assert client.get(address).location.startswith("/sign-in"), rule


def test_an_address_that_is_not_there_is_not_found_signed_in_or_not(client):
    assert client.get("/nowhere").status_code == 404


def test_wrong_names_and_wrong_passwords_read_alike(attempt, office):
    wrong = [attempt(office.users["secretary"], "wrong"), attempt("nobody@nowhere", "wrong")]
    assert [answer.status_code for answer in wrong] == [401, 401]
    texts = [
        answer.text[answer.text.index('role="alert"') :].partition("</div>")[0] for answer in wrong
    ]
    assert texts[0] == texts[1]


def test_the_name_is_kept_after_a_mistake(attempt):
    assert 'value="some&lt;body@here"' in attempt("some<body@here", "wrong").text


def test_many_failures_lock_and_say_so(attempt, create_office):
    user = create_office().users["secretary"]
    for _ in range(MOST_FAILURES):
        assert attempt(user, "wrong").status_code == 401
    answer = attempt(user)
    assert answer.status_code == 429
    assert "锁定" in answer.text


@pytest.mark.parametrize(
    "target",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:1"],
)
def test_nobody_is_sent_elsewhere(attempt, office, target):
    answer = attempt(office.users["department"], address=f"/sign-in?next={target}")
    assert answer.location == "/"


def test_signing_out_ends_it(sign_in, submit):
    client = sign_in("department")
    assert submit(client, "/sign-out", "/library/").location == "/sign-in"
    assert client.get("/library/").status_code == 302


def test_idle_sessions_end(sign_in, monkeypatch):
    begun = time.time()
    monkeypatch.setattr(time, "time", lambda: begun)
    client = sign_in("department")
    monkeypatch.setattr(time, "time", lambda: begun + IDLE - 5)
    assert client.get("/library/").status_code == 200
    monkeypatch.setattr(time, "time", lambda: begun + 2 * IDLE - 10)
    assert client.get("/library/").status_code == 200
    monkeypatch.setattr(time, "time", lambda: begun + 3 * IDLE)
    assert client.get("/library/").status_code == 302
    assert "没有操作" in client.get("/sign-in").text


def test_long_sessions_end_however_busy(sign_in, monkeypatch):
    begun = time.time()
    monkeypatch.setattr(time, "time", lambda: begun)
    client = sign_in("department")
    for step in range(1, LONGEST // 1200 + 1):
        monkeypatch.setattr(time, "time", lambda at=begun + step * 1200: at)
        assert client.get("/library/").status_code == 200
    monkeypatch.setattr(time, "time", lambda: begun + LONGEST + 1)
    assert client.get("/library/").status_code == 302


def test_a_new_password_ends_the_sessions_of_the_old(app, engine, create_office, submit):
    office = create_office()
    client = app.test_client()
    fields = {"username": office.tenant.sign_in_name, "password": office.tenant.password}
    submit(client, "/sign-in", "/sign-in", **fields)
    assert client.get("/library/").status_code == 200
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        set_password(session, Actor("test"), office.tenant.administrator_id)
    assert client.get("/library/").status_code == 302


def test_a_suspended_tenant_is_out_at_once(app, engine, create_office, submit):
    office = create_office()
    client = app.test_client()
    fields = {"username": office.users["department"], "password": PASSWORD}
    submit(client, "/sign-in", "/sign-in", **fields)
    code = office.tenant.sign_in_name.partition("@")[2]
    with ScopedSession(engine) as session:
        set_tenant_state(session, Actor("test"), code, "suspended")
    assert client.get("/library/").status_code == 302


def test_whoever_hands_in_after_the_session_ended_is_told_so(client, office):
    unit = office.units["finance-1"]
    answer = client.post(f"/organizations/{unit}/records/submit", data={"theme": "讲稿"})
    assert answer.status_code == 302
    page = client.get(answer.location).text
    assert "登录已过期，刚才的提交没有生效" in page
    assert "登录已过期" not in client.get("/sign-in").text


@pytest.mark.parametrize(
    ("came_from", "target"),
    [
        ("http://localhost/organizations/1/plans?day=2", "/organizations/1/plans?day=2"),
        ("http://localhost/organizations/1/records/submit", None),
        ("http://localhost/no-such-page", None),
        ("https://elsewhere.example/tasks", None),
        ("no address", None),
        (None, None),
    ],
)
def test_whoever_handed_in_comes_back_to_the_form(client, came_from, target):
    headers = {"Referer": came_from} if came_from else {}
    answer = client.post("/organizations/1/plans", headers=headers)
    assert parse_qs(urlsplit(answer.location).query).get("next") == (target and [target])


def test_a_form_without_its_token_is_refused_with_a_way_back(client, office):
    answer = client.post("/sign-in", data={"username": office.users["department"]})
    assert answer.status_code == 400
    assert "表单已失效" in answer.text
    assert 'href="/"' in answer.text


def test_the_cookie_is_for_this_host_and_no_script(make_app):
    app = make_app(GUIJU_SECURE_COOKIES="true")
    answer = app.test_client().get("/sign-in", base_url="https://localhost")
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-guiju=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client):
    answer = client.get("/standing", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_an_auditor_sees_no_records(sign_in, office):
    client = sign_in("auditor")
    assert "overview" not in client.get("/").location
    assert client.get(f"/organizations/{office.tenant.root_id}").status_code == 404
