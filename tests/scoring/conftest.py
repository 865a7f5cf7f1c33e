"""A town of two profiles, imported once; every test scores a copy of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

import pyarrow as pa
import pytest
import sqlalchemy as sa

from guiju import plugins
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, create_engine, tenant_scope, upgrade
from guiju.db.models import metadata
from guiju.demo import Habits, People, Scenario
from guiju.organizations.models import Organization
from guiju.scoring import operations
from guiju.tenancy.operations import create_tenant, enable_profile

AS_OF = date(2021, 11, 20)
ACTOR = Actor("test")
TEMPLATE = "guiju_town"


def scenario() -> Scenario:
    """Three committees with four branches each; one committee's are of a university."""
    random = Random(7)  # noqa: S311 - invented, not secret
    habits = Habits(
        components=("study", "dues", "oath"),
        documents={
            "branch_assembly": ("minutes", "sign_in_sheet"),
            "party_lecture": ("lecture_record",),
            "theme_day": ("minutes",),
        },
        agenda={"branch_assembly": ("superior_decisions",)},
        monthly_dues=True,
        birthdays=True,
        points=True,
    )
    made = Scenario(random, AS_OF, habits, People(random, "p", AS_OF))
    root = made.unit("root", "机关工委", "working_committee", None, sector="agency")
    for name, sector in (("a", "agency"), ("b", "agency"), ("c", "university")):
        committee = made.unit(name, f"{name}机关党委", "committee", root, sector=sector)
        for place in range(4):
            made.branch(
                f"{name}{place}", f"{name}第{place}党支部", committee, random.choice((5, 9, 14))
            )
    made.live(AS_OF.year)
    return made


@pytest.fixture(scope="session")
def packs():
    return plugins.load().packs


@pytest.fixture(scope="session")
def town_facts() -> dict[str, pa.Table]:
    """The town's facts as an author would bring them."""
    return {name: rows for name, rows in scenario().tables().items() if rows.num_rows}


@dataclass
class Town:
    """A tenant in a database of its own: committee ``b`` is judged by Jiaozuo's notice."""

    engine: sa.Engine
    tenant_id: int
    actor = ACTOR
    as_of = AS_OF

    def session(self) -> ScopedSession:
        return ScopedSession(self.engine)

    def scope(self, *, restricted: bool = False):
        return tenant_scope(self.tenant_id, restricted=restricted)

    def number(self, code: str) -> int:
        with self.scope(), self.session() as session:
            return session.scalars(
                sa.select(Organization.id).where(Organization.code == code)
            ).one()

    def drain(self, packs, **options):
        options = {"reason": "test", **options}
        return operations.drain(self.engine, packs, self.tenant_id, AS_OF, **options)

    def stored(self) -> dict[str, list[tuple]]:
        """Everything that scoring keeps, in a fixed order."""
        found = {}
        with self.scope(restricted=True), self.engine.connect() as connection:
            for name in (
                "organization_findings",
                "record_findings",
                "member_findings",
                "rollups",
                "attention",
            ):
                rows = connection.execute(sa.select(metadata.tables[name])).all()
                found[name] = sorted(tuple(map(repr, row)) for row in rows)
        return found


@pytest.fixture(scope="session")
def town_template(create_database: Callable, worker_id: str, town_facts) -> tuple[str, int]:
    """The name of a database that holds the town, unscored, and the tenant's number."""
    name = f"{TEMPLATE}_{worker_id}"
    database = create_database(name)
    upgrade(database.admin_url, codes=plugins.load().codes)
    engine = create_engine(database.url)
    with ScopedSession(engine) as session:
        root = {"id": "root", "name": "机关工委", "kind": "working_committee", "sector": "agency"}
        tenant = create_tenant(session, ACTOR, "town", "测试单位", root)
        with tenant_scope(tenant.tenant_id):
            store_facts(session, ACTOR, town_facts)
            enable_profile(session, ACTOR, tenant.root_id, "xian", date(2021, 1, 1))
            b = session.scalars(sa.select(Organization.id).where(Organization.code == "b")).one()
            enable_profile(session, ACTOR, b, "jiaozuo", date(2021, 1, 1))
    engine.dispose()
    return name, tenant.tenant_id


@pytest.fixture
def town(create_database: Callable, worker_id: str, town_template) -> Iterator[Town]:
    """A fresh copy of the town."""
    template, tenant_id = town_template
    database = create_database(f"{template}_copy", template)
    engine = create_engine(database.url, poolclass=sa.NullPool)
    yield Town(engine, tenant_id)
    engine.dispose()


@pytest.fixture(scope="module")
def shared_town(create_database: Callable, town_template) -> Iterator[Town]:
    """One copy for a whole module, whose tests put back what they change."""
    template, tenant_id = town_template
    database = create_database(f"{template}_shared", template)
    engine = create_engine(database.url, poolclass=sa.NullPool)
    yield Town(engine, tenant_id)
    engine.dispose()


@pytest.fixture
def scored(town: Town, packs) -> Town:
    """A fresh copy, scored."""
    town.drain(packs)
    return town


@pytest.fixture
def by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work as with a large tenant: only what changed is read, superiors wait."""
    monkeypatch.setattr("guiju.scoring.dirty.SMALL", 0)
