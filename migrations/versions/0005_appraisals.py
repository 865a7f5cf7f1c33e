"""Decisions and what follows from them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appraisals",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Text(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("proposed", sa.Boolean(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("participated", sa.Boolean(), nullable=True),
        sa.Column("exempt_by_id", sa.BigInteger(), nullable=True),
        sa.Column("inputs", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("human_assessment", sa.Boolean(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("filed_to_id", sa.BigInteger(), nullable=True),
        sa.Column("publicised_on", sa.Date(), nullable=True),
        sa.Column("file_noted", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_appraisals_decided_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "exempt_by_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_appraisals_exempt_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "filed_to_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_appraisals_filed_to_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_appraisals_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_appraisals_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_appraisals_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_appraisals")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "year",
            "subject_type",
            "person_id",
            "cycle",
            "decided_by_id",
            "proposed",
            name="uq_appraisals_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("appraisals")
    op.create_table(
        "rectifications",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_type", sa.Text(), nullable=True),
        sa.Column("source_ended_on", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("measure", sa.Boolean(), nullable=True),
        sa.Column("commitment", sa.Boolean(), nullable=True),
        sa.Column("formalism", sa.Boolean(), nullable=True),
        sa.Column("participation", sa.Boolean(), nullable=True),
        sa.Column("opinion_linked", sa.Boolean(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("verified_by_id", sa.BigInteger(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_rectifications_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_rectifications_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_rectifications_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "verified_by_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_rectifications_verified_by_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectifications")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_rectifications_identity"),
    )
    op.create_index(
        "ix_rectifications_organization",
        "rectifications",
        ["tenant_id", "organization_id", "opened_on"],
        unique=False,
    )
    op.secure_table("rectifications")
    op.create_table(
        "disciplinary_steps",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_disciplinary_steps_decided_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_disciplinary_steps_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_disciplinary_steps_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_disciplinary_steps")),
        sa.UniqueConstraint(
            "tenant_id",
            "case",
            "person_id",
            "step",
            "taken_on",
            name="uq_disciplinary_steps_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_disciplinary_steps_organization",
        "disciplinary_steps",
        ["tenant_id", "organization_id"],
        unique=False,
    )
    op.secure_table("disciplinary_steps", restricted=True)
    op.create_table(
        "judgements",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("judged_by", sa.Text(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_judgements_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_judgements")),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "requirement",
            "part",
            "subject_type",
            "subject",
            "period",
            name="uq_judgements_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("judgements")
