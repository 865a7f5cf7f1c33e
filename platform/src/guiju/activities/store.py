"""Storing facts: any number of rows of any tables, all or nothing, the same twice a no-op.

Rows have the shape of the facts tables (:mod:`guiju.rules.tables`): references are the
author's ids.  One record from a form and a workbook of a whole city take the same way.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import orm

# Imported for their tables, which facts are stored in.
import guiju.appraisals.models
import guiju.tenancy.models  # noqa: F401
from guiju.activities import counts
from guiju.activities.models import Occasion
from guiju.activities.payloads import PARTS
from guiju.db.arrays import any_of
from guiju.db.arrow_rows import Numbers, Rows, as_arrow, resolved
from guiju.db.codes import bits, masked_vocabularies
from guiju.db.copying import FEW, count_anew, new_numbers, numbers_of
from guiju.db.facts_tables import identity
from guiju.db.merge import Journal, Merged, Repeated, merge
from guiju.db.models import metadata
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations import tree
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Member, Organization, Person
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

#: Tables whose rows others refer to; new rows get their numbers before they are written.
_TARGETS = ("organizations", "people", "occasions")

#: So many new rows make what the database knows of a table out of date.
_MANY = 5_000

#: The columns that lead from a written row to the organizations it concerns.
TRACES: dict[str, tuple[str, ...]] = {
    "organizations": ("id", "parent_id"),
    "members": ("organization_id", "group_id"),
    "occasions": ("id", "organization_id"),
    "documents": ("occasion_id", "organization_id"),
    "inspections": ("by_id", "target_id"),
    "settings": (),
    **dict.fromkeys(("attendance", "agenda", "steps", "votes"), ("occasion_id",)),
    **dict.fromkeys(("training", "dues_bases", "dues", "commitments"), ("person_id",)),
}


@dataclass
class Stored:
    """What storing changed."""

    #: New and changed rows by table; tables without either are left out.
    inserted: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    #: Numbers of the organizations marked for judging.
    organizations: set[int] = field(default_factory=set)
    #: Numbers of the organizations that the rows themselves are of.
    owners: set[int] = field(default_factory=set)
    #: Numbers of the occasions that the rows are, or are parts of.
    occasions: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.inserted or self.updated)


def store(
    session: AnySession,
    facts: Mapping[str, Rows],
    reason: str,
    *,
    journal: Journal | None = None,
    done: Callable[[str], None] | None = None,
    known: Mapping[str, Mapping[str, int | None]] | None = None,
) -> Stored:
    """Write ``facts``, derive what follows from them, and mark whom they concern.

    Part of the caller's transaction.  What is written is noted in a ``journal``; ``done`` is
    told the tables as they are written.  ``known`` are numbers by table and code that need not
    be looked up, None where the code stands for no row yet.  Raises ``BadInput`` with every
    unknown column, reference and code, or with the rows that contradict each other; the caller
    rolls back.
    """
    found = _read(facts)
    known = known or {}
    numbers = {t: _numbers(session, t, found, known.get(t, {})) for t in _TARGETS}
    rows = _resolve(session, found, numbers)
    merged: dict[str, Merged] = {}
    for name, parts in rows.items():
        if name == "occasions":
            # By now the roster is there, and nothing else can be known of new occasions.
            parts = _counted(session, rows, numbers["occasions"])  # noqa: PLW2901
        merged[name] = _merge(session, name, parts, numbers, journal)
        if name in _TARGETS and merged[name].inserted > _MANY:
            count_anew(session, name)
        if name == "organizations":
            settle_tree(session)
        if name == "members":
            check_memberships(session, merged["members"])
        if done is not None:
            done(name)
    return follow(session, merged, reason, counted=_counted_before(merged, numbers["occasions"]))


def follow(
    session: AnySession,
    merged: Mapping[str, Merged],
    reason: str,
    *,
    counted: Collection[int] = (),
) -> Stored:
    """Derive what follows from rows written or removed, and mark whom they concern.

    ``merged`` are traces of the rows by table, ``counted`` occasions derived already.
    """
    occasions = _touched_occasions(session, merged)
    counts.derive(session, occasions - set(counted))
    stored = Stored(
        {name: done.inserted for name, done in merged.items() if done.inserted},
        {name: done.updated for name, done in merged.items() if done.updated},
        _touched_organizations(session, merged, occasions),
        _owners(session, merged),
        _gathered(merged, ("occasions",), ("id",)) | _gathered(merged, PARTS, ("occasion_id",)),
    )
    _mark(session, merged, stored, reason)
    return stored


# -- what is brought -----------------------------------------------------------


def _read(facts: Mapping[str, Rows]) -> dict[str, pa.Table]:
    """The tables that have rows, as Arrow."""
    problems: list[Problem] = []
    found: dict[str, pa.Table] = {}
    for name, rows in facts.items():
        try:
            found[name] = as_arrow(name, rows)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return {name: rows for name, rows in found.items() if rows.num_rows}


def _numbers(
    session: AnySession,
    target: str,
    found: Mapping[str, pa.Table],
    known: Mapping[str, int | None],
) -> Numbers:
    """The numbers of all rows of ``target`` that the facts name or bring."""
    own = pc.unique(found[target]["id"]) if target in found else pa.array([], pa.string())
    named = _named(target, own, found)
    table = metadata.tables[target]
    unknown = named.filter(pc.invert(pc.is_in(named, value_set=pa.array([*known], pa.string()))))
    numbers = numbers_of(session, table, unknown if known else named)
    there = {code: number for code, number in known.items() if number is not None}
    numbers.add(pa.array([*there], pa.string()), pa.array([*there.values()], pa.int64()))
    # Whoever is named is a person; organizations and occasions have rows of their own.
    new = numbers.missing(named if target == "people" else own)
    numbers.add(new, new_numbers(session, table, len(new)))
    return numbers


def _named(target: str, own: pa.Array, found: Mapping[str, pa.Table]) -> pa.Array:
    columns = [own]
    for name, rows in found.items():
        for column, definition in tables.columns(name).items():
            if column in rows.column_names and definition.metadata.get("target") == target:
                values = rows[column]
                if pa.types.is_list(values.type):
                    values = pc.list_flatten(values)
                columns.append(pc.unique(values))
    return pc.unique(pa.chunked_array(columns, pa.string())).drop_null()


def _resolve(
    session: AnySession, found: Mapping[str, pa.Table], numbers: Mapping[str, Numbers]
) -> dict[str, list[pa.Table]]:
    """What to merge into which table, in an order in which targets come first."""
    known_bits = {name: bits(session, name) for name in masked_vocabularies()}
    problems: list[Problem] = []
    rows: dict[str, pa.Table] = {}
    for name, brought in found.items():
        try:
            rows[name] = resolved(name, brought, numbers, known_bits)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    parts = {"people": _people(numbers["people"], found.get("members"))}
    for name in sorted(rows, key=list(tables.TABLES).index):
        if name in _TARGETS:
            ids = numbers[name].of(rows[name]["code"])
            rows[name] = rows[name].append_column("id", ids)
        parts[name] = [rows[name]]
    if "organizations" in rows:
        parts["organizations"] = _rooted(session, rows["organizations"], numbers["organizations"])
    return parts


def _people(people: Numbers, members: pa.Table | None) -> list[pa.Table]:
    """Everybody whom the roster names, then all others; a blank takes no name away."""
    if members is None or "name" not in members.column_names:
        named = pa.table({"id": people.new.slice(0, 0), "name_last": people.new.slice(0, 0)})
    else:
        named = members.select(["id", "name"]).filter(members["name"].is_valid())
        # Of several memberships of a person the last says the name.
        named = named.group_by("id", use_threads=False).aggregate([("name", "last")])
    others = people.new.filter(pc.invert(pc.is_in(people.new, value_set=named["id"])))
    return [
        pa.table({"code": named["id"], "id": people.of(named["id"]), "name": named["name_last"]}),
        pa.table({"code": others, "id": people.of(others)}),
    ]


def _rooted(session: AnySession, rows: pa.Table, numbers: Numbers) -> list[pa.Table]:
    """Organizations without a superior come under the tenant's root."""
    root = session.scalars(sa.select(Organization.id).where(Organization.parent_id.is_(None))).one()
    if "parent_id" in rows.column_names:
        blank = pc.and_(rows["parent_id"].is_null(), pc.not_equal(rows["id"], root))
        parents = pc.if_else(blank, pa.scalar(root, pa.int64()), rows["parent_id"])
        place = rows.column_names.index("parent_id")
        return [rows.set_column(place, "parent_id", parents)]
    is_new = pc.is_in(rows["code"], value_set=numbers.new)
    new = rows.filter(is_new)
    parents = pa.array([root] * new.num_rows, pa.int64())
    return [new.append_column("parent_id", parents), rows.filter(pc.invert(is_new))]


