"""Who was expected at an occasion and who came, as numbers.

Numbers stated on the occasion count first (the platform derives them when the occasion is
written); where a facts document states none, they are counted from its attendance
rows and its roster on the day (D5).  Those who take part remotely are present.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guiju.rules.spells import Spells

if TYPE_CHECKING:
    from guiju.rules.context import Context

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

COUNTS = frozenset(
    ("occasions", column) for column in ("expected", "present", "voting_expected", "voting_present")
)
ROSTER = frozenset(
    ("members", column)
    for column in ("id", "organization", "membership_class", "from_on", "until_on", "voting")
)
POSTS = frozenset(
    ("posts", column) for column in ("person", "organization", "post", "from_on", "until_on")
)
#: What is read where a rule is about persons, not numbers.
ATTENDANCE = frozenset(
    ("attendance", column) for column in ("occasion", "person", "status", "person_class", "number")
)

#: Posts whose holders are the leading team of a committee or leading group.
TEAM_POSTS = ("secretary", "deputy_secretary", "team_member")


@dataclass(frozen=True)
class Named:
    """Attendance rows of known persons: occasion, person and whether present."""

    occasion: Codes
    person: Codes
    present: Bools


class Turnout:
    """Expected and present at every occasion; -1 where neither stated nor to be counted."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._facts = context.facts
        self._rows = context.facts["occasions"]
        self._size = len(self._rows)

    @cached_property
    def named(self) -> Named:
        """The attendance rows that name a person, once each."""
        rows = self._facts["attendance"]
        occasion, person = rows["occasion"], rows["person"]
        keep = np.flatnonzero((occasion >= 0) & (person >= 0))
        coming = [self._facts.position("attendance", code) for code in ("present", "remote")]
        return Named(occasion[keep], person[keep], np.isin(rows["status"][keep], coming))

    @cached_property
    def _branch(self) -> Codes:
        """The branch whose roster an occasion draws on: its own, or its group's branch."""
        organization = self._rows["organization"]
        branch = self._context.answerable[np.maximum(organization, 0)]
        return np.where(organization < 0, -1, branch).astype(np.int32)

    def _on_roster(self, group: str) -> Bools:
        """Which named attendance rows are of people in a ``group`` of the occasion's branch."""
        named = self.named
        return self._facts.roster.includes(
            group,
            named.person,
            self._branch[named.occasion],
            self._rows["held_on"][named.occasion],
        )

    def _counted(self, keep: Bools) -> NDArray[np.int64]:
        """Named rows kept per occasion; -1 where an occasion has no attendance rows at all."""
        any_row = np.bincount(self.named.occasion, minlength=self._size) > 0
        number = np.bincount(self.named.occasion[keep], minlength=self._size)
        return np.where(any_row, number, -1)

    def _stated(self, column: str, counted: NDArray[np.int64]) -> NDArray[np.int64]:
        stated = self._rows[column]
        return np.where(stated >= 0, stated, counted)

    @cached_property
    def expected(self) -> NDArray[np.int64]:
        """All who should have come."""
        return self._stated("expected", self._counted(self._everyone))

    @cached_property
    def present(self) -> NDArray[np.int64]:
        """All who should have come and did."""
        return self._stated("present", self._counted(self.named.present))

    @cached_property
    def _everyone(self) -> Bools:
        return np.ones(len(self.named.person), dtype=np.bool_)

    @cached_property
    def voting_expected(self) -> NDArray[np.int64]:
        """Members with a vote on the branch's roster that day."""
        branch = self._branch
        roster = self._facts.roster.count(
            "voting", np.maximum(branch, 0), self._rows["held_on"]
        ).astype(np.int64)
        return self._stated("voting_expected", np.where((branch < 0) | (roster == 0), -1, roster))

    @cached_property
    def voting_present(self) -> NDArray[np.int64]:
        """Members with a vote who came."""
        return self._stated(
            "voting_present", self._counted(self.named.present & self._on_roster("voting"))
        )

    def holders(self, posts: tuple[str, ...], *, members_only: bool = False) -> NDArray[np.int64]:
        """Holders of ``posts`` in the occasion's organization on the day.

        ``members_only`` leaves out holders who are on no Party roster, in organizations
        where some holder is on one.
        """
        organization, day = np.maximum(self._rows["organization"], 0), self._rows["held_on"]
        spells = self._spells(posts, members_only=members_only)
        return spells.count(organization, day).astype(np.int64)

    def _spells(self, posts: tuple[str, ...], *, members_only: bool) -> Spells:
        table = self._facts.posts
        if not members_only:
            return table.spells(posts)
        key = ("member holders", posts)
        return self._context.shared(key, lambda: self._member_spells(posts))

    def _member_spells(self, posts: tuple[str, ...]) -> Spells:
        table = self._facts.posts
        counted = table.holding(posts) & self._member_posts
        owners = np.where(counted, table.organization, -1).astype(np.int32)
        return Spells(owners, table.start, table.end)

    @cached_property
    def _member_posts(self) -> Bools:
        """Rows of posts held by Party members, as far as rosters can tell."""
        table, roster = self._facts.posts, self._facts.roster
        member = np.isin(table.person, roster.person[roster.party])
        rostered = np.isin(table.organization, table.organization[member])
        return member | ~rostered

    def came(self, posts: tuple[str, ...], *, members_only: bool = False) -> NDArray[np.int64]:
        """Holders of ``posts`` who came; -1 where nothing says who did."""
        named = self.named
        organization = self._rows["organization"][named.occasion]
        day = self._rows["held_on"][named.occasion]
        held = self._facts.posts.held_by(posts, named.person, organization, day)
        if members_only:
            table = self._facts.posts
            outside = ~self._member_posts
            held &= ~np.isin(named.person, table.person[outside])
        counted = self._counted(named.present & held)
        return np.where(counted >= 0, counted, self._rows["present"]).astype(np.int64)


def of(context: Context) -> Turnout:
    """The turnout of every occasion, computed once in an evaluation."""
    return context.shared("turnout", lambda: Turnout(context))
