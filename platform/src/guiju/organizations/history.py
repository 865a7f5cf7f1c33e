"""What became of a unit over time: its names, its successors, what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from guiju.db.arrays import any_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.models import ChangedUnit, FormerName, Organization, OrganizationChange

_DAY = timedelta(days=1)


def kind_label(kind: str) -> str:
    """What a kind of change is called."""
    return {
        "create": _("新设"),
        "rename": _("更名"),
        "close": _("撤销"),
        "reopen": _("恢复"),
        "move": _("调整上级"),
        "merge": _("合并"),
        "split": _("拆分"),
    }[kind]


@dataclass(frozen=True)
class Unit:
    """A unit that a change concerned; ``part`` as :data:`guiju.organizations.models.PARTS`."""

    organization_id: int
    code: str
    name: str
    path: str
    part: str


@dataclass(frozen=True)
class Change:
    """Something done to the tree."""

    id: int
    kind: str
    effective_on: date
    made_at: datetime
    made_by: str
    undone_at: datetime | None
    undone_by: str | None
    units: Sequence[Unit]
    #: Of a renaming, the names before and after.
    old_name: str | None
    new_name: str | None


def changes(session: AnySession, organization_id: int, *, limit: int = 50) -> list[Change]:
    """What was done to an organization, the latest first.

    Names of the other units concerned are in it, whoever may see them: leave out those that
    the reader may not.
    """
    mine = sa.select(ChangedUnit.change_id).where(
        ChangedUnit.tenant_id == current_tenant_id(),
        ChangedUnit.organization_id == organization_id,
    )
    rows = session.scalars(
        sa.select(OrganizationChange)
        .where(OrganizationChange.tenant_id == current_tenant_id(), OrganizationChange.id.in_(mine))
        .order_by(OrganizationChange.id.desc())
        .limit(limit)
    ).all()
    return _described(session, rows)


def change(session: AnySession, change_id: int) -> Change | None:
    """One change; None if there is none of this number."""
    rows = session.scalars(
        sa.select(OrganizationChange).where(
            OrganizationChange.tenant_id == current_tenant_id(),
            OrganizationChange.id == change_id,
        )
    ).all()
    return next(iter(_described(session, rows)), None)


def _described(session: AnySession, rows: Sequence[OrganizationChange]) -> list[Change]:
    found: dict[int, list[Unit]] = {}
    for row in session.execute(
        sa.select(
            ChangedUnit.change_id,
            Organization.id,
            Organization.code,
            Organization.name,
            Organization.path,
            ChangedUnit.part,
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == ChangedUnit.tenant_id,
                Organization.id == ChangedUnit.organization_id,
            ),
        )
        .where(
            ChangedUnit.tenant_id == current_tenant_id(),
            any_of(ChangedUnit.change_id, [row.id for row in rows]),
        )
        .order_by(ChangedUnit.id)
    ):
        found.setdefault(row.change_id, []).append(Unit(*row[1:]))
    return [
        Change(
            row.id,
            row.kind,
            row.effective_on,
            row.made_at,
            row.made_by,
            row.undone_at,
            row.undone_by,
            found.get(row.id, []),
            row.before.get("name"),
            row.before.get("after"),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class EarlierName:
    """A name and the last day on which it was one's own."""

    name: str
    until_on: date


def earlier_names(session: AnySession, organization_id: int) -> list[EarlierName]:
    """The names that an organization had, the latest first."""
    rows = session.execute(
        sa.select(FormerName.name, FormerName.until_on)
        .where(
            FormerName.tenant_id == current_tenant_id(),
            FormerName.organization_id == organization_id,
        )
        .order_by(FormerName.until_on.desc())
    )
    return [EarlierName(*row) for row in rows]


def name_on(organization: Any, day: date | sa.BindParameter[date]) -> sa.ScalarSelect[str]:
    """The name on a day of a row of organizations that has another now; null for the others."""
    return (
        sa.select(FormerName.name)
        .where(
            FormerName.tenant_id == organization.c.tenant_id,
            FormerName.organization_id == organization.c.id,
            FormerName.until_on >= day,
        )
        # The first that was still in use.
        .order_by(FormerName.until_on)
        .limit(1)
        .correlate(organization)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class Successor:
    """The unit that went on where another ended."""

    organization_id: int
    name: str
    path: str
    since_on: date


def successors(session: AnySession, organization_id: int) -> list[Successor]:
    """Who goes on with what an organization was, by mergers and splits that hold."""
    mine, others = sa.orm.aliased(ChangedUnit), sa.orm.aliased(ChangedUnit)
    rows = session.execute(
        sa.select(
            Organization.id, Organization.name, Organization.path, OrganizationChange.effective_on
        )
        .select_from(mine)
        .join(
            OrganizationChange,
            sa.and_(
                OrganizationChange.tenant_id == mine.tenant_id,
                OrganizationChange.id == mine.change_id,
            ),
        )
        .join(
            others,
            sa.and_(others.tenant_id == mine.tenant_id, others.change_id == mine.change_id),
        )
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == others.tenant_id,
                Organization.id == others.organization_id,
            ),
        )
        .where(
            mine.tenant_id == current_tenant_id(),
            mine.organization_id == organization_id,
            mine.part == "source",
            others.part.in_(("target", "made")),
            OrganizationChange.undone_at.is_(None),
        )
        .order_by(OrganizationChange.effective_on, Organization.path)
    )
    return [Successor(*row) for row in rows]
