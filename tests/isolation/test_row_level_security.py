"""Row-level security attacked with raw SQL, as the role that the application connects as.

Nothing of the application's own guard stands in the way here: these are plain connections.
"""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from psycopg import sql

from guiju.activities.store import store
from guiju.config import APP_ROLE
from guiju.db import ScopedSession, tenant_scope
from guiju.tenancy.operations import NewTenant


def fill(engine, tenant: NewTenant) -> None:
    """The same records under the same ids for every tenant."""
    facts = {
        "organizations": [
            {"id": "b", "name": "第一支部", "kind": "branch", "parent": "root"},
        ],
        "members": [{"id": "p", "organization": "b", "membership_class": "full", "name": "某甲"}],
        "posts": [{"person": "p", "organization": "b", "post": "secretary"}],
        "occasions": [
            {
                "id": "o",
                "organization": "b",
                "kinds": ["party_lecture"],
                "held_on": date(2021, 3, 1),
            }
        ],
        "attendance": [{"occasion": "o", "person": "p", "status": "present"}],
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
    scope = tenant_scope(tenant.tenant_id, restricted=True)
    with scope, ScopedSession(engine) as session:
        store(session, facts, "test")
        session.commit()


@pytest.fixture(scope="module")
def twins(engine, create_tenant) -> tuple[NewTenant, NewTenant]:
    """Two tenants with twin data."""
    mine, theirs = create_tenant(), create_tenant()
    for tenant in (mine, theirs):
        fill(engine, tenant)
    return mine, theirs


@pytest.fixture
def raw(migrated) -> Iterator[psycopg.Connection]:
    """A connection without any scope."""
    with psycopg.connect(migrated.url) as connection:
        yield connection
        connection.rollback()


def enter(connection: psycopg.Connection, tenant: NewTenant, *, restricted: bool = False) -> None:
    connection.execute(
        "SELECT set_config('guiju.tenant', %s, true), set_config('guiju.restricted', %s, true)",
        (str(tenant.tenant_id), "on" if restricted else ""),
    )


def tenant_tables(connection: psycopg.Connection) -> list[str]:
    """Every table with rows of tenants."""
    return [
        name
        for (name,) in connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
            " AND a.attname = 'tenant_id' AND NOT a.attisdropped ORDER BY 1"
        )
    ]


def count(connection: psycopg.Connection, table: str, *, besides: int | None = None) -> int:
    """Rows to be seen, those of the tenant ``besides`` left out."""
    statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    if besides is not None:
        statement += sql.SQL(" WHERE tenant_id <> {}").format(sql.Literal(besides))
    (found,) = connection.execute(statement).fetchone()
    return found


class TestSchema:
    """What must hold of every table, also of those that are yet to come."""

    def test_there_are_tables(self, raw):
        assert {"organizations", "occasions", "attendance", "users"} <= set(tenant_tables(raw))

    def test_every_table_with_a_tenant_forces_row_level_security(self, raw):
        unprotected = raw.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
            " AND a.attname = 'tenant_id'"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        ).fetchall()
        assert unprotected == []

    def test_every_policy_compares_the_tenant(self, raw):
        strange = raw.execute(
            "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'"
            " AND tablename <> 'tenants' AND coalesce(qual, with_check) NOT LIKE"
            " '%%tenant_id = ( SELECT (NULLIF(current_setting(''guiju.tenant''%%'"
        ).fetchall()
        assert strange == []

    def test_every_table_with_a_tenant_has_exactly_one_policy(self, raw):
        policies = dict(
            raw.execute(
                "SELECT tablename, count(*) FROM pg_policies WHERE schemaname = 'public' GROUP BY 1"
            ).fetchall()
        )
        assert {name: policies.get(name) for name in tenant_tables(raw)} == dict.fromkeys(
            tenant_tables(raw), 1
        )

    def test_the_application_owns_and_bypasses_nothing(self, raw):
        role = raw.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        assert role == (False, False, False, False)
        # Temporary tables of somebody's session are its own, and gone with it.
        owned = raw.execute(
            "SELECT count(*) FROM pg_class"
            " WHERE relowner = current_user::regrole AND relpersistence <> 't'"
        ).fetchone()
        assert owned == (0,)
        memberships = raw.execute(
            "SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", (APP_ROLE,)
        ).fetchone()
        assert memberships == (0,)

    def test_the_tenant_comes_first_in_every_key_and_index(self, raw):
        astray = raw.execute(
            "SELECT i.indexrelid::regclass::text FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id'"
            " WHERE c.relnamespace = 'public'::regnamespace AND i.indkey[0] <> t.attnum"
        ).fetchall()
        assert astray == []

    def test_foreign_keys_between_tenants_tables_contain_the_tenant(self, raw):
        astray = raw.execute(
            "SELECT k.conname FROM pg_constraint k"
            " JOIN pg_attribute t ON t.attrelid = k.conrelid AND t.attname = 'tenant_id'"
            " WHERE k.contype = 'f' AND NOT t.attnum = ANY(k.conkey)"
        ).fetchall()
        assert astray == []

    @pytest.mark.parametrize("table", ["audit_entries", "sign_in_attempts", "operator_entries"])
    def test_what_is_written_once_cannot_be_changed(self, raw, table):
        for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
            assert raw.execute(
                "SELECT has_table_privilege(%s, %s)", (table, privilege)
            ).fetchone() == (False,)


