"""What the checks of one evaluation share: the organizations, the day, the calendar.

Masks and indices that several rules need are computed once and shared, so that judging
twenty count rules reads each column once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from guiju.rules import completeness, findings, periods
from guiju.rules.arrays import among
from guiju.rules.calendars import Calendar
from guiju.rules.checks.base import FIRST_PERIOD
from guiju.rules.completeness import Completeness
from guiju.rules.facts import Facts
from guiju.rules.pack import AppliesTo, Choices, Pack
from guiju.rules.periods import FIRST_DAY, LAST_DAY, NULL_DAY, Unit
from guiju.rules.spells import Spells, bounds
from guiju.rules.vocabulary import BRANCH_KINDS, COMMITTEE_POSTS

if TYPE_CHECKING:
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]
T = TypeVar("T")

#: Three holders of committee posts make a committee where the tree does not say.
_COMMITTEE_SIZE = 3


#: Stands for whatever a rule calls a shortfall.
_SHORT = np.int8(-1)


class Grid:
    """Subjects × periods, flat: one entry for each pair that the rule reaches.

    ``judged`` is false where it does not apply there: the organization exists for only a
    part of the period, or a condition does not hold.
    """

    def __init__(
        self,
        size: int,
        low: int,
        high: int,
        organization: Codes,
        period: Codes,
        judged: Bools,
        subject_type: str,
    ) -> None:
        self.organization = organization
        self.period = period
        self.judged = judged
        self.subject_type = subject_type
        self.low, self.high = low, high
        self._width = high - low + 1
        cells = organization.astype(np.int64) * self._width + (period - low)
        self._place = np.full(size * self._width + 1, -1, dtype=np.int32)
        self._place[cells] = np.arange(len(cells), dtype=np.int32)
        #: Verdict of each entry that has not enough, once somebody has asked.
        self.otherwise: NDArray[np.int8] | None = None

    def __len__(self) -> int:
        return len(self.organization)

    def place(self, organization: Codes, period: Codes) -> Codes:
        """The entry of each (organization, period); -1 where there is none."""
        offset = period - self.low
        inside = (offset >= 0) & (offset < self._width) & (organization >= 0)
        cell = organization.astype(np.int64) * self._width + offset
        return self._place[np.where(inside, cell, len(self._place) - 1)]


class Context:
    """One evaluation: ``facts`` judged by ``pack`` as of a day, under the tenant's choices.

    ``scope`` limits which organizations are judged (a mask over organization codes);
    ``judge_from`` is the first day the tenant has chosen to be judged from;
    ``complete_after`` the days after which a month counts as complete without a word.
    """

    def __init__(
        self,
        pack: Pack,
        facts: Facts,
        as_of: int,
        choices: Choices,
        calendar: Calendar,
        scope: Bools | None = None,
        judge_from: int = FIRST_DAY,
        complete_after: int | None = None,
    ) -> None:
        self.pack = pack
        self.facts = facts
        self.as_of = as_of
        self.choices = choices
        self.calendar = calendar
        self.judge_from = judge_from
        self.complete_after = complete_after
        self.warnings: list[str] = []
        self._cache: dict[Any, Any] = {}
        self._reached: dict[AppliesTo, bool] = {}
        self.scope = np.ones(self.size, dtype=np.bool_) if scope is None else scope

    def shared(self, key: Any, make: Callable[[], T]) -> T:
        """``make()``, computed once in this evaluation."""
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found

    def forget(self) -> None:
        """Let go of what was shared so far; whoever asks again has it made anew."""
        self._cache.clear()
        if "presuming" in self.__dict__:
            self.presuming.forget()

    # -- organizations ---------------------------------------------------------

    @cached_property
    def size(self) -> int:
        """Number of organizations."""
        return self.facts.count("organizations")

    @cached_property
    def parent(self) -> Codes:
        """Code of each organization's superior; -1 at the top."""
        return self.facts["organizations"]["parent"]

    @cached_property
    def kind(self) -> NDArray[np.int16]:
        return self.facts["organizations"]["kind"]

    @cached_property
    def opened(self) -> Days:
        return bounds(self.facts["organizations"], "opened_on", "closed_on")[0]

    @cached_property
    def closed(self) -> Days:
        return bounds(self.facts["organizations"], "opened_on", "closed_on")[1]

    @cached_property
    def sector(self) -> NDArray[np.int16]:
        return self.facts.sectors

    def of_kind(self, kinds: Sequence[str]) -> Bools:
        """Organizations of one of these kinds."""

        def make() -> Bools:
            wanted = [self.facts.position("organization_kind", kind) for kind in kinds]
            return among(self.kind, wanted)

        return self.shared(("of kind", tuple(kinds)), make)

    @cached_property
    def is_branch(self) -> Bools:
        return self.of_kind(BRANCH_KINDS)

    @cached_property
    def is_group(self) -> Bools:
        return self.of_kind(("party_group",))

    def nearest(self, wanted: Bools, *, strict: bool = False) -> Codes:
        """Each organization's nearest ancestor among ``wanted`` (itself included unless strict)."""
        found = np.where(wanted, np.arange(self.size, dtype=np.int32), -1).astype(np.int32)
        current = self.parent.copy() if strict else np.arange(self.size, dtype=np.int32)
        answer = np.full(self.size, -1, dtype=np.int32)
        for _ in range(64):
            open_ = (answer < 0) & (current >= 0)
            if not bool(open_.any()):
                break
            answer = np.where(open_, found[current], answer)
            current = np.where((answer < 0) & (current >= 0), self.parent[current], -1)
        return answer.astype(np.int32)

    @cached_property
    def branch_of(self) -> Codes:
        """The branch that answers for each organization: itself, or a group's branch; else -1."""
        return self.nearest(self.is_branch)

    @cached_property
    def answerable(self) -> Codes:
        """The organization that answers for each: a group's branch, otherwise itself."""
        own = np.arange(self.size, dtype=np.int32)
        return np.where(self.is_group & (self.branch_of >= 0), self.branch_of, own).astype(np.int32)

    def applies(self, rule: Rule) -> Bools:
        """Organizations that a rule binds by kind, sector and variant, within the scope."""
        return self.shared(
            ("applies", rule.requirement.applies_to), lambda: self.binds(rule) & self.scope
        )

    def reaches(self, rule: Rule) -> bool:
        """Whether a rule binds anybody within the scope."""
        who = rule.requirement.applies_to
        found = self._reached.get(who)
        if found is None:
            found = self._reached[who] = bool(self.applies(rule).any())
        return found

    def binds(self, rule: Rule) -> Bools:
        """Organizations that a rule binds by kind, sector and variant, whatever is being judged."""
        return self.shared(("binds", rule.requirement.applies_to), lambda: self._binds(rule))

    def _binds(self, rule: Rule) -> Bools:
        bound = np.ones(self.size, dtype=np.bool_)
        who = rule.requirement.applies_to
        if who.kinds:
            bound &= self.of_kind(who.kinds)
        if who.sectors:
            bound &= self._in_sectors(who.sectors)
        if self.pack.variants and who.scope == "variants":
            chosen = who.variants or tuple(variant.id for variant in self.pack.variants)
            sectors = [s for one in self.pack.variants if one.id in chosen for s in one.sectors]
            bound &= self.shared(("variants", chosen), lambda: self._in_sectors(sectors))
        return bound

    def _in_sectors(self, sectors: Sequence[str]) -> Bools:
        return among(self.sector, [self.facts.position("sector", sector) for sector in sectors])

    # -- states on a day ---------------------------------------------------------

    def holds(self, conditions: Sequence[str], organizations: Codes, days: Days) -> Bools:
        """Whether all named conditions hold for each organization on each day."""
        result = np.ones(len(organizations), dtype=np.bool_)
        for name in conditions:
            result &= CONDITIONS[name](self, organizations, days)
        return result

    def committee_size(self, organizations: Codes, days: Days) -> Codes:
        """Holders of committee posts in each organization on each day."""
        return self.facts.posts.count(COMMITTEE_POSTS, organizations, days)

    # -- periods -----------------------------------------------------------------

    def span(self, rule: Rule, unit: Unit) -> tuple[int, int]:
        """First and last period (inclusive) that a rule judges as of the day; may be empty."""
        low = periods.index(max(rule.valid_from, FIRST_DAY), unit)
        if rule.first:
            # What had begun by then is looked at too, but only for information.
            if FIRST_PERIOD not in rule.readings:
                low = periods.first_judged(rule.valid_from, unit)["half_way"]
        elif periods.first_day(low, unit) < rule.valid_from and rule.version.transition != "new":
            low += 1
        if self.judge_from > FIRST_DAY:
            start = periods.index(self.judge_from, unit)
            low = max(low, start + (periods.first_day(start, unit) < self.judge_from))
        high = periods.index(min(self.as_of, rule.valid_until), unit)
        if rule.valid_until < LAST_DAY and periods.last_day(high, unit) > rule.valid_until:
            # The period crosses into another version (or the rule's end): whoever
            # takes it over says so; an expiring rule judges whole periods only.
            high -= not rule.keeps_last
        return low, high

    def first_judged(self, rule: Rule, unit: Unit) -> int:
        """The first period that a rule not only looks at but judges."""
        low, _high = self.span(rule, unit)
        if rule.first and FIRST_PERIOD in rule.readings:
            starts = periods.first_judged(rule.valid_from, unit)
            low = max(low, starts[rule.readings[FIRST_PERIOD]])
        return low

    def in_validity(self, rule: Rule, days: Days) -> Bools:
        """Days on which the rule is in force, judged at all, and not later than the day."""
        first = max(rule.valid_from, self.judge_from)
        return (days >= first) & (days <= rule.valid_until) & (days <= self.as_of)

    def exists(self, organizations: Codes, first: Days, last: Days) -> Bools:
        """Whether each organization exists through the whole of each span."""
        return (self.opened[organizations] <= first) & (self.closed[organizations] >= last)

    def grid(self, rule: Rule, unit: Unit, low: int, high: int) -> Grid:
        """Every organization the rule binds, in every period that touches its existence."""
        key = ("grid", rule.requirement.applies_to, unit, low, high)
        return self.shared(key, lambda: self._grid(rule, unit, low, high))

    def _grid(self, rule: Rule, unit: Unit, low: int, high: int) -> Grid:
        bound = np.flatnonzero(self.applies(rule)).astype(np.int32)
        span = np.arange(low, high + 1, dtype=np.int32)
        organization, period = np.repeat(bound, len(span)), np.tile(span, len(bound))
        first = np.tile(periods.first_days(span, unit), len(bound))
        last = np.tile(periods.last_days(span, unit), len(bound))
        touched = (self.opened[organization] <= last) & (self.closed[organization] >= first)
        if not bool(touched.all()):
            organization, period = organization[touched], period[touched]
            first, last = first[touched], last[touched]
        judged = self.exists(organization, first, last)
        conditions = rule.requirement.applies_to.conditions
        if conditions:
            judged &= self.holds(conditions, organization, np.minimum(last, np.int32(self.as_of)))
        groups = bool(len(bound)) and bool(self.is_group[bound].all())
        subject_type = "group" if groups else "organization"
        if "has_team" in conditions:
            subject_type = "team"
        return Grid(self.size, low, high, organization, period, judged, subject_type)

    def period_verdict(self, rule: Rule, enough: Bools, grid: Grid, unit: Unit) -> NDArray[np.int8]:
        """Met; while the period is open pending; then short if attested, else no data (D3)."""
        if grid.otherwise is None:
            grid.otherwise = self._otherwise(grid, unit)
        verdict = grid.otherwise.copy()
        verdict[verdict == _SHORT] = rule.shortfall_code
        verdict[enough & grid.judged] = findings.MET
        return verdict

    def _otherwise(self, grid: Grid, unit: Unit) -> NDArray[np.int8]:
        """What is said of each entry that has not enough; :data:`_SHORT` for a shortfall."""
        over = self.closed_periods(grid.period, unit)
        attested = self.attested(grid.organization, grid.period, unit)
        silent = np.where(over, findings.NO_DATA, findings.PENDING).astype(np.int8)
        silent[over & attested] = _SHORT
        silent[~grid.judged] = findings.NOT_APPLICABLE
        return silent

    def due(self, verdict: NDArray[np.int8], period: Codes, unit: Unit) -> Days:
        """The last day of each pending period; no day for the others."""
        due = np.full(len(verdict), NULL_DAY, dtype=np.int32)
        pending = np.flatnonzero(verdict == findings.PENDING)
        due[pending] = periods.last_days(period[pending], unit)
        return due

    def closed_periods(self, found: Codes, unit: Unit) -> Bools:
        """Periods that are over: as of the day after their last."""
        return found < periods.index(self.as_of, unit)

    def attested(self, organizations: Codes, found: Codes, unit: Unit) -> Bools:
        """Whether the records of each organization for each period are attested complete.

        A period is attested itself, through a longer one, or through all its months;
        a group through its branch.  An attestation objected to does not count.  See
        :mod:`guiju.rules.completeness` for months complete without a word.
        """
        low, table = self.shared(("complete", unit), lambda: self._complete(unit))
        place = np.minimum(np.maximum(found - np.int32(low), 0), table.shape[1] - 1)
        return table[organizations, place]

    def _complete(self, unit: Unit) -> tuple[int, Bools]:
        low, table = self._completeness.table(unit)
        return low, table | table[self.answerable]

    @cached_property
    def _completeness(self) -> Completeness:
        since = max(self.judge_from, periods.day(self.pack.issued_on))
        return completeness.of(self.facts, self.as_of, since, self.complete_after)

    @cached_property
    def presuming(self) -> Context:
        """The same evaluation with every month that is over complete, unless objected to (D3)."""
        found = Context(
            self.pack,
            self.facts,
            self.as_of,
            self.choices,
            self.calendar,
            self.scope,
            self.judge_from,
            complete_after=0,
        )
        found.warnings = self.warnings
        return found

    @cached_property
    def presumes_more(self) -> bool:
        """Whether some month of somebody in scope is complete only if that is presumed."""
        first = periods.index(max(self.judge_from, periods.day(self.pack.issued_on)), Unit.MONTH)
        months = np.arange(first, periods.index(self.as_of, Unit.MONTH), dtype=np.int32)
        everybody = np.flatnonzero(self.scope).astype(np.int32)
        organization, month = np.repeat(everybody, len(months)), np.tile(months, len(everybody))
        known = self.attested(organization, month, Unit.MONTH)
        return bool((self.presuming.attested(organization, month, Unit.MONTH) & ~known).any())


