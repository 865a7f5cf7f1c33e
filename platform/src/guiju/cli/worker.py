"""``guiju worker``: works off the queues."""

from __future__ import annotations

import click
import redis
from rq import Queue, Worker

from guiju import logs, queue
from guiju.cli import environment, lasting
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
        one = _Worker(queues, connection=connection)
        try:
            one.work(burst=burst, with_scheduler=True, logging_level=settings.log_level)
        except redis.RedisError:
            if burst or one.told_to_stop:
                raise
    if not burst and not one.told_to_stop:
        lasting.begin_anew(settings.redis_url)


class _Worker(Worker):
    """RQ's, which says whether it ended because it was told to."""

    told_to_stop = False

    def handle_warm_shutdown_request(self) -> None:
        """Remember it."""
        self.told_to_stop = True
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
