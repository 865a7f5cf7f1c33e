"""Tables of imports and of what each of them wrote."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

# Imported for their tables, which imports refer to.
import guiju.accounts.models
import guiju.jobs.models  # noqa: F401
from guiju.db.models import Base, TenantRow, reference


class Import(TenantRow, Base):
    """A facts document that was stored."""

    __tablename__ = "imports"

    #: The job that stored it; empty for a command.
    job_id: Mapped[int | None]
    #: The part of the tree that it was confined to: an organization and all below it.
    organization_id: Mapped[int]
    #: Name of the file and SHA-256 of its content, hexadecimal.
    name: Mapped[str]
    digest: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    made_by: Mapped[str]
    #: New and changed rows by table.
    inserted: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    updated: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("job_id", "jobs"),
        sa.UniqueConstraint("tenant_id", "job_id"),
    )


class ImportedRows(TenantRow, Base):
    """New rows of one table: enough to find them again and to see whether they are the same."""

    __tablename__ = "imported_rows"

    import_id: Mapped[int]
    table_name: Mapped[str]
    #: Numbers of the rows; of attendance, which has none, those of the occasions.
    numbers: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))
    #: Hashes of what the rows say, in the same order.
    marks: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))

    __table_args__ = (
        reference("import_id", "imports"),
        sa.Index("ix_imported_rows_import", "tenant_id", "import_id"),
    )


class ReplacedRow(TenantRow, Base):
    """A row that said something else before; matters of discipline may be among them."""

    __tablename__ = "replaced_rows"

    import_id: Mapped[int]
    table_name: Mapped[str]
    #: As in :class:`ImportedRows`, of the row as the import left it.
    number: Mapped[int]
    mark: Mapped[int]
    #: The columns that changed, before and after, by stored name.
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (
        reference("import_id", "imports"),
        sa.Index("ix_replaced_rows_import", "tenant_id", "import_id"),
        {"info": {"restricted": True}},
    )
