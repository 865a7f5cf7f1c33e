"""Let a large import have the tables counted that it refers to."""

from alembic import op

from guiju.config import APP_ROLE

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Only an owner may ANALYZE.  The foreign keys of rows about to be written are checked one by
# one, by a plan made from the statistics, which after a first or a withdrawn import say that
# there is nothing to look through.
_COUNT_ANEW = """
CREATE FUNCTION count_anew(counted regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF counted NOT IN ('people'::regclass, 'organizations'::regclass, 'occasions'::regclass) THEN
        RAISE EXCEPTION 'count_anew: not a table that imports refer to: %', counted;
    END IF;
    EXECUTE format('ANALYZE %s', counted);
END
$$
"""


def upgrade() -> None:
    op.execute(_COUNT_ANEW)
    op.execute("REVOKE EXECUTE ON FUNCTION count_anew(regclass) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION count_anew(regclass) TO {APP_ROLE}")
