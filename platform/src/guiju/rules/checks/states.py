"""States on a day: what the shapes that judge how things stand have in common.

Such a rule says nothing of periods: an organization's make-up, its register, its notices on
the wall are looked at as they stand on the day judged.  An absence is a shortfall only
where the records of the last month that is over are attested complete (D3); otherwise
nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks.base import Check
from guiju.rules.findings import Block, Evidence
from guiju.rules.periods import Unit

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]
Days = NDArray[np.int32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Subjects:
    """Organizations that a rule judges as of the day; both arrays have one length.

    ``judged`` is false where the rule's conditions do not hold on the day.
    """

    context: Context
    organization: Codes
    judged: Bools

    def __len__(self) -> int:
        return len(self.organization)

    @cached_property
    def days(self) -> Days:
        """The day judged, once for each."""
        return np.full(len(self), self.context.as_of, dtype=np.int32)

    def place(self, organizations: Codes) -> Codes:
        """Position of each organization among the subjects; -1 for others and unknowns."""
        found = np.full(self.context.size + 1, -1, dtype=np.int32)
        found[self.organization] = np.arange(len(self), dtype=np.int32)
        return found[np.where(organizations < 0, self.context.size, organizations)]

    def block(
        self,
        rule: Rule,
        verdict: NDArray[Any],
        required: Numbers,
        observed: Numbers,
        *,
        evidence: Evidence | None = None,
        due: Days | None = None,
        subject_type: str | None = None,
    ) -> Block:
        """A finding about each organization."""
        groups = bool(len(self)) and bool(self.context.is_group[self.organization].all())
        return Block(
            rule=rule,
            subject_type=subject_type or ("group" if groups else "organization"),
            subject=self.organization,
            organization=self.context.answerable[self.organization],
            verdict=np.where(self.judged, verdict, findings.NOT_APPLICABLE).astype(np.int8),
            required=required,
            observed=observed,
            evidence=Evidence.none(len(self)) if evidence is None else evidence,
            due=due,
        )


def subjects(rule: Rule, context: Context) -> Subjects:
    """The organizations that ``rule`` judges as they stand; none while it is not in force."""
    in_force = max(rule.valid_from, context.judge_from) <= context.as_of <= rule.valid_until
    key = ("subjects", rule.requirement.applies_to, in_force)
    return context.shared(key, lambda: _subjects(rule, context, in_force=in_force))


def _subjects(rule: Rule, context: Context, *, in_force: bool) -> Subjects:
    there = (context.opened <= context.as_of) & (context.closed >= context.as_of)
    bound = context.applies(rule) & there & in_force
    organization = np.flatnonzero(bound).astype(np.int32)
    days = np.full(len(organization), context.as_of, dtype=np.int32)
    judged = context.holds(rule.requirement.applies_to.conditions, organization, days)
    return Subjects(context, organization, judged)


class StateCheck(Check):
    """A shape of rules about how things stand on the day judged."""

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            found = subjects(rule, context)
            if len(found):
                yield self._judge(rule, context, found)

    def _judge(self, rule: Rule, context: Context, subjects: Subjects) -> Block:
        """The findings of one rule about the ``subjects``, of whom there is at least one."""
        raise NotImplementedError


def attested(context: Context, organizations: Codes) -> Bools:
    """Whether the records of each organization are attested complete up to the day judged.

    That is: for the last month that is over.
    """
    last = periods.index(context.as_of, Unit.MONTH) - 1
    return context.attested(
        organizations, np.full(len(organizations), last, dtype=np.int32), Unit.MONTH
    )


def attested_on(context: Context, organizations: Codes, days: Days) -> Bools:
    """Whether the records of each organization are attested for the month of each day."""
    months = periods.indices(days, Unit.MONTH)
    over = context.closed_periods(months, Unit.MONTH)
    return over & context.attested(organizations, months, Unit.MONTH)


def absent(rule: Rule, context: Context, organizations: Codes) -> NDArray[np.int8]:
    """What finding nothing means: short where attested complete, else not known."""
    known = attested(context, organizations)
    return np.where(known, rule.shortfall_code, findings.NO_DATA).astype(np.int8)
