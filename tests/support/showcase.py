"""A demonstration tenant in the served application: what the pictures of the pages show."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import redis
import sqlalchemy as sa

from guiju.accounts import links, support
from guiju.accounts.models import User
from guiju.accounts.operations import create_user
from guiju.accounts.roles import Grant
from guiju.accounts.visitors import Visitor, find_visitor
from guiju.activities.models import Draft, Record
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.demo import office
from guiju.demo.office import Account
from guiju.demo.tenants import make_tenant
from guiju.hookspecs import DemoTenant
from guiju.importing.jobs import request_preview as request_import_preview
from guiju.jobs import bells
from guiju.jobs.kinds import Upload
from guiju.jobs.models import Job
from guiju.jobs.queries import unfinished
from guiju.organizations.models import Member, Organization
from guiju.plugins import Plugins
from guiju.profiles.keeping import request_preview
from guiju.profiles.operations import propose
from guiju.profiles.terms import Enable, Term
from guiju.scoring.operations import drain

ACTOR = Actor("test")
#: Somebody who is asked for a code after the password.
CAREFUL = Account("careful", "", "xizhi", "Plain-words-2021")

_PATIENCE_SECONDS = 120


class Showcase(NamedTuple):
    """Who signs in, by role, and what the parameters of addresses stand for."""

    accounts: dict[str, Account]
    places: dict[str, Any]


def make_showcase(engine: sa.Engine, plugins: Plugins, redis_url: str, folder: Path) -> Showcase:
    """Make the smallest demonstration and what its pages need besides.

    A worker does what is asked for: no page changes any more while somebody looks at it.
    """
    tenant = min(plugins.demo_tenants, key=lambda one: one.id)
    workbook = folder / f"{tenant.id}.xlsx"
    tenant.write(workbook)
    with ScopedSession(engine) as session:
        made = make_tenant(session, plugins, tenant, workbook)

    def judge() -> None:
        drain(engine, plugins.packs, made.tenant_id, tenant.as_of, reason="test")

    judge()
    with tenant_scope(made.tenant_id), ScopedSession(engine) as session:
        office.work(session, plugins, tenant)
        places = _places(session, plugins, tenant, workbook)
        with redis.Redis.from_url(redis_url) as queue:
            for job in session.scalars(sa.select(Job.id)):
                bells.ring_for(queue, made.tenant_id, job)
    with ScopedSession(engine) as session:
        places["support_secret"] = support.redeem(session, ACTOR, places.pop("code"), "支持人员")
    judge()
    with tenant_scope(made.tenant_id), ScopedSession(engine) as session:
        _wait_for_jobs(session)
    accounts = {account.role: account for account in made.accounts}
    accounts["careful"] = replace(CAREFUL, username=f"{CAREFUL.username}@{tenant.id}")
    return Showcase(accounts, places)


def _places(
    session: ScopedSession, plugins: Plugins, tenant: DemoTenant, workbook: Path
) -> dict[str, Any]:
    """What the parameters of addresses stand for; ``branch`` besides, for pages of its own."""
    administrator = _visitor(session, office.ADMINISTRATOR)
    root = _one(session, Organization.id, Organization.code == tenant.root)
    branch = _one(session, Organization.id, Organization.code == tenant.branch)
    above = _one(session, Organization.parent_id, Organization.id == branch)
    careful, _none = create_user(
        session, ACTOR, CAREFUL.username, "谢细致", [("reader", root)], password=CAREFUL.password
    )
    careful.totp_secret, careful.totp_since = b"sealed", datetime.now(UTC)
    session.commit()
    other = next(pack for pack in plugins.packs if pack != tenant.profile)
    change = propose(session, plugins.packs, above, Enable(Term(other, date(2021, 7, 1))))
    actor = administrator.actor()
    invited = links.invite(
        session, administrator, "xinren", "新来的同事", [Grant("recorder", branch)]
    )
    let_in = support.grant_support(session, administrator, branch, "报表打不开", 4)
    report = _one(session, sa.func.max(Job.id))
    upload = Upload("名册.xlsx", "application/octet-stream", workbook.read_bytes())
    return {
        "organization_id": root,
        "branch": branch,
        "above": above,
        "member_id": _one(session, sa.func.min(Member.id), Member.organization_id == branch),
        "occasion_id": _one(session, Record.occasion_id, Record.state == "returned"),
        "draft_id": _one(session, sa.func.max(Draft.id)),
        "user_id": _one(session, User.id, User.username == office.SECRETARY),
        "report": report,
        "job_id": request_import_preview(session, actor, root, upload),
        "preview_id": request_preview(session, plugins.packs, actor, change, tenant.as_of),
        "secret": invited.secret,
        "code": let_in.code,
        "table": "talks",
        "profile": tenant.profile,
        "requirement": f"{tenant.profile}.theme_day.monthly",
        # Judged for each member.
        "dues": f"{tenant.profile}.dues.on_time_full",
        "month": "2021-10",
        "action": "rename",
    }


def _wait_for_jobs(session: ScopedSession) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while unfinished(session):
        assert time.monotonic() < deadline, "the worker does nothing"
        session.rollback()
        time.sleep(0.2)


def _one(session: ScopedSession, what: Any, *conditions: Any) -> Any:
    return session.scalars(sa.select(what).where(*conditions)).one()


def _visitor(session: ScopedSession, username: str) -> Visitor:
    row = session.execute(sa.select(User.tenant_id, User.id).where(User.username == username)).one()
    found = find_visitor(session, row.tenant_id, row.id)
    assert found is not None
    return found
