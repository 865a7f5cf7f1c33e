"""Doing another's work for some days: visible as that, and over by itself.

The visitor delegates roles of their own; each function is one transaction with its audit
entry.  What nobody does in another's stead is in
:data:`guiju.accounts.permissions.UNDELEGATED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import orm

from guiju import clock
from guiju.accounts.models import Delegation, User, UserRole
from guiju.accounts.permissions import (
    DELEGABLE,
    KEPT_APART,
    PERMISSIONS,
    UNDELEGATED,
    allows,
)
from guiju.accounts.policies import policy_of
from guiju.accounts.queries import held_on
from guiju.accounts.reach import PERMISSION, NotVisible
from guiju.accounts.visitors import Post, Visitor
from guiju.audit.operations import record
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem

#: For longer than this, give the role itself.
LONGEST = timedelta(days=180)


@dataclass(frozen=True)
class DelegationSummary:
    """A delegation as pages list it."""

    id: int
    role: str
    organization: str
    #: Whose role it is, and who does the work.
    giver: str
    taker: str
    from_on: date
    until_on: date
    reason: str | None


def delegable(visitor: Visitor) -> list[Post]:
    """The visitor's own posts whose work somebody else may do.

    Who comes with a token gives no more than the token allows.
    """
    return [
        post
        for post in visitor.posts
        if post.instead_of is None
        and post.role in DELEGABLE
        and (visitor.scopes is None or _given(visitor, post.role) <= visitor.scopes)
    ]


def _given(visitor: Visitor, role: str) -> set[str]:
    """What somebody may do in another's stead by a role."""
    return {
        permission
        for permission in PERMISSIONS.keys() - UNDELEGATED
        if allows(role, permission, separated=visitor.separated)
    }


def delegate(
    session: AnySession,
    visitor: Visitor,
    role_id: int,
    username: str,
    from_on: date,
    until_on: date,
    reason: str | None = None,
) -> int:
    """Let a colleague do the work of one of the visitor's own roles from day to day.

    Colleagues are users with a role at the organization, below it or above it.  Returns the
    delegation's number.  Raises ``NotVisible`` for a role that is not the visitor's, and
    ``BadInput`` at ``/username``, ``/from_on`` or ``/until_on``.
    """
    post = next((post for post in delegable(visitor) if post.role_id == role_id), None)
    if post is None:
        raise NotVisible
    with transaction(session):
        problems = _check_days(post, from_on, until_on)
        taker = _colleague(session, post, username.strip())
        if taker is None:
            wanted = _("应为在本单位或其上下级有角色的人的用户名")
            problems.append(Problem("/username", username, wanted, "unknown"))
        elif taker.id == visitor.user_id:
            problems.append(Problem("/username", username, _("请填写另一个人"), "same"))
        elif not _may_take(session, post, taker):
            wanted = _("本单位实行三员分立，此人已担任另一种管理员")
            problems.append(Problem("/username", username, wanted, "held_together"))
        if problems or taker is None:
            raise BadInput(problems)
        row = Delegation(
            role_id=role_id,
            user_id=taker.id,
            from_on=from_on,
            until_on=until_on,
            reason=(reason or "").strip() or None,
        )
        session.add(row)
        session.flush()
        after = {
            "role": post.role,
            "organization": post.organization_id,
            "to": taker.username,
            "from_on": from_on,
            "until_on": until_on,
        }
        record(session, visitor.actor(), "role.delegate", "delegation", row.id, after=after)
        return row.id


def end_delegation(session: AnySession, visitor: Visitor, delegation_id: int) -> None:
    """End a delegation at once: who gave it, who took it, and the unit's account manager may.

    Raises ``NotVisible``.
    """
    with transaction(session):
        row = _open(session, visitor, delegation_id, lock=True)
        row.ended_at = datetime.now(UTC)
        record(session, visitor.actor(), "role.end_delegation", "delegation", row.id)


def delegation(session: AnySession, visitor: Visitor, delegation_id: int) -> DelegationSummary:
    """A delegation that did not end, for those who may end it.  Raises ``NotVisible``."""
    row = _open(session, visitor, delegation_id)
    return DelegationSummary(*session.execute(_summaries().where(Delegation.id == row.id)).one())


