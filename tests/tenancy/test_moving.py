"""A tenant exported, imported elsewhere, and deleted: whole, alone, and without a trace."""

import hashlib
import json
import re
import subprocess
import sys
import time
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from guiju.activities import attachments
from guiju.activities.jobs import sweep_files
from guiju.activities.models import Occasion, RecordFile
from guiju.activities.operations import store_facts
from guiju.audit import chain
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import (
    ScopedSession,
    create_engine,
    operator_scope,
    sqlalchemy_url,
    tenant_scope,
    transaction,
    upgrade,
)
from guiju.db.archive import tables_of
from guiju.files.store import FileStore
from guiju.jobs.operations import request_job
from guiju.reports.jobs import REPORT
from guiju.rules.problems import BadInput
from guiju.tenancy import archive, leaving
from guiju.tenancy.models import Tenant
from guiju.tenancy.operations import enable_profile, set_tenant_state
from guiju.tenancy.queries import all_tenants

ACTOR = Actor("test")

FACTS = {
    "organizations": [{"id": "b", "name": "第一支部", "kind": "branch", "parent": "root"}],
    "members": [{"id": "p", "organization": "b", "membership_class": "full", "name": "某甲"}],
    "posts": [{"person": "p", "organization": "b", "post": "secretary"}],
    "occasions": [
        {
            "id": "o",
            "organization": "b",
            "kinds": ["party_lecture", "theme_day"],
            "held_on": date(2021, 3, 1),
        }
    ],
    "attendance": [{"occasion": "o", "person": "p", "status": "present"}],
    "documents": [{"occasion": "o", "kind": "minutes"}],
    "disciplinary_steps": [
        {
            "case": "c",
            "organization": "b",
            "person": "p",
            "step": "reminder",
            "taken_on": date(2021, 3, 2),
        }
    ],
}


PDF = b"%PDF-1.7\n%%EOF\n"


def fill(engine, tenant, store=None) -> None:
    scope = tenant_scope(tenant.tenant_id, restricted=True)
    with scope, ScopedSession(engine) as session:
        store_facts(session, ACTOR, FACTS)
        if store is not None:
            with transaction(session):
                attach(session, tenant, store)
        enable_profile(session, ACTOR, tenant.root_id, "xian", date(2021, 1, 1))
        with transaction(session):
            request_job(session, ACTOR, REPORT, {}, tenant.root_id)
        chain.seal(session)


def attach(session, tenant, store) -> None:
    """Two files of the record, one of them removed again."""
    occasion = session.scalars(sa.select(Occasion)).one()
    for number, removed in ((1, None), (2, datetime.now(UTC))):
        content = PDF * number
        name = store.new_name(tenant.tenant_id, ".pdf")
        store.put(name, content)
        session.add(
            RecordFile(
                organization_id=occasion.organization_id,
                occasion_id=occasion.id,
                name=f"签到表{number}.pdf",
                media_type="application/pdf",
                size=len(content),
                digest=hashlib.sha256(content).hexdigest(),
                stored_name=name,
                author="某甲",
                removed_at=removed,
                removed_by=removed and "某甲",
            )
        )


@pytest.fixture
def here(tmp_path) -> FileStore:
    """Where files lie."""
    return FileStore((tmp_path / "here").as_uri())


@pytest.fixture
def there(tmp_path) -> FileStore:
    """Where they are to lie."""
    return FileStore((tmp_path / "there").as_uri())


@pytest.fixture
def full(engine, tenant, here):
    fill(engine, tenant, here)
    return tenant


@pytest.fixture
def export(engine, full, here, tmp_path):
    """Write the tenant into a file."""

    def export(store=here, **options):
        file = tmp_path / "tenant.zip"
        with tenant_scope(full.tenant_id, restricted=True), ScopedSession(engine) as session:
            return file, archive.export_tenant(session, ACTOR, store, file, **options)

    return export


@pytest.fixture
def exported(export):
    """The tenant in a file."""
    file, made = export()
    assert made.rows > 10
    assert (made.files, made.missing) == (2, [])
    return file


def contents(session, store) -> dict[str, bytes]:
    """Of every file of the scope's tenant, by its name, the content in a store."""
    found = session.execute(sa.select(RecordFile.name, RecordFile.stored_name))
    return {name: store.get(stored) for name, stored in found}


