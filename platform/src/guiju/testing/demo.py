"""The demo as a process of its own, for whoever looks at its pages with a browser."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_START_SECONDS = 900


@contextmanager
def running_demo() -> Iterator[dict[str, Any]]:
    """A new demo that serves: its ``url`` and its ``accounts``.

    Raises RuntimeError where it ends, or does not answer within a quarter of an hour.
    """
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder, "credentials.json")
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("guiju"),
                "demo",
                f"--port={free_port()}",
                f"--data-dir={Path(folder, 'data')}",
                f"--credentials-file={credentials}",
            ]
        )
        try:
            _wait_until_answering(process, credentials)
            yield json.loads(credentials.read_bytes())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def sign_in(page: Page, url: str, account: dict[str, str]) -> None:
    """Come to the account's first page."""
    page.goto(url)
    page.fill("#username", account["username"])
    page.fill("#password", account["password"])
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait_until_answering(process: subprocess.Popen[bytes], credentials: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the demo ended before it served anything; see its messages above")
        try:
            url = json.loads(credentials.read_bytes())["url"]
            with urllib.request.urlopen(f"{url}healthz"):  # noqa: S310 - our own address
                return
        except (FileNotFoundError, ValueError, urllib.error.URLError):
            time.sleep(0.5)
    raise RuntimeError(f"the demo did not answer within {_START_SECONDS} seconds")