def _open(
    session: AnySession, visitor: Visitor, delegation_id: int, *, lock: bool = False
) -> Delegation:
    """A delegation that did not end and is the visitor's to end."""
    select = (
        sa.select(Delegation, UserRole.user_id, Organization.__table__.c.path)
        .join(
            UserRole,
            sa.and_(UserRole.tenant_id == Delegation.tenant_id, UserRole.id == Delegation.role_id),
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(
            Delegation.tenant_id == current_tenant_id(),
            Delegation.id == delegation_id,
            Delegation.ended_at.is_(None),
        )
    )
    if lock:
        select = select.with_for_update(of=Delegation)
    found = session.execute(select).one_or_none()
    if found is None:
        raise NotVisible
    row: Delegation = found[0]
    giver, path = found[1:]
    if visitor.user_id not in {giver, row.user_id} and not visitor.may(PERMISSION, path):
        raise NotVisible
    return row


def delegations_of(session: AnySession, user_id: int) -> list[DelegationSummary]:
    """Delegations to or from a user that last or are yet to come."""
    rows = session.execute(
        _summaries()
        .where(
            Delegation.ended_at.is_(None),
            Delegation.until_on >= clock.today(),
            sa.or_(UserRole.user_id == user_id, Delegation.user_id == user_id),
        )
        .order_by(Delegation.from_on, Delegation.id)
    )
    return [DelegationSummary(*row) for row in rows]


def _summaries() -> sa.Select[int, str, str, str, str, date, date, str | None]:
    """What :class:`DelegationSummary` says of each delegation."""
    giver, taker = orm.aliased(User), orm.aliased(User)
    return (
        sa.select(
            Delegation.id,
            UserRole.role,
            Organization.name,
            giver.name,
            taker.name,
            Delegation.from_on,
            Delegation.until_on,
            Delegation.reason,
        )
        .join(
            UserRole,
            sa.and_(UserRole.tenant_id == Delegation.tenant_id, UserRole.id == Delegation.role_id),
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .join(giver, sa.and_(giver.tenant_id == UserRole.tenant_id, giver.id == UserRole.user_id))
        .join(
            taker, sa.and_(taker.tenant_id == Delegation.tenant_id, taker.id == Delegation.user_id)
        )
        .where(Delegation.tenant_id == current_tenant_id())
    )


def _check_days(post: Post, from_on: date, until_on: date) -> list[Problem]:
    problems = []
    if from_on < clock.today():
        wanted = _("应不早于今天")
        problems.append(Problem("/from_on", from_on.isoformat(), wanted, "past"))
    if until_on < from_on:
        wanted = _("应不早于开始日期")
        problems.append(Problem("/until_on", until_on.isoformat(), wanted, "order"))
    elif until_on - from_on > LONGEST:
        wanted = _("最长 {days} 天；更久的，请管理员直接授予角色").format(days=LONGEST.days)
        problems.append(Problem("/until_on", until_on.isoformat(), wanted, "too_long"))
    elif post.until_on is not None and until_on > post.until_on:
        wanted = _("您的这个角色到 {day} 为止").format(day=post.until_on.isoformat())
        problems.append(Problem("/until_on", until_on.isoformat(), wanted, "too_long"))
    return problems


def _colleague(session: AnySession, post: Post, username: str) -> User | None:
    path = Organization.__table__.c.path
    return session.scalars(
        sa.select(User).where(
            User.tenant_id == current_tenant_id(),
            User.username == username,
            User.active,
            sa.exists().where(
                UserRole.tenant_id == User.tenant_id,
                UserRole.user_id == User.id,
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
                sa.or_(
                    sa.func.starts_with(path, post.path),
                    sa.func.starts_with(sa.literal(post.path), path),
                ),
            ),
        )
    ).one_or_none()


def _may_take(session: AnySession, post: Post, taker: User) -> bool:
    """Whether taking the role leaves the taker one of the three administrators at most."""
    if not policy_of(session).separated or post.role not in KEPT_APART:
        return True
    held = held_on(clock.today())
    others = session.scalars(
        sa.select(held.c.role).where(
            held.c.tenant_id == current_tenant_id(), held.c.user_id == taker.id
        )
    )
    return not ({*others} & set(KEPT_APART)) - {post.role}