Condition = Callable[[Context, Codes, Days], Bools]


def _has_committee(context: Context, organizations: Codes, days: Days) -> Bools:
    """Branches with a committee, and groups of such branches."""
    organizations = context.answerable[organizations]
    stated = context.facts["organizations"]["has_committee"][organizations]
    counted = context.committee_size(organizations, days) >= _COMMITTEE_SIZE
    return np.where(stated < 0, counted, stated == 1)


def _no_committee(context: Context, organizations: Codes, days: Days) -> Bools:
    return ~_has_committee(context, organizations, days)


def _has_groups(context: Context, organizations: Codes, days: Days) -> Bools:
    spells = context.shared("groups", lambda: _group_spells(context))
    return spells.count(organizations, days) > 0


def _group_spells(context: Context) -> Spells:
    owners = np.where(context.is_group, context.branch_of, -1).astype(np.int32)
    return Spells(owners, context.opened, context.closed)


def _has_floating(context: Context, organizations: Codes, days: Days) -> Bools:
    def make() -> Spells:
        roster = context.facts.roster
        floating = context.facts["members"]["floating"] == 1
        owners = np.where(floating & roster.party, roster.organization, -1).astype(np.int32)
        return Spells(owners, roster.start, roster.end)

    return context.shared("floating", make).count(organizations, days) > 0


