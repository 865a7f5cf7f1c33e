"""The whole database in one file, and an empty database made whole from it.

Written by the owner of the tables, from one moment's snapshot, without stopping anybody; read
back at the same migration and then brought up to date.  Nothing but this and PostgreSQL is
needed, whatever its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql

from guiju.db import archive
from guiju.db.engine import sqlalchemy_url
from guiju.db.migrate import current_revision, ensure_role, migrations_config, upgrade
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

KIND: Final = "guiju-backup"


def backup(admin_url: str, out: IO[bytes] | Path) -> int:
    """Write everything to ``out``; returns how many rows."""
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
        writer.finish(
            {
                "kind": KIND,
                "revision": current_revision(connection),
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "made_by": f"guiju {version('guiju')}",
            }
        )
    return sum(told["rows"] for told in writer.tables.values())


def restore(
    admin_url: str, path: Path, *, codes: Mapping[str, Iterable[str]] | None = None
) -> tuple[int, str | None]:
    """Fill an empty database from a backup; returns how many rows, and the password of a role.

    The password is one made up for the application's role where that was not there.  All or
    nothing but for empty tables; raises ``BadInput`` for a damaged file, one of a newer
    version, and a database that has tenants.
    """
    with archive.reading(path, KIND) as reader:
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
        with engine.begin() as connection:
            rows = _fill(connection, reader)
    upgrade(admin_url, codes=codes)
    return rows, generated


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
