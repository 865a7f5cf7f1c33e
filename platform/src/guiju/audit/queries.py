"""Questions about the audit trail, asked inside a tenant's scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self

import sqlalchemy as sa

from guiju.audit import wording
from guiju.audit.models import AuditEntry
from guiju.clock import ZONE
from guiju.db.session import AnySession


@dataclass(frozen=True)
class Filters:
    """Which entries are asked for; None asks for all."""

    #: Part of who acted, as shown.
    actor: str | None = None
    #: An action, or the beginning of several: ``occasion.``
    action: str | None = None
    subject_type: str | None = None
    subject: str | None = None
    #: Address that the request came from.
    address: str | None = None
    #: First and last day, in business time.
    since: date | None = None
    until: date | None = None

    def told(self) -> dict[str, str]:
        """Those that are set, as plain texts."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    @classmethod
    def read(cls, told: Mapping[str, str]) -> Self:
        """What :meth:`told` says; raises ``ValueError`` for what is no day."""
        values: dict[str, Any] = {name: text.strip() or None for name, text in told.items()}
        for name in ("since", "until"):
            if values.get(name):
                values[name] = date.fromisoformat(values[name])
        return cls(**values)


@dataclass(frozen=True)
class Change:
    """A value before and after; None where there was or is none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Entry:
    """One thing done, as the auditor reads it."""

    id: int
    at: datetime
    actor: str
    user_id: int | None
    address: str | None
    action: str
    subject_type: str
    subject: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def changes(self) -> list[Change]:
        """What differs, or what is told where nothing was before."""
        before, after = self.before or {}, self.after or {}
        names = dict.fromkeys([*before, *after])
        return [
            Change(name, before.get(name), after.get(name))
            for name in names
            if before.get(name) != after.get(name) or not (self.before and self.after)
        ]


def entries(
    session: AnySession, filters: Filters, *, before: int | None = None, limit: int
) -> list[Entry]:
    """The latest entries, newest first; ``before`` is the number of the last one seen."""
    select = _select(filters).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        select = select.where(AuditEntry.id < before)
    return [_entry(row) for row in session.scalars(select)]


def all_entries(session: AnySession, filters: Filters) -> Iterator[Entry]:
    """Every entry, oldest first, a few in memory at a time."""
    select = _select(filters).order_by(AuditEntry.id).execution_options(yield_per=1000)
    for rows in session.scalars(select).partitions():
        for row in rows:
            yield _entry(row)
            session.expunge(row)


def count(session: AnySession, filters: Filters) -> int:
    """How many entries there are."""
    counted = _select(filters).with_only_columns(sa.func.count())
    return session.scalar(counted) or 0


def _select(filters: Filters) -> sa.Select[AuditEntry]:
    entry, conditions = AuditEntry, []
    if filters.actor is not None:
        conditions.append(sa.func.strpos(entry.actor, filters.actor) > 0)
    if filters.action is not None:
        known = filters.action in wording.actions()
        is_it, begins = entry.action == filters.action, sa.func.starts_with
        conditions.append(is_it if known else begins(entry.action, filters.action))
    if filters.subject_type is not None:
        conditions.append(entry.subject_type == filters.subject_type)
    if filters.subject is not None:
        conditions.append(entry.subject == filters.subject)
    if filters.address is not None:
        conditions.append(entry.address == filters.address)
    if filters.since is not None:
        conditions.append(entry.created_at >= _midnight(filters.since))
    if filters.until is not None:
        conditions.append(entry.created_at < _midnight(filters.until + timedelta(days=1)))
    return sa.select(entry).where(*conditions)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


def _entry(row: AuditEntry) -> Entry:
    return Entry(
        id=row.id,
        at=row.created_at,
        actor=row.actor,
        user_id=row.user_id,
        address=row.address,
        action=row.action,
        subject_type=row.subject_type,
        subject=row.subject,
        before=row.before,
        after=row.after,
    )
