"""Where things are in the tree."""

import sqlalchemy as sa

from guiju.db.models import this_tenant
from guiju.db.session import AnySession, once
from guiju.organizations.models import Organization


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
