"""Tables of what people decided about findings and asked of units.

Findings are made again and again, so nothing here points to one.  A matter is about
(organization, requirement, part, subject, period), which stays, and keeps a snapshot of what
was looked at.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow, reference

#: What becomes of a matter.  ``explained``: the unit gave its reason for a deviation, nobody
#: has answered; ``accepted`` and ``declined`` are the answers.  ``decided``: a verdict holds;
#: ``appealed``: it holds, and the unit objects.  ``open``: whatever there was is undone.
MATTER_STATES = ("open", "explained", "accepted", "declined", "decided", "appealed")

#: What can be done about a matter, in the log of its steps.
STEP_ACTIONS = (
    "explain",
    "accept",
    "decline",
    "decide",
    "reopen",
    "appeal",
    "uphold",
    "reject",
)

TASK_KINDS = ("remind", "ask_reason", "rectify")

#: A task is open until the unit has answered; what it answered is closed or sent back by who
#: asked.  A reminder wants no answer.
TASK_STATES = ("open", "answered", "closed", "undone")


class _AboutFinding:
    """What a finding is about, in words that outlive it."""

    #: The organization that answers for it.
    organization_id: Mapped[int]
    profile: Mapped[str]
    requirement: Mapped[str]
    part: Mapped[str | None]
    subject_type: Mapped[str]
    #: The author's id of the subject.
    subject: Mapped[str]
    #: Label of the period; empty where there is none.
    period: Mapped[str | None]


class Matter(TenantRow, _AboutFinding, Base):
    """A finding that somebody decided upon, or gave a reason for."""

    __tablename__ = "matters"

    #: Year, length in months and place in the year of ``period``, as stored findings have them.
    year: Mapped[int] = mapped_column(sa.SmallInteger)
    unit: Mapped[str | None]
    place: Mapped[int] = mapped_column(sa.SmallInteger)
    #: Whether it is about a member, or rests on matters of discipline: shown only in a
    #: restricted scope.
    about_people: Mapped[bool]
    #: One of :data:`MATTER_STATES`.
    state: Mapped[str]
    #: The verdict decided, while one holds.
    verdict: Mapped[str | None]
    #: The unit's reason for a deviation.
    explanation: Mapped[str | None]
    #: The reason of the decision, acceptance or refusal that holds.
    reason: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_by_id: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    #: Who gave the reason, or appealed, last: somebody else answers.
    raised_by_id: Mapped[int | None]
    #: What was decided upon (:mod:`guiju.decisions.snapshots`) and its digest.
    snapshot: Mapped[dict[str, Any] | None]
    basis: Mapped[str | None]
    #: Digest of the organization's findings when it was last seen that ``basis`` still holds.
    seen: Mapped[int | None]
    #: Whether the facts are others now than those decided upon.
    changed: Mapped[bool] = mapped_column(server_default=sa.false())
    #: Counts the steps, so that nobody answers what they have not seen.
    revision: Mapped[int] = mapped_column(sa.Integer, server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("decided_by_id", "users"),
        sa.UniqueConstraint(
            "tenant_id",
            "organization_id",
            "requirement",
            "part",
            "subject_type",
            "subject",
            "period",
            name="uq_matters_about",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint(sa.column("state").in_(MATTER_STATES), name="state"),
        sa.Index("ix_matters_state", "tenant_id", "state"),
        {"info": {"restricted_rows": "about_people"}},
    )


class MatterStep(TenantRow, Base):
    """Something that was done about a matter; written once, never changed."""

    __tablename__ = "matter_steps"

    matter_id: Mapped[int]
    about_people: Mapped[bool]
    #: One of :data:`STEP_ACTIONS`.
    action: Mapped[str]
    verdict: Mapped[str | None]
    text: Mapped[str]
    #: What was looked at.
    snapshot: Mapped[dict[str, Any] | None]
    user_id: Mapped[int | None]
    actor: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    __table_args__ = (
        reference("matter_id", "matters"),
        sa.CheckConstraint(sa.column("action").in_(STEP_ACTIONS), name="action"),
        sa.Index("ix_matter_steps_matter", "tenant_id", "matter_id", "id"),
        {"info": {"restricted_rows": "about_people"}},
    )


class Task(TenantRow, Base):
    """Something a superior asks of a unit about what falls short: never of a person."""

    __tablename__ = "tasks"

    #: One of :data:`TASK_KINDS`.
    kind: Mapped[str]
    #: Tasks made in one go, which can be undone in one go.
    batch: Mapped[str]
    #: The unit concerned.
    organization_id: Mapped[int]
    profile: Mapped[str]
    requirement: Mapped[str]
    part: Mapped[str | None]
    period: Mapped[str | None]
    #: What was written to the unit.
    text: Mapped[str | None]
    due_on: Mapped[date | None]
    #: One of :data:`TASK_STATES`.
    state: Mapped[str] = mapped_column(server_default="open")
    user_id: Mapped[int | None]
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    #: What the unit answered, who, when.
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    #: What was said when it was closed, sent back or undone, by whom, when.
    remark: Mapped[str | None]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("user_id", "users"),
        sa.CheckConstraint(sa.column("kind").in_(TASK_KINDS), name="kind"),
        sa.CheckConstraint(sa.column("state").in_(TASK_STATES), name="state"),
        sa.Index("ix_tasks_organization", "tenant_id", "organization_id", "state"),
        sa.Index("ix_tasks_batch", "tenant_id", "batch"),
    )
