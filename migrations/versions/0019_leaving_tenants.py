"""Tenants that leave: a day to be deleted on, and the one way to delete them."""

import sqlalchemy as sa
from alembic import op

from guiju.config import APP_ROLE

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The application cannot delete what is written once, so this runs with its owner's rights,
# and asks again whether the time has come.  All rows go in one statement, at whose end the
# references are checked.
_DELETE = """
CREATE FUNCTION delete_due_tenant(leaving bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    parts text;
BEGIN
    PERFORM set_config('guiju.operator', 'on', true);
    PERFORM FROM public.tenants
        WHERE id = leaving AND state = 'suspended' AND delete_on <= now() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % is not due to be deleted', leaving;
    END IF;
    PERFORM set_config('guiju.tenant', leaving::text, true);
    PERFORM set_config('guiju.restricted', 'on', true);
    SELECT string_agg(
        format('%I AS (DELETE FROM public.%I WHERE tenant_id = $1)', 'd_' || c.relname, c.relname),
        ', '
    ) INTO parts
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
        AND a.attname = 'tenant_id' AND NOT a.attisdropped;
    EXECUTE 'WITH ' || parts || ' DELETE FROM public.tenants WHERE id = $1' USING leaving;
    PERFORM set_config('guiju.tenant', '', true);
    PERFORM set_config('guiju.restricted', '', true);
END
$$
"""

# Rows that arrive with numbers of their own: new ones get higher numbers.
_ADVANCE = """
CREATE FUNCTION advance_numbers() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    name text;
    sequence text;
    highest bigint;
BEGIN
    FOR name, sequence IN
        SELECT c.relname, pg_get_serial_sequence('public.' || quote_ident(c.relname), 'id')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            AND a.attname = 'id' AND a.attidentity <> ''
    LOOP
        EXECUTE format('SELECT coalesce(max(id), 0) FROM public.%I', name) INTO highest;
        PERFORM setval(sequence, greatest(nextval(sequence), highest));
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.add_column("tenants", sa.Column("delete_on", sa.DateTime(timezone=True), nullable=True))
    # For the owner of the tables, where row-level security holds for it too.
    op.execute("CREATE POLICY removal ON tenants FOR DELETE USING (delete_on <= now())")
    op.execute(_DELETE)
    op.execute(_ADVANCE)
    for function in ("delete_due_tenant(bigint)", "advance_numbers()"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {APP_ROLE}")
