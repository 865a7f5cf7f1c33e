"""One kind of background job for all: reports become jobs with files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column(
            "log", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_jobs_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_jobs_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_jobs_user_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_organization_id", "jobs", ["tenant_id", "organization_id"])
    op.create_index("ix_jobs_user_id", "jobs", ["tenant_id", "user_id"])
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["tenant_id", "id"],
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "job_files",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("produced", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name=op.f("fk_job_files_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_job_files")),
        sa.UniqueConstraint("tenant_id", "job_id", "produced", "name", name="uq_job_files_name"),
    )
    op.create_table(
        "job_file_parts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["job_files.tenant_id", "job_files.id"],
            name=op.f("fk_job_file_parts_file_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_job_file_parts")),
        sa.UniqueConstraint("tenant_id", "file_id", "number", name="uq_job_file_parts_number"),
    )
    _move_reports()
    for table in ("jobs", "job_files", "job_file_parts"):
        op.secure_table(table)


def _move_reports() -> None:
    """Reports of all tenants, so before the new tables are secured; their numbers stay."""
    op.execute("ALTER TABLE report_files NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO jobs (tenant_id, id, kind, organization_id, subject, parameters, state,"
        " attempts, error, requested_by, requested_at, finished_at)"
        " SELECT tenant_id, id, 'report', organization_id, format,"
        " jsonb_build_object('format', format, 'as_of', as_of),"
        " CASE state WHEN 'making' THEN 'waiting' ELSE state END,"
        " CASE state WHEN 'waiting' THEN 0 ELSE 1 END,"
        " error, requested_by, requested_at, finished_at FROM report_files"
    )
    op.execute(
        "SELECT setval('jobs_id_seq', greatest(1, (SELECT max(id) FROM report_files)),"
        " EXISTS (SELECT FROM report_files))"
    )
    # All formats so far were workbooks.
    op.execute(
        "INSERT INTO job_files (tenant_id, job_id, produced, name, media_type, size, digest)"
        " SELECT tenant_id, id, true, format || '-' || as_of || '.xlsx',"
        " 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',"
        " length(content), encode(sha256(content), 'hex')"
        " FROM report_files WHERE content IS NOT NULL"
    )
    op.execute(
        "INSERT INTO job_file_parts (tenant_id, file_id, number, content)"
        " SELECT f.tenant_id, f.id, piece,"
        " substring(r.content FROM (piece * 1048576 + 1)::int FOR 1048576)"
        " FROM job_files f JOIN report_files r ON r.tenant_id = f.tenant_id AND r.id = f.job_id,"
        " generate_series(0, (f.size - 1) / 1048576) AS piece"
    )
    op.drop_table("report_files")