CONTENTS = {"签到表1.pdf": PDF, "签到表2.pdf": PDF * 2}


def rewritten(file, path, change, dropped=()) -> None:
    """A copy of an archive whose tables and manifest are as ``change`` says, digests right."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for name in old.namelist():
            content = old.read(name)
            if name == "tables/record_files.jsonl":
                content = change(content, manifest)
                manifest["tables"]["record_files"]["sha256"] = hashlib.sha256(content).hexdigest()
            if name != "manifest.json" and not name.startswith(dropped or "/"):
                new.writestr(name, content)
        new.writestr("manifest.json", json.dumps(manifest))


@pytest.fixture
def owner(migrated):
    engine = create_engine(migrated.admin_url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def rows(url: str, tenant_id: int) -> dict[str, list[str]]:
    """Everything of a tenant, by table, as the owner of the tables sees it."""
    engine = sa.create_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = {}
        for table, columns in tables_of(connection).items():
            if "tenant_id" not in columns:
                continue
            statement = sa.text(
                f"SELECT to_jsonb(r) - 'tenant_id' FROM {table} r"  # noqa: S608
                " WHERE tenant_id = :t"
            )
            found[table] = sorted(
                json.dumps(row, sort_keys=True)
                for row in connection.scalars(statement, {"t": tenant_id})
            )
    return found


def test_every_table_of_tenants_is_taken_along_or_left_for_a_reason(owner):
    with operator_scope("test"), owner.connect() as connection:
        stored = tables_of(connection)
    assert {table for table in archive.LEFT if "tenant_id" not in stored[table]} == set()
    secrets = [
        (table, column)
        for table, columns in stored.items()
        if "tenant_id" in columns and table not in archive.LEFT
        for column in columns
        if re.search(r"(^|_)(hash|secret|token)(_|$)", column)
        and column not in archive._LEFT_COLUMNS.get(table, ())
    ]
    assert secrets == []


def test_a_tenant_arrives_as_it_was(migrated, engine, full, exported, here, there):
    code = f"{full.sign_in_name.partition('@')[2][:40]}-neu"
    with ScopedSession(engine) as session:
        made, sign_in = archive.import_tenant(session, ACTOR, there, exported, code)
    assert made == code
    assert sign_in.startswith(f"admin@{code} ")
    with operator_scope("test"), ScopedSession(engine) as session:
        new = session.scalar(sa.select(Tenant.id).where(Tenant.code == code))
    before, after = rows(migrated.admin_url, full.tenant_id), rows(migrated.admin_url, new)
    changed = {table for table in before if before[table] != after[table]}
    assert changed <= {*archive.LEFT, "users", "audit_entries", "record_files"}
    assert after["occasions"]
    assert after["disciplinary_steps"]
    assert after["dirty_marks"], "everything is judged again"
    assert not after["jobs"]
    with tenant_scope(new), ScopedSession(engine) as session:
        actions = set(session.scalars(sa.select(AuditEntry.action)))
        assert {"tenant.create", "tenant.import"} <= actions
        chain.seal(session)
        assert chain.verify(session).problems == ()
        store_facts(session, ACTOR, {"organizations": [{**FACTS["organizations"][0], "id": "c"}]})
        assert contents(session, there) == CONTENTS
    assert len(list(there.names(new))) == 2
    assert list(there.names(full.tenant_id)) == []
    with tenant_scope(full.tenant_id), ScopedSession(engine) as session:
        assert contents(session, here) == CONTENTS


def test_codes_that_have_other_bits_elsewhere_keep_their_meaning(
    create_database, worker_id, exported, there
):
    elsewhere = create_database(f"guiju_elsewhere_{worker_id}")
    upgrade(elsewhere.admin_url)
    owner = create_engine(elsewhere.admin_url, poolclass=sa.NullPool)
    application = create_engine(elsewhere.url, poolclass=sa.NullPool)
    with operator_scope("test"), owner.begin() as connection:
        for code, bit in (("theme_day", 60), ("minutes", 61)):
            statement = sa.text("UPDATE code_bits SET bit = :bit WHERE code = :code")
            connection.execute(statement, {"code": code, "bit": bit})
    with ScopedSession(application) as session:
        code, _sign_in = archive.import_tenant(session, ACTOR, there, exported)
    with operator_scope("test"), owner.connect() as connection:
        bits = dict(connection.execute(sa.text("SELECT code, bit FROM code_bits")).all())
        kinds, documents = connection.execute(
            sa.text("SELECT kinds, document_mask FROM occasions")
        ).one()
    assert kinds == 1 << 60 | 1 << bits["party_lecture"]
    assert documents == 1 << 61
    owner.dispose()


def test_the_file_holds_no_other_tenant_and_no_secret(engine, create_tenant, full, exported):
    other = create_tenant()
    with zipfile.ZipFile(exported) as file:
        text = "".join(file.read(name).decode() for name in file.namelist() if "json" in name)
    assert "第一支部" in text
    assert other.sign_in_name.partition("@")[2] not in text
    assert "argon2" not in text


@pytest.mark.parametrize("table", ["occasions", "users", "files/"])
def test_a_damaged_file_is_refused_whole(engine, exported, tmp_path, there, table):
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"1", b"2", 1) if table in name else content)
    with ScopedSession(engine) as session:
        with pytest.raises(BadInput, match=table):
            archive.import_tenant(session, ACTOR, there, damaged, "damaged-one")
        with operator_scope("test"):
            assert not session.scalar(sa.select(Tenant.id).where(Tenant.code == "damaged-one"))


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_what_is_no_export_is_refused(engine, tmp_path, there, content):
    file = tmp_path / "x.zip"
    if content is not None:
        file.write_bytes(content)
    with ScopedSession(engine) as session, pytest.raises(BadInput, match=r"x\.zip"):
        archive.import_tenant(session, ACTOR, there, file)


def test_a_code_that_is_taken_is_refused(engine, exported, there):
    with ScopedSession(engine) as session, pytest.raises(BadInput, match="--code"):
        archive.import_tenant(session, ACTOR, there, exported)


def test_files_move_from_one_kind_of_store_to_another(
    engine, export, full, here, make_store, worker_id
):
    elsewhere = make_store("elsewhere")
    with tenant_scope(full.tenant_id), ScopedSession(engine) as session:
        for stored in session.scalars(sa.select(RecordFile.stored_name)):
            elsewhere.put(stored, here.get(stored))
            here.delete(stored)
    file, _made = export(elsewhere)
    code = f"moved-{worker_id}-{full.tenant_id}"
    with ScopedSession(engine) as session:
        archive.import_tenant(session, ACTOR, elsewhere, file, code)
    with operator_scope("test"), ScopedSession(engine) as session:
        new = session.scalar(sa.select(Tenant.id).where(Tenant.code == code))
    for tenant_id in (full.tenant_id, new):
        with tenant_scope(tenant_id), ScopedSession(engine) as session:
            assert contents(session, elsewhere) == CONTENTS


@pytest.mark.parametrize("spoil", ["lost", "changed", "longer"])
def test_a_content_that_is_not_as_it_was_stored_is_named(
    engine, full, export, here, there, spoil, worker_id
):
    with tenant_scope(full.tenant_id), ScopedSession(engine) as session:
        name = session.scalars(sa.select(RecordFile.stored_name).limit(1)).one()
    match spoil:
        case "lost":
            here.delete(name)
        case "changed":
            here.put(name, PDF.replace(b"7", b"8"))
        case "longer":
            here.put(name, PDF + b"more")
    with pytest.raises(BadInput) as refused:
        export()
    assert [problem.place for problem in refused.value.problems] == [name]
    file, made = export(lenient=True)
    assert (made.files, made.missing) == (1, [name])
    with ScopedSession(engine) as session:
        archive.import_tenant(session, ACTOR, there, file, f"{spoil}-{worker_id}-{full.tenant_id}")


def test_a_failing_import_leaves_no_file(engine, exported, there, monkeypatch, tmp_path):
    def fail(*_arguments):
        raise RuntimeError("out of order")

    monkeypatch.setattr(archive, "_store", fail)
    with ScopedSession(engine) as session, pytest.raises(RuntimeError):
        archive.import_tenant(session, ACTOR, there, exported, "failing")
    assert [path for path in (tmp_path / "there").rglob("*") if path.is_file()] == []
    with operator_scope("test"), ScopedSession(engine) as session:
        assert not session.scalar(sa.select(Tenant.id).where(Tenant.code == "failing"))


#: An import that stands still once the contents are in the store, until it is killed.
STANDING_STILL = """
import sys, time
from pathlib import Path
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, create_engine
from guiju.files.store import FileStore
from guiju.tenancy import archive

