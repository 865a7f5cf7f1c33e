"""What people are called, asked inside a tenant's scope."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Person


def names(session: AnySession, codes: Collection[str]) -> dict[str, str]:
    """Names by the author's ids; people whose name the roster does not have are left out."""
    rows = session.execute(
        sa.select(Person.code, Person.name).where(
            Person.tenant_id == current_tenant_id(),
            Person.code.in_(codes),
        )
    )
    return {code: name for code, name in rows if name is not None}
