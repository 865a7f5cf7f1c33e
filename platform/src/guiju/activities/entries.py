"""Facts that a unit records beside its meetings: talks, reports, dues, terms and the like.

An entry is one row of a facts table in :data:`ENTRIES`, with the author's ids.  It belongs to
the unit on whose page it was entered, or to somebody on that unit's roster.  Nothing here
keeps what was said or why: the tables have no column for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities import counts, payloads
from guiju.activities.access import NotVisible, demand, find_unit
from guiju.activities.known import refuse_unknown_names
from guiju.activities.store import store
from guiju.audit.operations import record
from guiju.db.authored import authored, select_authored
from guiju.db.facts_tables import IDENTITY, stored_name
from guiju.db.models import metadata
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.facts.places import pointer
from guiju.language import gettext as _
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Member, Organization, Person
from guiju.organizations.tree import within
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """What can be entered of a facts table.

    ``owner`` is the column that names the unit itself (None where rows are about persons
    alone), ``day`` the one that says when, ``implied`` those that name the unit besides.
    """

    columns: tuple[str, ...]
    day: str
    owner: str | None = "organization"
    implied: tuple[str, ...] = ()


#: Facts tables with entries, in the order in which a branch needs them.
ENTRIES: Final[Mapping[str, Entry]] = {
    "talks": Entry(
        (
            "held_on",
            "person",
            "partner",
            "partner_class",
            "participants",
            "mode",
            "occasion",
            "notified_on",
            "outline",
            "listed",
            "reminder",
            "requested",
        ),
        "held_on",
    ),
    "reports": Entry(
        (
            "kind",
            "filed_on",
            "recipient",
            "audience",
            "period",
            "occasion",
            "person",
            "owner_type",
            "matter",
            "source_ended_on",
            "requested_on",
            "decided_on",
            "urgent",
            "approved",
        ),
        "filed_on",
    ),
    "rectifications": Entry(
        (
            "opened_on",
            "owner_type",
            "person",
            "occasion",
            "source_ended_on",
            "measure",
            "commitment",
            "formalism",
            "participation",
            "opinion_linked",
            "due_on",
            "closed_on",
            "verified_by",
            "published_on",
        ),
        "opened_on",
    ),
    "appraisals": Entry(
        (
            "subject_type",
            "organization",
            "person",
            "year",
            "cycle",
            "grade",
            "proposed",
            "decided_on",
            "ended_on",
            "occasion",
            "participated",
            "exempt_by",
            "inputs",
            "human_assessment",
            "filed_on",
            "filed_to",
            "publicised_on",
            "file_noted",
        ),
        "decided_on",
        implied=("decided_by",),
    ),
    "dues": Entry(("person", "month", "due_amount", "paid_amount", "paid_on"), "paid_on", None),
    "dues_bases": Entry(("person", "year", "fixed_on", "amount"), "fixed_on", None),
    "training": Entry(
        ("person", "held_on", "tenths", "concentrated", "occasion", "secretaries"),
        "held_on",
        None,
        implied=("organizer",),
    ),
    "commitments": Entry(
        ("person", "year", "promised_on", "entries", "rules", "reviewed_on"), "promised_on", None
    ),
    "register": Entry(
        ("item", "since_on", "until_on", "person", "value", "number", "target", "version"),
        "since_on",
    ),
    "documents": Entry(("kind", "kept_on", "period", "person", "case", "nil"), "kept_on"),
    "terms": Entry(
        (
            "elected_on",
            "ends_on",
            "reminded_on",
            "requested_on",
            "next_elected_on",
            "shift_approved_on",
        ),
        "elected_on",
    ),
    "vacancies": Entry(("post", "vacant_on", "filled_on"), "vacant_on"),
    "foundings": Entry(
        (
            "kind",
            "condition_lost_on",
            "direct",
            "applied_on",
            "decided_on",
            "decided_by",
            "agreed_on",
            "approved_on",
            "approved_by",
            "elected_on",
            "filed_on",
        ),
        "decided_on",
    ),
    "inspections": Entry(
        (
            "kind",
            "target",
            "done_on",
            "occasion",
            "person",
            "partner",
            "reported_on",
            "reported_to",
            "due_on",
        ),
        "done_on",
        "by",
    ),
    "disciplinary_steps": Entry(
        ("case", "person", "step", "taken_on", "decided_by", "document"), "taken_on"
    ),
}

#: Days that may lie ahead; all others say what was done.
_AHEAD = frozenset({"due_on", "ends_on", "until_on"})
#: Days that come later than the row: a grade may be proposed, dues be owed.
_LATER = frozenset({"decided_on", "paid_on", "promised_on"})


def is_restricted(table: str) -> bool:
    """Whether a table opens only in a scope that was asked for by name."""
    return tables.TABLES[table].restricted


def entries_of(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    table: str,
    *,
    limit: int,
    earlier_than: int | None = None,
) -> list[tuple[int, Row]]:
    """The unit's latest entries with their numbers, for who may see people.

    ``earlier_than`` is the number before which the list goes on.
    """
    unit = find_unit(session, visitor, organization_id)
    demand(visitor, "people.read", unit.path)
    stored = metadata.tables[table]
    query = select_authored(table).add_columns(stored.c.id.label("_number"))
    query = query.where(_of(table, unit)).order_by(stored.c.id.desc()).limit(limit)
    if earlier_than is not None:
        query = query.where(stored.c.id < earlier_than)
    rows = [dict(row) for row in session.execute(query).mappings()]
    numbers = [row.pop("_number") for row in rows]
    return list(zip(numbers, authored(session, table, rows), strict=True))


def entry_of(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    table: str,
    number: int,
    *,
    lock: bool = False,
) -> Row:
    """One of the unit's entries, for who may see people.

    ``lock`` keeps others from changing it until the transaction ends.
    """
    unit = find_unit(session, visitor, organization_id)
    demand(visitor, "people.read", unit.path)
    return _found(session, unit, table, number, lock=lock)


def save_entry(
    session: AnySession,
    visitor: Visitor,
    vocabularies: payloads.Codes,
    organization_id: int,
    table: str,
    given: Mapping[str, Any],
    *,
    today: date,
    number: int | None = None,
) -> int:
    """Enter a row, or replace the unit's row of this ``number``; returns its number.

    ``given`` has the columns of the table's :class:`Entry` by name, ``vocabularies`` are the
    codes that packs add.  What is entered again replaces what was entered first.  A corrected row
    keeps its number and what is not asked for: who decided, the occasion it belongs to.  Raises
    ``BadInput``, placed by column.
    """
    unit = find_unit(session, visitor, organization_id, "records.write")
    entry = ENTRIES[table]
    with transaction(session):
        before = None if number is None else _found(session, unit, table, number)
        row = payloads.load_row(table, _completed(table, unit, given), vocabularies)
        if before is not None:
            row |= {name: before[name] for name in row if name not in entry.columns}
        _refuse_days(entry, row, today)
        _refuse_names(session, visitor, unit, table, row, before)
        same = _number_of(session, unit, table, row)
        if number is not None:
            if same not in {None, number}:
                wanted = _("已有这一项，请更正或删去原来的那一项")
                raise BadInput([Problem(pointer(entry.day), str(row[entry.day]), wanted, "taken")])
            _delete(session, table, number, f"{table}.enter")
        elif same is not None:
            before = _found(session, unit, table, same)
        try:
            store(session, {table: [row]}, f"{table}.enter")
        except BadInput as refused:
            raise BadInput([_by_column(problem) for problem in refused.problems]) from None
        made = _number_of(session, unit, table, row)
        assert made is not None, "stored just now"
        if number is not None:
            _renumber(session, table, made, number)
        mark_dirty(session, [unit.id], f"{table}.enter")
        _write_down(session, visitor, "entry.record", table, unit, before, row)
    return made if number is None else number


def remove_entry(
    session: AnySession, visitor: Visitor, organization_id: int, table: str, number: int
) -> None:
    """Take the unit's row of this number out again."""
    unit = find_unit(session, visitor, organization_id, "records.write")
    with transaction(session):
        before = _found(session, unit, table, number)
        _delete(session, table, number, f"{table}.remove")
        mark_dirty(session, [unit.id], f"{table}.remove")
        _write_down(session, visitor, "entry.remove", table, unit, before, None)


