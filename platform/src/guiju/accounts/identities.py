"""Users who sign in through their tenant's provider: one transaction each, audited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from guiju.accounts.attempts import note_attempt
from guiju.accounts.models import SignInProvider, User, UserIdentity
from guiju.accounts.oidc import Identity
from guiju.accounts.sealing import Seal, SealBroken
from guiju.accounts.signing_in import Refusal, SignedIn, SignInRefused
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.locks import hold
from guiju.db.scope import current_tenant_id, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem


@dataclass(frozen=True)
class ProviderSettings:
    """The provider of a tenant, as it may be shown: without the secret."""

    title: str
    issuer: str
    client_id: str
    by_email: bool


@dataclass(frozen=True)
class Provider(ProviderSettings):
    """The provider of a tenant, as signing in needs it."""

    client_secret: str


def provider_of(session: AnySession, seal: Seal) -> Provider | None:
    """The provider of the tenant in whose scope the session is.

    None where there is none, or its secret was sealed with a key that is gone.
    """
    row = _row(session)
    secret = None if row is None else _secret(row, seal)
    if row is None or secret is None:
        return None
    return Provider(row.title, row.issuer, row.client_id, row.by_email, secret)


def settings_of(session: AnySession) -> ProviderSettings | None:
    """How the provider of the tenant in whose scope the session is was set up, if it was."""
    row = _row(session)
    return None if row is None else _shown(row)


def lock_provider(session: AnySession) -> None:
    """Keep others from setting the provider up until the transaction ends."""
    hold(session, "sign-in provider")


def set_provider(
    session: AnySession,
    seal: Seal,
    actor: Actor,
    title: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    *,
    by_email: bool,
    allowed: tuple[str, ...],
) -> None:
    """Let users sign in through a provider; an empty ``client_secret`` keeps the one there is.

    ``allowed`` are the issuers that the platform's operator lets tenants use.  The caller
    knows that the actor may, for the whole tenant.  Raises ``BadInput`` at a field's name.
    """
    title, client_id, client_secret = title.strip(), client_id.strip(), client_secret.strip()
    with transaction(session):
        lock_provider(session)
        row = _row(session)
        before = None if row is None else asdict(_shown(row))
        problems = [
            Problem(f"/{name}", _("没有填写"), _("请填写"), "missing")
            for name, value in (("title", title), ("client_id", client_id))
            if not value
        ]
        if issuer not in allowed:
            wanted = (
                _("运维只开放了 {allowed}").format(allowed=_("、").join(allowed))
                if allowed
                else _("运维没有开放统一身份登录")
            )
            problems.append(Problem("/issuer", issuer, wanted, "not_allowed"))
        kept = row is not None and row.issuer == issuer and _secret(row, seal) is not None
        if not client_secret and not kept:
            problems.append(Problem("/client_secret", _("没有填写"), _("请填写"), "missing"))
        if problems:
            raise BadInput(problems)
        if row is None:
            row = SignInProvider()
            session.add(row)
        row.title, row.issuer, row.client_id, row.by_email = title, issuer, client_id, by_email
        if client_secret:
            row.client_secret = seal.close(client_secret, _use())
        after = asdict(_shown(row))
        record(session, actor, "provider.set", "policy", before=before, after=after)


def remove_provider(session: AnySession, actor: Actor) -> None:
    """Let nobody sign in through a provider any more; who was whom there is kept."""
    with transaction(session):
        lock_provider(session)
        row = _row(session)
        if row is None:
            return
        session.delete(row)
        record(session, actor, "provider.remove", "policy", before=asdict(_shown(row)))


def sign_in_as(
    session: AnySession,
    tenant_id: int,
    identity: Identity,
    *,
    by_email: bool,
    address: str | None = None,
    now: datetime | None = None,
) -> SignedIn:
    """Sign in who came back from the tenant's provider; in no scope, the session fresh.

    A user bound to the identity, or (``by_email``) the only active one with its verified
    e-mail address, who is bound to it from then on.  A second factor is asked for as ever.
    Raises ``SignInRefused``.
    """
    now = now or datetime.now(UTC)
    with tenant_scope(tenant_id):
        with transaction(session):
            user = _bound(session, identity)
            if user is None and by_email and identity.email is not None:
                user = _by_email(session, identity, address)
            if user is None:
                actor = Actor(identity.issuer, None, address)
                record(session, actor, "sign_in.refuse", "identity", identity.subject)
                outcome = None
            else:
                needs_code = user.totp_since is not None
                if not needs_code:
                    note_attempt(session, user, address, now, succeeded=True)
                outcome = SignedIn(tenant_id, user.id, needs_code)
        session.expunge_all()
    if outcome is None:
        raise SignInRefused(Refusal.WRONG)
    return outcome


def bind(session: AnySession, visitor: Visitor, identity: Identity) -> None:
    """Let the visitor sign in as ``identity`` from now on; it replaces an earlier one.

    Raises ``BadInput`` where somebody else is bound to it.
    """
    with transaction(session):
        owner = session.scalar(
            sa.select(UserIdentity.user_id).where(
                UserIdentity.issuer == identity.issuer, UserIdentity.subject == identity.subject
            )
        )
        if owner is not None and owner != visitor.user_id:
            wanted = _("这个身份已绑定另一个账号")
            raise BadInput([Problem("", identity.subject, wanted, "taken")])
        _bind(session, visitor.actor(), visitor.user_id, visitor.username, identity)


def unbind(session: AnySession, visitor: Visitor) -> None:
    """Let the visitor sign in through no provider any more."""
    with transaction(session):
        session.execute(sa.delete(UserIdentity).where(UserIdentity.user_id == visitor.user_id))
        record(session, visitor.actor(), "identity.unbind", "user", visitor.username)


def is_bound(session: AnySession, user_id: int, issuer: str) -> bool:
    """Whether a user signs in through the provider."""
    found = session.scalar(
        sa.select(UserIdentity.id)
        .where(UserIdentity.user_id == user_id, UserIdentity.issuer == issuer)
        .limit(1)
    )
    return found is not None


def _bound(session: AnySession, identity: Identity) -> User | None:
    return session.scalars(
        sa.select(User)
        .join(
            UserIdentity,
            sa.and_(UserIdentity.tenant_id == User.tenant_id, UserIdentity.user_id == User.id),
        )
        .where(
            UserIdentity.issuer == identity.issuer,
            UserIdentity.subject == identity.subject,
            User.active,
        )
    ).one_or_none()


def _by_email(session: AnySession, identity: Identity, address: str | None) -> User | None:
    """The only active user with the address who is nobody else at the provider, now bound."""
    others = sa.exists().where(
        UserIdentity.tenant_id == User.tenant_id,
        UserIdentity.user_id == User.id,
        UserIdentity.issuer == identity.issuer,
    )
    found = session.scalars(
        sa.select(User).where(
            sa.func.lower(User.email) == str(identity.email).lower(), User.active, ~others
        )
    ).all()
    if len(found) != 1:
        return None
    [user] = found
    _bind(session, Actor(user.name, user.id, address), user.id, user.username, identity)
    return user


def _bind(
    session: AnySession, actor: Actor, user_id: int, username: str, identity: Identity
) -> None:
    session.execute(
        sa.delete(UserIdentity).where(
            UserIdentity.user_id == user_id, UserIdentity.issuer == identity.issuer
        )
    )
    session.add(UserIdentity(user_id=user_id, issuer=identity.issuer, subject=identity.subject))
    after = {"issuer": identity.issuer, "subject": identity.subject}
    record(session, actor, "identity.bind", "user", username, after=after)


def _row(session: AnySession) -> SignInProvider | None:
    """The tenant's provider as it stands now, whatever the session has read before."""
    return session.scalars(
        sa.select(SignInProvider).execution_options(populate_existing=True)
    ).one_or_none()


def _shown(row: SignInProvider) -> ProviderSettings:
    return ProviderSettings(row.title, row.issuer, row.client_id, row.by_email)


def _secret(row: SignInProvider, seal: Seal) -> str | None:
    """The secret that the provider knows the tenant by; None where its key is gone."""
    try:
        return seal.open(row.client_secret, _use())
    except SealBroken:
        return None


def _use() -> str:
    return f"provider/{current_tenant_id()}"
