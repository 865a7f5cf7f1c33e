"""One embedded PostgreSQL cluster in a folder."""

import shlex
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from guiju.config import APP_ROLE
from guiju.embedded.account import Account
from guiju.embedded.errors import EmbeddedError, log_end
from guiju.embedded.programs import Programs
from guiju.language import gettext as _

SUPERUSER = "postgres"

# Owns the databases and runs the migrations; sees every tenant.
ADMIN_ROLE = "guiju_admin"

DATABASE = "guiju"

_ROLE_ATTRIBUTES = {
    ADMIN_ROLE: "LOGIN CREATEDB CREATEROLE BYPASSRLS",
    APP_ROLE: "LOGIN",
}

# A desk machine's share of memory. Durability stays at PostgreSQL's defaults (fsync and
# synchronous_commit on): what was acknowledged survives a power cut.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # Compiling costs more than it saves on queries of this size.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_INITDB = [
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    # The same order of text on every system; pinyin order is the application's own key.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    # Nobody but the account itself can open the socket, so nobody else can connect.
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
]

# PostgreSQL's name for its socket, from its default port.
_SOCKET = ".s.PGSQL.5432"

# How long a start may take: replaying what a crash left behind is included.
_START_SECONDS = 120


class Postgres:
    """A cluster in ``folder``, listening on a Unix socket in ``sockets`` only."""

    def __init__(self, folder: Path, sockets: Path, account: Account, programs: Programs) -> None:
        self.folder = folder
        self.sockets = sockets
        self.log = folder / "server.log"
        self._account = account
        self._programs = programs

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address of a database for a role, as libpq and SQLAlchemy read it."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='')}"

    def start(self) -> None:
        """Start the cluster, made on the first start; nothing happens when it is running.

        Raises ``EmbeddedError`` with the end of the server's log when it will not start.
        """
        if not self.folder.exists():
            self._create()
        self._check_version()
        if not self._is_running():
            self._launch()
        self._ensure_roles()

    def stop(self) -> None:
        """Stop the cluster, closing its connections; nothing happens when it is not running."""
        if not self._is_running():
            return
        try:
            self._pg_ctl("stop", "--mode=fast", f"--timeout={_START_SECONDS}")
        except (OSError, subprocess.SubprocessError) as error:
            # A server that dies meanwhile has stopped, too.
            if self._is_running():
                raise self._failed(_("内置 PostgreSQL 停不下来。"), error) from error

    def _create(self) -> None:
        # A first start that was interrupted leaves nothing that looks like a cluster.
        unfinished = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._account.own_folder(unfinished)
        try:
            self._account.run([self._programs.initdb, f"--pgdata={unfinished}", *_INITDB])
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failed(_("内置 PostgreSQL 建不起数据文件夹。"), error) from error
        unfinished.rename(self.folder)

    def _check_version(self) -> None:
        found = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        version = subprocess.run(
            [self._programs.postgres, "--version"], check=True, capture_output=True, text=True
        ).stdout
        wanted = version.split()[-1].split(".")[0]
        if found != wanted:
            raise EmbeddedError(
                _(
                    "数据文件夹 {folder} 由 PostgreSQL {found} 建立，"
                    "而安装的是 PostgreSQL {wanted}，两者不能混用。"
                    "请先用旧版本备份，再恢复到新的数据文件夹。"
                ).format(folder=self.folder, found=found, wanted=wanted)
            )

    def _is_running(self) -> bool:
        """Whether the process that the cluster's lock file names is its server.

        After a crash the number may belong to another program by now; PostgreSQL would
        refuse to start because of it, so such files are removed.
        """
        lock = self.folder / "postmaster.pid"
        try:
            process = psutil.Process(int(lock.read_text(encoding="utf-8").split("\n", 1)[0]))
            if process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE:
                return True
        except FileNotFoundError:
            return False
        except (psutil.NoSuchProcess, ValueError):
            pass
        for stale in (lock, self.sockets / f"{_SOCKET}.lock", self.sockets / _SOCKET):
            stale.unlink(missing_ok=True)
        return False

    def _launch(self) -> None:
        self.log.unlink(missing_ok=True)  # it tells of the last start only
        options = {**_SETTINGS, "unix_socket_directories": str(self.sockets)}
        server_options = shlex.join(f"--{name}={value}" for name, value in options.items())
        deadline = time.monotonic() + 10
        while True:
            try:
                self._pg_ctl(
                    "start",
                    f"--log={self.log}",
                    f"--options={server_options}",
                    f"--timeout={_START_SECONDS}",
                )
            except (OSError, subprocess.SubprocessError) as error:
                # A killed server's children hold its memory for a moment longer.
                if time.monotonic() < deadline and "shared memory" in log_end(self.log):
                    time.sleep(0.2)
                    continue
                raise self._failed(_("内置 PostgreSQL 启动不了。"), error) from error
            return

    def _pg_ctl(self, action: str, *options: str) -> None:
        self._account.run(
            [self._programs.pg_ctl, action, f"--pgdata={self.folder}", "--wait", *options],
            timeout=_START_SECONDS + 10,
        )

    def _failed(self, message: str, error: Exception) -> EmbeddedError:
        return EmbeddedError.with_log(message, getattr(error, "output", None) or "", self.log)

    def _ensure_roles(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role, attributes in _ROLE_ATTRIBUTES.items():
                if role not in present:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} {}").format(
                            sql.Identifier(role), sql.SQL(attributes)
                        )
                    )
            databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            if DATABASE not in databases:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(ADMIN_ROLE)
                    )
                )
