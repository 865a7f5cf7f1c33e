"""One-time links by which somebody chooses a password: invitations, resets, recovery.

A link is shown to who made it, or mailed, and kept as a hash; it works once and for a time,
and a later one for the same user voids it.  Each function is one transaction with its audit
entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guiju.accounts import bearer, second_factor
from guiju.accounts.models import AccountLink, User, UserRole
from guiju.accounts.operations import (
    check_person,
    check_username,
    end_sessions,
    locked_user,
    replace_password,
)
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.policies import policy_of
from guiju.accounts.reach import PERMISSION, NotAllowed, entirely_managed, managed_user
from guiju.accounts.roles import Grant, add_role, check_grants
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.scope import current_tenant_id, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import Tenant

#: What links are for, and how long each works.
LIFETIMES = {
    # A new user chooses their first password.
    "invitation": timedelta(days=7),
    # Made by an account manager, handed over.
    "reset": timedelta(days=1),
    # Mailed to who forgot the password.
    "forgotten": timedelta(hours=1),
    # Made by the platform's operator; ends the second factor too.
    "recovery": timedelta(days=1),
}
PURPOSES = tuple(LIFETIMES)

#: Nobody is mailed links more often than this.
_MAIL_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class NewLink:
    """A link just made; the secret is shown once and kept nowhere."""

    user_id: int
    secret: str
    expires_at: datetime


@dataclass(frozen=True)
class OpenLink:
    """A link that works, as its landing page shows it."""

    purpose: str
    name: str
    username: str
    tenant: str
    tenant_code: str
    expires_at: datetime
    #: Fewest characters of the password to choose.
    shortest_password: int


@dataclass(frozen=True)
class LinkSummary:
    """A link as the page of its user lists it."""

    purpose: str
    made_by: str
    created_at: datetime
    expires_at: datetime
    #: ``open``, ``used``, ``void`` (a later link, or somebody, ended it) or ``expired``.
    state: str


class LinkRefused(Exception):
    """No such link, or it no longer works; which of them is not said."""


def invite(
    session: AnySession,
    visitor: Visitor,
    username: str,
    name: str,
    grants: Iterable[Grant],
    *,
    email: str | None = None,
    now: datetime | None = None,
) -> NewLink:
    """Add a user who chooses a password by the link returned.

    Raises ``NotVisible`` for units that the visitor does not manage accounts of, and
    ``BadInput`` at ``/username``, ``/name``, ``/email`` or ``/roles``.
    """
    granted = list(grants)
    with transaction(session):
        problems = []
        if not granted:
            found = _("没有选择")
            problems.append(Problem("/roles", found, _("请至少给一个角色"), "missing"))
        problems += check_grants(session, visitor, None, granted)
        user = add_person(session, visitor, username, name, email, problems)
        for grant in granted:
            add_role(session, user, grant)
        after = {"roles": [[grant.role, grant.organization_id] for grant in granted]}
        record(session, visitor.actor(), "role.grant", "user", user.username, after=after)
        return make_invitation(session, visitor.actor(), user, now=now)


def add_person(
    session: AnySession,
    visitor: Visitor,
    username: str,
    name: str,
    email: str | None,
    problems: Iterable[Problem] = (),
) -> User:
    """Add a user without password or role, in the caller's transaction.

    Raises ``BadInput`` with ``problems``, found by the caller, and those found here.
    """
    username, name, email = username.strip(), name.strip(), (email or "").strip() or None
    found = [*check_username(session, username), *check_person(name, email), *problems]
    if found:
        raise BadInput(found)
    user = User(username=username, name=name, email=email)
    session.add(user)
    session.flush()
    after = {"name": name, "email": email}
    record(session, visitor.actor(), "user.invite", "user", username, after=after)
    return user


def make_invitation(
    session: AnySession, actor: Actor, user: User, *, now: datetime | None = None
) -> NewLink:
    """The link for a user who has no password yet, in the caller's transaction."""
    return _make(session, actor, user, "invitation", now)


