"""The operator gives a tenant its administrator back, and the tenant can see it."""

import re

import pytest
import sqlalchemy as sa

from guiju.accounts.links import LinkRefused, find_link, use_link
from guiju.accounts.models import User
from guiju.accounts.signing_in import authenticate
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope

NEW = "Other-words-2022"


@pytest.fixture
def town(migrated, redis_url, tenant, monkeypatch):
    """The code of a tenant whose administrator may not come in any more."""
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    return tenant.sign_in_name.partition("@")[2]


def test_the_link_gives_the_administrator_back(guiju, town, tenant, engine):
    scope = tenant_scope(tenant.tenant_id)
    with scope, ScopedSession(engine) as session:
        session.execute(
            sa.update(User).values(active=False, totp_secret=b"lost", totp_since=sa.func.now())
        )
        session.commit()
    result = guiju("tenant", "recover", town)
    assert result.exit_code == 0, result.output
    secret = re.search(r"/links/(\S+)", result.stdout)[1]
    with ScopedSession(engine) as session:
        assert find_link(session, secret).purpose == "recovery"
        assert use_link(session, secret, NEW) == tenant.sign_in_name
        assert not authenticate(session, tenant.sign_in_name, NEW).needs_code
        with pytest.raises(LinkRefused):
            use_link(session, secret, NEW)
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        entries = session.execute(
            sa.select(AuditEntry.action, AuditEntry.actor).order_by(AuditEntry.id)
        ).all()
    made = [actor for action, actor in entries if action == "link.make"]
    assert len(made) == 1
    assert made[0].startswith("cli:")


def test_only_administrators_of_the_whole_tenant_are_recovered(refused, town):
    first, *_rest = refused("tenant", "recover", town, "--user", "nobody")
    assert first == "用户 nobody：不是顶层组织的管理员；顶层组织的管理员有 admin"
