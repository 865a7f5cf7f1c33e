"""Making users, setting passwords and signing in: one transaction each, with its audit entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from guiju.accounts import passwords
from guiju.accounts.models import SignInAttempt, User, UserRole
from guiju.accounts.permissions import ROLES
from guiju.audit.operations import Actor, record
from guiju.db.scope import operator_scope, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import Tenant

#: So many failures in a row, the first not longer ago than so long, lock an account; it
#: opens again when the first of them is that old.
MOST_FAILURES = 5
LOCK = timedelta(minutes=15)


class Refusal(StrEnum):
    """Why nobody was signed in; ``WRONG`` says no more on purpose."""

    WRONG = "wrong"
    LOCKED = "locked"


class SignInRefused(Exception):
    """The sign-in failed; ``reason`` is what the user may be told."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SignedIn:
    """Who signed in."""

    tenant_id: int
    user_id: int


def create_user(
    session: AnySession,
    actor: Actor,
    username: str,
    name: str,
    roles: Iterable[tuple[str, int]],
    *,
    password: str | None = None,
) -> tuple[User, str | None]:
    """Add a user with roles, pairs of a role and the number of an organization.

    Returns the user and, where no ``password`` is given, the one made up: it is shown once
    and kept nowhere.  Raises ``BadInput`` for a taken or malformed username, an unknown role
    or a weak password.
    """
    with transaction(session):
        return add_user(session, actor, username, name, roles, password=password)


def add_user(
    session: AnySession,
    actor: Actor,
    username: str,
    name: str,
    roles: Iterable[tuple[str, int]],
    *,
    password: str | None = None,
) -> tuple[User, str | None]:
    """As :func:`create_user`, in the caller's transaction."""
    granted = list(roles)
    _check_new(session, username, [role for role, _organization in granted])
    made_up = passwords.generate() if password is None else None
    if password is not None:
        passwords.check(password, username)
    user = User(
        username=username,
        name=name,
        password_hash=passwords.hashed(password or str(made_up)),
        password_set_at=datetime.now(UTC),
        roles=[UserRole(role=role, organization_id=place) for role, place in granted],
    )
    session.add(user)
    session.flush()
    after = {"name": name, "roles": [list(grant) for grant in granted]}
    record(session, actor, "user.create", "user", username, after=after)
    return user, made_up


def set_password(
    session: AnySession, actor: Actor, user_id: int, password: str | None = None
) -> str | None:
    """Give a user a new password; returns the one made up where none is given.

    Failures to sign in are forgotten with it.  Raises ``BadInput`` for a weak one.
    """
    with transaction(session):
        user = session.scalars(sa.select(User).where(User.id == user_id)).one()
        made_up = passwords.generate() if password is None else None
        if password is not None:
            passwords.check(password, user.username)
        user.password_hash = passwords.hashed(password or str(made_up))
        user.password_set_at = datetime.now(UTC)
        record(session, actor, "user.set_password", "user", user.username)
    return made_up


def authenticate(
    session: AnySession,
    sign_in_name: str,
    password: str,
    *,
    address: str | None = None,
    now: datetime | None = None,
) -> SignedIn:
    """Sign in as ``username@tenant``; the caller is in no scope and the session is fresh.

    Every attempt on a user there is is kept, and counts.  Raises ``SignInRefused``.
    """
    now = now or datetime.now(UTC)
    username, _at, tenant_code = sign_in_name.strip().rpartition("@")
    with operator_scope("sign in"):
        tenant_id = session.scalar(
            sa.select(Tenant.id).where(Tenant.code == tenant_code, Tenant.state == "active")
        )
        session.rollback()
    if tenant_id is None:
        passwords.matches(password, None)
        raise SignInRefused(Refusal.WRONG)
    with tenant_scope(tenant_id):
        with transaction(session):
            outcome = _attempt(session, username, password, address, now)
        session.expunge_all()
        if isinstance(outcome, Refusal):
            raise SignInRefused(outcome)
    return SignedIn(tenant_id, outcome)


def _attempt(
    session: AnySession, username: str, password: str, address: str | None, now: datetime
) -> int | Refusal:
    """The number of the user, or why not; the attempt is written down either way."""
    # Locked, so that guesses made at the same time are counted one after the other.
    user = session.scalars(
        sa.select(User).where(User.username == username, User.active).with_for_update()
    ).one_or_none()
    if user is None:
        passwords.matches(password, None)
        return Refusal.WRONG
    if _is_locked(session, user, now):
        return Refusal.LOCKED
    succeeded = passwords.matches(password, user.password_hash)
    session.add(
        SignInAttempt(user_id=user.id, succeeded=succeeded, address=address, created_at=now)
    )
    actor = Actor(user.name, user.id, address)
    record(session, actor, "sign_in" if succeeded else "sign_in.refuse", "user", username)
    if not succeeded:
        return Refusal.WRONG
    if passwords.is_outdated(str(user.password_hash)):
        user.password_hash = passwords.hashed(password)
    return user.id


def _is_locked(session: AnySession, user: User, now: datetime) -> bool:
    since = max(now - LOCK, user.password_set_at or now - LOCK)
    latest = session.scalars(
        sa.select(SignInAttempt.succeeded)
        .where(SignInAttempt.user_id == user.id, SignInAttempt.created_at > since)
        .order_by(SignInAttempt.created_at.desc(), SignInAttempt.id.desc())
        .limit(MOST_FAILURES)
    ).all()
    return len(latest) == MOST_FAILURES and not any(latest)


def _check_new(session: AnySession, username: str, roles: list[str]) -> None:
    problems = []
    if not username or "@" in username or username != username.strip():
        wanted = _("用户名不能为空，不能含 @ 或首尾空格")
        problems.append(Problem("/username", username, wanted, "malformed"))
    elif session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        problems.append(Problem("/username", username, _("这个用户名已被使用"), "taken"))
    problems += [
        Problem("/roles", role, _("没有这个角色"), "unknown_role")
        for role in roles
        if role not in ROLES
    ]
    if problems:
        raise BadInput(problems)
