"""A backup restored into an empty machine: the same rows and files, and a chain that holds."""

import hashlib
import json
import logging
import zipfile
from datetime import date

import pytest
import sqlalchemy as sa

from guiju import plugins
from guiju.activities.models import Occasion, RecordFile
from guiju.activities.operations import store_facts
from guiju.audit import chain
from guiju.audit.operations import Actor
from guiju.cli import main
from guiju.db import (
    ScopedSession,
    backup,
    create_engine,
    sqlalchemy_url,
    tenant_scope,
    transaction,
    upgrade,
)
from guiju.db.archive import tables_of
from guiju.files import FileStore
from guiju.tenancy.operations import create_tenant

ACTOR = Actor("test")
ROOT = {"id": "root", "name": "机关工委", "kind": "working_committee"}


DAY = date(2021, 3, 1)
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> FileStore:
    """Where the files of the source lie."""
    return FileStore(tmp_path_factory.mktemp("here").as_uri())


@pytest.fixture
def there(tmp_path) -> FileStore:
    """Where they are to lie."""
    return FileStore((tmp_path / "there").as_uri())


@pytest.fixture(scope="module")
def source(create_database, worker_id, here):
    """A database with two tenants, one of them with records, some sealed, some not."""
    database = create_database(f"guiju_source_{worker_id}")
    upgrade(database.admin_url, codes=plugins.load().codes)
    engine = create_engine(database.url, poolclass=sa.NullPool)
    with ScopedSession(engine) as session:
        tenants = [create_tenant(session, ACTOR, code, code, ROOT) for code in ("one", "two")]
    with tenant_scope(tenants[0].tenant_id, restricted=True), ScopedSession(engine) as session:
        chain.seal(session)
        branch = {"id": "b", "name": "支部\n\\t“一”", "kind": "branch", "parent": "root"}
        meeting = {"id": "o", "organization": "b", "kinds": ["theme_day"], "held_on": DAY}
        store_facts(session, ACTOR, {"organizations": [branch], "occasions": [meeting]})
        occasion = session.scalars(sa.select(Occasion)).one()
        name = here.new_name(tenants[0].tenant_id, ".pdf")
        here.put(name, PDF)
        with transaction(session):
            session.add(
                RecordFile(
                    organization_id=occasion.organization_id,
                    occasion_id=occasion.id,
                    name="签到表.pdf",
                    media_type="application/pdf",
                    size=len(PDF),
                    digest=hashlib.sha256(PDF).hexdigest(),
                    stored_name=name,
                    author="某甲",
                )
            )
    return database, tenants[0].tenant_id


@pytest.fixture
def empty(create_database, worker_id):
    return create_database(f"guiju_target_{worker_id}")


@pytest.fixture(scope="module")
def file(source, here, tmp_path_factory):
    path = tmp_path_factory.mktemp("backup") / "guiju.zip"
    made = backup.backup(source[0].admin_url, here, path, key="abc")
    assert made.rows > 10
    assert (made.files, made.missing) == (1, [])
    return path


def stored(store, tenant_id) -> dict[str, bytes]:
    return {name: store.get(name) for name, _at in store.names(tenant_id)}


def everything(url: str) -> dict[str, list[str]]:
    engine = sa.create_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return {
            table: sorted(
                json.dumps(row, sort_keys=True)
                for row in connection.scalars(
                    sa.text(f"SELECT to_jsonb(r) - 'transaction' - 'bound' FROM {table} r")  # noqa: S608
                )
            )
            for table in tables_of(connection)
        }


def test_an_empty_machine_becomes_the_same(source, empty, file, here, make_store):
    there = make_store("there")
    made = backup.restore(empty.admin_url, there, file, codes=plugins.load().codes)
    assert (made.password, made.key, made.missing, made.files) == (None, "abc", [], 1)
    before, after = everything(source[0].admin_url), everything(empty.admin_url)
    assert sum(map(len, before.values())) == made.rows
    assert stored(there, source[1]) == stored(here, source[1])
    assert list(stored(there, source[1]).values()) == [PDF]
    assert before == after
    engine = create_engine(empty.url, poolclass=sa.NullPool)
    with tenant_scope(source[1], restricted=True), ScopedSession(engine) as session:
        found = chain.verify(session)
        assert found.problems == ()
        assert found.sealed < found.entries
        chain.seal(session)
        leaf = {"id": "c", "name": "二", "kind": "branch", "parent": "root"}
        store_facts(session, ACTOR, {"organizations": [leaf]})
        chain.seal(session)
        found = chain.verify(session)
        assert (found.problems, found.entries) == ((), found.sealed)
    with tenant_scope(source[1] + 1), ScopedSession(engine) as session:
        assert session.scalar(sa.text("SELECT count(*) FROM organizations")) == 1


