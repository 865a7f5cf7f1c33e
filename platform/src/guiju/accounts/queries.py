"""Questions about users and their rights."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.accounts.models import Delegation, User, UserRole


def held_on(day: date) -> sa.Subquery:
    """Who holds which role on a day, in their own right or in another's stead.

    Columns: ``tenant_id``, ``user_id``, ``role``, ``organization_id``, ``role_id``, ``until_on``
    (the last day, empty where there is none) and ``instead_of`` (the name of whom the work is
    done for, empty for one's own role).  Whether the user is active is not asked; whoever
    delegated has to be.
    """
    giver = orm.aliased(User)
    lasts = sa.or_(UserRole.until_on.is_(None), UserRole.until_on >= day)
    own = sa.select(
        UserRole.tenant_id,
        UserRole.user_id,
        UserRole.role,
        UserRole.organization_id,
        UserRole.id.label("role_id"),
        UserRole.until_on,
        sa.null().cast(sa.Text).label("instead_of"),
    ).where(lasts)
    delegated = (
        sa.select(
            UserRole.tenant_id,
            Delegation.user_id,
            UserRole.role,
            UserRole.organization_id,
            UserRole.id,
            Delegation.until_on,
            giver.name,
        )
        .join(
            UserRole,
            sa.and_(UserRole.tenant_id == Delegation.tenant_id, UserRole.id == Delegation.role_id),
        )
        .join(giver, sa.and_(giver.tenant_id == UserRole.tenant_id, giver.id == UserRole.user_id))
        .where(
            lasts,
            giver.active,
            Delegation.ended_at.is_(None),
            sa.literal(day).between(Delegation.from_on, Delegation.until_on),
        )
    )
    return own.union_all(delegated).subquery("held")
