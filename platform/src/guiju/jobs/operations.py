"""Asking for jobs and writing down how they go; the work itself is the kinds' own."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, BinaryIO

import sqlalchemy as sa

from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession, transaction
from guiju.jobs import bells
from guiju.jobs.kinds import JobKind, Upload
from guiju.jobs.models import Job, JobFile, JobFilePart

#: Bytes of one piece of a file.
PART = 1024 * 1024

#: Lines of a job's log; what a runaway kind says beyond them is left out.
LONGEST_LOG = 500


def request_job(
    session: AnySession,
    actor: Actor,
    kind: JobKind,
    parameters: Mapping[str, Any],
    organization_id: int | None = None,
    *,
    subject: str | None = None,
    file: Upload | None = None,
) -> int:
    """Ask for a job inside the caller's transaction; returns its number.

    A worker is rung for when the transaction commits.  ``parameters`` are plain values;
    ``subject`` says in words what it is about (by default the file's name).  Whether ``actor``
    may is the caller's to know.
    """
    job = Job(
        kind=kind.name,
        organization_id=organization_id,
        subject=subject or (file.name if file else None),
        parameters=dict(parameters),
        requested_by=actor.name,
        user_id=actor.user_id,
        address=actor.address,
    )
    session.add(job)
    session.flush()
    if file is not None:
        keep_file(session, job.id, file, produced=False)
    after = {"kind": kind.name, "subject": job.subject, "parameters": job.parameters}
    record(session, actor, "job.request", "job", job.id, after=after)
    bells.ring_when_committed(session, job.id)
    return job.id


def begin(session: AnySession, job_id: int) -> Job | None:
    """Take a job on; None if it has ended already, or there is none of that number.

    What an earlier attempt produced is thrown away.  The caller keeps others away from it.
    """
    with transaction(session):
        job = session.scalars(sa.select(Job).where(Job.id == job_id)).one_or_none()
        if job is None or job.state not in {"waiting", "running"}:
            return None
        job.state, job.started_at = "running", datetime.now(UTC)
        job.attempts += 1
        job.done, job.total = 0, None
        session.execute(sa.delete(JobFile).where(JobFile.job_id == job_id, JobFile.produced))
        session.flush()
        session.expunge(job)
        return job


def progress(session: AnySession, job_id: int, done: int, total: int) -> None:
    """Write down how far a job is."""
    _update(session, job_id, done=done, total=total)


def log(session: AnySession, job_id: int, text: str) -> None:
    """Add a line to a job's log."""
    line = [[datetime.now(UTC).isoformat(timespec="seconds"), text]]
    added = Job.log.op("||")(sa.cast(line, Job.log.type))
    room = sa.func.jsonb_array_length(Job.log) < LONGEST_LOG
    _update(session, job_id, log=sa.case((room, added), else_=Job.log))


def finish(session: AnySession, job_id: int, result: Mapping[str, Any] | None) -> None:
    """A job is done."""
    _end(session, job_id, state="done", result=result, error=None)


def fail(
    session: AnySession, job_id: int, error: str, result: Mapping[str, Any] | None = None
) -> None:
    """Say why a job cannot be done."""
    _end(session, job_id, state="failed", result=result, error=error)


def _end(session: AnySession, job_id: int, **values: Any) -> None:
    _update(session, job_id, finished_at=datetime.now(UTC), **values)


def _update(session: AnySession, job_id: int, **values: Any) -> None:
    with transaction(session):
        session.execute(sa.update(Job).where(Job.id == job_id).values(**values))


def keep_file(session: AnySession, job_id: int, file: Upload, *, produced: bool) -> int:
    """Store a file with a job, in the caller's transaction; returns the file's number."""
    row = JobFile(
        job_id=job_id,
        produced=produced,
        name=PurePath(file.name.replace("\\", "/")).name[:200] or "file",
        media_type=file.media_type,
        size=0,
        digest="",
    )
    session.add(row)
    session.flush()
    digest = hashlib.sha256()
    for number, content in enumerate(_parts(file.content)):
        digest.update(content)
        row.size += len(content)
        session.execute(
            sa.insert(JobFilePart).values(file_id=row.id, number=number, content=content)
        )
    row.digest = digest.hexdigest()
    session.flush()
    return row.id


def _parts(content: bytes | BinaryIO) -> Iterator[bytes]:
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    while part := stream.read(PART):
        yield part


def forget_files(session: AnySession, kind: str, ended_before: datetime) -> int:
    """Delete the files of the jobs of a kind that ended before a moment; returns how many."""
    with transaction(session):
        ended = sa.select(Job.id).where(Job.kind == kind, Job.finished_at < ended_before)
        delete = sa.delete(JobFile).where(JobFile.job_id.in_(ended)).returning(JobFile.id)
        return len(session.scalars(delete).all())