def test_an_owner_bound_by_row_level_security_reads_and_writes_the_same(
    source, create_database, worker_id, file, tmp_path, there
):
    """The embedded owner sees everything; in production one may not."""
    plain = create_database(f"guiju_plain_{worker_id}")
    role = f"guiju_plain_{worker_id}"
    admin = sa.create_engine(
        sqlalchemy_url(plain.admin_url), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        database = connection.scalar(sa.text("SELECT current_database()"))
        for statement in (
            f"DROP ROLE IF EXISTS {role}",
            f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS",
            f"GRANT ALL ON SCHEMA public TO {role}",
            f"GRANT CREATE ON DATABASE {database} TO {role}",
        ):
            connection.execute(sa.text(statement))
    url = sqlalchemy_url(plain.admin_url).set(username=role, drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    backup.restore(address, there, file)
    again = tmp_path / "again.zip"
    backup.backup(address, there, again)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(again) as new:
        for table in ("organizations", "users", "disciplinary_steps", "audit_seals", "tenants"):
            told = [
                json.loads(archive.read("manifest.json"))["tables"][table]["rows"]
                for archive in (old, new)
            ]
            assert told[0] == told[1], table


def test_what_a_restoring_that_broke_off_left_is_no_matter(source, empty, file, here, there):
    (name,) = stored(here, source[1])
    there.put(name, PDF[:3])
    backup.restore(empty.admin_url, there, file)
    assert stored(there, source[1]) == {name: PDF}


def test_a_restoring_that_fails_takes_its_files_away(
    source, empty, file, there, tmp_path, monkeypatch
):
    def fail(*_arguments):
        raise RuntimeError("out of order")

    monkeypatch.setattr(backup, "_fill", fail)
    with pytest.raises(RuntimeError):
        backup.restore(empty.admin_url, there, file)
    assert stored(there, source[1]) == {}


class TestCommands:
    @pytest.fixture
    def run(self, tmp_path, monkeypatch, here):
        from click.testing import CliRunner  # noqa: PLC0415

        def run(database, *arguments, store=here, key="x" * 40):
            monkeypatch.chdir(tmp_path)
            monkeypatch.setenv("GUIJU_FILES_URL", store.url)
            monkeypatch.setenv("DATABASE_URL", database.url)
            monkeypatch.setenv("GUIJU_ADMIN_DATABASE_URL", database.admin_url)
            monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
            monkeypatch.setenv("SECRET_KEY", key)
            monkeypatch.setattr(logging.root, "handlers", [*logging.root.handlers])
            return CliRunner().invoke(main, [*map(str, arguments)])

        return run

    def test_back_and_forth(self, run, source, empty, tmp_path, there):
        made = run(source[0], "backup", "b.zip", "--keys", "b.keys")
        assert made.exit_code == 0, made.stderr
        assert "1 个附件" in made.stdout
        assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "b.keys").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "b.keys").read_text() == f"SECRET_KEY={'x' * 40}\n"
        assert b"x" * 40 not in (tmp_path / "b.zip").read_bytes()
        assert not (tmp_path / "b.zip.partial").exists()
        again = run(source[0], "backup", "b.zip")
        assert (again.exit_code, "已有这个文件" in again.stderr) == (2, True)
        back = run(empty, "restore", "b.zip", store=there)
        assert (back.exit_code, back.stderr) == (0, "")
        assert stored(there, source[1])
        twice = run(empty, "restore", "b.zip", store=there)
        assert (twice.exit_code, "空的数据库" in twice.stderr) == (2, True)

    def test_another_key_is_said(self, run, source, empty, there):
        assert "SECRET_KEY" in run(source[0], "backup", "b.zip").stdout
        back = run(empty, "restore", "b.zip", store=there, key="y" * 40)
        assert (back.exit_code, "SECRET_KEY 与备份时的不同" in back.stderr) == (0, True)

    def test_what_the_store_lost_is_named(self, run, source, there, tmp_path, here):
        (name,) = stored(here, source[1])
        refused = run(source[0], "backup", "b.zip", "--keys", "b.keys", store=there)
        assert (refused.exit_code, name in refused.stderr) == (2, True)
        assert list(tmp_path.iterdir()) == []
        made = run(source[0], "backup", "b.zip", "--without-missing", store=there)
        assert (made.exit_code, name in made.stderr) == (0, True)
        assert "0 个附件" in made.stdout

    def test_a_damaged_backup_leaves_the_database_empty(self, run, file, empty, tmp_path):
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(tmp_path / "d.zip", "w") as new:
            for name in old.namelist():
                if name != "tables/users.jsonl":
                    new.writestr(name, old.read(name))
        found = run(empty, "restore", "d.zip")
        assert found.exit_code == 2
        assert "d.zip!users" in found.stderr
        engine = sa.create_engine(sqlalchemy_url(empty.admin_url), poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert tables_of(connection) == {}

    @pytest.mark.parametrize("content", [None, b"no zip"])
    def test_what_is_no_backup_is_refused(self, run, empty, tmp_path, content):
        if content is not None:
            (tmp_path / "x.zip").write_bytes(content)
        found = run(empty, "restore", "x.zip")
        assert (found.exit_code, "x.zip" in found.stderr, found.stdout) == (2, True, "")
