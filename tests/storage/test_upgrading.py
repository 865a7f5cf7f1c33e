"""Two upgrades at once, with somebody at work: one migrates, nobody is disturbed."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import sqlalchemy as sa

from guiju.audit.operations import Actor
from guiju.db import ScopedSession, create_engine, sqlalchemy_url, upgrade
from guiju.db.migrate import is_current
from guiju.tenancy.operations import create_tenant
from guiju.tenancy.queries import all_tenants

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
