"""``guiju audit``: exit codes, places, and what only the owner of the tables can do."""

import logging

import pytest
import sqlalchemy as sa

from guiju.db import sqlalchemy_url


@pytest.fixture
def environment(migrated, redis_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("GUIJU_ADMIN_DATABASE_URL", migrated.admin_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setenv("GUIJU_LOG_LEVEL", "WARNING")
    monkeypatch.setattr(logging.root, "handlers", [*logging.root.handlers])
    monkeypatch.setattr(logging.root, "level", logging.root.level)


@pytest.fixture
def code(environment, tenant) -> str:
    return tenant.sign_in_name.partition("@")[2]


@pytest.fixture
def owner(migrated):
    engine = sa.create_engine(sqlalchemy_url(migrated.admin_url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def test_an_intact_trail_is_verified_again_and_again(guiju, code):
    first = guiju("audit", "verify", code)
    assert first.exit_code == 0
    head = first.stdout.strip().rpartition("：")[2]
    assert head.startswith("1:")
    again = guiju("audit", "verify", code, "--expect", head)
    assert again.exit_code == 0
    assert again.stdout.strip().endswith(head)
    assert "2 条记录，其中 2 条此前已封存" in again.stdout


def test_tampering_is_told_with_its_place(guiju, code, tenant, owner):
    guiju("audit", "verify", code)
    statement = sa.text("UPDATE audit_entries SET actor = '别人' WHERE tenant_id = :t RETURNING id")
    entries = owner.scalars(statement, {"t": tenant.tenant_id}).all()
    owner.commit()
    found = guiju("audit", "verify", code)
    assert found.exit_code == 1
    assert found.stderr == ""
    assert all(f"记录 {entry}（第 1 个封存）：已被改动" in found.stdout for entry in entries)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["verify", "nobody"], "租户 nobody"),
        (["verify", "{code}", "--expect", "seven"], "编号:摘要"),
        (["purge", "{code}", "--before", "2999-01-01"], "六个月"),
        (["purge", "{code}", "--before", "soon"], "soon"),
    ],
)
def test_bad_input(guiju, code, arguments, wanted):
    found = guiju("audit", *(argument.format(code=code) for argument in arguments))
    assert found.exit_code == 2
    assert wanted in found.stderr
    assert found.stdout == ""


def test_nothing_is_old_enough_to_be_deleted(guiju, code):
    found = guiju("audit", "purge", code, "--before", "2001-01-01")
    assert (found.exit_code, found.stdout) == (0, "已删除 0 条。\n")
