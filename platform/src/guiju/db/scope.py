"""Whose data the running code may touch.

A scope is a context variable, so it follows threads, requests and jobs by itself.  Nothing
in the database can be read or written outside a scope: see :mod:`guiju.db.engine`, which
hands the scope to PostgreSQL at the start of every transaction, and the row-level security
policies, which filter by it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class ScopeError(RuntimeError):
    """Code reached for data outside a scope, or for data of another scope than its own."""


@dataclass(frozen=True)
class TenantScope:
    """One tenant's data; its restricted tables only when ``restricted``."""

    tenant_id: int
    restricted: bool = False


@dataclass(frozen=True)
class OperatorScope:
    """What concerns no tenant, and the list of tenants; no tenant's data."""

    reason: str


Scope = TenantScope | OperatorScope

_scope: ContextVar[Scope | None] = ContextVar("guiju_scope", default=None)


@contextmanager
def tenant_scope(tenant_id: int, *, restricted: bool = False) -> Iterator[TenantScope]:
    """Work for one tenant.

    ``restricted`` opens the tables that hold matters of discipline; whoever asks for it
    sees to the audit entry (:func:`guiju.audit.operations.record_reading`).
    """
    with _entered(scope := TenantScope(tenant_id, restricted)):
        yield scope


@contextmanager
def operator_scope(reason: str) -> Iterator[OperatorScope]:
    """The one way to work across tenants: what the operator's tasks and signing in need.

    Opens the list of tenants, the tables that belong to no tenant, and nothing else.  Every
    transaction begun in it leaves a row with ``reason`` in ``operator_entries``, whatever
    becomes of the transaction.
    """
    if not reason:
        raise ValueError("an operator scope needs a reason")
    with _entered(scope := OperatorScope(reason)):
        yield scope


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    own = True
    try:
        yield
    except GeneratorExit:
        # Also when what was never left is collected, in the midst of anybody's work.
        own = _scope.get() is scope
        raise
    finally:
        if own:
            _scope.reset(token)


def current_scope() -> Scope:
    """The scope of the running code; raises ``ScopeError`` where there is none."""
    scope = _scope.get()
    if scope is None:
        raise ScopeError("no scope: enter tenant_scope() before using the database")
    return scope


def current_tenant() -> TenantScope:
    """The tenant's scope being worked in; raises ``ScopeError`` in none and in the operator's."""
    scope = current_scope()
    if not isinstance(scope, TenantScope):
        raise ScopeError(f"not in a tenant's scope but in the operator's: {scope.reason}")
    return scope


def current_tenant_id() -> int:
    """The number of the tenant being worked for; raises ``ScopeError`` as above."""
    return current_tenant().tenant_id
