"""What has to be judged again, and whose facts that takes.

A mark says whose records changed.  Whom else that concerns follows from the rules: the
groups of a branch and the branch of a group, what is below a superior, the superiors above.
Superiors are judged after the others, once for many changes, because their verdicts may
rest on everybody below.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.organizations.models import DirtyMark, Organization
from guiju.rules.checks import Footprint
from guiju.scoring import bulk
from guiju.scoring.reader import Ids

#: Reason of the marks of superiors that wait until what is below them has been judged.
BELOW = "scoring.below"
#: Up to this many organizations, a tenant is read and judged whole.
SMALL = 500
#: How many organizations are judged at a time.
CHUNK = 25_000

Mask = NDArray[np.bool_]
_UPWARD = Footprint.SUBORDINATES | Footprint.TENANT


class Tree:
    """The tenant's organizations in the order of their paths."""

    def __init__(self, ids: Ids, parents: Ids, paths: list[str], groups: Mask) -> None:
        """``parents`` are numbers, 0 at the top; ``groups`` says which are Party groups."""
        self.ids = ids
        self.groups = groups
        order = np.argsort(ids)
        place = np.searchsorted(ids[order], parents)
        known = parents > 0
        self.parent = np.full(len(ids), -1, dtype=np.int64)
        self.parent[known] = order[place[known]]
        #: One past the last organization below each: a subtree is a range.
        self.end = _ends(paths)
        #: Organizations with others than Party groups below them.
        self.superiors = np.zeros(len(ids), dtype=np.bool_)
        self.superiors[self.parent[known & ~groups]] = True

    def mask(self, organizations: Iterable[int]) -> Mask:
        """Organizations by number."""
        return np.isin(self.ids, np.fromiter(organizations, dtype=np.int64))

    def below(self, which: Mask) -> Mask:
        """These and everything below them."""
        steps = np.zeros(len(self.ids) + 1, dtype=np.int64)
        at = np.flatnonzero(which)
        np.add.at(steps, at, 1)
        np.add.at(steps, self.end[at], -1)
        return np.cumsum(steps)[:-1] > 0

    def above(self, which: Mask) -> Mask:
        """Everything above these, themselves only if above another."""
        found = np.zeros(len(self.ids), dtype=np.bool_)
        current = np.unique(self.parent[which])
        while len(current := current[current >= 0]):
            found[current] = True
            current = np.unique(self.parent[current])
        return found

    def with_groups(self, which: Mask) -> Mask:
        """These, their Party groups, and the branches of those that are groups."""
        found = which.copy()
        found[self.parent[which & self.groups & (self.parent >= 0)]] = True
        children = self.groups & (self.parent >= 0)
        found |= children & found[self.parent]
        return found


def _ends(paths: list[str]) -> NDArray[np.int64]:
    """For paths in order, where the range of those below each one ends."""
    ends = np.empty(len(paths), dtype=np.int64)
    open_: list[int] = []
    for number, path in enumerate(paths):
        while open_ and not path.startswith(paths[open_[-1]]):
            ends[open_.pop()] = number
        open_.append(number)
    ends[open_] = len(paths)
    return ends


@dataclass(frozen=True)
class Task:
    """One step of judging: these organizations, from the facts of those (None: of all)."""

    judged: Ids | None
    read: Ids | None
    superiors: bool


@dataclass(frozen=True)
class Plan:
    """What is to be done about the marks that there are.

    ``marks`` are the numbers of the marks that it answers; ``waiting`` the superiors to mark in
    their stead.
    """

    tasks: list[Task]
    marks: list[int]
    waiting: list[int]
    total: int
    complete: bool


