"""Tables of decisions and of what follows from them."""

import sqlalchemy as sa

from guiju.db.facts_tables import facts_table

appraisals = facts_table("appraisals")
rectifications = facts_table(
    "rectifications",
    sa.Index("ix_rectifications_organization", "tenant_id", "organization_id", "opened_on"),
)
#: Restricted: shows only in a scope that asked for it.
disciplinary_steps = facts_table(
    "disciplinary_steps",
    sa.Index("ix_disciplinary_steps_organization", "tenant_id", "organization_id"),
)
judgements = facts_table("judgements")