def _has_leading_cadres(context: Context, organizations: Codes, days: Days) -> Bools:
    """Branches, and groups of branches, with a leading cadre on the roster."""

    def make() -> Spells:
        roster = context.facts.roster
        leading = context.facts["members"]["leading_cadre"] == 1
        owners = np.where(leading & roster.party, roster.organization, -1).astype(np.int32)
        return Spells(owners, roster.start, roster.end)

    spells = context.shared("leading cadres", make)
    return spells.count(context.answerable[organizations], days) > 0


def _has_team(context: Context, organizations: Codes, days: Days) -> Bools:
    """Committees and leading groups have a team; others where members of one are on record."""
    committees = context.of_kind(("committee", "working_committee", "leading_group"))
    members = context.facts.posts.count(("team_member",), organizations, days)
    return committees[organizations] | (members > 0)


def _mass_review(context: Context, organizations: Codes, days: Days) -> Bools:
    """Units that must hear the masses: by their own statement, else villages and communities."""
    stated = context.facts["organizations"]["mass_review_required"][organizations]
    villages = [context.facts.position("sector", sector) for sector in ("village", "community")]
    return np.where(stated < 0, among(context.sector[organizations], villages), stated == 1)


def _paper_duty(duty: str, sectors: Sequence[str]) -> Condition:
    """Organizations with a duty to write papers; where they state none, by their sector."""

    def holds(context: Context, organizations: Codes, days: Days) -> Bools:
        stated = context.facts["organizations"]["paper_duty"][organizations]
        usual = [context.facts.position("sector", sector) for sector in sectors]
        implied = among(context.sector[organizations], usual)
        return np.where(stated < 0, implied, stated == context.facts.position("paper_duty", duty))

    return holds


