"""Signing in through a tenant's OpenID provider, which runs in a process of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import requests
import sqlalchemy as sa

from guiju.accounts import oidc
from guiju.accounts.models import UserIdentity
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope

PASSWORD = "Plain-words-2021"
SECRET = re.compile(r'<code class="secret" translate="no">([A-Z2-7]+) ([A-Z2-7]+)</code>')
PEOPLE = [
    {"sub": "p-secretary", "email": "secretary@example.cn", "email_verified": True},
    {"sub": "p-unverified", "email": "secretary@example.cn", "email_verified": False},
    {"sub": "p-stranger", "email": "stranger@example.cn", "email_verified": True},
]


@pytest.fixture(scope="module")
def issuer():
    """The address of a provider."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    claims = [word for person in PEOPLE for word in ("--user-claims", json.dumps(person))]
    # It is written with parts of its libraries that they will drop.
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [Path(sys.executable).with_name("oidc-provider-mock"), f"--port={port}", *claims],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        for _attempt in range(600):
            assert process.poll() is None, "the provider ended"
            try:
                requests.get(address + "/jwks", timeout=60)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        else:
            pytest.fail("the provider does not answer")
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def app(make_app, issuer):
    """An application whose operator allows the provider."""
    return make_app(GUIJU_OIDC_ISSUERS=f"{issuer} https://sso.example.cn")


@pytest.fixture
def own(create_office, engine):
    office = create_office()
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        session.execute(
            sa.text("UPDATE users SET email = 'Secretary@example.cn' WHERE username = 'secretary'")
        )
        session.commit()
    return office


@pytest.fixture
def enter(app, submit):
    """Sign in with a password to this application."""

    def enter(office, name):
        client = app.test_client()
        fields = {"username": office.users[name], "password": PASSWORD}
        assert submit(client, "/sign-in", "/sign-in", **fields).status_code == 302
        return client

    return enter


@pytest.fixture
def set_up(enter, submit, issuer):
    """Let an office's users sign in through the provider."""

    def set_up(office, **changes):
        fields = {
            "title": "市统一身份认证",
            "issuer": issuer,
            "client_id": "guiju",
            "client_secret": "hush-hush",
            **changes,
        }
        client = enter(office, "department")
        return client, submit(client, "/people/provider", "/people/provider", **fields)

    return set_up


def code_of(office):
    return office.tenant.sign_in_name.partition("@")[2]


def at_the_provider(address, subject):
    """Sign in at the provider's page; where it sends the browser back to."""
    answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def go(client, office):
    answer = client.get(f"/sign-in/provider/{code_of(office)}")
    assert answer.status_code == 302, answer.text
    return answer.location


def bound(engine, office):
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        return set(session.scalars(sa.select(UserIdentity.subject)))


def test_it_is_offered_only_where_the_operator_allows_it(make_app, app, own):
    plain = make_app().test_client()
    assert "用统一身份登录" not in plain.get("/sign-in").text
    assert plain.get("/sign-in/provider").status_code == 404
    client = app.test_client()
    assert "用统一身份登录" in client.get("/sign-in").text
    answers = [client.get(f"/sign-in/provider?tenant={code}") for code in (code_of(own), "none")]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_verified_address_finds_its_user_once_and_binds(app, own, set_up, engine):
    _client, answer = set_up(own, by_email="yes")
    assert answer.status_code == 302
    client = app.test_client()
    offered = client.get(f"/sign-in/provider?tenant={code_of(own)}").text
    assert "前往市统一身份认证" in offered
    address = go(client, own)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    back = at_the_provider(address, "p-secretary")
    assert client.get(back).location == "/"
    assert "secretary@" in client.get("/account").text
    assert bound(engine, own) == {"p-secretary"}
    # The same answer is worth nothing a second time, nor in another browser.
    assert client.get(back).location in {"/sign-in", "/"}
    assert app.test_client().get(back).location == "/sign-in"


@pytest.mark.parametrize("subject", ["p-unverified", "p-stranger"])
def test_others_are_refused_and_that_is_written_down(app, own, set_up, engine, subject):
    set_up(own, by_email="yes")
    client = app.test_client()
    answer = client.get(at_the_provider(go(client, own), subject))
    assert answer.status_code == 401
    assert client.get("/account").status_code == 302
    assert bound(engine, own) == set()
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.subject) == ("sign_in.refuse", subject)


