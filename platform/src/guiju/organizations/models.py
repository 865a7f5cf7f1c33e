"""Tables of the tree and its people.

Columns that an author's facts bring are defined in :mod:`guiju.rules.tables`; those used
in Python are named again here for their types.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.facts_tables import facts_table
from guiju.db.models import Base, TenantRow, reference


class Organization(Base):
    """A node of the tenant's tree, which has one root."""

    __table__ = facts_table(
        "organizations",
        # Byte order, so that a subtree is a range of paths.
        sa.Column("path", sa.Text(collation="C"), nullable=False, server_default=""),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Index("ix_organizations_path", "tenant_id", "path"),
        sa.Index("ix_organizations_parent", "tenant_id", "parent_id"),
        sa.Index(
            "uq_organizations_root",
            "tenant_id",
            unique=True,
            postgresql_where=sa.text("parent_id IS NULL"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_organizations_tenant_id"),
        sa.CheckConstraint("opened_on <= closed_on", name="order"),
    )

    tenant_id: Mapped[int]
    id: Mapped[int]
    #: The author's id.
    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    sector: Mapped[str | None]
    parent_id: Mapped[int | None]
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    #: Numbers of the organizations from the root to this one: ``/1/17/203/``.
    path: Mapped[str]


class OrganizationMove(TenantRow, Base):
    """A change of place in the tree; findings of earlier days keep the earlier path."""

    __tablename__ = "organization_moves"

    organization_id: Mapped[int]
    #: First day in the new place.
    moved_on: Mapped[date]
    #: Parent and path until then.
    old_parent_id: Mapped[int | None]
    old_path: Mapped[str]
    #: Parent from then on.
    new_parent_id: Mapped[int]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("old_parent_id", "organizations"),
        reference("new_parent_id", "organizations"),
        sa.Index("ix_organization_moves_organization", "tenant_id", "organization_id", "moved_on"),
    )


#: What can be done to the tree; see :mod:`guiju.organizations.operations`.
CHANGES = ("create", "rename", "close", "reopen", "move", "merge", "split")

#: What a unit is in a change: what it is done to, what goes, what remains, what is made.
PARTS = ("subject", "source", "target", "made")


class OrganizationChange(TenantRow, Base):
    """Something done to the tree, kept with what undoing it needs."""

    __tablename__ = "organization_changes"

    #: One of :data:`CHANGES`.
    kind: Mapped[str]
    #: First day on which it holds; of a closing, the last day of the unit.
    effective_on: Mapped[date]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    made_by: Mapped[str]
    #: Numbers and values from before, by what :mod:`guiju.organizations.undoing` reads.
    before: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_organization_changes_tenant_id"
        ),
        sa.CheckConstraint(sa.column("kind").in_(CHANGES), name="kind"),
    )


class ChangedUnit(TenantRow, Base):
    """An organization that a change concerned, and as what."""

    __tablename__ = "organization_change_units"

    change_id: Mapped[int]
    organization_id: Mapped[int]
    #: One of :data:`PARTS`.
    part: Mapped[str]

    __table_args__ = (
        reference("change_id", "organization_changes"),
        # A unit made by mistake goes, and with it that it was made.
        reference("organization_id", "organizations", ondelete="CASCADE"),
        sa.CheckConstraint(sa.column("part").in_(PARTS), name="part"),
        sa.Index("ix_organization_change_units_organization", "tenant_id", "organization_id"),
        sa.Index("ix_organization_change_units_change", "tenant_id", "change_id"),
    )


class FormerName(TenantRow, Base):
    """A name that an organization had until it was given another."""

    __tablename__ = "organization_names"

    organization_id: Mapped[int]
    name: Mapped[str]
    #: Last day of the name.
    until_on: Mapped[date]

    __table_args__ = (
        reference("organization_id", "organizations", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "organization_id", "until_on"),
    )


class Person(TenantRow, Base):
    """Somebody on a roster, in a post, or at a meeting."""

    __tablename__ = "people"

    #: The author's id.
    code: Mapped[str]
    #: Not needed for judging, so it may be left out.
    name: Mapped[str | None]

    # Without a reference to the tenant: looking one and the same row up for each of a whole
    # roster takes as long as storing it.  Organizations have one, and members refer to them.
    __table_args__ = (sa.UniqueConstraint("tenant_id", "code", name="uq_people_identity"),)


class Member(Base):
    """A membership spell: one person, one branch, one class, for a time."""

    __table__ = facts_table(
        "members",
        sa.Index("ix_members_organization", "tenant_id", "organization_id"),
        sa.Index(
            "ix_members_group",
            "tenant_id",
            "group_id",
            postgresql_where=sa.text("group_id IS NOT NULL"),
        ),
        sa.CheckConstraint("from_on <= until_on", name="order"),
    )

    tenant_id: Mapped[int]
    id: Mapped[int]
    person_id: Mapped[int]
    organization_id: Mapped[int]
    membership_class: Mapped[str]
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    voting: Mapped[bool | None]
    group_id: Mapped[int | None]


class DoubleMembership(TenantRow, Base):
    """Somebody who was in two branches at once after a statement; settled by the commit.

    One spell may end and the next begin in one transaction, in any order.  A trigger notes who
    is in two branches meanwhile, another refuses (``ex_members_one_at_a_time``) to let it stay
    so; outside of transactions there are no rows.
    """

    __tablename__ = "double_memberships"

    person_id: Mapped[int]


class Post(Base):
    """A post held by a person in an organization for a time."""

    __table__ = facts_table(
        "posts",
        sa.Index("ix_posts_organization", "tenant_id", "organization_id"),
        sa.Index("ix_posts_person", "tenant_id", "person_id"),
        sa.CheckConstraint("from_on <= until_on", name="order"),
    )

    tenant_id: Mapped[int]
    id: Mapped[int]
    person_id: Mapped[int]
    organization_id: Mapped[int]
    post: Mapped[str]
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]


class DirtyMark(TenantRow, Base):
    """A change that may alter findings; inserted with the change, deleted once judged."""

    __tablename__ = "dirty_marks"

    organization_id: Mapped[int]
    #: Whether everything below the organization is to be judged again, too.
    subtree: Mapped[bool]
    #: What changed, for the log.
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (reference("organization_id", "organizations"),)


terms = facts_table("terms")
vacancies = facts_table("vacancies")
foundings = facts_table("foundings")
register = facts_table("register", sa.Index("ix_register_person", "tenant_id", "person_id"))
attestations = facts_table("attestations")
