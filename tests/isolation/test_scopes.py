"""The application's own wall: no scope, no query; and the ways around an ORM's filters."""

import ast
import os
import threading
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

import guiju
from guiju.db import (
    ScopedSession,
    ScopeError,
    arrow_connection,
    create_engine,
    db,
    operator_scope,
    sqlalchemy_url,
    tenant_scope,
)
from guiju.db.scope import current_scope
from guiju.organizations.models import Organization, Person
from guiju.tenancy.models import Tenant

people = Person.__table__


@pytest.fixture
def others(engine, create_tenant) -> tuple[int, int]:
    """Another tenant, and a person there."""
    other = create_tenant().tenant_id
    with tenant_scope(other), ScopedSession(engine) as session:
        person = Person(code="theirs")
        session.add(person)
        session.commit()
        return other, person.id


@pytest.fixture
def mine(session) -> Person:
    person = Person(code="mine")
    session.add(person)
    session.commit()
    return person


READS = {
    "orm": lambda session: session.scalars(sa.select(Person)).all(),
    "core": lambda session: session.execute(sa.select(people)).all(),
    "count": lambda session: session.scalar(sa.select(sa.func.count()).select_from(Person)),
    "exists": lambda session: session.scalar(sa.select(sa.exists().select_from(people))),
    "text": lambda session: session.execute(sa.text("SELECT * FROM people")).all(),
    "get": lambda session: session.get(Person, (1, 1)),
    "connection": lambda session: session.connection().execute(sa.select(people)).all(),
    "insert": lambda session: session.execute(sa.insert(people).values(code="x")),
    "update": lambda session: session.execute(sa.update(people).values(name="x")),
    "delete": lambda session: session.execute(sa.delete(people)),
}


class TestNoScope:
    @pytest.mark.parametrize("way", READS)
    def test_nothing_can_be_asked(self, engine, way):
        with ScopedSession(engine) as session, pytest.raises(ScopeError):
            READS[way](session)

    def test_nothing_can_be_flushed(self, engine):
        with ScopedSession(engine) as session:
            session.add(Person(code="x"))
            with pytest.raises(ScopeError):
                session.flush()

    def test_the_engine_itself_is_closed(self, engine):
        with engine.connect() as connection, pytest.raises(ScopeError):
            connection.execute(sa.select(people))
        with pytest.raises(ScopeError), engine.begin():
            pass

    def test_what_is_loaded_does_not_answer_outside(self, engine, tenant):
        with ScopedSession(engine) as session:
            with tenant_scope(tenant.tenant_id):
                root = session.get(Organization, (tenant.tenant_id, tenant.root_id))
                assert root is not None
            with pytest.raises(ScopeError):
                session.get(Organization, (tenant.tenant_id, tenant.root_id))

    def test_arrow_is_closed(self, migrated):
        with pytest.raises(ScopeError), arrow_connection(migrated.url):
            pass


