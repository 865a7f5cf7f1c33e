"""What falls due soon, told to those who keep the unit's records: once a day at most."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from guiju.db.arrays import any_of
from guiju.db.session import AnySession, transaction
from guiju.notices.models import Notice
from guiju.notices.operations import responsible
from guiju.rules.findings import CODE_OF
from guiju.rules.vocabulary import Verdict
from guiju.scoring.attending import ENTRY
from guiju.scoring.models import Attention
from guiju.scoring.numbering import rule_keys

#: Days ahead that are looked at.
AHEAD = 7

#: Requirements named in one notice; the rest is a number.
_MOST_NAMED = 8

_DUE = [CODE_OF[Verdict.PENDING], CODE_OF[Verdict.ACTION_DUE]]


def remind(session: AnySession, today: date) -> int:
    """Tell of what falls due in the days ahead; returns how many users were told.

    Run again on the same day, it tells nobody twice.  A reminder not read by the next day
    gives way to the new one.
    """
    with transaction(session):
        units = responsible(session)
        if not units:
            return 0
        due = _falling_due(session, set(units), today)
        users = {user: organization for organization in due for user in units[organization]}
        if not users:
            return 0
        rows = [
            {
                "user_id": user,
                "kind": "due",
                "key": f"{today.isoformat()}-{organization}",
                "organization_id": organization,
                "details": details,
            }
            for organization, details in due.items()
            for user in sorted(units[organization])
        ]
        session.execute(
            sa.delete(Notice).where(
                Notice.kind == "due",
                Notice.read_at.is_(None),
                any_of(Notice.user_id, users),
                ~sa.func.starts_with(Notice.key, today.isoformat()),
            )
        )
        told = 0
        for begin in range(0, len(rows), 1000):
            statement = insert(Notice).on_conflict_do_nothing().returning(Notice.id)
            told += len(session.scalars(statement, rows[begin : begin + 1000]).all())
        return told


def _falling_due(session: AnySession, units: set[int], today: date) -> dict[int, dict[str, Any]]:
    """What notices say, by unit."""
    keys = rule_keys(session)
    table, until = Attention.__table__, today + timedelta(days=AHEAD)
    rows = session.execute(
        sa.select(table.c.organization_id, ENTRY.c.cell, ENTRY.c.due)
        .select_from(table.join(ENTRY, sa.true()))
        .where(
            any_of(table.c.organization_id, units),
            table.c.due <= until,
            ENTRY.c.due.between(today, until),
            ENTRY.c.verdict.in_(_DUE),
        )
        .order_by(table.c.organization_id, ENTRY.c.due, ENTRY.c.cell)
    )
    found: dict[int, dict[str, Any]] = {}
    for organization, cell, due in rows:
        details = found.setdefault(organization, {"number": 0, "days": AHEAD, "items": []})
        details["number"] += 1
        if len(details["items"]) < _MOST_NAMED:
            key = keys[cell // 16]
            details["items"].append([key.requirement, key.part, due.isoformat()])
    return found
