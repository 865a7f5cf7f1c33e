"""An office with pages: the application in this process, and served for a browser."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from guiju.accounts.operations import create_user
from guiju.activities.operations import store_facts
from guiju.app import create_app
from guiju.audit.operations import Actor
from guiju.config import load_settings
from guiju.db import ScopedSession, db, tenant_scope
from guiju.organizations.models import Organization
from guiju.tenancy.operations import NewTenant, enable_profile

ACTOR = Actor("test")
PASSWORD = "Plain-words-2021"

ORGANIZATIONS = [
    {"id": id_, "name": name, "kind": kind, "parent": parent, "sector": "agency"}
    for id_, name, kind, parent in (
        ("finance", "市财政局机关党委", "committee", "root"),
        ("finance-1", "市财政局第一党支部", "branch", "finance"),
        ("finance-2", "市财政局第二党支部", "branch", "finance"),
        ("justice", "市司法局机关党委", "committee", "root"),
        ("justice-1", "市司法局第一党支部", "branch", "justice"),
    )
]


class Office(NamedTuple):
    """A tenant with a small tree and a user for each kind of person."""

    tenant: NewTenant
    #: Numbers of the organizations by code.
    units: dict[str, int]
    #: Sign-in names: ``department``, ``committee``, ``secretary``, ``auditor``.
    users: dict[str, str]


@pytest.fixture(scope="session")
def environment(migrated, redis_url) -> dict[str, str]:
    """The variables that a process of this run's application needs."""
    return {
        "DATABASE_URL": migrated.url,
        "GUIJU_ADMIN_DATABASE_URL": migrated.admin_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "0123456789abcdef" * 4,
        "GUIJU_SECURE_COOKIES": "false",
    }


@pytest.fixture(scope="session")
def make_app(environment) -> Iterator[Callable[..., Flask]]:
    """Make applications, with other settings where given; their connections are closed."""
    made: list[Flask] = []

    def make(**variables: str) -> Flask:
        made.append(create_app(load_settings({**environment, **variables})))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def app(make_app) -> Flask:
    return make_app()


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def create_office(engine, create_tenant) -> Callable[[], Office]:
    def create() -> Office:
        tenant = create_tenant()
        at = "@" + tenant.sign_in_name.partition("@")[2]
        facts = {"organizations": ORGANIZATIONS}
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, ACTOR, facts)
            enable_profile(session, ACTOR, tenant.root_id, "xian", date(2021, 1, 1))
            units = {unit.code: unit.id for unit in session.query(Organization)}
            for name, role, unit in (
                ("department", "administrator", "root"),
                ("committee", "reader", "finance"),
                ("secretary", "recorder", "finance-1"),
                ("auditor", "auditor", "root"),
            ):
                create_user(session, ACTOR, name, name, [(role, units[unit])], password=PASSWORD)
        names = ("department", "committee", "secretary", "auditor")
        return Office(tenant, units, {name: name + at for name in names})

    return create


@pytest.fixture(scope="session")
def office(create_office) -> Office:
    """An office that tests only look at."""
    return create_office()


@pytest.fixture(scope="session")
def submit() -> Callable[..., TestResponse]:
    """Submit a form with its token, the way a browser does: to an address, from a page."""
    hidden = re.compile(r'name="csrf_token" value="([^"]+)"')

    def submit(client: FlaskClient, address: str, page: str, **fields: str) -> TestResponse:
        token = hidden.search(client.get(page).text)
        assert token is not None, f"{page} has no form"
        return client.post(address, data={"csrf_token": token[1], **fields})

    return submit


@pytest.fixture
def sign_in(app, office, submit) -> Callable[[str], FlaskClient]:
    """A client signed in as a user of the office."""

    def sign_in(name: str) -> FlaskClient:
        client = app.test_client()
        fields = {"username": office.users[name], "password": PASSWORD}
        answer = submit(client, "/sign-in", "/sign-in", **fields)
        assert answer.status_code == 302, answer.text
        return client

    return sign_in