def _of(table: str, unit: Organization) -> sa.ColumnElement[bool]:
    """The condition on stored rows that they are the unit's."""
    stored, entry = metadata.tables[table], ENTRIES[table]
    if "decided_by" in entry.implied:
        return sa.or_(stored.c.organization_id == unit.id, stored.c.decided_by_id == unit.id)
    if entry.owner is not None:
        own: sa.ColumnElement[bool] = stored.c[str(stored_name(table, entry.owner))] == unit.id
        return own
    members = sa.select(Member.person_id).where(
        Member.tenant_id == current_tenant_id(), Member.organization_id == unit.id
    )
    return stored.c.person_id.in_(members)


def _found(
    session: AnySession, unit: Organization, table: str, number: int, *, lock: bool = True
) -> Row:
    """The unit's row of this number, as its author wrote it; locked against others."""
    stored = metadata.tables[table]
    mine = sa.select(stored.c.id).where(
        stored.c.tenant_id == current_tenant_id(), stored.c.id == number, _of(table, unit)
    )
    if lock:
        mine = mine.with_for_update()
    if session.execute(mine).one_or_none() is None:
        raise NotVisible(f"{table} {number}")
    query = select_authored(table).where(stored.c.id == number)
    rows = [dict(row) for row in session.execute(query).mappings()]
    return authored(session, table, rows)[0]


