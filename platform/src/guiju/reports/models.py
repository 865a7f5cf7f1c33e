"""Reports asked for and made; the finished file is kept beside its request."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, deferred, mapped_column

from guiju.db.models import Base, TenantRow, reference

#: A report waits, is being made, is there, or could not be made.
STATES = ("waiting", "making", "done", "failed")


class ReportFile(TenantRow, Base):
    """One report of one organization with everything below it."""

    __tablename__ = "report_files"

    organization_id: Mapped[int]
    #: Id of the report format, as its plugin registers it.
    format: Mapped[str]
    as_of: Mapped[date]
    state: Mapped[str] = mapped_column(server_default="waiting")
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    finished_at: Mapped[datetime | None]
    #: Why it could not be made, for the person who asked.
    error: Mapped[str | None]
    content: Mapped[bytes | None] = deferred(mapped_column(sa.LargeBinary))

    __table_args__ = (
        reference("organization_id", "organizations"),
        sa.CheckConstraint(sa.column("state").in_(STATES), name="known_state"),
        sa.Index("ix_report_files_organization_id", "tenant_id", "organization_id"),
    )
