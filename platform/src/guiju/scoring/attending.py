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
#: One entry of a row of the table, to be joined with it.
ENTRY: Any = (
    sa.func.unnest(_table.c.cells, _table.c.verdicts, _table.c.dues)
    .table_valued(
        sa.column("cell", sa.Integer), sa.column("verdict", sa.Integer), sa.column("due", sa.Date)
    )
    .render_derived()
    .lateral("item")
)
#: What a cursor is made of, with how to read it back.
_KEYS: Mapping[str, tuple[Any, Callable[[str], Any]]] = {
    "due": (ENTRY.c.due, date.fromisoformat),
    "path": (_table.c.path, str),
    "year": (_table.c.year, int),
    "verdict": (ENTRY.c.verdict, int),
    "cell": (ENTRY.c.cell, int),
}
#: Orders of the list by name; each item once.
ORDERS = {
    # Soonest due first.
    "due": ("due", "path", "year", "verdict", "cell"),
    # Unit by unit, as in the tree.
    "unit": ("path", "due", "year", "verdict", "cell"),
    # Requirement by requirement.
    "requirement": ("cell", "due", "path", "year", "verdict"),
}


@dataclass(frozen=True)
class Filter:
    """Which items are listed: of a subtree, of some verdicts (none: all), of a requirement.

    ``only`` is the number of an organization whose own items alone are listed.  ``left_out``
    has the columns ``organization_id``, ``year`` and ``cell`` of items that are not.
    """

    path: str
    verdicts: Collection[str]
    requirement: str | None
    due_until: date | None
    only: int | None = None
    left_out: sa.Subquery | None = None


def page(
    session: AnySession,
    packs: Mapping[str, Pack],
    wanted: Filter,
    cursor: str | None,
    limit: int,
    order_by: str = "due",
) -> AttentionPage:
    """At most ``limit`` items, and where to go on."""
    keys = rule_keys(session, fresh=wanted.requirement is not None)
    conditions = _conditions(wanted, keys)
    names = ORDERS[order_by]
    order = [_KEYS[name][0] for name in names]
    select = (
        sa.select(
            _table.c.organization_id, *(column.label(name) for name, (column, _) in _KEYS.items())
        )
        .select_from(_table.join(ENTRY, sa.true()))
        .where(*conditions)
        .order_by(*order)
        .limit(limit + 1)
    )
    if cursor is not None:
        select = select.where(sa.tuple_(*order) > sa.tuple_(*_after(cursor, names)))
    rows = session.execute(select).all()
    units = Names(session).units({row.organization_id for row in rows[:limit]})
    read = (
        _as_item(packs, keys, units[row.organization_id], row.year, row.cell, row.verdict, row.due)
        for row in rows[:limit]
    )
    items = [item for item in read if item is not None]
    more = _cursor(rows[limit - 1], names) if len(rows) > limit else None
    return AttentionPage(items, more, _totals(session, wanted, conditions))


_OWN = sa.select(
    _table.c.path, _table.c.year, _table.c.verdicts, _table.c.cells, _table.c.dues
).where(_table.c.organization_id == sa.bindparam("organization", type_=sa.BigInteger))


def own(session: AnySession, packs: Mapping[str, Pack], unit: Unit) -> list[AttentionItem]:
    """All items of an organization itself, soonest due first: few enough to be read at once."""
    keys = rule_keys(session)
    rows = session.execute(_OWN, {"organization": unit.organization_id})
    entries = sorted(
        (due, path, year, verdict, cell)
        for path, year, *lists in rows
        for verdict, cell, due in zip(*lists, strict=True)
    )
    items = (
        _as_item(packs, keys, unit, year, cell, verdict, due)
        for due, _path, year, verdict, cell in entries
    )
    return [item for item in items if item is not None]


def _conditions(wanted: Filter, keys: Mapping[int, RuleKey]) -> list[sa.ColumnElement[bool]]:
    found = [within(_table.c.path, wanted.path)]
    if wanted.only is not None:
        found.append(_table.c.organization_id == wanted.only)
    if wanted.verdicts:
        found.append(ENTRY.c.verdict.in_([CODE_OF[Verdict(name)] for name in wanted.verdicts]))
    if wanted.due_until is not None:
        # The earliest of a row's dues tells which rows to look into.
        found += [_table.c.due <= wanted.due_until, ENTRY.c.due <= wanted.due_until]
    if wanted.left_out is not None:
        same = sa.and_(
            wanted.left_out.c.organization_id == _table.c.organization_id,
            wanted.left_out.c.year == _table.c.year,
            wanted.left_out.c.cell == ENTRY.c.cell,
        )
        found.append(~sa.exists().where(same))
    if wanted.requirement is not None:
        cells = _cells(keys, wanted.requirement)
        found.append(_table.c.cells.overlap(sa.literal(cells, ARRAY(sa.Integer))))
        found.append(ENTRY.c.cell.in_(cells))
    return found


def _cells(keys: Mapping[int, RuleKey], requirement: str) -> list[int]:
    """Every cell that a requirement can have."""
    return [
        number * 16 + place
        for number, key in keys.items()
        if key.requirement == requirement
        for place in range(16)
    ]


def _as_item(
    packs: Mapping[str, Pack],
    keys: Mapping[int, RuleKey],
    unit: Unit,
    year: int,
    cell: int,
    verdict: int,
    due: date,
) -> AttentionItem | None:
    key = keys[cell // 16]
    requirement = packs[key.profile].by_id.get(key.requirement) if key.profile in packs else None
    if requirement is None:
        return None
    titles = {part.id: part.title for part in requirement.parts}
    label, text = views.period_text(views.period_of(key, year, cell % 16))
    return AttentionItem(
        unit=unit,
        profile=key.profile,
        requirement=key.requirement,
        part=key.part,
        title=titles.get(key.part) or requirement.title,
        subject_type=key.subject_type,
        period=label,
        period_text=text or None,
        verdict=str(VERDICT_CODES[verdict]),
        due=None if due == NOT_DUE else due,
    )


def _totals(
    session: AnySession, wanted: Filter, conditions: list[sa.ColumnElement[bool]]
) -> dict[str, int]:
    """Items of all pages by verdict."""
    if not (
        wanted.verdicts or wanted.requirement or wanted.due_until or wanted.left_out is not None
    ):
        # Every row has its own sums.
        sums = [sa.func.sum(_table.c.totals[code + 1]) for code in range(len(VERDICT_CODES))]
        numbers = session.execute(sa.select(*sums).where(*conditions)).one()
        return {str(v): int(n) for v, n in zip(VERDICT_CODES, numbers, strict=True) if n}
    rows = session.execute(
        sa.select(ENTRY.c.verdict, sa.func.count())
        .select_from(_table.join(ENTRY, sa.true()))
        .where(*conditions)
        .group_by(ENTRY.c.verdict)
        .order_by(ENTRY.c.verdict)
    )
    return {str(VERDICT_CODES[verdict]): number for verdict, number in rows}


def _cursor(row: Any, names: Sequence[str]) -> str:
    key = [str(getattr(row, name)) for name in names]
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _after(cursor: str, names: Sequence[str]) -> list[Any]:
    """What a cursor says; raises ``ValueError`` for one that no page in this order gave out."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor))
        return [_KEYS[name][1](value) for name, value in zip(names, key, strict=True)]
    except TypeError as error:
        raise ValueError(cursor) from error
