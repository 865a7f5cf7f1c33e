"""The ORM session, fail-closed: what the engine's guard cannot see, it checks itself.

The engine's guard sees every statement.  Two things happen in a session without one:
``get`` answers from the identity map, and objects of another tenant wait for the flush.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import orm

from guiju.db.engine import guard
from guiju.db.scope import Scope, ScopeError, TenantScope, current_scope

_INFO = "guiju_scope"
_KNOWN = "guiju_known"

T = TypeVar("T")


#: A session, or Flask-SQLAlchemy's stand-in for the one of the request.
AnySession: TypeAlias = orm.Session | orm.scoped_session[Any]


class ScopedSession(orm.Session):
    """A session whose objects all belong to one scope."""

    def get(self, *args: Any, **options: Any) -> Any:
        """As SQLAlchemy's, but the identity map answers only in the scope it was filled in."""
        _pin(self, current_scope())
        return super().get(*args, **options)


class _RequestSession(FlaskSession, ScopedSession):
    """The same, with the engine chosen by Flask-SQLAlchemy."""


def _pin(session: orm.Session, scope: Scope) -> None:
    """Hold the session to the scope of the objects in it; an empty one may change scope."""
    held = session.info.get(_INFO)
    if held not in {None, scope} and len(session.identity_map):
        raise ScopeError("the session holds objects of another scope: close it first")
    session.info[_INFO] = scope


@sa.event.listens_for(ScopedSession, "after_begin", propagate=True)
def _after_begin(session: orm.Session, *_details: Any) -> None:
    _pin(session, current_scope())


@sa.event.listens_for(ScopedSession, "before_flush", propagate=True)
def _before_flush(session: orm.Session, *_details: Any) -> None:
    """Refuse to write rows of another tenant, before PostgreSQL does."""
    scope = current_scope()
    for row in (*session.new, *session.dirty, *session.deleted):
        owner = getattr(row, "tenant_id", None)
        if owner is None:  # a new row: the column's default is the scope's tenant
            continue
        if not isinstance(scope, TenantScope) or owner != scope.tenant_id:
            raise ScopeError(f"{type(row).__name__} belongs to tenant {owner}, not to {scope}")


def once(session: AnySession, key: Hashable, look_up: Callable[[], T]) -> T:
    """What ``look_up`` finds, asked once until the transaction ends or the session writes.

    For what the parts of a page, or of an operation, each ask for themselves.
    """
    known: dict[Hashable, T] = session.info.setdefault(_KNOWN, {})
    if key in known:
        return known[key]
    found = look_up()
    # Asking may have written first what waited to be, whereupon all else was forgotten.
    session.info.setdefault(_KNOWN, {})[key] = found
    return found


def ask_again(session: AnySession, *_details: Any) -> None:
    """Forget what :func:`once` found: for who writes past the session, by COPY or in a CTE."""
    session.info.pop(_KNOWN, None)


for _event in ("after_transaction_end", "after_flush"):
    sa.event.listen(ScopedSession, _event, ask_again, propagate=True)


@sa.event.listens_for(ScopedSession, "do_orm_execute", propagate=True)
def _do_orm_execute(state: orm.ORMExecuteState) -> None:
    if not state.is_select:
        ask_again(state.session)


class Database(SQLAlchemy):
    """Flask-SQLAlchemy for configuration and the request's session; models stand apart."""

    def init_app(self, app: Flask) -> None:
        """Read the configuration and guard the engines; nothing connects yet."""
        super().init_app(app)
        with app.app_context():
            for engine in self.engines.values():
                guard(engine)


#: For the application; models derive from :class:`guiju.db.models.Base`, which needs no Flask.
db = Database(session_options={"class_": _RequestSession})


@contextmanager
def transaction(session: AnySession) -> Iterator[None]:
    """One operation, one transaction: committed at the end, rolled back by an exception."""
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
