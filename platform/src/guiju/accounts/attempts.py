"""Guesses at what somebody signs in with: counted wherever they are made, and stopped.

Wrong passwords and codes count alike, at the door and inside, so that neither a stranger nor
who found a browser open gets to try them all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guiju.accounts.models import SignInAttempt, User
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: So many failures in a row, the first not longer ago than so long, lock an account; it
#: opens again when the first of them is that old.
MOST_FAILURES = 5
LOCK = timedelta(minutes=15)


def note_attempt(
    session: AnySession, user: User, address: str | None, now: datetime, *, succeeded: bool
) -> None:
    """Write an attempt down, in the caller's transaction."""
    session.add(
        SignInAttempt(user_id=user.id, succeeded=succeeded, address=address, created_at=now)
    )
    actor = Actor(user.name, user.id, address)
    record(session, actor, "sign_in" if succeeded else "sign_in.refuse", "user", user.username)


def is_locked(session: AnySession, user: User, now: datetime) -> bool:
    """Whether nothing is accepted for a user at the moment, right or wrong."""
    since = max(now - LOCK, user.password_set_at or now - LOCK)
    latest = session.scalars(
        sa.select(SignInAttempt.succeeded)
        .where(SignInAttempt.user_id == user.id, SignInAttempt.created_at > since)
        .order_by(SignInAttempt.created_at.desc(), SignInAttempt.id.desc())
        .limit(MOST_FAILURES)
    ).all()
    return len(latest) == MOST_FAILURES and not any(latest)


def locked_for() -> str:
    """What somebody is told whose account is locked."""
    minutes = int(LOCK.total_seconds()) // 60
    return _("连续多次输错，账号已暂时锁定，请 {minutes} 分钟后再试。").format(minutes=minutes)


def demand_proof(
    session: AnySession,
    visitor: Visitor,
    proves: Callable[[User], bool],
    wrong: Problem,
    *,
    now: datetime | None = None,
) -> None:
    """Let somebody already signed in prove once more who they are.

    ``proves`` looks at the visitor's row, held against others.  A transaction of its own, so
    that a failure stays counted whatever comes of the rest.  Raises ``BadInput`` with
    ``wrong``, or at its place where the account is locked.
    """
    now = now or datetime.now(UTC)
    problem: Problem | None = None
    with transaction(session):
        user = session.scalars(
            sa.select(User).where(User.id == visitor.user_id).with_for_update()
        ).one()
        if is_locked(session, user, now):
            problem = Problem(wrong.place, wrong.found, locked_for(), "locked")
        elif not proves(user):
            note_attempt(session, user, visitor.address, now, succeeded=False)
            problem = wrong
    if problem is not None:
        raise BadInput([problem])
