"""Counts of a subtree by what its organizations are: kind and sector."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.rules.findings import VERDICT_CODES
from guiju.scoring import views
from guiju.scoring.models import OrganizationFindings, RecordFindings
from guiju.scoring.results import Counts


@dataclass(frozen=True)
class Part:
    """Organizations of one kind and sector: how many they are, and their findings."""

    kind: str
    #: The organization's own sector, or the nearest superior's; empty where none has one.
    sector: str | None
    units: int
    counts: Counts


def breakdown(session: AnySession, path: str, years: Collection[int]) -> list[Part]:
    """The findings stored at and below ``path`` in some years, by kind and sector."""
    stored = sa.union_all(
        *(
            sa.select(
                table.c.tenant_id,
                table.c.organization_id,
                table.c.totals,
                table.c.late if "late" in table.c else sa.literal(0).label("late"),
            ).where(within(table.c.path, path), table.c.year.in_(years))
            for table in (OrganizationFindings.__table__, RecordFindings.__table__)
        )
    ).subquery("stored")
    names = [f"n{at}" for at in range(len(VERDICT_CODES))]
    each = (
        sa.select(
            stored.c.tenant_id,
            stored.c.organization_id,
            *(sa.func.sum(stored.c.totals[at + 1]).label(name) for at, name in enumerate(names)),
            sa.func.sum(stored.c.late).label("late"),
        )
        .group_by(stored.c.tenant_id, stored.c.organization_id)
        .subquery("each")
    )
    organization = Organization.__table__
    sector = _sector(organization)
    rows = session.execute(
        sa.select(
            organization.c.kind,
            sector.label("sector_held"),
            sa.func.count(),
            *(sa.func.sum(each.c[name]) for name in [*names, "late"]),
        )
        .select_from(each)
        .join(
            organization,
            sa.and_(
                organization.c.tenant_id == each.c.tenant_id,
                organization.c.id == each.c.organization_id,
            ),
        )
        .group_by(organization.c.kind, sa.column("sector_held"))
        .order_by(organization.c.kind, sa.column("sector_held"))
    )
    return [
        Part(kind, found, units, views.as_counts(numbers, late))
        for kind, found, units, *numbers, late in rows
    ]


def _sector(organization: sa.Table) -> sa.ColumnElement[str | None]:
    """The sector that holds for an organization: a path names its superiors by number."""
    above = organization.alias("above")
    steps = sa.func.string_to_array(sa.func.trim(organization.c.path, "/"), "/")
    nearest = (
        sa.select(above.c.sector)
        .where(
            above.c.tenant_id == organization.c.tenant_id,
            above.c.id == sa.any_(sa.cast(steps, ARRAY(sa.BigInteger))),
            above.c.sector.is_not(None),
        )
        .order_by(sa.func.length(above.c.path).desc())
        .limit(1)
        .correlate(organization)
        .scalar_subquery()
    )
    # Most have one of their own, and nothing above them is looked up.
    return sa.func.coalesce(organization.c.sector, nearest)
