"""Writing down what is done, in the transaction that does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from guiju.audit.models import AuditEntry
from guiju.db.models import Base
from guiju.db.session import AnySession


@dataclass(frozen=True)
class Actor:
    """Who acts: a user, or (without ``user_id``) the operator, a command or a job."""

    name: str
    user_id: int | None = None
    address: str | None = None


def record(
    session: AnySession,
    actor: Actor,
    action: str,
    subject_type: str,
    subject: str | int | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an audit entry; it is committed or rolled back with what it tells of."""
    session.add(
        AuditEntry(
            user_id=actor.user_id,
            actor=actor.name,
            address=actor.address,
            action=action,
            subject_type=subject_type,
            subject=None if subject is None else str(subject),
            before=_plain(before),
            after=_plain(after),
        )
    )


def record_reading(session: AnySession, actor: Actor, table: str, reason: str) -> None:
    """Add an entry for reading restricted data; commit it before showing any."""
    record(session, actor, "restricted.read", table, after={"reason": reason})


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in values.items()
    }


def row_values(row: Base) -> dict[str, Any]:
    """The columns of a row that hold something, for ``before`` and ``after``."""
    columns = row.__table__.columns
    found = {column.key: getattr(row, column.key) for column in columns}
    return {
        name: value for name, value in found.items() if value is not None and name != "tenant_id"
    }
