"""What a meeting left to be done: by whom, until when, and what came of it.

These are the unit's own notes; what a notice demands to be corrected is recorded as a
rectification.  Since they name people, only who may see people sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.visitors import Visitor
from guiju.activities.access import Conflict, NotVisible, demand, find_occasion, find_unit, words
from guiju.activities.models import FollowUp, Occasion
from guiju.audit.operations import record, row_values
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem


@dataclass(frozen=True)
class FollowUpView:
    """Something to be done; ``done_on`` is None until it is."""

    follow_up_id: int
    occasion_id: int
    #: The author's id of the meeting.
    occasion: str
    organization_id: int
    organization: str
    what: str
    who: str
    due_on: date | None
    done_on: date | None
    note: str | None
    revision: int
    author: str
    changed_at: datetime

    @property
    def overdue(self) -> bool:
        return self.done_on is None and self.due_on is not None and self.due_on < clock.today()


def add_follow_up(
    session: AnySession,
    visitor: Visitor,
    occasion_id: int,
    *,
    what: str,
    who: str,
    due_on: date | None = None,
) -> int:
    """Note something to be done after a meeting; its number.

    Raises ``BadInput`` where nobody or nothing is named.
    """
    said, name = _described(what, who)
    with transaction(session):
        occasion, unit = find_occasion(session, visitor, occasion_id, "records.write")
        made = FollowUp(
            occasion_id=occasion.id,
            organization_id=unit.id,
            what=said,
            who=name,
            due_on=due_on,
            author=visitor.name,
        )
        session.add(made)
        session.flush()
        after = row_values(made)
        record(session, visitor.actor(), "follow_up.add", "follow_up", made.id, after=after)
        return made.id


def change_follow_up(
    session: AnySession,
    visitor: Visitor,
    follow_up_id: int,
    *,
    what: str,
    who: str,
    due_on: date | None,
    revision: int | None = None,
) -> None:
    """Say anew what is to be done; raises as :func:`add_follow_up`, and :class:`Conflict`."""
    said, name = _described(what, who)
    with transaction(session):
        found = _locked(session, visitor, follow_up_id, revision)
        before = row_values(found)
        found.what, found.who, found.due_on = said, name, due_on
        _changed(session, visitor, found, "follow_up.change", before)


def finish_follow_up(
    session: AnySession,
    visitor: Visitor,
    follow_up_id: int,
    *,
    done_on: date | None = None,
    note: str | None = None,
    revision: int | None = None,
) -> None:
    """It has been done, today unless another day is given; ``note`` says what came of it.

    Raises ``BadInput`` for a day to come.
    """
    told = words(note, "/note", required=False)
    day = done_on or clock.today()
    if day > clock.today():
        wanted = _("完成日期不能晚于今天")
        raise BadInput([Problem("/done_on", str(day), wanted, "in_the_future")])
    with transaction(session):
        found = _locked(session, visitor, follow_up_id, revision)
        before = row_values(found)
        found.done_on, found.note = day, told
        _changed(session, visitor, found, "follow_up.finish", before)


def reopen_follow_up(
    session: AnySession, visitor: Visitor, follow_up_id: int, *, revision: int | None = None
) -> None:
    """It has not been done after all."""
    with transaction(session):
        found = _locked(session, visitor, follow_up_id, revision)
        before = row_values(found)
        found.done_on = None
        _changed(session, visitor, found, "follow_up.reopen", before)


def drop_follow_up(
    session: AnySession, visitor: Visitor, follow_up_id: int, *, revision: int | None = None
) -> None:
    """It was noted by mistake."""
    with transaction(session):
        found = _locked(session, visitor, follow_up_id, revision)
        before = row_values(found)
        session.delete(found)
        record(session, visitor.actor(), "follow_up.drop", "follow_up", found.id, before=before)


def find_follow_up(session: AnySession, visitor: Visitor, follow_up_id: int) -> FollowUpView:
    """One of them; raises ``NotVisible``, for who may not see people, too."""
    found = _found(session, FollowUp.id == follow_up_id)
    if not found:
        raise NotVisible(f"follow-up {follow_up_id}")
    unit = find_unit(session, visitor, found[0].organization_id)
    if not visitor.may("people.read", unit.path):
        raise NotVisible(f"follow-up {follow_up_id}")
    return found[0]


def follow_ups_of(session: AnySession, visitor: Visitor, occasion_id: int) -> list[FollowUpView]:
    """What a meeting left to be done, the earliest due first; nothing without sight of people."""
    occasion, unit = find_occasion(session, visitor, occasion_id)
    if not visitor.may("people.read", unit.path):
        return []
    return _found(session, FollowUp.occasion_id == occasion.id)


def open_follow_ups(
    session: AnySession, visitor: Visitor, organization_id: int | None = None, *, limit: int = 200
) -> list[FollowUpView]:
    """What is still to be done in the units that the visitor records for, earliest due first."""
    path = Organization.__table__.c.path
    roots = visitor.roots("records.write")
    where = sa.and_(
        FollowUp.done_on.is_(None), sa.or_(sa.false(), *(within(path, root) for root in roots))
    )
    if organization_id is not None:
        find_unit(session, visitor, organization_id, "records.write")
        where = sa.and_(where, FollowUp.organization_id == organization_id)
    return _found(session, where, limit)


def _found(
    session: AnySession, where: sa.ColumnElement[bool], limit: int = 1000
) -> list[FollowUpView]:
    rows = session.execute(
        sa.select(FollowUp, Occasion.code, Organization.name)
        .join(
            Occasion,
            sa.and_(Occasion.tenant_id == FollowUp.tenant_id, Occasion.id == FollowUp.occasion_id),
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == FollowUp.tenant_id,
                Organization.id == FollowUp.organization_id,
            ),
        )
        .where(FollowUp.tenant_id == current_tenant_id(), where)
        .order_by(FollowUp.done_on.is_not(None), FollowUp.due_on.nulls_last(), FollowUp.id)
        .limit(limit)
    )
    return [
        FollowUpView(
            row.id,
            row.occasion_id,
            occasion,
            row.organization_id,
            organization,
            row.what,
            row.who,
            row.due_on,
            row.done_on,
            row.note,
            row.revision,
            row.author,
            row.changed_at,
        )
        for row, occasion, organization in rows
    ]


def _described(what: str, who: str) -> tuple[str, str]:
    """Both without blanks around them; raises ``BadInput`` naming each that is missing."""
    problems: list[Problem] = []
    found = []
    for text, place in ((what, "/what"), (who, "/who")):
        try:
            found.append(words(text, place, required=True) or "")
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    said, name = found
    return said, name


def _locked(
    session: AnySession, visitor: Visitor, follow_up_id: int, revision: int | None
) -> FollowUp:
    found = session.scalars(
        sa.select(FollowUp)
        .where(FollowUp.tenant_id == current_tenant_id(), FollowUp.id == follow_up_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotVisible(f"follow-up {follow_up_id}")
    unit = find_unit(session, visitor, found.organization_id)
    if not visitor.may("people.read", unit.path):
        raise NotVisible(f"follow-up {follow_up_id}")
    demand(visitor, "records.write", unit.path)
    if revision is not None and revision != found.revision:
        raise Conflict(found.revision, row_values(found), found.author, found.changed_at)
    return found


def _changed(
    session: AnySession, visitor: Visitor, found: FollowUp, action: str, before: dict[str, object]
) -> None:
    found.revision += 1
    found.author = visitor.name
    found.changed_at = sa.func.now()
    session.flush()
    after = row_values(found)
    record(session, visitor.actor(), action, "follow_up", found.id, before=before, after=after)
