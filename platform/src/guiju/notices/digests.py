"""A user's new notices by mail: one digest a day at most, to who has not opted out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from babel.dates import format_date
from sqlalchemy.dialects.postgresql import insert

from guiju import mail
from guiju.accounts.models import User
from guiju.accounts.visitors import find_visitor
from guiju.config import Settings
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.language import speaking
from guiju.mail import Mailer, Message, ServerUnavailable, Undeliverable
from guiju.notices import queries
from guiju.notices.models import Notice, NoticeSetting
from guiju.notices.queries import NoticeRow
from guiju.notices.wording import worded
from guiju.rules.pack import Pack

log = structlog.get_logger()

#: Notices in one digest; the rest is on the page.
_MOST = 30

_LOCALES = {"zh": "zh_Hans_CN", "en": "en"}


def send_digests(
    session: AnySession, settings: Settings, packs: Mapping[str, Pack], today: date
) -> int:
    """Send today's digests; returns how many were sent.

    The day is written down before the server is asked, so that a crash costs a digest rather
    than doubling it; what was not sent is in the next one.  A server that cannot be used ends
    the run, and a later one on the same day goes on.
    """
    if not mail.configured(settings):
        return 0
    users = _waiting(session, today)
    session.rollback()
    if not users:
        return 0
    sent = 0
    try:
        with mail.connection(settings) as mailer:
            for user in users:
                sent += _send(session, settings, packs, mailer, user, today)
    except ServerUnavailable as error:
        log.warning("digests wait", tenant=current_tenant_id(), reason=str(error))
    return sent


class _Owed(NamedTuple):
    """A user to whom a digest is owed."""

    user_id: int
    address: str
    language: str
    #: The last notice that was in one.
    told: int


def _waiting(session: AnySession, today: date) -> list[_Owed]:
    """Users to whom a digest is owed."""
    told = sa.func.coalesce(NoticeSetting.digest_until, 0)
    unread = sa.exists().where(
        Notice.tenant_id == User.tenant_id,
        Notice.user_id == User.id,
        Notice.read_at.is_(None),
        Notice.id > told,
    )
    select = (
        sa.select(User.id, User.email, sa.func.coalesce(NoticeSetting.language, "zh"), told)
        .outerjoin(
            NoticeSetting,
            sa.and_(NoticeSetting.tenant_id == User.tenant_id, NoticeSetting.user_id == User.id),
        )
        .where(
            User.active,
            User.email.is_not(None),
            sa.func.coalesce(NoticeSetting.by_mail, sa.true()),
            NoticeSetting.digest_on.is_distinct_from(today),
            unread,
        )
        .order_by(User.id)
    )
    rows = session.execute(select)
    return [_Owed(row[0], str(row[1]), row[2], row[3]) for row in rows]


def _send(
    session: AnySession,
    settings: Settings,
    packs: Mapping[str, Pack],
    mailer: Mailer,
    user: _Owed,
    today: date,
) -> bool:
    number, address, language, told = user
    visitor = find_visitor(session, current_tenant_id(), number)
    if visitor is None:
        return False
    page = queries.notices(session, visitor, unread=True, after=told, limit=_MOST)
    if not page.rows:
        session.rollback()
        return False
    with speaking(language):
        message = _composed(settings, packs, address, language, page.rows)
    last = page.rows[0].notice.id
    _note(session, number, language, digest_on=today)
    try:
        mailer.send(message)
    except Undeliverable as error:
        # Nobody can be told at this address; the page still tells.
        log.warning("digest refused", tenant=current_tenant_id(), user=number, reason=str(error))
        return False
    except ServerUnavailable:
        _note(session, number, language, digest_on=None)
        raise
    _note(session, number, language, digest_on=today, digest_until=last)
    return True


def _note(session: AnySession, user_id: int, language: str, **values: date | int | None) -> None:
    with transaction(session):
        session.execute(
            insert(NoticeSetting)
            .values(user_id=user_id, language=language, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=values)
        )


def _composed(
    settings: Settings,
    packs: Mapping[str, Pack],
    address: str,
    language: str,
    rows: Sequence[NoticeRow],
) -> Message:
    def day(value: date) -> str:
        return str(format_date(value, "long", locale=_LOCALES[language]))

    lines = []
    for row in rows:
        words = worded(row.notice.kind, row.unit, row.notice.details, packs, day)
        lines += [f"- {words.title}", *(f"    {line}" for line in words.lines)]
    text = [
        *lines,
        "",
        _("查看并处理：{link}").format(link=mail.link(settings, "/notices")),
        "",
        _("每天至多一封。不想再收到，请在上述页面关闭邮件提醒。"),
    ]
    subject = _("规矩：{number} 条新通知").format(number=len(rows))
    return Message(address, subject, "\n".join(text) + "\n")