class TestWithoutScope:
    """A connection that never said whose it is."""

    def test_nothing_is_there(self, raw, twins):
        assert {table: count(raw, table) for table in tenant_tables(raw)} == dict.fromkeys(
            tenant_tables(raw), 0
        )
        assert count(raw, "tenants") == 0

    def test_nothing_is_there_after_a_scoped_transaction(self, raw, twins):
        enter(raw, twins[0])
        assert count(raw, "occasions") == 1
        raw.commit()
        # The setting is now '' rather than NULL.
        assert raw.execute("SELECT current_setting('guiju.tenant', true)").fetchone() == ("",)
        assert count(raw, "occasions") == 0

    def test_nothing_can_be_written(self, raw, twins):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute(
                "INSERT INTO people (tenant_id, code) VALUES (%s, 'x')", (twins[0].tenant_id,)
            )

    @pytest.mark.parametrize("value", ["0", "-1"])
    def test_numbers_of_no_tenant_open_nothing(self, raw, twins, value):
        raw.execute("SELECT set_config('guiju.tenant', %s, true)", (value,))
        assert count(raw, "occasions") == 0

    @pytest.mark.parametrize("value", ["  ", "1 OR true", "1,2", "*"])
    def test_what_is_no_number_fails(self, raw, twins, value):
        raw.execute("SELECT set_config('guiju.tenant', %s, true)", (value,))
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            count(raw, "occasions")


