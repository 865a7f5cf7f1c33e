"""Processes killed while records are written: what was acknowledged is there, once, and judged.

PostgreSQL, the queue's server, ``guiju serve`` and ``guiju worker`` run as in production, the
servers with the settings (and the syncing to disk) that the embedded ones always have.
"""

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import psutil
import pytest
import requests
import sqlalchemy as sa
from serving import answering, guiju

from guiju import embedded, plugins
from guiju.accounts.operations import create_user
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.activities.models import Occasion, Record, RecordStep, RecordVersion
from guiju.activities.operations import store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import upgrade
from guiju.db.locks import Busy
from guiju.db.models import metadata
from guiju.embedded.postgres import Postgres
from guiju.embedded.valkey import Valkey
from guiju.scoring import jobs
from guiju.scoring.models import ScoringRun

RECORDS = 200
WRITERS = 4
#: Who is killed when so many records have been acknowledged.
KILLS = {30: "worker", 70: "queue", 110: "database", 150: "web"}
#: Records go to two of an office's branches.
BRANCHES = 2
#: So many others that the office is not judged whole each time, which would hide a lost mark.
OTHERS = 500
PATIENCE_SECONDS = 180
#: What a program needs that records who came.
SCOPES = ("people.read", "records.read", "records.write")


def kill(process: psutil.Process) -> None:
    """Kill a process with all that it started, as a power cut would."""
    family = [process, *process.children(recursive=True)]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, PATIENCE_SECONDS)


def kill_server(server: Postgres | Valkey) -> None:
    name = "postmaster.pid" if isinstance(server, Postgres) else "server.pid"
    number = (server.folder / name).read_text(encoding="ascii").split("\n", 1)[0]
    kill(psutil.Process(int(number)))


class Command:
    """One of our commands, as often as it is started again."""

    def __init__(self, environment: dict[str, str], *command: str) -> None:
        self._environment = {**os.environ, **environment}
        self._command = [guiju(), *command]

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=self._environment)

    def kill(self) -> None:
        kill(psutil.Process(self.process.pid))
        self.process.wait()


@pytest.fixture(scope="module")
def services() -> Iterator[embedded.Services]:
    """Servers that may be killed: these tests' own."""
    # Not in pytest's own temporary folder: root's is closed to the servers' account.
    with (
        tempfile.TemporaryDirectory(prefix="guiju-faults-") as folder,
        embedded.start(Path(folder)) as services,
    ):
        upgrade(services.admin_database_url, codes=plugins.load().codes)
        yield services


@pytest.fixture(scope="module")
def environment(services) -> dict[str, str]:
    """Processes and tests of this module work on these servers."""
    return {
        "DATABASE_URL": services.database_url,
        "GUIJU_ADMIN_DATABASE_URL": services.admin_database_url,
        "REDIS_URL": services.redis_url,
        "SECRET_KEY": "for tests only, long enough for one",
        "GUIJU_LOG_LEVEL": "ERROR",
        "GUIJU_API_REQUESTS_PER_MINUTE": "1000000",
    }


@pytest.fixture(scope="module")
def site(environment) -> Iterator[tuple[Command, str]]:
    """``guiju serve`` with two processes, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = Command(environment, "serve", "--port", str(port), "--workers", "2")
    command.start()
    answering(command.process, url)
    yield command, url
    command.kill()


@pytest.fixture(scope="module")
def worker(environment) -> Iterator[Command]:
    """``guiju worker``."""
    command = Command(environment, "worker")
    command.start()
    yield command
    command.kill()


class Writing:
    """Records written by several clients at once; each repeats a request until it is answered.

    A request is repeated with its own key and without a number for the record, so that only
    the platform can keep it from being written twice.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api/v1/occasions"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._waiting = threading.Condition()
        #: Titles of the records that were acknowledged.
        self.acknowledged: list[str] = []
        #: What was answered to requests that were not done, none of which is expected.
        self.refused: list[str] = []
        #: How often a request was repeated.
        self.repeated = 0

    def run(self, number: int) -> None:
        """Have one record written."""
        branch = f"x{number % BRANCHES}"
        body = {
            "organization": branch,
            "kinds": ["theme_day"],
            "held_on": (date(2021, 1, 4) + timedelta(days=number)).isoformat(),
            "title_text": f"主题党日{number}",
            "attendance": [
                {"person": f"{branch}-{member}", "status": "present"} for member in range(2)
            ],
        }
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self._ask(body, number)) is None:
            assert time.monotonic() < deadline, "no answer in time"
            self.repeated += 1
            time.sleep(0.1)
        # Done by a request whose answer was lost with the process that would have given it.
        known = answer.status_code == 409 and answer.json()["errors"][0]["code"] == "answer_lost"
        with self._waiting:
            if known or answer.status_code == 201:
                self.acknowledged.append(body["title_text"])
            else:
                self.refused.append(answer.text)
            self._waiting.notify_all()

    def _ask(self, body: dict, number: int) -> requests.Response | None:
        """The answer; None where there was none, or one that says to ask again."""
        headers = {**self._headers, "Idempotency-Key": f"record-{number}"}
        try:
            answer = requests.post(self._url, json=body, headers=headers, timeout=30)
        except (requests.ConnectionError, requests.Timeout):
            return None
        return None if answer.status_code == 503 or "Retry-After" in answer.headers else answer

    def reach(self, number: int) -> None:
        """Wait until so many records are acknowledged."""
        with self._waiting:
            self._waiting.wait_for(
                lambda: self.refused or len(self.acknowledged) >= number, PATIENCE_SECONDS
            )
        assert not self.refused
        assert len(self.acknowledged) >= number


