"""Both servers of one data folder, started and stopped together."""

import fcntl
import hashlib
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import platformdirs

from guiju.config import APP_ROLE
from guiju.embedded import account, programs
from guiju.embedded.errors import EmbeddedError
from guiju.embedded.postgres import ADMIN_ROLE, Postgres
from guiju.embedded.valkey import Valkey
from guiju.language import gettext as _

# The room for a socket's path in the kernel's structure (104 bytes on macOS, 108 on Linux),
# less the terminating zero and the longest of our socket names.
_SOCKET_FOLDER_BYTES = 104 - 1 - len("/.s.PGSQL.5432.lock")


@dataclass
class Services:
    """Running embedded servers; a context manager that stops them at its end."""

    data_dir: Path
    postgres: Postgres
    valkey: Valkey
    _lock: IO[str] = field(repr=False)

    @property
    def database_url(self) -> str:
        """What the application connects to: a role that owns nothing."""
        return self.postgres.url(APP_ROLE)

    @property
    def admin_database_url(self) -> str:
        """What migrations connect to: the owner of the database."""
        return self.postgres.url(ADMIN_ROLE)

    @property
    def redis_url(self) -> str:
        """The queue's address."""
        return self.valkey.url()

    def stop(self) -> None:
        """Stop both servers and give the data folder free."""
        with self._lock:
            self.valkey.stop()
            self.postgres.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def default_data_dir() -> Path:
    """Where data is kept when nothing else is said: never inside root's closed home."""
    if os.geteuid() == 0:
        return Path("/var/lib/guiju")
    return platformdirs.user_data_path("guiju")


def start(data_dir: Path) -> Services:
    """Start PostgreSQL and Valkey with their data in ``data_dir``, made if it is not there.

    Servers that a killed process left running are taken over. Raises ``EmbeddedError`` when
    another process uses the folder or a server will not start; what had been started is
    then stopped again.
    """
    data_dir = data_dir.expanduser().resolve()
    _make_folder(data_dir)
    with ExitStack() as undo:
        lock = undo.enter_context(_lock(data_dir))
        user = account.current()
        user.let_through(data_dir)
        sockets = _socket_folder(data_dir, user)
        found = programs.find(user, data_dir / "programs")
        postgres = Postgres(data_dir / "postgresql", sockets, user, found)
        valkey = Valkey(data_dir / "valkey", sockets, user, found)
        for server in (postgres, valkey):
            undo.callback(server.stop)
            server.start()
        undo.pop_all()
    return Services(data_dir, postgres, valkey, lock)


def _make_folder(data_dir: Path) -> None:
    try:
        # Others may pass through to what is theirs (the servers' account), not look around.
        data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            _("建不了数据文件夹 {folder}：{reason}。").format(
                folder=data_dir, reason=error.strerror
            )
        ) from error


def _lock(data_dir: Path) -> IO[str]:
    """Take the folder for this process; the system gives it free when the process ends."""
    try:
        file = (data_dir / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise EmbeddedError(
            _("写不了数据文件夹 {folder}：{reason}。").format(
                folder=data_dir, reason=error.strerror
            )
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise EmbeddedError(
            _(
                "数据文件夹 {folder} 正被进程 {process} 使用。"
                "请先结束那个进程，或用 --data-dir 换一个文件夹。"
            ).format(folder=data_dir, process=holder)
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _socket_folder(data_dir: Path, user: account.Account) -> Path:
    """A folder for the sockets that only the servers' account can enter."""
    folder = data_dir / "run"
    if len(os.fsencode(folder)) > _SOCKET_FOLDER_BYTES:
        # Named after the data folder, so that the next start finds running servers again.
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"guiju-{digest}"
    user.own_folder(folder)
    return folder
