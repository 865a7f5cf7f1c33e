"""Pages of a list: each begins after the last entry of the one before, however many came since.

A cursor is opaque and signed, and good for the list that gave it out: the same tenant, the
same address, the same filters and order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from guiju.api.admission import visitor
from guiju.api.problems import Refused
from guiju.language import gettext as _

#: Entries of a page by default, and at most.
USUAL, MOST = 50, 200


@dataclass(frozen=True)
class Page:
    """Entries, and the key of the last where there are more."""

    items: Sequence[Any]
    #: Plain values that say where the next page begins; None on the last page.
    after: Sequence[Any] | None = None


def opened(query: Mapping[str, Any]) -> Sequence[Any] | None:
    """Where the asked page begins; raises :class:`Refused` for a cursor of another list."""
    cursor = query.get("cursor")
    if cursor is None:
        return None
    try:
        after: Sequence[Any] = _serializer(query).loads(cursor)
    except BadData:
        error = {
            "parameter": "cursor",
            "code": "cursor",
            "detail": _("这个游标不属于这个列表，请从第一页重新开始"),
        }
        raise Refused(422, errors=[error]) from None
    return after


def sealed(query: Mapping[str, Any], after: Sequence[Any]) -> str:
    """The cursor of the page that begins after ``after``."""
    return str(_serializer(query).dumps(list(after)))


def _serializer(query: Mapping[str, Any]) -> URLSafeSerializer:
    asked = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}
    what = json.dumps(
        [visitor().tenant_id, visitor().user_id, request.path, asked], sort_keys=True, default=str
    )
    digest = hashlib.sha256(what.encode()).hexdigest()
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"guiju-cursor-{digest}")


def sliced(items: Sequence[Any], query: Mapping[str, Any]) -> Page:
    """The asked page of a list that does not change while it is read."""
    after = opened(query)
    begin = 0 if after is None else int(after[0])
    end = begin + int(query["limit"])
    return Page(items[begin:end], [end] if end < len(items) else None)
