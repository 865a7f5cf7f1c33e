"""Imports that were made, asked inside a tenant's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.importing.models import Import
from guiju.organizations.models import Organization
from guiju.organizations.tree import within


@dataclass(frozen=True)
class ImportSummary:
    """An import as lists show it."""

    id: int
    job_id: int | None
    organization_id: int
    organization: str
    path: str
    name: str
    digest: str
    made_at: datetime
    made_by: str
    #: New and changed rows by table.
    inserted: Mapping[str, int]
    updated: Mapping[str, int]
    undone_at: datetime | None
    undone_by: str | None


def imports(
    session: AnySession,
    paths: Sequence[str],
    *,
    import_id: int | None = None,
    job_id: int | None = None,
    limit: int = 50,
) -> list[ImportSummary]:
    """Imports into parts of the tree at and below ``paths``, the latest first."""
    path = Organization.__table__.c.path
    conditions = [
        Import.tenant_id == current_tenant_id(),
        sa.or_(sa.false(), *(within(path, top) for top in paths)),
    ]
    if import_id is not None:
        conditions.append(Import.id == import_id)
    if job_id is not None:
        conditions.append(Import.job_id == job_id)
    rows = session.execute(
        sa.select(
            Import.id,
            Import.job_id,
            Import.organization_id,
            Organization.name,
            Organization.path,
            Import.name,
            Import.digest,
            Import.made_at,
            Import.made_by,
            Import.inserted,
            Import.updated,
            Import.undone_at,
            Import.undone_by,
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Import.tenant_id,
                Organization.id == Import.organization_id,
            ),
        )
        .where(*conditions)
        .order_by(Import.id.desc())
        .limit(limit)
    )
    return [ImportSummary(*row) for row in rows]