def plan(connection: adbc.Connection, footprint: Footprint, *, complete: bool) -> Plan | None:
    """What to judge: everything if ``complete``, else what is marked; None if that is nothing."""
    marks = _marks(connection)
    if not complete and not marks.num_rows:
        return None
    tree = read_tree(connection)
    numbers = marks["id"].to_pylist()
    own = marks.filter(pc.not_equal(marks["reason"], BELOW))
    if complete:
        return _whole(tree, numbers)
    if not own.num_rows:
        return _upper(tree, tree.mask(marks["organization_id"].to_pylist()), numbers)
    changed = _widened(tree, own, footprint)
    if bool(changed.all()) or len(tree.ids) <= SMALL:
        return _whole(tree, numbers)
    lower = changed & ~tree.superiors
    upper = (changed & tree.superiors) | (
        tree.above(changed) if footprint & _UPWARD else np.zeros_like(changed)
    )
    if not bool(lower.any()):
        return _upper(tree, upper | tree.mask(_waiting(marks)), numbers)
    read = tree.with_groups(lower)
    read |= tree.above(read)
    return Plan(
        _chunks(tree, lower, read_all=int(read.sum()) > len(tree.ids) // 2),
        own["id"].to_pylist(),
        tree.ids[upper & ~tree.mask(_waiting(marks))].tolist(),
        int(lower.sum()),
        complete=False,
    )


def _marks(connection: adbc.Connection) -> pa.Table:
    mark = DirtyMark.__table__
    names = ("id", "organization_id", "subtree", "reason")
    return bulk.query(
        connection,
        sa.select(*(mark.c[name] for name in names)).where(mark.c.tenant_id == bulk.tenant()),
    )


def _waiting(marks: pa.Table) -> list[int]:
    """Superiors that wait already."""
    found: list[int] = marks.filter(pc.equal(marks["reason"], BELOW))["organization_id"].to_pylist()
    return found


def read_tree(connection: adbc.Connection) -> Tree:
    """The tenant's tree as it is."""
    table = Organization.__table__
    rows = bulk.query(
        connection,
        sa.select(
            table.c.id,
            sa.func.coalesce(table.c.parent_id, 0).label("parent"),
            table.c.path,
            (table.c.kind == "party_group").label("is_group"),
        )
        .where(table.c.tenant_id == bulk.tenant())
        .order_by(table.c.path),
    )
    return Tree(
        rows["id"].to_numpy(),
        rows["parent"].to_numpy(),
        rows["path"].to_pylist(),
        rows["is_group"].combine_chunks().to_numpy(zero_copy_only=False),
    )


def _widened(tree: Tree, marks: pa.Table, footprint: Footprint) -> Mask:
    """The organizations whose own verdicts may change."""
    organizations = marks["organization_id"].to_pylist()
    subtree = marks["subtree"].to_pylist()
    changed = tree.mask(organizations)
    roots = tree.mask(o for o, whole in zip(organizations, subtree, strict=True) if whole)
    changed |= tree.below(roots)
    if footprint & Footprint.SUPERIORS:
        changed |= tree.below(changed & tree.superiors)
    if footprint & Footprint.GROUPS:
        changed |= tree.with_groups(changed)
    return changed


def _whole(tree: Tree, marks: list[int]) -> Plan:
    size = len(tree.ids)
    if size <= CHUNK:
        return Plan([Task(None, None, superiors=True)], marks, [], size, complete=True)
    lower = _chunks(tree, ~tree.superiors, read_all=False)
    upper = Task(tree.ids[tree.superiors], tree.ids[tree.superiors], superiors=True)
    return Plan([*lower, upper], marks, [], size, complete=True)


def _upper(tree: Tree, superiors: Mask, marks: list[int]) -> Plan:
    read = tree.with_groups(superiors) | tree.above(superiors)
    task = Task(tree.ids[superiors], tree.ids[read], superiors=True)
    return Plan([task], marks, [], int(superiors.sum()), complete=False)


def _chunks(tree: Tree, lower: Mask, *, read_all: bool) -> list[Task]:
    """Tasks of at most CHUNK organizations each."""
    at = np.flatnonzero(lower)
    tasks = []
    for begin in range(0, len(at), CHUNK):
        here = np.zeros_like(lower)
        here[at[begin : begin + CHUNK]] = True
        read = tree.with_groups(here)
        read |= tree.above(read)
        tasks.append(Task(tree.ids[here], None if read_all else tree.ids[read], superiors=False))
    return tasks
