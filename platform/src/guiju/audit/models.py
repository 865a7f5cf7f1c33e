"""The table of what was done, and the chain that shows whether somebody changed it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
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
        # Sealing asks for what is younger than the last seal.
        sa.Index("ix_audit_entries_transaction", "tenant_id", "transaction"),
    )


class AuditSeal(TenantRow, Base):
    """A link of the chain: the entries of transactions that had ended, with the link before.

    What is sealed is found by the number of the transaction, so an entry with a low number
    that was committed late is in the next seal, and every entry is in exactly one.  The
    application's role may add and read seals, not change or delete them.
    """

    __tablename__ = "audit_seals"

    #: 1, 2, 3 … for each tenant.
    number: Mapped[int]
    sealed_at: Mapped[datetime]
    #: Entries of transactions from the previous seal's bound up to, not including, this one.
    bound: Mapped[int]
    #: Numbers of the entries, ascending.
    entries: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))
    #: SHA-256 of each entry, in the same order, one after the other.
    leaves: Mapped[bytes]
    #: SHA-256 over number, moment, leaves and the digest of the seal before.
    digest: Mapped[bytes]
    #: When the entries, kept long enough, were deleted; set by the owner of the tables.
    purged_at: Mapped[datetime | None]

    __table_args__ = (sa.UniqueConstraint("tenant_id", "number"),)


class AuditHead(TenantRow, Base):
    """The last link of a tenant's chain, told apart so that one cut off the end is missed."""

    __tablename__ = "audit_heads"

    number: Mapped[int]
    digest: Mapped[bytes]

    __table_args__ = (sa.UniqueConstraint("tenant_id"),)
