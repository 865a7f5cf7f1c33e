"""What is in a record, and what changed in it, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guiju.activities.differences import Change
from guiju.activities.payloads import PARTS, columns, part_columns
from guiju.db.session import AnySession
from guiju.facts import layout
from guiju.language import gettext as _
from guiju.organizations.people import names
from guiju.rules import tables
from guiju.web.record_forms import clock_text
from guiju.web.wording import label


@dataclass(frozen=True)
class Told:
    """A change in words: what, what it was, what it is; empty where nothing was or is."""

    what: str
    before: str
    after: str


def told(session: AnySession, changes: Sequence[Change]) -> list[Told]:
    """Changes in words, people by their names."""
    known = names(session, _people_in(changes))
    return [_told(change, known) for change in changes]


def in_words(table: str, column: str, value: Any, known: Mapping[str, str]) -> str:
    """One value of a record; ``known`` are names of people by code."""
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        return _("、").join(in_words(table, column, one, known) for one in value)
    field = (part_columns(table) if table in PARTS else tables.columns(table)).get(column)
    if field is None:
        return str(value)
    kind = field.metadata["kind"]
    if kind in {"code", "codes"}:
        return label(str(value), layout.vocabulary(field).name)
    if _is_person(field):
        return known.get(str(value), str(value))
    if kind == "flag":
        return _("是") if value else _("否")
    if field.metadata.get("unit") == "minute":
        return clock_text(value)
    return str(value)


def _told(change: Change, known: Mapping[str, str]) -> Told:
    if change.part is None:
        return Told(
            _heading(change.field),
            in_words("occasions", change.field, change.before, known),
            in_words("occasions", change.field, change.after, known),
        )
    whose = _("、").join(
        in_words(change.part, name, value, known) for name, value in (change.row or {}).items()
    )
    what = f"{_title(change.part)} {whose}".strip()
    if change.field:
        heading = layout.heading(part_columns(change.part)[change.field])
        if change.part != "attendance" or change.field != "status":
            what = f"{what} {heading}"
        return Told(
            what,
            in_words(change.part, change.field, change.before, known),
            in_words(change.part, change.field, change.after, known),
        )
    return Told(what, _row(change, change.before, known), _row(change, change.after, known))


def _row(change: Change, row: Mapping[str, Any] | None, known: Mapping[str, str]) -> str:
    """A whole row, without what says which it is."""
    if row is None:
        return ""
    assert change.part is not None
    shown = [
        in_words(change.part, name, value, known)
        for name, value in row.items()
        if name not in (change.row or {}) or name == "topic"
    ]
    return "，".join(text for text in shown if text) or _("有")


def _heading(name: str) -> str:
    if name == "content":
        return _("情况记录")
    field = columns().get(name)
    return heading_of(field) if field is not None else name.rpartition("/")[2]


def heading_of(field: layout.Field) -> str:
    """What pages call a column: people are shown by their names, not by their ids."""
    return (
        layout.heading(field).removesuffix("编号") if _is_person(field) else layout.heading(field)
    )


def _is_person(field: layout.Field) -> bool:
    return field.metadata.get("target") == "people"


def _title(part: str) -> str:
    return str(tables.TABLES[part].title)


def _people_in(changes: Iterable[Change]) -> set[str]:
    found: set[str] = set()
    for change in changes:
        found |= {str(value) for value in (change.row or {}).values()}
        for value in (change.before, change.after):
            if isinstance(value, str):
                found.add(value)
            elif isinstance(value, Mapping):
                found |= {str(one) for one in value.values() if isinstance(one, str)}
    return {text for text in found if len(text) <= tables.MAX_ID}
