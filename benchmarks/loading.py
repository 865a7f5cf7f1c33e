"""The invented province in an embedded PostgreSQL of its own, made once and kept.

Rows go straight into their tables as the superuser, who is bound by no policy, with triggers
and foreign keys asleep.  Nothing else about the database differs from a real one: same
migrations, same settings, same roles.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from adbc_driver_postgresql import dbapi as adbc
from psycopg import sql

from benchmarks.city import EDITION, JUDGE_FROM, City
from guiju import embedded, plugins
from guiju.audit.operations import Actor
from guiju.config import APP_ROLE
from guiju.db import ScopedSession, create_engine, tenant_scope, upgrade
from guiju.db.codes import bits, masked_vocabularies
from guiju.embedded.postgres import ADMIN_ROLE, SUPERUSER
from guiju.locations import migrations_folder
from guiju.scoring.profiles import COMPLETE_AFTER
from guiju.tenancy.models import Setting
from guiju.tenancy.operations import create_tenant, enable_profile
from guiju_xian import plugin as xian

ACTOR = Actor(name="benchmark")
PROFILE = "xian"

_BATCH = 500_000


def plugin() -> plugins.Plugins:
    """The one jurisdiction that is measured."""
    return plugins.load({PROFILE: xian})


@dataclass(frozen=True)
class Place:
    """Where a loaded province is."""

    database: str
    tenant_id: int
    #: What the rows and the tables were made by.
    edition: str
    rows: Mapping[str, int]


@contextmanager
def province(folder: Path, scale: float) -> Iterator[tuple[embedded.Services, Place]]:
    """Running servers with the province of a scale in them; loaded if they have none."""
    with embedded.start(folder) as services:
        name = f"province_{round(scale * 10_000)}"
        note = folder / f"{name}.json"
        place = Place(**json.loads(note.read_text("utf-8"))) if note.exists() else None
        if place is None or place.edition != _edition():
            note.unlink(missing_ok=True)
            place = _make(services, name, scale)
            note.write_text(json.dumps(asdict(place)), encoding="utf-8")
        upgrade(services.postgres.url(ADMIN_ROLE, name), codes=plugin().codes)
        yield services, place


def _edition() -> str:
    """Changes with the generated rows and with the tables that they go to."""
    digest = hashlib.sha256()
    for file in sorted((migrations_folder() / "versions").glob("*.py")):
        digest.update(file.read_bytes())
    return f"{EDITION} {digest.hexdigest()}"


def application_url(services: embedded.Services, place: Place) -> str:
    """What the application connects to: a role that owns nothing."""
    return services.postgres.url(APP_ROLE, place.database)


@contextmanager
def session(services: embedded.Services, place: Place) -> Iterator[ScopedSession]:
    """A session in the province's scope, restricted records included."""
    engine = create_engine(application_url(services, place))
    try:
        with (
            tenant_scope(place.tenant_id, restricted=True),
            ScopedSession(engine) as opened,
        ):
            yield opened
    finally:
        engine.dispose()


def _make(services: embedded.Services, name: str, scale: float) -> Place:
    began = time.perf_counter()
    _create_database(services, name)
    upgrade(services.postgres.url(ADMIN_ROLE, name), codes=plugin().codes)
    engine = create_engine(services.postgres.url(APP_ROLE, name))
    with ScopedSession(engine) as opened:
        root = {"id": "O", "name": "某省", "kind": "working_committee"}
        made = create_tenant(opened, ACTOR, "province", "某省", root)
        with tenant_scope(made.tenant_id):
            enable_profile(opened, ACTOR, made.root_id, PROFILE, JUDGE_FROM)
            # Nothing is taken to be complete unsaid: the attestations are to be read and count.
            opened.add(Setting(key=COMPLETE_AFTER, value="never"))
            opened.commit()
            known = {vocabulary: bits(opened, vocabulary) for vocabulary in masked_vocabularies()}
    engine.dispose()
    tables = City(scale, made.root_id, known).tables
    print(f"invented in {time.perf_counter() - began:.0f} s")
    superuser = services.postgres.url(SUPERUSER, name)
    rows = {
        table: _load(superuser, made.tenant_id, table, tables.pop(table)) for table in [*tables]
    }
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    print(f"loaded in {time.perf_counter() - began:.0f} s: {sum(rows.values()):,} rows")
    return Place(name, made.tenant_id, _edition(), rows)


def _create_database(services: embedded.Services, name: str) -> None:
    identifier, owner = sql.Identifier(name), sql.Identifier(ADMIN_ROLE)
    with psycopg.connect(services.postgres.url(SUPERUSER, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(identifier, owner))


def _load(url: str, tenant_id: int, name: str, rows: pa.Table) -> int:
    """Copy rows into a table whose indexes are made afterwards."""
    with psycopg.connect(url, autocommit=True) as connection:
        again = _drop_indexes(connection, name)
        with adbc.connect(url) as arrow, arrow.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for start in range(0, rows.num_rows, _BATCH):
                batch = rows.slice(start, _BATCH)
                tenant = pa.array([tenant_id], pa.int64()).take(
                    pa.array([0] * batch.num_rows, pa.int8())
                )
                cursor.adbc_ingest(name, batch.add_column(0, "tenant_id", tenant), mode="append")
            arrow.commit()
        connection.execute("SET maintenance_work_mem = '512MB'")
        for statement in again:
            connection.execute(statement)
        if "id" in rows.column_names:
            connection.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
                    sql.Literal(name), sql.Identifier(name)
                )
            )
    return rows.num_rows


def _drop_indexes(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Drop a table's own indexes and constraints but its key; returns what makes them again."""
    constraints = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('u', 'x')"
        " AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = pg_constraint.conrelid"
        " AND f.conindid = pg_constraint.conindid AND f.contype = 'f')",
        [table],
    ).fetchall()
    again = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for name, text in constraints]
    for name, _ in constraints:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                sql.Identifier(table), sql.Identifier(name)
            )
        )
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT EXISTS"
        " (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [table],
    ).fetchall()
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [*again, *(text for _, text in indexes)]
