"""Why a file was not let in."""

from __future__ import annotations

from guiju.rules.problems import BadInput, Problem


class Refused(BadInput):
    """The file was refused; the one problem is placed at ``/file``."""

    def __init__(self, code: str, found: str, wanted: str) -> None:
        super().__init__([Problem("/file", found, wanted, code)])
