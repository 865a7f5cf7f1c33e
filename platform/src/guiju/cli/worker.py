"""``guiju worker``: works off the queues."""

from __future__ import annotations

import click
from rq import Queue, Worker

from guiju import logs, queue
from guiju.cli import environment
from guiju.config import load_settings
from guiju.language import gettext as _
from guiju.plugins import loaded


@click.command(help=_("后台处理：判定和后台任务。"))
@click.option("--burst", is_flag=True, help=_("队列空了就结束。"))
def worker(*, burst: bool) -> None:
    """Work until told to stop."""
    settings = load_settings()
    logs.configure(settings)
    # Loaded before any job forks, so that every job has them for nothing and a broken
    # plugin is reported once.
    loaded()
    with environment.queue_connection(settings) as connection:
        queues = [Queue(name, connection=connection) for name in queue.QUEUES]
        Worker(queues, connection=connection).work(
            burst=burst, with_scheduler=True, logging_level=settings.log_level
        )
