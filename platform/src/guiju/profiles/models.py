"""Tables of what was changed about profiles, and of what a change would do."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow, reference
from guiju.db.scope import current_tenant_id


class ProfileChange(TenantRow, Base):
    """One change of an organization's terms; ``before`` and ``after`` are all of them then."""

    __tablename__ = "profile_changes"

    organization_id: Mapped[int]
    #: Name of the action in the audit trail, e.g. ``profile.enable``.
    action: Mapped[str]
    #: Terms as :meth:`guiju.profiles.terms.Term.as_json` has them.
    before: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    after: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: The change that this one takes back.
    undoes_id: Mapped[int | None]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("undoes_id", "profile_changes"),
        sa.Index("ix_profile_changes_organization_id", "tenant_id", "organization_id"),
    )


class ProfilePreview(TenantRow, Base):
    """What a change would do to the findings about the organizations that it concerns.

    Tied to what it saw: ``basis`` is a digest of what everything is judged by at present,
    ``newest_mark`` the last change of records that it knows of.
    """

    __tablename__ = "profile_previews"

    organization_id: Mapped[int]
    action: Mapped[str]
    before: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    after: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    as_of: Mapped[date]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    #: The job that makes it; empty where it was made at once.
    job_id: Mapped[int | None]
    basis: Mapped[str | None]
    newest_mark: Mapped[int | None]
    #: When its records were read.
    taken_at: Mapped[datetime | None]
    #: Counts and rules, see :class:`guiju.profiles.previews.Summary`; empty until it is made.
    summary: Mapped[dict[str, Any] | None]
    #: The change that came of it.
    change_id: Mapped[int | None]

    __table_args__ = (
        reference("organization_id", "organizations"),
        reference("change_id", "profile_changes"),
        sa.Index("ix_profile_previews_organization_id", "tenant_id", "organization_id"),
    )


class PreviewRow(Base):
    """An organization whose findings a previewed change would alter.

    ``rules`` (places in the summary's list), ``from_verdicts``, ``to_verdicts`` (codes, -1 for
    what is not judged) and ``numbers`` (of findings) belong together entry by entry.
    """

    __tablename__ = "profile_preview_rows"

    tenant_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=current_tenant_id
    )
    preview_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Findings that change.
    changed: Mapped[int]
    rules: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    from_verdicts: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    to_verdicts: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    numbers: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))

    __table_args__ = (
        reference("preview_id", "profile_previews", ondelete="CASCADE"),
        reference("organization_id", "organizations", ondelete="CASCADE"),
    )
