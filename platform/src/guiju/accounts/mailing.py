"""One-time links by mail, where the platform has a mail server."""

from __future__ import annotations

import hashlib

import redis
import sqlalchemy as sa

from guiju import mail, queue
from guiju.accounts.links import NewLink, forgotten
from guiju.accounts.models import User
from guiju.accounts.signing_in import find_tenant
from guiju.config import Settings, load_settings
from guiju.db import ScopedSession, create_engine, tenant_scope
from guiju.language import gettext as _


def mail_link(settings: Settings, link: NewLink, name: str, email: str | None) -> bool:
    """Mail a link to its user; False where that was not possible."""
    if email is None:
        return False
    try:
        return mail.send(settings, link_message(settings, link, name, email))
    except mail.MailError:
        return False


def link_message(settings: Settings, link: NewLink, name: str, email: str) -> mail.Message:
    """What is mailed to somebody who is to choose a password."""
    address = mail.link(settings, f"/links/{link.secret}")
    text = _(
        "{name}，您好：\n\n请用下面的链接设置“规矩”的登录密码。链接只能用一次，有效到 {until}。\n\n"
        "{address}\n\n如果不是您本人要求的，请不要点开，并告诉本单位的管理员。\n"
    ).format(name=name, until=f"{link.expires_at:%Y-%m-%d %H:%M} UTC", address=address)
    return mail.Message(email, _("设置登录密码"), text)


def ask_for_link(settings: Settings, sign_in_name: str) -> None:
    """Let a worker mail a link to who says to have forgotten the password.

    The same happens for every name, so that neither answer nor time tells who has an account.
    """
    digest = hashlib.sha256(sign_in_name.encode()).hexdigest()[:32]
    with queue.connect(settings.redis_url) as connection:
        _enqueue(connection, sign_in_name, digest)


def mail_forgotten(sign_in_name: str) -> None:
    """Mail a link to the user of this name, if there is one with an address; a worker's job."""
    settings = load_settings()
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    try:
        with ScopedSession(engine) as session:
            _mail_forgotten(session, settings, sign_in_name)
    finally:
        engine.dispose()


def _enqueue(connection: redis.Redis, sign_in_name: str, digest: str) -> None:
    queue.enqueue(
        connection,
        queue.JOBS,
        "guiju.accounts.mailing.mail_forgotten",
        sign_in_name,
        job_id=f"forgotten-{digest}",
    )


def _mail_forgotten(session: ScopedSession, settings: Settings, sign_in_name: str) -> None:
    username, _at, code = sign_in_name.rpartition("@")
    tenant_id = find_tenant(session, code, "forgotten password")
    if tenant_id is None:
        return
    with tenant_scope(tenant_id):
        user = session.execute(
            sa.select(User.id, User.name, User.email).where(User.username == username)
        ).one_or_none()
        session.rollback()
        link = None if user is None else forgotten(session, user.id)
        session.rollback()
        session.expunge_all()
    if user is not None and link is not None:
        mail_link(settings, link, user.name, user.email)