# -- writing -------------------------------------------------------------------


def _counted(
    session: AnySession, rows: Mapping[str, list[pa.Table]], numbers: Numbers
) -> list[pa.Table]:
    """Occasions in two parts: many new ones with their derived columns, and the others."""
    (occasions,) = rows["occasions"]
    if len(numbers.new) <= FEW:
        return [occasions]
    is_new = pc.is_in(occasions["code"], value_set=numbers.new)
    papers = (rows.get(name, [None])[0] for name in ("attendance", "documents"))
    return [
        counts.counted(session, occasions.filter(is_new), *papers),
        occasions.filter(pc.invert(is_new)),
    ]


def _counted_before(merged: Mapping[str, Merged], numbers: Numbers) -> set[int]:
    if "occasions" not in merged or len(numbers.new) <= FEW:
        return set()
    return set(numbers.of(numbers.new).to_pylist())


def _merge(
    session: AnySession,
    name: str,
    parts: list[pa.Table],
    numbers: Mapping[str, Numbers],
    journal: Journal | None,
) -> Merged:
    table = metadata.tables[name]
    keys = ("code",) if name == "people" else identity(name)
    traces = () if name == "people" else TRACES.get(name, ("organization_id",))
    done = Merged(traces={trace: set() for trace in traces})
    for part in parts:
        fresh = _fresh(name, part, numbers)
        for chosen in (fresh, ~fresh):
            rows = part if chosen.all() else part.filter(pa.array(chosen))
            try:
                done += merge(session, table, keys, rows, traces, journal, fresh=chosen is fresh)
            except Repeated as error:
                places = np.flatnonzero(chosen)[error.rows].tolist()
                raise BadInput(
                    Problem(f"/{name}/{row}", _("与前面的一行重复"), _("每行只写一次"), "repeated")
                    for row in places
                ) from error
    return done


