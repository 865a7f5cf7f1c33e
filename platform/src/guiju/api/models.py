"""The table of creations that may be asked for again."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base, TenantRow, reference


class IdempotencyKey(TenantRow, Base):
    """A request under a key of the caller's own, with its answer once there is one.

    Kept for a day.  An answer that shows a secret is not kept, only that it was given.
    """

    __tablename__ = "idempotency_keys"

    user_id: Mapped[int]
    #: Method and path of the request.
    route: Mapped[str]
    key: Mapped[str]
    #: SHA-256 of the request, so that a key is not used for two.
    digest: Mapped[bytes]
    #: Empty while the request is being answered.
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        reference("user_id", "users", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "user_id", "route", "key"),
        sa.Index("ix_idempotency_keys_created_at", "tenant_id", "created_at"),
    )
