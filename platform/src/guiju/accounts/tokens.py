"""Personal tokens: how a program signs in as somebody, with fewer rights and for a time.

Made and revoked by their owner, each in one transaction with its audit entry.  Scopes are
names of :data:`~guiju.accounts.permissions.PERMISSIONS`; what its owner may not do, a token
may not either, whatever its scopes say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guiju.accounts import bearer
from guiju.accounts.models import ApiToken
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.reach import NotAllowed, entirely_managed, managed_user
from guiju.accounts.visitors import Visitor, find_visitor
from guiju.audit.operations import record
from guiju.db.scope import current_tenant_id, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: What tokens begin with, so that one that leaked is recognized for what it is.
PREFIX = "guiju-"

#: A token works for so many days at most.
LONGEST_DAYS = 365

#: Whatever a token is for, it has to find its way in the tree.
ALWAYS = "organization.read"

_LONGEST_NAME = 100

# Noting each use would make every reading a writing.
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class TokenSummary:
    """A token as its owner's list shows it; of the token itself nothing is kept."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def works(self, now: datetime) -> bool:
        """Whether the token is neither expired nor revoked."""
        return self.revoked_at is None and now < self.expires_at


def create_token(
    session: AnySession,
    owner: Visitor,
    name: str,
    scopes: Collection[str],
    days: int,
    *,
    now: datetime | None = None,
) -> tuple[int, str]:
    """Make a token of the visitor's own, working for ``days`` days.

    Returns its number and the token, which is shown once and kept nowhere.  Raises
    ``BadInput`` at ``/name``, ``/scopes`` or ``/days``.
    """
    now = now or datetime.now(UTC)
    name = name.strip()
    _check(owner, name, scopes, days)
    granted = [scope for scope in PERMISSIONS if scope in {*scopes, ALWAYS}]
    secret, kept = bearer.make(current_tenant_id())
    row = ApiToken(
        user_id=owner.user_id,
        name=name,
        token_hash=kept,
        scopes=granted,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    with transaction(session):
        session.add(row)
        session.flush()
        after = {"name": name, "scopes": granted, "expires_at": row.expires_at}
        record(session, owner.actor(), "token.create", "token", row.id, after=after)
        number = row.id
    return number, PREFIX + secret


def revoke_token(session: AnySession, owner: Visitor, token_id: int) -> bool:
    """End one of the visitor's own tokens at once; False where there is none to end."""
    with transaction(session):
        row = session.scalars(
            sa.select(ApiToken).where(
                ApiToken.id == token_id,
                ApiToken.user_id == owner.user_id,
                ApiToken.revoked_at.is_(None),
            )
        ).one_or_none()
        if row is None:
            return False
        row.revoked_at = datetime.now(UTC)
        record(session, owner.actor(), "token.revoke", "token", row.id, before={"name": row.name})
    return True


def revoke_tokens(session: AnySession, visitor: Visitor, user_id: int) -> int:
    """End every token of a user of the visitor's at once; returns how many there were.

    Raises ``NotVisible``, and ``NotAllowed`` where others manage the user too.
    """
    with transaction(session):
        user = managed_user(session, visitor, user_id, lock=True)
        if not entirely_managed(session, visitor, user):
            raise NotAllowed
        now = datetime.now(UTC)
        ended = session.execute(
            sa.update(ApiToken)
            .where(
                ApiToken.user_id == user.id,
                ApiToken.revoked_at.is_(None),
                ApiToken.expires_at > now,
            )
            .values(revoked_at=now)
            .returning(ApiToken.id, ApiToken.name)
        ).all()
        for number, name in ended:
            before = {"name": name, "user": user.username}
            record(session, visitor.actor(), "token.revoke", "token", number, before=before)
    return len(ended)


def tokens_of(session: AnySession, user_id: int) -> list[TokenSummary]:
    """A user's tokens, the newest first."""
    rows = session.execute(
        sa.select(
            ApiToken.id,
            ApiToken.name,
            ApiToken.scopes,
            ApiToken.created_at,
            ApiToken.expires_at,
            ApiToken.last_used_at,
            ApiToken.revoked_at,
        )
        .where(ApiToken.user_id == user_id)
        .order_by(ApiToken.id.desc())
    )
    return [TokenSummary(row[0], row[1], tuple(row[2]), *row[3:]) for row in rows]


def find_by_token(
    session: AnySession,
    token: str,
    *,
    address: str | None = None,
    now: datetime | None = None,
) -> tuple[int, Visitor] | None:
    """Whose token this is: the number of the tenant, and the visitor limited to its scopes.

    The caller is in no scope and the session is fresh, and afterwards both are so again: enter
    ``tenant_scope(tenant_id)`` for the request.  None, without saying why, for anything that
    does not let anybody in: malformed, unknown, expired or revoked tokens, inactive users,
    suspended tenants, and owners who still owe their tenant a second factor.
    """
    now = now or datetime.now(UTC)
    secret = token.removeprefix(PREFIX)
    tenant_id = bearer.tenant_of(secret) if token.startswith(PREFIX) else None
    if tenant_id is None:
        return None
    with tenant_scope(tenant_id):
        try:
            visitor = _visitor(session, tenant_id, bearer.hashed(secret), address, now)
        finally:
            session.rollback()
            session.expunge_all()
    return None if visitor is None else (tenant_id, visitor)


def _visitor(
    session: AnySession, tenant_id: int, kept: bytes, address: str | None, now: datetime
) -> Visitor | None:
    row = session.execute(
        sa.select(ApiToken.id, ApiToken.user_id, ApiToken.scopes, ApiToken.last_used_at).where(
            ApiToken.token_hash == kept, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
        )
    ).one_or_none()
    if row is None:
        return None
    visitor = find_visitor(session, tenant_id, row.user_id, address, scopes=frozenset(row.scopes))
    if visitor is None or visitor.owes_second_factor:
        return None
    if row.last_used_at is None or row.last_used_at < now - _NOTED_EVERY:
        session.execute(sa.update(ApiToken).where(ApiToken.id == row.id).values(last_used_at=now))
        session.commit()
    return visitor


def _check(owner: Visitor, name: str, scopes: Collection[str], days: int) -> None:
    problems = []
    if owner.scopes is not None:
        # Or a token could outlive its expiry in its children.
        wanted = _("请本人登录后在页面上新建")
        problems.append(Problem("", _("令牌不能新建令牌"), wanted, "by_token"))
    if not name or len(name) > _LONGEST_NAME:
        wanted = _("请写明用途，不超过 {most} 个字").format(most=_LONGEST_NAME)
        problems.append(Problem("/name", name, wanted, "malformed"))
    if not 1 <= days <= LONGEST_DAYS:
        wanted = _("有效期应为 1 至 {most} 天").format(most=LONGEST_DAYS)
        problems.append(Problem("/days", str(days), wanted, "out_of_range"))
    problems += [
        Problem("/scopes", scope, _("您没有这项权限，不能授予令牌"), "not_held")
        for scope in sorted(set(scopes))
        if scope not in PERMISSIONS or not owner.may(scope)
    ]
    if not scopes:
        problems.append(Problem("/scopes", _("没有选择"), _("请至少选择一项权限"), "missing"))
    if problems:
        raise BadInput(problems)
