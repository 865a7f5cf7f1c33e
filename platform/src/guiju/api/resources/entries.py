"""What a unit records beside its meetings: talks, reports, dues, terms and the like.

One resource for each facts table that has entries, all of one form.  Rows name people: only
who may see people sees them.  Of matters of discipline it is written down that they were read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import url_for
from marshmallow import Schema, fields

from guiju.activities import entries
from guiju.activities.calendar import business_day
from guiju.activities.entries import ENTRIES
from guiju.api.admission import about_people, restricted, visitor
from guiju.api.blueprint import Blueprint, ListQuery, any_of
from guiju.api.cursors import Page, opened
from guiju.api.plugins import plugins
from guiju.api.reach import demand, organization
from guiju.api.schemas import plain
from guiju.api.tags import check_match
from guiju.db import db
from guiju.rules import tables

blueprint = Blueprint(
    "entries",
    "活动以外的登记",
    "谈心谈话、报告、党费、任期等，每类一张表，栏目与事实表相同。涉及姓名，有权查看姓名的才能看到；"
    "组织处理的查看和登记都记入审计。",
)

_ADDRESS = f"/organizations/<id:organization_id>/entries/<any({', '.join(ENTRIES)}):table>"
_SAVE = "records.write"


def _number() -> fields.Integer:
    return fields.Integer(
        required=True, metadata={"description": "登记的编号，用在地址中；更正后不变"}
    )


def _named(name: str, table: str, more: Mapping[str, fields.Field[Any]]) -> type[Schema]:
    """The schema of a facts table, with columns besides, under a name for the document."""
    base = tables.TABLES[table]
    made: type[Schema] = type(name.format(base.__name__), (base,), dict(more))
    return made


#: By table: a row with its number; what is asked of a new one, where the unit and the row's own
#: id follow; and the same of a correction, where what is left out stays.
_ROWS = {table: _named("{}EntrySchema", table, {"number": _number()})() for table in ENTRIES}
_NEW = {
    table: _named("New{}EntrySchema", table, {})(only=entry.columns)
    for table, entry in ENTRIES.items()
}
_CHANGED = {
    table: _named("Changed{}EntrySchema", table, {})(only=entry.columns, partial=True)
    for table, entry in ENTRIES.items()
}
_SHOWN = any_of(_ROWS)


def _is_restricted(places: Mapping[str, Any]) -> bool:
    return entries.is_restricted(places["table"])


@blueprint.get(_ADDRESS)
@blueprint.says("列出一类登记", "后登记的在前。")
@blueprint.asks(ListQuery)
@blueprint.lists(_SHOWN)
def listing(query: Mapping[str, Any], organization_id: str, table: str) -> Page:
    """A unit's rows of a table, the latest first."""
    unit = _unit(organization_id)
    after = opened(query)
    with _open(organization_id, table):
        found = entries.entries_of(
            db.session,
            visitor(),
            unit,
            table,
            limit=query["limit"] + 1,
            earlier_than=None if after is None else after[0],
        )
    listed = found[: query["limit"]]
    items = [_row(number, row) for number, row in listed]
    return Page(items, [listed[-1][0]] if len(found) > len(listed) else None)


@blueprint.post(_ADDRESS)
@blueprint.says(
    "登记一项",
    "没有自己编号的表中，同一人同月的党费等再登记一次即为更正。组织处理的回答不留存："
    "以同一 Idempotency-Key 重发，回答 409，也不重复登记。",
)
@blueprint.takes_of(_NEW, "table")
@blueprint.creates(_SHOWN, secret=_is_restricted)
def add(body: Mapping[str, Any], organization_id: str, table: str) -> tuple[dict[str, Any], str]:
    """Enter a row."""
    unit = _unit(organization_id, _SAVE)
    # What is shown of a restricted table is what was brought, and entering it is written down.
    with _open(organization_id, table, brought=True):
        number = _save(unit, table, body)
        shown = _one(unit, table, number)
    return shown, url_for(".show", organization_id=organization_id, table=table, entry_id=number)


@blueprint.get(f"{_ADDRESS}/<number:entry_id>")
@blueprint.says("读取一项登记")
@blueprint.shows(_SHOWN)
def show(organization_id: str, table: str, entry_id: int) -> dict[str, Any]:
    """One row."""
    unit = _unit(organization_id)
    with _open(organization_id, table):
        return _one(unit, table, entry_id)


@blueprint.patch(f"{_ADDRESS}/<number:entry_id>")
@blueprint.says("更正一项登记", "没有提到的栏目不变；null 为空白。")
@blueprint.takes_of(_CHANGED, "table")
@blueprint.changes(_SHOWN)
def change(
    body: Mapping[str, Any], organization_id: str, table: str, entry_id: int
) -> dict[str, Any]:
    """Correct a row."""
    unit = _unit(organization_id, _SAVE)
    with _open(organization_id, table):
        before = _as_read(unit, table, entry_id)
        kept = {name: before[name] for name in ENTRIES[table].columns}
        _save(unit, table, {**kept, **body}, entry_id)
        return _one(unit, table, entry_id)


@blueprint.delete(f"{_ADDRESS}/<number:entry_id>")
@blueprint.says("删去一项登记", "登记错了的。")
@blueprint.removes()
def remove(organization_id: str, table: str, entry_id: int) -> None:
    """Take a row out that was entered by mistake."""
    unit = _unit(organization_id, _SAVE)
    with _open(organization_id, table):
        _as_read(unit, table, entry_id)
        entries.remove_entry(db.session, visitor(), unit, table, entry_id)


@contextmanager
def _open(code: str, table: str, *, brought: bool = False) -> Iterator[None]:
    """A scope in which the table is open, to a visitor who may look at it.

    That they look is written down first, unless they see only what they have ``brought``.
    """
    if not entries.is_restricted(table):
        yield
        return
    with restricted() if brought else about_people(code, table):
        yield


def _unit(code: str, permission: str = "people.read") -> int:
    """The number of a unit where the visitor may see people, and do what is asked; 404 or 403."""
    found = organization(code, "people.read")
    demand(permission, found.path)
    return found.id


def _as_read(unit: int, table: str, number: int) -> dict[str, Any]:
    """The row, locked, if it is as the caller has read it."""
    row = entries.entry_of(db.session, visitor(), unit, table, number, lock=True)
    check_match(_row(number, row))
    return row


def _save(unit: int, table: str, given: Mapping[str, Any], number: int | None = None) -> int:
    # Codes and days as they are written: the operation reads what forms bring, too.
    return entries.save_entry(
        db.session,
        visitor(),
        plugins().codes,
        unit,
        table,
        plain(given),
        today=business_day(db.session),
        number=number,
    )


def _one(unit: int, table: str, number: int) -> dict[str, Any]:
    return _row(number, entries.entry_of(db.session, visitor(), unit, table, number))


def _row(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = plain({"number": number, **row})
    return shown
