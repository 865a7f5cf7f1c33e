"""Same theme: an occasion takes up the theme of an earlier one of the year, above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules import vocabulary as v
from guiju.rules.checks import occasions, streams, wording
from guiju.rules.checks.base import Footprint, code_list
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]

#: What was found, by the number that a finding carries.
FOUND = ("no_model", "no_theme", "same", "other")


class SameThemeSchema(OccasionSchema):
    """The kinds whose theme is taken up."""

    models = code_list(v.OCCASION_KINDS, required=True)


class SameTheme(OccasionCheck):
    """The theme of each occasion against that of the last model before it in its year."""

    name = "same_theme"
    schema = SameThemeSchema
    footprint = Footprint.OWN | Footprint.SUPERIORS
    summary = "主题与上级会议一致"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {*occasions.READS, ("occasions", "theme")}

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        theme = context.facts["occasions"]["theme"]
        model = _model(rule, meetings, context)
        own, other = theme[meetings.rows], np.append(theme, np.int32(-1))[model]
        found = np.select([(model < 0) | (other < 0), own < 0, own == other], [0, 1, 2], 3)
        verdicts = np.array(
            [findings.NOT_APPLICABLE, rule.shortfall_code, findings.MET, rule.shortfall_code]
        )
        return meetings.block(
            rule, verdicts[found], np.zeros(len(meetings), dtype=np.int64), found.astype(np.int64)
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["models"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """``same``, ``other``, ``no_theme``, or ``no_model`` where there is nothing to follow."""
        return FOUND[value]

    def not_reached(self, finding: Finding) -> str:
        model = wording.labels(finding.rule, "occasion_kind", finding.required)
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        return f"{about}不适用：此前当年没有登记主题的{model}。"

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        model = wording.labels(finding.rule, "occasion_kind", finding.required)
        if finding.verdict is Verdict.MET:
            return f"{about}与{model}主题一致，符合。"
        if finding.observed == "no_theme":
            return f"{about}没有登记主题，应与{model}主题一致。"
        return f"{about}的主题与{model}不同。"


def _model(rule: Rule, meetings: Meetings, context: Context) -> Codes:
    """The last model of the same year, not after each occasion, of an organization above it."""
    stream = streams.of({"source": "occasions", "kinds": rule.parameters["models"]}, context)
    year = periods.indices(stream.day, Unit.YEAR)
    order = np.lexsort((stream.day, year, stream.organization))
    key = (_key(stream.organization, year) << 22)[order] + stream.day[order]
    rows = stream.rows[order]
    found = np.full(len(meetings), -1, dtype=np.int32)
    current = meetings.organization
    when = periods.indices(meetings.day, Unit.YEAR)
    while len(rows) and bool((current >= 0).any()):
        base = _key(current, when) << 22
        place = np.searchsorted(key, base + meetings.day, "right") - 1
        here = (place >= 0) & (key[np.maximum(place, 0)] >= base) & (current >= 0)
        found = np.where(here & (found < 0), rows[np.maximum(place, 0)], found)
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    return found.astype(np.int32)


def _key(organization: Codes, year: Codes) -> NDArray[np.int64]:
    key: NDArray[np.int64] = (organization.astype(np.int64) << 12) + year
    return key
