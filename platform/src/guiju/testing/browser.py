"""A real Chromium for tests and pictures of the pages.

Needs the packages of the dependency group ``test``: Playwright drives the browser that the
system has, and the Chinese font comes as a wheel, so that pages look alike everywhere.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pylopdf_fonts_zh_cn
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")

# A browser that says nothing to anybody: no updates, no telemetry, no look-ups.
_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--no-first-run",
]

_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Noto Sans SC</family></prefer></alias>
  <alias><family>serif</family><prefer><family>Noto Serif SC</family></prefer></alias>
</fontconfig>
"""


def find_chromium() -> str | None:
    """The program of a Chromium on this machine, None when there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """A running headless browser that can reach this machine alone."""
    # Its sandbox cannot be set up by root.
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else _FLAGS
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        fonts = Path(folder, "fonts.conf")
        fonts.write_text(
            _FONTS.format(
                fonts=Path(pylopdf_fonts_zh_cn.__file__).parent, cache=Path(folder, "cache")
            ),
            encoding="utf-8",
        )
        browser = playwright.chromium.launch(
            executable_path=program,
            args=flags,
            # Days and times in fields look as for our users where the browser has its Chinese
            # texts (Debian: chromium-l10n).
            env={"FONTCONFIG_FILE": str(fonts), "LANG": "C.UTF-8", "LANGUAGE": "zh_CN"},
        )
        yield browser
        browser.close()
