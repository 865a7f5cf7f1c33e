"""Looking at what a facts document would change, and storing it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from guiju import facts as documents
from guiju.activities.overwriting import keep_versions
from guiju.activities.store import Stored, store
from guiju.audit.operations import Actor, record
from guiju.db.copying import look_up_by_index
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.facts.document import FactsDocument
from guiju.importing.changes import RowChange, changes
from guiju.importing.journal import fingerprint, journal
from guiju.importing.models import Import
from guiju.importing.reach import Reach, confined, known, outside
from guiju.language import gettext as _
from guiju.organizations.changes import lock
from guiju.organizations.models import Organization
from guiju.plugins import Plugins
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.profiles import check_settings
from guiju.tenancy.queries import enabled_profiles

#: Told how much is done of how much.
Progress = Callable[[int, int], None]

#: Changed rows that a preview tells of; all are counted.
MOST_CHANGES = 200

#: Of a hundred parts of the work, reading and checking are so many.
_READING = 35


@dataclass(frozen=True)
class Source:
    """A facts document: where it lies, what it is called, SHA-256 of its content."""

    path: Path
    name: str
    digest: str

    @classmethod
    def of(cls, path: Path, name: str | None = None) -> Source:
        """The document at ``path``; a folder's digest is that of its files, by name."""
        digest = hashlib.sha256()
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path] if path.exists() else []
        for file in files:
            if path.is_dir():
                digest.update(file.name.encode())
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        return cls(path, name or path.name, digest.hexdigest())


@dataclass(frozen=True)
class TablePreview:
    """What would become of the rows of a table that the document has."""

    table: str
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Preview:
    """What storing a document would do.

    ``changes`` are the first :data:`MOST_CHANGES` rows that would say something else;
    ``fingerprint`` is what :func:`run_import` compares, should the data change meanwhile.
    """

    tables: list[TablePreview]
    changes: list[RowChange]
    #: Organizations that would be judged again.
    organizations: int
    fingerprint: Mapping[str, Any]

    @property
    def is_empty(self) -> bool:
        """Whether everything is there already."""
        return not any(row.new or row.changed for row in self.tables)


def preview_import(
    session: AnySession,
    source: Source,
    reach: Reach,
    plugins: Plugins,
    *,
    progress: Progress = lambda _done, _total: None,
) -> Preview:
    """What storing the document would change; nothing is written.

    Raises ``BadInput`` with every fault and its place (sheet and cell, pointer or line).  The
    session is in a restricted scope, with no transaction begun.
    """
    document, filled = _read(session, source, reach, plugins, progress)
    try:
        made, stored = _store(
            session, Actor(""), source, reach, document, filled, progress, rehearsed=True
        )
        return Preview(
            tables=[
                TablePreview(
                    name,
                    stored.inserted.get(name, 0),
                    stored.updated.get(name, 0),
                    rows.num_rows - stored.inserted.get(name, 0) - stored.updated.get(name, 0),
                )
                for name, rows in filled.items()
            ],
            changes=changes(session, plugins, made.id, limit=MOST_CHANGES),
            organizations=len(stored.organizations),
            fingerprint=fingerprint(session, made),
        )
    finally:
        # Whatever was tried is gone with the transaction.
        session.rollback()


