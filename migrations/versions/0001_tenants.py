"""Tenants, codes and the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from guiju.config import APP_ROLE
from guiju.db.row_level_security import OPERATOR, TENANT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("state IN ('active', 'suspended')", name=op.f("ck_tenants_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("code", name=op.f("uq_tenants_code")),
    )
    # A tenant sees itself; it is made inside its own scope.  The operator sees and changes all.
    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tenants FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON tenants FOR SELECT USING (id = {TENANT})")
    op.execute(f"CREATE POLICY creation ON tenants FOR INSERT WITH CHECK (id = {TENANT})")
    op.execute(f"CREATE POLICY listing ON tenants FOR SELECT USING ({OPERATOR})")
    op.execute(f"CREATE POLICY change ON tenants FOR UPDATE USING ({OPERATOR})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON tenants TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON SEQUENCE tenants_id_seq TO {APP_ROLE}")
    op.create_table(
        "operator_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_entries")),
    )
    op.execute(f"GRANT INSERT ON operator_entries TO {APP_ROLE}")
    op.create_table(
        "code_bits",
        sa.Column("vocabulary", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("bit", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("bit BETWEEN 0 AND 62", name=op.f("ck_code_bits_bit")),
        sa.PrimaryKeyConstraint("vocabulary", "code", name=op.f("pk_code_bits")),
        sa.UniqueConstraint("vocabulary", "bit", name=op.f("uq_code_bits_vocabulary_bit")),
    )
    op.execute(f"GRANT SELECT, INSERT ON code_bits TO {APP_ROLE}")
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        "ix_audit_entries_created_at", "audit_entries", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_audit_entries_subject",
        "audit_entries",
        ["tenant_id", "subject_type", "subject"],
        unique=False,
    )
    op.secure_table("audit_entries", privileges="SELECT, INSERT")
    op.create_table(
        "settings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_settings")),
        sa.UniqueConstraint(
            "tenant_id", "key", name="uq_settings_identity", postgresql_nulls_not_distinct=True
        ),
    )
    op.secure_table("settings")
