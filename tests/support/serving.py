"""The application served as in production, for a browser: who visits it, and what they see.

Every module serves its own, with an office of its own in it.
"""

import gzip
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
import redis
from offices import AS_OF, PASSWORD, Office
from playwright.sync_api import Page, Response, expect

from guiju import plugins
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.db.locks import Busy
from guiju.scoring.operations import drain

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
#: What a page may send beside the files that all pages share, compressed.
MOST_BYTES = 300_000
SCREENS = {"desk": (1440, 900), "telephone": (390, 844)}
#: How long anything may take that is waited for.  Nobody waits longer than it takes, and a
#: machine with other things to do takes long.
PATIENCE_SECONDS = 60
expect.set_options(timeout=1000 * PATIENCE_SECONDS)
#: What pages break; what is right with them would take axe longest to tell.
AUDIT = "axe.run({resultTypes: ['violations']})"


class Site(NamedTuple):
    """The served application, with an office whose year is judged."""

    url: str
    users: dict[str, str]
    units: dict[str, int]
    #: Record an occasion (a row of the facts) without asking for scoring.
    record: Callable[[dict[str, object]], None]
    #: Have the office scored, and wait for it.
    score: Callable[[], None]
    #: Passwords by user, where they are not all the same.
    passwords: Mapping[str, str] = MappingProxyType({})


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The address of the application, with a worker beside it, and nothing in the queue.

    What tests before asked for there would be done first, and change what tests after look at.
    """
    with redis.Redis.from_url(environment["REDIS_URL"]) as queue:
        queue.flushdb()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (
        running(environment, "serve", "--port", str(port), "--workers", "1") as pages,
        running(environment, "worker"),
    ):
        answering(pages, url)
        yield url


def open_site(url: str, engine, office: Office) -> Site:
    """An office in the served application, judged."""
    packs = plugins.loaded().packs

    def record(occasion: dict[str, object]) -> None:
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, Actor("test"), {"occasions": [occasion]})

    def score() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            # Unless the worker is at it.
            with suppress(Busy):
                drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
                return
            assert time.monotonic() < deadline, "the worker does not come to an end"
            time.sleep(0.1)

    score()
    return Site(url, office.users, office.units, record, score)


def guiju() -> str:
    return str(Path(sys.executable).with_name("guiju"))


@contextmanager
def running(environment: dict[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours, ended at the end."""
    process = subprocess.Popen(
        [guiju(), *command], env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def answering(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the pages are there."""
    # Counted, not timed: a machine may stand still for longer than it takes.
    for _attempt in range(5 * PATIENCE_SECONDS):
        assert process.poll() is None, "guiju serve ended; its messages are above"
        try:
            with urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail("guiju serve did not answer in time")


class Pictures(NamedTuple):
    """Where pictures of pages are kept: of what is wrong, or ``of_all`` that is looked at."""

    folder: Path
    of_all: bool


class Visit:
    """Somebody at a screen, and what happened there."""

    def __init__(self, page: Page, site: Site, pictures: Pictures, device: str) -> None:
        self.page, self.site, self.device = page, site, device
        self._pictures = pictures
        self.faults: list[str] = []
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        page.on("request", self._requested)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))

    def _requested(self, request) -> None:
        if not request.url.startswith((self.site.url, "data:")):
            self.faults.append(f"request: {request.url}")

    def _said(self, message) -> None:
        # The browser reports violations of the security policy here.
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")

    def sign_in(self, user: str) -> None:
        self.page.goto(f"{self.site.url}/")
        self.identify(user)

    def identify(self, user: str) -> None:
        """Say who one is on the page that asks."""
        self.page.get_by_label("用户名").fill(self.site.users[user])
        self.page.get_by_label("密码").fill(self.site.passwords.get(user, PASSWORD))
        self.page.get_by_role("button", name="登录").click()
        expect(self.page).not_to_have_url(re.compile(r"/sign-in(\?.*)?$"))
        self.settle()

    def go(self, address: str) -> None:
        self.page.goto(self.site.url + address)

    def settle(self) -> None:
        """Wait until the page is loaded with its scripts, and what it asked for has come."""
        self.page.wait_for_load_state()
        expect(self.page.locator(".htmx-request")).to_have_count(0)

    def inspect(self, name: str, *, whole: bool = True) -> None:
        """Look for what is wrong; a picture is of the ``whole`` page or of the screen."""
        self.settle()
        if self._pictures.of_all:
            self._picture(name, whole=whole)
        try:
            self._look()
        except AssertionError:
            self._picture(name, whole=whole)
            raise

    def _picture(self, name: str, *, whole: bool) -> None:
        file = self._pictures.folder / self.device / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file, full_page=whole)

    def _look(self) -> None:
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(width) <= 0, "wider than the screen"
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate(AUDIT)["violations"]
        grave = [
            f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes'][:3]]}"
            for fault in found
            if fault["impact"] in {"serious", "critical"}
        ]
        assert not grave, "\n".join(grave)
        assert not self.faults, "\n".join(self.faults)


def weight(heard: list[Response]) -> int:
    """Bytes of what was loaded, compressed, beside the files that all pages share."""
    own = [one for one in heard if not urlsplit(one.url).path.startswith("/static/")]
    return sum(len(gzip.compress(one.body())) for one in own if one.ok)
