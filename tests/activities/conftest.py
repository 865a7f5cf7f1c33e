"""A small city: two branches under two committees, with somebody in every role."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from guiju import clock, plugins
from guiju.accounts.models import User, UserRole
from guiju.accounts.visitors import Visitor, find_visitor
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.organizations.models import Organization
from guiju.tenancy.operations import enable_profile

ACTOR = Actor("test")

ORGANIZATIONS = [
    {"id": id_, "name": name, "kind": kind, "parent": parent, "sector": "agency"}
    for id_, name, kind, parent in (
        ("c1", "第一党委", "committee", "root"),
        ("c2", "第二党委", "committee", "root"),
        ("b1", "第一支部", "branch", "c1"),
        ("b2", "第二支部", "branch", "c2"),
    )
]
MEMBERS = [
    {"id": f"{branch}-p{number}", "organization": branch, "membership_class": "full"}
    for branch in ("b1", "b2")
    for number in range(4)
]
#: Name, role and organization of each user.
USERS = (
    ("department", "administrator", "root"),
    ("committee", "reviewer", "c1"),
    ("other_committee", "reviewer", "c2"),
    ("secretary", "recorder", "b1"),
    ("colleague", "recorder", "b1"),
    ("neighbour", "recorder", "b2"),
    ("reader", "reader", "c1"),
    ("auditor", "auditor", "root"),
)


class City(NamedTuple):
    """A tenant with the numbers of its organizations and of its users."""

    tenant_id: int
    units: dict[str, int]
    users: dict[str, int]


@pytest.fixture(scope="session")
def installed() -> plugins.Plugins:
    return plugins.load()


@pytest.fixture(scope="session")
def build_city(engine, create_tenant) -> Callable[[], City]:
    def build() -> City:
        tenant = create_tenant()
        facts = {"organizations": ORGANIZATIONS, "members": MEMBERS}
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, ACTOR, facts)
            enable_profile(session, ACTOR, tenant.root_id, "xian", date(2021, 1, 1))
            units = dict(session.execute(sa.select(Organization.code, Organization.id)).all())
            # Nobody signs in here, so nobody needs a password, which takes long to hash.
            made = [
                User(
                    username=name,
                    name=name,
                    roles=[UserRole(role=role, organization_id=units[unit])],
                )
                for name, role, unit in USERS
            ]
            session.add_all(made)
            session.commit()
            users = {user.username: user.id for user in made}
        return City(tenant.tenant_id, units, users)

    return build


@pytest.fixture
def city(build_city) -> City:
    return build_city()


@pytest.fixture(scope="session")
def twin(build_city) -> City:
    """Another tenant of the same shape."""
    return build_city()


@pytest.fixture
def session(engine, city) -> Iterator[ScopedSession]:
    """A session in the scope of ``city``."""
    with tenant_scope(city.tenant_id), ScopedSession(engine) as session:
        yield session


@pytest.fixture
def who(engine, city) -> Callable[[str], Visitor]:
    """A user of ``city``, as a request would know them."""

    def find(name: str) -> Visitor:
        with tenant_scope(city.tenant_id), ScopedSession(engine) as session:
            visitor = find_visitor(session, city.tenant_id, city.users[name])
        assert visitor is not None
        return visitor

    return find


@pytest.fixture
def stranger(engine, twin) -> Visitor:
    """The secretary of the same branch in the other tenant."""
    with tenant_scope(twin.tenant_id), ScopedSession(engine) as session:
        visitor = find_visitor(session, twin.tenant_id, twin.users["secretary"])
    assert visitor is not None
    return visitor


@pytest.fixture
def elsewhere(engine, twin) -> Callable:
    """A session in the scope of the other tenant."""

    @contextmanager
    def open_() -> Iterator[ScopedSession]:
        with tenant_scope(twin.tenant_id), ScopedSession(engine) as session:
            yield session

    return open_


@pytest.fixture(scope="session")
def meeting() -> Callable[..., dict[str, object]]:
    """A payload: a theme day two days ago, well formed; ``...`` leaves a column out."""

    def make(**changes: object) -> dict[str, object]:
        payload = {
            "kinds": ["theme_day"],
            "held_on": (clock.today() - timedelta(days=2)).isoformat(),
            "theme": "参观学习",
            "chair": "b1-p0",
            "attendance": [
                {"person": "b1-p0", "status": "present"},
                {"person": "b1-p1", "status": "excused"},
            ],
            "documents": [{"kind": "minutes"}],
            "content": "一起参观了展览。",
        }
        return {name: value for name, value in {**payload, **changes}.items() if value is not ...}

    return make
