"""Indexes by which the database finds what refers to people who are removed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_posts_person", "posts", ["tenant_id", "person_id"], unique=False)
    for role in ("chair", "lecturer"):
        op.create_index(
            f"ix_occasions_{role}",
            "occasions",
            ["tenant_id", f"{role}_id"],
            unique=False,
            postgresql_where=sa.text(f"{role}_id IS NOT NULL"),
        )
