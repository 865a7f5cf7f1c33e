"""Making an invented tenant as its department would: create, import, invite, enable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guiju.audit.operations import Actor
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.demo import office
from guiju.demo.office import Account
from guiju.hookspecs import DemoTenant
from guiju.importing.reach import reach_of
from guiju.importing.storing import Source, run_import
from guiju.organizations import queries as organizations
from guiju.plugins import Plugins
from guiju.scoring.operations import set_as_of
from guiju.tenancy.operations import create_tenant, enable_profile

ACTOR = Actor(name="demo")


@dataclass(frozen=True)
class Made:
    """A new tenant and those who can sign in, the department's administrator first."""

    tenant_id: int
    accounts: Sequence[Account]


def make_tenant(
    session: ScopedSession, plugins: Plugins, tenant: DemoTenant, workbook: Path
) -> Made:
    """Make one tenant of the ``workbook`` that it wrote; it is not judged yet.

    The session is in no scope, and is in none afterwards.
    """
    root = {"id": tenant.root, "name": tenant.name, "kind": tenant.root_kind}
    made = create_tenant(
        session, ACTOR, tenant.id, tenant.name, root, administrator=office.ADMINISTRATOR
    )
    session.close()
    with tenant_scope(made.tenant_id, restricted=True):
        reach = reach_of(session, organizations.root(session).id)
        session.rollback()
        run_import(session, ACTOR, Source.of(workbook), reach, plugins)
        staff = office.staff(session, ACTOR, tenant)
    session.close()
    with tenant_scope(made.tenant_id):
        set_as_of(session, ACTOR, tenant.as_of)
        enable_profile(session, ACTOR, made.root_id, tenant.profile, tenant.judge_from)
    session.close()
    administrator = Account("administrator", tenant.root, made.sign_in_name, str(made.password))
    return Made(made.tenant_id, [administrator, *staff])
