"""Registries: small tables that only grow and are the same for all tenants.

A process reads each of them once in a while, not once a page.  What it keeps belongs to the
engine that it was read through, hence to one database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from guiju.db.session import AnySession

T = TypeVar("T")

#: Seconds after which a registry is read again; what it lacks may be sought before.
KEPT_FOR = 60.0

_kept: WeakKeyDictionary[sa.Engine, dict[Hashable, tuple[float, Any]]] = WeakKeyDictionary()


def registry(
    session: AnySession, key: Hashable, read: Callable[[], T], *, fresh: bool = False
) -> T:
    """What ``read`` gives, at most :data:`KEPT_FOR` seconds old; read now if ``fresh``.

    Nobody may change what it gives, nor may it hold anything of a tenant's.
    """
    known = _kept.setdefault(session.get_bind().engine, {})
    now = time.monotonic()
    found = known.get(key)
    if fresh or found is None or now - found[0] > KEPT_FOR:
        found = known[key] = now, read()
    return found[1]


def forget() -> None:
    """Have every registry read anew: for who has added to one."""
    _kept.clear()
