"""Ids that are unique, and references that lead somewhere."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from guiju.facts import layout
from guiju.facts.consistency.base import Array, Checked, heading
from guiju.facts.layout import Field
from guiju.language import gettext as _
from guiju.rules import tables

#: Columns that together say what a row is about, and so occur together once.  Rows in
#: which one of the first is blank are not compared; blanks in the others are compared.
_ONCE: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "attendance": (("occasion", "person"), ()),
    "agenda": (("occasion", "item"), ()),
    "dues_bases": (("person", "year"), ()),
    "dues": (("person", "month"), ()),
    "commitments": (("person", "year"), ()),
    "attestations": (("organization", "period"), ()),
    "judgements": (
        ("requirement", "organization", "subject_type", "subject"),
        ("part", "period"),
    ),
    "settings": (("key",), ()),
}


def check_duplicates(checked: Checked) -> None:
    """Report rows that have the id, or are about the same thing, as a row before them."""
    for name in tables.TABLES:
        if _has_key(name):
            _check_once(checked, name, ("id",), ())
        elif name in _ONCE:
            _check_once(checked, name, *_ONCE[name])


def _has_key(table: str) -> bool:
    field = tables.columns(table).get("id")
    return field is not None and layout.kind(field) == "key"


def _first_occurrences(table: pa.Table, columns: tuple[str, ...]) -> Array:
    """For each row the first row with the same values in ``columns``."""
    same = np.zeros(table.num_rows, dtype=np.int64)
    for column in columns:
        encoded = pc.dictionary_encode(table[column], null_encoding="encode").combine_chunks()
        same = same * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
        # Numbering anew after each column keeps the numbers small.
        same = np.unique(same, return_inverse=True)[1]
    values, first = np.unique(same, return_index=True)
    return first[np.searchsorted(values, same)]


def _check_once(
    checked: Checked, name: str, needed: tuple[str, ...], others: tuple[str, ...]
) -> None:
    table = checked.table(name)
    columns = needed + others
    first = _first_occurrences(table, columns)
    repeated = first != np.arange(len(first))
    for column in needed:
        repeated &= table[column].is_valid().to_numpy()
    what = _("、").join(heading(name, column) for column in columns)

    def say(row: int) -> tuple[str, str]:
        values = (checked.value(name, column, row) for column in columns)
        found = _("与{place}的{what}相同：{values}").format(
            place=checked.places(name).beside(int(first[row])),
            what=what,
            values="，".join(str(value) for value in values if value is not None),
        )
        return found, _("{what}不能重复").format(what=what)

    checked.report(name, needed[-1], np.flatnonzero(repeated), say, "duplicate")


def check_references(checked: Checked) -> None:
    """Report ids of rows and people that the document does not have."""
    known: dict[str, pa.Array] = {}
    for name in tables.TABLES:
        table = checked.table(name)
        if table.num_rows == 0:
            continue
        for column, field in tables.columns(name).items():
            kind = layout.kind(field)
            if kind not in ("ref", "refs") or _defines(name, column):
                continue
            target = str(field.metadata["target"])
            if checked.faults.lost & _definitions(target).keys():
                continue
            if target not in known:
                known[target] = _known(checked, target)
            _check_reference(checked, name, column, field, known[target])


def _definitions(target: str) -> dict[str, str]:
    """The columns, by table, in which ``target``'s ids are introduced."""
    return {"members": "id", "posts": "person"} if target == "people" else {target: "id"}


def _defines(table: str, column: str) -> bool:
    return _definitions("people").get(table) == column


def _known(checked: Checked, target: str) -> pa.Array:
    found = [
        checked.table(table)[column].combine_chunks()
        for table, column in _definitions(target).items()
    ]
    found.append(checked.known_ids(target))
    return pc.unique(pa.chunked_array(found)).drop_null()


def _check_reference(
    checked: Checked, name: str, column: str, field: Field, known: pa.Array
) -> None:
    values = checked.table(name)[column].combine_chunks()
    rows: Array | None = None
    if layout.kind(field) == "refs":
        rows = pc.list_parent_indices(values).to_numpy()
        values = pc.list_flatten(values)
    lost = np.flatnonzero(
        pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=known))).to_numpy(
            zero_copy_only=False
        )
    )
    if rows is None:
        written: dict[int, Any] = {}
        reported = lost
    else:
        written = {}
        for place in lost.tolist():
            written.setdefault(int(rows[place]), values[place].as_py())
        reported = np.array(sorted(written), dtype=np.int64)
    wanted = _("应为{target}的编号").format(target=layout.target(field))

    def say(row: int) -> tuple[str, str]:
        value = written.get(row) or checked.value(name, column, row)
        return _("没有编号为“{value}”的{what}").format(value=value, what=_what(field)), wanted

    checked.report(name, column, reported, say, "unknown_reference")


def _what(field: Field) -> str:
    target = str(field.metadata["target"])
    return _("人员") if target == "people" else tables.TABLES[target].title
