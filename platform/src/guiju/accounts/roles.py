"""Giving and taking roles, and letting people in or not: one transaction each, audited.

Nobody gives a role above or beside their own part of the tree, changes their own roles, or
leaves the tenant without somebody who can put things right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.models import User, UserRole
from guiju.accounts.permissions import (
    KEPT_APART,
    ROLES,
    SEPARATED,
    WHOLE_TENANT,
    allows,
    role_label,
)
from guiju.accounts.policies import policy_of
from guiju.accounts.queries import held_on
from guiju.accounts.reach import (
    PERMISSION,
    NotVisible,
    managed_user,
    manages_everything,
)
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem


@dataclass(frozen=True)
class Grant:
    """A role to be given on an organization, until a last day or until revoked."""

    role: str
    organization_id: int
    until_on: date | None = None


def grant_role(session: AnySession, visitor: Visitor, user_id: int, grant: Grant) -> int:
    """Give a role; returns the number of the ``user_roles`` row.

    A role that the user has already on the very organization gets the new last day.  Raises
    ``NotVisible`` for a user or unit that is not the visitor's, ``BadInput`` at ``/roles`` or
    ``/until_on``.
    """
    with transaction(session):
        user = managed_user(session, visitor, user_id, lock=True)
        if problems := check_grants(session, visitor, user, [grant]):
            raise BadInput(problems)
        row = add_role(session, user, grant)
        keep_administrators(session)
        after = {
            "role": grant.role,
            "organization": grant.organization_id,
            "until_on": grant.until_on,
        }
        record(session, visitor.actor(), "role.grant", "user", user.username, after=after)
        return row.id


def revoke_role(session: AnySession, visitor: Visitor, role_id: int) -> None:
    """Take a role away, and with it what was delegated of it.

    Raises ``NotVisible``, and ``BadInput`` at ``/roles`` for one's own and for the last
    administrator's.
    """
    with transaction(session):
        row, user = managed_role(session, visitor, role_id)
        if user.id == visitor.user_id:
            raise BadInput([_own_roles()])
        end_role(session, visitor.actor(), user, row)
        keep_administrators(session)


def set_active(session: AnySession, visitor: Visitor, user: User, *, active: bool) -> None:
    """Let a user in again, or not any more, in the caller's transaction."""
    user.active = active
    session.flush()
    if not active:
        keep_administrators(session)
    action = "user.activate" if active else "user.deactivate"
    record(session, visitor.actor(), action, "user", user.username)


