"""Tables made from the facts tables: one definition for documents, engine and storage.

:mod:`guiju.rules.tables` says which columns a facts table has.  What is stored differs in
form only: the author's own id is ``code``, a reference ``parent`` is ``parent_id`` (the
number of a row of the same tenant), a list of codes is a bit mask (:mod:`guiju.db.codes`).
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from guiju.db.models import metadata, reference
from guiju.db.scope import current_tenant_id
from guiju.rules import tables

#: The columns that make a row of a table without ids of its own the same row when it is
#: brought again.  Where they are all its columns, a repeated row says nothing new.
IDENTITY: dict[str, tuple[str, ...]] = {
    "members": ("id", "from_on"),
    "posts": ("person", "organization", "post", "from_on", "oversees"),
    "attendance": ("occasion", "person", "person_class"),
    "agenda": ("occasion", "item"),
    "documents": tuple(tables.columns("documents")),
    "steps": ("occasion", "step", "done_on", "start_minute", "person", "recipient"),
    "votes": ("occasion", "item"),
    "appraisals": (
        "organization",
        "year",
        "subject_type",
        "person",
        "cycle",
        "decided_by",
        "proposed",
    ),
    "disciplinary_steps": ("case", "person", "step", "taken_on"),
    "dues_bases": ("person", "year"),
    "dues": ("person", "month"),
    "training": ("person", "held_on", "organizer", "occasion"),
    "terms": ("organization", "elected_on"),
    "vacancies": ("organization", "post", "vacant_on"),
    "foundings": ("organization", "kind", "decided_on", "approved_on"),
    "register": ("organization", "item", "since_on", "person", "value", "target"),
    "commitments": ("person", "year"),
    "attestations": ("organization", "period"),
    "judgements": ("organization", "requirement", "part", "subject_type", "subject", "period"),
    "settings": ("key",),
}

#: Columns stored under another name than the rule gives, or elsewhere (None).
_STORED: dict[tuple[str, str], str | None] = {
    ("members", "id"): "person_id",
    # A name belongs to the person, not to a membership.
    ("members", "name"): None,
    # What the author states; ``expected`` and the others hold it or what the roster gives.
    ("occasions", "expected"): "given_expected",
    ("occasions", "present"): "given_present",
    ("occasions", "voting_expected"): "given_voting_expected",
    ("occasions", "voting_present"): "given_voting_present",
}

_TYPES: dict[str, type[sa.types.TypeEngine[Any]] | sa.types.TypeEngine[Any]] = {
    "key": sa.Text,
    "ref": sa.BigInteger,
    "refs": postgresql.ARRAY(sa.BigInteger),
    "day": sa.Date,
    "flag": sa.Boolean,
    "count": sa.Integer,
    "text": sa.Text,
    "period": sa.Text,
    "code": sa.Text,
    "codes": sa.BigInteger,
}


def stored_name(table: str, column: str) -> str | None:
    """The stored column that an author's ``column`` goes to; None where another table has it."""
    if (table, column) in _STORED:
        return _STORED[table, column]
    kind = tables.columns(table)[column].metadata["kind"]
    return {"key": "code", "ref": f"{column}_id", "refs": f"{column}_ids"}.get(kind, column)


def identity(table: str) -> tuple[str, ...]:
    """The stored columns, beside the tenant, by which a row brought again is recognized."""
    if table not in IDENTITY:
        return ("code",)
    return tuple(str(stored_name(table, column)) for column in IDENTITY[table])


def facts_table(name: str, *extra: sa.schema.SchemaItem, bulky: bool = False) -> sa.Table:
    """The table that stores the facts table ``name``, with columns and constraints of its own.

    A ``bulky`` table has neither numbers of its own nor foreign keys: checking those takes
    three quarters of the time of loading it.
    """
    items: list[sa.schema.SchemaItem] = [
        sa.Column(
            "tenant_id",
            sa.BigInteger,
            primary_key=not bulky,
            autoincrement=False,
            nullable=False,
            default=current_tenant_id,
        )
    ]
    if not bulky:
        items.append(sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True))
    for column, field in tables.columns(name).items():
        stored = stored_name(name, column)
        if stored is None:
            continue
        kind, required = field.metadata["kind"], field.required
        if kind == "codes":
            items.append(sa.Column(stored, _TYPES[kind], nullable=False, server_default="0"))
        else:
            items.append(sa.Column(stored, _TYPES[kind], nullable=not required))
        if kind == "ref" and not bulky:
            items.append(_reference(name, stored, str(field.metadata["target"])))
    # The author's ids are never blank; the columns that stand in for them may be.
    blanks: dict[str, Any] = {"postgresql_nulls_not_distinct": True} if name in IDENTITY else {}
    items.append(
        sa.UniqueConstraint("tenant_id", *identity(name), name=f"uq_{name}_identity", **blanks)
    )
    info = {"restricted": True} if tables.TABLES[name].restricted else {}
    return sa.Table(name, metadata, *items, *extra, info=info)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    # What belongs to an occasion goes with it.
    part = column == "occasion_id" and "occasion" in IDENTITY.get(table, ())[:1]
    return reference(column, target, ondelete="CASCADE" if part else None)
