"""The schema's one history, from nothing to what the models say."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import orm

from guiju.db import migrate, sqlalchemy_url, upgrade
from guiju.db.codes import bits, masked_vocabularies
from guiju.db.facts_tables import identity, stored_name
from guiju.db.migrate import is_current, migrations_config
from guiju.db.models import metadata
from guiju.rules import tables


@pytest.fixture
def owner(migrated):
    engine = sa.create_engine(sqlalchemy_url(migrated.admin_url))
    yield engine
    engine.dispose()


def test_the_migrations_make_what_the_models_say(migrated):
    command.check(migrations_config(migrated.admin_url))


def test_there_is_one_line(migrated):
    script = ScriptDirectory.from_config(migrations_config(migrated.admin_url))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert not any(revision.is_merge_point for revision in script.walk_revisions())


def test_upgrading_again_changes_nothing(migrated, owner):
    with orm.Session(owner) as session:
        before = {name: bits(session, name) for name in masked_vocabularies()}
    assert upgrade(migrated.admin_url) is None
    with orm.Session(owner) as session:
        assert {name: bits(session, name) for name in masked_vocabularies()} == before


def test_codes_that_profiles_add_are_registered(migrated, owner):
    added = {"occasion_kind": {"lantern_evening": "灯会"}, "sector": {"moon": "月球"}}
    for _ in range(2):
        upgrade(migrated.admin_url, codes=added)
    with orm.Session(owner) as session:
        registered = bits(session, "occasion_kind")
        assert registered["lantern_evening"] == len(registered) - 1
        # Single codes are stored as they are.
        assert bits(session, "sector") == {}


def test_reports_made_before_there_were_jobs_become_jobs(create_database, worker_id):
    url = create_database(f"guiju_old_{worker_id}").admin_url
    engine = sa.create_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        migrate.ensure_role(connection, None)
    command.upgrade(migrations_config(url), "0009")
    content = bytes(range(256)) * 5000  # more than one piece
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE report_files DISABLE ROW LEVEL SECURITY"))
        for table in ("organizations", "tenants"):
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
        connection.execute(sa.text("INSERT INTO tenants (id, code, name) VALUES (1, 'x', 'x')"))
        connection.execute(
            sa.text(
                "INSERT INTO organizations (tenant_id, id, code, name, kind)"
                " VALUES (1, 1, 'root', '机关工委', 'working_committee')"
            )
        )
        for state, bytes_ in (("done", content), ("making", None), ("failed", None)):
            connection.execute(
                sa.text(
                    "INSERT INTO report_files (tenant_id, organization_id, format, as_of, state,"
                    " requested_by, content)"
                    " VALUES (1, 1, 'a.b', '2021-06-30', :state, 'x', :bytes)"
                ),
                {"state": state, "bytes": bytes_},
            )
    command.upgrade(migrations_config(url), "head")
    with engine.begin() as connection:
        for table in ("jobs", "job_files", "job_file_parts"):
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
        jobs = connection.execute(sa.text("SELECT state, parameters FROM jobs ORDER BY id")).all()
        assert [state for state, _ in jobs] == ["done", "waiting", "failed"]
        assert jobs[0].parameters == {"format": "a.b", "as_of": "2021-06-30"}
        parts = connection.scalars(sa.text("SELECT content FROM job_file_parts ORDER BY number"))
        assert b"".join(parts) == content
        new = connection.scalar(sa.text("SELECT nextval('jobs_id_seq') > max(id) FROM jobs"))
        assert new
    engine.dispose()


@pytest.mark.parametrize("given", [None, "pa%s'ss"])
def test_the_applications_role_is_made_where_it_is_missing(migrated, owner, monkeypatch, given):
    role = "guiju_app_to_be_made"
    monkeypatch.setattr(migrate, "APP_ROLE", role)
    # Not committed: roles are the whole server's.
    with owner.connect() as connection:
        generated = migrate.ensure_role(connection, given)
        assert (generated is None) is (given is not None)
        attributes = connection.execute(
            sa.text(
                "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles"
                " WHERE rolname = :role"
            ),
            {"role": role},
        ).one()
        assert tuple(attributes) == (True, False, False, False)
        assert migrate.ensure_role(connection, given) is None


def test_readiness_is_known(create_database, migrated, owner, engine, worker_id):
    with owner.connect() as connection:
        assert is_current(connection)
    empty = sa.create_engine(
        sqlalchemy_url(create_database(f"guiju_empty_{worker_id}").admin_url),
        poolclass=sa.NullPool,
    )
    with empty.connect() as connection:
        assert not is_current(connection)


@pytest.mark.parametrize("table", tables.TABLES)
def test_every_fact_has_a_column(table):
    stored = metadata.tables[table].c
    for column, field in tables.columns(table).items():
        name = stored_name(table, column)
        if name is None:
            assert (table, column) == ("members", "name")
            assert "name" in metadata.tables["people"].c
            continue
        assert name in stored
        if field.metadata["kind"] != "codes":
            assert stored[name].nullable is not field.required


@pytest.mark.parametrize("table", tables.TABLES)
def test_every_row_can_be_recognized(table):
    columns = {"tenant_id", *identity(table)}
    constraints = [
        {column.name for column in constraint.columns}
        for constraint in metadata.tables[table].constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    assert columns in constraints
