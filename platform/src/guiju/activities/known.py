"""Whom and what a record may name: only what its author may know of."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities import payloads
from guiju.activities.models import Occasion
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem


def refuse_unknown(
    session: AnySession,
    visitor: Visitor,
    unit: Organization,
    loaded: payloads.Loaded,
    before: payloads.Loaded | None = None,
) -> None:
    """Raise ``BadInput`` for people, organizations and occasions that the payload may not name.

    Known are those in the visitor's part of the tree and in the unit's superiors, and
    whatever the record named ``before``.
    """
    trusted = (
        set()
        if before is None
        else {(target, code) for target, code, _place in payloads.references(before)}
    )
    refuse_unknown_names(session, visitor, unit, list(payloads.references(loaded)), trusted)


def refuse_unknown_names(
    session: AnySession,
    visitor: Visitor,
    unit: Organization,
    named: Sequence[tuple[str, str, str]],
    trusted: Collection[tuple[str, str]] = (),
) -> None:
    """As :func:`refuse_unknown`, of any references: tables, authors' ids and places."""
    asked: dict[str, set[str]] = {}
    for target, code, _place in named:
        if (target, code) not in trusted:
            asked.setdefault(target, set()).add(code)
    if not asked:
        return
    inside = _within_reach(visitor, unit)
    known = {
        target: set(session.scalars(query))
        for target, codes in asked.items()
        for query in [_known(target, codes, inside)]
    }
    problems = [
        Problem(place, code, _wanted(target), "unknown_reference")
        for target, code, place in named
        if (target, code) not in trusted and code not in known[target]
    ]
    if problems:
        raise BadInput(problems)


def _wanted(target: str) -> str:
    return {
        "people": _("应为名册中的人员"),
        "organizations": _("应为已有的组织"),
        "occasions": _("应为已有的活动"),
    }[target]


def _within_reach(visitor: Visitor, unit: Organization) -> sa.ColumnElement[bool]:
    path = Organization.__table__.c.path
    superiors = [int(number) for number in unit.path.strip("/").split("/")]
    return sa.or_(Organization.id.in_(superiors), *(within(path, top) for top in visitor.within))


def _known(
    target: str, codes: Collection[str], inside: sa.ColumnElement[bool]
) -> sa.Select[str] | sa.CompoundSelect[str]:
    """Those of ``codes`` that stand for a row of ``target`` within reach."""
    if target == "organizations":
        return sa.select(Organization.code).where(
            Organization.tenant_id == current_tenant_id(), Organization.code.in_(codes), inside
        )
    if target == "occasions":
        return (
            sa.select(Occasion.code)
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == Occasion.tenant_id,
                    Organization.id == Occasion.organization_id,
                ),
            )
            .where(Occasion.tenant_id == current_tenant_id(), Occasion.code.in_(codes), inside)
        )
    return sa.union(*(_people(model, codes, inside) for model in (Member, Post)))


def _people(
    model: type[Member | Post], codes: Collection[str], inside: sa.ColumnElement[bool]
) -> sa.Select[str]:
    return (
        sa.select(Person.code)
        .join(model, sa.and_(model.tenant_id == Person.tenant_id, model.person_id == Person.id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == model.tenant_id,
                Organization.id == model.organization_id,
            ),
        )
        .where(Person.tenant_id == current_tenant_id(), Person.code.in_(codes), inside)
    )
