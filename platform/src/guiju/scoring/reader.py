"""The facts of a tenant, or of some of its organizations, as the engine's columns.

Everything is read through ADBC in one snapshot, and of every table only the columns that
the rules read.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray
from sqlalchemy.dialects.postgresql.base import PGDialect

from guiju.activities.models import Occasion, attendance
from guiju.appraisals.models import judgements
from guiju.db.arrays import any_of
from guiju.db.codes import CodeBit
from guiju.db.facts_tables import stored_name
from guiju.db.models import metadata
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Member, Organization, OrganizationMove
from guiju.rules import tables
from guiju.rules.facts import VOCABULARIES, Facts
from guiju.rules.findings import CASE, SUBJECT_TABLES
from guiju.rules.footprints import owners
from guiju.rules.pack import Pack
from guiju.scoring import packing
from guiju.scoring.places import Move, Places
from guiju.tenancy.models import Setting

#: Vocabulary and code of every bit, in order.
CODE_BITS = sa.select(CodeBit.vocabulary, CodeBit.code).order_by(CodeBit.vocabulary, CodeBit.bit)

_DIALECT = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

Columns = Mapping[str, set[str]]
Ids = NDArray[np.int64]

#: Columns that the storage derives, under the same name in both.
_DERIVED = {
    ("occasions", name)
    for name in ("expected", "present", "voting_expected", "voting_present", "document_mask")
}
_KEYS = {
    name: {
        column for column, field in tables.columns(name).items() if field.metadata["kind"] == "key"
    }
    for name in tables.TABLES
}
settings: Any = Setting.__table__
#: Attendance has no numbers, and settings are no evidence.
_WITHOUT_NUMBER = {attendance.name, settings.name}
#: Pages of a table that are read at once (64 MiB).
_PART = 8192
#: From so many bytes on, what reading used on the way is given back: less is soon used again,
#: and memory that comes back from the system costs as much time as what is then done with it.
_MUCH = 1 << 28
#: Up to so many codes, finding one's position costs the database next to nothing.
_SHORT = 8
_ARROW_TYPES = {
    "key": pa.int64(),
    "ref": pa.int64(),
    "refs": pa.list_(pa.int64()),
    "codes": pa.int64(),
    "count": pa.int32(),
    "day": pa.date32(),
    "flag": pa.bool_(),
}
#: Judgements name their subjects by the authors' ids.
_JUDGEMENTS = {
    "requirement", "part", "organization", "subject_type", "subject", "period", "verdict",
    "judged_on",
}  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """The facts of one moment, and where their organizations stand."""

    facts: Facts
    places: Places


def read(
    connection: adbc.Connection,
    columns: Columns,
    packs: Mapping[str, Pack],
    organizations: Ids | None = None,
    *,
    whole: Collection[str] = (),
    second: adbc.Connection | None = None,
    facts: type[Facts] = Facts,
) -> Snapshot:
    """The ``columns`` of all organizations, or of those numbered in ``organizations``.

    Tables named in ``whole`` are read of all organizations in any case.
    ``connection`` is that of :func:`guiju.db.arrow_connection`; a ``second`` one, of
    :func:`guiju.db.engine.beside`, takes half of the work where there is much.  Rows come in
    the order of their organizations' numbers; occasions by day.
    """
    # Any row may be evidence, so its number is read.
    wanted = {name: found | _KEYS[name] for name, found in columns.items()}
    # Settings are everybody's.
    whole = {*whole, settings.name}
    wanted[judgements.name] = _JUDGEMENTS | wanted.get(judgements.name, set())
    found = _read(
        [connection] if second is None else [connection, second],
        wanted,
        {name: None if name in whole else organizations for name in wanted},
    )
    # In an order of their own, whichever was there first.
    source = {name: found[name] for name in wanted}
    places = _places(connection, source["organizations"])
    source["organizations"] = source["organizations"].drop_columns(["path"])
    return Snapshot(facts(source, bits=code_lists(_query(connection, CODE_BITS), packs)), places)


def _read(
    connections: Sequence[adbc.Connection],
    columns: Columns,
    organizations: Mapping[str, Ids | None],
) -> dict[str, pa.Table]:
    """The tables as the engine wants them; each connection takes the next part as it is free."""
    whole = [name for name in columns if organizations[name] is None]
    parts = {name: [""] for name in columns} | _parts(connections[0], whole)
    # The longest first: they are what the others can be read beside, and memory is freest.
    names = sorted(columns, key=lambda name: (-len(parts[name]), name))
    waiting = deque((name, place) for name in names for place in range(len(parts[name])))
    rows: dict[str, dict[int, pa.Table]] = {name: {} for name in names}
    found: dict[str, pa.Table] = {}
    lock = Lock()

    def work(connection: adbc.Connection) -> None:
        while waiting:
            name, place = waiting.popleft()
            part = _compact(
                name,
                fetch(
                    connection, name, columns[name], organizations[name], part=parts[name][place]
                ),
            )
            with lock:
                rows[name][place] = part
                last = len(rows[name]) == len(parts[name])
            del part
            if last:
                found[name] = _joined(name, rows.pop(name))

    first, *others = connections
    with ThreadPoolExecutor(max(1, len(others))) as pool:
        # Each thread in the caller's scope.
        done = [pool.submit(copy_context().run, work, one) for one in others]
        work(first)
    for one in done:
        one.result()
    if sum(table.nbytes for table in found.values()) > _MUCH:
        _give_back()
    return found


def _give_back() -> None:
    """Return the memory that reading used on the way; it would else stay with its threads."""
    pa.default_memory_pool().release_unused()
    # Of glibc alone; elsewhere free memory goes back by itself, or not at all.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _parts(connection: adbc.Connection, names: Collection[str]) -> dict[str, list[str]]:
    """Of each table the conditions that divide its pages, and so its rows, into parts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, pg_relation_size(name::regclass) / current_setting('block_size')::int"
            " FROM unnest($1::text[]) AS name",
            (sorted(names),),
        )
        pages = dict(cursor.fetchall())
    return {name: _divided(name, pages[name]) for name in names}