url, files, exported, code = sys.argv[1:]

def stand_still(*_arguments):
    print("standing", flush=True)
    time.sleep(600)

archive._store = stand_still
with ScopedSession(create_engine(url)) as session:
    archive.import_tenant(session, Actor("test"), FileStore(files), Path(exported), code)
"""


def test_of_an_import_that_was_killed_nothing_stays(
    migrated, engine, exported, there, monkeypatch, redis_url
):
    """Nor is anything taken from it while it still runs, whatever the clock says."""
    for name, value in (
        ("DATABASE_URL", migrated.url),
        ("REDIS_URL", redis_url),
        ("SECRET_KEY", "x" * 40),
        ("GUIJU_FILES_URL", there.url),
    ):
        monkeypatch.setenv(name, value)

    def arriving() -> Tenant | None:
        with operator_scope("test"), ScopedSession(engine) as session:
            return session.scalars(sa.select(Tenant).where(Tenant.code == "killed")).one_or_none()

    arguments = [migrated.url, there.url, str(exported), "killed"]
    process = subprocess.Popen(
        [sys.executable, "-c", STANDING_STILL, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "standing\n"
        tenant = arriving()
        assert tenant.state == "suspended"
        assert len(list(there.names(tenant.id))) == 2
        end_waiting(migrated, tenant.id)
        monkeypatch.setattr(attachments, "_LEFT_OVER", timedelta(0))
        sweep_files()
        assert leaving.delete_due() == 0
        assert len(list(there.names(tenant.id))) == 2
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    # What it held it holds until the database has noticed that it is dead.
    deadline = time.monotonic() + 60
    while not (deleted := leaving.delete_due()):
        assert time.monotonic() < deadline, "nobody deletes it"
        time.sleep(0.05)
    assert deleted == 1
    assert arriving() is None
    assert list(there.names(tenant.id)) == []
    with ScopedSession(engine) as session:
        archive.import_tenant(session, ACTOR, there, exported, "killed")
    assert arriving().state == "active"
    assert arriving().delete_on is None


def end_waiting(migrated, tenant_id: int) -> None:
    """Let a tenant's waiting period be over."""
    engine = sa.create_engine(sqlalchemy_url(migrated.admin_url), poolclass=sa.NullPool)
    statement = sa.text("UPDATE tenants SET delete_on = :past WHERE id = :t")
    past = datetime.now(UTC) - timedelta(seconds=1)
    with engine.begin() as connection:
        connection.execute(statement, {"t": tenant_id, "past": past})


