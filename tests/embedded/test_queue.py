"""RQ's own worker processes run against the embedded Valkey."""

import subprocess
import sys

import pytest
import redis
from rq import Queue
from rq.job import JobStatus


@pytest.mark.parametrize("command", [["worker"], ["worker", "--with-scheduler"], ["worker-pool"]])
def test_worker_processes_run_jobs(empty_redis_url, command):
    with redis.Redis.from_url(empty_redis_url) as connection:
        queue = Queue(connection=connection)
        jobs = [queue.enqueue("operator.mul", number, 7) for number in range(3)]
        failing = queue.enqueue("operator.truediv", 1, 0)
        subprocess.run(
            [sys.executable, "-m", "rq.cli", *command, "--burst", "--url", empty_redis_url],
            check=True,
            capture_output=True,
            timeout=600,
        )
        assert [job.return_value() for job in jobs] == [0, 7, 14]
        assert failing.get_status() == JobStatus.FAILED
