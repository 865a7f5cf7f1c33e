"""Finding organizations and people by a part of their name.

The rows of the asker's part of the tree are looked through: row-level security lets no index
answer for a part of a text, and a city's rows are read in a fraction of a second
(docs/decisions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import distinct_on

from guiju.accounts.visitors import Visitor
from guiju.audit.operations import record_reading
from guiju.db import transaction
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Member, Organization, Person
from guiju.organizations.tree import within

#: So many words of what somebody typed are looked for; more find nothing else.
_MOST_WORDS = 5


@dataclass(frozen=True)
class Found:
    """An organization, with the name of the one above it."""

    organization_id: int
    code: str
    name: str
    kind: str
    superior: str | None


@dataclass(frozen=True)
class FoundPerson:
    """A membership of somebody in an organization: the latest there.

    ``name`` is empty where the roster has none; ``path`` is the organization's.
    """

    code: str
    name: str | None
    membership_class: str
    until_on: date | None
    organization_id: int
    organization_code: str
    organization: str
    path: str


def words_of(text: str) -> list[str]:
    """The words that somebody typed, each of which is to be found."""
    return text.split()[:_MOST_WORDS]


def find(session: AnySession, text: str, paths: Sequence[str], *, limit: int) -> list[Found]:
    """Organizations at and below ``paths`` whose name contains each word, or whose code it is.

    Those whose name begins with the first word come first.
    """
    words = words_of(text) or [""]
    above = orm.aliased(Organization)
    path = Organization.__table__.c.path
    # Not LIKE: what people type is not a pattern.
    place = sa.func.strpos(Organization.name, words[0])
    rows = session.execute(
        sa.select(
            Organization.id, Organization.code, Organization.name, Organization.kind, above.name
        )
        .outerjoin(
            above,
            sa.and_(above.tenant_id == Organization.tenant_id, above.id == Organization.parent_id),
        )
        .where(
            Organization.tenant_id == current_tenant_id(),
            sa.or_(sa.false(), *(within(path, top) for top in paths)),
            *(
                sa.or_(sa.func.strpos(Organization.name, word) > 0, Organization.code == word)
                for word in words
            ),
        )
        .order_by(place, path)
        .limit(limit)
    )
    return [Found(*row) for row in rows]


def find_people(
    session: AnySession, text: str, paths: Sequence[str], *, limit: int
) -> list[FoundPerson]:
    """Members, and former ones, at and below ``paths`` by parts of the name, or by the code.

    Nothing for no text.  Whoever shows them writes down that they were read.
    """
    words = words_of(text)
    if not words:
        return []
    path = Organization.__table__.c.path
    name = sa.func.coalesce(Person.name, "")
    latest = (
        sa.select(
            Person.code,
            Person.name,
            Member.membership_class,
            Member.until_on,
            Organization.id.label("organization_id"),
            Organization.code.label("organization_code"),
            Organization.name.label("organization"),
            path.label("path"),
            sa.func.strpos(name, words[0]).label("place"),
        )
        .ext(distinct_on(Person.id, Organization.id))
        .select_from(Member)
        .join(Person, sa.and_(Person.tenant_id == Member.tenant_id, Person.id == Member.person_id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Member.tenant_id,
                Organization.id == Member.organization_id,
            ),
        )
        .where(
            Member.tenant_id == current_tenant_id(),
            sa.or_(sa.false(), *(within(path, top) for top in paths)),
            *(sa.or_(sa.func.strpos(name, word) > 0, Person.code == word) for word in words),
        )
        .order_by(Person.id, Organization.id, Member.from_on.desc().nulls_last())
        .subquery()
    )
    shown = [column for column in latest.c if column.key != "place"]
    order = [latest.c.until_on.desc().nulls_first(), latest.c.place, latest.c.name, latest.c.code]
    rows = session.execute(sa.select(*shown).order_by(*order).limit(limit))
    return [FoundPerson(*row) for row in rows]


def read_people(
    session: AnySession, visitor: Visitor, text: str, *, limit: int
) -> list[FoundPerson]:
    """The people found where the visitor may see people; that they were shown is written down."""
    roots = [path for path in visitor.roots("people.read") if visitor.sees(path)]
    found = find_people(session, text, roots, limit=limit) if roots else []
    if found:
        units = "、".join(sorted({person.organization_code for person in found}))
        with transaction(session):
            record_reading(session, visitor.actor(), "members", f"“{text}”：{units}")
    return found
