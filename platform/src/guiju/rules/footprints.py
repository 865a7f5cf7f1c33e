"""Whose facts a verdict rests on, and which rows those are.

Judging some organizations needs no more than their own rows and, by the footprint of the
rules, those of their Party groups, their superiors and what is below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from guiju.rules.checks.base import Footprint
from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]

#: The columns that say whose a row is, where it is not ``organization``.  ``occasion`` stands
#: for the occasion's organization, ``person`` for every organization that the person is or
#: was a member of; of several columns any one will do.
OWNERS: Final[Mapping[str, tuple[str, ...]]] = {
    "organizations": ("id",),
    "members": ("person",),
    "attendance": ("occasion",),
    "agenda": ("occasion",),
    "steps": ("occasion",),
    "votes": ("occasion",),
    "documents": ("occasion", "organization"),
    "dues_bases": ("person",),
    "dues": ("person",),
    "training": ("person",),
    "commitments": ("person",),
    "inspections": ("by", "target"),
    #: Everybody's.
    "settings": (),
}
#: The column of the roster that names the person.
_PERSON = {"members": "id"}


def owners(table: str) -> tuple[str, ...]:
    """The columns that say whose a row of ``table`` is; none: everybody's."""
    return OWNERS.get(table, ("organization",))


def needed(facts: Facts, which: Bools, footprint: Footprint) -> Bools:
    """Whose rows judging the organizations ``which`` (a mask over codes) takes."""
    parent = facts["organizations"]["parent"]
    groups = facts["organizations"]["kind"] == facts.position("organization_kind", "party_group")
    found = which.copy()
    if footprint & Footprint.GROUPS:
        found[parent[which & groups & (parent >= 0)]] = True
        found |= groups & (parent >= 0) & found[parent]
    if footprint & Footprint.TENANT:
        return np.ones_like(which)
    if footprint & Footprint.PARTNERS:
        found |= _partners(facts, found)
    if footprint & Footprint.SUBORDINATES:
        while True:
            below = found | ((parent >= 0) & found[parent])
            if np.array_equal(below, found):
                break
            found = below
    # Sectors are inherited, so superiors are needed in any case.
    current = np.unique(parent[found])
    while len(current := current[current >= 0]):
        found[current] = True
        current = np.unique(parent[current])
    return found


def _partners(facts: Facts, which: Bools) -> Bools:
    """Organizations with an occasion that is merged with one of theirs."""
    rows = facts["occasions"]
    offsets, other = rows.lists("merged_with")
    one = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(offsets))
    owner = np.append(rows["organization"], np.int32(-1))
    pairs = np.stack([owner[one], owner[other]], axis=1)
    pairs = pairs[(pairs >= 0).all(axis=1)]
    found = np.zeros_like(which)
    found[pairs[which[pairs[:, 0]], 1]] = True
    found[pairs[which[pairs[:, 1]], 0]] = True
    return found


def part(source: Mapping[str, pa.Table], organizations: pa.Array) -> dict[str, pa.Table]:
    """The rows of ``source`` (as :class:`Facts` takes it) that belong to some organizations."""
    occasions = _among(source, "occasions", "organization", organizations, "id")
    people = _among(source, "members", "organization", organizations, "id")
    found = {}
    for name, table in source.items():
        keep = None
        for column in owners(name):
            values = {"occasion": occasions, "person": people}.get(column, organizations)
            stored = _PERSON.get(name, column) if column == "person" else column
            if stored in table.column_names:
                mine = pc.is_in(table[stored], value_set=values)
                keep = mine if keep is None else pc.or_(keep, mine)
        found[name] = table if keep is None else table.filter(keep)
    return found


def _among(
    source: Mapping[str, pa.Table], table: str, column: str, wanted: pa.Array, key: str
) -> pa.Array:
    rows = source.get(table)
    if rows is None:
        return pa.array([], wanted.type)
    return rows.filter(pc.is_in(rows[column], value_set=wanted))[key].combine_chunks()
