"""Tables of users, their roles, and attempts to sign in."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from guiju.accounts.permissions import READING_ROLES, ROLES
from guiju.db.models import Base, TenantRow, reference
from guiju.organizations.models import Organization


class User(TenantRow, Base):
    """Somebody who signs in."""

    __tablename__ = "users"

    #: The part before @ of the sign-in name; unique in the tenant.
    username: Mapped[str]
    #: Name as shown.
    name: Mapped[str]
    #: Argon2 hash with its parameters; empty until a password is set.
    password_hash: Mapped[str | None]
    password_set_at: Mapped[datetime | None]
    #: Whether the user may sign in.
    active: Mapped[bool] = mapped_column(server_default=sa.true())
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    roles: Mapped[list["UserRole"]] = relationship(order_by="UserRole.id")

    @property
    def paths(self) -> Sequence[str]:
        """Paths of the organizations seen with all that is below them."""
        return [role.organization.path for role in self.roles if role.role in READING_ROLES]

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "username"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_users_tenant_id"),
    )


class UserRole(TenantRow, Base):
    """A role of a user on an organization and everything below it."""

    __tablename__ = "user_roles"

    user_id: Mapped[int]
    organization_id: Mapped[int]
    role: Mapped[str]

    organization: Mapped[Organization] = relationship(viewonly=True)

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        reference("organization_id", "organizations"),
        sa.UniqueConstraint("tenant_id", "user_id", "organization_id", "role"),
        sa.CheckConstraint(sa.column("role").in_(ROLES), name="role"),
    )


class SignInAttempt(TenantRow, Base):
    """An attempt to sign in as a user there is."""

    __tablename__ = "sign_in_attempts"

    user_id: Mapped[int]
    succeeded: Mapped[bool]
    #: Address that the request came from.
    address: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.Index("ix_sign_in_attempts_user", "tenant_id", "user_id", "created_at"),
    )


class ApiToken(TenantRow, Base):
    """A personal token, by which a program acts for its owner."""

    __tablename__ = "api_tokens"

    user_id: Mapped[int]
    #: What its owner calls it.
    name: Mapped[str]
    token_hash: Mapped[bytes]
    #: Permissions that it is for; its owner's own rights limit them further.
    scopes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "token_hash"),
        sa.Index("ix_api_tokens_user", "tenant_id", "user_id"),
    )
