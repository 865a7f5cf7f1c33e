"""Upgrading while people and workers are at work: nobody is disturbed, nothing is lost."""

import re
import shutil
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
import requests
import sqlalchemy as sa
from serving import served

from guiju import plugins
from guiju.accounts.operations import create_user
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, create_engine, migrate, sqlalchemy_url, tenant_scope, upgrade
from guiju.db.migrate import is_current
from guiju.locations import migrations_folder
from guiju.rules.problems import BadInput
from guiju.tenancy.operations import create_tenant
from guiju.tenancy.queries import all_tenants

TAKING_AWAY = r"op\.drop_(table|column)|op\.rename_table|new_column_name|DROP (TABLE|COLUMN)"
#: So many jobs are asked for while a database is upgraded.
MOST_JOBS = 6

ROOT = {"id": "root", "name": "机关工委", "kind": "working_committee"}


def test_two_upgrades_and_a_worker(create_database, worker_id):
    database = create_database(f"guiju_upgrading_{worker_id}")
    engine = create_engine(database.url, poolclass=sa.NullPool)
    owner = sa.create_engine(sqlalchemy_url(database.admin_url), poolclass=sa.NullPool)
    with owner.connect() as connection:
        assert not is_current(connection)
    upgrade(database.admin_url)
    with ScopedSession(engine) as session:
        create_tenant(session, Actor("test"), "one", "一", ROOT)
        with ProcessPoolExecutor(2, get_context("fork")) as pool:
            found = list(pool.map(upgrade, [database.admin_url] * 2))
        assert found == [None, None]
        create_tenant(session, Actor("test"), "two", "二", ROOT)
        assert [tenant.code for tenant in all_tenants(session, "test")] == ["one", "two"]
    with owner.connect() as connection:
        assert is_current(connection)


def test_migrations_take_nothing_away_that_the_version_before_uses():
    for path in migrations_folder().glob("versions/[0-9]*.py"):
        # What the first versions dropped, nobody had yet.
        if path.name > "0015":
            found = re.search(TAKING_AWAY, path.read_text(encoding="utf-8"))
            assert found is None, f"{path.name}: drop it one version later than the code"


@pytest.fixture
def next_version(tmp_path, monkeypatch):
    """What a next version brings: a column and an index more on what everybody uses."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))
    (folder / "versions" / "9999_next.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision, down_revision = '9999', '{newest}'\n"
        "def upgrade():\n"
        "    op.add_column('occasions', sa.Column('weather', sa.Text()))\n"
        "    op.create_index('ix_occasions_weather', 'occasions', ['tenant_id', 'weather'])\n",
        encoding="utf-8",
    )
    return lambda: monkeypatch.setattr(migrate, "migrations_folder", lambda: folder)


@pytest.fixture
def at_work(create_database, worker_id, environment, redis_url):
    """A database with a tenant and its application's processes: address and a token."""
    database = create_database(f"guiju_at_work_{worker_id}")
    upgrade(database.admin_url, codes=plugins.load().codes)
    engine = create_engine(database.url, poolclass=sa.NullPool)
    actor = Actor("test")
    with ScopedSession(engine) as session:
        tenant = create_tenant(session, actor, "working", "一", ROOT)
    branch = {"id": "b", "name": "支部", "kind": "branch", "parent": "root"}
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, actor, {"organizations": [branch]})
        role = ("administrator", tenant.root_id)
        user, _password = create_user(session, actor, "someone", "某甲", [role])
        visitor = find_visitor(session, tenant.tenant_id, user.id)
        scopes = ("records.read", "records.write", "tenant.export", "jobs.read")
        token = create_token(session, visitor, "测试", scopes, 1)[1]
    processes = {
        **environment,
        "DATABASE_URL": database.url,
        "GUIJU_ADMIN_DATABASE_URL": database.admin_url,
        "GUIJU_API_REQUESTS_PER_MINUTE": "1000000",
    }
    with served(processes) as url:
        yield database, f"{url}/api/v1", {"Authorization": f"Bearer {token}"}
    engine.dispose()


def test_no_request_fails_and_no_job_is_lost_while_the_next_version_migrates(at_work, next_version):
    database, url, headers = at_work
    asked: list[str] = []
    done = False

    def work() -> list[int]:
        """Record, read, and ask for a job, until the upgrade is done; what was answered."""
        statuses = []
        while not done or len(statuses) < 6:
            body = {"organization": "b", "kinds": ["theme_day"], "held_on": "2021-03-05"}
            answers = [
                requests.post(f"{url}/occasions", json=body, headers=headers, timeout=60),
                requests.get(f"{url}/occasions", headers=headers, timeout=60),
            ]
            if len(asked) < MOST_JOBS:
                answers.append(requests.post(f"{url}/exports", headers=headers, timeout=60))
                asked.append(answers[-1].headers["Location"])
            statuses += [answer.status_code for answer in answers]
        return statuses

    next_version()
    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(work) for _ in range(2)]
        time.sleep(0.5)
        upgrade(database.admin_url)
        done = True
        found = {status for one in working for status in one.result()}
    assert found == {201, 200, 202}
    owner = sa.create_engine(sqlalchemy_url(database.admin_url), poolclass=sa.NullPool)
    with owner.connect() as connection:
        assert migrate.current_revision(connection) == "9999"
        waited_until = time.monotonic() + 120
        ended = sa.text("SELECT count(*) FROM jobs WHERE state = 'done'")
        while connection.scalar(ended) < len(asked):
            connection.rollback()
            assert time.monotonic() < waited_until, "a job was lost"
            time.sleep(0.2)


def test_a_table_in_use_is_not_waited_for_while_others_wait_behind(
    create_database, worker_id, next_version, monkeypatch
):
    database = create_database(f"guiju_in_use_{worker_id}")
    upgrade(database.admin_url)
    next_version()
    monkeypatch.setattr(migrate, "_LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(migrate, "_PAUSES", (0.1,))
    owner = sa.create_engine(sqlalchemy_url(database.admin_url), poolclass=sa.NullPool)
    with owner.connect() as reading:
        reading.execute(sa.text("SELECT FROM occasions"))
        with pytest.raises(BadInput, match="占用"):
            upgrade(database.admin_url)
    upgrade(database.admin_url)
    with owner.connect() as connection:
        assert migrate.current_revision(connection) == "9999"
