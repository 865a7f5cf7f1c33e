"""Tables of findings and of the work that makes them.

Findings are derived: whatever stands here can be made again from the records.  Their
tables therefore have no foreign keys (checking them would cost more than writing the rows)
and are written in bulk by :mod:`guiju.scoring.store` alone, which also documents the bytes.

An organization that moved within a year has a row for each place in the tree, so that
findings stay with the superiors of their day.
"""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow
from guiju.db.scope import current_tenant_id

#: The year under which states are kept that belong to no period.
NO_YEAR = 0
#: Stands for no day where days are put in order: after all others.
NOT_DUE = date(9999, 12, 31)


class RuleNumber(Base):
    """The number that stands for a rule in stored findings; the same for all tenants.

    Numbers are only added: findings already written keep their meaning.
    """

    __tablename__ = "rule_numbers"

    number: Mapped[int] = mapped_column(sa.Identity(minvalue=1), primary_key=True)
    profile: Mapped[str]
    requirement: Mapped[str]
    part: Mapped[str | None]
    #: First day of the version of the requirement.
    valid_from: Mapped[date]
    #: What its findings are about, e.g. ``organization`` or ``member``.
    subject_type: Mapped[str]
    #: Unit of its periods; empty where its findings have none.
    unit: Mapped[str | None]

    __table_args__ = (
        sa.UniqueConstraint(
            "profile",
            "requirement",
            "part",
            "valid_from",
            "subject_type",
            "unit",
            name="uq_rule_numbers_identity",
            postgresql_nulls_not_distinct=True,
        ),
    )


class ReadingNumber(Base):
    """The number that stands for one option of a reading in stored findings."""

    __tablename__ = "reading_numbers"

    number: Mapped[int] = mapped_column(sa.Identity(minvalue=1), primary_key=True)
    profile: Mapped[str]
    reading: Mapped[str]
    option: Mapped[str]

    __table_args__ = (
        sa.UniqueConstraint("profile", "reading", "option", name="uq_reading_numbers_identity"),
    )


class _Placed:
    """An organization (or what is below it), a year, and its place in the tree then."""

    tenant_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=current_tenant_id, sort_order=-4
    )
    organization_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, sort_order=-3
    )
    #: Year of the periods, or :data:`NO_YEAR`.
    year: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, sort_order=-2)
    #: Place in the tree on the days that the findings are about.
    path: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True, sort_order=-1)


class _Counted(_Placed):
    """What overviews show of a row, and under whom."""

    #: The last but one of ``path``; empty at the top.
    superior_id: Mapped[int | None]
    #: Number of findings by verdict, in the order of the verdicts' codes.
    totals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))


class _Judged(_Counted):
    """Findings packed; see :mod:`guiju.scoring.payload` for the bytes."""

    #: Sum of what the row says: equal digests, equal rows.
    digest: Mapped[int]
    sections: Mapped[bytes]
    verdicts: Mapped[bytes]
    required: Mapped[bytes]
    observed: Mapped[bytes]
    dues: Mapped[bytes]
    notes: Mapped[bytes]
    evidence: Mapped[bytes]
    alternatives: Mapped[bytes]


class OrganizationFindings(_Judged, Base):
    """All findings about an organization itself."""

    __tablename__ = "organization_findings"

    __table_args__ = (
        sa.Index("ix_organization_findings_superior", "tenant_id", "superior_id", "year"),
    )


class _Excepted(_Judged):
    """Findings about many subjects: those not met one by one, all of them as counts."""

    subjects: Mapped[bytes]
    counts: Mapped[bytes]


class _Punctual:
    """How many of the findings about organizations are met by records made late."""

    late: Mapped[int] = mapped_column(sa.Integer, server_default="0")


class RecordFindings(_Punctual, _Excepted, Base):
    """Findings about single occasions, talks, reports and the like of an organization.

    The counts are of its members' findings as well, and of its own that are met late.
    """

    __tablename__ = "record_findings"

    __table_args__ = (sa.Index("ix_record_findings_superior", "tenant_id", "superior_id", "year"),)


class MemberFindings(_Excepted, Base):
    """Findings about the members of an organization; restricted.

    Findings that rest on matters of discipline are here as well, whatever they are about.
    """

    __tablename__ = "member_findings"

    __table_args__ = (
        sa.Index("ix_member_findings_superior", "tenant_id", "superior_id", "year"),
        {"info": {"restricted": True}},
    )


class Rollup(_Punctual, _Counted, Base):
    """Counts of an organization with all that is below it; only where something is below."""

    __tablename__ = "rollups"

    #: Number of findings by rule, period and verdict.
    counts: Mapped[bytes]

    __table_args__ = (sa.Index("ix_rollups_superior", "tenant_id", "superior_id", "year"),)


class Attention(_Placed, Base):
    """What is not simply met of an organization; one entry for each in all three lists."""

    __tablename__ = "attention"

    #: Number of entries by verdict, in the order of the verdicts' codes.
    totals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    #: Sum of what the row says: equal digests, equal rows.
    digest: Mapped[int]
    #: The earliest of ``dues``.
    due: Mapped[date]
    #: Number of the rule times 16 plus the period's place in its year.
    cells: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    verdicts: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    #: :data:`NOT_DUE` where nothing is due.
    dues: Mapped[list[date]] = mapped_column(ARRAY(sa.Date))

    __table_args__ = (
        sa.Index("ix_attention_path", "tenant_id", "path"),
        sa.Index("ix_attention_due", "tenant_id", "due"),
    )


class ScoringRun(TenantRow, Base):
    """One scoring of a tenant: the job's log, and its progress while it lasts."""

    __tablename__ = "scoring_runs"

    #: Why it was started, for the log.
    reason: Mapped[str]
    #: The day that it judges by.
    as_of: Mapped[date]
    #: Digest of what everything is judged by: packs, profiles, settings, day.
    basis: Mapped[str]
    #: Whether the whole tenant is judged.
    complete: Mapped[bool]
    stage: Mapped[str]
    #: Organizations to judge, judged, and with findings other than before.
    total: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    done: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    changed: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    started_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]

    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_scoring_runs_tenant_id"),
        sa.Index("ix_scoring_runs_finished_at", "tenant_id", "finished_at"),
    )