def _fresh(name: str, rows: pa.Table, numbers: Mapping[str, Numbers]) -> NDArray[np.bool_]:
    """Which of many rows cannot be there yet: what they belong to is about to be written.

    Few are looked for as quickly.
    """
    found = np.zeros(rows.num_rows, dtype=np.bool_)
    if rows.num_rows <= FEW:
        return found
    keys = ("id",) if name in _TARGETS else identity(name)
    for column, target in (("id", name), ("person_id", "people"), ("occasion_id", "occasions")):
        if column in keys:
            is_new = pc.is_in(rows[column], value_set=numbers[target].new_ids)
            found |= is_new.to_numpy()
    return found


def settle_tree(session: AnySession) -> None:
    """Bring paths up to date; raises ``BadInput`` for circles and for too many levels."""
    try:
        circle = tree.rebuild_paths(session)
    except tree.TooDeep as error:
        wanted = _("组织至多 {most} 级").format(most=tree.MOST_LEVELS)
        raise BadInput(
            Problem("/organizations", code, wanted, "tree_too_deep") for code in error.codes
        ) from error
    if circle:
        raise BadInput(
            Problem("/organizations", code, _("上级关系成环，应能逐级到达顶级组织"), "cycle")
            for code in circle
        )


def check_memberships(session: AnySession, merged: Merged) -> None:
    """Settle now that nobody is in two branches at once, rather than at the commit."""
    if not merged:
        return
    try:
        with session.begin_nested():
            session.execute(sa.text("SET CONSTRAINTS ex_members_one_at_a_time IMMEDIATE"))
    except sa.exc.IntegrityError as error:
        if not isinstance(error.orig, psycopg.errors.ExclusionViolation):
            raise
        wanted = _("同一时间只能在一个支部，请核对起止日期")
        raise BadInput(
            Problem("/members", code, wanted, "overlapping_membership")
            for code in session.scalars(_overlapping())
        ) from error


