"""Decisions about findings, tasks for units, and notices to users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _matters()
    _tasks()
    _notices()


def _row() -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def _moment(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        server_default=None if default is None else sa.text(default),
        nullable=default is None,
    )


def _organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "organization_id"],
        ["organizations.tenant_id", "organizations.id"],
        name=op.f(f"fk_{table}_organization_id"),
    )


def _user(table: str, column: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        ["users.tenant_id", "users.id"],
        name=op.f(f"fk_{table}_{column}"),
        ondelete=ondelete,
    )


def _matters() -> None:
    op.create_table(
        "matters",
        *_row(),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("about_people", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        _moment("decided_at"),
        sa.Column("raised_by_id", sa.BigInteger(), nullable=True),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("seen", sa.BigInteger(), nullable=True),
        sa.Column("changed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        _moment("updated_at", "now()"),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'explained', 'accepted', 'declined', 'decided', 'appealed')",
            name=op.f("ck_matters_state"),
        ),
        _organization("matters"),
        _user("matters", "decided_by_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_matters")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "requirement",
            "part",
            "subject_type",
            "subject",
            "period",
            name="uq_matters_about",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_matters_state", "matters", ["tenant_id", "state"])
    op.secure_table("matters", restricted_rows="about_people")
    op.create_table(
        "matter_steps",
        *_row(),
        sa.Column("matter_id", sa.BigInteger(), nullable=False),
        sa.Column("about_people", sa.Boolean(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        _moment("made_at", "clock_timestamp()"),
        sa.CheckConstraint(
            "action IN ('explain', 'accept', 'decline', 'decide', 'reopen', 'appeal',"
            " 'uphold', 'reject')",
            name=op.f("ck_matter_steps_action"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "matter_id"],
            ["matters.tenant_id", "matters.id"],
            name=op.f("fk_matter_steps_matter_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_matter_steps")),
    )
    op.create_index("ix_matter_steps_matter", "matter_steps", ["tenant_id", "matter_id", "id"])
    op.secure_table("matter_steps", privileges="SELECT, INSERT", restricted_rows="about_people")


def _tasks() -> None:
    op.create_table(
        "tasks",
        *_row(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        _moment("made_at", "now()"),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        _moment("answered_at"),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        _moment("closed_at"),
        sa.CheckConstraint(
            "kind IN ('remind', 'ask_reason', 'rectify')", name=op.f("ck_tasks_kind")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'closed', 'undone')", name=op.f("ck_tasks_state")
        ),
        _organization("tasks"),
        _user("tasks", "user_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_organization", "tasks", ["tenant_id", "organization_id", "state"])
    op.create_index("ix_tasks_batch", "tasks", ["tenant_id", "batch"])
    op.secure_table("tasks", privileges="SELECT, INSERT, UPDATE")


def _notices() -> None:
    op.create_table(
        "notices",
        *_row(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        _moment("made_at", "now()"),
        _moment("read_at"),
        sa.CheckConstraint(
            "kind IN ('due', 'remind', 'ask_reason', 'rectify', 'answered', 'closed',"
            " 'sent_back', 'explained', 'accepted', 'declined', 'decided', 'reopened',"
            " 'appealed', 'upheld', 'rejected')",
            name=op.f("ck_notices_kind"),
        ),
        _organization("notices"),
        _user("notices", "user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "tenant_id",
            "user_id",
            "kind",
            "key",
            name=op.f("uq_notices_tenant_id_user_id_kind_key"),
        ),
    )
    op.create_index("ix_notices_user", "notices", ["tenant_id", "user_id", "id"])
    op.create_index(
        "ix_notices_unread",
        "notices",
        ["tenant_id", "user_id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.secure_table("notices")
    op.create_table(
        "notice_settings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("by_mail", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("language", sa.Text(), server_default="zh", nullable=False),
        sa.Column("digest_on", sa.Date(), nullable=True),
        sa.Column("digest_until", sa.BigInteger(), server_default="0", nullable=False),
        _user("notice_settings", "user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("pk_notice_settings")),
    )
    op.secure_table("notice_settings")
