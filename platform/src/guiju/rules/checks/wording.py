"""Words that the messages of several checks share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from guiju.rules import periods
from guiju.rules.facts import VOCABULARIES
from guiju.rules.periods import NULL_DAY

if TYPE_CHECKING:
    from guiju.rules.engine import Rule
    from guiju.rules.findings import Finding


def label(rule: Rule, vocabulary: str, code: str) -> str:
    """The Chinese label of a code, be it built in or added by the rule's pack."""
    known = {**VOCABULARIES[vocabulary], **rule.vocabularies.get(vocabulary, {})}
    return known.get(code, code)


def labels(rule: Rule, vocabulary: str, codes: Iterable[str]) -> str:
    """Labels joined as a Chinese list."""
    return "、".join(label(rule, vocabulary, code) for code in codes)


def day(value: int) -> str:
    """2020年5月9日; 日期不详 where there is none."""
    if value == NULL_DAY:
        return "日期不详"
    found = periods.to_date(value)
    return f"{found.year}年{found.month}月{found.day}日"


def occasion(finding: Finding) -> str:
    """Which occasion a finding is about: 2020年5月9日支部党员大会."""
    facts, row = finding.facts, int(finding.block.subject[finding.row])
    kinds = facts.unmask("occasion_kind", int(facts["occasions"]["kinds"][row]))
    wanted = finding.rule.parameters.get("kinds", kinds)
    named = [kind for kind in kinds if kind in wanted] or kinds
    held = day(int(facts["occasions"]["held_on"][row]))
    return held + labels(finding.rule, "occasion_kind", named[:1])
