"""The list of what is not simply met, page by page."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from guiju.db.session import AnySession
from guiju.organizations.tree import within
from guiju.rules.findings import CODE_OF, VERDICT_CODES
from guiju.rules.pack import Pack
from guiju.rules.vocabulary import Verdict
from guiju.scoring import views
from guiju.scoring.models import NOT_DUE, Attention
from guiju.scoring.naming import Names
from guiju.scoring.numbering import RuleKey, rule_keys
from guiju.scoring.results import AttentionItem, AttentionPage, Unit

_table = Attention.__table__
#: Orders of the list by name; each row once.
ORDERS = {
    # Soonest due first.
    "due": ("due", "path", "year", "verdict"),
    # Unit by unit, as in the tree.
    "unit": ("path", "due", "year", "verdict"),
}


@dataclass(frozen=True)
class Filter:
    """Which items are listed: of a subtree, of some verdicts (none: all), of a requirement.

    ``only`` is the number of an organization whose own items alone are listed.
    """

    path: str
    verdicts: Collection[str]
    requirement: str | None
    due_until: date | None
    only: int | None = None


def page(
    session: AnySession,
    packs: Mapping[str, Pack],
    wanted: Filter,
    cursor: str | None,
    limit: int,
    order_by: str = "due",
) -> AttentionPage:
    """At least ``limit`` items, if there are so many, and where to go on."""
    keys = rule_keys(session)
    cells = None if wanted.requirement is None else _cells(keys, wanted.requirement)
    conditions = _conditions(wanted, cells)
    names = ORDERS[order_by]
    order = [_table.c[name] for name in names]
    select = sa.select(_table).where(*conditions).order_by(*order).limit(limit + 1)
    if cursor is not None:
        select = select.where(sa.tuple_(*order) > sa.tuple_(*_after(cursor, names)))
    rows = session.execute(select).all()
    taken: list[Any] = []
    number = 0
    for row in rows[:limit]:
        if number >= limit:
            break
        taken.append(row)
        number += len(_shown(row, cells))
    units = Names(session).units({row.organization_id for row in taken})
    items = [
        item
        for row in taken
        for cell in _shown(row, cells)
        if (item := _item(packs, keys, units[row.organization_id], row, cell)) is not None
    ]
    more = len(taken) < len(rows)
    return AttentionPage(
        items, _cursor(taken[-1], names) if more else None, _totals(session, conditions, cells)
    )


def _conditions(wanted: Filter, cells: list[int] | None) -> list[sa.ColumnElement[bool]]:
    found = [within(_table.c.path, wanted.path)]
    if wanted.only is not None:
        found.append(_table.c.organization_id == wanted.only)
    if wanted.verdicts:
        codes = [CODE_OF[Verdict(verdict)] for verdict in wanted.verdicts]
        found.append(_table.c.verdict.in_(codes))
    if wanted.due_until is not None:
        found.append(_table.c.due <= wanted.due_until)
    if cells is not None:
        found.append(_table.c.cells.overlap(sa.literal(cells, ARRAY(sa.Integer))))
    return found


def _cells(keys: Mapping[int, RuleKey], requirement: str) -> list[int]:
    """Every cell that a requirement can have."""
    return [
        number * 16 + place
        for number, key in keys.items()
        if key.requirement == requirement
        for place in range(16)
    ]


def _shown(row: Any, cells: list[int] | None) -> list[int]:
    return [cell for cell in row.cells if cells is None or cell in cells]


def _item(
    packs: Mapping[str, Pack], keys: Mapping[int, RuleKey], unit: Unit, row: Any, cell: int
) -> AttentionItem | None:
    key = keys[cell // 16]
    requirement = packs[key.profile].by_id.get(key.requirement) if key.profile in packs else None
    if requirement is None:
        return None
    titles = {part.id: part.title for part in requirement.parts}
    label, text = views.period_text(views.period_of(key, row.year, cell % 16))
    return AttentionItem(
        unit=unit,
        profile=key.profile,
        requirement=key.requirement,
        part=key.part,
        title=titles.get(key.part) or requirement.title,
        subject_type=key.subject_type,
        period=label,
        period_text=text or None,
        verdict=str(VERDICT_CODES[row.verdict]),
        due=None if row.due == NOT_DUE else row.due,
    )


def _totals(
    session: AnySession, conditions: list[sa.ColumnElement[bool]], cells: list[int] | None
) -> dict[str, int]:
    number: Any = sa.func.sum(sa.func.cardinality(_table.c.cells))
    select = sa.select(_table.c.verdict, number).group_by(_table.c.verdict)
    if cells is not None:
        cell = sa.func.unnest(_table.c.cells).table_valued("number").render_derived().lateral()
        select = (
            sa.select(_table.c.verdict, sa.func.count())
            .select_from(_table.join(cell, sa.true()))
            .where(cell.c.number.in_(cells))
            .group_by(_table.c.verdict)
        )
    rows = session.execute(select.where(*conditions).order_by(_table.c.verdict))
    return {str(VERDICT_CODES[verdict]): int(found) for verdict, found in rows}


def _cursor(row: Any, names: Sequence[str]) -> str:
    key = [str(getattr(row, name)) for name in names]
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


_READERS: Mapping[str, Callable[[str], Any]] = {
    "due": date.fromisoformat,
    "path": str,
    "year": int,
    "verdict": int,
}


def _after(cursor: str, names: Sequence[str]) -> list[Any]:
    """What a cursor says; raises ``ValueError`` for one that no page in this order gave out."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor))
        return [_READERS[name](value) for name, value in zip(names, key, strict=True)]
    except TypeError as error:
        raise ValueError(cursor) from error
