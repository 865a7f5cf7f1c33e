"""One level of the tree at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization

#: So many units of one level are listed; others are found by their name.
MOST = 500


@dataclass(frozen=True)
class Child:
    """A unit with the number of units directly below it."""

    organization_id: int
    code: str
    name: str
    kind: str
    path: str
    closed_on: date | None
    below: int


def children(
    session: AnySession, organization_id: int, on: date, *, closed: bool = False
) -> list[Child]:
    """The units directly below one, by name; with ``closed`` those that are no more as well."""
    child, lower = Organization, orm.aliased(Organization)

    def there(unit: type[Organization]) -> sa.ColumnElement[bool]:
        return sa.true() if closed else sa.or_(unit.closed_on.is_(None), unit.closed_on >= on)

    below = (
        sa.select(sa.func.count())
        .where(lower.tenant_id == child.tenant_id, lower.parent_id == child.id, there(lower))
        .correlate(child)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(child.id, child.code, child.name, child.kind, child.path, child.closed_on, below)
        .where(
            child.tenant_id == current_tenant_id(),
            child.parent_id == organization_id,
            there(child),
        )
        .order_by(child.name, child.id)
        .limit(MOST)
    )
    return [Child(*row) for row in rows]
