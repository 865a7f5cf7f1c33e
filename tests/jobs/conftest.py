"""A small tenant in a database of its own, and real worker processes."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psutil
import psycopg
import pytest
import redis
import rq
import sqlalchemy as sa

from guiju import plugins, queue
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.config import load_settings
from guiju.db import ScopedSession, create_engine, tenant_scope, upgrade
from guiju.db.models import metadata
from guiju.organizations.models import DirtyMark
from guiju.scoring import jobs, operations
from guiju.tenancy.operations import create_tenant, enable_profile

ACTOR = Actor("test")
AS_OF = date(2021, 11, 20)
FINDINGS = ("organization_findings", "record_findings", "member_findings", "rollups", "attention")
PATIENCE_SECONDS = 180


def facts(prefix: str) -> dict[str, list[dict]]:
    """A committee with three branches that held some of their meetings."""
    branches = [f"{prefix}{n}" for n in range(3)]
    return {
        "organizations": [
            {"id": f"{prefix}-root", "name": "机关党委", "kind": "committee", "sector": "agency"},
            *(
                {"id": b, "name": f"{b}党支部", "kind": "branch", "parent": f"{prefix}-root"}
                for b in branches
            ),
        ],
        "members": [
            {"id": f"{b}-{n}", "organization": b, "membership_class": "full"}
            for b in branches
            for n in range(4)
        ],
        "occasions": [
            {
                "id": f"{b}-{month}",
                "organization": b,
                "kinds": ["branch_assembly"],
                "held_on": date(2021, month, 5),
            }
            for b in branches
            for month in (1, 5, 9)
        ],
    }


@dataclass
class Office:
    """A tenant and the way to it."""

    engine: sa.Engine
    tenant_id: int
    root_id: int

    @contextmanager
    def session(self) -> Iterator[ScopedSession]:
        with (
            tenant_scope(self.tenant_id, restricted=True),
            ScopedSession(self.engine) as session,
        ):
            yield session

    def record(self, occasion: str, day: date) -> None:
        """A meeting more."""
        row = {"id": occasion, "organization": "x0", "kinds": ["branch_assembly"], "held_on": day}
        with self.session() as session:
            store_facts(session, ACTOR, {"occasions": [row]})

    def waiting(self) -> int:
        with self.session() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(DirtyMark))

    def stored(self) -> dict[str, list[str]]:
        """Everything that scoring keeps."""
        with self.session() as session:
            return {
                name: sorted(map(repr, session.execute(sa.select(metadata.tables[name]))))
                for name in FINDINGS
            }

    def is_scored(self) -> bool:
        return bool(self.stored()["organization_findings"])

    def scored_afresh(self) -> dict[str, list[str]]:
        """Everything as a scoring from nothing finds it."""
        with self.session() as session:
            for table in FINDINGS:
                session.execute(sa.delete(metadata.tables[table]))
            session.commit()
        operations.drain(
            self.engine, jobs.packs(), self.tenant_id, AS_OF, reason="test", complete=True
        )
        return self.stored()


@pytest.fixture(scope="session")
def jobs_template(create_database: Callable, worker_id: str) -> str:
    """The name of a migrated database without tenants."""
    name = f"guiju_jobs_{worker_id}"
    upgrade(create_database(name).admin_url, codes=plugins.load().codes)
    return name


@dataclass
class Place:
    """A database and a queue, for this test alone."""

    admin_url: str
    engine: sa.Engine
    queue_url: str
    queue: redis.Redis


@pytest.fixture
def environment(
    create_database: Callable, jobs_template: str, empty_redis_url: str
) -> dict[str, str]:
    """The variables of the processes that work there."""
    database = create_database(f"{jobs_template}_copy", jobs_template)
    return {
        "DATABASE_URL": database.url,
        "GUIJU_ADMIN_DATABASE_URL": database.admin_url,
        "REDIS_URL": empty_redis_url,
        "SECRET_KEY": "for tests only, long enough for one",
    }


@pytest.fixture
def place(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Where jobs find their database and queue, here and in worker processes."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    with redis.Redis.from_url(settings.redis_url) as connection:
        yield Place(settings.admin_database_url, engine, settings.redis_url, connection)
    engine.dispose()


@pytest.fixture
def found_office(place: Place) -> Callable[..., Office]:
    """Make a tenant with some records, judged by Xi'an's notice unless told otherwise."""

    def found(code: str = "x", *, profile: str | None = "xian") -> Office:
        root = facts(code)["organizations"][0]
        with ScopedSession(place.engine) as session:
            tenant = create_tenant(session, ACTOR, f"tenant-{code}", "测试单位", root)
            office = Office(place.engine, tenant.tenant_id, tenant.root_id)
        with office.session() as session:
            store_facts(session, ACTOR, facts(code))
            operations.set_as_of(session, ACTOR, AS_OF)
            if profile is not None:
                enable_profile(session, ACTOR, office.root_id, profile, date(2021, 1, 1))
        return office

    return found


@pytest.fixture
def office(found_office: Callable[..., Office]) -> Office:
    """One such tenant."""
    return found_office()


@contextmanager
def _worker(*options: str) -> Iterator[psutil.Popen]:
    with psutil.Popen([sys.executable, "-m", "guiju", "worker", *options]) as process:
        try:
            yield process
        finally:
            if process.is_running():
                process.terminate()
                process.wait(PATIENCE_SECONDS)


@pytest.fixture
def worker() -> Callable:
    """Start a worker process; stopped at the end of the block."""
    return _worker


@pytest.fixture
def work_off(place: Place) -> Callable[[], None]:
    """Let a worker fork for one job after the other until the queues are empty."""

    def run() -> None:
        plugins.loaded()
        queues = [rq.Queue(name, connection=place.queue) for name in queue.QUEUES]
        rq.Worker(queues, connection=place.queue).work(burst=True, logging_level="ERROR")

    return run


@pytest.fixture
def gone(place: Place, until: Callable) -> Callable[[], None]:
    """Wait until the database has noticed that whoever was connected is dead.

    Until then it keeps what they held.
    """
    connected = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )

    def nobody() -> bool:
        with psycopg.connect(place.admin_url) as connection:
            return connection.execute(connected).fetchone() == (0,)

    return lambda: until(nobody)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait for something to come true."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)

    return wait
