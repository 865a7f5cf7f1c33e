"""The shared servers of the test run itself."""

import adbc_driver_postgresql.dbapi
import psycopg
import pytest
import redis


def test_application_role_owns_nothing_and_bypasses_nothing(database_url, admin_database_url):
    with psycopg.connect(database_url) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = user"
        ).fetchone()
        assert role == (False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE anything ()")
    with psycopg.connect(admin_database_url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.rollback()


def test_arrow_reads_through_the_same_address(database_url):
    with (
        adbc_driver_postgresql.dbapi.connect(database_url) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT current_user AS role, 1::int AS one")
        assert cursor.fetch_arrow_table().to_pylist() == [{"role": "guiju_app", "one": 1}]


def test_every_process_has_its_own_database_and_queue(database_url, empty_redis_url, worker_id):
    with psycopg.connect(database_url) as connection:
        assert connection.info.dbname == f"guiju_{worker_id}"
    with redis.Redis.from_url(empty_redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
