"""Fixtures of the application in this process, with offices to look at, for every folder."""

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
from guiju.scoring.operations import drain, set_as_of
from guiju.tenancy.operations import NewTenant, enable_profile

ACTOR = Actor("test")
PASSWORD = "Plain-words-2021"
AS_OF = date(2021, 11, 10)

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


def occasions() -> Iterator[dict[str, object]]:
    """A year of two branches: one does nearly everything, the other forgets."""
    for unit in ("finance-1", "finance-2", "justice-1"):
        for month in range(1, 11):
            if unit == "finance-2" and month in {3, 4, 7}:
                continue
            for kind in ("theme_day", "branch_committee"):
                yield {
                    "id": f"{unit}-{kind}-{month}",
                    "organization": unit,
                    "kinds": [kind],
                    "held_on": date(2021, month, 5),
                }
        for month in (2, 5, 8):
            yield {
                "id": f"{unit}-assembly-{month}",
                "organization": unit,
                "kinds": ["branch_assembly", "party_lecture"],
                "held_on": date(2021, month, 20),
                "status": "cancelled" if unit == "finance-2" and month == 5 else "held",
            }


def year() -> dict[str, list[dict[str, object]]]:
    """What the office recorded."""
    branches = ("finance-1", "finance-2", "justice-1")
    members = [
        {
            "id": f"{unit}-{number}",
            "name": f"党员{number}",
            "organization": unit,
            "membership_class": "full",
            "from_on": date(2018, 1, 1),
        }
        for unit in branches
        for number in range(1, 9)
    ]
    return {
        "members": members,
        "posts": [
            {
                "person": f"{unit}-1",
                "organization": unit,
                "post": "secretary",
                "from_on": date(2020, 1, 1),
            }
            for unit in branches
        ],
        "occasions": list(occasions()),
        "attestations": [
            {"organization": unit, "period": f"2021-{month:02d}", "attested_on": AS_OF}
            for unit in branches
            for month in range(1, 11)
        ],
    }


class Office(NamedTuple):
    """A tenant with a small tree and a user for each kind of person."""

    tenant: NewTenant
    #: Numbers of the organizations by code.
    units: dict[str, int]
    #: Sign-in names: ``department``, ``committee``, ``secretary``, ``auditor``.
    users: dict[str, str]


@pytest.fixture(scope="session")
def environment(migrated, redis_url, tmp_path_factory) -> dict[str, str]:
    """The variables that a process of this run's application needs."""
    return {
        "DATABASE_URL": migrated.url,
        "GUIJU_ADMIN_DATABASE_URL": migrated.admin_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "0123456789abcdef" * 4,
        "GUIJU_SECURE_COOKIES": "false",
        "GUIJU_FILES_URL": tmp_path_factory.mktemp("files").as_uri(),
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
def create_office(engine, create_tenant) -> Callable[..., Office]:
    """Make an office; its year is in it if ``recorded``, not judged yet."""

    def create(*, recorded: bool = False) -> Office:
        tenant = create_tenant()
        at = "@" + tenant.sign_in_name.partition("@")[2]
        facts = {"organizations": ORGANIZATIONS, **(year() if recorded else {})}
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            set_as_of(session, ACTOR, AS_OF)
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
    """An office that tests only look at; nothing is judged."""
    return create_office()


@pytest.fixture(scope="session")
def judged(app, engine, create_office) -> Office:
    """An office whose year is judged, also only to look at."""
    office = create_office(recorded=True)
    packs = app.extensions["guiju_plugins"].packs
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    return office


@pytest.fixture(scope="session")
def submit() -> Callable[..., TestResponse]:
    """Submit a form with its token, the way a browser does: to an address, from a page."""
    hidden = re.compile(r'name="csrf_token" value="([^"]+)"')

    def submit(client: FlaskClient, address: str, page: str, **fields: str) -> TestResponse:
        token = hidden.search(client.get(page).text)
        assert token is not None, f"{page} has no form"
        return client.post(address, data={"csrf_token": token[1], **fields})

    return submit


@pytest.fixture(scope="session")
def sign_in(app, office, submit) -> Callable[..., FlaskClient]:
    """A client signed in as a user of ``office``, or of another."""

    def sign_in(name: str, of: Office = office) -> FlaskClient:
        client = app.test_client()
        fields = {"username": of.users[name], "password": PASSWORD}
        answer = submit(client, "/sign-in", "/sign-in", **fields)
        assert answer.status_code == 302, answer.text
        return client

    return sign_in
