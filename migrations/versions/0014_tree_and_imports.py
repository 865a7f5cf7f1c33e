"""What was done to the tree, former names, and imports that can be taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from guiju.config import APP_ROLE

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tree()
    _imports()


def _columns(*others: sa.schema.SchemaItem, table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *others,
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    ]


def _reference(
    table: str, column: str, target: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_{column}"),
        ondelete=ondelete,
    )


def _tree() -> None:
    table = "organization_changes"
    op.create_table(
        table,
        *_columns(
            sa.Column("kind", sa.Text(), nullable=False),
            sa.Column("effective_on", sa.Date(), nullable=False),
            sa.Column(
                "made_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("now()"),
                nullable=False,
            ),
            sa.Column("made_by", sa.Text(), nullable=False),
            sa.Column("before", postgresql.JSONB(), nullable=False),
            sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("undone_by", sa.Text(), nullable=True),
            sa.CheckConstraint(
                "kind IN ('create', 'rename', 'close', 'reopen', 'move', 'merge', 'split')",
                name=op.f(f"ck_{table}_kind"),
            ),
            sa.ForeignKeyConstraint(
                ["tenant_id"], ["tenants.id"], name="fk_organization_changes_tenant_id"
            ),
            table=table,
        ),
    )
    op.secure_table(table, privileges="SELECT, INSERT, UPDATE (undone_at, undone_by)")
    table = "organization_change_units"
    op.create_table(
        table,
        *_columns(
            sa.Column("change_id", sa.BigInteger(), nullable=False),
            sa.Column("organization_id", sa.BigInteger(), nullable=False),
            sa.Column("part", sa.Text(), nullable=False),
            sa.CheckConstraint(
                "part IN ('subject', 'source', 'target', 'made')", name=op.f(f"ck_{table}_part")
            ),
            _reference(table, "change_id", "organization_changes"),
            _reference(table, "organization_id", "organizations", "CASCADE"),
            table=table,
        ),
    )
    for column, name in (("organization_id", "organization"), ("change_id", "change")):
        op.create_index(f"ix_{table}_{name}", table, ["tenant_id", column], unique=False)
    op.secure_table(table, privileges="SELECT, INSERT")
    table = "organization_names"
    op.create_table(
        table,
        *_columns(
            sa.Column("organization_id", sa.BigInteger(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("until_on", sa.Date(), nullable=False),
            _reference(table, "organization_id", "organizations", "CASCADE"),
            sa.UniqueConstraint(
                "tenant_id",
                "organization_id",
                "until_on",
                name=op.f(f"uq_{table}_tenant_id_organization_id_until_on"),
            ),
            table=table,
        ),
    )
    op.secure_table(table, privileges="SELECT, INSERT, DELETE")
    # A move that was a mistake is taken back.
    op.execute(f"GRANT DELETE ON organization_moves TO {APP_ROLE}")


def _imports() -> None:
    table = "imports"
    empty = sa.text("'{}'")
    op.create_table(
        table,
        *_columns(
            sa.Column("job_id", sa.BigInteger(), nullable=True),
            sa.Column("organization_id", sa.BigInteger(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("digest", sa.Text(), nullable=False),
            sa.Column(
                "made_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("now()"),
                nullable=False,
            ),
            sa.Column("made_by", sa.Text(), nullable=False),
            sa.Column("inserted", postgresql.JSONB(), server_default=empty, nullable=False),
            sa.Column("updated", postgresql.JSONB(), server_default=empty, nullable=False),
            sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("undone_by", sa.Text(), nullable=True),
            _reference(table, "organization_id", "organizations"),
            _reference(table, "job_id", "jobs"),
            sa.UniqueConstraint("tenant_id", "job_id", name=op.f("uq_imports_tenant_id_job_id")),
            table=table,
        ),
    )
    op.secure_table(table, privileges="SELECT, INSERT, UPDATE")
    table = "imported_rows"
    op.create_table(
        table,
        *_columns(
            sa.Column("import_id", sa.BigInteger(), nullable=False),
            sa.Column("table_name", sa.Text(), nullable=False),
            sa.Column("numbers", postgresql.ARRAY(sa.BigInteger()), nullable=False),
            sa.Column("marks", postgresql.ARRAY(sa.BigInteger()), nullable=False),
            _reference(table, "import_id", "imports"),
            table=table,
        ),
    )
    op.create_index(f"ix_{table}_import", table, ["tenant_id", "import_id"], unique=False)
    op.secure_table(table, privileges="SELECT, INSERT, DELETE")
    table = "replaced_rows"
    op.create_table(
        table,
        *_columns(
            sa.Column("import_id", sa.BigInteger(), nullable=False),
            sa.Column("table_name", sa.Text(), nullable=False),
            sa.Column("number", sa.BigInteger(), nullable=False),
            sa.Column("mark", sa.BigInteger(), nullable=False),
            sa.Column("before", postgresql.JSONB(), nullable=False),
            sa.Column("after", postgresql.JSONB(), nullable=False),
            _reference(table, "import_id", "imports"),
            table=table,
        ),
    )
    op.create_index(f"ix_{table}_import", table, ["tenant_id", "import_id"], unique=False)
    op.secure_table(table, privileges="SELECT, INSERT, DELETE", restricted=True)
