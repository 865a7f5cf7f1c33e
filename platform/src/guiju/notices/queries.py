"""A user's own notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.notices.models import Notice, NoticeSetting
from guiju.organizations.models import Organization
from guiju.organizations.tree import within


@dataclass(frozen=True)
class NoticeRow:
    """A notice, with the name of the unit that it is about."""

    notice: Notice
    unit: str


@dataclass(frozen=True)
class NoticePage:
    """Notices, newest first, and the number that the next page begins before."""

    rows: Sequence[NoticeRow]
    before: int | None


def notices(
    session: AnySession,
    visitor: Visitor,
    *,
    unread: bool = False,
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> NoticePage:
    """The visitor's notices about units that they (still) see."""
    select = (
        sa.select(Notice, Organization.name)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Notice.tenant_id,
                Organization.id == Notice.organization_id,
            ),
        )
        .where(Notice.user_id == visitor.user_id, _seen(visitor))
        .order_by(Notice.id.desc())
        .limit(limit + 1)
    )
    if unread:
        select = select.where(Notice.read_at.is_(None))
    if before is not None:
        select = select.where(Notice.id < before)
    if after is not None:
        select = select.where(Notice.id > after)
    found = session.execute(select).all()
    rows = [NoticeRow(notice, name) for notice, name in found[:limit]]
    return NoticePage(rows, found[limit - 1][0].id if len(found) > limit else None)


def unread_number(session: AnySession, visitor: Visitor) -> int:
    """How many of the visitor's notices about units that they (still) see are not read."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Notice)
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == Notice.tenant_id,
                    Organization.id == Notice.organization_id,
                ),
            )
            .where(
                Notice.tenant_id == current_tenant_id(),
                Notice.user_id == visitor.user_id,
                Notice.read_at.is_(None),
                _seen(visitor),
            )
        )
        or 0
    )


def _seen(visitor: Visitor) -> sa.ColumnElement[bool]:
    path = Organization.__table__.c.path
    return sa.or_(sa.false(), *(within(path, top) for top in visitor.within))


def setting(session: AnySession, user_id: int) -> tuple[bool, str]:
    """Whether a user wants mail, and their language in it."""
    found = session.execute(
        sa.select(NoticeSetting.by_mail, NoticeSetting.language).where(
            NoticeSetting.user_id == user_id
        )
    ).one_or_none()
    return (True, "zh") if found is None else (found[0], found[1])