def _number_of(session: AnySession, unit: Organization, table: str, row: Row) -> int | None:
    """The number of the unit's row that is the same one as ``row``, brought again."""
    stored = metadata.tables[table]
    written = (
        select_authored(table).add_columns(stored.c.id.label("_number")).where(_of(table, unit))
    ).subquery()
    same = [
        written.c[name].is_not_distinct_from(row[name]) for name in IDENTITY.get(table, ("id",))
    ]
    return session.execute(sa.select(written.c["_number"]).where(*same)).scalar_one_or_none()


def _renumber(session: AnySession, table: str, made: int, number: int) -> None:
    """Give a row that was corrected, and so stored anew, the number back that it had."""
    stored = metadata.tables[table]
    session.execute(
        sa.update(stored)
        .where(stored.c.tenant_id == current_tenant_id(), stored.c.id == made)
        .values(id=number)
    )


def _completed(table: str, unit: Organization, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, with what a new row has that the form does not ask for."""
    entry, columns = ENTRIES[table], tables.columns(table)
    row = {name: given.get(name) for name in entry.columns}
    if "id" in columns and columns["id"].metadata["kind"] == "key":
        row["id"] = f"{table[0]}{secrets.token_hex(8)}"
    own = [name for name in (entry.owner, *entry.implied) if name is not None]
    return {**row, **{name: row.get(name) or unit.code for name in own}}


def _refuse_days(entry: Entry, row: Row, today: date) -> None:
    problems = [
        Problem(pointer(name), str(value), _("还没有做，日期不能晚于今天"), "in_the_future")
        for name, value in row.items()
        if isinstance(value, date) and name not in _AHEAD and value > today
    ]
    if row[entry.day] is None and entry.day not in _LATER:
        problems.append(Problem(pointer(entry.day), "", _("请填写日期"), "missing_value"))
    if problems:
        raise BadInput(problems)


def _refuse_names(
    session: AnySession,
    visitor: Visitor,
    unit: Organization,
    table: str,
    row: Row,
    before: Row | None,
) -> None:
    trusted = {
        (target, code) for target, code, _place in payloads.row_references(table, before or {})
    }
    named = list(payloads.row_references(table, row))
    refuse_unknown_names(session, visitor, unit, named, trusted)
    entry = ENTRIES[table]
    if entry.owner is not None and row[entry.owner] != unit.code:
        _refuse_unit(session, visitor, unit, entry.owner, str(row[entry.owner]))
    if entry.owner is None:
        _refuse_stranger(session, unit, str(row["person"]))


def _refuse_unit(
    session: AnySession, visitor: Visitor, unit: Organization, column: str, code: str
) -> None:
    """The row of another unit than the visitor's below this one is not theirs to enter."""
    path = session.scalar(
        sa.select(Organization.__table__.c.path).where(
            Organization.tenant_id == current_tenant_id(),
            Organization.code == code,
            within(Organization.__table__.c.path, unit.path),
        )
    )
    if path is None or not visitor.may("records.write", path):
        raise BadInput([Problem(pointer(column), code, _("应为已有的组织"), "unknown_reference")])


def _refuse_stranger(session: AnySession, unit: Organization, person: str) -> None:
    """What is about a person alone is entered by the unit on whose roster they are or were."""
    known = session.scalar(
        sa.select(sa.func.count())
        .select_from(Member)
        .join(Person, sa.and_(Person.tenant_id == Member.tenant_id, Person.id == Member.person_id))
        .where(
            Member.tenant_id == current_tenant_id(),
            Member.organization_id == unit.id,
            Person.code == person,
        )
    )
    if not known:
        wanted = _("应为名册中的人员")
        raise BadInput([Problem(pointer("person"), person, wanted, "unknown_reference")])


def _delete(session: AnySession, table: str, number: int, reason: str) -> None:
    """Take a row out; whose it was is judged again."""
    stored, owner = metadata.tables[table], ENTRIES[table].owner
    gone = sa.delete(stored).where(stored.c.tenant_id == current_tenant_id(), stored.c.id == number)
    [row] = session.execute(gone.returning(stored)).mappings()
    if owner is not None:
        mark_dirty(session, [row[str(stored_name(table, owner))]], reason)
    if table == "documents" and row["occasion_id"] is not None:
        # Which documents an occasion has is kept on it.
        counts.derive(session, [row["occasion_id"]])


def _by_column(problem: Problem) -> Problem:
    """A problem of the storage (``/talks/0/person``) placed by its column."""
    column = problem.place.strip("/").rpartition("/")[2]
    return Problem(pointer(column), problem.found, problem.wanted, problem.code)


def _write_down(
    session: AnySession,
    visitor: Visitor,
    action: str,
    table: str,
    unit: Organization,
    before: Row | None,
    after: Row | None,
) -> None:
    """The entry in the trail; of a restricted table only that there was one."""
    told = [
        None if row is None else _told(table, row) | {"organization": unit.code}
        for row in (before, after)
    ]
    record(session, visitor.actor(), action, table, unit.code, before=told[0], after=told[1])


def _told(table: str, row: Row) -> Row:
    if is_restricted(table):
        return {"step": row.get("step")}
    return {name: value for name, value in row.items() if value is not None}
