"""Findings, and the work that makes them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from guiju.config import APP_ROLE

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attention",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("totals", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("cells", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("verdicts", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("dues", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "organization_id", "year", "path", name=op.f("pk_attention")
        ),
    )
    op.secure_table("attention")
    op.create_index("ix_attention_due", "attention", ["tenant_id", "due"], unique=False)
    op.create_index("ix_attention_path", "attention", ["tenant_id", "path"], unique=False)
    op.create_table(
        "member_findings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("subjects", sa.LargeBinary(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("sections", sa.LargeBinary(), nullable=False),
        sa.Column("verdicts", sa.LargeBinary(), nullable=False),
        sa.Column("required", sa.LargeBinary(), nullable=False),
        sa.Column("observed", sa.LargeBinary(), nullable=False),
        sa.Column("dues", sa.LargeBinary(), nullable=False),
        sa.Column("notes", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("alternatives", sa.LargeBinary(), nullable=False),
        sa.Column("superior_id", sa.BigInteger(), nullable=True),
        sa.Column("totals", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "organization_id", "year", "path", name=op.f("pk_member_findings")
        ),
    )
    op.secure_table("member_findings", restricted=True)
    op.create_index(
        "ix_member_findings_superior",
        "member_findings",
        ["tenant_id", "superior_id", "year"],
        unique=False,
    )
    op.create_table(
        "organization_findings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("sections", sa.LargeBinary(), nullable=False),
        sa.Column("verdicts", sa.LargeBinary(), nullable=False),
        sa.Column("required", sa.LargeBinary(), nullable=False),
        sa.Column("observed", sa.LargeBinary(), nullable=False),
        sa.Column("dues", sa.LargeBinary(), nullable=False),
        sa.Column("notes", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("alternatives", sa.LargeBinary(), nullable=False),
        sa.Column("superior_id", sa.BigInteger(), nullable=True),
        sa.Column("totals", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "organization_id", "year", "path", name=op.f("pk_organization_findings")
        ),
    )
    op.secure_table("organization_findings")
    op.create_index(
        "ix_organization_findings_superior",
        "organization_findings",
        ["tenant_id", "superior_id", "year"],
        unique=False,
    )
    op.create_table(
        "reading_numbers",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False, minvalue=1), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("option", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reading_numbers")),
        sa.UniqueConstraint("profile", "reading", "option", name="uq_reading_numbers_identity"),
    )
    op.execute(f"GRANT SELECT, INSERT ON reading_numbers TO {APP_ROLE}")
    op.create_table(
        "record_findings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("subjects", sa.LargeBinary(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("sections", sa.LargeBinary(), nullable=False),
        sa.Column("verdicts", sa.LargeBinary(), nullable=False),
        sa.Column("required", sa.LargeBinary(), nullable=False),
        sa.Column("observed", sa.LargeBinary(), nullable=False),
        sa.Column("dues", sa.LargeBinary(), nullable=False),
        sa.Column("notes", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("alternatives", sa.LargeBinary(), nullable=False),
        sa.Column("superior_id", sa.BigInteger(), nullable=True),
        sa.Column("totals", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "organization_id", "year", "path", name=op.f("pk_record_findings")
        ),
    )
    op.secure_table("record_findings")
    op.create_index(
        "ix_record_findings_superior",
        "record_findings",
        ["tenant_id", "superior_id", "year"],
        unique=False,
    )
    op.create_table(
        "rollups",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("superior_id", sa.BigInteger(), nullable=True),
        sa.Column("totals", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "organization_id", "year", "path", name=op.f("pk_rollups")
        ),
    )
    op.secure_table("rollups")
    op.create_index(
        "ix_rollups_superior", "rollups", ["tenant_id", "superior_id", "year"], unique=False
    )
    op.create_table(
        "rule_numbers",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False, minvalue=1), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rule_numbers")),
        sa.UniqueConstraint(
            "profile",
            "requirement",
            "part",
            "valid_from",
            "subject_type",
            "unit",
            name="uq_rule_numbers_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.execute(f"GRANT SELECT, INSERT ON rule_numbers TO {APP_ROLE}")
    op.create_table(
        "scoring_runs",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_scoring_runs_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scoring_runs")),
    )
    op.secure_table("scoring_runs")
    op.create_index(
        "ix_scoring_runs_finished_at", "scoring_runs", ["tenant_id", "finished_at"], unique=False
    )
