"""Pages and the saving of a record, asked of a real server over HTTP, beside a bare page: (h).

The bare page is one more page of the same application: signed in, in the tenant's scope, the
same layout around the row that one query by the primary key finds.  The server answers one
request at a time, so that what is measured is its own work.

``python -m benchmarks.serving`` is the server, with the settings of its environment.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import sqlalchemy as sa
from flask import Flask, render_template_string
from gunicorn.app.base import BaseApplication

from benchmarks import painting
from benchmarks.city import AS_OF
from benchmarks.loading import ACTOR
from benchmarks.measuring import Report
from guiju.accounts.operations import create_user
from guiju.app import create_app
from guiju.db import ScopedSession, db
from guiju.organizations.models import Organization

_REQUESTS = 100
_PAGE = """{% extends "layout.html" %}
{% block title %}{{ name }}{% endblock %}
{% block content %}<h1>{{ name }}</h1>{% endblock %}"""
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """One kept connection, with the cookies of whoever is signed in."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(
        self, address: str, fields: Mapping[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of the answer; ``fields`` make it a form's submission."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = None
        if fields is not None:
            body = urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request("GET" if fields is None else "POST", address, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for value in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, text, dict(answer.headers)

    def sign_in(self, username: str, password: str) -> None:
        """Begin a session; raises AssertionError where that fails."""
        token = _TOKEN.search(self.ask("/sign-in")[1])
        assert token is not None
        fields = {"csrf_token": token[1], "username": username, "password": password}
        status, text, _ = self.ask("/sign-in", fields)
        assert status == 302, text


def measure(report: Report, environment: Mapping[str, str], session: ScopedSession) -> None:
    """The 95th of a hundred answers of each page, over as many branches."""
    units = session.scalars(
        sa.select(Organization.id)
        .where(Organization.kind == "branch")
        .order_by(sa.func.md5(Organization.code))
        .limit(_REQUESTS + 5)
    ).all()
    root = session.scalars(sa.select(Organization.id).where(Organization.parent_id.is_(None))).one()
    password = secrets.token_urlsafe(16)
    name = f"bench-{secrets.token_hex(4)}"
    create_user(session, ACTOR, name, name, [("administrator", root)], password=password)
    session.rollback()
    pages = {
        "a bare page": "/bare/{unit}",
        "a branch's workbench": "/organizations/{unit}/workbench",
        "an organization's page": "/organizations/{unit}",
        "the department's overview": "/organizations/{root}/overview",
        "a branch's records": "/organizations/{unit}/records",
    }
    taken: dict[str, list[float]] = {what: [] for what in pages}
    saving: list[float] = []
    with served(environment) as port:
        browser = Browser(port)
        browser.sign_in(f"{name}@province", password)
        for number, unit in enumerate(units):
            for what, address in pages.items():
                taken[what].append(_timed(_shown, browser, address.format(unit=unit, root=root)))
            form = _filled(browser, unit, number)
            saving.append(_timed(_saved, browser, unit, form))
        addresses = {
            what: address.format(unit=units[0], root=root) for what, address in pages.items()
        }
        paints = painting.painted(f"http://127.0.0.1:{port}", browser.cookies, addresses)
    # The first of each open connections and fill caches.
    bare = report.add("h", "a bare page with one query, 95th of 100", _late(taken["a bare page"]))
    for what, seconds in [*taken.items(), ("saving a record", saving)]:
        if what != "a bare page":
            report.add("h", what, _late(seconds), limit=3 * bare, against="3 × bare page")
    for what, paint in paints.items():
        report.add("h", f"first contentful paint, {what}", paint)
    if not paints:
        print("  no Chromium: first contentful paint is not measured")


def _late(seconds: Sequence[float]) -> float:
    return 1000 * float(np.percentile(seconds[5:], 95))


def _timed(work: Callable[..., None], *arguments: Any) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def _shown(browser: Browser, address: str) -> None:
    status, _, _ = browser.ask(address)
    assert status == 200, (address, status)


def _filled(browser: Browser, unit: int, number: int) -> dict[str, str]:
    """A record's form as somebody would send it in."""
    _, text, _ = browser.ask(f"/organizations/{unit}/records/new")
    token = _TOKEN.search(text)
    assert token is not None
    held_on: date = AS_OF - timedelta(days=1 + number % 5)
    return {
        "csrf_token": token[1],
        "kinds": "theme_day",
        "held_on": held_on.isoformat(),
        "place": "会议室",
    }


def _saved(browser: Browser, unit: int, form: Mapping[str, str]) -> None:
    status, text, _ = browser.ask(f"/organizations/{unit}/records/submit", form)
    assert status in {302, 303}, text


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[int]:
    """The application behind gunicorn in a process of its own; yields the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving", str(port)],
        cwd=Path(__file__).parents[1],
        env={**os.environ, **environment, "GUIJU_LOG_LEVEL": "ERROR"},  # noqa: TID251 - handed on
    )
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        try:
            if Browser(port).ask("/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not answer")


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, port: int) -> None:
        self._app, self._port = app, port
        super().__init__()

    def load_config(self) -> None:
        """One process with one thread that keeps connections."""
        for name, value in {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "gthread",
            "threads": 1,
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def main(port: int) -> None:
    """Serve the application with the bare page in it."""
    app = create_app()

    @app.get("/bare/<number:unit>")
    def bare(unit: int) -> str:
        name = db.session.scalars(sa.select(Organization.name).where(Organization.id == unit)).one()
        return render_template_string(_PAGE, name=name)

    _Server(app, port).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
