"""What people are called and who knows of them, asked inside a tenant's scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.organizations.tree import within


@dataclass(frozen=True)
class Leader:
    """Somebody who holds a post of a unit; ``post`` is its code."""

    code: str
    name: str | None
    organization: str
    post: str


def leaders(session: AnySession, organization_id: int, on: date, *, limit: int) -> list[Leader]:
    """Who holds a post that day in a unit and in those right below it, the unit's own first."""
    rows = session.execute(
        sa.select(Person.code, Person.name, Organization.name, Post.post)
        .select_from(Organization)
        .join(
            Post,
            sa.and_(
                Post.tenant_id == Organization.tenant_id, Post.organization_id == Organization.id
            ),
        )
        .join(Person, sa.and_(Person.tenant_id == Post.tenant_id, Person.id == Post.person_id))
        .where(
            Organization.tenant_id == current_tenant_id(),
            sa.or_(Organization.id == organization_id, Organization.parent_id == organization_id),
            sa.or_(Post.from_on.is_(None), Post.from_on <= on),
            sa.or_(Post.until_on.is_(None), Post.until_on >= on),
        )
        .order_by(Organization.id != organization_id, Organization.__table__.c.path, Person.code)
        .limit(limit)
    )
    return [Leader(*row) for row in rows]


def names(session: AnySession, codes: Collection[str]) -> dict[str, str]:
    """Names by the author's ids; people whose name the roster does not have are left out."""
    rows = session.execute(
        sa.select(Person.code, Person.name).where(
            Person.tenant_id == current_tenant_id(),
            Person.code.in_(codes),
        )
    )
    return {code: name for code, name in rows if name is not None}


def name_of(session: AnySession, code: str) -> tuple[bool, str | None]:
    """Whether the tenant knows somebody by an id, and the name."""
    found = session.execute(
        sa.select(Person.name).where(Person.tenant_id == current_tenant_id(), Person.code == code)
    ).one_or_none()
    return (False, None) if found is None else (True, found.name)


def is_within(session: AnySession, code: str, paths: Collection[str]) -> bool:
    """Whether somebody is, was or will be a member or hold a post at or below one of ``paths``."""
    path = Organization.__table__.c.path
    inside = sa.or_(sa.false(), *(within(path, top) for top in paths))
    spells = sa.union_all(
        *(
            sa.select(sa.literal(1))
            .select_from(model)
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == model.tenant_id,
                    Organization.id == model.organization_id,
                ),
            )
            .join(
                Person,
                sa.and_(Person.tenant_id == model.tenant_id, Person.id == model.person_id),
            )
            .where(model.tenant_id == current_tenant_id(), Person.code == code, inside)
            for model in (Member, Post)
        )
    )
    return session.execute(spells.limit(1)).first() is not None
