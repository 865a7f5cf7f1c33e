"""Asking the API: clients with a token of a user's own."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from offices import AS_OF, PASSWORD, Office

from guiju import background
from guiju.accounts.models import User
from guiju.accounts.operations import create_user
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.jobs import runner
from guiju.plugins import Plugins
from guiju.scoring.operations import drain

ROOT = "/api/v1"
ACTOR = Actor("test")


class Caller:
    """A program with a token."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self._client = client
        self.token = token

    def __call__(self, method: str, path: str, **options: Any):
        """Ask for ``path`` below the API's root; ``headers`` are added to the token."""
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        path = path if path.startswith("/api") else ROOT + path
        return self._client.open(path, method=method, headers=headers, buffered=True, **options)

    def get(self, path: str, **options: Any):
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any):
        return self("POST", path, json=body, **options)

    def tag(self, path: str) -> str:
        """The tag of what is shown at an address."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.headers["ETag"])

    def change(self, method: str, path: str, body: Any = None, *, of: str | None = None):
        """Change what is shown at ``of`` (by default the address itself), as it is now."""
        headers = {"If-Match": self.tag(of or path)}
        options = {} if body is None else {"json": body}
        return self(method, path, headers=headers, **options)


@pytest.fixture(scope="session")
def token_of(engine) -> Callable[..., str]:
    """A token of a user (by name, in an office), for everything or for ``scopes``."""

    def make(office: Office, name: str, scopes: tuple[str, ...] = ()) -> str:
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            username = office.users[name].partition("@")[0]
            user_id = session.scalars(sa.select(User.id).where(User.username == username)).one()
            owner = find_visitor(session, office.tenant.tenant_id, user_id)
            held = scopes or tuple(one for one in PERMISSIONS if owner.may(one))
            return create_token(session, owner, "测试", held, 1)[1]

    return make


@pytest.fixture(scope="session")
def caller(app: Flask, token_of) -> Callable[..., Caller]:
    """A program that asks as a user of an office; of the usual application, or another."""

    def make(office: Office, name: str, scopes: tuple[str, ...] = (), *, at: Flask = app) -> Caller:
        return Caller(at.test_client(), token_of(office, name, scopes))

    return make


@pytest.fixture(scope="module")
def staffed(app, engine, create_office) -> Office:
    """A judged office of a module's own, with more officials in it.

    ``deputy`` reviews for the department, ``second`` records for the second branch,
    ``elsewhere`` administers the other committee.
    """
    office = create_office(recorded=True)
    at = "@" + office.tenant.sign_in_name.partition("@")[2]
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        for name, role, unit in (
            ("deputy", "reviewer", "root"),
            ("second", "recorder", "finance-2"),
            ("elsewhere", "administrator", "justice"),
        ):
            create_user(session, ACTOR, name, name, [(role, office.units[unit])], password=PASSWORD)
            office.users[name] = name + at
    packs = app.extensions["guiju_plugins"].packs
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    return office


@pytest.fixture(scope="module")
def ask(caller, staffed) -> Callable[[str], Caller]:
    """A program of somebody of the staffed office, by name."""
    return cache(lambda name: caller(staffed, name))


@pytest.fixture
def work(environment, monkeypatch) -> Callable[[Office, int], None]:
    """Do a job that waits, as a worker does."""

    def work(office: Office, job_id: int) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        runner.run(background.KINDS, office.tenant.tenant_id, job_id)

    return work


@pytest.fixture
def at_once(engine) -> Callable[..., list[Any]]:
    """Do something twice at once; both wait for what ``lock`` locks, then go on together."""

    def at_once(
        office: Office, lock: Callable[[ScopedSession], None], do: Callable[[int], Any]
    ) -> list[Any]:
        waiting = sa.text(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        with ThreadPoolExecutor(2) as pool:
            with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
                lock(session)
                done = [pool.submit(do, number) for number in range(2)]
                until = time.monotonic() + 30
                while session.scalar(waiting) < 2:
                    assert time.monotonic() < until, "they do not wait"
                    time.sleep(0.05)
            return [one.result() for one in done]

    return at_once


@pytest.fixture
def nobody(client) -> Caller:
    """A program without a token."""
    return Caller(client, None)


@pytest.fixture
def recorder_of_one(caller, office) -> Caller:
    """The secretary of the first branch."""
    return caller(office, "secretary")


@pytest.fixture
def administrator(caller, office) -> Caller:
    """The department's administrator."""
    return caller(office, "department")


@pytest.fixture(scope="session")
def plugins_of(app: Flask) -> Plugins:
    """The installed plugins."""
    return app.extensions["guiju_plugins"]