def _top(context: Context, organizations: Codes, days: Days) -> Bools:
    return context.parent[organizations] < 0


def _upper_committee(context: Context, organizations: Codes, days: Days) -> Bools:
    """Committees of a county or a municipal unit: at most one level below the top of the tree.

    The tree does not say which level a committee is of; towns and villages are of a lower one.
    """
    parent = context.parent[organizations]
    near_top = (parent < 0) | (np.append(context.parent, np.int32(-1))[parent] < 0)
    lower = [context.facts.position("sector", s) for s in ("township", "village", "community")]
    return near_top & ~among(context.sector[organizations], lower)


def _leads_area(context: Context, organizations: Codes, days: Days) -> Bools:
    """Working committees, and committees above all sectors: they lead a district, zone or field."""
    working = context.of_kind(("working_committee",)) | (context.sector < 0)
    return working[organizations]


def _unit_committee(context: Context, organizations: Codes, days: Days) -> Bools:
    """Leading groups, and committees with none of either above them in their own sector."""
    leading = context.of_kind(("committee", "leading_group"))
    above = context.nearest(leading, strict=True)
    same = (above >= 0) & (context.sector[above] == context.sector)
    group = context.of_kind(("leading_group",))
    return (leading & (context.sector >= 0) & (group | ~same))[organizations]


