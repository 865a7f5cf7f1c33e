"""Jobs, and the files that came with them or came of them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow, reference

#: A job waits, is being done, is done, or could not be done.
STATES = ("waiting", "running", "done", "failed")


class Job(TenantRow, Base):
    """One piece of work that somebody asked for."""

    __tablename__ = "jobs"

    #: Name of a :class:`guiju.jobs.kinds.JobKind`.
    kind: Mapped[str]
    #: The organization it is about; empty for the whole tenant.
    organization_id: Mapped[int | None]
    #: What it is about in words, e.g. a report's title or an uploaded file's name.
    subject: Mapped[str | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(server_default="waiting")
    #: How often a worker has begun it.
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    #: How far it is: ``done`` of ``total`` steps, or none known yet.
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int | None]
    #: Lines for the person who asked, oldest first: ``[moment in ISO form, text]``.
    log: Mapped[list[list[str]]] = mapped_column(JSONB, server_default="[]")
    #: What the kind says came of it.
    result: Mapped[dict[str, Any] | None]
    #: Why it could not be done, for the person who asked.
    error: Mapped[str | None]
    requested_by: Mapped[str]
    #: The user who asked; empty for the operator and for commands.
    user_id: Mapped[int | None]
    #: The address that the request came from.
    address: Mapped[str | None]
    requested_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("user_id", "users"),
        sa.CheckConstraint(sa.column("state").in_(STATES), name="state"),
        sa.Index("ix_jobs_organization_id", "tenant_id", "organization_id"),
        sa.Index("ix_jobs_user_id", "tenant_id", "user_id"),
        # The sweep asks for these every minute.
        sa.Index(
            "ix_jobs_open",
            "tenant_id",
            "id",
            postgresql_where=sa.text("state IN ('waiting', 'running')"),
        ),
    )


class JobFile(TenantRow, Base):
    """A file that a job was given, or that it produced."""

    __tablename__ = "job_files"

    job_id: Mapped[int]
    #: Whether the job made it; else it came with the request.
    produced: Mapped[bool]
    #: File name as downloaded, without folder.
    name: Mapped[str]
    media_type: Mapped[str]
    #: Bytes.
    size: Mapped[int]
    #: SHA-256 of the content, hexadecimal.
    digest: Mapped[str]

    __table_args__ = (
        reference("job_id", "jobs", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "job_id", "produced", "name", name="uq_job_files_name"),
    )


class JobFilePart(TenantRow, Base):
    """A piece of a file's content, so that neither end holds a large file in memory."""

    __tablename__ = "job_file_parts"

    file_id: Mapped[int]
    #: From 0 on.
    number: Mapped[int]
    content: Mapped[bytes]

    __table_args__ = (
        reference("file_id", "job_files", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "file_id", "number", name="uq_job_file_parts_number"),
    )
