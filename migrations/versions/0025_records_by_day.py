"""The latest records of a large part of the tree are found without looking through all."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_occasions_day", "occasions", ["tenant_id", "held_on", "id"])


def downgrade() -> None:
    op.drop_index("ix_occasions_day", "occasions")
