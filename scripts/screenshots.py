"""Take pictures of the demo's pages: ``make screenshots``.

Starts ``guiju demo`` in a folder of its own, signs in as the department's administrator and
as a branch secretary of each tenant, and saves what they see, on a desk and on a telephone.
"""

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

from playwright.sync_api import Browser, Page

from guiju.testing.browser import chromium, find_chromium

FOLDER = Path(__file__).parents[1] / "var" / "screenshots"
WIDTHS = {"desk": 1440, "telephone": 390}
START_SECONDS = 900


def main() -> None:
    """Save the pictures and print where they are."""
    program = find_chromium()
    if program is None:
        sys.exit("No Chromium on this machine (Debian: apt-get install chromium).")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demo() as running, chromium(program) as browser:
        for account in running["accounts"]:
            for device, width in WIDTHS.items():
                name = f"{account['tenant']}-{account['role']}-{device}"
                take(browser, running["url"], account, name, width)


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """The running demo: its address and accounts."""
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
            wait_until_answering(process, credentials)
            yield json.loads(credentials.read_bytes())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until_answering(process: subprocess.Popen[bytes], credentials: Path) -> None:
    """Wait until the demo has written its address and answers there; exit when it fails."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("The demo ended before it served anything; its messages are above.")
        try:
            url = json.loads(credentials.read_bytes())["url"]
            with urllib.request.urlopen(f"{url}healthz"):  # noqa: S310 - our own address
                return
        except (FileNotFoundError, ValueError, urllib.error.URLError):
            time.sleep(0.5)
    sys.exit(f"The demo did not answer within {START_SECONDS} seconds.")


def take(browser: Browser, url: str, account: dict[str, str], name: str, width: int) -> None:
    """Save the account's first page, its organization's page, and one explanation."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.goto(url)
    page.fill("#username", account["username"])
    page.fill("#password", account["password"])
    page.click("button[type=submit]")
    save(page, f"{name}-1-home")
    page.goto(page.url.removesuffix("/overview"))
    save(page, f"{name}-2-organization")
    opening = page.locator("[data-drawer]").first
    if opening.count():
        opening.click()
        save(page, f"{name}-3-explanation")
    context.close()


def save(page: Page, name: str) -> None:
    """Save the page as it looks when nothing loads any more."""
    page.wait_for_load_state("networkidle")
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file, full_page=True)
    print(file.relative_to(FOLDER.parents[1]))


if __name__ == "__main__":
    main()
