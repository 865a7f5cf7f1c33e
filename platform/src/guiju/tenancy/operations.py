"""Making tenants and enabling profiles: one transaction each, with its audit entry."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju.accounts.operations import add_user
from guiju.audit.operations import Actor, record
from guiju.db.scope import operator_scope, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.profiles.choosing import text_of
from guiju.profiles.operations import Proposal, adopt, terms_of
from guiju.profiles.terms import Enable, End, Term
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import EnabledProfile, Tenant

_CODE = re.compile(r"[a-z][a-z0-9-]{1,62}")


@dataclass(frozen=True)
class NewTenant:
    """What came of :func:`create_tenant`; the password is kept nowhere."""

    tenant_id: int
    root_id: int
    administrator_id: int
    #: ``username@tenant``.
    sign_in_name: str
    password: str | None


def create_tenant(
    session: AnySession,
    actor: Actor,
    code: str,
    name: str,
    root: Mapping[str, Any],
    *,
    administrator: str = "admin",
    password: str | None = None,
) -> NewTenant:
    """Make a tenant with its root organization and its department's administrator.

    ``root`` is a row of ``organizations`` without a parent.  The caller is in no scope and
    the session is fresh.  Raises ``BadInput`` for a code that is taken or malformed.
    """
    if not _CODE.fullmatch(code):
        wanted = _("应为 2 到 63 个小写字母、数字或连字符，以字母开头")
        raise BadInput([Problem("/code", code, wanted, "malformed")])
    with operator_scope("create tenant"):
        taken = session.scalar(sa.select(Tenant.id).where(Tenant.code == code))
        tenant_id = session.scalars(sa.select(sa.Sequence("tenants_id_seq").next_value())).one()
        session.rollback()
    if taken is not None:
        raise BadInput([Problem("/code", code, _("这个代号已被使用"), "taken")])
    with tenant_scope(tenant_id), transaction(session):
        session.add(Tenant(id=tenant_id, code=code, name=name))
        session.flush()
        top = _root(session, root)
        user, made_up = add_user(
            session, actor, administrator, name, [("administrator", top.id)], password=password
        )
        after = {"name": name, "root": top.code}
        record(session, actor, "tenant.create", "tenant", code, after=after)
        made = NewTenant(tenant_id, top.id, user.id, f"{administrator}@{code}", made_up)
    # The caller goes on to other tenants.
    session.expunge_all()
    return made


def _root(session: AnySession, row: Mapping[str, Any]) -> Organization:
    loaded = tables.Organizations().load(dict(row))
    top = Organization(
        **{name: value for name, value in loaded.items() if name not in {"id", "parent"}},
        code=loaded["id"],
    )
    session.add(top)
    session.flush()
    top.path = f"/{top.id}/"
    session.flush()
    return top


def set_tenant_state(session: AnySession, actor: Actor, code: str, state: str) -> None:
    """Suspend a tenant or let it work again (``suspended``, ``active``); in no scope.

    One that works again is not to be deleted any more.
    """
    values = {"state": state, **({"delete_on": None} if state == "active" else {})}
    with operator_scope(f"{actor.name}: {code} {state}"), transaction(session):
        tenant_id = session.scalars(
            sa.update(Tenant).where(Tenant.code == code).values(values).returning(Tenant.id)
        ).one()
    with tenant_scope(tenant_id), transaction(session):
        record(session, actor, f"tenant.{state}", "tenant", code)
    session.expunge_all()


def enable_profile(
    session: AnySession,
    actor: Actor,
    organization_id: int,
    profile: str,
    judge_from: date,
    *,
    until: date | None = None,
    settings: Mapping[str, Any] | None = None,
) -> EnabledProfile:
    """Judge an organization and everything below it by a profile, from a day on.

    ``settings`` are readings and settings by name, not checked: what people ask for goes
    through :func:`guiju.profiles.operations.propose`.  Raises ``BadInput`` where another
    profile is enabled there on one of the days.
    """
    texts = {name: text_of(value) for name, value in (settings or {}).items()}
    term = Term(profile, judge_from, until, texts)
    before = terms_of(session, organization_id)
    if any(term.overlaps(other) for other in before):
        wanted = _("同一组织同一时间只能启用一个地方规则，请先停用原有的")
        raise BadInput([Problem("/judge_from", profile, wanted, "overlapping")])
    after = Enable(term).apply(before)
    adopt(session, actor, Proposal(organization_id, Enable.action, before, after))
    return session.scalars(
        sa.select(EnabledProfile).where(
            EnabledProfile.organization_id == organization_id,
            EnabledProfile.judge_from == judge_from,
        )
    ).one()


def end_profile(session: AnySession, actor: Actor, enabled_id: int, until: date) -> None:
    """Judge by an enabled profile for the last time on ``until``."""
    enabled = session.scalars(
        sa.select(EnabledProfile).where(EnabledProfile.id == enabled_id)
    ).one()
    before = terms_of(session, enabled.organization_id)
    after = End(enabled.judge_from, until).apply(before)
    adopt(session, actor, Proposal(enabled.organization_id, End.action, before, after))
