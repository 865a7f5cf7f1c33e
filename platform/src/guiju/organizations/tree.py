"""The tree as paths: ``/1/17/203/`` are the numbers from the root to the organization."""

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization

_REBUILD = sa.text("""
WITH RECURSIVE tree AS (
    SELECT tenant_id, id, ('/' || id || '/') COLLATE "C" AS path
    FROM organizations
    WHERE tenant_id = :tenant AND parent_id IS NULL
    UNION ALL
    SELECT o.tenant_id, o.id, (t.path || o.id || '/') COLLATE "C"
    FROM organizations o
    JOIN tree t ON t.tenant_id = o.tenant_id AND t.id = o.parent_id
)
UPDATE organizations o SET path = t.path
FROM tree t
WHERE t.tenant_id = o.tenant_id AND t.id = o.id AND o.path IS DISTINCT FROM t.path
""")

# Text in byte order: the character after "/" ends the range of paths that begin alike.
_AFTER_SLASH = "0"


def within(column: sa.ColumnElement[str], path: str) -> sa.ColumnElement[bool]:
    """Whether a path is ``path`` or lies below it.

    A range, because row-level security denies ``LIKE`` the index.
    """
    return sa.and_(column >= path, column < path[:-1] + _AFTER_SLASH)


def rebuild_paths(session: AnySession) -> list[str]:
    """Set every path to what the parents say.

    Returns the codes of organizations in a circle, which no way leads to from the root;
    the caller refuses them.
    """
    session.execute(_REBUILD, {"tenant": current_tenant_id()})
    parent = orm.aliased(Organization)
    below = sa.func.concat(parent.path, Organization.id, "/")
    return list(
        session.scalars(
            sa.select(Organization.code)
            .join(
                parent,
                sa.and_(
                    parent.tenant_id == Organization.tenant_id,
                    parent.id == Organization.parent_id,
                ),
            )
            .where(Organization.path != below)
            .order_by(Organization.code)
        )
    )
