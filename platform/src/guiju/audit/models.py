"""The table of what was done."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow


class AuditEntry(TenantRow, Base):
    """One thing done to the tenant's data, in the transaction that did it.

    The application's role may add and read entries, not change or delete them.
    """

    __tablename__ = "audit_entries"

    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    #: The transaction that wrote it: entries are sealed by whole transactions.
    transaction: Mapped[int] = mapped_column(
        server_default=sa.text("pg_current_xact_id()::text::bigint")
    )
    #: The user; empty for the operator, a command or a job.
    user_id: Mapped[int | None]
    #: Who, as shown: a user's name, or what acted.
    actor: Mapped[str]
    #: Address that the request came from.
    address: Mapped[str | None]
    #: What was done, e.g. ``occasion.record``.
    action: Mapped[str]
    #: To what: a table and a code or number.
    subject_type: Mapped[str]
    subject: Mapped[str | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    __table_args__ = (
        sa.Index("ix_audit_entries_created_at", "tenant_id", "created_at"),
        sa.Index("ix_audit_entries_subject", "tenant_id", "subject_type", "subject"),
    )
