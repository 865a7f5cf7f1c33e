"""Marking what has to be judged again."""

from collections.abc import Iterable

from sqlalchemy import insert

from guiju.db.session import AnySession
from guiju.organizations.models import DirtyMark
from guiju.scoring import bells


def mark_dirty(
    session: AnySession, organizations: Iterable[int], reason: str, *, subtree: bool = False
) -> None:
    """Mark organizations (by number) in the transaction that changes their records.

    A worker is rung for when that commits.  Whom else a change concerns (superiors, groups) the
    scoring job knows from the rules; ``subtree`` is for changes inherited by everything below.
    """
    marks = [
        {"organization_id": organization, "reason": reason, "subtree": subtree}
        for organization in sorted(organizations)
    ]
    if marks:
        session.execute(insert(DirtyMark), marks)
        bells.ring_when_committed(session)
