"""Lists of users and of their roles, as far as an account manager knows of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.models import SignInAttempt, User, UserRole
from guiju.accounts.reach import below, managed, managed_paths
from guiju.accounts.visitors import Visitor
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization

#: What lists can be sorted by.
ORDERS = ("name", "username", "last_sign_in", "created")

#: ``active`` users can sign in, ``invited`` ones chose no password yet.
STATES = ("active", "invited", "inactive")


@dataclass(frozen=True)
class HeldRole:
    """A role of a user, as lists show it; ``path`` is its organization's."""

    id: int
    user_id: int
    role: str
    organization_id: int
    organization: str
    path: str
    since: datetime
    until_on: date | None


@dataclass(frozen=True)
class ListedUser:
    """A user with those of their roles that the visitor manages."""

    id: int
    username: str
    name: str
    email: str | None
    #: One of :data:`STATES`.
    state: str
    second_factor: bool
    created_at: datetime
    last_sign_in: datetime | None
    roles: tuple[HeldRole, ...]


@dataclass(frozen=True)
class UserList:
    """One page of users, and how many there are on all pages."""

    items: list[ListedUser]
    total: int


def list_users(
    session: AnySession,
    visitor: Visitor,
    *,
    text: str = "",
    role: str | None = None,
    state: str | None = None,
    order_by: str = "name",
    falling: bool = False,
    offset: int = 0,
    limit: int | None = 50,
) -> UserList:
    """Users that the visitor knows of.

    ``text`` is part of a name, username, e-mail address or of a unit's name; ``role`` is held
    within the visitor's part of the tree; ``state`` is one of :data:`STATES`, ``order_by`` of
    :data:`ORDERS`.
    """
    condition = sa.and_(User.tenant_id == current_tenant_id(), managed(visitor))
    if text:
        condition = sa.and_(condition, _contains(visitor, text))
    if role:
        condition = sa.and_(condition, _holds(visitor, UserRole.role == role))
    if state:
        condition = sa.and_(condition, _STATE_CONDITIONS[state])
    total: int = session.scalars(
        sa.select(sa.func.count()).select_from(User).where(condition)
    ).one()
    last = (
        sa.select(sa.func.max(SignInAttempt.created_at))
        .where(
            SignInAttempt.tenant_id == User.tenant_id,
            SignInAttempt.user_id == User.id,
            SignInAttempt.succeeded,
        )
        .scalar_subquery()
    )
    keys: dict[str, Any] = {
        "name": User.name,
        "username": User.username,
        "last_sign_in": last,
        "created": User.created_at,
    }
    first = keys[order_by].desc() if falling else keys[order_by].asc()
    users = session.execute(
        sa.select(User, last)
        .where(condition)
        .order_by(first.nulls_last(), User.id)
        .offset(offset)
        .limit(limit)
    ).all()
    roles: dict[int, list[HeldRole]] = {user.id: [] for user, _last in users}
    for held in held_roles(session, visitor, list(roles)):
        roles[held.user_id].append(held)
    return UserList(
        [
            ListedUser(
                id=user.id,
                username=user.username,
                name=user.name,
                email=user.email,
                state=state_of(user),
                second_factor=user.totp_since is not None,
                created_at=user.created_at,
                last_sign_in=signed_in,
                roles=tuple(roles[user.id]),
            )
            for user, signed_in in users
        ],
        total,
    )


def state_of(user: User) -> str:
    """Which of :data:`STATES` a user is in."""
    if not user.active:
        return "inactive"
    return "active" if user.password_hash is not None else "invited"


def held_roles(
    session: AnySession, visitor: Visitor, user_ids: list[int] | None = None
) -> Iterator[HeldRole]:
    """Roles within the visitor's part of the tree that did not end, by organization.

    Of some users, or of all.
    """
    path = Organization.__table__.c.path
    statement = (
        sa.select(
            UserRole.id,
            UserRole.user_id,
            UserRole.role,
            UserRole.organization_id,
            Organization.name,
            path,
            UserRole.created_at,
            UserRole.until_on,
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(
            UserRole.tenant_id == current_tenant_id(),
            below(managed_paths(visitor)),
            sa.or_(UserRole.until_on.is_(None), UserRole.until_on >= clock.today()),
        )
        .order_by(path, UserRole.user_id, UserRole.role)
    )
    if user_ids is not None:
        statement = statement.where(UserRole.user_id.in_(user_ids))
    for row in session.execute(statement):
        yield HeldRole(*row)


_STATE_CONDITIONS = {
    "active": sa.and_(User.active, User.password_hash.is_not(None)),
    "invited": sa.and_(User.active, User.password_hash.is_(None)),
    "inactive": ~User.active,
}


def _holds(visitor: Visitor, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """That a user has a role within the visitor's part of the tree of which this holds."""
    return sa.exists().where(
        UserRole.tenant_id == User.tenant_id,
        UserRole.user_id == User.id,
        Organization.tenant_id == UserRole.tenant_id,
        Organization.id == UserRole.organization_id,
        below(managed_paths(visitor)),
        condition,
    )


def _contains(visitor: Visitor, text: str) -> sa.ColumnElement[bool]:
    # Not LIKE: what people type is not a pattern.
    columns = (User.name, User.username, sa.func.coalesce(User.email, ""))
    mine = [sa.func.strpos(sa.func.lower(column), text.lower()) > 0 for column in columns]
    return sa.or_(*mine, _holds(visitor, sa.func.strpos(Organization.name, text) > 0))
