"""The tree as paths: ``/1/17/203/`` are the numbers from the root to the organization."""

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from guiju.db.arrays import any_of
from guiju.db.copying import copy_out
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization

Numbers = NDArray[np.int64]

#: Levels below the root; a province has some eight.
MOST_LEVELS = 20

# Text in byte order: the character after "/" ends the range of paths that begin alike.
_AFTER_SLASH = "0"


def within(column: sa.ColumnElement[str], path: str) -> sa.ColumnElement[bool]:
    """Whether a path is ``path`` or lies below it.

    A range, because row-level security denies ``LIKE`` the index.
    """
    return sa.and_(column >= path, column < path[:-1] + _AFTER_SLASH)


def is_top(path: str) -> bool:
    """Whether a path is that of the top of a tree."""
    return path.count("/") == 2


def above(path: str) -> str | None:
    """The path of the superior; None above the root."""
    upper = path[: path.rindex("/", 0, -1) + 1]
    return None if upper == "/" else upper


class TooDeep(ValueError):
    """Organizations hang more levels below the root than a tree has; ``codes`` are some."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


def rebuild_paths(session: AnySession) -> list[str]:
    """Set every path to what the parents say.

    Returns the codes of organizations in a circle, which no way leads to from the root;
    the caller refuses them.  Raises ``TooDeep``.
    """
    # Level by level in columns: a query that climbs has no statistics to be planned by when
    # the whole tree has just been brought.
    table = Organization.__table__
    found = copy_out(
        session,
        sa.select(table.c.id, table.c.parent_id, table.c.path).order_by(table.c.id),
        {"id": pa.int64(), "parent_id": pa.int64(), "path": pa.string()},
    )
    ids = found["id"].to_numpy()
    superior = found["parent_id"].combine_chunks()
    is_root = np.asarray(superior.is_null())
    parent = np.searchsorted(ids, superior.fill_null(0).to_numpy())
    names = np.array([f"{number}/" for number in ids.tolist()], dtype=np.object_)
    paths = np.where(is_root, "/" + names, "")
    settled = is_root.copy()
    for _level in range(MOST_LEVELS):
        reached = ~settled & settled[parent]
        if not reached.any():
            break
        paths[reached] = paths[parent[reached]] + names[reached]
        settled |= reached
    if not settled.all():
        return _unsettled(session, ids, parent, settled)
    changed = np.flatnonzero(paths != np.array(found["path"].to_pylist(), dtype=np.object_))
    if len(changed):
        session.execute(
            _SET_PATHS,
            {
                "tenant": current_tenant_id(),
                "ids": ids[changed].tolist(),
                "paths": paths[changed].tolist(),
            },
        )
    return []


_SET_PATHS = sa.text("""
UPDATE organizations o SET path = new.path
FROM unnest(CAST(:ids AS bigint[]), CAST(:paths AS text[])) AS new (id, path)
WHERE o.tenant_id = :tenant AND o.id = new.id
""")


def _unsettled(
    session: AnySession, ids: Numbers, parent: Numbers, settled: NDArray[np.bool_]
) -> list[str]:
    """The codes in a circle, or whatever leads to one; raises ``TooDeep`` where none is."""
    rising = np.arange(len(ids))
    # Whoever is in no circle has come to a settled one after so many doublings.
    for _doubling in range(len(ids).bit_length() + 1):
        parent = np.where(settled, np.arange(len(ids)), parent)
        rising = parent[rising]
        parent = parent[parent]
    circle = ~settled[rising]
    wanted = ids[~settled & (circle if circle.any() else True)]
    codes = list(
        session.scalars(
            sa.select(Organization.code)
            .where(any_of(Organization.id, wanted.tolist()))
            .order_by(Organization.code)
        )
    )
    if not circle.any():
        raise TooDeep(codes)
    return codes
