"""Second factors, one-time links, sessions, delegations, and what a tenant demands of them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("totp_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column(
        "user_roles",
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    op.add_column("user_roles", sa.Column("until_on", sa.Date(), nullable=True))
    op.create_table(
        "delegations",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_delegations_order")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["user_roles.tenant_id", "user_roles.id"],
            name=op.f("fk_delegations_role_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_delegations_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delegations")),
    )
    op.create_index("ix_delegations_role", "delegations", ["tenant_id", "role_id"], unique=False)
    op.create_index("ix_delegations_user", "delegations", ["tenant_id", "user_id"], unique=False)
    op.secure_table("delegations")
    op.create_table(
        "account_links",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_account_links_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account_links")),
        sa.UniqueConstraint(
            "tenant_id", "token_hash", name=op.f("uq_account_links_tenant_id_token_hash")
        ),
    )
    op.create_index(
        "ix_account_links_user", "account_links", ["tenant_id", "user_id"], unique=False
    )
    op.secure_table("account_links")
    op.create_table(
        "recovery_codes",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_recovery_codes_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(
        "ix_recovery_codes_user", "recovery_codes", ["tenant_id", "user_id"], unique=False
    )
    op.secure_table("recovery_codes")
    op.create_table(
        "former_passwords",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_former_passwords_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_former_passwords")),
    )
    op.create_index(
        "ix_former_passwords_user", "former_passwords", ["tenant_id", "user_id"], unique=False
    )
    op.secure_table("former_passwords")
    op.create_table(
        "user_sessions",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_user_sessions_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_sessions")),
    )
    op.create_index(
        "ix_user_sessions_user", "user_sessions", ["tenant_id", "user_id"], unique=False
    )
    op.secure_table("user_sessions")
    op.create_table(
        "user_identities",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_user_identities_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_identities")),
        sa.UniqueConstraint(
            "tenant_id",
            "issuer",
            "subject",
            name=op.f("uq_user_identities_tenant_id_issuer_subject"),
        ),
    )
    op.create_index(
        "ix_user_identities_user", "user_identities", ["tenant_id", "user_id"], unique=False
    )
    op.secure_table("user_identities")
    op.create_table(
        "account_policies",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("idle_minutes", sa.BigInteger(), nullable=False),
        sa.Column("longest_hours", sa.BigInteger(), nullable=False),
        sa.Column("shortest_password", sa.BigInteger(), nullable=False),
        sa.Column("former_passwords", sa.BigInteger(), nullable=False),
        sa.Column("rotation_days", sa.BigInteger(), nullable=False),
        sa.Column("totp_required", sa.Boolean(), nullable=False),
        sa.Column("separated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_account_policies_tenant_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_account_policies")),
    )
    op.secure_table("account_policies")
    op.create_table(
        "sign_in_providers",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("by_email", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_sign_in_providers_tenant_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_sign_in_providers")),
    )
    op.secure_table("sign_in_providers")
