"""Making a report: read the records of a subtree, judge them, let the plugin render."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date

import numpy as np
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from sqlalchemy import orm

from guiju.hookspecs import ReportFormat, ReportRequest
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.rules import tables
from guiju.rules.engine import evaluate
from guiju.rules.findings import Findings
from guiju.rules.pack import Pack
from guiju.scoring import profiles, reader


def render(
    session: orm.Session,
    connection: adbc.Connection,
    packs: Mapping[str, Pack],
    format_: ReportFormat,
    organization_id: int,
    as_of: date,
    *,
    requested_by: str = "",
) -> bytes:
    """The finished file of one organization with everything below it.

    Inside a tenant's scope; ``connection`` is that of :func:`guiju.db.arrow_connection`.
    Disciplinary matters are not read: no report format shows them.
    """
    pack = packs[format_.profile]
    ids = _related(session, organization_id)
    snapshot = reader.read(connection, _columns(), packs, ids)
    facts = snapshot.facts
    blocks = []
    for assignment in profiles.assign(
        profiles.enabled_profiles(session, packs), snapshot.places, as_of
    ):
        if assignment.enabled.profile == pack.id and not assignment.over:
            blocks += evaluate(
                pack,
                facts,
                assignment.as_of,
                choices=assignment.enabled.choices,
                scope=assignment.scope,
                judge_from=assignment.judge_from,
                not_applicable=False,
                complete_after=profiles.complete_after(session),
            ).blocks
    (top,) = np.flatnonzero(facts.ids("organizations").to_numpy() == organization_id).tolist()
    out = io.BytesIO()
    format_.render(
        ReportRequest(pack, facts, Findings(facts, blocks), top, as_of, requested_by), out
    )
    return out.getvalue()


def _related(
    session: orm.Session, organization_id: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The organization, all below it, and its superiors (whose duties and sector it shares)."""
    path = session.scalars(
        sa.select(Organization.path).where(Organization.id == organization_id)
    ).one()
    below = session.scalars(
        sa.select(Organization.id).where(within(Organization.__table__.c.path, path))
    )
    above = [int(step) for step in path.strip("/").split("/")]
    return np.unique(np.array([*below, *above], dtype=np.int64))


def _columns() -> dict[str, set[str]]:
    """Every unrestricted table's columns: a report's subtree is small enough for all of them."""
    return {
        name: set(tables.columns(name))
        for name, table in tables.TABLES.items()
        if not table.restricted and name != "settings"
    }
