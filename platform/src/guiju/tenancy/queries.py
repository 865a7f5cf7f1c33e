"""Questions about tenants and what they enabled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from guiju.db.scope import operator_scope
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.tenancy.models import EnabledProfile, Tenant


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


def enabled_profiles(session: AnySession) -> list[ProfileInForce]:
    """What the tenant enabled anywhere, past and future too, by path and day."""
    rows = session.execute(
        sa.select(EnabledProfile, Organization.path)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == EnabledProfile.tenant_id,
                Organization.id == EnabledProfile.organization_id,
            ),
        )
        .order_by(Organization.path, EnabledProfile.judge_from)
    )
    return [
        ProfileInForce(
            enabled.id,
            enabled.organization_id,
            path,
            enabled.profile,
            enabled.judge_from,
            enabled.until,
            enabled.settings,
        )
        for enabled, path in rows
    ]
