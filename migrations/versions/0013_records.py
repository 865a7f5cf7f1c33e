"""Drafts of records, their reviews and versions, and how a tree reviews them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workflow_settings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("levels", sa.SmallInteger(), nullable=False),
        sa.Column("late_after_days", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "late_after_days >= 0", name=op.f("ck_workflow_settings_late_after_days")
        ),
        sa.CheckConstraint("levels BETWEEN 0 AND 2", name=op.f("ck_workflow_settings_levels")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_workflow_settings_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workflow_settings")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            name=op.f("uq_workflow_settings_tenant_id_organization_id"),
        ),
    )
    op.secure_table("workflow_settings")
    op.create_table(
        "record_drafts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("occasion_revision", sa.Integer(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_record_drafts_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_record_drafts_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_record_drafts")),
    )
    op.secure_table("record_drafts")
    op.create_index(
        "ix_record_drafts_organization",
        "record_drafts",
        ["tenant_id", "organization_id"],
        unique=False,
    )
    op.create_index(
        "uq_record_drafts_correction",
        "record_drafts",
        ["tenant_id", "occasion_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("occasion_id IS NOT NULL"),
    )
    op.create_table(
        "record_steps",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_record_steps_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_record_steps_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_record_steps")),
    )
    op.secure_table("record_steps", privileges="SELECT, INSERT")
    op.create_index(
        "ix_record_steps_occasion", "record_steps", ["tenant_id", "occasion_id", "id"], unique=False
    )
    op.create_table(
        "record_versions",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_record_versions_occasion_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_record_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "occasion_id",
            "number",
            name=op.f("uq_record_versions_tenant_id_occasion_id_number"),
        ),
    )
    op.secure_table("record_versions", privileges="SELECT, INSERT")
    op.create_table(
        "records",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("passed", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("changed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column(
            "extra", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "submitted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'submitted', 'reviewed', 'archived', 'returned', 'voided')",
            name=op.f("ck_records_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_records_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_records_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "station_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_records_station_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_records")),
        sa.UniqueConstraint("tenant_id", "draft_id", name=op.f("uq_records_tenant_id_draft_id")),
        sa.UniqueConstraint(
            "tenant_id", "occasion_id", name=op.f("uq_records_tenant_id_occasion_id")
        ),
    )
    op.secure_table("records")
    op.create_index(
        "ix_records_returned",
        "records",
        ["tenant_id", "organization_id"],
        unique=False,
        postgresql_where=sa.text("state = 'returned'"),
    )
    op.create_index(
        "ix_records_station",
        "records",
        ["tenant_id", "station_id"],
        unique=False,
        postgresql_where=sa.text("station_id IS NOT NULL"),
    )
