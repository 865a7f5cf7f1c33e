"""What has to be judged again, and whose facts that takes.

A mark says whose records changed.  Whom else that concerns follows from the rules: the
groups of a branch and the branch of a group, what is below a superior, the superiors above.
Superiors are judged after the others, once for many changes, because their verdicts may
rest on everybody below: of a large tenant once a minute, when the sweep comes by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.activities.models import Occasion
from guiju.db.arrays import any_of
from guiju.db.session import AnySession
from guiju.organizations.models import DirtyMark, Organization
from guiju.rules.checks.base import Footprint
from guiju.scoring import bulk
from guiju.scoring.reader import Ids

#: Reason of the marks of superiors that wait until what is below them has been judged.
BELOW = "scoring.below"
#: Up to this many organizations, a tenant is read and judged whole.
SMALL = 500
#: How many organizations are judged at a time.
CHUNK = 40_000

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Reach:
    """Whom a change may concern.

    ``tenant_wide`` are the tables with which any change concerns everybody (beside the
    tree and the settings, which may do so in any case).
    """

    footprint: Footprint
    tenant_wide: frozenset[str]

    def everybody(self, marks: pa.Table) -> bool:
        """Whether these changes may concern every organization."""
        if not self.footprint & Footprint.TENANT:
            return False
        of_the_tree = any(
            reason.startswith("organization.") for reason in marks["reason"].to_pylist()
        )
        return bool(self.tenant_wide) or of_the_tree or any(marks["subtree"].to_pylist())


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


def plan(
    connection: adbc.Connection, reach: Reach, *, complete: bool, settle: bool = True
) -> Plan | None:
    """What to judge: everything if ``complete``, else what is marked; None if that is nothing.

    Without ``settle``, superiors that only wait for what is below them go on waiting.
    """
    marks = _marks(connection)
    if not complete and not marks.num_rows:
        return None
    tree = read_tree(connection)
    numbers = marks["id"].to_pylist()
    own = marks.filter(pc.not_equal(marks["reason"], BELOW))
    if complete:
        return _whole(tree, numbers, _partners(connection, reach.footprint))
    if not own.num_rows and not settle:
        return None
    if not own.num_rows:
        return _upper(tree, tree.mask(marks["organization_id"].to_pylist()), numbers)
    partners = _partners(connection, reach.footprint)
    changed = _widened(tree, own, reach.footprint, partners)
    if bool(changed.all()) or len(tree.ids) <= SMALL or reach.everybody(own):
        return _whole(tree, numbers, partners)
    lower, upper = changed & ~tree.superiors, changed & tree.superiors
    if reach.footprint & Footprint.SUBORDINATES:
        upper |= tree.above(changed)
    if not bool(lower.any()):
        return _upper(tree, upper | tree.mask(_waiting(marks)), numbers)
    return Plan(
        _chunks(tree, lower, partners),
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


def _partners(connection: adbc.Connection, footprint: Footprint) -> pa.Table | None:
    """Pairs of organizations that hold occasions together, if verdicts rest on that."""
    if not footprint & Footprint.PARTNERS:
        return None
    pairs = _merged_occasions()
    return bulk.query(connection, pairs.where(pairs.selected_columns.tenant_id == bulk.tenant()))


def partners_of(session: AnySession, organizations: Collection[int]) -> set[int]:
    """Those who hold occasions together with some organizations, and their superiors."""
    pairs = _merged_occasions().subquery()
    near = sa.select(pairs.c.one, pairs.c.other).where(
        sa.or_(any_of(pairs.c.one, organizations), any_of(pairs.c.other, organizations))
    )
    found = {number for pair in session.execute(near) for number in pair}
    paths = session.scalars(sa.select(Organization.path).where(any_of(Organization.id, found)))
    return {int(step) for path in paths for step in path.strip("/").split("/")}


def _merged_occasions() -> sa.Select[Any]:
    one, other = Occasion.__table__.alias(), Occasion.__table__.alias()
    return sa.select(
        one.c.tenant_id,
        one.c.organization_id.label("one"),
        other.c.organization_id.label("other"),
    ).join(
        other,
        sa.and_(other.c.tenant_id == one.c.tenant_id, other.c.id == sa.any_(one.c.merged_with_ids)),
    )


def _with_partners(tree: Tree, which: Mask, partners: pa.Table | None) -> Mask:
    if partners is None or not partners.num_rows:
        return which
    ids = tree.ids[which]
    one, other = partners["one"].to_numpy(), partners["other"].to_numpy()
    near = np.concatenate([other[np.isin(one, ids)], one[np.isin(other, ids)]])
    return which | np.isin(tree.ids, near)


def _widened(tree: Tree, marks: pa.Table, footprint: Footprint, partners: pa.Table | None) -> Mask:
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
    return _with_partners(tree, changed, partners)


def _whole(tree: Tree, marks: list[int], partners: pa.Table | None) -> Plan:
    size = len(tree.ids)
    if size <= CHUNK:
        return Plan([Task(None, None, superiors=True)], marks, [], size, complete=True)
    lower = _chunks(tree, ~tree.superiors, partners)
    upper = Task(tree.ids[tree.superiors], tree.ids[tree.superiors], superiors=True)
    return Plan([*lower, upper], marks, [], size, complete=True)


def _upper(tree: Tree, superiors: Mask, marks: list[int]) -> Plan:
    read = tree.with_groups(superiors) | tree.above(superiors)
    task = Task(tree.ids[superiors], tree.ids[read], superiors=True)
    return Plan([task], marks, [], int(superiors.sum()), complete=False)


def _chunks(tree: Tree, lower: Mask, partners: pa.Table | None) -> list[Task]:
    """Tasks of at most CHUNK organizations each."""
    at = np.flatnonzero(lower)
    tasks = []
    for begin in range(0, len(at), CHUNK):
        here = np.zeros_like(lower)
        here[at[begin : begin + CHUNK]] = True
        read = tree.with_groups(_with_partners(tree, tree.with_groups(here), partners))
        read |= tree.above(read)
        # One sweep over everything is quicker than looking up most of it.
        whole = int(read.sum()) > len(tree.ids) // 2
        tasks.append(Task(tree.ids[here], None if whole else tree.ids[read], superiors=False))
    return tasks
