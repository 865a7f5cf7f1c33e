"""Occasions and what is recorded about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from guiju.config import APP_ROLE

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "occasions",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("kinds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("title_text", sa.Text(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("chair_id", sa.BigInteger(), nullable=True),
        sa.Column("chair_entrusted", sa.Boolean(), nullable=True),
        sa.Column("lecturer_id", sa.BigInteger(), nullable=True),
        sa.Column("form", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("for_year", sa.Integer(), nullable=True),
        sa.Column("merged_with_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("components", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("campaign_document", sa.Text(), nullable=True),
        sa.Column("outside_reason", sa.Text(), nullable=True),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("created_on", sa.Date(), nullable=True),
        sa.Column("platform_id", sa.Text(), nullable=True),
        sa.Column("recorded_on", sa.Date(), nullable=True),
        sa.Column("given_expected", sa.Integer(), nullable=True),
        sa.Column("given_present", sa.Integer(), nullable=True),
        sa.Column("given_voting_expected", sa.Integer(), nullable=True),
        sa.Column("given_voting_present", sa.Integer(), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("present", sa.Integer(), nullable=True),
        sa.Column("voting_expected", sa.Integer(), nullable=True),
        sa.Column("voting_present", sa.Integer(), nullable=True),
        sa.Column("document_mask", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "chair_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_occasions_chair_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lecturer_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_occasions_lecturer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_occasions_organization_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_occasions")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_occasions_identity"),
    )
    op.create_index(
        "ix_occasions_organization",
        "occasions",
        ["tenant_id", "organization_id", "held_on"],
        unique=False,
    )
    op.secure_table("occasions")
    op.execute(f"GRANT USAGE ON SEQUENCE occasions_id_seq TO {APP_ROLE}")
    op.create_table(
        "attendance",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("person_class", sa.Text(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("leave_self", sa.Boolean(), nullable=True),
        sa.UniqueConstraint(
            "tenant_id",
            "occasion_id",
            "person_id",
            "person_class",
            name="uq_attendance_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("attendance")
    op.create_table(
        "agenda",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("important", sa.Boolean(), nullable=True),
        sa.Column("discussed", sa.Boolean(), nullable=True),
        sa.Column("resolution", sa.Boolean(), nullable=True),
        sa.Column("owner", sa.Boolean(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_agenda_occasion_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agenda")),
        sa.UniqueConstraint(
            "tenant_id",
            "occasion_id",
            "item",
            name="uq_agenda_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("agenda")
    op.create_table(
        "documents",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kept_on", sa.Date(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("case", sa.Text(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("nil", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_documents_occasion_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_documents_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_documents_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_documents")),
        sa.UniqueConstraint(
            "tenant_id",
            "occasion_id",
            "organization_id",
            "kind",
            "kept_on",
            "period",
            "case",
            "person_id",
            "nil",
            name="uq_documents_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_documents_organization", "documents", ["tenant_id", "organization_id"], unique=False
    )
    op.secure_table("documents")
    op.create_table(
        "steps",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_steps_occasion_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_steps_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "recipient_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_steps_recipient_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_steps")),
        sa.UniqueConstraint(
            "tenant_id",
            "occasion_id",
            "step",
            "done_on",
            "start_minute",
            "person_id",
            "recipient_id",
            name="uq_steps_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("steps")
    op.create_table(
        "votes",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("vote_type", sa.Text(), nullable=True),
        sa.Column("should_attend", sa.Integer(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.Column("ayes", sa.Integer(), nullable=False),
        sa.Column("noes", sa.Integer(), nullable=True),
        sa.Column("abstentions", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_votes_occasion_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_votes")),
        sa.UniqueConstraint(
            "tenant_id",
            "occasion_id",
            "item",
            name="uq_votes_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("votes")
    op.create_table(
        "talks",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_class", sa.Text(), nullable=True),
        sa.Column("participants", sa.Integer(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("outline", sa.Boolean(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=True),
        sa.Column("reminder", sa.Boolean(), nullable=True),
        sa.Column("requested", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_talks_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_talks_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partner_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_talks_partner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_talks_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_talks")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_talks_identity"),
    )
    op.create_index(
        "ix_talks_organization", "talks", ["tenant_id", "organization_id", "held_on"], unique=False
    )
    op.secure_table("talks")
    op.create_table(
        "reports",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("audience", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_type", sa.Text(), nullable=True),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("source_ended_on", sa.Date(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_reports_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organization_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_reports_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_reports_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "recipient_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_reports_recipient_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reports")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_reports_identity"),
    )
    op.create_index(
        "ix_reports_organization",
        "reports",
        ["tenant_id", "organization_id", "filed_on"],
        unique=False,
    )
    op.secure_table("reports")
    op.create_table(
        "inspections",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("reported_on", sa.Date(), nullable=True),
        sa.Column("reported_to_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "by_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_inspections_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_inspections_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partner_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_inspections_partner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_inspections_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reported_to_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_inspections_reported_to_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "target_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_inspections_target_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inspections")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_inspections_identity"),
    )
    op.create_index(
        "ix_inspections_by", "inspections", ["tenant_id", "by_id", "done_on"], unique=False
    )
    op.create_index(
        "ix_inspections_target", "inspections", ["tenant_id", "target_id", "done_on"], unique=False
    )
    op.secure_table("inspections")
    op.create_table(
        "training",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("tenths", sa.Integer(), nullable=False),
        sa.Column("concentrated", sa.Boolean(), nullable=True),
        sa.Column("organizer_id", sa.BigInteger(), nullable=True),
        sa.Column("occasion_id", sa.BigInteger(), nullable=True),
        sa.Column("secretaries", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "occasion_id"],
            ["occasions.tenant_id", "occasions.id"],
            name=op.f("fk_training_occasion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "organizer_id"],
            ["organizations.tenant_id", "organizations.id"],
            name=op.f("fk_training_organizer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_training_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_training")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "held_on",
            "organizer_id",
            "occasion_id",
            name="uq_training_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("training")
    op.create_table(
        "dues_bases",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("fixed_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_dues_bases_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dues_bases")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "year",
            name="uq_dues_bases_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("dues_bases")
    op.create_table(
        "dues",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("due_amount", sa.Integer(), nullable=False),
        sa.Column("paid_amount", sa.Integer(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_dues_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dues")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "month",
            name="uq_dues_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("dues")
    op.create_table(
        "commitments",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.Column("rules", sa.Boolean(), nullable=True),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_commitments_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_commitments")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "year",
            name="uq_commitments_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.secure_table("commitments")
