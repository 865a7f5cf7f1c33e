"""Questions about findings, asked inside a tenant's scope.

``within`` are the paths of the organizations that the user may see with all that is below
them; asking about others raises :class:`NotVisible`.  ``packs`` are the installed packs by
id (:attr:`guiju.plugins.Plugins.packs`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from operator import add
from typing import Any

import sqlalchemy as sa

from guiju.db.models import this_tenant
from guiju.db.scope import current_tenant
from guiju.db.session import AnySession, once
from guiju.organizations import tree
from guiju.organizations.models import DirtyMark, Organization
from guiju.organizations.queries import organization as find_organization
from guiju.rules.pack import Choices, Pack, Part, Requirement
from guiju.scoring import attending, explaining, grids, tallies, views
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
    AttentionItem,
    AttentionPage,
    Explanation,
    FindingView,
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


def _standing(session: AnySession, within: tuple[str, ...] | None) -> Standing:
    rows = session.execute(_runs(within)).all()
    if not rows:
        # Before the first scoring there is only what waits for it.
        waiting = session.scalars(sa.select(_waiting(within))).one()
        return Standing(None, None, waiting, None)
    done = next((row for row in rows if row.stage == "done"), None)
    last, waiting = rows[0], rows[0].waiting
    progress = None
    if within is None or waiting:
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


@lru_cache(maxsize=1000)
def _runs(within: tuple[str, ...] | None) -> sa.Select[Any]:
    """The run begun last and the last that is done, newest first, each with what waits."""
    run = ScoringRun.__table__
    newest = sa.select(sa.func.max(run.c.id))
    finished = newest.where(run.c.stage == "done")
    columns = ("stage", "total", "done", "as_of", "started_at", "finished_at", "error")
    return (
        sa.select(*(run.c[name] for name in columns), _waiting(within).label("waiting"))
        .where(run.c.id.in_(newest.union(finished)))
        .order_by(run.c.id.desc())
    )


def _waiting(within: tuple[str, ...] | None) -> sa.ScalarSelect[int]:
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
        return counted.scalar_subquery()
    return counted.where(
        organization.c.tenant_id == this_tenant(),
        organization.c.id == found.c.organization_id,
        sa.or_(sa.false(), *(tree.within(organization.c.path, path) for path in within)),
    ).scalar_subquery()


# -- what is visible --------------------------------------------------------------------


def _visible(session: AnySession, organization_id: int, within: Sequence[str]) -> Organization:
    found = find_organization(session, organization_id)
    if found is None or not any(found.path.startswith(path) for path in within):
        raise NotVisible(f"organization {organization_id}")
    return found


def _unit(organization: Organization) -> Unit:
    return Unit(organization.id, organization.code, organization.name, organization.kind)


def _names(session: AnySession, organization: Organization) -> Names:
    """Names to look up, that of the organization itself known."""
    names = Names(session)
    names.tell(_unit(organization))
    return names


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
    rows = session.execute(
        sa.union_all(
            *(
                sa.select(
                    model.organization_id,
                    model.totals,
                    model.__table__.c.get("late", sa.literal(0)),
                    sa.literal(model is Rollup).label("summed"),
                ).where(model.superior_id == organization_id, model.year.in_(years))
                for model in (Rollup, OrganizationFindings, RecordFindings)
            )
        )
    ).all()
    below = {row.organization_id for row in rows if row.summed}
    totals: dict[int, list[int]] = {}
    late: dict[int, int] = {}
    for child, numbers, recorded_late, summed in rows:
        # Where there are sums of it and all below it, they have its own counts in them.
        if summed or child not in below:
            sums = totals.get(child)
            totals[child] = numbers if sums is None else [*map(add, sums, numbers)]
            late[child] = late.get(child, 0) + recorded_late
    units = Names(session).units(list(totals))
    return [
        UnitCounts(units[child], child in below, views.as_counts(totals[child], late[child]))
        for child in sorted(totals, key=lambda child: (units[child].name, child))
    ]


def _by_requirement(
    packs: Packs, keys: Mapping[int, RuleKey], counts: Mapping[int, Mapping[str, int]]
) -> list[RequirementCounts]:
    """One entry for each part of a requirement, its versions together, in order of the packs."""
    sums: dict[tuple[str, str, str | None], dict[str, dict[str, int]]] = {}
    for rule, numbers in counts.items():
        key = keys[rule]
        of_part = sums.setdefault((key.profile, key.requirement, key.part), {})
        place = of_part.setdefault(key.subject_type, {})
        for verdict, number in numbers.items():
            place[verdict] = place.get(verdict, 0) + number
    return [
        _requirement_counts(profile, requirement, part, subject_type, numbers)
        for profile, pack in sorted(packs.items())
        for requirement in pack.requirements
        for part in requirement.parts
        for subject_type, numbers in sums.get((profile, requirement.id, part.id), {}).items()
    ]


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
    law = _law(session, packs, organization)
    stored = _in_order(_rows(session, organization, years), law, organization_id)
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


def _rows(
    session: AnySession, organization: Organization, years: Collection[int] | None
) -> list[Mapping[str, Any]]:
    """All rows stored about an organization, its groups, records and (restricted) members."""
    rows = tallies.own_rows(session, organization.id, years)
    models = [RecordFindings, MemberFindings] if current_tenant().restricted else [RecordFindings]
    for model in models:
        table = model.__table__
        select = sa.select(*(column for column in table.c if column.name != "tenant_id"))
        select = select.where(table.c.organization_id == organization.id)
        if years is not None:
            select = select.where(table.c.year.in_(years))
        rows += [dict(row) for row in session.execute(select.order_by(table.c.year)).mappings()]
    return rows


def _in_order(rows: Iterable[Mapping[str, Any]], law: Law, organization_id: int) -> list[Stored]:
    """The findings in stored rows, in order of the packs."""
    order = {
        (profile, requirement.id): place
        for profile, pack in sorted(law.packs.items())
        for place, requirement in enumerate(pack.requirements)
    }
    found = views.unpacked(rows, law, organization_id)
    return sorted(found, key=lambda one: (one.profile, order[one.profile, one.rule.id]))


def organization_grid(
    session: AnySession,
    packs: Packs,
    organization_id: int,
    *,
    within: Sequence[str],
    year: int | None = None,
    told: bool = True,
) -> OrganizationGrid:
    """Requirement × period of one organization; members' exceptions only in a restricted scope.

    Unless the findings are to be ``told``, cells only say how many they are, and only those of
    the year judged last, or of ``year``, are looked for.
    """
    organization = _visible(session, organization_id, within)
    fresh = standing(session, within)
    if told or fresh.as_of is None:
        chosen, years, shown = _chosen_year(session, organization_id, year, fresh)
    else:
        chosen = fresh.as_of.year if year is None else year
        years, shown = [chosen], [chosen, NO_YEAR] if chosen == fresh.as_of.year else [chosen]
    law = _law(session, packs, organization)
    stored_rows = _rows(session, organization, shown)
    stored = _in_order(stored_rows, law, organization_id)
    names = _names(session, organization)
    above = [*_superiors(organization), organization_id]
    found = views.views(session, packs, stored, names, above) if told else [None] * len(stored)
    units = names.units([organization_id, *grids.groups_among(stored)])
    rows = grids.Rows(law, units, organization_id, views.bare_facts(session, packs))
    for one, view in zip(stored, found, strict=True):
        rows.add(one, view)
    own = [row for row in stored_rows if row["organization_id"] == organization_id]
    of_records = [row for row in own if "counts" in row]
    for tally in tallies.counted(of_records):
        rows.count(tally)
    return OrganizationGrid(
        unit=units[organization_id],
        year=chosen,
        years=years,
        counts=tallies.by_verdict(tallies.counted(own)),
        rows=rows.finished(),
        standing=fresh,
    )


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


def own_attention(
    session: AnySession, packs: Packs, organization_id: int, *, within: Sequence[str]
) -> list[AttentionItem]:
    """All that is not simply met in an organization itself, soonest due first."""
    organization = _visible(session, organization_id, within)
    return attending.own(session, packs, _unit(organization))
