"""The organization tree and its people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from guiju.config import APP_ROLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Exclusion constraints compare the tenant and the organization by equality.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "organizations",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("has_committee", sa.Boolean(), nullable=True),
        sa.Column("units_covered", sa.Integer(), nullable=True),
        sa.Column("internal", sa.Boolean(), nullable=True),
        sa.Column("temporary_until", sa.Date(), nullable=True),
        sa.Column("paper_duty", sa.Text(), nullable=True),
        sa.Column("mass_review_required", sa.Boolean(), nullable=True),
        sa.Column("life_meeting_cycle", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("opened_on <= closed_on", name=op.f("ck_organizations_order")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_organizations_parent_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_organizations_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_organizations_identity"),
    )
    op.create_index(
        "ix_organizations_parent", "organizations", ["tenant_id", "parent_id"], unique=False
    )
    op.create_index("ix_organizations_path", "organizations", ["tenant_id", "path"], unique=False)
    op.create_index(
        "uq_organizations_root",
        "organizations",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.secure_table("organizations")
    op.execute(f"GRANT USAGE ON SEQUENCE organizations_id_seq TO {APP_ROLE}")
    op.create_table(
        "organization_moves",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("old_parent_id", sa.BigInteger(), nullable=True),
        sa.Column("old_path", sa.Text(), nullable=False),
        sa.Column("new_parent_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "new_parent_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_organization_moves_new_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "old_parent_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_organization_moves_old_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_organization_moves_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_organization_moves")),
    )
    op.create_index(
        "ix_organization_moves_organization",
        "organization_moves",
        ["tenant_id", "organization_id", "moved_on"],
        unique=False,
    )
    op.secure_table("organization_moves", privileges="SELECT, INSERT")
    op.create_table(
        "people",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_people_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_people")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_people_identity"),
    )
    op.secure_table("people")
    op.execute(f"GRANT USAGE ON SEQUENCE people_id_seq TO {APP_ROLE}")
    op.create_table(
        "members",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("membership_class", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("voting", sa.Boolean(), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("joined_verified", sa.Boolean(), nullable=True),
        sa.Column("full_member_on", sa.Date(), nullable=True),
        sa.Column("leading_cadre", sa.Boolean(), nullable=True),
        sa.Column("floating", sa.Boolean(), nullable=True),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("transferred_hours", sa.Integer(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("tenant_id"), "="),
            (sa.column("person_id"), "="),
            (sa.text("daterange(from_on, until_on, '[]')"), "&&"),
            deferrable=True,
            initially="DEFERRED",
            using="gist",
            name="ex_members_one_at_a_time",
        ),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_members_order")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_members_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_members_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_members_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_members")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "from_on",
            name="uq_members_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_members_group", "members", ["tenant_id", "group_id"], unique=False)
    op.create_index(
        "ix_members_organization", "members", ["tenant_id", "organization_id"], unique=False
    )
    op.secure_table("members")
    op.create_table(
        "posts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("oversees_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_posts_order")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_posts_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "oversees_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_posts_oversees_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_posts_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_posts")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "organization_id",
            "post",
            "from_on",
            "oversees_id",
            name="uq_posts_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_posts_organization", "posts", ["tenant_id", "organization_id"], unique=False
    )
    op.secure_table("posts")
    op.create_table(
        "terms",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("elected_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("next_elected_on", sa.Date(), nullable=True),
        sa.Column("shift_approved_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_terms_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_terms")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "elected_on",
            name="uq_terms_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("terms")
    op.create_table(
        "vacancies",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("vacant_on", sa.Date(), nullable=False),
        sa.Column("filled_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_vacancies_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vacancies")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "post",
            "vacant_on",
            name="uq_vacancies_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("vacancies")
    op.create_table(
        "foundings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("condition_lost_on", sa.Date(), nullable=True),
        sa.Column("direct", sa.Boolean(), nullable=True),
        sa.Column("applied_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("elected_on", sa.Date(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approved_by_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_foundings_approved_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_foundings_decided_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_foundings_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_foundings")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "kind",
            "decided_on",
            "approved_on",
            name="uq_foundings_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("foundings")
    op.create_table(
        "register",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_register_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_register_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "target_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_register_target_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_register")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "item",
            "since_on",
            "person_id",
            "value",
            "target_id",
            name="uq_register_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_register_person", "register", ["tenant_id", "person_id"], unique=False)
    op.secure_table("register")
    op.create_table(
        "attestations",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("attested_on", sa.Date(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=True),
        sa.Column("objected", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_attestations_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attestations")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "period",
            name="uq_attestations_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("attestations")
    op.create_table(
        "dirty_marks",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("subtree", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_dirty_marks_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dirty_marks")),
    )
    op.secure_table("dirty_marks", privileges="SELECT, INSERT, DELETE")
