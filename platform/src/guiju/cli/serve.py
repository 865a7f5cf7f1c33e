"""``guiju serve``: the pages, by gunicorn."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from guiju import logs
from guiju.config import load_settings
from guiju.language import gettext as _

# Requests wait for the database more than they compute: some threads a process, and as many
# processes as processors.
_THREADS = 4
#: Files that are kept in memory (Linux).
_MEMORY = Path("/dev/shm")  # noqa: S108 - unlinked as soon as they are open


@click.command(help=_("提供网页和接口。设置见环境变量。"))
@click.option("--host", default="127.0.0.1", show_default=True, help=_("监听的地址。"))
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=os.cpu_count() or 1,
    show_default=_("处理器个数"),
    help=_("进程数。"),
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=_THREADS,
    show_default=True,
    help=_("每个进程的线程数。"),
)
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve until interrupted."""
    settings = load_settings()
    logs.configure(settings)
    with tempfile.TemporaryDirectory(prefix="guiju-metrics-") as counters:
        # All processes count into one folder; the library reads this when it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters  # noqa: TID251 - set, not read
        from guiju.app import create_app  # noqa: PLC0415
        from guiju.web.metrics import forget_process  # noqa: PLC0415

        _run(create_app(settings), forget_process, host, port, workers, threads)


def _run(
    app: Flask,
    forget: Callable[[int], None],
    host: str,
    port: int,
    workers: int,
    threads: int,
) -> None:
    # The application is made before any process forks: what is wrong with settings, plugins or
    # files is said once.  Nothing is connected yet; each process opens its own connections.
    _Server(
        app,
        bind=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        workers=workers,
        threads=threads,
        worker_class="gthread",
        logger_class=_Logger,
        control_socket_disable=True,
        # Its processes show by touching files that they are alive; on a busy disk that stalls,
        # and they would be killed for it.
        worker_tmp_dir=str(_MEMORY) if _MEMORY.is_dir() else None,
        child_exit=lambda _server, worker: forget(worker.pid),
    ).run()


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn around an application that exists already."""

    def __init__(self, app: Flask, **options: Any) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take the options given, and nothing from files or the command line."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, which the parent process made."""
        return self._app


class _Logger(Logger):  # type: ignore[misc]
    """Gunicorn's own messages go where all others go."""

    def setup(self, cfg: Config) -> None:
        """Leave handlers and formats to the root logger."""
        self.cfg = cfg
        self.error_log.setLevel(logging.getLogger().level)
        self.access_log.disabled = True