def run_import(
    session: AnySession,
    actor: Actor,
    source: Source,
    reach: Reach,
    plugins: Plugins,
    *,
    expected: Mapping[str, Any] | None = None,
    job_id: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Import | None:
    """Store the document, all or nothing; None where everything was there already.

    ``expected`` is the fingerprint of the preview that somebody agreed to.  A job that is run
    again after it has stored its document stores nothing.  Raises ``BadInput`` as
    :func:`preview_import`, and where the change would not be the expected one.  The session is
    in a restricted scope, with no transaction begun.
    """
    if job_id is not None:
        with transaction(session):
            before = session.scalars(sa.select(Import).where(Import.job_id == job_id)).first()
        if before is not None:
            return before
    document, filled = _read(session, source, reach, plugins, progress)
    try:
        made, stored = _store(session, actor, source, reach, document, filled, progress)
        if expected is not None:
            _refuse_stale(source, fingerprint(session, made), expected)
        if not stored:
            session.rollback()
            return None
        made.job_id = job_id
        after = {"file": source.name, "inserted": made.inserted, "updated": made.updated}
        record(session, actor, "facts.import", "import", made.id, after=after)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    progress(100, 100)
    return made


def _refuse_stale(source: Source, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    if found != expected:
        wanted = _("请重新预览后再确认")
        raise BadInput([Problem(source.name, _("预览之后，库中的数据又有改动"), wanted, "stale")])


def _read(
    session: AnySession, source: Source, reach: Reach, plugins: Plugins, progress: Progress
) -> tuple[FactsDocument, dict[str, pa.Table]]:
    progress(0, 100)
    try:
        ids = known(session, reach)
        document = documents.read(source.path, codes=plugins.codes, known=ids)
        filled = confined(session, document, reach, ids["people"])
        _check_settings(session, plugins, document)
    finally:
        session.rollback()
    progress(_READING, 100)
    return document, filled


def _check_settings(session: AnySession, plugins: Plugins, document: FactsDocument) -> None:
    rows = document.tables["settings"]
    names = rows["key"].to_pylist()
    if not names:
        return
    places = document.places["settings"]
    check_settings(
        plugins.packs,
        {profile.profile for profile in enabled_profiles(session)},
        dict(zip(names, rows["value"].to_pylist(), strict=True)),
        {name: places.cell(row, "key") for row, name in enumerate(names)},
        {
            *document.tables["organizations"]["id"].to_pylist(),
            *session.scalars(
                sa.select(Organization.code).where(Organization.tenant_id == current_tenant_id())
            ),
        },
    )


def _store(
    session: AnySession,
    actor: Actor,
    source: Source,
    reach: Reach,
    document: FactsDocument,
    filled: Mapping[str, pa.Table],
    progress: Progress,
    *,
    rehearsed: bool = False,
) -> tuple[Import, Stored]:
    """Store in a transaction that the caller ends, or rolls back where it is ``rehearsed``."""
    lock(session)
    look_up_by_index(session)
    made = Import(
        organization_id=reach.organization_id,
        name=source.name,
        digest=source.digest,
        made_by=actor.name,
    )
    session.add(made)
    session.flush()
    total = sum(rows.num_rows for rows in filled.values())
    written = 0

    def done(name: str) -> None:
        nonlocal written
        written += filled[name].num_rows if name in filled else 0
        progress(_READING + (95 - _READING) * written // max(total, 1), 100)

    with _placed(document, source.name):
        notes = journal(made.id, rehearsed=rehearsed)
        stored = store(session, filled, "facts.import", journal=notes, done=done)
    if outside(session, reach, stored.owners):
        # Reading should have refused it: better to say little than to let it pass.
        found, wanted = _("有内容不属于本级"), _("应只含本级及下级的内容")
        raise BadInput([Problem(source.name, found, wanted, "out_of_reach")])
    keep_versions(session, actor, stored.occasions, _("导入“{file}”").format(file=source.name))
    made.inserted, made.updated = stored.inserted, stored.updated
    session.flush()
    return made, stored


@contextmanager
def _placed(document: FactsDocument, name: str) -> Iterator[None]:
    """Say of what storing refuses where it stands in the document."""
    try:
        yield
    except BadInput as error:
        raise BadInput(
            Problem(place, problem.found, problem.wanted, problem.code)
            for problem in error.problems
            for place in _places(document, name, problem)
        ) from error


def _places(document: FactsDocument, name: str, problem: Problem) -> list[str]:
    found = re.fullmatch(r"/(\w+)(?:/(\d+)(?:/(\w+))?)?", problem.place)
    if found is None or found[1] not in document.places:
        return [name]
    table, row, column = found.groups()
    places = document.places[table]
    if row is not None:
        return [places.cell(int(row), column) if column else places.row(int(row))]
    # What the database found in a table as a whole is named by its id.
    ids = (
        document.tables[table].column("id") if "id" in document.tables[table].schema.names else None
    )
    if ids is None:
        return [places.table()]
    rows = pc.indices_nonzero(pc.equal(ids, problem.found)).to_pylist()
    return [places.cell(found_row, "id") for found_row in rows] or [places.table()]
