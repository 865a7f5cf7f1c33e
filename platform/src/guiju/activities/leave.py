"""Why somebody had leave: one of few words, and never more than that.

What kept a member away is theirs; a branch that plans needs to know only whether it was duty.
Nothing is judged by it, so the facts document does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from guiju.activities.models import attendance
from guiju.db.session import AnySession
from guiju.organizations.models import Person
from guiju.rules import tables
from guiju.rules.vocabulary import Vocabulary


def _(text: str) -> str:
    """Mark ``text`` for translation; the translation itself happens on display."""
    return text


#: Health, family and belief are nobody's business here: all of that is ``private``.
LEAVE_REASONS: Final = Vocabulary(
    "leave_reason",
    {"duty": _("公务"), "training": _("学习培训"), "private": _("个人事由")},
)

#: The column's name in payloads and in storage.
COLUMN: Final = "leave_reason"

#: The column as payloads have it.
FIELD: Final = tables.code(LEAVE_REASONS, _("请假事由"), _("只写类别，不写具体情况"))

Row = Mapping[str, Any]


def without_reasons(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Attendance as the facts table has it."""
    return [{name: value for name, value in row.items() if name != COLUMN} for row in rows]


def store_reasons(session: AnySession, occasion_id: int, rows: Sequence[Row]) -> None:
    """Keep the reasons of rows of attendance that were stored without them."""
    for reason in LEAVE_REASONS:
        people = [row["person"] for row in rows if row.get(COLUMN) == reason]
        if people:
            numbers = sa.select(Person.id).where(
                Person.tenant_id == attendance.c.tenant_id, Person.code.in_(people)
            )
            session.execute(
                sa.update(attendance)
                .where(
                    attendance.c.occasion_id == occasion_id,
                    attendance.c.person_id.in_(numbers),
                )
                .values({COLUMN: reason})
            )
