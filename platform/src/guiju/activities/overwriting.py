"""Records that something else than their form changes: what stood there is kept, and it shows.

Whoever imports a workbook, or takes an import back, changes records that somebody entered or
corrected in the application.  Each is kept as its next version, as after any correction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from guiju.activities import months, snapshots
from guiju.activities.calendar import business_day
from guiju.activities.models import Record, RecordStep, RecordVersion
from guiju.audit.operations import Actor
from guiju.db.arrays import any_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession

#: Records that are read at a time.
_CHUNK: Final = 500

#: States in which a record had been agreed upon.
_SETTLED: Final = frozenset({"reviewed", "archived", "voided"})

Snapshot = Mapping[str, Any]


def keep_versions(
    session: AnySession, actor: Actor, occasions: Collection[int], reason: str
) -> int:
    """Keep as next versions the records of ``occasions`` that say something else now; how many.

    Part of the caller's transaction, which has changed them.
    """
    number = 0
    for records in _chunks(session, occasions):
        told = snapshots.snapshots(session, [found.occasion_id for found in records])
        before = _last(session, records)
        for found in records:
            now = told[found.occasion_id]
            if now != before.get(found.occasion_id):
                _keep(session, actor, found, now, reason)
                number += 1
        session.flush()
    return number


def _chunks(session: AnySession, occasions: Collection[int]) -> Iterator[Sequence[Record]]:
    """The records of the occasions that have one, locked, some at a time."""
    numbers = session.scalars(
        sa.select(Record.id)
        .where(Record.tenant_id == current_tenant_id(), any_of(Record.occasion_id, occasions))
        .order_by(Record.id)
    ).all()
    for start in range(0, len(numbers), _CHUNK):
        yield session.scalars(
            sa.select(Record)
            .where(any_of(Record.id, numbers[start : start + _CHUNK]))
            .order_by(Record.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()


def _last(session: AnySession, records: Sequence[Record]) -> dict[int, Snapshot]:
    """What the version that holds says of each occasion."""
    rows = session.execute(
        sa.select(RecordVersion.occasion_id, RecordVersion.payload)
        .join(
            Record,
            sa.and_(
                Record.tenant_id == RecordVersion.tenant_id,
                Record.occasion_id == RecordVersion.occasion_id,
                Record.revision == RecordVersion.number,
            ),
        )
        .where(any_of(Record.id, [found.id for found in records]))
    )
    return dict(rows.all())


def _keep(session: AnySession, actor: Actor, found: Record, now: Snapshot, reason: str) -> None:
    settled = found.state in _SETTLED
    found.changed = found.changed or settled or _is_closed(session, found, now)
    found.state = _state(found.state, now.get("status"))
    if found.state in {"voided", "planned", "archived"}:
        found.station_id = None
    found.revision += 1
    found.changed_at = sa.func.now()
    session.add(
        RecordVersion(
            occasion_id=found.occasion_id,
            number=found.revision,
            payload=dict(now),
            reason=reason,
            user_id=actor.user_id,
            author=actor.name,
        )
    )
    session.add(
        RecordStep(
            occasion_id=found.occasion_id,
            action="correct",
            revision=found.revision,
            state=found.state,
            organization_id=found.organization_id,
            user_id=actor.user_id,
            actor=actor.name,
            comment=reason,
        )
    )


def _state(state: str, status: str | None) -> str:
    """Where a record stands, now that its occasion has this status."""
    if status in {"planned", "cancelled"}:
        return "planned" if status == "planned" else "voided"
    return "archived" if state in {"planned", "voided"} else state


def _is_closed(session: AnySession, found: Record, now: Snapshot) -> bool:
    """Whether the record is of a month that was complete."""
    month = months.month_of(date.fromisoformat(now["held_on"]))
    today = business_day(session)
    return months.completion(session, found.organization_id, month, today) is not None
