"""Tables of occasions and of what is recorded about them.

Columns that an author's facts bring are defined in :mod:`guiju.rules.tables`; those used
in Python are named again here for their types.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.facts_tables import facts_table
from guiju.db.models import Base, TenantRow, reference

#: What becomes of a record: planned, waiting for the first or the second review, done, sent
#: back for correction, or declared void.  An occasion without a row has been imported.
RECORD_STATES = ("planned", "submitted", "reviewed", "archived", "returned", "voided")

#: A record entered more than so many days after the day is late, unless a tenant says otherwise.
LATE_AFTER_DAYS = 10

#: Most reviews that a unit's superiors may ask for.
MOST_LEVELS = 2


class Occasion(Base):
    """A meeting or activity.

    The counts hold what the author stated (``given_…``) or else what roster and attendance
    give, and are kept up to date by every writer, so that reading them needs no join.
    """

    __table__ = facts_table(
        "occasions",
        sa.Column("expected", sa.Integer),
        sa.Column("present", sa.Integer),
        sa.Column("voting_expected", sa.Integer),
        sa.Column("voting_present", sa.Integer),
        sa.Column("document_mask", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Index("ix_occasions_organization", "tenant_id", "organization_id", "held_on"),
        sa.Index("ix_occasions_day", "tenant_id", "held_on", "id"),
        # Whoever removes people has the database look for what refers to them.
        *(
            sa.Index(
                f"ix_occasions_{role}",
                "tenant_id",
                f"{role}_id",
                postgresql_where=sa.text(f"{role}_id IS NOT NULL"),
            )
            for role in ("chair", "lecturer")
        ),
    )

    tenant_id: Mapped[int]
    id: Mapped[int]
    #: The author's id.
    code: Mapped[str]
    organization_id: Mapped[int]
    #: Mask of ``occasion_kind``.
    kinds: Mapped[int]
    held_on: Mapped[date]
    status: Mapped[str | None]
    #: Mask of ``component``.
    components: Mapped[int]
    recorded_on: Mapped[date | None]
    #: Who should have come, came, and the same of those with a vote; None is unknown.
    expected: Mapped[int | None]
    present: Mapped[int | None]
    voting_expected: Mapped[int | None]
    voting_present: Mapped[int | None]
    #: Mask of ``document_kind``: the kinds of documents kept.
    document_mask: Mapped[int]


# More rows than all other tables together.  They are written with their occasion, whose
# number and people are looked up in the same transaction, and nothing points to them.
attendance = facts_table(
    "attendance",
    # A word of guiju.activities.leave; says something only of who had leave.
    sa.Column("leave_reason", sa.Text),
    bulky=True,
)
agenda = facts_table("agenda")
documents = facts_table(
    "documents", sa.Index("ix_documents_organization", "tenant_id", "organization_id")
)
steps = facts_table("steps")
votes = facts_table("votes")
talks = facts_table(
    "talks", sa.Index("ix_talks_organization", "tenant_id", "organization_id", "held_on")
)
reports = facts_table(
    "reports", sa.Index("ix_reports_organization", "tenant_id", "organization_id", "filed_on")
)
inspections = facts_table(
    "inspections",
    sa.Index("ix_inspections_by", "tenant_id", "by_id", "done_on"),
    sa.Index("ix_inspections_target", "tenant_id", "target_id", "done_on"),
)
training = facts_table("training")
dues_bases = facts_table("dues_bases")
dues = facts_table("dues")
commitments = facts_table("commitments")


class Draft(TenantRow, Base):
    """A record while somebody types it; never a fact, and never judged."""

    __tablename__ = "record_drafts"

    organization_id: Mapped[int]
    #: The record that is being corrected, and its revision when that was begun.
    occasion_id: Mapped[int | None]
    occasion_revision: Mapped[int | None] = mapped_column(sa.Integer)
    #: What was typed so far, as :mod:`guiju.activities.payloads` describes.
    payload: Mapped[dict[str, Any]]
    #: Counts the savings, so that nobody overwrites another's unseen.
    revision: Mapped[int] = mapped_column(sa.Integer, server_default="1")
    #: Who saved it last.
    user_id: Mapped[int | None]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("occasion_id", "occasions"),
        sa.Index("ix_record_drafts_organization", "tenant_id", "organization_id"),
        # A correction is one person's; several find out when they submit.
        sa.Index(
            "uq_record_drafts_correction",
            "tenant_id",
            "occasion_id",
            "user_id",
            unique=True,
            postgresql_where=sa.text("occasion_id IS NOT NULL"),
        ),
    )


class Record(TenantRow, Base):
    """What the platform keeps about an occasion that was entered or corrected in it."""

    __tablename__ = "records"

    occasion_id: Mapped[int]
    organization_id: Mapped[int]
    #: One of :data:`RECORD_STATES`.
    state: Mapped[str]
    #: Reviews passed.
    passed: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    #: The organization whose reviewers have it now.
    station_id: Mapped[int | None]
    #: Number of the version that holds.
    revision: Mapped[int] = mapped_column(sa.Integer)
    #: The draft that it came from, so that a submission repeated makes no second record.
    draft_id: Mapped[int | None]
    #: Who submitted it last.
    user_id: Mapped[int | None]
    author: Mapped[str]
    #: Entered after its month was complete, or long after the day.
    late: Mapped[bool] = mapped_column(server_default=sa.false())
    #: Corrected after it had been reviewed, or after its month was complete.
    changed: Mapped[bool] = mapped_column(server_default=sa.false())
    #: What was said and done, in the author's words.
    content: Mapped[str | None]
    #: Fields that the profile's plugin adds, by name.
    extra: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    submitted_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("occasion_id", "occasions"),
        reference("organization_id", "organizations"),
        reference("station_id", "organizations"),
        sa.UniqueConstraint("tenant_id", "occasion_id"),
        sa.UniqueConstraint("tenant_id", "draft_id"),
        sa.CheckConstraint(sa.column("state").in_(RECORD_STATES), name="state"),
        sa.Index(
            "ix_records_station",
            "tenant_id",
            "station_id",
            postgresql_where=sa.text("station_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_records_returned",
            "tenant_id",
            "organization_id",
            postgresql_where=sa.text("state = 'returned'"),
        ),
    )


class RecordVersion(TenantRow, Base):
    """A record as it stood after somebody saved it; written once, never changed."""

    __tablename__ = "record_versions"

    occasion_id: Mapped[int]
    #: Counted from 1.
    number: Mapped[int] = mapped_column(sa.Integer)
    #: The occasion and its parts, as :mod:`guiju.activities.snapshots` reads them.
    payload: Mapped[dict[str, Any]]
    #: Why it was made, where somebody had to say.
    reason: Mapped[str | None]
    user_id: Mapped[int | None]
    author: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    __table_args__ = (
        reference("occasion_id", "occasions"),
        sa.UniqueConstraint("tenant_id", "occasion_id", "number"),
    )


class RecordStep(TenantRow, Base):
    """Something done to a record on its way; written once, never changed."""

    __tablename__ = "record_steps"

    occasion_id: Mapped[int]
    #: ``plan``, ``submit``, ``correct``, ``approve``, ``return`` or ``void``.
    action: Mapped[str]
    #: The version that it was done to.
    revision: Mapped[int] = mapped_column(sa.Integer)
    #: What it led to, one of :data:`RECORD_STATES`.
    state: Mapped[str]
    #: The organization that it was done for: the unit's own, or the reviewer's.
    organization_id: Mapped[int]
    user_id: Mapped[int | None]
    actor: Mapped[str]
    #: What the reviewer or the author wrote.
    comment: Mapped[str | None]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    __table_args__ = (
        reference("occasion_id", "occasions"),
        reference("organization_id", "organizations"),
        sa.Index("ix_record_steps_occasion", "tenant_id", "occasion_id", "id"),
    )


class WorkflowSetting(TenantRow, Base):
    """How records are reviewed at an organization and below it, down to the next such row."""

    __tablename__ = "workflow_settings"

    organization_id: Mapped[int]
    #: Reviews that a record passes: none, one or two.
    levels: Mapped[int] = mapped_column(sa.SmallInteger)
    #: A record entered more than so many days after the day is late.
    late_after_days: Mapped[int] = mapped_column(sa.SmallInteger)

    __table_args__ = (
        reference("organization_id", "organizations"),
        sa.UniqueConstraint("tenant_id", "organization_id"),
        sa.CheckConstraint(f"levels BETWEEN 0 AND {MOST_LEVELS}", name="levels"),
        sa.CheckConstraint("late_after_days >= 0", name="late_after_days"),
    )


class MonthStep(TenantRow, Base):
    """Somebody's word on whether a unit's records for a month are complete; never changed."""

    __tablename__ = "month_steps"

    organization_id: Mapped[int]
    #: The month as a period: ``2021-03``.
    month: Mapped[str]
    #: ``declare``, ``reopen`` or ``object``.
    action: Mapped[str]
    #: Why it was reopened or objected to.
    reason: Mapped[str | None]
    user_id: Mapped[int | None]
    actor: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    __table_args__ = (
        reference("organization_id", "organizations"),
        sa.Index("ix_month_steps_month", "tenant_id", "organization_id", "month", "id"),
    )


class Announcement(TenantRow, Base):
    """A word to the members of a unit about a meeting to come."""

    __tablename__ = "announcements"

    organization_id: Mapped[int]
    #: The planned occasion, where there is one.
    occasion_id: Mapped[int | None]
    #: The day of the meeting; the announcement is shown up to it.
    meets_on: Mapped[date]
    text: Mapped[str]
    user_id: Mapped[int | None]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("occasion_id", "occasions"),
        sa.Index("ix_announcements_organization", "tenant_id", "organization_id", "meets_on"),
    )


class FollowUp(TenantRow, Base):
    """Something to be done that a meeting left behind."""

    __tablename__ = "follow_ups"

    occasion_id: Mapped[int]
    organization_id: Mapped[int]
    what: Mapped[str]
    #: Who sees to it, as people say it.
    who: Mapped[str]
    due_on: Mapped[date | None]
    done_on: Mapped[date | None]
    #: What came of it.
    note: Mapped[str | None]
    revision: Mapped[int] = mapped_column(sa.Integer, server_default="1")
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("occasion_id", "occasions"),
        reference("organization_id", "organizations"),
        sa.Index("ix_follow_ups_occasion", "tenant_id", "occasion_id"),
        sa.Index(
            "ix_follow_ups_open",
            "tenant_id",
            "organization_id",
            "due_on",
            postgresql_where=sa.text("done_on IS NULL"),
        ),
    )


class RecordFile(TenantRow, Base):
    """A file that belongs to a record, or to a draft until that is submitted.

    Its content lies in the file store under ``stored_name``.  One that was removed stays for
    the versions that had it.
    """

    __tablename__ = "record_files"

    organization_id: Mapped[int]
    occasion_id: Mapped[int | None]
    draft_id: Mapped[int | None]
    #: What it is a copy of (document kind); empty for something else.
    kind: Mapped[str | None]
    #: Name as shown and downloaded.
    name: Mapped[str]
    media_type: Mapped[str]
    #: Bytes stored.
    size: Mapped[int]
    #: SHA-256 of the bytes stored, in hexadecimal.
    digest: Mapped[str]
    stored_name: Mapped[str]
    #: Whether attaching it added the document to the record's list.
    adds_document: Mapped[bool] = mapped_column(server_default=sa.false())
    user_id: Mapped[int | None]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("occasion_id", "occasions"),
        reference("draft_id", "record_drafts", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "stored_name"),
        sa.CheckConstraint("num_nonnulls(occasion_id, draft_id) = 1", name="owner"),
        sa.Index("ix_record_files_occasion", "tenant_id", "occasion_id"),
        sa.Index("ix_record_files_draft", "tenant_id", "draft_id"),
    )