@pytest.fixture
def strike(services, site, worker) -> Callable[[str], None]:
    """Kill a victim by its name and start it again."""
    pages, url = site

    def strike(victim: str) -> None:
        match victim:
            case "web":
                pages.kill()
                pages.start()
                answering(pages.process, url)
            case "worker":
                worker.kill()
                worker.start()
            case "queue" | "database":
                server = services.valkey if victim == "queue" else services.postgres
                kill_server(server)
                server.start()

    return strike


@pytest.fixture
def token(place) -> Callable[..., str]:
    """A token of somebody who records for an office."""

    def make(office) -> str:
        with office.session() as session:
            actor = Actor("test")
            role = ("recorder", office.root_id)
            user, _password = create_user(session, actor, "recorder", "记录员", [role])
            visitor = find_visitor(session, office.tenant_id, user.id)
            return create_token(session, visitor, "测试", SCOPES, 1)[1]

    return make


def rows(session, *columns) -> list:
    """Of records written through the API, with each one's title."""
    return session.execute(
        sa.select(Occasion.title_text, *columns).where(Occasion.title_text.is_not(None))
    ).all()


def test_what_was_acknowledged_survives(place, found_office, site, strike, token, until):
    office = found_office("x")
    others = [
        {"id": f"other-{n}", "name": f"第{n}党支部", "kind": "branch", "parent": "x-root"}
        for n in range(OTHERS)
    ]
    with office.session() as session:
        store_facts(session, Actor("test"), {"organizations": others})
    office.scored_afresh()
    writing = Writing(site[1], token(office))
    with ThreadPoolExecutor(WRITERS) as clients:
        written = clients.map(writing.run, range(RECORDS))
        for number, victim in KILLS.items():
            writing.reach(number)
            before = writing.repeated
            strike(victim)
            if victim in {"web", "database"}:
                # Whoever asked just then hears of it a little later.
                until(lambda before=before: writing.repeated > before)
        list(written)
    assert not writing.refused

    expected = {f"主题党日{number}": 1 for number in range(RECORDS)}
    assert Counter(writing.acknowledged) == expected
    with office.session() as session:
        found = session.scalars(sa.select(Occasion).where(Occasion.title_text.is_not(None))).all()
        assert Counter(one.title_text for one in found) == expected
        assert {one.present for one in found} == {2}
        numbers = sorted(one.id for one in found)
        codes = sorted(one.code for one in found)
        attendance = metadata.tables["attendance"].c
        for column, each in (
            (attendance.occasion_id, 2),
            (Record.occasion_id, 1),
            (RecordVersion.occasion_id, 1),
            (RecordStep.occasion_id, 1),
        ):
            assert sorted(session.scalars(sa.select(column))) == sorted(numbers * each)
        audited = sa.select(AuditEntry.subject).where(AuditEntry.action == "record.submit")
        assert sorted(session.scalars(audited)) == codes

    def runs() -> list[bool]:
        """Of each run of scoring, whether it judged the whole office."""
        with office.session() as session:
            return list(session.scalars(sa.select(ScoringRun.complete).order_by(ScoringRun.id)))

    def converged() -> bool:
        jobs.sweep()
        return office.waiting() == 0

    # Where a worker died with its bell, the sweep is who rings again.
    until(converged)
    assert len(runs()) > 1
    assert runs()[0]
    assert not any(runs()[1:]), "judged whole, which would hide a lost mark"
    found, afresh = office.stored(), []

    def scored_afresh() -> bool:
        with suppress(Busy):
            afresh.append(office.scored_afresh())
        return bool(afresh)

    # Whoever was rung for last may still be looking whether there is anything to do.
    until(scored_afresh)
    assert [found] == afresh
