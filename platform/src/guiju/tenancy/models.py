"""Tables of tenants and of what they choose."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.facts_tables import facts_table
from guiju.db.models import Base, TenantRow, reference

#: What a tenant can be.
STATES = ("active", "suspended")


class Tenant(Base):
    """A department with its whole tree; nobody of it sees another's."""

    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    #: Short name, the part after @ in sign-in names.
    code: Mapped[str] = mapped_column(unique=True)
    #: Name in full, as shown.
    name: Mapped[str]
    #: ``active``, or ``suspended``: nobody signs in and nothing is scored.
    state: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    #: When everything of it is deleted; empty unless it is leaving.
    delete_on: Mapped[datetime | None]

    __table_args__ = (sa.CheckConstraint(sa.column("state").in_(STATES), name="state"),)


class OperatorEntry(Base):
    """One transaction in an operator's scope."""

    __tablename__ = "operator_entries"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    #: Why the scope was entered, as the code says.
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class EnabledProfile(TenantRow, Base):
    """A profile that judges an organization and what is below it, from a day on.

    The nearest one above an organization counts, so each part of a tree has one profile.
    """

    __tablename__ = "enabled_profiles"

    organization_id: Mapped[int]
    #: Id of the profile, e.g. ``xian``.
    profile: Mapped[str]
    #: First day that is judged.
    judge_from: Mapped[date]
    #: Last day that is judged; empty while it lasts.
    until: Mapped[date | None]
    #: Readings and settings chosen here, by name.
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("organization_id", "organizations"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("organization_id", "="),
            (sa.text("daterange(judge_from, until, '[]')"), "&&"),
            name="ex_enabled_profiles_one_at_a_time",
            using="gist",
        ),
    )


class Setting(Base):
    """A reading or setting that holds for the whole tenant."""

    __table__ = facts_table("settings")