class TestHolesOfFilters:
    """Every way of asking sees one tenant, the filterless ones too."""

    def test_count_without_columns(self, session, mine, others):
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 1

    def test_core_select(self, session, mine, others):
        assert [row.code for row in session.execute(sa.select(people))] == ["mine"]

    def test_text(self, session, mine, others):
        assert session.execute(sa.text("SELECT code FROM people")).all() == [("mine",)]

    def test_get(self, session, mine, others):
        assert session.get(Person, others) is None

    def test_identity_map_of_another_scope(self, engine, session, mine, others):
        other = others[0]
        with ScopedSession(engine) as shared:
            with tenant_scope(other):
                held = shared.get(Person, others)
                shared.commit()
            assert held in shared
            with tenant_scope(mine.tenant_id), pytest.raises(ScopeError, match="close it first"):
                shared.get(Person, others)

    def test_core_insert_goes_to_the_own_tenant(self, session, tenant, others):
        session.execute(sa.insert(people).values(code="core"))
        assert (
            session.scalar(sa.select(people.c.tenant_id).where(people.c.code == "core"))
            == tenant.tenant_id
        )

    def test_core_insert_for_another_tenant(self, session, others):
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            session.execute(sa.insert(people).values(code="core", tenant_id=others[0]))

    def test_flushing_a_row_of_another_tenant(self, session, others):
        session.add(Person(code="x", tenant_id=others[0]))
        with pytest.raises(ScopeError, match="belongs to tenant"):
            session.flush()

    def test_flushing_a_change_to_a_row_of_another_tenant(self, session, engine, others):
        with tenant_scope(others[0]), ScopedSession(engine) as theirs:
            person = theirs.get(Person, others)
            theirs.expunge(person)
        session.add(person)
        person.name = "改"
        with pytest.raises(ScopeError, match="belongs to tenant"):
            session.flush()

    def test_the_scope_cannot_change_inside_a_transaction(self, session, mine, others):
        session.scalars(sa.select(Person)).all()
        with tenant_scope(others[0]), pytest.raises(ScopeError, match="changed inside"):
            session.execute(sa.text("SELECT 1"))

    def test_arrow_sees_one_tenant(self, migrated, session, mine, others):
        with arrow_connection(migrated.url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT code FROM people")
            assert cursor.fetch_arrow_table().to_pydict() == {"code": ["mine"]}
            cursor.execute("SELECT current_setting('transaction_isolation')")
            assert cursor.fetchone() == ("repeatable read",)
            cursor.execute("SELECT current_setting('transaction_read_only')")
            assert cursor.fetchone() == ("on",)


class TestLifetime:
    def test_a_second_transaction_stays_scoped(self, session, mine, others):
        for _ in range(3):
            assert session.scalars(sa.select(Person.code)).all() == ["mine"]
            session.commit()

    def test_a_rolled_back_transaction_is_followed_by_a_scoped_one(self, session, mine, others):
        with pytest.raises(sa.exc.DBAPIError):
            session.execute(sa.text("SELECT 1 / 0"))
        session.rollback()
        assert session.scalars(sa.select(Person.code)).all() == ["mine"]

    def test_a_savepoint_stays_scoped(self, session, mine, others):
        with pytest.raises(sa.exc.DBAPIError), session.begin_nested():
            session.execute(sa.text("SELECT 1 / 0"))
        assert session.scalars(sa.select(Person.code)).all() == ["mine"]

    def test_a_pooled_connection_carries_nothing_over(self, migrated, tenant, others):
        engine = create_engine(migrated.url, pool_size=1, max_overflow=0)
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            session.scalars(sa.select(Person)).all()
        connection = engine.raw_connection()
        try:
            found = connection.cursor().execute("SELECT count(*) FROM people").fetchone()
            assert found == (0,)
        finally:
            connection.close()
            engine.dispose()

    def test_threads_do_not_share_a_scope(self, engine, tenant):
        errors = []

        def ask() -> None:
            try:
                with ScopedSession(engine) as session:
                    session.scalars(sa.select(Person)).all()
            except ScopeError as error:
                errors.append(error)

        with tenant_scope(tenant.tenant_id):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        assert len(errors) == 1

    def test_a_forked_process_opens_its_own_connections(self, migrated, tenant, mine):
        engine = create_engine(migrated.url)
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            before = session.scalar(sa.text("SELECT pg_backend_pid()"))
        read, write = os.pipe()
        child = os.fork()
        if not child:
            with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
                os.write(write, str(session.scalar(sa.text("SELECT pg_backend_pid()"))).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert int(os.read(read, 100)) != before
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            assert session.scalar(sa.text("SELECT pg_backend_pid()")) == before
            assert session.scalars(sa.select(Person.code)).all() == ["mine"]
        engine.dispose()


class TestInARequest:
    @pytest.fixture
    def app(self, migrated) -> Iterator[Flask]:
        app = Flask("test")
        app.config["SQLALCHEMY_DATABASE_URI"] = sqlalchemy_url(migrated.url)
        db.init_app(app)
        yield app
        with app.app_context():
            db.engine.dispose()

    def test_no_scope(self, app):
        with app.app_context(), pytest.raises(ScopeError):
            db.session.scalars(sa.select(Person)).all()

    def test_two_transactions(self, app, tenant, mine, others):
        with app.app_context(), tenant_scope(tenant.tenant_id):
            for _ in range(2):
                assert db.session.scalars(sa.select(Person.code)).all() == ["mine"]
                db.session.commit()


#: Each use of the operator's scope: a new one is a decision, so it is made here too.
OPERATOR_SCOPES = {
    "accounts/signing_in.py": 1,  # signing in: which tenant is meant
    "tenancy/archive.py": 2,  # a tenant that arrives: whether its code is taken, and its arrival
    # A tenant that leaves: its mark, and its deletion when due or when it did not arrive.
    "tenancy/leaving.py": 3,
    "tenancy/operations.py": 2,  # making a tenant, suspending one
    "tenancy/queries.py": 1,  # the list of tenants
}


class TestOperator:
    """The one escape."""

    def test_its_uses_are_counted(self):
        root = Path(guiju.__file__).parent
        found = {}
        for file in root.rglob("*.py"):
            calls = sum(
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "operator_scope"
                for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            )
            if calls:
                found[file.relative_to(root).as_posix()] = calls
        assert found == OPERATOR_SCOPES

    def test_it_lists_tenants(self, engine, create_tenant):
        wanted = {create_tenant().tenant_id, create_tenant().tenant_id}
        with operator_scope("test"), ScopedSession(engine) as session:
            assert wanted <= set(session.scalars(sa.select(Tenant.id)))

    def test_it_shows_no_tenants_data(self, engine, mine):
        with operator_scope("test"), ScopedSession(engine) as session:
            assert session.scalars(sa.select(Person)).all() == []
            assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0

    def test_it_writes_no_tenants_data(self, engine, tenant):
        with operator_scope("test"), ScopedSession(engine) as session:
            session.add(Person(code="x", tenant_id=tenant.tenant_id))
            with pytest.raises(ScopeError):
                session.flush()
        with operator_scope("test"), ScopedSession(engine) as session:
            session.add(Person(code="x"))
            with pytest.raises((ScopeError, sa.exc.StatementError)):
                session.flush()

    def test_it_needs_a_reason(self):
        with pytest.raises(ValueError, match="reason"), operator_scope(""):
            pass

    def test_every_use_is_written_down_though_it_is_rolled_back(self, engine, migrated):
        reason = f"test {os.urandom(8).hex()}"
        with operator_scope(reason), ScopedSession(engine) as session:
            session.scalars(sa.select(Tenant.id)).all()
            session.rollback()
        owner = sa.create_engine(sqlalchemy_url(migrated.admin_url))
        with owner.connect() as connection:
            assert (
                connection.scalar(
                    sa.text("SELECT count(*) FROM operator_entries WHERE reason = :reason"),
                    {"reason": reason},
                )
                == 1
            )
        owner.dispose()


@pytest.mark.parametrize("enter", [lambda: tenant_scope(1), lambda: operator_scope("test")])
def test_what_is_collected_unclosed_ends_nobody_elses_scope(enter):
    def work():
        lost = enter()
        lost.__enter__()
        with tenant_scope(2) as scope:
            del lost
            assert current_scope() is scope

    # In a context of its own: what is never left stays.
    copy_context().run(work)


def test_a_stream_that_is_not_read_to_its_end_leaves_its_scope():
    def rows():
        with tenant_scope(1):
            yield current_scope()

    stream = rows()
    assert next(stream).tenant_id == 1
    stream.close()
    with pytest.raises(ScopeError):
        current_scope()
