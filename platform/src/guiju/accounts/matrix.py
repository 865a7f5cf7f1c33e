"""The permission matrix: what each role allows, and who holds which role where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.directory import state_of
from guiju.accounts.models import Delegation, User, UserRole
from guiju.accounts.permissions import PERMISSIONS, ROLES, allows
from guiju.accounts.queries import held_on
from guiju.accounts.reach import below, managed_paths
from guiju.accounts.visitors import Visitor
from guiju.clock import ZONE
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization


@dataclass(frozen=True)
class Holding:
    """A role that somebody holds today, in their own right or in another's stead."""

    organization: str
    code: str
    user_id: int
    name: str
    username: str
    #: As :data:`guiju.accounts.directory.STATES`.
    state: str
    role: str
    since: date
    until_on: date | None
    instead_of: str | None


def permissions_by_role(*, separated: bool) -> list[tuple[str, list[bool]]]:
    """Each permission, and whether each of :data:`ROLES` has it in such a tenant."""
    return [
        (permission, [allows(role, permission, separated=separated) for role in ROLES])
        for permission in PERMISSIONS
    ]


def holdings(session: AnySession, visitor: Visitor) -> Iterator[Holding]:
    """Who holds what within the visitor's part of the tree, from the top down."""
    held = held_on(clock.today())
    path = Organization.__table__.c.path
    given = (
        sa.select(sa.func.max(Delegation.from_on))
        .where(
            Delegation.tenant_id == held.c.tenant_id,
            Delegation.role_id == held.c.role_id,
            Delegation.user_id == held.c.user_id,
            Delegation.ended_at.is_(None),
        )
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            Organization.name,
            Organization.code,
            User,
            held.c.role,
            UserRole.created_at,
            given,
            held.c.until_on,
            held.c.instead_of,
        )
        .select_from(held)
        .join(User, sa.and_(User.tenant_id == held.c.tenant_id, User.id == held.c.user_id))
        .join(
            UserRole,
            sa.and_(UserRole.tenant_id == held.c.tenant_id, UserRole.id == held.c.role_id),
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == held.c.tenant_id,
                Organization.id == held.c.organization_id,
            ),
        )
        .where(held.c.tenant_id == current_tenant_id(), below(managed_paths(visitor)))
        .order_by(path, User.name, User.id, held.c.role)
    )
    for organization, code, user, role, since, delegated, until_on, instead_of in rows:
        yield Holding(
            organization=organization,
            code=code,
            user_id=user.id,
            name=user.name,
            username=user.username,
            state=state_of(user),
            role=role,
            since=delegated if instead_of else since.astimezone(ZONE).date(),
            until_on=until_on,
            instead_of=instead_of,
        )