def _leading_committee(context: Context, organizations: Codes, days: Days) -> Bools:
    """Committees and leading groups that lead an area, a sector or a unit."""
    return _leads_area(context, organizations, days) | _unit_committee(context, organizations, days)


def _below_committee(context: Context, organizations: Codes, days: Days) -> Bools:
    """Organizations with a committee above them in their own sector."""
    above = context.nearest(context.of_kind(("committee",)), strict=True)
    return ((above >= 0) & (context.sector[above] == context.sector))[organizations]


def _leads_branches(context: Context, organizations: Codes, days: Days) -> Bools:
    """Organizations with a branch directly below them on the day."""

    def make() -> Spells:
        owners = np.where(context.is_branch, context.parent, -1).astype(np.int32)
        return Spells(owners, context.opened, context.closed)

    return context.shared("branches by superior", make).count(organizations, days) > 0


def _has_branches(context: Context, organizations: Codes, days: Days) -> Bools:
    """Organizations with a branch anywhere below them."""

    def make() -> Bools:
        found = np.zeros(context.size, dtype=np.bool_)
        current = context.parent[context.is_branch]
        while bool((current >= 0).any()):
            current = np.unique(current[current >= 0])
            current = current[~found[current]]
            found[current] = True
            current = context.parent[current]
        return found

    return context.shared("has branches", make)[organizations]


