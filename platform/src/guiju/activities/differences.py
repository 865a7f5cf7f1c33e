"""What changed between two snapshots of a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from guiju.activities.payloads import PARTS
from guiju.facts.places import pointer

#: Columns by which a row of a part is the same row in both.
_SAME = {
    "attendance": ("person", "person_class"),
    "agenda": ("item",),
    "documents": ("kind", "person", "period", "case"),
    "steps": ("step", "person", "recipient"),
    "votes": ("item",),
}


@dataclass(frozen=True)
class Change:
    """One value that differs; None stands for what is not there.

    ``field`` is a column of the occasion, or of the row of ``part`` that ``row`` tells (its
    identifying columns by name); with an empty ``field`` the whole row came or went.
    """

    field: str
    before: Any
    after: Any
    part: str | None = None
    row: Mapping[str, Any] | None = None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What a reader of both would point at: columns first, then the parts row by row."""
    own = [name for name in {**before, **after} if name not in {*PARTS, "extra"}]
    found = [
        Change(name, before.get(name), after.get(name))
        for name in own
        if before.get(name) != after.get(name)
    ]
    old, new = before.get("extra", {}), after.get("extra", {})
    found += [
        Change(pointer("extra", name), old.get(name), new.get(name))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]
    for part in PARTS:
        found += _rows(part, before.get(part, ()), after.get(part, ()))
    return found


def _rows(part: str, before: Any, after: Any) -> Iterator[Change]:
    old, new = _by_identity(part, before), _by_identity(part, after)
    for key in {**old, **new}:
        row = {name: value for name, value in zip(_SAME[part], key, strict=False) if value}
        gone, come = old.get(key), new.get(key)
        if gone is None or come is None:
            yield Change("", gone, come, part, row)
            continue
        for name in {**gone, **come}:
            if gone.get(name) != come.get(name):
                yield Change(name, gone.get(name), come.get(name), part, row)


def _by_identity(part: str, rows: Any) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in _SAME[part])
        # Several rows of one kind are told apart by their order.
        number = 0
        while (*key, number) in found:
            number += 1
        found[*key, number] = row
    return found
