"""Access of the platform's support to a part of a tenant's tree: granted, redeemed, revoked.

The tenant grants it for some hours and hands a code to the operator.  The code opens nothing
by itself: it is redeemed on the operator's machine (``guiju support open``) for a link that
works once, for minutes.  So neither a code that goes astray nor an operator without one gets
in.  Nothing extends an access; whoever needs longer asks for another.  Each function is one
transaction with its audit entry.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guiju.accounts import bearer
from guiju.accounts.models import SupportAccess, User
from guiju.accounts.operations import end_sessions
from guiju.accounts.reach import NotVisible, below
from guiju.accounts.signing_in import SignedIn
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.scope import current_tenant_id, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import Tenant

PERMISSION = "support.grant"

#: An access lasts so many hours at most.
LONGEST_HOURS = 72

#: So long the link works that the operator gets for the code.
LINK_LASTS = timedelta(minutes=10)

#: Characters of a purpose, and of the name of who redeems the code.
LONGEST_PURPOSE = 200
LONGEST_NAME = 50

#: So many accesses are listed.
_LISTED = 100


@dataclass(frozen=True)
class NewAccess:
    """An access just granted; its code is shown once and kept nowhere."""

    id: int
    code: str
    expires_at: datetime


@dataclass(frozen=True)
class AccessSummary:
    """An access as those who could have granted it see it."""

    id: int
    organization_id: int
    organization: str
    organization_code: str
    purpose: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    opened_by: str | None
    opened_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    #: ``active``, ``revoked`` or ``expired``.
    state: str


@dataclass(frozen=True)
class Offer:
    """What a link lets in to, as its landing page shows it."""

    tenant: str
    organization: str
    purpose: str
    opened_by: str
    expires_at: datetime


class SupportRefused(Exception):
    """No such code or link, or it no longer works; which of them is not said."""


def grant_support(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    purpose: str,
    hours: int,
    *,
    now: datetime | None = None,
) -> NewAccess:
    """Let support read an organization and what is below it for some hours from now.

    Raises ``NotVisible`` for a unit at which the visitor may not, and ``BadInput`` at
    ``/purpose`` or ``/hours``.
    """
    now, purpose = now or datetime.now(UTC), purpose.strip()
    with transaction(session):
        unit = session.scalars(
            sa.select(Organization).where(
                Organization.tenant_id == current_tenant_id(), Organization.id == organization_id
            )
        ).one_or_none()
        if unit is None or not visitor.may(PERMISSION, unit.path):
            raise NotVisible
        if problems := _check(purpose, hours):
            raise BadInput(problems)
        user = User(username=f"support-{secrets.token_hex(4)}", name=_("平台支持"))
        session.add(user)
        session.flush()
        code, kept = bearer.make(current_tenant_id())
        access = SupportAccess(
            user_id=user.id,
            organization_id=unit.id,
            purpose=purpose,
            granted_by=visitor.name,
            granted_at=now,
            expires_at=now + timedelta(hours=hours),
            code_hash=kept,
        )
        session.add(access)
        session.flush()
        after = {
            "organization": unit.code,
            "purpose": purpose,
            "expires_at": access.expires_at,
        }
        record(session, visitor.actor(), "support.grant", "support", access.id, after=after)
        return NewAccess(access.id, code, access.expires_at)


def revoke_support(session: AnySession, visitor: Visitor, access_id: int) -> None:
    """End an access at once: whoever is in by it gets no further page.

    One that is over already is left as it is.  Raises ``NotVisible``.
    """
    with transaction(session):
        found = session.execute(
            sa.select(SupportAccess, Organization.__table__.c.path)
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == SupportAccess.tenant_id,
                    Organization.id == SupportAccess.organization_id,
                ),
            )
            .where(SupportAccess.tenant_id == current_tenant_id(), SupportAccess.id == access_id)
            .with_for_update(of=SupportAccess)
        ).one_or_none()
        if found is None or not visitor.may(PERMISSION, found[1]):
            raise NotVisible
        access, now = found[0], datetime.now(UTC)
        if _state(access, now) != "active":
            return
        access.ended_at, access.ended_by = now, visitor.name
        end_sessions(session, access.user_id)
        record(session, visitor.actor(), "support.revoke", "support", access.id)


def list_support(
    session: AnySession, visitor: Visitor, *, now: datetime | None = None
) -> list[AccessSummary]:
    """Accesses to units at which the visitor could grant one, the latest first."""
    now = now or datetime.now(UTC)
    rows = session.execute(
        sa.select(SupportAccess, Organization.name, Organization.code)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == SupportAccess.tenant_id,
                Organization.id == SupportAccess.organization_id,
            ),
        )
        .where(SupportAccess.tenant_id == current_tenant_id(), below(visitor.roots(PERMISSION)))
        .order_by(SupportAccess.id.desc())
        .limit(_LISTED)
    )
    return [
        AccessSummary(
            id=access.id,
            organization_id=access.organization_id,
            organization=name,
            organization_code=code,
            purpose=access.purpose,
            granted_by=access.granted_by,
            granted_at=access.granted_at,
            expires_at=access.expires_at,
            opened_by=access.opened_by,
            opened_at=access.opened_at,
            ended_at=access.ended_at,
            ended_by=access.ended_by,
            state=_state(access, now),
        )
        for access, name, code in rows
    ]


def redeem(session: AnySession, actor: Actor, code: str, name: str) -> str:
    """The secret of a link for a code, for the operator; voids a link got for it before.

    ``name`` is who is going to look, for the tenant's audit trail.  The caller is in no scope
    and the session is fresh.  Raises ``SupportRefused``, and ``BadInput`` for a name that is
    none.
    """
    code, name, now = code.strip(), name.strip(), datetime.now(UTC)
    if not name or len(name) > LONGEST_NAME:
        wanted = _("请写明由谁查看，不超过 {most} 个字").format(most=LONGEST_NAME)
        raise BadInput([Problem("--name", name or _("没有填写"), wanted, "malformed")])
    tenant_id = bearer.tenant_of(code)
    if tenant_id is None:
        raise SupportRefused
    with tenant_scope(tenant_id):
        try:
            with transaction(session):
                found = _running(
                    session, SupportAccess.code_hash == bearer.hashed(code), now, lock=True
                )
                if found is None:
                    raise SupportRefused
                access, user, _tenant, _unit = found
                secret, access.link_hash = bearer.make(tenant_id)
                access.link_expires_at = now + LINK_LASTS
                access.opened_by, access.opened_at = name, now
                user.name = _("平台支持（{name}）").format(name=name)
                record(session, actor, "support.open", "support", access.id, after={"name": name})
        finally:
            session.expunge_all()
    return secret


def find_offer(session: AnySession, secret: str) -> Offer | None:
    """What a link lets in to; None for any that does not work.

    The caller is in no scope and the session is fresh, and afterwards both are so again.
    """
    tenant_id = bearer.tenant_of(secret)
    if tenant_id is None:
        return None
    with tenant_scope(tenant_id):
        found = _by_link(session, secret, datetime.now(UTC))
        offer = None
        if found is not None:
            access, _user, tenant, unit = found
            opened_by = access.opened_by or ""
            offer = Offer(tenant.name, unit.name, access.purpose, opened_by, access.expires_at)
        session.rollback()
        session.expunge_all()
    return offer


def enter(session: AnySession, secret: str, *, address: str | None = None) -> SignedIn:
    """Sign support in by a link, which is used up by it; sessions opened before end.

    In no scope, as above.  Raises ``SupportRefused``.
    """
    tenant_id = bearer.tenant_of(secret)
    if tenant_id is None:
        raise SupportRefused
    with tenant_scope(tenant_id):
        try:
            with transaction(session):
                found = _by_link(session, secret, datetime.now(UTC), lock=True)
                if found is None:
                    raise SupportRefused
                access, user, _tenant, _unit = found
                access.link_hash = access.link_expires_at = None
                end_sessions(session, user.id)
                actor = Actor(user.name, user.id, address)
                record(session, actor, "support.enter", "support", access.id)
                return SignedIn(tenant_id, user.id)
        finally:
            session.expunge_all()


def note_request(session: AnySession, visitor: Visitor, method: str, address: str) -> None:
    """Write down what support asks for, before it is answered."""
    with transaction(session):
        after = {"method": method}
        record(session, visitor.actor(), "support.request", "page", address, after=after)


_Running = tuple[SupportAccess, User, Tenant, Organization]


def _running(
    session: AnySession, condition: sa.ColumnElement[bool], now: datetime, *, lock: bool = False
) -> _Running | None:
    statement = (
        sa.select(SupportAccess, User, Tenant, Organization)
        .join(
            User,
            sa.and_(User.tenant_id == SupportAccess.tenant_id, User.id == SupportAccess.user_id),
        )
        .join(Tenant, Tenant.id == SupportAccess.tenant_id)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == SupportAccess.tenant_id,
                Organization.id == SupportAccess.organization_id,
            ),
        )
        .where(
            condition,
            SupportAccess.ended_at.is_(None),
            SupportAccess.expires_at > now,
            Tenant.state == "active",
        )
    )
    if lock:
        statement = statement.with_for_update(of=[SupportAccess, User])
    found = session.execute(statement).one_or_none()
    return None if found is None else (found[0], found[1], found[2], found[3])


def _by_link(
    session: AnySession, secret: str, now: datetime, *, lock: bool = False
) -> _Running | None:
    condition = sa.and_(
        SupportAccess.link_hash == bearer.hashed(secret), SupportAccess.link_expires_at > now
    )
    return _running(session, condition, now, lock=lock)


def _state(access: SupportAccess, now: datetime) -> str:
    if access.ended_at is not None:
        return "revoked"
    return "active" if now < access.expires_at else "expired"


def _check(purpose: str, hours: int) -> list[Problem]:
    problems = []
    if not purpose or len(purpose) > LONGEST_PURPOSE:
        wanted = _("请写明用途，不超过 {most} 个字").format(most=LONGEST_PURPOSE)
        problems.append(Problem("/purpose", purpose or _("没有填写"), wanted, "malformed"))
    if not 1 <= hours <= LONGEST_HOURS:
        wanted = _("应为 1 至 {most} 小时").format(most=LONGEST_HOURS)
        problems.append(Problem("/hours", str(hours), wanted, "out_of_range"))
    return problems
