"""A signed-in user with what they may see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import sqlalchemy as sa

from guiju import clock
from guiju.accounts import policies
from guiju.accounts.models import AccountPolicy, SupportAccess, User, UserSession
from guiju.accounts.permissions import (
    KEPT_APART,
    READING_ROLES,
    SUPPORT,
    SUPPORT_ROLE,
    UNDELEGATED,
    allows,
)
from guiju.accounts.policies import Policy
from guiju.accounts.queries import held_on
from guiju.audit.operations import Actor
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import is_top
from guiju.rules.vocabulary import BRANCH_KINDS
from guiju.tenancy.models import Tenant


@dataclass(frozen=True)
class Post:
    """A role on an organization and everything below it, held today."""

    role: str
    organization_id: int
    organization: str
    kind: str
    path: str
    #: Number of the ``user_roles`` row.
    role_id: int = 0
    #: Last day of it; None where it is held until revoked.
    until_on: date | None = None
    #: For whom the work is done; None for the visitor's own roles.
    instead_of: str | None = None

    def allows(self, permission: str, *, separated: bool) -> bool:
        """Whether the post allows something at its organization and below."""
        if self.instead_of is not None and permission in UNDELEGATED:
            return False
        return allows(self.role, permission, separated=separated)


@dataclass(frozen=True)
class Support:
    """That a visitor is the platform's support, let in by the tenant."""

    access_id: int
    purpose: str
    expires_at: datetime


@dataclass(frozen=True)
class Visitor:
    """The user that a request comes from, with what Flask-Login asks of one."""

    tenant_id: int
    user_id: int
    #: Changes with the password, so that a new one ends the sessions of the old.
    stamp: int
    name: str
    username: str
    tenant: str
    posts: tuple[Post, ...]
    #: Address that the request came from, for the audit trail.
    address: str | None = None
    #: What the tenant demands of signing in.
    policy: Policy = policies.DEFAULT
    #: Permissions of the token that the visitor came with, or of support; None for a user in a
    #: browser.
    scopes: frozenset[str] | None = None
    #: Number of the session that the visitor came in; None for a program.
    session_id: int | None = None
    #: Short name of the tenant, the part after @ in sign-in names.
    tenant_code: str = ""
    #: Whether codes of a second factor are asked for.
    second_factor: bool = False
    #: Whether the password has to be changed, being too old.
    password_is_old: bool = False
    #: Set where the visitor is no user of the tenant's, but the platform's support.
    support: Support | None = None

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the session."""
        return f"{self.tenant_id}-{self.user_id}-{self.stamp}-{self.session_id or 0}"

    def actor(self) -> Actor:
        """Who is named in the audit trail."""
        return Actor(self.name, self.user_id, self.address)

    @property
    def separated(self) -> bool:
        """Whether the tenant keeps system, security and audit administrators apart."""
        return self.policy.separated

    @property
    def is_administrator(self) -> bool:
        """Whether the visitor is an administrator of any of the three kinds."""
        return any(post.role in KEPT_APART for post in self.posts)

    @property
    def owes_second_factor(self) -> bool:
        """Whether nothing may be done before a second factor is set up."""
        return self.policy.totp_required and self.is_administrator and not self.second_factor

    @property
    def within(self) -> tuple[str, ...]:
        """Paths of the organizations seen with all that is below them."""
        return tuple(dict.fromkeys(post.path for post in self._reading))

    @property
    def home(self) -> Post | None:
        """The post whose organization the visitor comes to first: the highest in the tree."""
        return min(self._reading, key=lambda post: (post.path.count("/"), post.path), default=None)

    def may(self, permission: str, path: str | None = None) -> bool:
        """Whether a role of the visitor allows something at the organization with ``path``.

        Without a path: at any organization at all.  A token's scopes limit it further.
        """
        if self.scopes is not None and permission not in self.scopes:
            return False
        return any(
            (path is None or path.startswith(post.path))
            and post.allows(permission, separated=self.separated)
            for post in self.posts
        )

    def may_everywhere(self, permission: str) -> bool:
        """Whether a role on the root of the tree allows something, so in the whole tenant."""
        return any(map(is_top, self.roots(permission)))

    def roots(self, permission: str) -> tuple[str, ...]:
        """Paths of the organizations at and below which the visitor may do something."""
        paths = (post.path for post in self.posts if self.may(permission, post.path))
        return tuple(dict.fromkeys(paths))

    def may_see_people(self, path: str) -> bool:
        """Whether findings about single members of an organization are the visitor's business.

        Those who keep the records and who answer for them; not who only reads figures.
        """
        return self.may("people.read", path)

    @property
    def _reading(self) -> list[Post]:
        if self.scopes is not None and "organization.read" not in self.scopes:
            return []
        return [post for post in self.posts if post.role in READING_ROLES]

    @property
    def works_in_branch(self) -> bool:
        """Whether the visitor looks after one branch rather than over several."""
        return self.home is not None and self.home.kind in {*BRANCH_KINDS, "party_group"}

    def sees(self, path: str) -> bool:
        """Whether an organization with this path is in the visitor's part of the tree."""
        return any(path.startswith(root) for root in self.within)


