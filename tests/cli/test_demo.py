"""``guiju demo``: which servers it takes."""

from contextlib import ExitStack, nullcontext
from types import SimpleNamespace

import pytest
from rich.console import Console

from guiju import embedded
from guiju.cli import demo

OWN = {
    "DATABASE_URL": "postgresql://guiju_app@own/guiju",
    "GUIJU_ADMIN_DATABASE_URL": "postgresql://guiju_admin@own/guiju",
    "REDIS_URL": "redis://own:6379/0",
}
REAL = {
    "DATABASE_URL": "postgresql://app@real/guiju",
    "GUIJU_ADMIN_DATABASE_URL": "postgresql://owner@real/guiju",
    "REDIS_URL": "redis://real:6379/0",
}


@pytest.mark.parametrize(
    ("named", "database", "queue", "starts"),
    [
        ((), OWN, OWN, True),
        (("REDIS_URL",), OWN, REAL, True),
        (("DATABASE_URL", "GUIJU_ADMIN_DATABASE_URL"), REAL, OWN, True),
        (("GUIJU_ADMIN_DATABASE_URL",), OWN, OWN, True),
        (tuple(REAL), REAL, REAL, False),
    ],
)
def test_servers_that_are_named_are_used(named, database, queue, starts, monkeypatch, tmp_path):
    started = []

    def start(folder):
        started.append(folder)
        return nullcontext(SimpleNamespace(**_attributes()))

    for name in REAL:
        monkeypatch.delenv(name, raising=False)
    for name in named:
        monkeypatch.setenv(name, REAL[name])
    monkeypatch.setattr(embedded, "start", start)
    with ExitStack() as running:
        _folder, settings = demo._servers(running, demo.Steps(Console(quiet=True)), tmp_path)
    assert settings.database_url == database["DATABASE_URL"]
    assert settings.admin_database_url == database["GUIJU_ADMIN_DATABASE_URL"]
    assert settings.redis_url == queue["REDIS_URL"]
    assert started == ([tmp_path] if starts else [])


def _attributes():
    return {
        "database_url": OWN["DATABASE_URL"],
        "admin_database_url": OWN["GUIJU_ADMIN_DATABASE_URL"],
        "redis_url": OWN["REDIS_URL"],
    }
