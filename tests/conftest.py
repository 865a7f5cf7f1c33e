"""One PostgreSQL and one Valkey for the whole run, a database of its own for every process.

The servers start when the first test asks for them, so tests of pure code start none, and
are shared by the processes of ``pytest -n``. Every such process has its own database and its
own numbered queue.
"""

import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import redis
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from argon2 import PasswordHasher
from filelock import FileLock
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser
from psycopg import sql

from guiju import embedded
from guiju.accounts import passwords
from guiju.audit.operations import Actor
from guiju.config import APP_ROLE
from guiju.db import ScopedSession, create_engine, tenant_scope, upgrade
from guiju.embedded.postgres import ADMIN_ROLE
from guiju.tenancy import operations as tenancy
from guiju.tenancy.operations import NewTenant
from guiju.testing.browser import chromium, find_chromium

#: Fixtures of the whole application, in tests/support.
pytest_plugins = ["offices", "stores", "twins"]

# The same examples every time; how long one takes says something about the machine, nothing
# about the code.
settings.register_profile(
    "guiju",
    settings(),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("guiju")

#: How long the database server may take to clean up after somebody.
_PATIENCE_SECONDS = 180

SERVERS_FOLDER = pytest.StashKey[Path]()
SERVERS = pytest.StashKey[embedded.Services]()


class Database(NamedTuple):
    """The addresses of one database: as the application and as the migrations connect."""

    url: str
    admin_url: str


class Servers(NamedTuple):
    """Addresses that all processes of the run share; ``database`` is a name to fill in."""

    application: str
    administrator: str
    queue: str

    def database(self, name: str) -> Database:
        return Database(
            self.application.format(database=name), self.administrator.format(database=name)
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept-golden",
        action="store_true",
        help="write what the packs resolve to as the accepted files",
    )
    parser.addoption(
        "--pictures",
        action="store_true",
        help="keep pictures of all that browser tests look at in var/browser-tests",
    )


def pytest_configure(config: pytest.Config) -> None:
    shared = getattr(config, "workerinput", None)
    if shared is None:
        # Not in pytest's own temporary folder: root's is closed to the servers' account.
        config.stash[SERVERS_FOLDER] = Path(tempfile.mkdtemp(prefix="guiju-tests-"))
    else:
        config.stash[SERVERS_FOLDER] = Path(shared["servers_folder"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    node.workerinput["servers_folder"] = str(node.config.stash[SERVERS_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    folder = config.stash[SERVERS_FOLDER]
    if SERVERS in config.stash:
        config.stash[SERVERS].stop()
    elif (folder / "servers.json").exists():
        # A worker process started them and has ended: take them over.
        embedded.start(folder).stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashing passwords costs next to nothing: how much it should is argon2's own business."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        yield


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The running servers, started by whichever process comes first."""
    folder = pytestconfig.stash[SERVERS_FOLDER]
    state = folder / "servers.json"
    with FileLock(folder / "servers.lock"):
        if not state.exists():
            services = embedded.start(folder)
            pytestconfig.stash[SERVERS] = services
            addresses = Servers(
                services.postgres.url(APP_ROLE, "{database}"),
                services.postgres.url(ADMIN_ROLE, "{database}"),
                services.redis_url,
            )
            state.write_text(json.dumps(addresses), encoding="utf-8")
    return Servers(*json.loads(state.read_text(encoding="utf-8")))


def _drop(connection: psycopg.Connection, name: str) -> None:
    """Drop a database, whoever is connected; what the server itself does there ends soon."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute(drop)
        except psycopg.errors.InsufficientPrivilege:
            # Cleaning up is done by the server's owner, whom nobody else may end.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="session")
def create_database(servers: Servers) -> Callable[..., Database]:
    """Make a database, empty or a copy of a ``template`` that nobody is connected to."""
    maintenance = servers.database("postgres").admin_url

    def create(name: str, template: str = "template0") -> Database:
        with psycopg.connect(maintenance, autocommit=True) as connection:
            _drop(connection, name)
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return servers.database(name)

    return create


@pytest.fixture(scope="session")
def database(create_database: Callable[..., Database], worker_id: str) -> Database:
    """An empty database of this process's own."""
    return create_database(f"guiju_{worker_id}")


@pytest.fixture(scope="session")
def database_url(database: Database) -> str:
    """Where the application connects: as the role that owns nothing."""
    return database.url


@pytest.fixture(scope="session")
def admin_database_url(database: Database) -> str:
    """Where migrations connect: as the owner of the database."""
    return database.admin_url


@pytest.fixture(scope="session")
def migrated(database: Database) -> Database:
    """The same database with all tables in it, empty or with other tests' tenants."""
    upgrade(database.admin_url)
    return database


@pytest.fixture(scope="session")
def engine(migrated: Database) -> Iterator[sa.Engine]:
    """The application's way into the migrated database."""
    engine = create_engine(migrated.url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def create_tenant(engine: sa.Engine) -> Callable[[], NewTenant]:
    """Make a tenant of the test's own: a working committee ``root``, and an administrator."""

    def create() -> NewTenant:
        root = {"id": "root", "name": "机关工委", "kind": "working_committee"}
        code = f"t-{secrets.token_hex(8)}"
        with ScopedSession(engine) as session:
            return tenancy.create_tenant(session, Actor("test"), code, "测试单位", root)

    return create


@pytest.fixture
def tenant(create_tenant: Callable[[], NewTenant]) -> NewTenant:
    """One such tenant."""
    return create_tenant()


@pytest.fixture
def session(engine: sa.Engine, tenant: NewTenant) -> Iterator[ScopedSession]:
    """A session in the scope of ``tenant``."""
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        yield session


@pytest.fixture(scope="session")
def redis_url(servers: Servers, worker_id: str) -> str:
    """This process's own numbered database of the queue's server."""
    number = 0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw"))
    return servers.queue.replace("?db=0", f"?db={number}")


@pytest.fixture
def empty_redis_url(redis_url: str) -> str:
    """The same, emptied before the test."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    return redis_url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium with a Chinese font; the same for all tests of this process.

    Where there is none, tests that need it are skipped with the reason, except in continuous
    integration, whose script installs what is missing: there they fail.
    """
    program = find_chromium()
    if program is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with chromium(program) as running:
        yield running


class Letterbox:
    """Keeps what arrives; refuses the addresses in ``refused``, and everything while ``busy``."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refused: set[str] = set()
        self.busy = False

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802
        if self.busy:
            return "451 try again"
        if address in self.refused:
            return f"550 no such user {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


class MailServer(Controller):
    """An SMTP server in a thread, on whichever port is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def letterbox() -> Letterbox:
    """What the tests' mail server has taken."""
    return Letterbox()


@pytest.fixture
def mail_server(letterbox: Letterbox) -> Iterator[Callable[..., int]]:
    """Start a server that delivers into ``letterbox``, with options of aiosmtpd; its port."""
    started = []

    def start(**options) -> int:
        server = MailServer(letterbox, hostname="127.0.0.1", port=0, **options)
        server.start()
        started.append(server)
        return server.port

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def smtp_url(mail_server: Callable[..., int]) -> str:
    """The address of such a server."""
    return f"smtp://127.0.0.1:{mail_server()}"
