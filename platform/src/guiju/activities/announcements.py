"""Announcements of meetings to come, shown to everybody who sees the unit until the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities.access import NotVisible, find_occasion, find_unit, words
from guiju.activities.calendar import business_day
from guiju.activities.models import Announcement, Occasion, Record
from guiju.activities.records import make_record
from guiju.audit.operations import record, row_values
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.plugins import Plugins
from guiju.rules.problems import BadInput, Problem


@dataclass(frozen=True)
class AnnouncementView:
    """An announcement with the unit it is for.

    ``occasion_id`` is the planned meeting, ``occasion`` its author's id.
    """

    announcement_id: int
    organization_id: int
    organization: str
    occasion_id: int | None
    occasion: str | None
    meets_on: date
    text: str
    author: str
    created_at: datetime
    may_withdraw: bool


def announce(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    text: str,
    meets_on: date,
    *,
    occasion_id: int | None = None,
) -> int:
    """Tell a unit's members of a meeting to come, one that was planned or not; its number.

    Nobody is asked to confirm having read it.  Raises ``BadInput`` without a text, for a day
    that is over, or where the planned meeting is another unit's.
    """
    told = words(text, "/text", required=True)
    with transaction(session):
        unit = find_unit(session, visitor, organization_id, "records.write")
        if meets_on < business_day(session):
            wanted = _("会议日期不能早于今天")
            raise BadInput([Problem("/meets_on", str(meets_on), wanted, "in_the_past")])
        if occasion_id is not None:
            occasion, _unit = find_occasion(session, visitor, occasion_id, "records.write")
            if occasion.organization_id != unit.id or occasion.status != "planned":
                wanted = _("应为本组织计划中的活动")
                raise BadInput([Problem("/occasion", occasion.code, wanted, "not_planned")])
        return _make(session, visitor, unit, told, meets_on, occasion_id)


def plan_meeting(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    organization_id: int,
    payload: Mapping[str, Any],
    text: str | None,
) -> Record:
    """Plan a meeting, and tell the unit's members of it where there is a ``text``.

    ``payload`` is that of a record; its day is today or later.  Raises ``BadInput`` as
    :func:`guiju.activities.records.create_record` does, and for too long a text.
    """
    told = words(text, "/text", required=False)
    with transaction(session):
        unit = find_unit(session, visitor, organization_id, "records.write")
        planned = {**payload, "status": "planned"}
        made = make_record(session, visitor, plugins, unit, planned)
        if told:
            occasion = session.get_one(Occasion, (current_tenant_id(), made.occasion_id))
            _make(session, visitor, unit, told, occasion.held_on, occasion.id)
        return made


def _make(
    session: AnySession,
    visitor: Visitor,
    unit: Organization,
    text: str,
    meets_on: date,
    occasion_id: int | None,
) -> int:
    made = Announcement(
        organization_id=unit.id,
        occasion_id=occasion_id,
        meets_on=meets_on,
        text=text,
        user_id=visitor.user_id,
        author=visitor.name,
    )
    session.add(made)
    session.flush()
    actor, after = visitor.actor(), row_values(made)
    record(session, actor, "announcement.make", "announcement", made.id, after=after)
    return made.id


def withdraw_announcement(session: AnySession, visitor: Visitor, announcement_id: int) -> None:
    """Show an announcement no longer."""
    with transaction(session):
        found = session.scalars(
            sa.select(Announcement)
            .where(
                Announcement.tenant_id == current_tenant_id(),
                Announcement.id == announcement_id,
                Announcement.withdrawn_at.is_(None),
            )
            .with_for_update()
        ).one_or_none()
        if found is None:
            raise NotVisible(f"announcement {announcement_id}")
        find_unit(session, visitor, found.organization_id, "records.write")
        found.withdrawn_at = datetime.now(UTC)
        actor, before = visitor.actor(), row_values(found)
        record(session, actor, "announcement.withdraw", "announcement", found.id, before=before)


def find_announcement(
    session: AnySession, visitor: Visitor, announcement_id: int
) -> AnnouncementView:
    """One that was not withdrawn, whatever its day; raises ``NotVisible``."""
    found = _found(session, visitor, Announcement.id == announcement_id, date.min)
    if not found:
        raise NotVisible(f"announcement {announcement_id}")
    find_unit(session, visitor, found[0].organization_id)
    return found[0]


def announcements_for(
    session: AnySession, visitor: Visitor, *, today: date | None = None
) -> list[AnnouncementView]:
    """What is announced to the visitor: of the units they hold a role on, the next day first.

    Superiors see the announcements of units below on the unit
    (:func:`announcements_of`), not here.
    """
    own = {post.organization_id for post in visitor.posts if visitor.sees(post.path)}
    return _found(session, visitor, Announcement.organization_id.in_(own), today)


def announcements_of(
    session: AnySession, visitor: Visitor, organization_id: int, *, today: date | None = None
) -> list[AnnouncementView]:
    """What is announced to one unit, the next day first."""
    unit = find_unit(session, visitor, organization_id)
    return _found(session, visitor, Announcement.organization_id == unit.id, today)


def _found(
    session: AnySession, visitor: Visitor, where: sa.ColumnElement[bool], today: date | None
) -> list[AnnouncementView]:
    rows = session.execute(
        sa.select(Announcement, Occasion.code, Organization.name, Organization.__table__.c.path)
        .outerjoin(
            Occasion,
            sa.and_(
                Occasion.tenant_id == Announcement.tenant_id,
                Occasion.id == Announcement.occasion_id,
            ),
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Announcement.tenant_id,
                Organization.id == Announcement.organization_id,
            ),
        )
        .where(
            Announcement.tenant_id == current_tenant_id(),
            Announcement.withdrawn_at.is_(None),
            Announcement.meets_on >= (today or business_day(session)),
            where,
        )
        .order_by(Announcement.meets_on, Announcement.id)
    )
    return [
        AnnouncementView(
            row.id,
            row.organization_id,
            organization,
            row.occasion_id,
            occasion,
            row.meets_on,
            row.text,
            row.author,
            row.created_at,
            visitor.may("records.write", path),
        )
        for row, occasion, organization, path in rows
    ]
