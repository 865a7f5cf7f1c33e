"""Whom an account manager may manage: users with a role in their part of the tree.

Whoever manages a part of the tree gives and takes roles there.  What concerns a user as a
whole (a new password, no second factor, no access any more) is for those alone whose part
holds all of the user's roles: or the lesser could take over the greater.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from guiju.accounts.models import SupportAccess, User, UserRole
from guiju.accounts.visitors import Visitor
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.scoring.results import NotVisible

__all__ = [
    "PERMISSION",
    "NotAllowed",
    "NotVisible",
    "below",
    "entirely_managed",
    "managed",
    "managed_paths",
    "managed_user",
    "manages_everything",
]

PERMISSION = "accounts.manage"


class NotAllowed(PermissionError):
    """The visitor sees it, but may not do this to it."""


def managed_paths(visitor: Visitor) -> tuple[str, ...]:
    """Paths of the organizations at and below which the visitor manages accounts."""
    return visitor.roots(PERMISSION)


def manages_everything(visitor: Visitor) -> bool:
    """Whether the visitor manages accounts at the tenant's root."""
    return visitor.may_everywhere(PERMISSION)


def below(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """The condition on :class:`Organization` that it is at or below one of ``paths``."""
    path = Organization.__table__.c.path
    return sa.or_(sa.false(), *(within(path, top) for top in paths))


def managed(visitor: Visitor) -> sa.ColumnElement[bool]:
    """The condition on :class:`User` that the visitor knows of the user.

    Users without any role are known to those who manage the whole tenant; those made for the
    platform's support are managed by nobody.
    """
    roles = sa.exists().where(UserRole.tenant_id == User.tenant_id, UserRole.user_id == User.id)
    inside = (
        sa.exists()
        .where(
            UserRole.tenant_id == User.tenant_id,
            UserRole.user_id == User.id,
            Organization.tenant_id == UserRole.tenant_id,
            Organization.id == UserRole.organization_id,
        )
        .where(below(managed_paths(visitor)))
    )
    support = sa.exists().where(
        SupportAccess.tenant_id == User.tenant_id, SupportAccess.user_id == User.id
    )
    known = sa.or_(inside, ~roles) if manages_everything(visitor) else inside
    return sa.and_(known, ~support)


def managed_user(
    session: AnySession, visitor: Visitor, user_id: int, *, lock: bool = False
) -> User:
    """A user that the visitor knows of; raises ``NotVisible``.

    ``lock`` holds the row against others until the transaction ends.
    """
    statement = sa.select(User).where(
        User.tenant_id == current_tenant_id(), User.id == user_id, managed(visitor)
    )
    if lock:
        statement = statement.with_for_update()
    user = session.scalars(statement).one_or_none()
    if user is None:
        raise NotVisible
    return user


def entirely_managed(session: AnySession, visitor: Visitor, user: User) -> bool:
    """Whether all roles of a user, if any, are in the visitor's part of the tree."""
    outside = session.scalar(
        sa.select(sa.literal(1))
        .select_from(UserRole)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(UserRole.user_id == user.id, ~below(managed_paths(visitor)))
        .limit(1)
    )
    return outside is None
