"""The files that browsers fetch: our own, and libraries fetched when the package is built.

The libraries are never committed.  Every address carries a digest of the file's content,
so that browsers may keep it for good.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"

_YEAR = 365 * 24 * 3600


class MissingAssetsError(Exception):
    """The package was built without its browser libraries, or they were deleted since."""

    @property
    def problems(self) -> list[str]:
        """What the command line lists."""
        return [str(self)]


def check(folder: Path = VENDOR) -> None:
    """Raise ``MissingAssetsError`` unless every file that the build put there is there.

    The build hook does not run again by itself when files vanish from a working copy.
    """
    try:
        wanted = json.loads((folder / "manifest.json").read_bytes())["files"]
    except FileNotFoundError:
        wanted = ["manifest.json"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        listed = ", ".join(missing)
        message = f"{folder} lacks {listed}. Install the package again: make assets"
        raise MissingAssetsError(message)


def init_app(app: Flask) -> None:
    """Address static files by their content."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _YEAR
    app.url_defaults(_add_digest)


def _add_digest(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values["v"] = _digest(values["filename"])


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
