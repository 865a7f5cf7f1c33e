"""Recording what was done: one transaction each, with its audit entry and dirty marks.

Rows have the shape of the facts tables (:mod:`guiju.rules.tables`) as their marshmallow
schemas load them; references are the author's ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju import clock
from guiju.activities import counts, leave
from guiju.activities.models import Occasion, agenda, attendance, documents, steps, votes
from guiju.activities.store import Stored, store
from guiju.audit.operations import Actor, record, row_values
from guiju.db.arrow_rows import Rows
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization

Row = Mapping[str, Any]

#: What is recorded about an occasion, by the name of the table.
_PARTS = {table.name: table for table in (attendance, agenda, documents, steps, votes)}


def store_facts(session: AnySession, actor: Actor, facts: Mapping[str, Rows]) -> Stored:
    """Store a workbook's worth of facts: all or nothing, and the same facts twice change nothing.

    ``facts`` maps names of facts tables to Arrow tables or rows.  Columns that a table lacks
    keep what they hold; no row is ever deleted.  Raises ``BadInput`` with every fault that
    only the database could see, places as JSON pointers (``/members/12/organization``,
    rows counted from 0).
    """
    with transaction(session):
        # One at a time for each tenant: imports look up ids before they write.
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(current_tenant_id())))
        stored = store(session, facts, "facts.store")
        if stored:
            changes = {"inserted": stored.inserted, "updated": stored.updated}
            record(session, actor, "facts.store", "facts", after=changes)
    return stored


def record_occasion(
    session: AnySession,
    actor: Actor,
    occasion: Row,
    parts: Mapping[str, Sequence[Row]] | None = None,
) -> Occasion:
    """Record a meeting or activity, or correct the one with the same ``id``.

    ``parts`` are rows of ``attendance``, ``agenda``, ``documents``, ``steps`` and ``votes``
    without their ``occasion`` (of attendance with the reason of a leave); a part that is given
    replaces what was recorded, one that is not stays.  Counts that the occasion does not state
    are derived.  Raises ``BadInput``.
    """
    with transaction(session):
        return write_occasion(session, actor, occasion, parts)


def write_occasion(
    session: AnySession,
    actor: Actor,
    occasion: Row,
    parts: Mapping[str, Sequence[Row]] | None = None,
    *,
    new_in: Organization | None = None,
) -> Occasion:
    """As :func:`record_occasion`, in the caller's transaction.

    ``new_in`` is the organization that it is of, where the caller has made sure that there is
    no occasion of this ``id``.
    """
    parts = parts or {}
    known = None if new_in else session.scalars(_by_code(occasion["id"])).one_or_none()
    before = None if known is None else row_values(known)
    if known is None:
        occasion = {"recorded_on": clock.today(), **occasion}
    else:
        _remove(session, known.id, parts)
    came = parts.get("attendance", ())
    kept = {**parts, "attendance": leave.without_reasons(came)} if came else parts
    brought: dict[str, Rows] = {
        name: [{**row, "occasion": occasion["id"]} for row in rows] for name, rows in kept.items()
    }
    numbers: dict[str, dict[str, int | None]] = {}
    if new_in is not None:
        numbers = {
            "organizations": {new_in.code: new_in.id},
            "occasions": {str(occasion["id"]): None},
        }
    facts = {"occasions": [occasion], **brought}
    stored = store(session, facts, "occasion.record", known=numbers)
    again = _by_code(occasion["id"]).execution_options(populate_existing=True)
    recorded = session.scalars(again).one()
    leave.store_reasons(session, recorded.id, came)
    if recorded.organization_id not in stored.organizations:
        # Rows that were only removed show in nothing that was stored.
        counts.derive(session, [recorded.id])
        mark_dirty(session, [recorded.organization_id], "occasion.record")
        session.refresh(recorded)
    after = row_values(recorded) | {name: len(rows) for name, rows in parts.items()}
    record(
        session,
        actor,
        "occasion.record",
        "occasion",
        recorded.code,
        before=before,
        after=after,
    )
    return recorded


def attest_period(
    session: AnySession,
    actor: Actor,
    organization: str,
    period: str,
    *,
    attested_on: date | None = None,
    automatic: bool = False,
) -> None:
    """State that the organization's records for a period are complete.

    ``attested_on`` is today unless given.  Stating it again changes nothing but the day.
    """
    row = {
        "organization": organization,
        "period": period,
        "attested_on": attested_on or clock.today(),
        "automatic": automatic,
    }
    with transaction(session):
        if store(session, {"attestations": [row]}, "period.attest"):
            record(session, actor, "period.attest", "organization", organization, after=row)


def _by_code(code: str) -> sa.Select[Occasion]:
    return sa.select(Occasion).where(Occasion.code == code)


def _remove(session: AnySession, occasion: int, names: Iterable[str]) -> None:
    for name in names:
        table = _PARTS[name]
        session.execute(sa.delete(table).where(table.c.occasion_id == occasion))
