"""Questions about users and their rights."""

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.accounts.models import UserRole
from guiju.db.session import AnySession
from guiju.organizations.models import Organization


def roles_over(session: AnySession, user_id: int, organization_id: int) -> set[str]:
    """The roles that a user has on an organization, held there or above it."""
    top, place = orm.aliased(Organization), orm.aliased(Organization)
    return set(
        session.scalars(
            sa.select(UserRole.role)
            .join(
                top,
                sa.and_(top.tenant_id == UserRole.tenant_id, top.id == UserRole.organization_id),
            )
            .join(
                place,
                sa.and_(
                    place.tenant_id == top.tenant_id,
                    sa.func.starts_with(place.path, top.path),
                ),
            )
            .where(UserRole.user_id == user_id, place.id == organization_id)
        )
    )
