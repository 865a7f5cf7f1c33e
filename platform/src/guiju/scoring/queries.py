"""Questions about findings, asked inside a tenant's scope.

``within`` are the paths of the organizations that the user may see with all that is below
them; asking about others raises :class:`NotVisible`.  ``packs`` are the installed packs by
id (:attr:`guiju.plugins.Plugins.packs`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju.db.scope import current_tenant, current_tenant_id
from guiju.db.session import AnySession, once
from guiju.organizations import tree
from guiju.organizations.models import DirtyMark, Organization
from guiju.rules.pack import Choices, Pack, Part, Requirement
from guiju.scoring import attending, explaining, tallies, views
from guiju.scoring.models import (
    NO_YEAR,
    MemberFindings,
    OrganizationFindings,
    RecordFindings,
    Rollup,
    ScoringRun,
)
from guiju.scoring.naming import Names
from guiju.scoring.numbering import RuleKey, rule_keys
from guiju.scoring.profiles import enabled_profiles
from guiju.scoring.results import (
    AttentionPage,
    Explanation,
    FindingView,
    GridCell,
    GridRow,
    NotVisible,
    OrganizationGrid,
    Overview,
    PeriodCounts,
    Progress,
    RequirementCounts,
    Standing,
    Unit,
    UnitCounts,
)
from guiju.scoring.views import Law, Stored

Packs = Mapping[str, Pack]


# -- how fresh -------------------------------------------------------------------------


def standing(session: AnySession, within: Sequence[str] | None) -> Standing:
    """How fresh findings are, for who sees what is at or below the paths of ``within``.

    What waits elsewhere is nobody else's business, nor how much is judged at the moment: who
    does not see the whole tenant is told of progress while something of theirs waits, without
    numbers.  None is for who looks after the platform.
    """
    paths = None if within is None or any(map(tree.is_top, within)) else tuple(within)
    return once(session, (standing, paths), lambda: _standing(session, paths))


def _standing(session: AnySession, within: Sequence[str] | None) -> Standing:
    newest = sa.select(ScoringRun).order_by(ScoringRun.id.desc()).limit(1)
    last = session.scalars(newest).first()
    done = session.scalars(newest.where(ScoringRun.stage == "done")).first()
    waiting = session.scalars(_waiting(within)).one()
    progress = None
    if last is not None and (within is None or waiting):
        progress = Progress(
            last.stage,
            last.total if within is None else None,
            last.done if within is None else None,
            last.as_of,
            last.started_at,
            last.finished_at,
            last.error,
        )
    return Standing(
        as_of=None if done is None else done.as_of,
        scored_at=None if done is None else done.finished_at,
        waiting=waiting,
        progress=progress,
    )


def _waiting(within: Sequence[str] | None) -> sa.Select[int]:
    """Number of organizations that some mark concerns, of those at or below some paths."""
    marked, organization = DirtyMark.__table__, Organization.__table__
    root = organization.alias()
    below = (
        sa.select(organization.c.id)
        .join(
            root,
            sa.and_(
                root.c.tenant_id == organization.c.tenant_id,
                organization.c.path >= root.c.path,
                organization.c.path < sa.func.rtrim(root.c.path, "/").concat("0"),
            ),
        )
        .join(
            marked,
            sa.and_(
                marked.c.tenant_id == root.c.tenant_id,
                marked.c.organization_id == root.c.id,
                marked.c.subtree,
            ),
        )
    )
    found = sa.union(sa.select(marked.c.organization_id), below).subquery()
    counted = sa.select(sa.func.count()).select_from(found)
    if within is None:
        return counted
    return counted.where(
        organization.c.tenant_id == current_tenant_id(),
        organization.c.id == found.c.organization_id,
        sa.or_(sa.false(), *(tree.within(organization.c.path, path) for path in within)),
    )


# -- what is visible --------------------------------------------------------------------


def _visible(session: AnySession, organization_id: int, within: Sequence[str]) -> Organization:
    found = once(
        session,
        (_visible, organization_id),
        lambda: session.scalars(
            sa.select(Organization).where(Organization.id == organization_id)
        ).one_or_none(),
    )
    if found is None or not any(found.path.startswith(path) for path in within):
        raise NotVisible(f"organization {organization_id}")
    return found


def _unit(organization: Organization) -> Unit:
    return Unit(organization.id, organization.code, organization.name, organization.kind)


def _superiors(organization: Organization) -> list[int]:
    return [int(step) for step in organization.path.strip("/").split("/")][:-1]


def _chosen_year(
    session: AnySession, organization_id: int, year: int | None, fresh: Standing
) -> tuple[int, list[int], list[int]]:
    """The year, all there are, and the stored years that it shows.

    States that belong to no period are shown with the year judged last.
    """
    years = once(
        session,
        (_chosen_year, organization_id),
        lambda: tallies.years_of(session, organization_id),
    )
    newest = fresh.as_of.year if fresh.as_of else max(years, default=date.min.year)
    chosen = year if year is not None else newest if newest in years else max(years, default=newest)
    return chosen, years, [chosen, NO_YEAR] if chosen == newest else [chosen]


# -- overviews ---------------------------------------------------------------------------


def overview(
    session: AnySession,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
) -> Overview:
    """Counts by verdict of an organization and all below it; ``year`` is the last by default."""
    organization = _visible(session, organization_id, within)
    fresh = standing(session, within)
    chosen, years, shown = _chosen_year(session, organization_id, year, fresh)
    found = tallies.of_subtree(session, organization_id, shown)
    keys = rule_keys(session)
    return Overview(
        unit=_unit(organization),
        year=chosen,
        years=years,
        counts=tallies.by_verdict(found),
        by_child=_by_child(session, organization_id, shown),
        by_requirement=_by_requirement(packs, keys, tallies.by_rule(found)),
        by_period=[PeriodCounts(*row) for row in tallies.by_period(found, keys)],
        standing=fresh,
    )


def units_below(
    session: AnySession, organization_id: int, *, within: Sequence[str], year: int
) -> list[UnitCounts]:
    """Counts by verdict of everything directly below an organization in a year."""
    _visible(session, organization_id, within)
    _, _, shown = _chosen_year(session, organization_id, year, standing(session, within))
    return _by_child(session, organization_id, shown)


def _by_child(session: AnySession, organization_id: int, years: list[int]) -> list[UnitCounts]:
    """Everything directly below the organization in those years, in the order of names."""
    totals: dict[int, list[int]] = {}
    below: set[int] = set()
    for model in (Rollup, OrganizationFindings, RecordFindings):
        rows = session.execute(
            sa.select(model.organization_id, model.totals).where(
                model.superior_id == organization_id, model.year.in_(years)
            )
        ).all()
        for child, numbers in rows:
            if model is not Rollup and child in below:
                continue
            sums = totals.setdefault(child, [0] * len(numbers))
            totals[child] = [a + b for a, b in zip(sums, numbers, strict=True)]
        if model is Rollup:
            below = set(totals)
    units = Names(session).units(list(totals))
    return [
        UnitCounts(units[child], child in below, views.as_counts(totals[child]))
        for child in sorted(totals, key=lambda child: (units[child].name, child))
    ]


def _by_requirement(
    packs: Packs, keys: Mapping[int, RuleKey], counts: Mapping[int, Mapping[str, int]]
) -> list[RequirementCounts]:
    """One entry for each part of a requirement, its versions together, in order of the packs."""
    sums: dict[tuple[str, str, str | None, str], dict[str, int]] = {}
    for rule, numbers in counts.items():
        key = keys[rule]
        place = sums.setdefault((key.profile, key.requirement, key.part, key.subject_type), {})
        for verdict, number in numbers.items():
            place[verdict] = place.get(verdict, 0) + number
    found = []
    for profile, pack in sorted(packs.items()):
        for requirement in pack.requirements:
            for part in requirement.parts:
                found += [
                    _requirement_counts(profile, requirement, part, subject_type, numbers)
                    for (of, id_, part_id, subject_type), numbers in sums.items()
                    if (of, id_, part_id) == (profile, requirement.id, part.id)
                ]
    return found


def _requirement_counts(
    profile: str, requirement: Requirement, part: Part, subject_type: str, counts: dict[str, int]
) -> RequirementCounts:
    return RequirementCounts(
        profile,
        requirement.id,
        part.id,
        part.title or requirement.title,
        part.versions[-1].citation.clause,
        str(part.versions[-1].strictness),
        subject_type,
        counts,
    )


# -- one organization ----------------------------------------------------------------------


def findings(
    session: AnySession,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
) -> list[FindingView]:
    """The stored findings of one organization in order of the pack, all years by default.

    Of findings about its members and records only those that are not met are stored;
    members' are there only in a restricted scope.
    """
    organization = _visible(session, organization_id, within)
    years = None if year is None else [year, NO_YEAR]
    stored = _stored(session, _law(session, packs, organization), organization, years)
    names = Names(session)
    return views.views(session, packs, stored, names, [*_superiors(organization), organization_id])


def _law(session: AnySession, packs: Packs, organization: Organization) -> Law:
    """The rules in force for an organization: by its nearest enablement of each profile."""
    chosen: dict[str, Choices] = {}
    above = [*_superiors(organization), organization.id]
    for enabled in sorted(
        (one for one in enabled_profiles(session, packs) if one.organization_id in above),
        key=lambda one: above.index(one.organization_id),
    ):
        chosen[enabled.profile] = enabled.choices
    return Law(session, packs, chosen)


def _stored(
    session: AnySession, law: Law, organization: Organization, years: Collection[int] | None
) -> list[Stored]:
    """Everything stored about an organization, its groups, records and (restricted) members."""
    groups = session.scalars(
        sa.select(Organization.id).where(
            Organization.parent_id == organization.id, Organization.kind == "party_group"
        )
    ).all()
    rows = tallies.own_rows(session, [organization.id, *groups], years)
    for model in (RecordFindings, MemberFindings):
        table = model.__table__
        select = sa.select(*(column for column in table.c if column.name != "tenant_id"))
        select = select.where(table.c.organization_id == organization.id)
        if years is not None:
            select = select.where(table.c.year.in_(years))
        rows += [dict(row) for row in session.execute(select.order_by(table.c.year)).mappings()]
    found = list(views.unpacked(rows, law, organization.id))
    order = {
        (profile, requirement.id): place
        for profile, pack in sorted(law.packs.items())
        for place, requirement in enumerate(pack.requirements)
    }
    return sorted(found, key=lambda one: (one.profile, order[one.profile, one.rule.id]))


def organization_grid(
    session: AnySession,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
) -> OrganizationGrid:
    """Requirement × period of one organization; members' exceptions only in a restricted scope."""
    organization = _visible(session, organization_id, within)
    fresh = standing(session, within)
    chosen, years, shown = _chosen_year(session, organization_id, year, fresh)
    law = _law(session, packs, organization)
    stored = _stored(session, law, organization, shown)
    names = Names(session)
    superiors = _superiors(organization)
    found = views.views(session, packs, stored, names, [*superiors, organization_id])
    units = names.units([*superiors, organization_id, *_groups_among(stored)])
    rows = _Rows(law, units, organization_id)
    for one, view in zip(stored, found, strict=True):
        rows.add(one, view)
    for tally in tallies.of_records(session, organization_id, shown):
        rows.count(tally)
    return OrganizationGrid(
        unit=units[organization_id],
        superiors=[units[superior] for superior in superiors],
        year=chosen,
        years=years,
        counts=tallies.by_verdict(tallies.of_organization(session, organization_id, shown)),
        rows=rows.finished(),
        standing=fresh,
    )


