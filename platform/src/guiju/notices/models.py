"""Tables of notices to users and of how they want to be told."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow, reference
from guiju.db.scope import current_tenant_id

#: What notices are about; their words are made on reading, in the reader's language.
NOTICE_KINDS = (
    "due",
    "remind",
    "ask_reason",
    "rectify",
    "answered",
    "closed",
    "sent_back",
    "explained",
    "accepted",
    "declined",
    "decided",
    "reopened",
    "appealed",
    "upheld",
    "rejected",
)


class Notice(TenantRow, Base):
    """One thing that a user is told."""

    __tablename__ = "notices"

    user_id: Mapped[int]
    #: One of :data:`NOTICE_KINDS`.
    kind: Mapped[str]
    #: What it came of: the same is not told twice.
    key: Mapped[str]
    organization_id: Mapped[int]
    #: Values that its words are made of; nothing about single members.
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    read_at: Mapped[datetime | None]

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        reference("organization_id", "organizations"),
        sa.CheckConstraint(sa.column("kind").in_(NOTICE_KINDS), name="kind"),
        sa.UniqueConstraint("tenant_id", "user_id", "kind", "key"),
        sa.Index("ix_notices_user", "tenant_id", "user_id", "id"),
        sa.Index(
            "ix_notices_unread",
            "tenant_id",
            "user_id",
            postgresql_where=sa.text("read_at IS NULL"),
        ),
    )


class NoticeSetting(Base):
    """How a user wants to be told; without a row: by mail too, in Chinese."""

    __tablename__ = "notice_settings"

    tenant_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=current_tenant_id
    )
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    by_mail: Mapped[bool] = mapped_column(server_default=sa.true())
    #: One of :data:`guiju.language.CODES`.
    language: Mapped[str] = mapped_column(server_default="zh")
    #: Day of the last digest, and the last notice that was in one.
    digest_on: Mapped[date | None]
    digest_until: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (reference("user_id", "users", ondelete="CASCADE"),)
