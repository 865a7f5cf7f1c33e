"""A signed-in user with what they may see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from guiju.accounts.models import User, UserRole
from guiju.accounts.permissions import READING_ROLES, allows
from guiju.audit.operations import Actor
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.rules.vocabulary import BRANCH_KINDS
from guiju.tenancy.models import Tenant


@dataclass(frozen=True)
class Post:
    """A role on an organization and everything below it."""

    role: str
    organization_id: int
    organization: str
    kind: str
    path: str


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
    #: Whether the tenant keeps system, security and audit administrators apart.
    separated: bool = False
    #: Permissions of the token that the visitor came with; None for a person in a browser.
    scopes: frozenset[str] | None = None

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the session."""
        return f"{self.tenant_id}-{self.user_id}-{self.stamp}"

    def actor(self) -> Actor:
        """Who is named in the audit trail."""
        return Actor(self.name, self.user_id, self.address)

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
            and allows(post.role, permission, separated=self.separated)
            for post in self.posts
        )

    def may_everywhere(self, permission: str) -> bool:
        """Whether a role on the root of the tree allows something, so in the whole tenant."""
        return any(path.count("/") == 2 for path in self.roots(permission))

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


def parse_id(identity: str) -> tuple[int, int] | None:
    """Tenant and user of what :meth:`Visitor.get_id` gave; None for anything else."""
    found = re.fullmatch(r"(\d+)-(\d+)-\d+", identity)
    return (int(found[1]), int(found[2])) if found else None


def find_visitor(
    session: AnySession,
    tenant_id: int,
    user_id: int,
    address: str | None = None,
    *,
    scopes: frozenset[str] | None = None,
) -> Visitor | None:
    """The user of this number, in whose tenant's scope the session is.

    ``scopes`` are those of the token that the visitor came with.  None where the user or the
    tenant may not come in any more.
    """
    row = session.execute(
        sa.select(User.name, User.username, User.password_set_at, Tenant.name)
        .join(Tenant, Tenant.id == User.tenant_id)
        .where(
            User.tenant_id == tenant_id,
            User.id == user_id,
            User.active,
            Tenant.state == "active",
        )
    ).one_or_none()
    if row is None:
        return None
    name, username, password_set_at, tenant = row
    posts = session.execute(
        sa.select(
            UserRole.role,
            UserRole.organization_id,
            Organization.name,
            Organization.kind,
            Organization.path,
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(UserRole.tenant_id == tenant_id, UserRole.user_id == user_id)
        .order_by(Organization.path, UserRole.role)
    )
    return Visitor(
        tenant_id=tenant_id,
        user_id=user_id,
        stamp=int(password_set_at.timestamp() * 1000) if password_set_at else 0,
        name=name,
        username=username,
        tenant=tenant,
        posts=tuple(Post(*found) for found in posts),
        address=address,
        scopes=scopes,
    )