def _groups_among(stored: Iterable[Stored]) -> set[int]:
    return {one.subject for one in stored if one.subject_type == "group"}


class _Rows:
    """Rows of a grid while they are gathered."""

    def __init__(self, law: Law, units: Mapping[int, Unit], organization_id: int) -> None:
        self._law = law
        self._units = units
        self._whole = organization_id
        self._cells: dict[Any, dict[Any, list[FindingView]]] = {}
        self._counts: dict[Any, dict[Any, dict[str, int]]] = {}
        self._keys: dict[Any, RuleKey] = {}

    def add(self, one: Stored, view: FindingView) -> None:
        """A finding; several of one cell are exceptions, or states side by side."""
        rule = one.rule
        subject = one.subject if one.subject_type == "group" else self._whole
        row = (one.profile, rule.id, rule.part.id, one.subject_type, subject)
        unit = None if one.period is None else one.period[0].name.lower()
        self._keys[row] = RuleKey(
            one.profile, rule.id, rule.part.id, rule.version.from_on, one.subject_type, unit
        )
        self._cells.setdefault(row, {}).setdefault(one.period, []).append(view)

    def count(self, tally: tallies.Tally) -> None:
        """So many findings about members or records, the met ones included."""
        key = self._law.keys[tally.rule]
        row = (key.profile, key.requirement, key.part, key.subject_type, self._whole)
        self._keys[row] = key
        period = views.period_of(key, tally.year, tally.place)
        counts = self._counts.setdefault(row, {}).setdefault(period, {})
        counts[tally.verdict] = counts.get(tally.verdict, 0) + tally.number

    def finished(self) -> list[GridRow]:
        """The rows in order of the packs."""
        found = []
        for profile, pack in sorted(self._law.packs.items()):
            for requirement in pack.requirements:
                for part in requirement.parts:
                    found += [
                        self._row(row, requirement, part)
                        for row in self._keys
                        if row[:3] == (profile, requirement.id, part.id)
                    ]
        return found

    def _row(self, row: Any, requirement: Requirement, part: Part) -> GridRow:
        cells, counts = self._cells.get(row, {}), self._counts.get(row, {})
        order = sorted({*cells, *counts}, key=lambda p: (-1, 0) if p is None else (0, p[1]))
        profile, id_, part_id, subject_type, subject = row
        return GridRow(
            profile,
            id_,
            part_id,
            part.title or requirement.title,
            part.versions[-1].citation.clause,
            str(part.versions[-1].strictness),
            subject_type,
            self._units[subject],
            self._keys[row].unit,
            [_cell(period, cells.get(period, []), counts.get(period)) for period in order],
        )


