"""What tenants let the platform's support read."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "support_accesses",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("link_hash", sa.LargeBinary(), nullable=True),
        sa.Column("link_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_support_accesses_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_support_accesses_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_support_accesses")),
        sa.UniqueConstraint(
            "tenant_id", "user_id", name=op.f("uq_support_accesses_tenant_id_user_id")
        ),
        sa.UniqueConstraint(
            "tenant_id", "code_hash", name=op.f("uq_support_accesses_tenant_id_code_hash")
        ),
        sa.UniqueConstraint(
            "tenant_id", "link_hash", name=op.f("uq_support_accesses_tenant_id_link_hash")
        ),
    )
    op.secure_table("support_accesses", privileges="SELECT, INSERT, UPDATE")
