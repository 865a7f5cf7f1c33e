"""Counts of a subtree by what its organizations are: kind and sector."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.scoring import views
from guiju.scoring.models import OrganizationFindings, RecordFindings
from guiju.scoring.results import Counts


@dataclass(frozen=True)
class Part:
    """Organizations of one kind and sector: how many they are, and their findings."""

    kind: str
    #: Empty where the organization's own entry names none.
    sector: str | None
    units: int
    counts: Counts


def breakdown(session: AnySession, path: str, years: Collection[int]) -> list[Part]:
    """The findings stored at and below ``path`` in some years, by kind and sector."""
    organization = Organization.__table__
    units: dict[tuple[str, str | None], set[int]] = {}
    sums: dict[tuple[str, str | None], list[int]] = {}
    for model in (OrganizationFindings, RecordFindings):
        table = model.__table__
        size = len(views.GRAVEST_FIRST)
        totals = [sa.func.sum(table.c.totals[at + 1]) for at in range(size)]
        answering = sa.func.array_agg(sa.distinct(table.c.organization_id))
        rows = session.execute(
            sa.select(organization.c.kind, organization.c.sector, answering, *totals)
            .join(
                organization,
                sa.and_(
                    organization.c.tenant_id == table.c.tenant_id,
                    organization.c.id == table.c.organization_id,
                ),
            )
            .where(within(table.c.path, path), table.c.year.in_(years))
            .group_by(organization.c.kind, organization.c.sector)
        )
        for kind, sector, answerable, *numbers in rows:
            key = kind, sector
            units.setdefault(key, set()).update(answerable)
            known = sums.setdefault(key, [0] * size)
            sums[key] = [a + int(b or 0) for a, b in zip(known, numbers, strict=True)]
    order = sorted(sums, key=lambda key: (key[0], key[1] or ""))
    return [Part(*key, len(units[key]), views.as_counts(sums[key])) for key in order]