def _cell(period: Any, found: list[FindingView], counts: dict[str, int] | None) -> GridCell:
    if counts is None:
        counts = {}
        for view in found:
            counts[view.verdict] = counts.get(view.verdict, 0) + 1
    label, text = views.period_text(period)
    return GridCell(label, text, views.gravest(counts), counts, found)


# -- explanations and lists ----------------------------------------------------------------


def explain(
    session: AnySession,
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

    ``subject`` is its type and the author's id, by default the organization itself.
    """
    organization = _visible(session, organization_id, within)
    asked = explaining.Asked(organization, requirement, part, subject, period)
    as_of = standing(session, within).as_of
    if as_of is None:
        raise NotVisible(f"{requirement}: not scored yet")
    return explaining.explain(session, packs, asked, as_of, restricted=current_tenant().restricted)


def attention(
    session: AnySession,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    verdicts: Collection[str] = (),
    requirement: str | None = None,
    due_until: date | None = None,
    cursor: str | None = None,
    limit: int = 50,
    order_by: str = "due",
    below: bool = True,
) -> AttentionPage:
    """What is not simply met in an organization and, if ``below``, in those below it.

    ``order_by`` is one of :data:`guiju.scoring.attending.ORDERS`: soonest due first, or unit by
    unit.  Raises ``ValueError`` for a ``cursor`` that no such list gave out.
    """
    organization = _visible(session, organization_id, within)
    only = None if below else organization_id
    wanted = attending.Filter(organization.path, verdicts, requirement, due_until, only)
    return attending.page(session, packs, wanted, cursor, limit, order_by)
