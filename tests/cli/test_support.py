"""The operator reads what a tenant let support read, and has no other way in."""

import re
from functools import partial

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from guiju.accounts.models import User
from guiju.accounts.support import find_offer, grant_support
from guiju.accounts.visitors import find_visitor
from guiju.cli import main
from guiju.db import ScopedSession, ScopeError, operator_scope, tenant_scope
from guiju.db.models import metadata


@pytest.fixture
def code(migrated, tenant, engine, monkeypatch):
    """The code of an access that the tenant's administrator granted."""
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        user_id = session.scalars(sa.select(User.id)).first()
        administrator = find_visitor(session, tenant.tenant_id, user_id)
        return grant_support(session, administrator, tenant.root_id, "看一看", 1).code


def test_a_code_gives_a_link(code, engine):
    run = partial(CliRunner().invoke, main, ["support", "open", "--name", "王支持"])
    result = run(input=f"{code}\n")
    assert result.exit_code == 0, result.output
    assert code not in result.output
    secret = re.search(r"/support/(\S+)", result.stdout)[1]
    with ScopedSession(engine) as session:
        assert find_offer(session, secret).opened_by == "王支持"


@pytest.mark.parametrize("wrong", ["nothing", "1-" + "a" * 43, "{code}x"])
def test_no_other_code_does(code, refused, wrong):
    line, *_rest = refused("support", "open", "--name", "王支持", "--code", wrong.format(code=code))
    assert "没有这个代码，或已到期、已收回" in line


def test_whoever_looks_is_named(code, refused):
    line, *_rest = refused("support", "open", "--name", " ", "--code", code)
    assert line.startswith("--name")


def test_without_a_grant_the_operator_reads_nothing(engine, tenant):
    tables = [table for table in metadata.sorted_tables if "tenant_id" in table.c]
    assert len(tables) > 50
    with operator_scope("curious"), ScopedSession(engine) as session:
        for table in tables:
            try:
                found = session.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            except ScopeError:
                continue
            assert found == 0, table.name
    with ScopedSession(engine) as session, pytest.raises(ScopeError):
        session.execute(sa.select(User.id))
