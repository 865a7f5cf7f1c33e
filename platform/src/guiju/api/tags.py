"""Entity tags: what a resource was like when it was read, so that no change goes lost."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import request

from guiju.api.problems import Refused


def tag_of(representation: Any) -> str:
    """The strong tag of a representation (a value that JSON can hold)."""
    text = json.dumps(representation, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def require_match() -> None:
    """Refuse (428) a change that does not say what it was made from."""
    if not request.if_match:
        raise Refused(428)


def check_match(representation: Any) -> None:
    """Refuse (412) a change made from something else than what is there now.

    The caller holds a lock on what the representation shows, or a change could come between.
    """
    if tag_of(representation) not in request.if_match:
        raise Refused(412)