def test_a_content_that_is_not_there_is_refused(engine, exported, there, tmp_path):
    file = tmp_path / "less.zip"
    rewritten(exported, file, lambda table, _manifest: table, dropped="files/")
    with ScopedSession(engine) as session, pytest.raises(BadInput) as refused:
        archive.import_tenant(session, ACTOR, there, file, "less")
    assert len(refused.value.problems) == 2


def test_a_name_leads_nowhere_else(engine, exported, there, tmp_path):
    def change(table: bytes, _manifest) -> bytes:
        return re.sub(rb'("stored_name": ")[^"]*', rb"\1../../../etc/passwd", table)

    file = tmp_path / "crooked.zip"
    rewritten(exported, file, change)
    with ScopedSession(engine) as session, pytest.raises(BadInput, match="名称不合规定"):
        archive.import_tenant(session, ACTOR, there, file, "crooked")


def test_an_earlier_form_is_refused(engine, exported, there, tmp_path):
    def change(table: bytes, manifest) -> bytes:
        manifest["version"] = 1
        return table

    file = tmp_path / "earlier.zip"
    rewritten(exported, file, change)
    with ScopedSession(engine) as session, pytest.raises(BadInput, match="第 2 版"):
        archive.import_tenant(session, ACTOR, there, file, "earlier")


