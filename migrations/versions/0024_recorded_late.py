"""Count what is met by records that were made late."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Filled by the next scoring, as everything about findings is.
    for table in ("record_findings", "rollups"):
        op.add_column(table, sa.Column("late", sa.Integer(), nullable=False, server_default="0"))
