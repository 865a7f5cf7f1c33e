"""Reviewers, and security administrators beside those of the system."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_user_roles_role"), "user_roles", type_="check")
    op.create_check_constraint(
        op.f("ck_user_roles_role"),
        "user_roles",
        "role IN ('administrator', 'security_administrator', 'recorder', 'reviewer', 'reader', "
        "'auditor')",
    )
