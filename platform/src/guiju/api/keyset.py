"""Reading a page of rows after the last one of the page before, in a chosen order.

The order is one of those that the list names, made unique by the row's own number, so that
rows that come or go meanwhile neither repeat nor skip others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate

from guiju.api import cursors
from guiju.db import db


@dataclass(frozen=True)
class Order:
    """A column to sort by (never null), and how to read its value back from a cursor."""

    column: sa.ColumnElement[Any]
    read: Callable[[Any], Any] = lambda value: value


def day(column: sa.ColumnElement[Any]) -> Order:
    """Sorting by a day."""
    return Order(column, date.fromisoformat)


def sort_field(orders: Mapping[str, Order], default: str) -> fields.String:
    """The parameter ``sort`` of a list with these orders; a minus turns one around."""
    return fields.String(
        load_default=default,
        validate=validate.OneOf([sign + name for name in orders for sign in ("", "-")]),
        metadata={"description": "排序；前加减号为倒序"},
    )


def page(
    select: sa.Select[Any],
    orders: Mapping[str, Order],
    number: sa.ColumnElement[int],
    query: Mapping[str, Any],
) -> tuple[Sequence[sa.RowMapping], Sequence[Any] | None]:
    """The rows of the asked page, and where the next one begins.

    ``number`` is the row's own, by which the order is made unique.  Each row carries both keys
    as ``_key`` and ``_number``.
    """
    name = str(query["sort"]).lstrip("-")
    order, falling = orders[name], str(query["sort"]).startswith("-")
    keys = sa.tuple_(order.column, number)
    after = cursors.opened(query)
    if after is not None:
        begin = sa.tuple_(
            sa.literal(order.read(after[0]), order.column.type), sa.literal(after[1], number.type)
        )
        select = select.where(keys < begin if falling else keys > begin)
    turned = [one.desc() if falling else one.asc() for one in (order.column, number)]
    rows = (
        db.session.execute(
            select.add_columns(order.column.label("_key"), number.label("_number"))
            .order_by(*turned)
            .limit(query["limit"] + 1)
        )
        .mappings()
        .all()
    )
    if len(rows) <= query["limit"]:
        return rows, None
    rows = rows[: query["limit"]]
    key = rows[-1]["_key"]
    return rows, [key.isoformat() if isinstance(key, date) else key, rows[-1]["_number"]]
