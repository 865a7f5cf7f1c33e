"""Questions about findings, asked inside a tenant's scope.

``within`` are the paths of the organizations that the user may see with all that is below
them; asking about others raises :class:`NotVisible`.  ``packs`` are the installed packs by
id (:attr:`guiju.plugins.Plugins.packs`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import orm

from guiju.rules.pack import Pack
from guiju.scoring.results import (
    AttentionPage,
    Explanation,
    FindingView,
    OrganizationGrid,
    Overview,
    Standing,
)

Packs = Mapping[str, Pack]


def standing(session: orm.Session) -> Standing:
    """How fresh the tenant's findings are."""
    raise NotImplementedError


def overview(
    session: orm.Session,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
) -> Overview:
    """Counts by verdict of an organization and all below it; ``year`` is the last by default."""
    raise NotImplementedError


def organization_grid(
    session: orm.Session,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
) -> OrganizationGrid:
    """Requirement × period of one organization; members' exceptions only in a restricted scope."""
    raise NotImplementedError


def findings(
    session: orm.Session,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
) -> list[FindingView]:
    """The stored findings of one organization in order of the pack, all years by default."""
    raise NotImplementedError


def explain(
    session: orm.Session,
    packs: Packs,
    organization_id: int,
    requirement: str,
    *,
    within: Sequence[str],
    part: str | None = None,
    subject: tuple[str, str] | None = None,
    period: str | None = None,
) -> Explanation:
    """Judge one organization's requirement afresh and say why.

    ``subject`` is its type and code, by default the organization itself.
    """
    raise NotImplementedError


def attention(
    session: orm.Session,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    verdicts: Collection[str] = (),
    requirement: str | None = None,
    due_until: date | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> AttentionPage:
    """What is not simply met in an organization and below it, soonest due first."""
    raise NotImplementedError
