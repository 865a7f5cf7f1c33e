"""``guiju tenant export``, ``import`` and ``delete``."""

import logging
import zipfile

import pytest


@pytest.fixture
def environment(migrated, redis_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setattr(logging.root, "handlers", [*logging.root.handlers])
    monkeypatch.setattr(logging.root, "level", logging.root.level)


@pytest.fixture
def code(environment, tenant) -> str:
    return tenant.sign_in_name.partition("@")[2]


def test_a_tenant_is_exported_and_imported_under_another_code(guiju, code, tmp_path):
    made = guiju("tenant", "export", code, "t.zip")
    assert made.exit_code == 0, made.stderr
    assert zipfile.is_zipfile(tmp_path / "t.zip")
    again = guiju("tenant", "import", "t.zip", "--code", f"{code}-b")
    assert again.exit_code == 0, again.stderr
    assert f"用户名：admin@{code}-b" in again.stdout
    assert f"{code}-b" in guiju("tenant", "list").stdout


def test_a_tenant_is_marked_shown_and_taken_back(guiju, code):
    marked = guiju("tenant", "delete", code, "--after", "30")
    assert marked.exit_code == 0
    [line] = [line for line in guiju("tenant", "list").stdout.splitlines() if code in line]
    assert "suspended" in line
    assert ":" in line, "when it is deleted"
    guiju("tenant", "enable", code)
    [line] = [line for line in guiju("tenant", "list").stdout.splitlines() if code in line]
    assert "active" in line
    assert ":" not in line


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["export", "nobody", "t.zip"], "租户 nobody"),
        (["export", "{code}", "no/t.zip"], "no/t.zip"),
        (["export", "{code}", "there.zip"], "已有这个文件"),
        (["import", "absent.zip"], "absent.zip"),
        (["import", "there.zip"], "there.zip"),
        (["delete", "{code}", "--after", "0"], "--after"),
        (["delete", "nobody", "--after", "3"], "租户 nobody"),
    ],
)
def test_bad_input(guiju, code, tmp_path, arguments, wanted):
    (tmp_path / "there.zip").write_bytes(b"no zip")
    found = guiju("tenant", *(argument.format(code=code) for argument in arguments))
    assert found.exit_code == 2
    assert wanted in found.stderr
    assert found.stdout == ""
    assert (tmp_path / "there.zip").read_bytes() == b"no zip"
