"""Occasion by occasion: what the shapes that judge each meeting by itself share.

Such a rule looks at every held occasion of some kinds, by the organizations it binds,
from the day it is in force to the day judged.  Where a condition (such as having a
committee) did not hold on the day of the meeting, the rule does not apply to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import streams
from guiju.rules.checks.base import Check, Footprint, ParameterSchema, code_list
from guiju.rules.findings import Block, Evidence

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]
Verdicts = NDArray[np.int8]
Numbers = NDArray[np.int64]

#: Columns that choosing occasions touches, forms included.
READS = frozenset(
    ("occasions", column)
    for column in ("id", "organization", "kinds", "held_on", "status", "form", "start_minute")
)
#: The form that an occasion of a kind has where none is stated.
_FORM_OF_KIND = {
    "branch_assembly": "assembly",
    "branch_committee": "committee",
    "party_group_meeting": "group",
    "team_meeting": "team",
}


class OccasionSchema(ParameterSchema):
    """Which occasions are judged: of one of these kinds and, if stated, one of these forms.

    ``not_forms`` leaves out occasions of a form, but none whose form is unknown.
    """

    kinds = code_list(v.OCCASION_KINDS, required=True)
    forms = code_list(v.FORMS)
    not_forms = code_list(v.FORMS)


@dataclass(frozen=True)
class Meetings:
    """The occasions a rule judges; all arrays have one length.

    ``judged`` is false where the rule's conditions did not hold on the day.
    """

    context: Context
    rows: Codes
    organization: Codes
    day: Days
    judged: Bools

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def minute(self) -> Codes:
        """Start of each in minutes of the day; -1 where unknown."""
        return self.context.facts["occasions"]["start_minute"][self.rows]

    @cached_property
    def _place(self) -> Codes:
        place = np.full(len(self.context.facts["occasions"]) + 1, -1, dtype=np.int32)
        place[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        return place

    def place(self, occasions: Codes) -> Codes:
        """Position of each occasion code among those judged; -1 for others and unknowns."""
        return self._place[np.where(occasions < 0, len(self._place) - 1, occasions)]

    def block(
        self,
        rule: Rule,
        verdict: NDArray[Any],
        required: Numbers,
        observed: Numbers,
        due: Days | None = None,
    ) -> Block:
        """A finding about each occasion."""
        return Block(
            rule=rule,
            subject_type="occasion",
            subject=self.rows,
            organization=self.context.answerable[self.organization],
            verdict=np.where(self.judged, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=required,
            observed=observed,
            evidence=Evidence.single("occasions", self.rows),
            due=due,
        )


def choose(rule: Rule, context: Context) -> Meetings:
    """The occasions that ``rule`` judges; its parameters are an :class:`OccasionSchema`."""
    stream = streams.of({"source": "occasions", "kinds": rule.parameters["kinds"]}, context)
    return _bound(rule, context, stream.take(context.in_validity(rule, stream.day)))


def in_periods(rule: Rule, context: Context, *, groups: bool = False) -> Meetings:
    """The same for a rule about periods: the first one may have begun before the rule did (D4).

    With ``groups`` what a group held is its branch's.
    """
    stream = streams.of({"source": "occasions", "kinds": rule.parameters["kinds"]}, context)
    if groups:
        stream = replace(stream, organization=context.answerable[stream.organization])
    return _bound(rule, context, stream)


def holding(rule: Rule, context: Context, codes: Codes) -> Meetings:
    """The held occasions, of whatever kind, that ``rule`` binds and ``codes`` names."""
    rows = context.facts["occasions"]
    found = np.unique(codes[codes >= 0]).astype(np.int32)
    found = found[held(context)[found]]
    organization, day = rows["organization"][found], rows["held_on"][found]
    stream = streams.Stream("occasions", found, organization, day)
    return _bound(rule, context, stream.take(context.in_validity(rule, day)))


def held(context: Context, kinds: Sequence[str] = ()) -> Bools:
    """Occasions held up to the day judged, of one of ``kinds`` if any are named."""
    rows = context.facts["occasions"]
    status = rows["status"]
    done = context.facts.position("occasion_status", "held")
    good = ((status < 0) | (status == done)) & (rows["organization"] >= 0)
    good &= rows["held_on"] <= context.as_of
    if kinds:
        good &= (rows["kinds"] & context.facts.mask("occasion_kind", kinds)) != 0
    return np.asarray(good)


def _bound(rule: Rule, context: Context, stream: streams.Stream) -> Meetings:
    keep = context.applies(rule)[stream.organization]
    if rule.parameters.get("forms"):
        wanted = [context.facts.position("form", form) for form in rule.parameters["forms"]]
        keep &= among(forms(context)[stream.rows], wanted)
    if rule.parameters.get("not_forms"):
        others = [context.facts.position("form", form) for form in rule.parameters["not_forms"]]
        keep &= ~among(forms(context)[stream.rows], others)
    stream = stream.take(keep)
    conditions = rule.requirement.applies_to.conditions
    judged = context.holds(conditions, stream.organization, stream.day)
    return Meetings(context, stream.rows, stream.organization, stream.day, judged)


def forms(context: Context) -> NDArray[np.int16]:
    """The form of every occasion: as stated, or as its kind (or a group's holding it) implies."""
    return context.shared("forms", lambda: _forms(context))


def _forms(context: Context) -> NDArray[np.int16]:
    rows = context.facts["occasions"]
    form = rows["form"].copy()
    for kind, implied in _FORM_OF_KIND.items():
        has = (rows["kinds"] & context.facts.mask("occasion_kind", [kind])) != 0
        form[has & (form < 0)] = context.facts.position("form", implied)
    organization = rows["organization"]
    by_group = (organization >= 0) & context.is_group[organization]
    form[by_group & (form < 0)] = context.facts.position("form", "group")
    return form


class OccasionCheck(Check):
    """A shape that judges each occasion by itself; subclasses implement ``each``."""

    footprint = Footprint.OWN | Footprint.GROUPS

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return set(READS)

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            meetings = choose(rule, context)
            if len(meetings):
                yield self.each(rule, meetings, context)

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        """The findings about all ``meetings`` (at least one)."""
        raise NotImplementedError


def pack_pair(high: NDArray[Any], low: NDArray[Any]) -> Numbers:
    """Two numbers of 31 bits in one, so that a finding can show both."""
    return (high.astype(np.int64) << 32) | low.astype(np.int64)


def unpack_pair(value: int) -> tuple[int, int]:
    """The two numbers of :func:`pack_pair`."""
    return value >> 32, value & 0xFFFFFFFF