class TestAcrossTenants:
    """In the scope of one tenant, reaching for the other's twin data."""

    def test_every_table_shows_own_rows_only(self, raw, twins):
        mine, _theirs = twins
        enter(raw, mine, restricted=True)
        for table in tenant_tables(raw):
            assert count(raw, table, besides=mine.tenant_id) == 0, table
        assert count(raw, "attendance") == 1
        assert count(raw, "tenants") == 1

    def test_exists_aggregates_and_joins(self, raw, twins):
        mine, theirs = twins
        enter(raw, mine)
        other = {"other": theirs.tenant_id}
        assert raw.execute(
            "SELECT EXISTS (SELECT FROM occasions WHERE tenant_id = %(other)s)", other
        ).fetchone() == (False,)
        assert raw.execute(
            "SELECT max(id), array_agg(code) FROM people WHERE tenant_id = %(other)s", other
        ).fetchone() == (None, None)
        assert raw.execute(
            "SELECT count(*) FROM occasions a JOIN occasions b ON a.tenant_id <> b.tenant_id"
        ).fetchone() == (0,)
        assert raw.execute(
            "SELECT count(*) FROM tenants t, LATERAL"
            " (SELECT FROM occasions o WHERE o.tenant_id = t.id) o"
        ).fetchone() == (1,)

    def test_functions_in_conditions_see_own_rows_only(self, raw, twins):
        mine, _theirs = twins
        enter(raw, mine)
        # A function that is not leakproof runs after the policy; this one would fail on the
        # other tenant's row, and tell that it is there.
        codes = raw.execute(
            "SELECT code FROM people WHERE 1 / (tenant_id - %s) IS NOT NULL",
            (twins[1].tenant_id,),
        ).fetchall()
        assert codes == [("p",)]

    @pytest.mark.parametrize("table", ["people", "occasions", "users", "audit_entries"])
    def test_the_other_tenant_cannot_be_copied_out(self, raw, twins, table):
        mine, _theirs = twins
        enter(raw, mine)
        statement = sql.SQL("COPY (SELECT tenant_id FROM {}) TO STDOUT").format(
            sql.Identifier(table)
        )
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            found = {row[0] for row in copy.rows()}
        assert found <= {str(mine.tenant_id)}

    def test_copying_into_a_table_is_refused(self, raw, twins):
        mine, theirs = twins
        enter(raw, mine)
        with (
            pytest.raises(psycopg.errors.FeatureNotSupported),
            raw.cursor() as cursor,
            cursor.copy("COPY people (tenant_id, code) FROM STDIN") as copy,
        ):
            copy.write_row((theirs.tenant_id, "x"))

    def test_inserting_for_the_other_tenant_is_refused(self, raw, twins):
        mine, theirs = twins
        enter(raw, mine)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            raw.execute(
                "INSERT INTO people (tenant_id, code) VALUES (%s, 'x')", (theirs.tenant_id,)
            )

    def test_handing_a_row_to_the_other_tenant_is_refused(self, raw, twins):
        mine, theirs = twins
        enter(raw, mine)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            raw.execute("UPDATE people SET tenant_id = %s", (theirs.tenant_id,))

    def test_updating_and_deleting_reach_nothing_of_the_other(self, raw, twins):
        mine, theirs = twins
        enter(raw, mine)
        for statement in (
            "UPDATE organizations SET name = '改' WHERE tenant_id = %s",
            "DELETE FROM attendance WHERE tenant_id = %s",
            "UPDATE tenants SET state = 'suspended' WHERE id = %s",
        ):
            assert raw.execute(statement, (theirs.tenant_id,)).rowcount == 0

    def test_upserting_onto_the_other_tenants_row_is_refused(self, raw, twins):
        mine, theirs = twins
        enter(raw, mine)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            raw.execute(
                "INSERT INTO people (tenant_id, code) VALUES (%s, 'p')"
                " ON CONFLICT (tenant_id, code) DO UPDATE SET name = '改'",
                (theirs.tenant_id,),
            )

    def test_pointing_at_the_other_tenants_rows_is_refused(self, raw, engine, twins):
        mine, theirs = twins
        enter(raw, mine)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            raw.execute(
                "INSERT INTO dirty_marks (tenant_id, organization_id, subtree, reason)"
                " VALUES (%s, %s, false, 'x')",
                (mine.tenant_id, theirs.root_id),
            )

    def test_the_operators_setting_opens_the_list_of_tenants_and_no_more(self, raw, twins):
        raw.execute("SELECT set_config('guiju.operator', 'on', true)")
        assert count(raw, "tenants") >= 2
        for table in tenant_tables(raw):
            assert count(raw, table) == 0, table

    def test_row_level_security_cannot_be_switched_off(self, raw, twins):
        enter(raw, twins[0])
        raw.execute("SAVEPOINT s")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute("ALTER TABLE people DISABLE ROW LEVEL SECURITY")
        raw.execute("ROLLBACK TO s")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute("SET ROLE guiju_admin")
        raw.execute("ROLLBACK TO s")
        raw.execute("SET LOCAL row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            count(raw, "people")

    def test_statistics_do_not_show_the_others_values(self, raw, twins):
        enter(raw, twins[0])
        assert raw.execute(
            "SELECT count(*) FROM pg_stats WHERE schemaname = 'public'"
            " AND tablename = 'people' AND attname = 'code'"
        ).fetchone() == (0,)


class TestRestricted:
    """Matters of discipline, in the tenant's own scope."""

    def test_rows_show_only_where_asked_for(self, raw, twins):
        mine, _theirs = twins
        enter(raw, mine)
        assert count(raw, "disciplinary_steps") == 0
        enter(raw, mine, restricted=True)
        assert count(raw, "disciplinary_steps") == 1

    def test_rows_are_not_written_by_accident(self, raw, twins):
        mine, _theirs = twins
        enter(raw, mine)
        assert raw.execute("DELETE FROM disciplinary_steps").rowcount == 0
