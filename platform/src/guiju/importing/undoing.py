"""Taking a whole import back, while nothing has been built on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from guiju.activities.overwriting import keep_versions
from guiju.activities.payloads import PARTS
from guiju.activities.store import TRACES, check_memberships, follow, settle_tree
from guiju.audit.operations import Actor, record
from guiju.db.arrays import any_of
from guiju.db.copying import FEW, look_up_by_index
from guiju.db.merge import Merged, number_column
from guiju.db.models import metadata
from guiju.db.session import AnySession, transaction
from guiju.importing.changes import table_title
from guiju.importing.journal import facts_columns, journal
from guiju.importing.models import Import, ImportedRows, ReplacedRow
from guiju.language import gettext as _
from guiju.organizations.changes import lock
from guiju.organizations.removal import forget_findings, in_the_way
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

#: Rows that are named where they stand in the way; the others are counted.
_NAMED = 5

#: Tables as they can be emptied: what refers to others first.
_ORDER = [*reversed([*tables.TABLES]), "people"]


def undo_import(session: AnySession, actor: Actor, import_id: int) -> None:
    """Delete what an import brought, and put back what it replaced.

    Raises ``BadInput`` naming what was changed or added since; then nothing is changed.  The
    session is in a restricted scope, with no transaction begun.
    """
    with transaction(session):
        lock(session)
        look_up_by_index(session)
        made = session.scalars(
            sa.select(Import).where(Import.id == import_id).with_for_update()
        ).one()
        if made.undone_at is not None:
            found = _("{file} 的导入已经撤销过").format(file=made.name)
            raise BadInput([Problem("/import", found, _("无须再撤销"), "undone")])
        undo = _Undo(session, import_id)
        with _in_bulk(session, made):
            undo.refuse_changed()
            merged = undo.traces()
            undo.put_back()
            undo.delete()
        # Superiors that were put back, memberships that last again.
        settle_tree(session)
        check_memberships(session, merged.get("members", Merged(updated=1)))
        stored = follow(session, undo.remaining(merged), "facts.undo")
        reason = _("撤销导入“{file}”").format(file=made.name)
        keep_versions(session, actor, stored.occasions, reason)
        made.undone_at, made.undone_by = datetime.now(UTC), actor.name
        record(session, actor, "facts.undo", "import", import_id, before={"file": made.name})
        session.flush()


@contextmanager
def _in_bulk(session: AnySession, made: Import) -> Iterator[None]:
    """Match what a large import noted with the rows in one pass over each table.

    How many there are is nothing that the database can guess.
    """
    if sum(made.inserted.values()) + sum(made.updated.values()) <= FEW:
        yield
        return
    session.execute(_NESTED_LOOPS, {"value": "off"})
    yield
    session.execute(_NESTED_LOOPS, {"value": "on"})


_NESTED_LOOPS = sa.text("SELECT set_config('enable_nestloop', :value, true)")


class _Undo:
    """The rows that an import wrote, by table."""

    def __init__(self, session: AnySession, import_id: int) -> None:
        self._session = session
        self._journal = journal(import_id)
        #: Numbers and hashes of new rows, as queries.
        self._new = {
            name: sa.select(
                sa.func.unnest(ImportedRows.numbers).label("number"),
                sa.func.unnest(ImportedRows.marks).label("mark"),
            )
            .where(ImportedRows.import_id == import_id, ImportedRows.table_name == name)
            .subquery("new")
            for name in self._tables(ImportedRows, import_id)
        }
        self._replaced = {
            name: sa.select(ReplacedRow.number, ReplacedRow.mark, ReplacedRow.before)
            .where(ReplacedRow.import_id == import_id, ReplacedRow.table_name == name)
            .subquery("replaced")
            for name in self._tables(ReplacedRow, import_id)
        }

    def _tables(self, model: Any, import_id: int) -> list[str]:
        return list(
            self._session.scalars(
                sa.select(model.table_name).where(model.import_id == import_id).distinct()
            )
        )

    def _is(self, name: str, noted: sa.Subquery) -> sa.ColumnElement[bool]:
        """Whether a row of the table is one noted, and says what it said then."""
        table = metadata.tables[name]
        values = {column: table.c[column] for column in facts_columns(name)}
        return sa.and_(
            number_column(table) == noted.c.number,
            self._journal.mark(name, values) == noted.c.mark,
        )

    def refuse_changed(self) -> None:
        """Raise ``BadInput`` for rows that somebody has changed or removed since."""
        problems: list[Problem] = []
        for notes in (self._new, self._replaced):
            for name, noted in notes.items():
                table = metadata.tables[name]
                changed = (
                    sa.select(noted.c.number)
                    .outerjoin(table, self._is(name, noted))
                    .where(number_column(table).is_(None))
                )
                numbers = self._session.scalars(changed).all()
                if numbers:
                    problems.append(self._changed(name, numbers))
        if problems:
            raise BadInput(problems)

    def _changed(self, name: str, numbers: Sequence[int]) -> Problem:
        table = metadata.tables[name]
        if "code" in table.c:
            codes = sa.select(table.c.code).where(any_of(table.c.id, numbers[:_NAMED]))
            which = _("、").join(self._session.scalars(codes)) or _("已删除")
        else:
            which = _("{count} 行").format(count=len(numbers))
        found = _("导入之后又改动过：{which}").format(which=which)
        wanted = _("之后已有别的改动，不能直接撤回，请另作更正")
        return Problem(table_title(name), found, wanted, "built_upon")

    def traces(self) -> dict[str, Merged]:
        """Whom the rows concern, as they are and as they will be."""
        found: dict[str, Merged] = {}
        for name in {*self._new, *self._replaced} - {"people"}:
            table = metadata.tables[name]
            columns = TRACES.get(name, ("organization_id",))
            done = Merged(updated=1, traces={column: set() for column in columns})
            for notes in (self._new, self._replaced):
                if name not in notes:
                    continue
                rows = (
                    self._session.execute(
                        sa.select(*(table.c[column] for column in columns))
                        .join(notes[name], self._is(name, notes[name]))
                        .distinct()
                    )
                    if columns
                    else ()
                )
                for row in rows:
                    for column, value in zip(columns, row, strict=True):
                        done.traces[column] |= {value} - {None}
            for column in columns if name in self._replaced else ():
                before = self._replaced[name].c.before[column].astext.cast(sa.BigInteger)
                done.traces[column] |= set(self._session.scalars(sa.select(before))) - {None}
            found[name] = done
        return found

    def put_back(self) -> None:
        """Let rows say what they said before."""
        for name, noted in self._replaced.items():
            table = metadata.tables[name]
            columns = [table.c[column] for column in facts_columns(name)]
            was = (
                sa.func.jsonb_to_record(noted.c.before)
                .table_valued(*(sa.Column(c.name, c.type) for c in columns), name="was")
                .render_derived(with_types=True)
                .lateral()
            )
            # Attendance has a number of its own.
            said = [column.label(f"was_{column.name}") for column in was.c]
            old = (
                sa.select(noted.c.number, noted.c.mark, noted.c.before, *said)
                .join_from(noted, was, sa.true())
                .subquery("old")
            )
            # Columns that the import left alone are not in what it noted.
            kept = {
                column.name: sa.case(
                    (
                        old.c.before.op("?")(sa.cast(column.name, sa.Text)),
                        old.c[f"was_{column.name}"],
                    ),
                    else_=column,
                )
                for column in columns
            }
            self._session.execute(
                sa.update(table)
                .values(kept)
                .where(self._is(name, old))
                .execution_options(synchronize_session=False)
            )

    def delete(self) -> None:
        """Delete new rows; raises ``BadInput`` where later ones refer to them."""
        for name in (name for name in _ORDER if name in self._new):
            table, noted = metadata.tables[name], self._new[name]
            if name == "organizations":
                numbers = self._session.scalars(sa.select(noted.c.number)).all()
                forget_findings(self._session, numbers)
            if name == "occasions":
                self._refuse_parts(noted)
            try:
                with self._session.begin_nested():
                    self._session.execute(
                        sa.delete(table)
                        .where(self._is(name, noted))
                        .execution_options(synchronize_session=False)
                    )
            except sa.exc.IntegrityError as error:
                raise in_the_way(error) from error
        self._session.expire_all()

    def _refuse_parts(self, noted: sa.Subquery) -> None:
        """Raise ``BadInput`` for what was added to new occasions since: it would go with them."""
        occasions = sa.select(noted.c.number)
        for table in metadata.tables.values():
            if "occasion_id" not in table.c or table.name not in PARTS:
                continue
            number = self._session.scalar(
                sa.select(sa.func.count())
                .select_from(table)
                .where(table.c.occasion_id.in_(occasions))
            )
            if number:
                found = _("导入之后又添加了 {count} 行").format(count=number)
                wanted = _("之后已有别的改动，不能直接撤回，请另作更正")
                raise BadInput([Problem(table_title(table.name), found, wanted, "built_upon")])

    def remaining(self, merged: dict[str, Merged]) -> dict[str, Merged]:
        """The traces without organizations that are no longer there."""
        unit = metadata.tables["organizations"]
        named = {
            number
            for done in merged.values()
            for column, numbers in done.traces.items()
            if column in _UNITS
            for number in numbers
        } | (merged["organizations"].traces["id"] if "organizations" in merged else set())
        wanted = sa.literal(sorted(named), ARRAY(sa.BigInteger))
        there = set(self._session.scalars(sa.select(unit.c.id).where(unit.c.id == sa.any_(wanted))))
        for name, done in merged.items():
            for column in done.traces:
                if column in _UNITS or (name, column) == ("organizations", "id"):
                    done.traces[column] &= there
        return merged


_UNITS = frozenset({"organization_id", "group_id", "parent_id", "by_id", "target_id"})