def managed_role(session: AnySession, visitor: Visitor, role_id: int) -> tuple[UserRole, User]:
    """A role within the visitor's part of the tree and whose it is, both locked.

    Raises ``NotVisible``.
    """
    found = session.execute(
        sa.select(UserRole, User, Organization.__table__.c.path)
        .join(User, sa.and_(User.tenant_id == UserRole.tenant_id, User.id == UserRole.user_id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(UserRole.tenant_id == current_tenant_id(), UserRole.id == role_id)
        .with_for_update(of=[UserRole, User])
    ).one_or_none()
    if found is None or not visitor.may(PERMISSION, found[2]):
        raise NotVisible
    return found[0], found[1]


def add_role(session: AnySession, user: User, grant: Grant) -> UserRole:
    """Add a checked role, or give the one there is its new end, in the caller's transaction."""
    row = session.scalars(
        sa.select(UserRole).where(
            UserRole.user_id == user.id,
            UserRole.organization_id == grant.organization_id,
            UserRole.role == grant.role,
        )
    ).one_or_none()
    if row is None:
        row = UserRole(user_id=user.id, organization_id=grant.organization_id, role=grant.role)
        session.add(row)
    elif row.until_on is not None and row.until_on < clock.today():
        # Held anew: from now on, not since the first time.
        row.created_at = sa.func.now()
    row.until_on = grant.until_on
    session.flush()
    return row


def end_role(session: AnySession, actor: Actor, user: User, row: UserRole) -> None:
    """Take a role away in the caller's transaction."""
    before = {
        "role": row.role,
        "organization": row.organization_id,
        "since": row.created_at,
        "until_on": row.until_on,
    }
    session.execute(sa.delete(UserRole).where(UserRole.id == row.id))
    session.expire_all()
    record(session, actor, "role.revoke", "user", user.username, before=before)


def check_grants(
    session: AnySession, visitor: Visitor, user: User | None, grants: Sequence[Grant]
) -> list[Problem]:
    """Why ``grants`` may not be given to a user (None: one about to be added).

    Raises ``NotVisible`` for a unit whose accounts the visitor does not manage.
    """
    if user is not None and user.id == visitor.user_id:
        return [_own_roles()]
    problems: list[Problem] = []
    for grant in grants:
        problems += _check_grant(session, visitor, grant)
    held = set() if user is None else _roles_of(session, user.id)
    apart = {*held, *(grant.role for grant in grants)} & set(KEPT_APART)
    if policy_of(session).separated and len(apart) > 1:
        found = _("、").join(role_label(role) for role in KEPT_APART if role in apart)
        wanted = _("本单位实行三员分立，一人只能担任其中一种")
        problems.append(Problem("/roles", found, wanted, "held_together"))
    return problems


def grantable_roles(visitor: Visitor) -> tuple[str, ...]:
    """The roles that the visitor may give at the top of their part of the tree."""
    whole = manages_everything(visitor)
    return tuple(role for role in ROLES if whole or role not in WHOLE_TENANT)


def keep_administrators(session: AnySession) -> None:
    """Refuse a change, already flushed, that leaves nobody to put things right.

    There always is somebody at the tenant's root who can sign in and manages accounts, and
    somebody who manages the rest.  Raises ``BadInput`` at ``/roles``.
    """
    separated = policy_of(session).separated
    # Locked, so that two administrators cannot remove each other at the same time.
    left = session.execute(
        sa.select(UserRole.role)
        .join(User, sa.and_(User.tenant_id == UserRole.tenant_id, User.id == UserRole.user_id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(
            UserRole.tenant_id == current_tenant_id(),
            Organization.parent_id.is_(None),
            UserRole.role.in_(KEPT_APART),
            # A role with an end would leave nobody some day.
            UserRole.until_on.is_(None),
            User.active,
            User.password_hash.is_not(None),
        )
        .order_by(UserRole.id)
        .with_for_update(of=[UserRole, User])
    ).scalars()
    roles = set(left)
    needed = ("organization.manage", *sorted(SEPARATED))
    lacking = [
        permission
        for permission in needed
        if not any(allows(role, permission, separated=separated) for role in roles)
    ]
    if lacking:
        role = next(role for role in ROLES if allows(role, lacking[0], separated=separated))
        wanted = _("须有另一人先接任，否则没有人能管理本单位")
        raise BadInput([Problem("/roles", role_label(role), wanted, "last_administrator")])


def _check_grant(session: AnySession, visitor: Visitor, grant: Grant) -> list[Problem]:
    place = session.execute(
        sa.select(Organization.__table__.c.path, Organization.parent_id).where(
            Organization.tenant_id == current_tenant_id(),
            Organization.id == grant.organization_id,
        )
    ).one_or_none()
    if place is None or not visitor.may(PERMISSION, place.path):
        raise NotVisible
    problems = []
    if grant.role not in ROLES:
        problems.append(Problem("/roles", grant.role, _("没有这个角色"), "unknown_role"))
    elif grant.role in WHOLE_TENANT and place.parent_id is not None:
        wanted = _("此角色涉及整个单位，只能设在顶层组织")
        problems.append(Problem("/roles", role_label(grant.role), wanted, "root_only"))
    if grant.until_on is not None and grant.until_on < clock.today():
        wanted = _("应不早于今天")
        problems.append(Problem("/until_on", grant.until_on.isoformat(), wanted, "past"))
    return problems


def _roles_of(session: AnySession, user_id: int) -> set[str]:
    """Roles that a user holds today or did not lose yet, delegated ones included."""
    held = held_on(clock.today())
    return set(
        session.scalars(
            sa.select(held.c.role).where(
                held.c.tenant_id == current_tenant_id(), held.c.user_id == user_id
            )
        )
    )


def _own_roles() -> Problem:
    wanted = _("自己的角色须由另一位管理员更改")
    return Problem("/roles", _("这是您自己的账号"), wanted, "own")
