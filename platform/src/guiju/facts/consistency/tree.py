"""The organization tree: every unit hangs from a root, not too far from it."""

from __future__ import annotations

import numpy as np

from guiju.facts import limits
from guiju.facts.consistency.base import Array, Checked
from guiju.language import gettext as _


def check(checked: Checked) -> bool:
    """Report cycles and trees too deep; True if there are none."""
    parents = checked.facts["organizations"]["parent"]
    rising = np.arange(len(parents))
    for _level in range(limits.TREE_DEPTH):
        rising = np.where(rising < 0, -1, parents[rising]) if len(parents) else rising
    deep = np.flatnonzero(rising >= 0)
    if not len(deep):
        return True
    seen: set[int] = set()
    cycles = [cycle for row in deep.tolist() if (cycle := _cycle_above(row, parents, seen))]
    names = checked.table("organizations")["id"]
    routes = {min(cycle): [str(names[row]) for row in _from_least(cycle)] for cycle in cycles}
    checked.report(
        "organizations",
        "parent",
        sorted(routes),
        lambda row: (
            _("上下级成了一个圈：{route}").format(route=" → ".join(_shortened(routes[row]))),
            _("上级组织应一直通到最上级"),
        ),
        "cycle",
    )
    if not cycles:
        checked.report(
            "organizations",
            "parent",
            deep,
            lambda _row: (
                _("上面有 {most} 级以上").format(most=limits.TREE_DEPTH),
                _("组织至多 {most} 级").format(most=limits.TREE_DEPTH),
            ),
            "tree_too_deep",
        )
    return False


def _cycle_above(row: int, parents: Array, seen: set[int]) -> list[int]:
    """The cycle that the ways up from ``row`` end in, unless some earlier way has met it."""
    way: dict[int, int] = {}
    while row >= 0 and row not in seen:
        seen.add(row)
        way[row] = len(way)
        row = int(parents[row])
    if row not in way:
        return []
    return list(way)[way[row] :]


def _from_least(cycle: list[int]) -> list[int]:
    """The cycle from its first row in the document round to the same."""
    start = cycle.index(min(cycle))
    return [*cycle[start:], *cycle[:start], cycle[start]]


def _shortened(route: list[str]) -> list[str]:
    return route if len(route) <= 12 else [*route[:6], "…", *route[-5:]]
