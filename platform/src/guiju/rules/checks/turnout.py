"""Who was expected at an occasion and who came, as numbers.

Numbers stated on the occasion count first (the platform derives them when the occasion is
written); where a facts document states none, they are counted from its attendance
rows and its roster on the day (D5; today's by another reading).  Those who take part
remotely are present.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guiju.rules.arrays import among
from guiju.rules.spells import Spells

if TYPE_CHECKING:
    from guiju.rules.context import Context

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Numbers = NDArray[np.int64]

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
    """Expected and present at occasions; -1 where neither stated nor to be counted.

    Every question is about some occasions (``rows``), and what is stated is not counted again.
    """

    def __init__(self, context: Context, roster_day: str) -> None:
        self._context = context
        self._facts = context.facts
        self._rows = context.facts["occasions"]
        self._roster_day = roster_day
        self._day: Codes = self._rows["held_on"]
        if roster_day == "today":
            self._day = np.full_like(self._day, context.as_of)

    @cached_property
    def named(self) -> Named:
        """The attendance rows that name a person, once each."""
        rows = self._facts["attendance"]
        occasion, person = rows["occasion"], rows["person"]
        keep = np.flatnonzero((occasion >= 0) & (person >= 0))
        coming = [self._facts.position("attendance", code) for code in ("present", "remote")]
        return Named(occasion[keep], person[keep], among(rows["status"][keep], coming))

    def expected(self, rows: Codes) -> Numbers:
        """All who should have come."""
        return self._stated("expected", rows, lambda rest: self._counted(self._all)[rest])

    def present(self, rows: Codes) -> Numbers:
        """All who should have come and did."""
        return self._stated("present", rows, lambda rest: self._counted(self.named.present)[rest])

    def voting_expected(self, rows: Codes) -> Numbers:
        """Members with a vote on the branch's roster that day."""
        return self._stated("voting_expected", rows, self._roster)

    def voting_present(self, rows: Codes) -> Numbers:
        """Members with a vote who came."""
        return self._stated(
            "voting_present",
            rows,
            lambda rest: self._counted(self._voting & self.named.present)[rest],
        )

    def _stated(self, column: str, rows: Codes, count: Callable[[Codes], Numbers]) -> Numbers:
        found = self._rows[column][rows].astype(np.int64)
        rest = found < 0
        if bool(rest.any()):
            found[rest] = count(rows[rest])
        return found

    def _counted(self, keep: Bools) -> Numbers:
        """Named rows kept, per occasion; -1 where an occasion has no attendance rows at all."""
        size = len(self._rows)
        any_row = np.bincount(self.named.occasion, minlength=size) > 0
        number = np.bincount(self.named.occasion[keep], minlength=size)
        return np.where(any_row, number, -1)

    @cached_property
    def _all(self) -> Bools:
        return np.ones(len(self.named.person), dtype=np.bool_)

    @cached_property
    def _voting(self) -> Bools:
        """Which named attendance rows are of people with a vote in the occasion's branch."""
        named = self.named
        branch, day = self._branch(named.occasion), self._day[named.occasion]
        return self._facts.roster.includes("voting", named.person, branch, day)

    def _branch(self, rows: Codes) -> Codes:
        """The branch whose roster an occasion draws on: its own, or its group's branch."""
        organization = self._rows["organization"][rows]
        branch = self._context.answerable[np.maximum(organization, 0)]
        return np.where(organization < 0, -1, branch).astype(np.int32)

    def _roster(self, rows: Codes) -> Numbers:
        branch = self._branch(rows)
        count = self._facts.roster.count("voting", np.maximum(branch, 0), self._day[rows])
        return np.where((branch < 0) | (count == 0), -1, count).astype(np.int64)

    def holders(
        self, posts: tuple[str, ...], rows: Codes, *, members_only: bool = False
    ) -> Numbers:
        """Holders of ``posts`` in the occasion's organization on the day.

        ``members_only`` leaves out holders who are on no Party roster, in organizations
        where some holder is on one.
        """
        organization = np.maximum(self._rows["organization"][rows], 0)
        spells = self._spells(posts, members_only=members_only)
        return spells.count(organization, self._day[rows]).astype(np.int64)

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
        member = among(table.person, roster.person[roster.party])
        rostered = among(table.organization, table.organization[member])
        return member | ~rostered

    def came(self, posts: tuple[str, ...], rows: Codes, *, members_only: bool = False) -> Numbers:
        """Holders of ``posts`` who came; -1 where nothing says who did."""
        counted = self._context.shared(
            ("came", posts, members_only, self._roster_day),
            lambda: self._counted(self._came(posts, members_only=members_only)),
        )[rows]
        return np.where(counted >= 0, counted, self._rows["present"][rows]).astype(np.int64)

    def _came(self, posts: tuple[str, ...], *, members_only: bool) -> Bools:
        named, table = self.named, self._facts.posts
        organization = self._rows["organization"][named.occasion]
        day = self._day[named.occasion]
        held = table.held_by(posts, named.person, organization, day) & named.present
        if members_only:
            held &= ~among(named.person, table.person[~self._member_posts])
        return held


def of(context: Context, roster_day: str | None = None) -> Turnout:
    """The turnout of every occasion, computed once in an evaluation.

    ``roster_day`` says on which day posts and rosters are looked at: that of the ``event``
    (the default), or ``today``, the day judged.
    """
    chosen = roster_day or "event"
    return context.shared(("turnout", chosen), lambda: Turnout(context, chosen))
