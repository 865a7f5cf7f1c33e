"""One embedded Valkey server in a folder."""

import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from guiju.embedded.account import Account
from guiju.embedded.errors import EmbeddedError
from guiju.embedded.programs import Programs
from guiju.language import gettext as _

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "yes",
    # Every change is appended to a file before it is answered, so a killed server loses
    # nothing. Synced to disk each second: a power cut may cost one second of the queue, and
    # the work is then found again through the marks that PostgreSQL keeps.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    # A queue must refuse what it cannot hold, never forget what it has.
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "databases": "64",
}

_START_SECONDS = 30


class Valkey:
    """A server with its files in ``folder``, listening on a Unix socket in ``sockets`` only."""

    def __init__(self, folder: Path, sockets: Path, account: Account, programs: Programs) -> None:
        self.folder = folder
        self.socket = sockets / "valkey.sock"
        self.log = folder / "server.log"
        self.pid_file = folder / "server.pid"
        self._account = account
        self._programs = programs

    def url(self, database: int = 0) -> str:
        """The address of one of the numbered databases, as redis-py and RQ read it."""
        return f"unix://{quote(str(self.socket))}?db={database}"

    def start(self) -> None:
        """Start the server; nothing happens when it is running.

        Raises ``EmbeddedError`` with the end of the server's log when it will not start.
        """
        if self._process() is not None:
            return
        self._account.own_folder(self.folder)
        for left in (self.socket, self.log, self.pid_file):
            left.unlink(missing_ok=True)
        settings = {
            **_SETTINGS,
            "dir": str(self.folder),
            "logfile": str(self.log),
            "pidfile": str(self.pid_file),
            "unixsocket": str(self.socket),
        }
        command = [str(self._programs.valkey_server)]
        for name, value in settings.items():
            command += [f"--{name}", value]
        try:
            self._account.run(command)
            self._wait_until_ready()
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError.with_log(
                _("内置 Valkey 启动不了。"), getattr(error, "output", None) or "", self.log
            ) from error

    def stop(self) -> None:
        """Stop the server after it has written everything; nothing happens when it is not running.

        Raises ``EmbeddedError`` when it is still there after a while.
        """
        process = self._process()
        if process is None:
            return
        process.terminate()
        deadline = time.monotonic() + _START_SECONDS
        while _is_alive(process):
            if time.monotonic() > deadline:
                raise EmbeddedError.with_log(_("内置 Valkey 停不下来。"), "", self.log)
            time.sleep(0.02)

    def _process(self) -> psutil.Process | None:
        """The server that answers on the socket, None when nothing does."""
        try:
            with self._client() as client:
                return psutil.Process(client.info("server")["process_id"])
        except (redis.RedisError, psutil.NoSuchProcess):
            return None

    def _wait_until_ready(self) -> None:
        """Wait until the server answers, which it does not while it reads its file back.

        Raises ``ChildProcessError`` when it gives up, ``TimeoutError`` when it takes too long.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                with self._client() as client:
                    client.ping()
            except redis.RedisError as error:
                if self._gave_up():
                    raise ChildProcessError from error
                if time.monotonic() > deadline:
                    raise TimeoutError from error
                time.sleep(0.02)
            else:
                return

    def _gave_up(self) -> bool:
        # The daemon notes its number before it reads its data, and takes no note of failing.
        try:
            process = psutil.Process(int(self.pid_file.read_text(encoding="ascii")))
        except (FileNotFoundError, ValueError):
            return False
        except psutil.NoSuchProcess:
            return True
        return not _is_alive(process)

    def _client(self) -> redis.Redis:
        # No retries: whether the server is there now is the question.
        return redis.Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0))


def _is_alive(process: psutil.Process) -> bool:
    # In a container whose first process collects no orphans, an ended server stays a zombie.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
