"""Writing many rows at once: staged, then merged into a table by their identity.

Rows that are there already and say the same are left alone, so the same rows brought
twice change nothing.  ``COPY`` into a table with row-level security is refused, hence the
temporary table; a few rows travel as JSON instead, which spares making one.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from guiju.db.copying import FEW, copy_in
from guiju.db.models import this_tenant
from guiju.db.session import AnySession, ask_again

#: The parameter that holds a few rows.
_ROWS = "staged_rows"


@dataclass
class Merged:
    """What a merge did.

    ``traces`` maps the columns asked for to the numbers found there in the rows that are
    new or changed, those that stood there before a change included.
    """

    inserted: int = 0
    updated: int = 0
    traces: dict[str, set[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.inserted or self.updated)

    def __add__(self, other: "Merged") -> "Merged":
        traces = {
            name: self.traces.get(name, set()) | other.traces.get(name, set())
            for name in {**self.traces, **other.traces}
        }
        return Merged(self.inserted + other.inserted, self.updated + other.updated, traces)


@dataclass(frozen=True)
class Journal:
    """Where a merge writes down what it does, so that it can be shown and taken back.

    ``inserted`` takes the numbers of new rows with hashes of what they say; ``replaced`` takes
    rows that say something else now, with what they said before, both with the columns by which
    they are recognized.  ``key`` are columns of both with the same value in every row written.
    Without ``inserted`` new rows are only counted: nobody will ask for them.
    """

    inserted: sa.Table | None
    replaced: sa.Table
    key: Mapping[str, Any]
    #: By table, the columns that a row's hash is made of.
    columns: Callable[[str], Sequence[str]]

    def mark(self, table: str, values: Mapping[str, sa.ColumnElement[Any]]) -> Any:
        """The hash of what a row of ``table`` with these values says."""
        row = sa.func.row(*(values[name] for name in self.columns(table)))
        return sa.func.hash_record_extended(row, sa.literal(0, sa.BigInteger))


def number_column(table: sa.Table) -> sa.Column[Any]:
    """What rows are found by again: their number, or in a bulky table that of the occasion."""
    return table.c["id" if "id" in table.c else "occasion_id"]


def merge(
    session: AnySession,
    table: sa.Table,
    identity: tuple[str, ...],
    rows: pa.Table,
    traces: tuple[str, ...] = (),
    journal: Journal | None = None,
    *,
    fresh: bool = False,
) -> Merged:
    """Insert ``rows`` (columns named and typed as stored) into ``table``, or update those there.

    Columns that ``rows`` lacks keep what they hold.  Of ``fresh`` rows none can be there yet,
    which spares looking.  Raises ``Repeated`` where rows share an identity and differ in the
    rest.
    """
    if not rows.num_rows:
        return Merged(traces={name: set() for name in traces})
    with _staged(session, table, rows, counted=not fresh) as (staged, parameters):
        if fresh:
            displacing: Mapping[str, sa.Select[Any]] = {}
            merging = _merging(table, identity, staged, traces, journal, fresh=True)
        elif journal is None and parameters:
            # One record after another has the same columns.
            names = tuple(rows.column_names)
            displacing, merging = _for_few(table, identity, names, traces)
        else:
            displacing = _displacing(table, identity, staged, traces)
            merging = _merging(table, identity, staged, traces, journal)
        displaced = {
            name: session.scalars(statement, parameters).one()
            for name, statement in displacing.items()
        }
        try:
            if journal is not None and not fresh:
                statement = _noting_replaced(table, identity, staged, journal)
                if statement is not None:
                    session.execute(statement, parameters)
            inserted, updated, *found = session.execute(merging, parameters).one()
        except sa.exc.DBAPIError as error:
            if not isinstance(error.orig, _REPEATED):
                raise
            repeated = Repeated(rows, identity)
            if not repeated.rows:
                raise
            raise repeated from error
    numbers = {name: set(ids) for name, ids in zip(traces, found, strict=True)}
    for name, ids in displaced.items():
        numbers[name] |= set(ids)
    ask_again(session)
    return Merged(inserted, updated, numbers)


_REPEATED = (psycopg.errors.CardinalityViolation, psycopg.errors.UniqueViolation)


class Repeated(ValueError):
    """Rows of one merge share an identity; ``rows`` are the positions of the later ones."""

    def __init__(self, rows: pa.Table, identity: tuple[str, ...]) -> None:
        keys = [name for name in identity if name in rows.column_names]
        position = pa.array(range(rows.num_rows), pa.int64())
        groups = rows.select(keys).append_column("", position).group_by(keys)
        first = groups.aggregate([("", "min")])["_min"].to_numpy()
        self.rows = sorted(set(range(rows.num_rows)) - set(first.tolist()))
        super().__init__(f"{len(self.rows)} rows repeat others in {', '.join(keys)}")


@lru_cache(maxsize=500)
def _for_few(
    table: sa.Table, identity: tuple[str, ...], names: tuple[str, ...], traces: tuple[str, ...]
) -> tuple[Mapping[str, sa.Select[Any]], sa.Select[Any]]:
    """What displaces and what merges a few rows with these columns."""
    staged = _few_staged(table, names)
    return (
        _displacing(table, identity, staged, traces),
        _merging(table, identity, staged, traces, None),
    )


def _merging(
    table: sa.Table,
    identity: tuple[str, ...],
    staged: sa.FromClause,
    traces: tuple[str, ...],
    journal: Journal | None,
    *,
    fresh: bool = False,
) -> sa.Select[Any]:
    """Numbers of new and of changed rows, then the numbers found in the columns ``traces``."""
    names = list(staged.c.keys())
    source = sa.select(this_tenant(), *staged.c)
    others = [name for name in names if name not in identity and name != "id"]
    insert = postgresql.insert(table).from_select(
        ["tenant_id", *names], source if others else source.distinct()
    )
    key = ["tenant_id", *identity]
    if others and not fresh:
        insert = insert.on_conflict_do_update(
            index_elements=key,
            set_={name: insert.excluded[name] for name in others},
            where=sa.tuple_(*(table.c[name] for name in others)).is_distinct_from(
                sa.tuple_(*(insert.excluded[name] for name in others))
            ),
        )
    elif not fresh:
        insert = insert.on_conflict_do_nothing(index_elements=key)
    # A row version that no transaction has replaced or locked is a new row.
    is_new = sa.literal_column("(xmax = 0)", sa.Boolean).label("is_new")
    into = None if journal is None else journal.inserted
    kept = [] if journal is None or into is None else _marked(table, journal)
    returned = [*(table.c[name] for name in traces), is_new, *kept]
    written = insert.returning(*returned).cte("written")
    noted = () if journal is None or into is None else [_noted(into, table, written, journal)]
    return sa.select(
        sa.select(sa.func.count()).where(written.c.is_new).scalar_subquery(),
        sa.select(sa.func.count()).where(~written.c.is_new).scalar_subquery(),
        *(_distinct(written.c[name]) for name in traces),
    ).add_cte(*noted)


def _marked(table: sa.Table, journal: Journal) -> list[sa.ColumnElement[Any]]:
    values = {name: table.c[name] for name in journal.columns(table.name)}
    return [
        number_column(table).label("journal_number"),
        journal.mark(table.name, values).label("journal_mark"),
    ]


def _noted(into: sa.Table, table: sa.Table, written: sa.CTE, journal: Journal) -> sa.CTE:
    """The new rows, written down by the statement that writes them."""
    new = (
        sa.select(
            *(sa.literal(value, into.c[name].type) for name, value in journal.key.items()),
            _text(table.name),
            sa.func.array_agg(written.c.journal_number),
            sa.func.array_agg(written.c.journal_mark),
        )
        .where(written.c.is_new)
        .having(sa.func.count() > 0)
    )
    names = [*journal.key, "table_name", "numbers", "marks"]
    return into.insert().from_select(names, new, include_defaults=False).cte("noted")


def _noting_replaced(
    table: sa.Table, identity: tuple[str, ...], staged: sa.FromClause, journal: Journal
) -> sa.Insert | None:
    """Writes down the rows that the merge is about to change; None where it changes none."""
    others = [column.name for column in staged.c if column.name not in (*identity, "id")]
    if not others:
        return None
    into = journal.replaced
    after = {
        name: staged.c[name] if name in others else table.c[name]
        for name in journal.columns(table.name)
    }

    def object_of(values: Any) -> Any:
        pairs = [part for name in others for part in (_text(name), values[name])]
        pairs += [part for name in identity for part in (_text(name), table.c[name])]
        return sa.func.jsonb_build_object(*pairs)

    replaced = sa.select(
        *(sa.literal(value, into.c[name].type) for name, value in journal.key.items()),
        _text(table.name),
        number_column(table),
        journal.mark(table.name, after),
        object_of(table.c),
        object_of(staged.c),
    ).join_from(
        table,
        staged,
        sa.and_(
            table.c.tenant_id == this_tenant(),
            *(_same(table.c[name], staged.c.get(name)) for name in identity),
            sa.tuple_(*(table.c[name] for name in others)).is_distinct_from(
                sa.tuple_(*(staged.c[name] for name in others))
            ),
        ),
    )
    names = [*journal.key, "table_name", "number", "mark", "before", "after"]
    return into.insert().from_select(names, replaced, include_defaults=False)


def _text(value: str) -> sa.ColumnElement[str]:
    # The driver does not say what a parameter is where anything would do.
    return sa.cast(value, sa.Text)


def _displacing(
    table: sa.Table, identity: tuple[str, ...], staged: sa.FromClause, traces: tuple[str, ...]
) -> dict[str, sa.Select[Any]]:
    """The numbers that the merge will take out of the columns ``traces``."""
    same = [_same(table.c[name], staged.c.get(name)) for name in identity]
    changing = [name for name in traces if name in staged.c and name not in (*identity, "id")]
    found: dict[str, sa.Select[Any]] = {}
    for name in changing:
        before = (
            sa.select(table.c[name])
            .join_from(table, staged, sa.and_(*same))
            .where(table.c[name].is_distinct_from(staged.c[name]))
            .subquery()
        )
        found[name] = sa.select(_distinct(before.c[name]))
    return found


def _same(
    stored: sa.ColumnElement[Any], brought: sa.ColumnElement[Any] | None
) -> sa.ColumnElement[bool]:
    if brought is None:
        return stored.is_(None)
    # Equality where it says the same: it can be looked up.
    nullable = getattr(stored, "nullable", True)
    return stored.is_not_distinct_from(brought) if nullable else stored == brought


def _distinct(column: sa.ColumnElement[int]) -> sa.ScalarSelect[Any]:
    """The distinct numbers of a column as one array, empty rather than null."""
    values = sa.select(column.label("number")).where(column.is_not(None)).distinct().subquery()
    empty: Any = sa.literal_column("'{}'::bigint[]")
    return sa.select(sa.func.coalesce(sa.func.array_agg(values.c.number), empty)).scalar_subquery()


@contextmanager
def _staged(
    session: AnySession, table: sa.Table, rows: pa.Table, *, counted: bool
) -> Iterator[tuple[sa.FromClause, Mapping[str, Any]]]:
    """``rows`` where a statement with the parameters given can read them, within the block.

    Those that are to be compared with others are ``counted`` for the planner.
    """
    if rows.num_rows <= FEW:
        yield _few_staged(table, tuple(rows.column_names)), {_ROWS: _json(rows)}
        return
    columns = _typed(table, rows.column_names)
    staging = sa.Table(f"staged_{table.name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    connection = session.connection()
    staging.create(connection)
    copy_in(session, staging.name, rows)
    if counted:
        connection.execute(sa.text(f"ANALYZE {staging.name}"))
    yield staging, {}
    staging.drop(connection)


def _few_staged(table: sa.Table, names: tuple[str, ...]) -> sa.FromClause:
    """Rows in the parameter that statements have for them."""
    payload = sa.bindparam(_ROWS, type_=postgresql.JSONB)
    return (
        sa.func.jsonb_to_recordset(payload)
        .table_valued(*_typed(table, names), name="staged")
        .render_derived(with_types=True)
    )


def _typed(table: sa.Table, names: Iterable[str]) -> list[sa.Column[Any]]:
    return [sa.Column(name, table.c[name].type) for name in names]


def _json(rows: pa.Table) -> Any:
    # Dates in the form that PostgreSQL reads; the rest has one in JSON.
    return json.loads(json.dumps(rows.to_pylist(), default=str))
