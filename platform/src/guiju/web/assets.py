"""The browser libraries, which are fetched when the package is built and never committed."""

import json
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"


class MissingAssetsError(Exception):
    """The package was built without its browser libraries, or they were deleted since."""


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