def send_anew(
    session: AnySession, visitor: Visitor, user_id: int, *, now: datetime | None = None
) -> NewLink:
    """Make a link by which a user of the visitor's chooses a password, first or new.

    Earlier links become void; sessions go on until the password is replaced.  Raises
    ``NotVisible``, and ``NotAllowed`` where others manage the user too and for oneself.
    """
    with transaction(session):
        user = managed_user(session, visitor, user_id, lock=True)
        whole = entirely_managed(session, visitor, user)
        # One's own password takes the old one, so that a stolen session does not last.
        if not whole or not user.active or user.id == visitor.user_id:
            raise NotAllowed
        purpose = "invitation" if user.password_hash is None else "reset"
        return _make(session, visitor.actor(), user, purpose, now)


def forgotten(session: AnySession, user_id: int, *, now: datetime | None = None) -> NewLink | None:
    """Make a link for somebody who says to have forgotten the password; to be mailed.

    Links that a manager made stay as they are: anybody can say so.  None for who has no e-mail
    address, never had a password, may not sign in, or got such a link a few minutes ago.
    """
    now = now or datetime.now(UTC)
    with transaction(session):
        user = session.scalars(
            sa.select(User)
            .where(
                User.id == user_id,
                User.active,
                User.email.is_not(None),
                User.password_hash.is_not(None),
            )
            .with_for_update()
        ).one_or_none()
        if user is None or _mailed_lately(session, user_id, now):
            return None
        return _make(session, Actor(user.name, user.id), user, "forgotten", now)


def _mailed_lately(session: AnySession, user_id: int, now: datetime) -> bool:
    found = session.scalar(
        sa.select(AccountLink.id)
        .where(
            AccountLink.user_id == user_id,
            AccountLink.purpose == "forgotten",
            AccountLink.created_at > now - _MAIL_EVERY,
        )
        .limit(1)
    )
    return found is not None


def recover(session: AnySession, actor: Actor, user_id: int) -> NewLink:
    """Let the operator give a tenant its administrator back; what the link ends it ends.

    The user becomes active again; the second factor goes when the link is used.
    """
    with transaction(session):
        user = locked_user(session, user_id)
        user.active = True
        return _make(session, actor, user, "recovery", None)


