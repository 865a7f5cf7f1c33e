"""``guiju scheduler``: rings at the right times."""

from __future__ import annotations

import os
import time
from types import FrameType

import click
import redis
from rq.cron import CronScheduler

from guiju import background, clock, logs, queue
from guiju.activities.jobs import sweep_files
from guiju.audit.jobs import seal_all
from guiju.cli import environment, lasting
from guiju.config import load_settings
from guiju.decisions import jobs as decisions
from guiju.language import gettext as _
from guiju.notices import jobs as notices
from guiju.scoring import jobs
from guiju.tenancy.leaving import delete_due

#: How often marks are looked for that no bell announced, in seconds.
_SWEEP_SECONDS = 60
#: How often the audit trail is sealed.
_SEAL_SECONDS = 300
#: How often tenants are looked for that are due to be deleted.
_DELETE_SECONDS = 3600
#: Soon after midnight, when periods have ended.
_NIGHTLY = "5 0 * * *"
#: Hours at which users are told what is new, on working days; each is told once a day.
_DAILY = "15 8-17 * * 1-5"


@click.command(help=_("定时任务：每晚全面判定，补做遗漏的判定。只需运行一个。"))
def scheduler() -> None:
    """Ring until told to stop."""
    settings = load_settings()
    logs.configure(settings)
    # The times above are business times; RQ reads them in the process's own zone.
    os.environ["TZ"] = clock.ZONE.key  # noqa: TID251 - set for this process, not read
    time.tzset()
    with environment.queue_connection(settings) as connection:
        cron = _Scheduler(connection, logging_level=settings.log_level)
        cron.register(jobs.sweep, queue.SCORING, interval=_SWEEP_SECONDS, result_ttl=0)
        cron.register(background.sweep, queue.JOBS, interval=_SWEEP_SECONDS, result_ttl=0)
        cron.register(seal_all, queue.JOBS, interval=_SEAL_SECONDS, result_ttl=0)
        cron.register(delete_due, queue.JOBS, interval=_DELETE_SECONDS, result_ttl=0)
        cron.register(jobs.nightly, queue.SCORING, cron=_NIGHTLY, result_ttl=0)
        cron.register(sweep_files, queue.JOBS, cron=_NIGHTLY, result_ttl=0)
        cron.register(decisions.review, queue.SCORING, interval=_SWEEP_SECONDS, result_ttl=0)
        cron.register(notices.daily, queue.JOBS, cron=_DAILY, result_ttl=0)
        try:
            cron.start()  # type: ignore[no-untyped-call]
        except redis.RedisError:
            if cron.told_to_stop:
                raise
    if not cron.told_to_stop:
        lasting.begin_anew(settings.redis_url)


class _Scheduler(CronScheduler):
    """RQ's, which says whether it ended because it was told to."""

    told_to_stop = False

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told_to_stop = True
        super()._request_stop(signum, frame)  # type: ignore[no-untyped-call]
