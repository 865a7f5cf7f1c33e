"""Signing in: the password, the code of the second factor, and the session that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from guiju.accounts import passwords, second_factor
from guiju.accounts.attempts import is_locked, note_attempt
from guiju.accounts.models import User, UserSession
from guiju.accounts.sealing import Seal
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.scope import operator_scope, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.tenancy.models import Tenant

#: After the password there is so much time for the code.
CODE_WITHIN = timedelta(minutes=10)

_LONGEST_AGENT = 300


class Refusal(StrEnum):
    """Why nobody was signed in; ``WRONG`` says no more on purpose."""

    WRONG = "wrong"
    LOCKED = "locked"
    #: The password was right, but too long ago.
    LATE = "late"


class SignInRefused(Exception):
    """The sign-in failed; ``reason`` is what the user may be told."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, or will have with a code of their second factor (``needs_code``)."""

    tenant_id: int
    user_id: int
    needs_code: bool = False


def find_tenant(session: AnySession, code: str, reason: str) -> int | None:
    """The number of an active tenant by its short name; in no scope."""
    with operator_scope(reason):
        found: int | None = session.scalar(
            sa.select(Tenant.id).where(Tenant.code == code, Tenant.state == "active")
        )
        session.rollback()
    return found


def authenticate(
    session: AnySession,
    sign_in_name: str,
    password: str,
    *,
    address: str | None = None,
    now: datetime | None = None,
) -> SignedIn:
    """Sign in as ``username@tenant``; the caller is in no scope and the session is fresh.

    Every attempt on a user there is is kept, and counts.  Where the answer ``needs_code``,
    nobody is signed in before :func:`confirm_code`.  Raises ``SignInRefused``.
    """
    now = now or datetime.now(UTC)
    username, _at, tenant_code = sign_in_name.strip().rpartition("@")
    tenant_id = find_tenant(session, tenant_code, "sign in")
    if tenant_id is None:
        passwords.matches(password, None)
        raise SignInRefused(Refusal.WRONG)
    with tenant_scope(tenant_id):
        with transaction(session):
            outcome = _check_password(session, username, password, address, now)
        session.expunge_all()
    if isinstance(outcome, Refusal):
        raise SignInRefused(outcome)
    return SignedIn(tenant_id, *outcome)


def confirm_code(
    session: AnySession,
    seal: Seal,
    signed_in: SignedIn,
    code: str,
    since: datetime,
    *,
    address: str | None = None,
    now: datetime | None = None,
) -> None:
    """Finish the sign-in of :func:`authenticate`, made at ``since``, with a code.

    The code is that of the moment, or an unused recovery code; none is taken twice.  The
    caller is in no scope and the session is fresh.  Raises ``SignInRefused``.
    """
    now = now or datetime.now(UTC)
    with tenant_scope(signed_in.tenant_id):
        with transaction(session):
            outcome = _check_code(session, seal, signed_in.user_id, code, since, address, now)
        session.expunge_all()
    if outcome is not None:
        raise SignInRefused(outcome)


def begin_session(
    session: AnySession, user_id: int, *, address: str | None = None, agent: str | None = None
) -> int:
    """Open a session of a user who signed in, in the tenant's scope; returns its number."""
    with transaction(session):
        now = datetime.now(UTC)
        row = UserSession(
            user_id=user_id,
            begun_at=now,
            seen_at=now,
            address=address,
            agent=agent and agent[:_LONGEST_AGENT],
        )
        session.add(row)
        session.flush()
        return row.id


def touch_session(session: AnySession, session_id: int) -> None:
    """Note that somebody works in a session; asked for once a minute at most."""
    with transaction(session):
        session.execute(
            sa.update(UserSession)
            .where(UserSession.id == session_id)
            .values(seen_at=sa.func.clock_timestamp())
        )


def end_session(session: AnySession, actor: Actor, user_id: int, session_id: int) -> bool:
    """Sign a user out of one browser; False where no such session of theirs is open."""
    with transaction(session):
        ended = session.scalar(
            sa.update(UserSession)
            .where(
                UserSession.id == session_id,
                UserSession.user_id == user_id,
                UserSession.ended_at.is_(None),
            )
            .values(ended_at=sa.func.now())
            .returning(UserSession.id)
        )
        if ended is None:
            return False
        record(session, actor, "sign_out", "session", session_id)
    return True


def open_sessions(session: AnySession, visitor: Visitor) -> list[UserSession]:
    """The visitor's sessions that have not ended, the latest used first."""
    now, policy = datetime.now(UTC), visitor.policy
    return list(
        session.scalars(
            sa.select(UserSession)
            .where(
                UserSession.user_id == visitor.user_id,
                UserSession.ended_at.is_(None),
                UserSession.begun_at > now - timedelta(hours=policy.longest_hours),
                # To the minute, as it is noted.
                UserSession.seen_at > now - timedelta(minutes=policy.idle_minutes + 1),
            )
            .order_by(UserSession.seen_at.desc())
        )
    )


def _check_password(
    session: AnySession, username: str, password: str, address: str | None, now: datetime
) -> tuple[int, bool] | Refusal:
    """The number of the user and whether a code is wanted, or why not."""
    # Locked, so that guesses made at the same time are counted one after the other.
    user = session.scalars(
        sa.select(User).where(User.username == username, User.active).with_for_update()
    ).one_or_none()
    if user is None:
        passwords.matches(password, None)
        return Refusal.WRONG
    if is_locked(session, user, now):
        return Refusal.LOCKED
    if not passwords.matches(password, user.password_hash):
        note_attempt(session, user, address, now, succeeded=False)
        return Refusal.WRONG
    if passwords.is_outdated(str(user.password_hash)):
        user.password_hash = passwords.hashed(password)
    if user.totp_since is not None:
        return user.id, True
    note_attempt(session, user, address, now, succeeded=True)
    return user.id, False


def _check_code(
    session: AnySession,
    seal: Seal,
    user_id: int,
    code: str,
    since: datetime,
    address: str | None,
    now: datetime,
) -> Refusal | None:
    user = session.scalars(
        sa.select(User).where(User.id == user_id, User.active).with_for_update()
    ).one_or_none()
    # A password changed meanwhile, or a second factor taken away, is a reason to begin anew.
    if (
        user is None
        or user.totp_since is None
        or now > since + CODE_WITHIN
        or (user.password_set_at is not None and user.password_set_at > since)
    ):
        return Refusal.LATE
    if is_locked(session, user, now):
        return Refusal.LOCKED
    accepted = second_factor.accept(session, seal, user, code, now)
    note_attempt(session, user, address, now, succeeded=accepted)
    return None if accepted else Refusal.WRONG
