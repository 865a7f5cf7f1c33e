"""Mailing invitations in the background: the links are made as they are sent, and kept nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from guiju import mail
from guiju.accounts.links import make_invitation
from guiju.accounts.mailing import link_message
from guiju.accounts.models import AccountLink, User
from guiju.config import load_settings
from guiju.db.session import transaction
from guiju.jobs.kinds import JobContext, JobKind, Result
from guiju.language import gettext as _
from guiju.mail import Mailer, ServerUnavailable, Undeliverable
from guiju.rules.problems import BadInput, Problem


def mail_invitations(context: JobContext) -> Result:
    """Mail a link to each of the users that the parameters name.

    Whoever has a link that works, of an earlier attempt for example, is left out.
    """
    users: list[int] = context.parameters["users"]
    sent = 0
    try:
        with mail.connection(load_settings()) as mailer:
            for number, user_id in enumerate(users, 1):
                sent += _mail(context, mailer, user_id)
                context.progress(number, len(users))
    except ServerUnavailable as error:
        wanted = _("已发出 {sent} 封；其余的请稍后在“批量邀请”页重新发送").format(sent=sent)
        found = _("邮件服务器不可用（{reason}）").format(reason=error)
        raise BadInput([Problem("/mail", found, wanted, "unavailable")]) from None
    return {"sent": sent}


def _mail(context: JobContext, mailer: Mailer, user_id: int) -> bool:
    session, settings = context.session, load_settings()
    try:
        # Not sent, not made: what fails leaves no link that nobody has.
        with transaction(session):
            user = session.scalars(
                sa.select(User)
                .where(
                    User.id == user_id,
                    User.active,
                    User.email.is_not(None),
                    User.password_hash.is_(None),
                )
                .with_for_update()
            ).one_or_none()
            if user is None or _has_link(context, user_id):
                return False
            link = make_invitation(session, context.actor, user)
            mailer.send(link_message(settings, link, user.name, str(user.email)))
    except Undeliverable as error:
        context.log(_("用户 {number}：邮件被拒收（{reason}）").format(number=user_id, reason=error))
        return False
    return True


def _has_link(context: JobContext, user_id: int) -> bool:
    found = context.session.scalar(
        sa.select(AccountLink.id)
        .where(
            AccountLink.user_id == user_id,
            AccountLink.closed_at.is_(None),
            AccountLink.expires_at > datetime.now(UTC),
        )
        .limit(1)
    )
    return found is not None


MAIL_INVITATIONS: Final = JobKind(
    "mail_invitations", lambda: _("发送邀请邮件"), "accounts.manage", mail_invitations, keep_days=30
)