def _overlapping() -> sa.Select[str]:
    one, other = orm.aliased(Member), orm.aliased(Member)

    def days(spell: type[Member]) -> sa.ColumnElement[bool]:
        return sa.func.daterange(spell.from_on, spell.until_on, "[]")

    return (
        sa.select(Person.code)
        .distinct()
        .join(one, sa.and_(one.tenant_id == Person.tenant_id, one.person_id == Person.id))
        .join(
            other,
            sa.and_(
                other.tenant_id == one.tenant_id,
                other.person_id == one.person_id,
                other.id > one.id,
                days(one).bool_op("&&")(days(other)),
            ),
        )
        .order_by(Person.code)
    )


# -- what follows --------------------------------------------------------------


def _touched_occasions(session: AnySession, merged: Mapping[str, Merged]) -> set[int]:
    """The occasions whose counts or documents may be others now."""
    found = set(merged["occasions"].traces["id"]) if "occasions" in merged else set()
    for name in ("attendance", "documents"):
        if name in merged:
            found |= merged[name].traces["occasion_id"]
    rosters = _gathered(merged, ("members", "posts"), ("organization_id", "group_id"))
    return found | counts.occasions_of(session, rosters)


def _touched_organizations(
    session: AnySession, merged: Mapping[str, Merged], occasions: Collection[int]
) -> set[int]:
    """The organizations whose own records changed."""
    found = _gathered(merged, merged, ("organization_id", "group_id", "by_id", "target_id"))
    if "organizations" in merged:
        found |= merged["organizations"].traces["id"] | merged["organizations"].traces["parent_id"]
    occasions = {*occasions, *_gathered(merged, merged, ("occasion_id",))}
    found |= _holders(session, merged, occasions)
    people = _gathered(merged, merged, ("person_id",))
    return found | _places(session, Member.organization_id, Member.person_id, people)


def _places(session: AnySession, place: Any, key: Any, numbers: set[int]) -> set[int]:
    """The organizations of the rows of these numbers."""
    if not numbers:
        return set()
    return set(session.scalars(sa.select(place).where(any_of(key, numbers)).distinct()))


def _owners(session: AnySession, merged: Mapping[str, Merged]) -> set[int]:
    """The organizations whose rows were written, superiors and people's branches left out."""
    found = _gathered(merged, merged, ("organization_id", "by_id"))
    found |= _gathered(merged, ("organizations",), ("id",))
    return found | _holders(session, merged, _gathered(merged, merged, ("occasion_id",)))


def _holders(session: AnySession, merged: Mapping[str, Merged], occasions: set[int]) -> set[int]:
    """The organizations of occasions; those that were written have left theirs as a trace."""
    written = _gathered(merged, ("occasions",), ("id",))
    return _places(session, Occasion.organization_id, Occasion.id, occasions - written)


def _gathered(
    merged: Mapping[str, Merged], names: Iterable[str], columns: Iterable[str]
) -> set[int]:
    return set().union(
        *(
            merged[name].traces.get(column, ())
            for name in names
            if name in merged
            for column in columns
        )
    )


def _mark(session: AnySession, merged: Mapping[str, Merged], stored: Stored, reason: str) -> None:
    # Sectors and superiors are inherited; settings hold for everybody.
    inherited = set(merged["organizations"].traces["id"]) if "organizations" in merged else set()
    if merged.get("settings"):
        inherited |= set(
            session.scalars(sa.select(Organization.id).where(Organization.parent_id.is_(None)))
        )
    mark_dirty(session, inherited, reason, subtree=True)
    mark_dirty(session, stored.organizations - inherited, reason)
    stored.organizations |= inherited
