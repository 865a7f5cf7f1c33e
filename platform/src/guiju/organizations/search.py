"""Finding organizations by a part of their name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import within


@dataclass(frozen=True)
class Found:
    """An organization, with the name of the one above it."""

    organization_id: int
    code: str
    name: str
    kind: str
    superior: str | None


def find(session: AnySession, text: str, paths: Sequence[str], *, limit: int) -> list[Found]:
    """Organizations at and below ``paths`` whose name contains ``text``, or whose code it is.

    Those whose name begins with it come first.
    """
    above = orm.aliased(Organization)
    path = Organization.__table__.c.path
    # Not LIKE: what people type is not a pattern.
    place = sa.func.strpos(Organization.name, text)
    rows = session.execute(
        sa.select(
            Organization.id, Organization.code, Organization.name, Organization.kind, above.name
        )
        .outerjoin(
            above,
            sa.and_(above.tenant_id == Organization.tenant_id, above.id == Organization.parent_id),
        )
        .where(
            Organization.tenant_id == current_tenant_id(),
            sa.or_(sa.false(), *(within(path, top) for top in paths)),
            sa.or_(place > 0, Organization.code == text),
        )
        .order_by(place, path)
        .limit(limit)
    )
    return [Found(*row) for row in rows]
