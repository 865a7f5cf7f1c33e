"""Who belonged to each meeting: the people of a team, a committee or a branch on its day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guiju.rules.vocabulary import COMMITTEE_POSTS, TEAM_POSTS

if TYPE_CHECKING:
    from guiju.rules.context import Context

Codes = NDArray[np.int32]
Days = NDArray[np.int32]
Places = NDArray[np.int64]

#: Groups of people that a rule may name, and the posts that make them up (None: the roster).
GROUPS = {
    "team": TEAM_POSTS,
    "committee": COMMITTEE_POSTS,
    "secretary": ("secretary",),
    "group_leader": ("group_leader",),
    "members": None,
}

READS = {
    "members": frozenset(
        ("members", c)
        for c in ("id", "organization", "membership_class", "from_on", "until_on", "group")
    ),
    "posts": frozenset(
        ("posts", c) for c in ("person", "organization", "post", "from_on", "until_on")
    ),
}


def reads(group: str) -> frozenset[tuple[str, str]]:
    """The columns that finding the people of a group touches."""
    return READS["members" if GROUPS[group] is None else "posts"]


def people(context: Context, group: str, organizations: Codes, days: Days) -> tuple[Places, Codes]:
    """Everyone in ``group`` of each organization on each day, once each.

    Returns the position in ``organizations`` and the person.  The members of a Party group
    are those of its branch who are assigned to it.
    """
    posts = GROUPS[group]
    if posts is None:
        return _members(context, organizations, days)
    return holders(context, posts, organizations, days)


def holders(
    context: Context, posts: Sequence[str], organizations: Codes, days: Days
) -> tuple[Places, Codes]:
    """Everyone who holds one of ``posts`` in each organization on each day, once each."""
    table = context.facts.posts
    owner = np.where(table.holding(posts), table.organization, -1)
    place, row = covering(owner, table.start, table.end, organizations, days)
    return unique(place, table.person[row])


def _members(context: Context, organizations: Codes, days: Days) -> tuple[Places, Codes]:
    roster = context.facts.roster
    owner = np.where(roster.party, roster.organization, -1)
    branch = context.answerable[organizations]
    place, row = covering(owner, roster.start, roster.end, branch, days)
    assigned = context.facts["members"]["group"][row]
    inside = ~context.is_group[organizations[place]] | (assigned == organizations[place])
    return unique(place[inside], roster.person[row[inside]])


def covering(
    owner: Codes, start: Days, end: Days, owners: Codes, days: Days
) -> tuple[Places, Places]:
    """Rows of spells that belong to each wanted owner and cover the day.

    Returns the position in ``owners`` and the row.
    """
    order = np.argsort(owner, kind="stable")
    known = owner[order]
    first = np.searchsorted(known, owners, "left")
    length = np.searchsorted(known, owners, "right") - first
    place = np.repeat(np.arange(len(owners)), length)
    step = np.arange(len(place)) - np.repeat(np.cumsum(length) - length, length)
    row = order[first[place] + step]
    inside = (start[row] <= days[place]) & (end[row] >= days[place]) & (owners[place] >= 0)
    return place[inside], row[inside]


def unique(place: Places, person: Codes) -> tuple[Places, Codes]:
    """Each person once at each place; people unknown to the facts left out."""
    keep = person >= 0
    key = np.unique((place[keep].astype(np.int64) << 32) | person[keep].astype(np.int64))
    return key >> 32, (key & 0xFFFFFFFF).astype(np.int32)
