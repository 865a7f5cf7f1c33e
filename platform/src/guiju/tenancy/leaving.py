"""Tenants that leave: marked, waited for, and then gone with everything that is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog

from guiju.audit.operations import Actor, record
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.locks import Busy, alone
from guiju.db.scope import operator_scope, tenant_scope
from guiju.db.session import AnySession, ScopedSession, transaction
from guiju.files.store import FileStore
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import Tenant
from guiju.tenancy.queries import all_tenants

log = structlog.get_logger()

#: Days that a tenant waits, within which it can be taken back.
FEWEST_DAYS, MOST_DAYS = 1, 365


def mark_for_deletion(session: AnySession, actor: Actor, code: str, days: int) -> datetime:
    """Suspend a tenant and delete it after a waiting period; returns when.  In no scope.

    Letting it work again (:func:`guiju.tenancy.operations.set_tenant_state`) takes that back.
    Raises ``BadInput`` for a period that is too short or too long.
    """
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        wanted = _("应为 {first} 至 {last} 天").format(first=FEWEST_DAYS, last=MOST_DAYS)
        raise BadInput([Problem("--after", str(days), wanted, "out_of_range")])
    due = datetime.now(UTC) + timedelta(days=days)
    with operator_scope(f"{actor.name}: {code} leaves"), transaction(session):
        tenant_id = session.scalars(
            sa.update(Tenant)
            .where(Tenant.code == code)
            .values(state="suspended", delete_on=due)
            .returning(Tenant.id)
        ).one()
    with tenant_scope(tenant_id), transaction(session):
        record(session, actor, "tenant.leave", "tenant", code, after={"delete_on": due})
    session.expunge_all()
    return due


@contextmanager
def staying(session: AnySession, tenant_id: int) -> Iterator[None]:
    """Keep a tenant, and what the store holds of it, from being cleared away meanwhile.

    In a scope.  Raises :class:`guiju.db.locks.Busy` where it is being cleared away.
    """
    with alone(session.get_bind().engine, "tenant", tenant_id):
        yield


def delete_due() -> int:
    """Delete every tenant whose waiting period is over; returns how many.

    What is left is an operator's entry that says so.
    """
    settings = load_settings()
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    store = FileStore(settings.files_url)
    gone = 0
    try:
        with ScopedSession(engine) as session:
            now = datetime.now(UTC)
            for tenant in all_tenants(session, "tenants due to be deleted"):
                if tenant.delete_on is None or tenant.delete_on > now:
                    continue
                with tenant_scope(tenant.id), suppress(Busy), staying(session, tenant.id):
                    gone += _delete(session, store, tenant.id, tenant.code)
    finally:
        engine.dispose()
    return gone


def delete_now(session: AnySession, store: FileStore, tenant_id: int, code: str) -> None:
    """Delete a tenant that is marked, before its time: an import of it failed."""
    session.expunge_all()
    with operator_scope(f"tenant {code} did not arrive"), transaction(session):
        session.execute(
            sa.update(Tenant)
            .where(Tenant.id == tenant_id, Tenant.state == "suspended")
            .values(delete_on=sa.func.now())
        )
    _delete(session, store, tenant_id, code)


def _delete(session: AnySession, store: FileStore, tenant_id: int, code: str) -> bool:
    """Delete a tenant that is due; returns whether it still was.

    Whoever takes it back meanwhile waits, and finds it gone or unharmed.
    """
    due = (
        sa.select(Tenant.id)
        .where(
            Tenant.id == tenant_id,
            Tenant.state == "suspended",
            Tenant.delete_on <= sa.func.now(),
        )
        .with_for_update()
    )
    with operator_scope(f"deleting tenant {code}"), transaction(session):
        if session.scalar(due) is None:
            return False
        # Files first: what is cut short is begun again while the tenant is marked.
        for name, _stored_at in list(store.names(tenant_id)):
            store.delete(name)
        session.execute(sa.text("SELECT delete_due_tenant(:id)"), {"id": tenant_id})
    log.info("tenant deleted", tenant=tenant_id)
    return True