def _divided(table: str, pages: int) -> list[str]:
    number = max(1, -(-pages // _PART))
    ends = [f"{table}.ctid < '({pages * place // number},0)'" for place in range(1, number)]
    starts = [f"{table}.ctid >= '({pages * place // number},0)'" for place in range(1, number)]
    # The last is open: it has what lies beyond, should the table have grown.
    return [
        "".join(f" AND {condition}" for condition in conditions if condition)
        for conditions in zip(["", *starts], [*ends, ""], strict=True)
    ]


def fetch(
    connection: adbc.Connection,
    table: str,
    columns: set[str],
    organizations: Ids | None,
    *,
    part: str = "",
) -> pa.Table:
    """The columns of one table as the database has them, of all organizations or of some.

    ``part`` is a further condition on rows that are read of all organizations.
    """
    names = tuple(sorted(columns))
    with connection.cursor() as cursor:
        if organizations is not None:
            statement = _statement(table, names, current_tenant_id(), limited=True)
            cursor.execute(statement, (organizations.tolist(),))
            return cursor.fetch_arrow_table()
        packed = packing.layout(_selected(table, names, numbered=True))
        statement = _statement(table, names, current_tenant_id(), packed=bool(packed))
        cursor.execute(statement + part)
        rows = cursor.fetch_arrow_table()
        return packing.unpacked(rows, packed) if packed else rows


def _compact(table: str, rows: pa.Table) -> pa.Table:
    """Words as numbers into a list of the different ones: they repeat, and are moved about.

    Attendance, longer than all else together, has its numbers in half the space if they fit.
    """
    narrow = table == attendance.name
    return pa.table(
        {
            name: column.dictionary_encode()
            if pa.types.is_string(column.type)
            else _narrow(column)
            if narrow and pa.types.is_int64(column.type)
            else column
            for name, column in zip(rows.column_names, rows.columns, strict=True)
        }
    )


def _joined(table: str, parts: dict[int, pa.Table]) -> pa.Table:
    """Compact parts as one table without seams; ``parts`` are let go of.

    Rows are by number, so that the same rows come in the same order whatever else is read.
    Each organization's occasions lie together, by day.
    """
    pieces = [parts.pop(place) for place in sorted(parts)]
    rows = pa.concat_tables(pieces, promote_options="permissive").unify_dictionaries()
    pieces.clear()
    order = None
    if rows.num_rows and table not in _WITHOUT_NUMBER:
        # A member's "id" is a person's.
        number = "row_number" if "row_number" in rows.column_names else "id"
        keys = ["organization", "held_on", number] if table == "occasions" else [number]
        order = _order([_numbers(rows[key]) for key in keys])
    whole = {}
    # One column after another, so that only one is there twice.
    for name in rows.column_names:
        whole[name] = _placed(rows[name], order)
        rows = rows.drop_columns([name])
    return pa.table(whole)


def _placed(column: pa.ChunkedArray, order: NDArray[np.int64] | None) -> pa.Array:
    """A column without seams, its rows in an order."""
    if order is None:
        return column.combine_chunks()
    if column.null_count or not (
        pa.types.is_integer(column.type) or pa.types.is_date32(column.type)
    ):
        return column.combine_chunks().take(pa.array(order))
    # The same by numpy, whose memory is used again sooner: fresh memory is what takes longest.
    return pa.array(_numbers(column).take(order)).view(column.type)


def _narrow(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    largest = pc.max(numbers).as_py()
    return numbers.cast(pa.int32()) if largest is None or largest < 2**31 else numbers


@cache
def _statement(
    table: str,
    columns: tuple[str, ...],
    tenant_id: int,
    *,
    limited: bool = False,
    packed: bool = False,
) -> str:
    """What reads the columns; ``limited`` to organizations given as the parameter.

    With ``packed`` each column comes as one value, see :mod:`guiju.scoring.packing`.
    """
    stored = metadata.tables[table]
    selected = _selected(table, columns, numbered=True)
    if packed:
        selected = [packing.packed(column) for column in selected]
    select = sa.select(*selected).where(
        stored.c.tenant_id == sa.literal_column(str(tenant_id), sa.BigInteger)
    )
    wanted: Any = select
    if limited:
        # Several ways to belong to an organization: each by its own index.
        wanted = sa.union(*(select.where(condition) for condition in _owned(stored)))
    return str(wanted.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _selected(
    table: str, columns: tuple[str, ...], *, numbered: bool = False
) -> list[sa.ColumnElement[Any]]:
    """The stored columns under the names of the facts; short vocabularies ``numbered``."""
    stored = metadata.tables[table]
    found: list[sa.ColumnElement[Any]] = []
    for column in columns:
        if (table, column) == (judgements.name, "subject"):
            found.append(_judged_subject(stored).label(column))
        elif (table, column) in _DERIVED:
            found.append(stored.c[column])
        elif tables.columns(table)[column].metadata["kind"] == "key":
            found.append(stored.c.id)
        else:
            name = stored_name(table, column)
            if name is not None:
                value = stored.c[name]
                found.append((_numbered(table, column, value) if numbered else value).label(column))
    if table == "organizations":
        found.append(stored.c.path)
    elif "code" not in stored.c and table not in _WITHOUT_NUMBER:
        found.append(stored.c.id.label("row_number"))
    return found


def _numbered(table: str, column: str, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Codes of a short closed vocabulary as their positions: half the cost of bringing words."""
    metadata_ = tables.columns(table)[column].metadata
    if metadata_["kind"] != "code":
        return value
    vocabulary = metadata_["vocabulary"]
    if vocabulary.open or len(vocabulary) > _SHORT:
        return value
    places: dict[str, sa.ColumnElement[int]] = {
        code: sa.literal_column(f"{place}::int2", sa.SmallInteger())
        for place, code in enumerate(vocabulary)
    }
    return sa.case(places, value=value)


def records(session: AnySession, table: str, numbers: Collection[int]) -> pa.Table:
    """All columns of the rows of ``table`` with these numbers, in their order."""
    columns = tuple(sorted(tables.columns(table)))
    stored = metadata.tables[table]
    selected = _selected(table, columns)
    select = sa.select(*selected).where(any_of(stored.c.id, numbers)).order_by(stored.c.id)
    rows = session.execute(select).all()
    return pa.table(
        {
            column.name: pa.array([row[place] for row in rows], _arrow_type(table, column.name))
            for place, column in enumerate(selected)
        }
    )


def _arrow_type(table: str, column: str) -> pa.DataType:
    """The type in which ADBC brings a column."""
    field = tables.columns(table).get(column)
    if field is None:
        return pa.int64() if column == "row_number" else pa.string()
    return _ARROW_TYPES.get(str(field.metadata["kind"]), pa.string())


def first_paper(
    case: sa.ColumnElement[str],
    organization: sa.ColumnElement[int],
    tenant: sa.ColumnElement[int] | None = None,
) -> sa.Select[Any]:
    """The number of a case's first paper: of the organization, its groups, or their meetings."""
    papers, meetings = metadata.tables["documents"], metadata.tables["occasions"]
    units = metadata.tables["organizations"].alias("owner")
    owner = sa.func.coalesce(papers.c.organization_id, meetings.c.organization_id)
    at = papers.outerjoin(
        meetings,
        (meetings.c.tenant_id == papers.c.tenant_id) & (meetings.c.id == papers.c.occasion_id),
    ).join(units, (units.c.tenant_id == papers.c.tenant_id) & (units.c.id == owner))
    of_group = (units.c.kind == "party_group") & (units.c.parent_id == organization)
    found = sa.select(sa.func.min(papers.c.id)).select_from(at)
    found = found.where((papers.c.case == case) & ((owner == organization) | of_group))
    return found if tenant is None else found.where(papers.c.tenant_id == tenant)


def _judged_subject(stored: sa.Table) -> sa.ColumnElement[str]:
    """The subject's number as text: what the engine calls it."""
    cases: dict[str, sa.ColumnElement[str]] = {}
    for subject_type, name in SUBJECT_TABLES.items():
        if subject_type == CASE:
            paper = first_paper(stored.c.subject, stored.c.organization_id, stored.c.tenant_id)
            cases[subject_type] = sa.cast(paper.scalar_subquery(), sa.Text)
            continue
        target = metadata.tables[name]
        number = (
            sa.select(sa.cast(target.c.id, sa.Text))
            .where(target.c.tenant_id == stored.c.tenant_id)
            .where(target.c.code == stored.c.subject)
        )
        cases[subject_type] = number.scalar_subquery()
    return sa.case(cases, value=stored.c.subject_type, else_=stored.c.subject)


def _owned(stored: sa.Table) -> list[sa.ColumnElement[bool]]:
    """The ways in which a row may belong to one of the organizations given as the parameter."""
    # Rendered as it stands, so that one text serves any number of organizations.
    wanted: sa.ColumnElement[Any] = sa.literal_column("ANY ($1::bigint[])")
    conditions: list[sa.ColumnElement[bool]] = []
    for column in owners(stored.name):
        if column == "person":
            conditions.append(_among(stored.c.person_id, Member.__table__, "person_id", wanted))
        elif column == "occasion":
            conditions.append(_among(stored.c.occasion_id, Occasion.__table__, "id", wanted))
        elif column == "id":
            conditions.append(stored.c.id == wanted)
        else:
            conditions.append(stored.c[f"{column}_id"] == wanted)
    return conditions


def _among(
    column: sa.ColumnElement[Any], table: Any, key: str, wanted: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether a column names a row of a table that belongs to the organizations."""
    rows = table.alias()
    tenant = column.table.c.tenant_id
    return column.in_(
        sa.select(rows.c[key]).where(rows.c.tenant_id == tenant, rows.c.organization_id == wanted)
    )


def _order(keys: Sequence[NDArray[Any]]) -> NDArray[np.int64] | None:
    """The rows sorted by the keys, the last of which tells them apart; None if they are."""
    *first, last = keys
    order: NDArray[np.int64] | None = None
    # As rows were written, mostly.
    if not bool((last[1:] >= last[:-1]).all()):
        order = np.argsort(last, kind="stable")
    if not first or not len(last):
        return order
    if order is not None:
        first = [values[order] for values in first]
    lows = [int(values.min()) for values in first]
    widths = [
        (int(values.max()) - low).bit_length() for values, low in zip(first, lows, strict=True)
    ]
    own = len(last).bit_length()
    if sum(widths) + own > 63:
        return np.lexsort([last, *reversed(keys[:-1])])
    # All keys and the row's place in one number: sorting numbers is many times faster than
    # finding the order of keys.
    packed = np.zeros(len(last), dtype=np.int64)
    for values, low, width in zip(first, lows, widths, strict=True):
        packed <<= width
        packed += values
        packed -= low
    packed <<= own
    packed += np.arange(len(last), dtype=np.int32)
    if bool((packed[1:] > packed[:-1]).all()):
        return order
    packed.sort()
    packed &= (1 << own) - 1
    return packed if order is None else order[packed]


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column without nulls, days as numbers."""
    chunks = [
        (chunk.view(pa.int32()) if pa.types.is_date32(chunk.type) else chunk).to_numpy()
        for chunk in column.chunks
    ]
    found: NDArray[Any] = chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
    return found


def _places(connection: adbc.Connection, organizations: pa.Table) -> Places:
    ids = organizations["id"].to_numpy()
    # Through numpy, which is many times faster at making strings.
    paths = organizations["path"].to_numpy().tolist()
    moved = OrganizationMove.__table__
    moves = _query(
        connection, sa.select(moved.c.organization_id, moved.c.moved_on, moved.c.old_parent_id)
    )
    if not moves:
        return Places(ids, paths)
    all_ = Organization.__table__
    parents = dict(_query(connection, sa.select(all_.c.id, all_.c.parent_id)))
    return Places(ids, paths, [Move.of(*row) for row in moves], parents)


def code_lists(bits: Iterable[tuple[str, str]], packs: Mapping[str, Pack]) -> dict[str, list[str]]:
    """Every vocabulary's codes by position: what stored masks and numbers mean.

    ``bits`` are the rows of :data:`CODE_BITS`; vocabularies without bits have the order of
    their codes and of what packs add.
    """
    found = {name: list(vocabulary) for name, vocabulary in VOCABULARIES.items()}
    for _, pack in sorted(packs.items()):
        for name, codes in pack.vocabularies.items():
            found[name] += [code for code in codes if code not in found[name]]
    stored: dict[str, list[str]] = {}
    for vocabulary, code in bits:
        stored.setdefault(vocabulary, []).append(code)
    return found | stored


def _query(connection: adbc.Connection, select: Any) -> list[tuple[Any, ...]]:
    if "tenant_id" in (table := select.get_final_froms()[0]).c:
        tenant = sa.literal_column(str(current_tenant_id()), sa.BigInteger)
        select = select.where(table.c.tenant_id == tenant)
    with connection.cursor() as cursor:
        cursor.execute(str(select.compile(dialect=_DIALECT)))
        return list(cursor.fetchall())