def _in_township(context: Context, organizations: Codes, days: Days) -> Bools:
    """Organizations under a town or street."""
    town = context.sector == context.facts.position("sector", "township")
    return context.nearest(town, strict=True)[organizations] >= 0


def _outside_township(context: Context, organizations: Codes, days: Days) -> Bools:
    return ~_in_township(context, organizations, days)


def _internal_body(context: Context, organizations: Codes, days: Days) -> Bools:
    """Branches of an internal or subordinate body: so marked themselves, or their unit is."""
    internal = context.facts["organizations"]["internal"]
    parent = context.parent[organizations]
    above = np.where(parent >= 0, internal[parent], -1)
    own = internal[organizations]
    return np.where(own < 0, above, own) == 1


def _unit_itself(context: Context, organizations: Codes, days: Days) -> Bools:
    return ~_internal_body(context, organizations, days)


#: Conditions that a requirement may name in ``applies_to.conditions``.
CONDITIONS: dict[str, Condition] = {
    "has_committee": _has_committee,
    "no_committee": _no_committee,
    "has_groups": _has_groups,
    "has_floating": _has_floating,
    "has_leading_cadres": _has_leading_cadres,
    "has_team": _has_team,
    "mass_review_required": _mass_review,
    "paper_required": _paper_duty("required", ("agency", "township", "school", "hospital")),
    "paper_village": _paper_duty("village", ("village", "community")),
    "paper_local": _paper_duty("local", ("university", "enterprise", "new_organization")),
    "top": _top,
    "upper_committee": _upper_committee,
    "leads_area": _leads_area,
    "unit_committee": _unit_committee,
    "leading_committee": _leading_committee,
    "below_committee": _below_committee,
    "leads_branches": _leads_branches,
    "has_branches": _has_branches,
    "in_township": _in_township,
    "outside_township": _outside_township,
    "internal_body": _internal_body,
    "unit_itself": _unit_itself,
}

_POST_COLUMNS = ("person", "organization", "post", "from_on", "until_on")
_MEMBER_COLUMNS = ("id", "organization", "membership_class", "from_on", "until_on")
#: Facts columns that a condition touches beyond those of the organization tree.
CONDITION_READS: dict[str, frozenset[tuple[str, str]]] = {
    "has_committee": frozenset(("posts", column) for column in _POST_COLUMNS),
    "no_committee": frozenset(("posts", column) for column in _POST_COLUMNS),
    "has_floating": frozenset(("members", column) for column in (*_MEMBER_COLUMNS, "floating")),
    "has_leading_cadres": frozenset(
        ("members", column) for column in (*_MEMBER_COLUMNS, "leading_cadre")
    ),
    "has_team": frozenset(("posts", column) for column in _POST_COLUMNS),
    "mass_review_required": frozenset({("organizations", "mass_review_required")}),
    **dict.fromkeys(
        ("paper_required", "paper_village", "paper_local"),
        frozenset({("organizations", "paper_duty")}),
    ),
    "internal_body": frozenset({("organizations", "internal")}),
    "unit_itself": frozenset({("organizations", "internal")}),
}
