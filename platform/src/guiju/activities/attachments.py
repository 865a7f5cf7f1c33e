"""Files of records: attached from a telephone or a desk, kept with every version, swept.

A file is stored first and written down afterwards, so that a row always has its content;
what is left over when something fails in between is swept (:func:`sweep`).  Attaching and
removing a record's file makes a version of the record.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import BinaryIO, Final

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.visitors import Visitor
from guiju.activities import counts, drafts, records
from guiju.activities.access import NotAllowed, NotVisible, find_occasion, find_unit
from guiju.activities.models import Occasion, RecordFile, documents
from guiju.activities.store import store
from guiju.audit.operations import record as write_down
from guiju.config import Settings
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.files import Admitted, FileStore, Scanner, admit
from guiju.language import gettext as _
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput, Problem

#: Most files that a record or a draft has.
MOST_FILES: Final = 50
#: What was stored longer ago than this, and belongs to nothing, was left over.
_LEFT_OVER: Final = timedelta(days=1)


@dataclass(frozen=True)
class Cabinet:
    """Where files go, how large they may be, and who looks at them first."""

    store: FileStore
    most_bytes: int
    scanner: Scanner | None


@lru_cache(maxsize=8)
def cabinet(settings: Settings) -> Cabinet:
    """The cabinet that the settings name; opens no connection yet."""
    scanner = None if settings.clamd_url is None else Scanner(settings.clamd_url)
    most = settings.max_attachment_mb * 1_000_000
    return Cabinet(FileStore(settings.files_url), most, scanner)


@dataclass(frozen=True)
class FileView:
    """A file as lists show it; one that was removed belongs to earlier versions alone."""

    file_id: int
    name: str
    kind: str | None
    media_type: str
    size: int
    digest: str
    author: str
    created_at: datetime
    removed_at: datetime | None


def attach_to_draft(
    session: AnySession,
    visitor: Visitor,
    cabinet: Cabinet,
    draft_id: int,
    name: str,
    content: BinaryIO,
    *,
    kind: str | None = None,
) -> FileView:
    """Add a file to a draft; it goes with it into the record, or away with it.

    ``kind`` is the document kind that it is a copy of.  Raises ``BadInput`` at ``/file`` or
    ``/kind``, :class:`guiju.files.ScannerUnavailable`, ``OSError`` where the store fails.
    """
    _check_kind(kind)
    drafts.find_draft(session, visitor, draft_id)
    session.rollback()
    admitted = _admitted(cabinet, name, content)
    with _stored(session, cabinet, admitted) as stored_name, transaction(session):
        draft, unit = drafts.draft_of(session, visitor, draft_id, lock=True)
        _refuse_many(session, RecordFile.draft_id == draft.id)
        made = _row(visitor, unit, admitted, stored_name, kind)
        made.draft_id = draft.id
        session.add(made)
        session.flush()
        _audit(session, visitor, "file.attach", made, f"draft {draft.id}")
        return _view(made)


def attach_to_record(
    session: AnySession,
    visitor: Visitor,
    cabinet: Cabinet,
    occasion_id: int,
    name: str,
    content: BinaryIO,
    *,
    kind: str | None = None,
    revision: int | None = None,
    reason: str | None = None,
) -> FileView:
    """Add a file to a record, which makes a version of it.

    With a ``kind`` the document counts as kept.  Raises as :func:`attach_to_draft`, and as
    :func:`guiju.activities.records.correct_record`.
    """
    _check_kind(kind)
    find_occasion(session, visitor, occasion_id, "records.write")
    session.rollback()
    admitted = _admitted(cabinet, name, content)
    with _stored(session, cabinet, admitted) as stored_name, transaction(session):
        occasion, unit, found = records.lock_record(session, visitor, occasion_id, revision)
        _refuse_many(session, RecordFile.occasion_id == occasion.id)
        made = _row(visitor, unit, admitted, stored_name, kind)
        made.occasion_id = occasion.id
        made.adds_document = kind is not None and not _is_listed(session, occasion.id, kind)
        session.add(made)
        if made.adds_document:
            row = {"occasion": occasion.code, "kind": kind, "kept_on": clock.today()}
            store(session, {"documents": [row]}, "file.attach")
        session.flush()
        records.amend(session, visitor, occasion, unit, found, reason)
        _audit(session, visitor, "file.attach", made, occasion.code)
        return _view(made)


def remove_file(
    session: AnySession,
    visitor: Visitor,
    file_id: int,
    *,
    revision: int | None = None,
    reason: str | None = None,
) -> None:
    """Take a file off its draft or record; earlier versions of a record still have it.

    The document that it added counts as kept no more, unless another file shows it.
    """
    with transaction(session):
        found = _find(session, file_id)
        if found.draft_id is not None:
            drafts.draft_of(session, visitor, found.draft_id, lock=True)
            session.delete(found)
            _audit(session, visitor, "file.remove", found, f"draft {found.draft_id}")
            return
        occasion, unit, record = records.lock_record(
            session, visitor, int(found.occasion_id or 0), revision
        )
        if found.removed_at is not None:
            raise NotVisible(f"file {file_id}")
        found.removed_at, found.removed_by = datetime.now(UTC), visitor.name
        session.flush()
        _drop_document(session, occasion, found)
        records.amend(session, visitor, occasion, unit, record, reason)
        _audit(session, visitor, "file.remove", found, occasion.code)


def files_of_draft(session: AnySession, visitor: Visitor, draft_id: int) -> list[FileView]:
    """The files of a draft, in the order in which they were added."""
    drafts.find_draft(session, visitor, draft_id)
    return _views(session, RecordFile.draft_id == draft_id)


def files_of_record(session: AnySession, visitor: Visitor, occasion_id: int) -> list[FileView]:
    """The files that a record has now; none for who may not see people, whom they show."""
    occasion, unit = find_occasion(session, visitor, occasion_id)
    if not visitor.may("people.read", unit.path):
        return []
    kept = sa.and_(RecordFile.occasion_id == occasion.id, RecordFile.removed_at.is_(None))
    return _views(session, kept)


def open_file(
    session: AnySession, visitor: Visitor, cabinet: Cabinet, file_id: int
) -> tuple[FileView, BinaryIO]:
    """A file with its content, for whom :func:`find_file` finds it.

    Raises ``FileNotFoundError`` where the store has lost it.
    """
    found = _visible(session, visitor, file_id)
    return _view(found), io.BytesIO(cabinet.store.get(found.stored_name))


def find_file(session: AnySession, visitor: Visitor, file_id: int) -> FileView:
    """A file, for who may see the record and the people in it.

    One that was removed is there for who may correct or review the record.  Raises
    :class:`NotVisible` and :class:`NotAllowed`.
    """
    return _view(_visible(session, visitor, file_id))


def _visible(session: AnySession, visitor: Visitor, file_id: int) -> RecordFile:
    found = _find(session, file_id)
    if found.draft_id is not None:
        drafts.find_draft(session, visitor, found.draft_id)
    else:
        unit = find_unit(session, visitor, found.organization_id)
        needed: tuple[str, ...] = ("people.read",)
        if found.removed_at is not None:
            needed = ("records.write", "records.review")
        if not any(visitor.may(permission, unit.path) for permission in needed):
            raise NotAllowed(f"file {file_id}")
    return found


def sweep(session: AnySession, cabinet: Cabinet, *, now: datetime | None = None) -> int:
    """Delete the tenant's contents that belong to no row, stored a day ago or earlier.

    Returns how many; in a tenant's scope.
    """
    limit = (now or datetime.now(UTC)) - _LEFT_OVER
    tenant_id = current_tenant_id()
    old = [name for name, stored_at in cabinet.store.names(tenant_id) if stored_at < limit]
    known = set(
        session.scalars(sa.select(RecordFile.stored_name).where(RecordFile.tenant_id == tenant_id))
    )
    session.rollback()
    left_over = [name for name in old if name not in known]
    for name in left_over:
        cabinet.store.delete(name)
    return len(left_over)


# -- parts of the operations -----------------------------------------------------------------


class _stored:  # noqa: N801 - used as a verb
    """The content in the store for the time of the block; taken away again if that fails."""

    def __init__(self, session: AnySession, cabinet: Cabinet, admitted: Admitted) -> None:
        self._store = cabinet.store
        self._name = cabinet.store.new_name(current_tenant_id(), admitted.suffix)
        self._content = admitted.content

    def __enter__(self) -> str:
        self._store.put(self._name, self._content)
        return self._name

    def __exit__(self, error: type[BaseException] | None, *_details: object) -> None:
        if error is not None:
            # What cannot be taken away now is swept.
            with suppress(OSError):
                self._store.delete(self._name)


def _admitted(cabinet: Cabinet, name: str, content: BinaryIO) -> Admitted:
    # One byte more than allowed shows that it is too large.
    read = content.read(cabinet.most_bytes + 1)
    return admit(name, read, most_bytes=cabinet.most_bytes, scanner=cabinet.scanner)


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in v.DOCUMENT_KINDS:
        raise BadInput([Problem("/kind", kind[:60], _("应为材料类型的一种"), "unknown_code")])


def _refuse_many(session: AnySession, owner: sa.ColumnElement[bool]) -> None:
    number = session.scalar(
        sa.select(sa.func.count())
        .select_from(RecordFile)
        .where(RecordFile.tenant_id == current_tenant_id(), owner, RecordFile.removed_at.is_(None))
    )
    if (number or 0) >= MOST_FILES:
        found = _("已有 {number} 个文件").format(number=number)
        wanted = _("不超过 {most} 个").format(most=MOST_FILES)
        raise BadInput([Problem("/file", found, wanted, "too_many")])


def _row(
    visitor: Visitor, unit: Organization, admitted: Admitted, stored_name: str, kind: str | None
) -> RecordFile:
    return RecordFile(
        organization_id=unit.id,
        kind=kind,
        name=admitted.name,
        media_type=admitted.media_type,
        size=len(admitted.content),
        digest=admitted.digest,
        stored_name=stored_name,
        adds_document=False,
        user_id=visitor.user_id,
        author=visitor.name,
    )


def _is_listed(session: AnySession, occasion_id: int, kind: str) -> bool:
    found = sa.select(documents.c.id).where(
        documents.c.tenant_id == current_tenant_id(),
        documents.c.occasion_id == occasion_id,
        documents.c.kind == kind,
    )
    return session.scalars(found.limit(1)).first() is not None


def _drop_document(session: AnySession, occasion: Occasion, gone: RecordFile) -> None:
    """The document that a file added goes with it, or passes on to another file of its kind."""
    if not gone.adds_document:
        return
    heir = session.scalars(
        sa.select(RecordFile)
        .where(
            RecordFile.tenant_id == current_tenant_id(),
            RecordFile.occasion_id == occasion.id,
            RecordFile.kind == gone.kind,
            RecordFile.removed_at.is_(None),
        )
        .limit(1)
    ).first()
    if heir is not None:
        heir.adds_document = True
        return
    session.execute(
        sa.delete(documents).where(
            documents.c.tenant_id == current_tenant_id(),
            documents.c.occasion_id == occasion.id,
            documents.c.kind == gone.kind,
        )
    )
    counts.derive(session, [occasion.id])
    mark_dirty(session, [occasion.organization_id], "file.remove")


def _find(session: AnySession, file_id: int) -> RecordFile:
    found = session.scalars(
        sa.select(RecordFile).where(
            RecordFile.tenant_id == current_tenant_id(), RecordFile.id == file_id
        )
    ).one_or_none()
    if found is None:
        raise NotVisible(f"file {file_id}")
    return found


def _audit(
    session: AnySession, visitor: Visitor, action: str, file: RecordFile, owner: str
) -> None:
    after = {"name": file.name, "digest": file.digest, "size": file.size, "of": owner}
    write_down(session, visitor.actor(), action, "file", file.id, after=after)


def _views(session: AnySession, where: sa.ColumnElement[bool]) -> list[FileView]:
    rows: Sequence[RecordFile] = session.scalars(
        sa.select(RecordFile)
        .where(RecordFile.tenant_id == current_tenant_id(), where)
        .order_by(RecordFile.id)
    ).all()
    return [_view(row) for row in rows]


def _view(row: RecordFile) -> FileView:
    return FileView(
        row.id,
        row.name,
        row.kind,
        row.media_type,
        row.size,
        row.digest,
        row.author,
        row.created_at,
        row.removed_at,
    )
