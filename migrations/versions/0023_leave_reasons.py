"""The kind of reason for which somebody had leave."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attendance", sa.Column("leave_reason", sa.Text(), nullable=True))
