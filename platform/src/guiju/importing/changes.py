"""Changed rows in words: whose, which column, what was there and what is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.db.arrays import any_of
from guiju.db.codes import bits, codes_of
from guiju.db.facts_tables import identity, stored_name
from guiju.db.session import AnySession
from guiju.facts import layout
from guiju.importing.models import ReplacedRow
from guiju.language import gettext as _
from guiju.organizations.models import Organization, Person
from guiju.plugins import Plugins
from guiju.rules import tables


@dataclass(frozen=True)
class Change:
    """One column of a row: its heading, what it said and says."""

    heading: str
    before: str
    after: str


@dataclass(frozen=True)
class RowChange:
    """A row that says something else."""

    table: str
    #: What tells the row from others: an id, or a person and a unit.
    who: str
    columns: Sequence[Change]


def changes(
    session: AnySession, plugins: Plugins, import_id: int, *, limit: int
) -> list[RowChange]:
    """The first ``limit`` rows that an import changed, in the order of the tables."""
    row = ReplacedRow.__table__.c
    found = session.execute(
        sa.select(row.table_name, row.before, row.after)
        .where(row.import_id == import_id)
        .order_by(row.id)
        .limit(limit)
    ).all()
    words = _Words(session, plugins, found)
    return [words.change(name, before, after) for name, before, after in found]


def table_title(table: str) -> str:
    """The table's name, as people know it."""
    return _("人员姓名") if table == "people" else str(tables.TABLES[table].title)


class _Words:
    """Knows what the numbers in some rows stand for."""

    def __init__(self, session: AnySession, plugins: Plugins, rows: Sequence[Any]) -> None:
        self._plugins = plugins
        wanted: dict[str, set[int]] = {"organizations": set(), "people": set(), "occasions": set()}
        for name, before, after in rows:
            for stored, target in _references(name):
                for values in (before, after):
                    value = values.get(stored)
                    wanted[target].update(_listed(value))
        self._names = {
            "organizations": _named(session, Organization, Organization.name, wanted),
            "people": _named(session, Person, Person.name, wanted),
            "occasions": _named(session, Occasion, sa.null(), wanted),
        }
        self._bits = {
            vocabulary: bits(session, vocabulary)
            for vocabulary in {
                field.metadata["vocabulary"].name
                for name, *_rest in rows
                if name in tables.TABLES
                for field in tables.columns(name).values()
                if layout.kind(field) == "codes"
            }
        }

    def change(self, table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> RowChange:
        if table == "people":
            names = Change(_("姓名"), before["name"] or "", after["name"] or "")
            return RowChange(table, before["code"], [names])
        named = identity(table)
        columns = [
            Change(
                layout.heading(field),
                self._text(field, before[stored]),
                self._text(field, after[stored]),
            )
            for column, field in tables.columns(table).items()
            if (stored := str(stored_name(table, column))) in before
            and stored not in named
            and before[stored] != after[stored]
        ]
        who = " ".join(
            filter(
                None, (self._text(_field(table, stored), before.get(stored)) for stored in named)
            )
        )
        return RowChange(table, who, columns)

    def _text(self, field: layout.Field, value: Any) -> str:
        if value is None:
            return ""
        match layout.kind(field), layout.unit(field):
            case (("ref" | "refs"), _):
                known = self._names[str(field.metadata["target"])]
                return _("、").join(known.get(number, str(number)) for number in _listed(value))
            case "codes", _:
                vocabulary = layout.vocabulary(field)
                codes = codes_of(value, self._bits[vocabulary.name])
                return _("、").join(self._label(vocabulary, code) for code in codes)
            case "code", _:
                return self._label(layout.vocabulary(field), value)
            case "flag", _:
                return layout.YES if value else layout.NO
            case "count", "minute":
                return f"{value // 60:02d}:{value % 60:02d}"
            case "count", "tenth":
                return f"{value / 10:g}"
            case _:
                return str(value)

    def _label(self, vocabulary: Mapping[str, str], code: str) -> str:
        name = vocabulary.name  # type: ignore[attr-defined]
        added = self._plugins.codes.get(name, {})
        label = vocabulary.get(code)
        return _(label) if label is not None else str(added.get(code, code))


def _references(table: str) -> list[tuple[str, str]]:
    if table == "people":
        return []
    return [
        (str(stored_name(table, column)), str(field.metadata["target"]))
        for column, field in tables.columns(table).items()
        if layout.kind(field) in {"ref", "refs"}
    ]


def _field(table: str, stored: str) -> layout.Field:
    columns = tables.columns(table)
    return next(field for name, field in columns.items() if stored_name(table, name) == stored)


def _listed(value: Any) -> Iterable[int]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _named(
    session: AnySession,
    model: Any,
    name: Any,
    wanted: Mapping[str, set[int]],
) -> dict[int, str]:
    """Names of rows by number, with their ids, which are what the document says."""
    numbers = wanted[model.__table__.name]
    rows = session.execute(sa.select(model.id, model.code, name).where(any_of(model.id, numbers)))
    return {
        number: _("{name}（{code}）").format(name=called, code=code) if called else code
        for number, code, called in rows
    }
