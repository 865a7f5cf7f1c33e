"""What was changed about profiles, and what a change would do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_changes",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("undoes_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_profile_changes_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "undoes_id"],
            ["profile_changes.tenant_id", "profile_changes.id"],
            name=op.f("fk_profile_changes_undoes_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_profile_changes")),
    )
    op.secure_table("profile_changes", privileges="SELECT, INSERT, DELETE")
    op.create_index(
        "ix_profile_changes_organization_id", "profile_changes", ["tenant_id", "organization_id"]
    )
    op.create_table(
        "profile_previews",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("newest_mark", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", postgresql.JSONB(), nullable=True),
        sa.Column("change_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_profile_previews_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "change_id"],
            ["profile_changes.tenant_id", "profile_changes.id"],
            name=op.f("fk_profile_previews_change_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_profile_previews")),
    )
    op.secure_table("profile_previews")
    op.create_index(
        "ix_profile_previews_organization_id",
        "profile_previews",
        ["tenant_id", "organization_id"],
    )
    op.create_table(
        "profile_preview_rows",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("preview_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("from_verdicts", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("to_verdicts", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("numbers", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "preview_id"],
            ["profile_previews.tenant_id", "profile_previews.id"],
            name=op.f("fk_profile_preview_rows_preview_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_profile_preview_rows_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "preview_id",
            "organization_id",
            name=op.f("pk_profile_preview_rows"),
        ),
    )
    op.secure_table("profile_preview_rows")
