"""Kinds of jobs: what a feature declares, and what its function is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from guiju.audit.operations import Actor
from guiju.db.session import ScopedSession
from guiju.plugins import Plugins

#: What a kind says came of a job: plain values, or nothing.
Result = Mapping[str, Any] | None


@dataclass(frozen=True)
class Upload:
    """A file on its way in or out: its name, media type and content."""

    name: str
    media_type: str
    content: bytes | BinaryIO


class JobContext(Protocol):
    """What a job's function works with."""

    #: A session in the tenant's scope, no transaction begun.  Operations commit through it.
    session: ScopedSession
    #: Who asked for the job, for audit entries.
    actor: Actor
    tenant_id: int
    job_id: int
    #: The organization it is about; None for the whole tenant.
    organization_id: int | None
    parameters: Mapping[str, Any]
    #: 1 for the first time; more where a worker died at it.
    attempt: int
    plugins: Plugins

    def progress(self, done: int, total: int) -> None:
        """Show how far the job is.  Cheap: shown at most twice a second."""

    def log(self, text: str) -> None:
        """Add a line for the person who asked; no more than a few hundred are kept."""

    def upload(self) -> BinaryIO:
        """The file that came with the request, at its beginning.  The caller closes it."""

    def keep_file(self, name: str, media_type: str, content: bytes | BinaryIO) -> None:
        """Offer a file for download once the job is done."""


@dataclass(frozen=True)
class JobKind:
    """A kind of background job.

    ``run`` may be called again after a worker died at it, from the beginning: what it did
    before is either rolled back or found done already.  It raises ``BadInput`` for what the
    person can put right.  ``permission`` is what somebody needs (at the job's organization) to
    download its files.  ``restricted`` opens matters of discipline to it, which is written
    down.  Files are deleted ``keep_days`` after the job has ended.
    """

    #: In the database, in addresses and in logs.
    name: str
    #: What lists call it, in the language of the moment.
    title: Callable[[], str]
    permission: str
    run: Callable[[JobContext], Result]
    restricted: bool = False
    keep_days: int = 365


def by_name(*kinds: JobKind) -> dict[str, JobKind]:
    """Kinds by their names; raises ``ValueError`` where two have one."""
    found = {kind.name: kind for kind in kinds}
    if len(found) < len(kinds):
        raise ValueError(f"two kinds of one name among {[kind.name for kind in kinds]}")
    return found
