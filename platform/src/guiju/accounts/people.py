"""What account managers do to users as a whole: one transaction each, with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from guiju.accounts import links, second_factor
from guiju.accounts.links import NewLink
from guiju.accounts.models import User, UserRole
from guiju.accounts.operations import check_person, end_sessions
from guiju.accounts.reach import NotAllowed, NotVisible, entirely_managed, managed_user
from guiju.accounts.roles import (
    Grant,
    add_role,
    check_grants,
    end_role,
    keep_administrators,
    set_active,
)
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import record
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem


@dataclass(frozen=True)
class Newcomer:
    """Somebody to be invited."""

    username: str
    name: str
    email: str | None = None


@dataclass(frozen=True)
class HandedOver:
    """What came of a handover: who has the roles now, and the link of who was invited."""

    user_id: int
    link: NewLink | None
    #: Whether the one before was left without a role and therefore signs in no more.
    deactivated: bool


def edit_user(
    session: AnySession, visitor: Visitor, user_id: int, name: str, email: str | None
) -> None:
    """Correct a user's name and e-mail address.

    Raises ``NotVisible``, ``NotAllowed`` where others manage the user too and for oneself
    (that takes one's password), and ``BadInput`` at ``/name`` or ``/email``.
    """
    name, email = name.strip(), (email or "").strip() or None
    with transaction(session):
        user = _whole(session, visitor, user_id)
        if user.id == visitor.user_id:
            raise NotAllowed
        if problems := check_person(name, email):
            raise BadInput(problems)
        before = {"name": user.name, "email": user.email}
        user.name, user.email = name, email
        after = {"name": name, "email": email}
        record(
            session, visitor.actor(), "user.edit", "user", user.username, before=before, after=after
        )


def deactivate(session: AnySession, visitor: Visitor, user_id: int) -> None:
    """Let a user in no more: sessions end, links become void, roles stay as they are.

    Raises ``NotVisible``, ``NotAllowed`` (oneself, too), and ``BadInput`` at ``/roles`` for the
    last administrator.
    """
    with transaction(session):
        user = _whole(session, visitor, user_id)
        if user.id == visitor.user_id:
            raise NotAllowed
        if user.active:
            set_active(session, visitor, user, active=False)
            end_sessions(session, user.id)
            links.void_links(session, user.id)


def reactivate(session: AnySession, visitor: Visitor, user_id: int) -> None:
    """Let a user in again.  Raises ``NotVisible`` or ``NotAllowed``."""
    with transaction(session):
        user = _whole(session, visitor, user_id)
        if not user.active:
            set_active(session, visitor, user, active=True)


def reset_second_factor(session: AnySession, visitor: Visitor, user_id: int) -> None:
    """Take the second factor away from somebody who lost it; their sessions end.

    Raises ``NotVisible``, and ``NotAllowed`` for oneself: that takes one's password.
    """
    with transaction(session):
        user = _whole(session, visitor, user_id)
        if user.id == visitor.user_id:
            raise NotAllowed
        second_factor.clear(session, visitor.actor(), user)
        end_sessions(session, user.id)


def hand_over(
    session: AnySession,
    visitor: Visitor,
    user_id: int,
    organization_id: int,
    successor: int | Newcomer,
    reason: str,
) -> HandedOver:
    """Give all that a user is on an organization to a successor, as when a secretary changes.

    ``successor`` is the number of a user that the visitor knows of, or somebody to invite.
    Who is left without a role signs in no more.  Raises ``NotVisible``, and ``BadInput`` at
    ``/roles``, ``/successor``, ``/reason`` or as :func:`guiju.accounts.links.invite`.
    """
    reason = reason.strip()
    if not reason:
        raise BadInput([Problem("/reason", _("没有填写"), _("请写明交接的原因"), "missing")])
    with transaction(session):
        user = managed_user(session, visitor, user_id, lock=True)
        if user.id == visitor.user_id:
            raise NotAllowed
        rows = session.scalars(
            sa.select(UserRole)
            .where(UserRole.user_id == user.id, UserRole.organization_id == organization_id)
            .order_by(UserRole.id)
        ).all()
        if not rows:
            raise NotVisible
        grants = [Grant(row.role, row.organization_id, row.until_on) for row in rows]
        new = _successor(session, visitor, successor, user)
        if problems := check_grants(session, visitor, new, grants):
            raise BadInput(problems)
        if new is None:
            new = _newcomer(session, visitor, successor)
        for row, grant in zip(rows, grants, strict=True):
            end_role(session, visitor.actor(), user, row)
            add_role(session, new, grant)
        deactivated = _deactivate_if_idle(session, visitor, user)
        keep_administrators(session)
        after = {
            "organization": organization_id,
            "successor": new.username,
            "roles": [grant.role for grant in grants],
            "reason": reason,
        }
        record(session, visitor.actor(), "role.hand_over", "user", user.username, after=after)
        invited = isinstance(successor, Newcomer)
        link = links.make_invitation(session, visitor.actor(), new) if invited else None
        return HandedOver(new.id, link, deactivated)


def _whole(session: AnySession, visitor: Visitor, user_id: int) -> User:
    user = managed_user(session, visitor, user_id, lock=True)
    if not entirely_managed(session, visitor, user):
        raise NotAllowed
    return user


def _successor(
    session: AnySession, visitor: Visitor, successor: int | Newcomer, user: User
) -> User | None:
    """The user who takes over; None for somebody to be invited."""
    if isinstance(successor, Newcomer):
        return None
    if successor == user.id:
        wanted = _("请选择另一个人")
        raise BadInput([Problem("/successor", user.name, wanted, "same")])
    found = managed_user(session, visitor, successor, lock=True)
    if not found.active:
        wanted = _("此账号已停用，请先恢复")
        raise BadInput([Problem("/successor", found.name, wanted, "inactive")])
    return found


def _newcomer(session: AnySession, visitor: Visitor, successor: int | Newcomer) -> User:
    assert isinstance(successor, Newcomer)
    return links.add_person(session, visitor, successor.username, successor.name, successor.email)


def _deactivate_if_idle(session: AnySession, visitor: Visitor, user: User) -> bool:
    left = session.scalar(
        sa.select(sa.func.count()).select_from(UserRole).where(UserRole.user_id == user.id)
    )
    if left or not user.active:
        return False
    user.active = False
    end_sessions(session, user.id)
    links.void_links(session, user.id)
    record(session, visitor.actor(), "user.deactivate", "user", user.username)
    return True
