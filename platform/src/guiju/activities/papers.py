"""The files of records and drafts, as far as writing and reading records needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from guiju import clock
from guiju.activities.models import RecordFile
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession

Row = dict[str, Any]


def with_documents(
    session: AnySession,
    typed: Sequence[Row],
    *,
    draft_id: int | None,
    occasion_id: int | None,
) -> list[Row]:
    """The documents of a record: those typed, and each kind of which a file is there."""
    files = _of(session, draft_id, occasion_id)
    missing = {file.kind for file in files if file.kind is not None}
    missing -= {row["kind"] for row in typed}
    for file in files:
        if file.kind in missing:
            file.adds_document = True
    session.flush()
    return [*typed, *({"kind": kind, "kept_on": clock.today()} for kind in sorted(missing))]


def adopt(session: AnySession, draft_id: int, occasion_id: int) -> None:
    """Let the files of a draft belong to the record that it became."""
    session.execute(
        sa.update(RecordFile)
        .where(RecordFile.tenant_id == current_tenant_id(), RecordFile.draft_id == draft_id)
        .values(draft_id=None, occasion_id=occasion_id)
    )


def _of(session: AnySession, draft_id: int | None, occasion_id: int | None) -> list[RecordFile]:
    owners = []
    if draft_id is not None:
        owners.append(RecordFile.draft_id == draft_id)
    if occasion_id is not None:
        owners.append(RecordFile.occasion_id == occasion_id)
    if not owners:
        return []
    return list(
        session.scalars(
            sa.select(RecordFile).where(
                RecordFile.tenant_id == current_tenant_id(),
                sa.or_(*owners),
                RecordFile.removed_at.is_(None),
            )
        )
    )