def find_recoverable(session: AnySession, username: str) -> int:
    """The number of an administrator of the whole tenant, for the operator to recover.

    Raises ``BadInput`` naming those there are.
    """
    rows = session.execute(
        sa.select(User.username, User.id)
        .join(UserRole, sa.and_(UserRole.tenant_id == User.tenant_id, UserRole.user_id == User.id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(Organization.parent_id.is_(None), UserRole.role.in_(PERMISSIONS[PERMISSION]))
        .order_by(User.id)
    )
    known: dict[str, int] = {row.username: row.id for row in rows}
    if username not in known:
        wanted = _("顶层组织的管理员有 {known}").format(known=_("、").join(known) or "—")
        place = _("用户 {name}").format(name=username)
        raise BadInput([Problem(place, _("不是顶层组织的管理员"), wanted, "unknown")])
    return known[username]


def find_link(session: AnySession, secret: str, *, now: datetime | None = None) -> OpenLink | None:
    """What a link is for; None for any that does not work.

    The caller is in no scope and the session is fresh, and afterwards both are so again.
    """
    tenant_id = bearer.tenant_of(secret)
    if tenant_id is None:
        return None
    with tenant_scope(tenant_id):
        found = _open(session, secret, now or datetime.now(UTC))
        shown = None if found is None else _shown(session, *found)
        session.rollback()
        session.expunge_all()
    return shown


def use_link(
    session: AnySession,
    secret: str,
    password: str,
    *,
    address: str | None = None,
    now: datetime | None = None,
) -> str:
    """Choose a password by a link, which is used up by it; returns the sign-in name.

    All sessions of the user end.  In no scope, as above.  Raises ``LinkRefused``, and
    ``BadInput`` at ``/password``, which leaves the link as it was.
    """
    now = now or datetime.now(UTC)
    tenant_id = bearer.tenant_of(secret)
    if tenant_id is None:
        raise LinkRefused
    with tenant_scope(tenant_id):
        try:
            with transaction(session):
                return _use(session, secret, password, address, now)
        finally:
            session.expunge_all()


def links_of(
    session: AnySession, user_id: int, *, now: datetime | None = None
) -> list[LinkSummary]:
    """A user's links, the newest first."""
    now = now or datetime.now(UTC)
    rows = session.scalars(
        sa.select(AccountLink)
        .where(AccountLink.user_id == user_id)
        .order_by(AccountLink.id.desc())
        .limit(20)
    )
    return [
        LinkSummary(row.purpose, row.made_by, row.created_at, row.expires_at, _state(row, now))
        for row in rows
    ]


def void_links(session: AnySession, user_id: int, now: datetime | None = None) -> None:
    """Void a user's open links, in the caller's transaction."""
    session.execute(
        sa.update(AccountLink)
        .where(AccountLink.user_id == user_id, AccountLink.closed_at.is_(None))
        .values(closed_at=now or datetime.now(UTC))
    )


def _make(
    session: AnySession, actor: Actor, user: User, purpose: str, now: datetime | None
) -> NewLink:
    now = now or datetime.now(UTC)
    if purpose != "forgotten":
        void_links(session, user.id, now)
    secret, kept = bearer.make(current_tenant_id())
    expires_at = now + LIFETIMES[purpose]
    session.add(
        AccountLink(
            user_id=user.id,
            purpose=purpose,
            token_hash=kept,
            made_by=actor.name,
            created_at=now,
            expires_at=expires_at,
        )
    )
    after = {"purpose": purpose, "expires_at": expires_at}
    record(session, actor, "link.make", "user", user.username, after=after)
    return NewLink(user.id, secret, expires_at)


def _open(
    session: AnySession, secret: str, now: datetime, *, lock: bool = False
) -> tuple[AccountLink, User, Tenant] | None:
    statement = (
        sa.select(AccountLink, User, Tenant)
        .join(
            User, sa.and_(User.tenant_id == AccountLink.tenant_id, User.id == AccountLink.user_id)
        )
        .join(Tenant, Tenant.id == User.tenant_id)
        .where(
            AccountLink.token_hash == bearer.hashed(secret),
            AccountLink.closed_at.is_(None),
            AccountLink.expires_at > now,
            User.active,
            Tenant.state == "active",
        )
    )
    if lock:
        statement = statement.with_for_update(of=[AccountLink, User])
    found = session.execute(statement).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


def _shown(session: AnySession, link: AccountLink, user: User, tenant: Tenant) -> OpenLink:
    return OpenLink(
        purpose=link.purpose,
        name=user.name,
        username=user.username,
        tenant=tenant.name,
        tenant_code=tenant.code,
        expires_at=link.expires_at,
        shortest_password=policy_of(session).shortest_password,
    )


def _use(
    session: AnySession, secret: str, password: str, address: str | None, now: datetime
) -> str:
    found = _open(session, secret, now, lock=True)
    if found is None:
        raise LinkRefused
    link, user, tenant = found
    replace_password(session, user, password, now=now)
    link.used = True
    void_links(session, user.id, now)
    end_sessions(session, user.id)
    actor = Actor(user.name, user.id, address)
    if link.purpose == "recovery" and user.totp_secret is not None:
        second_factor.clear(session, actor, user)
    after = {"purpose": link.purpose}
    record(session, actor, "link.use", "user", user.username, after=after)
    return f"{user.username}@{tenant.code}"


def _state(row: AccountLink, now: datetime) -> str:
    if row.used:
        return "used"
    if row.closed_at is not None:
        return "void"
    return "open" if now < row.expires_at else "expired"
