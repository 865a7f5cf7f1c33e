"""Tables of users, their roles, how they sign in, and what their tenant demands of that."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from guiju.accounts.permissions import ROLES
from guiju.db.models import Base, TenantRow, reference
from guiju.db.scope import current_tenant_id
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
    #: Where mail goes; several users may share one.
    email: Mapped[str | None]
    #: Secret of the second factor, sealed (:mod:`guiju.accounts.sealing`); without
    #: ``totp_since`` it was shown but not confirmed yet.
    totp_secret: Mapped[bytes | None]
    totp_since: Mapped[datetime | None]
    #: Number of the half minute whose code was accepted last: none is accepted twice.
    totp_step: Mapped[int | None]
    #: Whether the user may sign in.
    active: Mapped[bool] = mapped_column(server_default=sa.true())
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    roles: Mapped[list["UserRole"]] = relationship(order_by="UserRole.id")

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
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    #: Last day on which the role is held; empty where it is held until revoked.
    until_on: Mapped[date | None]

    organization: Mapped[Organization] = relationship(viewonly=True)

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        reference("organization_id", "organizations"),
        sa.UniqueConstraint("tenant_id", "user_id", "organization_id", "role"),
        sa.CheckConstraint(sa.column("role").in_(ROLES), name="role"),
    )


class Delegation(TenantRow, Base):
    """Somebody else does the work of a role for some days; it goes when the role does."""

    __tablename__ = "delegations"

    role_id: Mapped[int]
    #: Who does the work meanwhile.
    user_id: Mapped[int]
    from_on: Mapped[date]
    until_on: Mapped[date]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    #: When it was ended before its last day.
    ended_at: Mapped[datetime | None]

    role: Mapped[UserRole] = relationship(viewonly=True)

    __table_args__ = (
        reference("role_id", "user_roles", ondelete="CASCADE"),
        reference("user_id", "users", ondelete="CASCADE"),
        sa.CheckConstraint("from_on <= until_on", name="order"),
        sa.Index("ix_delegations_role", "tenant_id", "role_id"),
        sa.Index("ix_delegations_user", "tenant_id", "user_id"),
    )


class AccountLink(TenantRow, Base):
    """A one-time link by which somebody chooses a password."""

    __tablename__ = "account_links"

    user_id: Mapped[int]
    #: One of :data:`guiju.accounts.links.PURPOSES`.
    purpose: Mapped[str]
    token_hash: Mapped[bytes]
    #: Who made it, as shown.
    made_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: When it was used, or made void by a later one.
    closed_at: Mapped[datetime | None]
    used: Mapped[bool] = mapped_column(server_default=sa.false())

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "token_hash"),
        sa.Index("ix_account_links_user", "tenant_id", "user_id"),
    )


class SupportAccess(TenantRow, Base):
    """Reading of a part of the tree, granted to the platform's operator until a moment.

    The operator redeems a code for a one-time link, as often as needed until then; whoever
    comes by a link does so as the user made for this access, who holds no role.
    """

    __tablename__ = "support_accesses"

    user_id: Mapped[int]
    organization_id: Mapped[int]
    purpose: Mapped[str]
    #: Who granted it, as shown.
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    code_hash: Mapped[bytes | None]
    #: The link not used yet, and until when it works.
    link_hash: Mapped[bytes | None]
    link_expires_at: Mapped[datetime | None]
    #: Who at the operator's redeemed the code last, as they named themselves, and when.
    opened_by: Mapped[str | None]
    opened_at: Mapped[datetime | None]
    #: When it was revoked before its end, and by whom.
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        reference("organization_id", "organizations"),
        sa.UniqueConstraint("tenant_id", "user_id"),
        sa.UniqueConstraint("tenant_id", "code_hash"),
        sa.UniqueConstraint("tenant_id", "link_hash"),
    )


class RecoveryCode(TenantRow, Base):
    """A code that stands in once for the second factor."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int]
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.Index("ix_recovery_codes_user", "tenant_id", "user_id"),
    )


class FormerPassword(TenantRow, Base):
    """The hash of a password used before, so that it is not chosen again."""

    __tablename__ = "former_passwords"

    user_id: Mapped[int]
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.Index("ix_former_passwords_user", "tenant_id", "user_id"),
    )


class UserSession(TenantRow, Base):
    """A browser in which somebody is signed in."""

    __tablename__ = "user_sessions"

    user_id: Mapped[int]
    begun_at: Mapped[datetime]
    #: Last request, to the minute.
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str | None]
    #: What the browser says it is.
    agent: Mapped[str | None]

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.Index("ix_user_sessions_user", "tenant_id", "user_id"),
    )


class UserIdentity(TenantRow, Base):
    """Who a user is at the provider that the tenant signs in through."""

    __tablename__ = "user_identities"

    user_id: Mapped[int]
    issuer: Mapped[str]
    #: The provider's own name for the person.
    subject: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "issuer", "subject"),
        sa.Index("ix_user_identities_user", "tenant_id", "user_id"),
    )


class AccountPolicy(Base):
    """What a tenant demands of its users' sign-in; without a row the defaults hold.

    The columns are the fields of :class:`guiju.accounts.policies.Policy`.
    """

    __tablename__ = "account_policies"

    tenant_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=current_tenant_id
    )
    idle_minutes: Mapped[int]
    longest_hours: Mapped[int]
    shortest_password: Mapped[int]
    former_passwords: Mapped[int]
    rotation_days: Mapped[int]
    totp_required: Mapped[bool]
    separated: Mapped[bool]

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_account_policies_tenant_id"
        ),
    )


class SignInProvider(Base):
    """The OpenID provider that a tenant's users may sign in through."""

    __tablename__ = "sign_in_providers"

    tenant_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=current_tenant_id
    )
    #: What the button says, e.g. the name of the office's own directory.
    title: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    #: Sealed (:mod:`guiju.accounts.sealing`).
    client_secret: Mapped[bytes]
    #: Whether a verified e-mail address finds the user who signs in for the first time.
    by_email: Mapped[bool]

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_sign_in_providers_tenant_id"
        ),
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
