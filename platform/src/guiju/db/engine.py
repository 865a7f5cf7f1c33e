"""Engines that refuse to work outside a scope, and tell PostgreSQL whose data it is.

The scope is set for one transaction (``set_config(…, true)``) when the transaction begins:
a second transaction of the same request is scoped like the first, and a pooled connection
carries nothing from one user to the next.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from weakref import WeakSet

import psycopg
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from sqlalchemy.engine.interfaces import DBAPICursor

from guiju.db.scope import (
    OperatorScope,
    Scope,
    ScopeError,
    TenantScope,
    current_scope,
    current_tenant,
)

#: Conditions that pass: no connection, too many, the server starting or stopping.
_PASSING = ("08", "53300", "57P01", "57P02", "57P03")

#: What the policies read; see ``migrations/row_level_security.py``.
_SETTINGS = sa.text(
    "SELECT set_config('guiju.tenant', :tenant, true),"
    " set_config('guiju.restricted', :restricted, true),"
    " set_config('guiju.operator', :operator, true)"
)

_INFO = "guiju_scope"

_guarded: WeakSet[sa.Engine] = WeakSet()


def sqlalchemy_url(url: str) -> sa.URL:
    """``url`` as libpq reads it, in SQLAlchemy's spelling with the driver named."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


def create_engine(url: str, **options: Any) -> sa.Engine:
    """An engine for the application's role outside Flask; ``url`` as libpq reads it."""
    return guard(sa.create_engine(sqlalchemy_url(url), **options))


def guard(engine: sa.Engine) -> sa.Engine:
    """Make every transaction of ``engine`` carry the scope, and refuse those without one.

    Connections opened before a fork stay with the parent: the child starts with an empty
    pool.
    """
    if engine not in _guarded:
        sa.event.listen(engine, "begin", _begin)
        sa.event.listen(engine, "before_cursor_execute", _check)
        _guarded.add(engine)
    return engine


def is_out_of_reach(error: BaseException) -> bool:
    """Whether something failed because the database was not there, and may work soon."""
    if isinstance(error, sa.exc.TimeoutError):
        return True
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig or error
    if not isinstance(error, psycopg.OperationalError):
        return False
    # Without a condition it is the client that found nobody, or was left.
    return error.sqlstate is None or error.sqlstate.startswith(_PASSING)


@contextmanager
def arrow_connection(url: str, *, write: bool = False) -> Iterator[adbc.Connection]:
    """An ADBC connection for columns in bulk, in the current tenant's scope.

    All that is read through it is one snapshot.  With ``write``, what is written is committed
    at the end of the block, rolled back after an exception; else nothing can be written.
    """
    settings = _settings(current_tenant())
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        access = "READ WRITE" if write else "READ ONLY"
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, {access}")
        _enter_scope(cursor, settings)
        yield connection
        if write:
            connection.commit()


@contextmanager
def beside(connection: adbc.Connection) -> Iterator[adbc.Connection]:
    """A second connection for reading, which sees the very snapshot that ``connection`` sees."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        ((snapshot,),) = cursor.fetchall()
    # A clone knows the database's types already, which take longest to learn.
    with connection.adbc_clone() as second, second.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        _enter_scope(cursor, _settings(current_tenant()))
        yield second


def _enter_scope(cursor: adbc.Cursor, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        cursor.execute("SELECT set_config('guiju.' || $1, $2, true)", (name, value))
        cursor.fetchall()


def _settings(scope: Scope) -> dict[str, str]:
    if isinstance(scope, TenantScope):
        return {
            "tenant": str(scope.tenant_id),
            "restricted": "on" if scope.restricted else "",
            "operator": "",
        }
    return {"tenant": "", "restricted": "", "operator": "on"}


def _begin(connection: sa.Connection) -> None:
    scope = current_scope()
    connection.info[_INFO] = scope
    if isinstance(scope, OperatorScope):
        _note(connection.engine, scope.reason)
    connection.execute(_SETTINGS, _settings(scope))


def _note(engine: sa.Engine, reason: str) -> None:
    """Write down the use of the operator's scope, in a transaction that nothing undoes."""
    raw = engine.raw_connection()
    try:
        with closing(raw.cursor()) as cursor:
            cursor.execute("INSERT INTO operator_entries (reason) VALUES (%s)", (reason,))
        raw.commit()
    finally:
        raw.close()


def _check(connection: sa.Connection, _cursor: DBAPICursor, *_details: Any) -> None:
    begun = connection.info.get(_INFO)
    if begun != current_scope():
        raise ScopeError("the scope changed inside a transaction: end the transaction first")


def _forget_connections() -> None:
    for engine in _guarded:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections)
