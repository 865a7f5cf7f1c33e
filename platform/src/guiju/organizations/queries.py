"""Who sees what of the tree, and where things are in it."""

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa

from guiju.db.models import this_tenant
from guiju.db.session import AnySession, once
from guiju.organizations.models import Organization
from guiju.organizations.tree import within


class HasRoles(Protocol):
    """Somebody with roles, such as :class:`guiju.accounts.models.User`."""

    @property
    def paths(self) -> Sequence[str]:
        """Paths of the organizations seen with all that is below them."""


def visible_to(user: HasRoles) -> sa.ColumnElement[bool]:
    """The condition on :class:`Organization` that ``user`` may see it.

    Join whatever belongs to organizations with them and add this condition.
    """
    path = Organization.__table__.c.path
    return sa.or_(sa.false(), *(within(path, top) for top in user.paths))


def organization(session: AnySession, number: int) -> Organization | None:
    """The organization of a number; None where there is none."""

    def look_up() -> Organization | None:
        found: Organization | None = session.scalars(_OF_NUMBER, {"number": number}).one_or_none()
        return found

    return once(session, (Organization, number), look_up)


_OF_NUMBER = sa.select(Organization).where(
    Organization.tenant_id == this_tenant(),
    Organization.id == sa.bindparam("number", type_=sa.BigInteger),
)


def root(session: AnySession) -> Organization:
    """The tenant's root organization."""
    return session.scalars(sa.select(Organization).where(Organization.parent_id.is_(None))).one()
