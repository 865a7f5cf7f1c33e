"""Tables of occasions and of what is recorded about them.

Columns that an author's facts bring are defined in :mod:`guiju.rules.tables`; those used
in Python are named again here for their types.
"""

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from guiju.db.facts_tables import facts_table
from guiju.db.models import Base


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
attendance = facts_table("attendance", bulky=True)
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
