"""Questions about jobs, asked inside a tenant's scope."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.db.session import AnySession
from guiju.jobs.models import Job, JobFile, JobFilePart
from guiju.organizations.models import Organization
from guiju.organizations.tree import within

#: Bytes of a file that are held in memory while it is read; more go to a temporary file.
_IN_MEMORY = 8 * 1024 * 1024


@dataclass(frozen=True)
class FileSummary:
    """A file of a job."""

    id: int
    produced: bool
    name: str
    media_type: str
    #: Bytes.
    size: int
    digest: str


@dataclass(frozen=True)
class JobSummary:
    """A job as lists show it."""

    id: int
    kind: str
    organization_id: int | None
    #: Name and path of the organization; empty for the whole tenant.
    organization: str | None
    path: str | None
    subject: str | None
    parameters: Mapping[str, Any]
    state: str
    done: int
    total: int | None
    #: Moment and text of each line.
    log: tuple[tuple[datetime, str], ...]
    result: Mapping[str, Any] | None
    error: str | None
    requested_by: str
    user_id: int | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    #: Files that it came with, and, when it is done, those that it produced.
    files: tuple[FileSummary, ...]

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in {"waiting", "running"}

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1; None where that is not known."""
        return min(self.done / self.total, 1.0) if self.total else None


def jobs(
    session: AnySession,
    visitor: Visitor,
    *,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[JobSummary]:
    """The latest jobs that a visitor may see, newest first.

    Those that the visitor asked for, and with ``jobs.read`` all about the visitor's part of
    the tree.  ``before`` is the number of the last job of the page before.
    """
    conditions = [_visible(visitor)]
    if kind is not None:
        conditions.append(Job.kind == kind)
    if before is not None:
        conditions.append(Job.id < before)
    return summaries(session, *conditions, limit=limit)


def job(session: AnySession, visitor: Visitor, job_id: int) -> JobSummary | None:
    """One job; None if there is none of that number that the visitor may see."""
    found = summaries(session, _visible(visitor), Job.id == job_id, limit=1)
    return found[0] if found else None


def summaries(
    session: AnySession, *conditions: sa.ColumnElement[bool], limit: int
) -> list[JobSummary]:
    """The latest jobs of which ``conditions`` (on jobs and their organizations) hold."""
    rows = session.execute(
        sa.select(Job, Organization.name, Organization.path)
        .outerjoin(
            Organization,
            sa.and_(
                Organization.tenant_id == Job.tenant_id, Organization.id == Job.organization_id
            ),
        )
        .where(*conditions)
        .order_by(Job.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()
    files = _files(session, [found.id for found, _, _ in rows])
    return [
        _summary(found, organization, path, files.get(found.id, []))
        for found, organization, path in rows
    ]


def may_download(visitor: Visitor, found: JobSummary, permission: str) -> bool:
    """Whether a visitor may have the files of a job of a kind with ``permission``."""
    return visitor.may(permission, found.path)


def about(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a job is about an organization at or below one of ``paths``.

    What is about the whole tenant is so for whoever has the root.
    """
    path = Organization.__table__.c.path
    below = sa.or_(sa.false(), *(within(path, top) for top in paths))
    if any(top.count("/") == 2 for top in paths):
        return sa.or_(below, Job.organization_id.is_(None))
    return below


def read_file(session: AnySession, file_id: int) -> BinaryIO:
    """The content of a file at its beginning; whether somebody may have it is asked before."""
    out = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    number = 0
    while True:
        content = session.scalar(
            sa.select(JobFilePart.content).where(
                JobFilePart.file_id == file_id, JobFilePart.number == number
            )
        )
        if content is None:
            break
        out.write(content)
        number += 1
    out.seek(0)
    return out  # type: ignore[return-value]


def uploaded(session: AnySession, job_id: int) -> int | None:
    """The number of the file that came with a job."""
    return session.scalar(sa.select(JobFile.id).where(JobFile.job_id == job_id, ~JobFile.produced))


def unfinished(session: AnySession) -> list[int]:
    """Numbers of the jobs that have not ended, oldest first."""
    return list(
        session.scalars(
            sa.select(Job.id).where(Job.state.in_(("waiting", "running"))).order_by(Job.id)
        )
    )


def _visible(visitor: Visitor) -> sa.ColumnElement[bool]:
    # One's own, as long as one still sees what it is about.
    own = sa.and_(
        Job.user_id == visitor.user_id,
        sa.or_(Job.organization_id.is_(None), about(visitor.within)),
    )
    return sa.or_(own, about(visitor.roots("jobs.read")))


def _files(session: AnySession, jobs: Sequence[int]) -> dict[int, list[FileSummary]]:
    found: dict[int, list[FileSummary]] = {}
    for row in session.scalars(
        sa.select(JobFile).where(JobFile.job_id.in_(jobs)).order_by(JobFile.id)
    ):
        file = FileSummary(row.id, row.produced, row.name, row.media_type, row.size, row.digest)
        found.setdefault(row.job_id, []).append(file)
    return found


def _summary(
    row: Job, organization: str | None, path: str | None, files: list[FileSummary]
) -> JobSummary:
    return JobSummary(
        id=row.id,
        kind=row.kind,
        organization_id=row.organization_id,
        organization=organization,
        path=path,
        subject=row.subject,
        parameters=row.parameters,
        state=row.state,
        done=row.done,
        total=row.total,
        log=tuple((datetime.fromisoformat(moment), text) for moment, text in row.log),
        result=row.result,
        error=row.error,
        requested_by=row.requested_by,
        user_id=row.user_id,
        requested_at=row.requested_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        files=tuple(file for file in files if row.state == "done" or not file.produced),
    )
