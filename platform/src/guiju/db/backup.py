"""Database and files in one archive, and an empty database made whole from it.

Written by the owner of the tables, from one moment's snapshot, without stopping anybody; read
back at the same migration and then brought up to date.  Nothing but this and PostgreSQL is
needed, whatever its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql

from guiju.db import archive, contents
from guiju.db.engine import sqlalchemy_url
from guiju.db.migrate import current_revision, ensure_role, migrations_config, upgrade
from guiju.files import FileStore
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

KIND: Final = "guiju-backup"


@dataclass(frozen=True)
class Written:
    """What a backup holds."""

    rows: int
    files: int
    #: Names of files whose contents the store has lost.
    missing: list[str]


def backup(
    admin_url: str,
    store: FileStore,
    out: IO[bytes] | Path,
    *,
    key: str | None = None,
    lenient: bool = False,
) -> Written:
    """Write everything to ``out``.

    ``key`` is what the secret key is recognized by when the backup is restored.  Raises
    ``BadInput`` naming the files whose contents are missing or damaged; with ``lenient`` the
    backup is made without them.
    """
    engine = sa.create_engine(sqlalchemy_url(admin_url), poolclass=sa.NullPool)
    engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as connection, archive.writing(out) as writer:
        _enter(connection, None)
        tenants = connection.scalars(sa.text("SELECT id FROM tenants ORDER BY id")).all()
        for name, columns in archive.tables_of(connection).items():
            with writer.table(name) as table:
                if "tenant_id" not in columns:
                    _enter(connection, None)
                    table.add(connection, name, columns, None)
                    continue
                for tenant in tenants:
                    _enter(connection, tenant)
                    table.add(connection, name, columns, tenant)
        packing = contents.Packing(store, writer)
        for tenant in tenants:
            _enter(connection, tenant)
            packing.add(contents.of_tenant(connection, tenant))
        writer.finish(
            {
                "kind": KIND,
                "key": key,
                "files": packing.told(lenient=lenient),
                "revision": current_revision(connection),
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "made_by": f"guiju {version('guiju')}",
            }
        )
    rows = sum(told["rows"] for told in writer.tables.values())
    return Written(rows, packing.number, packing.missing)


@dataclass(frozen=True)
class Restored:
    """What a restoring did."""

    rows: int
    files: int
    #: Names of files that were missing already when the backup was made.
    missing: list[str]
    #: Password made up for the application's role, where that was not there.
    password: str | None
    #: What the secret key of that time is recognized by, if the backup says so.
    key: str | None


def restore(
    admin_url: str,
    store: FileStore,
    path: Path,
    *,
    codes: Mapping[str, Iterable[str]] | None = None,
) -> Restored:
    """Fill an empty database, and the store, from a backup.

    All or nothing but for empty tables; raises ``BadInput`` for a damaged file, one of a newer
    version, and a database that has tenants.
    """
    with contents.reading(path, KIND) as reader:
        revision = reader.manifest["revision"]
        config = migrations_config(admin_url)
        known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
        if revision not in known:
            wanted = _("请用写出它的版本或更新的版本")
            raise BadInput([Problem(str(path), revision, wanted, "newer_version")])
        engine = sa.create_engine(sqlalchemy_url(admin_url), poolclass=sa.NullPool)
        with engine.begin() as connection:
            _refuse_unless_empty(connection, revision)
            generated = ensure_role(connection, None)
        command.upgrade(config, revision)
        # Under a name that nobody can guess lies an earlier copy, if anything.
        with contents.brought(reader, store, over=True) as files, engine.begin() as connection:
            rows = _fill(connection, reader)
        told = reader.manifest
    upgrade(admin_url, codes=codes)
    return Restored(rows, files, told["files"]["missing"], generated, told["key"])


def _enter(connection: sa.Connection, tenant: int | None) -> None:
    """See a tenant's rows, or those of nobody's, where row-level security holds for the owner."""
    values = {
        "tenant": "" if tenant is None else str(tenant),
        "restricted": "" if tenant is None else "on",
        "operator": "on" if tenant is None else "",
    }
    for name, value in values.items():
        connection.execute(
            sa.text("SELECT set_config('guiju.' || :name, :value, true)"),
            {"name": name, "value": value},
        )


def _refuse_unless_empty(connection: sa.Connection, revision: str) -> None:
    found = current_revision(connection)
    wanted = _("应为空的数据库")
    if found not in {"", revision}:
        problem = _("已有表结构 {revision}").format(revision=found)
        raise BadInput([Problem("GUIJU_ADMIN_DATABASE_URL", problem, wanted, "not_empty")])
    if found:
        _enter(connection, None)
        if connection.scalar(sa.text("SELECT EXISTS (SELECT FROM tenants)")):
            problem = _("已有租户")
            raise BadInput([Problem("GUIJU_ADMIN_DATABASE_URL", problem, wanted, "not_empty")])


def _fill(connection: sa.Connection, reader: archive.Reader) -> int:
    stored = archive.tables_of(connection)
    order = archive.in_order(connection, reader.manifest["tables"])
    with _unguarded(connection):
        # What migrations register is in the backup too.
        for name in reversed(order):
            connection.exec_driver_sql(
                sql.SQL("DELETE FROM {}").format(sql.Identifier(name)).as_string()
            )
        rows = sum(
            archive.load(connection, name, stored[name], reader.lines(name)) for name in order
        )
        _renumber_transactions(connection)
        archive.advance_numbers(connection)
    return rows


@contextmanager
def _unguarded(connection: sa.Connection) -> Iterator[None]:
    """Let the owner write every tenant's rows; nobody else sees the tables meanwhile."""
    guarded = connection.scalars(
        sa.text(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relforcerowsecurity"
        )
    ).all()
    for name in guarded:
        connection.exec_driver_sql(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    yield
    for name in guarded:
        connection.exec_driver_sql(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def _renumber_transactions(connection: sa.Connection) -> None:
    """Transactions are numbered anew here: what is sealed is past, all else comes after it."""
    connection.execute(
        sa.text("UPDATE audit_entries SET transaction = pg_current_xact_id()::text::bigint")
    )
    connection.execute(
        sa.text(
            "UPDATE audit_entries e SET transaction = -1 FROM"
            " (SELECT tenant_id, unnest(entries) AS id FROM audit_seals) s"
            " WHERE s.tenant_id = e.tenant_id AND s.id = e.id"
        )
    )
    connection.execute(sa.text("UPDATE audit_seals SET bound = 0"))