def parse_id(identity: str) -> tuple[int, int, int] | None:
    """Tenant, user and session of what :meth:`Visitor.get_id` gave; None for anything else."""
    found = re.fullmatch(r"(\d+)-(\d+)-\d+-(\d+)", identity)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def find_visitor(
    session: AnySession,
    tenant_id: int,
    user_id: int,
    address: str | None = None,
    *,
    session_id: int | None = None,
    scopes: frozenset[str] | None = None,
) -> Visitor | None:
    """The user of this number, in whose tenant's scope the session is.

    ``session_id`` is the session that the visitor came in, ``scopes`` are those of the token.
    None where the user, the tenant or the session may not come in any more; for support, too,
    where its access is over.
    """
    statement = (
        sa.select(
            User.name,
            User.username,
            User.password_set_at,
            User.totp_since,
            Tenant.name,
            Tenant.code,
            SupportAccess.id,
            *policies.COLUMNS,
        )
        .join(Tenant, Tenant.id == User.tenant_id)
        .outerjoin(
            SupportAccess,
            sa.and_(SupportAccess.tenant_id == User.tenant_id, SupportAccess.user_id == User.id),
        )
        .outerjoin(AccountPolicy, AccountPolicy.tenant_id == User.tenant_id)
        .where(
            User.tenant_id == tenant_id,
            User.id == user_id,
            User.active,
            Tenant.state == "active",
        )
    )
    if session_id is not None:
        statement = statement.where(
            sa.exists().where(
                UserSession.tenant_id == tenant_id,
                UserSession.id == session_id,
                UserSession.user_id == user_id,
                UserSession.ended_at.is_(None),
            )
        )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    name, username, password_set_at, totp_since, tenant, code, access_id, *demands = row
    policy = policies.made_of(tuple(demands))
    support = None
    if access_id is None:
        posts = _posts(session, tenant_id, user_id)
    else:
        access = _support(session, tenant_id, access_id)
        if access is None:
            return None
        support, posts = access
        scopes = SUPPORT
    return Visitor(
        tenant_id=tenant_id,
        user_id=user_id,
        stamp=int(password_set_at.timestamp() * 1000) if password_set_at else 0,
        name=name,
        username=username,
        tenant=tenant,
        posts=posts,
        address=address,
        policy=policy,
        scopes=scopes,
        session_id=session_id,
        tenant_code=code,
        second_factor=totp_since is not None,
        password_is_old=_is_old(password_set_at, policy),
        support=support,
    )


def _posts(session: AnySession, tenant_id: int, user_id: int) -> tuple[Post, ...]:
    held = held_on(clock.today())
    rows = session.execute(
        sa.select(
            held.c.role,
            held.c.organization_id,
            Organization.name,
            Organization.kind,
            Organization.path,
            held.c.role_id,
            held.c.until_on,
            held.c.instead_of,
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == held.c.tenant_id,
                Organization.id == held.c.organization_id,
            ),
        )
        .where(held.c.tenant_id == tenant_id, held.c.user_id == user_id)
        .order_by(Organization.path, held.c.role, held.c.role_id)
    )
    return tuple(Post(*found) for found in rows)


def _support(
    session: AnySession, tenant_id: int, access_id: int
) -> tuple[Support, tuple[Post]] | None:
    """What support was let in to; None where that is over."""
    found = session.execute(
        sa.select(SupportAccess, Organization.name, Organization.kind, Organization.path)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == SupportAccess.tenant_id,
                Organization.id == SupportAccess.organization_id,
            ),
        )
        .where(
            SupportAccess.tenant_id == tenant_id,
            SupportAccess.id == access_id,
            SupportAccess.ended_at.is_(None),
            SupportAccess.expires_at > datetime.now(UTC),
        )
    ).one_or_none()
    if found is None:
        return None
    access, name, kind, path = found
    post = Post(SUPPORT_ROLE, access.organization_id, name, kind, path)
    return Support(access.id, access.purpose, access.expires_at), (post,)


def _is_old(password_set_at: datetime | None, policy: Policy) -> bool:
    if not policy.rotation_days or password_set_at is None:
        return False
    return datetime.now(UTC) - password_set_at > timedelta(days=policy.rotation_days)
