"""Questions about tenants and what they enabled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from guiju.db.scope import operator_scope
from guiju.db.session import AnySession, once
from guiju.organizations.models import Organization
from guiju.tenancy.models import EnabledProfile, Setting, Tenant


@dataclass(frozen=True)
class TenantSummary:
    """A tenant as the operator's list shows it."""

    id: int
    code: str
    name: str
    state: str
    #: When everything of it is deleted; empty unless it is leaving.
    delete_on: datetime | None = None


def all_tenants(session: AnySession, reason: str) -> list[TenantSummary]:
    """Every tenant by code; in no scope.

    ``reason`` is why somebody lists them (``"scoring sweep"``), for the operators' log.
    """
    with operator_scope(reason):
        rows = session.execute(
            sa.select(Tenant.id, Tenant.code, Tenant.name, Tenant.state, Tenant.delete_on).order_by(
                Tenant.code
            )
        ).all()
        session.rollback()
    return [TenantSummary(*row) for row in rows]


@dataclass(frozen=True)
class ProfileInForce:
    """A profile enabled for the organizations at and below a path, deeper ones excepted."""

    enabled_id: int
    organization_id: int
    path: str
    profile: str
    judge_from: date
    until: date | None
    settings: Mapping[str, Any]


def tenant_settings(session: AnySession) -> Mapping[str, str]:
    """Readings and settings that hold for the whole tenant, Guiju's own included, by name."""
    table = Setting.__table__
    select = sa.select(table.c.key, table.c.value)
    return once(session, Setting, lambda: dict(session.execute(select).all()))


def enabled_profiles(session: AnySession) -> Sequence[ProfileInForce]:
    """What the tenant enabled anywhere, past and future too, by path and day."""
    return once(session, EnabledProfile, lambda: _enabled_profiles(session))


def _enabled_profiles(session: AnySession) -> Sequence[ProfileInForce]:
    return [ProfileInForce(*row) for row in session.execute(_ENABLED)]


_ENABLED = (
    sa.select(
        EnabledProfile.id,
        EnabledProfile.organization_id,
        Organization.path,
        EnabledProfile.profile,
        EnabledProfile.judge_from,
        EnabledProfile.until,
        EnabledProfile.settings,
    )
    .join(
        Organization,
        sa.and_(
            Organization.tenant_id == EnabledProfile.tenant_id,
            Organization.id == EnabledProfile.organization_id,
        ),
    )
    .order_by(Organization.path, EnabledProfile.judge_from)
)
