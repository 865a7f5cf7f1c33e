"""/metrics: behind a token, about requests and queues, and about nobody."""

import re
import secrets
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import PATIENCE_SECONDS, answering

from guiju.config import as_environment, load_settings

TOKEN = secrets.token_hex(16)
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def metered(make_app):
    return make_app(GUIJU_METRICS_TOKEN=TOKEN)


def samples(text: str) -> dict[tuple, float]:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_without_a_token_there_is_no_such_address(client, metered):
    assert client.get("/metrics", headers=ALLOWED).status_code == 404
    stranger = metered.test_client()
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": f"Bearer {TOKEN}é"}):
        assert stranger.get("/metrics", headers=headers).status_code == 404


def test_requests_queues_and_jobs_are_told(metered, office):
    client = metered.test_client()
    client.get("/library/no-such-notice-at-all")
    client.get("/organizations/123456789/reports?q=秘密")
    answer = client.get("/metrics", headers=ALLOWED)
    assert answer.status_code == 200
    found = samples(answer.text)
    route = "/organizations/<number:organization_id>/reports"
    key = ("method", "GET"), ("route", route), ("status", "302")
    assert found["guiju_requests_total", *key] >= 1
    assert found["guiju_request_seconds_count", ("method", "GET"), ("route", route)] >= 1
    assert found["guiju_up", ("server", "database")] == 1
    assert found["guiju_up", ("server", "queue")] == 1
    assert ("guiju_queue_length", ("queue", "scoring")) in found
    assert ("guiju_jobs", ("state", "failed")) in found
    assert found["guiju_dirty_marks",] >= 1
    assert found["guiju_oldest_dirty_mark_seconds",] > 0
    assert found["guiju_tenants_active",] >= 1


def test_nothing_tells_a_tenant_or_a_person(metered, office):
    text = metered.test_client().get("/metrics", headers=ALLOWED).text
    assert "123456789" not in text
    assert "秘密" not in text
    assert office.users["department"].partition("@")[2] not in text
    labels = set(re.findall(r'(\w+)="', text))
    assert labels <= {"method", "route", "status", "le", "server", "queue", "state"} | {
        # What the library says of the process itself.
        *("implementation", "major", "minor", "patchlevel", "version", "generation"),
    }


def test_a_server_that_is_away_is_told(make_app):
    app = make_app(
        GUIJU_METRICS_TOKEN=TOKEN,
        DATABASE_URL="postgresql://x@127.0.0.1:1/x?connect_timeout=2",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    found = samples(app.test_client().get("/metrics", headers=ALLOWED).text)
    assert found["guiju_up", ("server", "database")] == 0
    assert found["guiju_up", ("server", "queue")] == 0


def test_the_counts_of_several_processes_are_added_up(environment):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = load_settings({**environment, "GUIJU_METRICS_TOKEN": TOKEN})
    command = [sys.executable, "-m", "guiju", "serve", f"--port={port}", "--workers=2"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env=as_environment(settings)) as server:
        try:
            answering(server, url)
            for _ in range(20):
                get(f"{url}/healthz")
            found = samples(get(f"{url}/metrics", **ALLOWED))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE_SECONDS)
    key = ("method", "GET"), ("route", "/healthz"), ("status", "200")
    assert found["guiju_requests_total", *key] >= 20


def get(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own address
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return answer.read().decode()