def test_an_address_finds_nobody_unless_the_tenant_says_so(app, own, set_up):
    set_up(own)
    client = app.test_client()
    assert client.get(at_the_provider(go(client, own), "p-secretary")).status_code == 401


def test_whoever_is_bound_signs_in_in_their_own_tenant_alone(
    app, own, create_office, enter, set_up, submit, engine
):
    set_up(own)
    client = enter(own, "committee")
    back = at_the_provider(client.get("/account/identity").location, "p-stranger")
    assert client.get(back).location == "/account"
    assert "已绑定" in client.get("/account").text
    fresh = app.test_client()
    assert fresh.get(at_the_provider(go(fresh, own), "p-stranger")).location == "/"
    assert "committee@" in fresh.get("/account").text
    other = create_office()
    set_up(other)
    stranger = app.test_client()
    assert stranger.get(at_the_provider(go(stranger, other), "p-stranger")).status_code == 401
    # Nobody else takes the same identity.
    rival = enter(own, "secretary")
    rival.get(at_the_provider(rival.get("/account/identity").location, "p-stranger"))
    assert bound(engine, own) == {"p-stranger"}
    submit(client, "/account/identity/remove", "/account")
    assert bound(engine, own) == set()


def test_the_second_factor_is_asked_for_here_too(app, own, enter, set_up, submit):
    set_up(own, by_email="yes")
    client = enter(own, "secretary")
    page = "/account/second-factor"
    totp = pyotp.TOTP("".join(SECRET.search(client.get(page).text).groups()))
    submit(client, page, page, code=totp.now())
    fresh = app.test_client()
    answer = fresh.get(at_the_provider(go(fresh, own), "p-secretary"))
    assert answer.location == "/sign-in/code"
    assert fresh.get("/account").status_code == 302


@pytest.mark.parametrize(
    "spoil",
    [
        lambda back: re.sub(r"state=[^&]+", "state=other", back),
        lambda back: re.sub(r"code=[^&]+", "code=other", back),
        lambda back: re.sub(r"code=[^&]+", "error=access_denied", back),
    ],
)
def test_a_spoilt_answer_signs_nobody_in(app, own, set_up, spoil):
    set_up(own, by_email="yes")
    client = app.test_client()
    answer = client.get(spoil(at_the_provider(go(client, own), "p-secretary")))
    assert answer.status_code == 502
    assert client.get("/account").status_code == 302


def test_an_answer_meant_for_another_attempt_is_refused(app, own, set_up):
    """Nonce and verifier belong to the browser that went."""
    set_up(own, by_email="yes")
    victim, thief = app.test_client(), app.test_client()
    stolen = at_the_provider(go(victim, own), "p-secretary")
    mine = parse_qs(urlsplit(go(thief, own)).query)["state"][0]
    answer = thief.get(re.sub(r"state=[^&]+", f"state={mine}", stolen))
    assert answer.status_code == 502


def test_nothing_but_the_issuers_own_addresses_is_called(issuer, monkeypatch):
    described = {
        "issuer": issuer,
        "token_endpoint": "http://169.254.169.254/token",
        "jwks_uri": issuer + "/jwks",
    }
    monkeypatch.setattr(oidc, "_fetch", lambda _address: described)
    with pytest.raises(oidc.ProviderError, match="token_endpoint"):
        oidc._described(issuer, "token_endpoint")
    with pytest.raises(oidc.ProviderError, match="another issuer"):
        oidc._described(issuer + "/other", "jwks_uri")


def test_the_provider_is_one_that_the_operator_allows(own, set_up):
    client, answer = set_up(own, issuer="http://169.254.169.254")
    assert answer.status_code == 422
    assert 'id="issuer-errors"' in answer.text
    assert "hush-hush" not in answer.text
    _client, answer = set_up(own, client_secret="")
    assert 'id="client_secret-errors"' in answer.text
    set_up(own)
    assert "hush-hush" not in client.get("/people/provider").text


def test_only_who_sets_the_tenants_policy_finds_it(own, enter):
    for name in ("secretary", "committee", "auditor"):
        assert enter(own, name).get("/people/provider").status_code == 404