class TestLeaving:
    @pytest.fixture(autouse=True)
    def environment(self, migrated, redis_url, monkeypatch, tmp_path):
        monkeypatch.setenv("GUIJU_FILES_URL", f"file://{tmp_path}/files")
        monkeypatch.setenv("DATABASE_URL", migrated.url)
        monkeypatch.setenv("REDIS_URL", redis_url)
        monkeypatch.setenv("SECRET_KEY", "x" * 40)

    def code(self, tenant) -> str:
        return tenant.sign_in_name.partition("@")[2]

    def test_nothing_remains_and_nobody_else_is_touched(
        self, migrated, engine, full, create_tenant, tmp_path
    ):
        neighbour = create_tenant()
        fill(engine, neighbour)
        kept = rows(migrated.admin_url, neighbour.tenant_id)
        store = FileStore(f"file://{tmp_path}/files")
        for tenant in (full, neighbour):
            store.put(store.new_name(tenant.tenant_id, ".pdf"), b"%PDF")
        assert any(rows(migrated.admin_url, full.tenant_id).values())
        with ScopedSession(engine) as session:
            due = leaving.mark_for_deletion(session, ACTOR, self.code(full), 7)
            assert due > datetime.now(UTC) + timedelta(days=6)
        assert leaving.delete_due() == 0, "it waits"
        end_waiting(migrated, full.tenant_id)
        assert leaving.delete_due() == 1
        assert not any(rows(migrated.admin_url, full.tenant_id).values())
        assert rows(migrated.admin_url, neighbour.tenant_id) == kept
        assert list(store.names(full.tenant_id)) == []
        assert len(list(store.names(neighbour.tenant_id))) == 1
        with operator_scope("test"), ScopedSession(engine) as session:
            assert session.get(Tenant, full.tenant_id) is None
        owner = sa.create_engine(sqlalchemy_url(migrated.admin_url), poolclass=sa.NullPool)
        with owner.connect() as connection:
            reasons = connection.scalars(sa.text("SELECT reason FROM operator_entries"))
            assert f"deleting tenant {self.code(full)}" in set(reasons)

    def test_it_can_be_taken_back(self, migrated, engine, full):
        with ScopedSession(engine) as session:
            leaving.mark_for_deletion(session, ACTOR, self.code(full), 7)
            set_tenant_state(session, ACTOR, self.code(full), "active")
        assert leaving.delete_due() == 0
        with operator_scope("test"), ScopedSession(engine) as session:
            tenant = session.get(Tenant, full.tenant_id)
            assert (tenant.state, tenant.delete_on) == ("active", None)

    def test_nothing_is_taken_from_one_that_was_taken_back_in_the_meantime(
        self, migrated, engine, full, tmp_path, monkeypatch
    ):
        store = FileStore(f"file://{tmp_path}/files")
        store.put(store.new_name(full.tenant_id, ".pdf"), b"%PDF")
        with ScopedSession(engine) as session:
            leaving.mark_for_deletion(session, ACTOR, self.code(full), 7)
        end_waiting(migrated, full.tenant_id)
        with ScopedSession(engine) as session:
            listed = all_tenants(session, "test")
        with ScopedSession(engine) as session:
            set_tenant_state(session, ACTOR, self.code(full), "active")
        monkeypatch.setattr(leaving, "all_tenants", lambda *_arguments: listed)
        assert leaving.delete_due() == 0
        assert len(list(store.names(full.tenant_id))) == 1
        assert any(rows(migrated.admin_url, full.tenant_id).values())

    def test_a_period_is_waited_for(self, engine, full):
        for days in (0, -1, 366):
            with ScopedSession(engine) as session, pytest.raises(BadInput, match="--after"):
                leaving.mark_for_deletion(session, ACTOR, self.code(full), days)

    def test_the_application_deletes_no_tenant_that_is_not_due(self, engine, full, migrated):
        statement = sa.text("SELECT delete_due_tenant(:t)")
        with ScopedSession(engine) as session:
            leaving.mark_for_deletion(session, ACTOR, self.code(full), 7)
            for scope in (operator_scope("test"), tenant_scope(full.tenant_id)):
                with scope, pytest.raises(sa.exc.DBAPIError, match="not due"):
                    session.execute(statement, {"t": full.tenant_id})
                session.rollback()
        assert any(rows(migrated.admin_url, full.tenant_id).values())
