"""What reports read: the branches below a unit, their findings and their records, by branch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from guiju.hookspecs import ReportRequest
from guiju.rules import periods
from guiju.rules.findings import Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import BRANCH_KINDS, OCCASION_KINDS, VERDICTS, Verdict

#: Verdicts that say something falls short or waits for a person.
SHORT = (Verdict.NOT_MET, Verdict.DEVIATION, Verdict.ACTION_DUE, Verdict.NEEDS_JUDGEMENT)


@dataclass(frozen=True)
class Record:
    """One occasion as a ledger shows it; counts are None where nobody counted."""

    id: str
    branch: str
    kinds: tuple[str, ...]
    held_on: date
    theme: str | None
    expected: int | None
    present: int | None
    recorded_on: date | None

    @property
    def kind_labels(self) -> str:
        return "、".join(OCCASION_KINDS.get(kind, kind) for kind in self.kinds)


class Extracts:
    """Reads a request once and answers by branch."""

    def __init__(self, request: ReportRequest) -> None:
        self.request = request
        self.facts = request.facts

    @cached_property
    def names(self) -> list[str | None]:
        """Names of all organizations by code."""
        return self.facts["organizations"].strings("name")

    def name(self, organization: int) -> str:
        return self.names[organization] or self.facts.external("organizations", organization)

    @cached_property
    def subtree(self) -> set[int]:
        """Codes of the unit at the top and everything below it."""
        parent = self.facts["organizations"]["parent"].tolist()
        inside = {self.request.organization}
        below: dict[int, list[int]] = {}
        for child, superior in enumerate(parent):
            below.setdefault(superior, []).append(child)
        open_ = [self.request.organization]
        while open_:
            children = below.get(open_.pop(), [])
            inside.update(children)
            open_ += children
        return inside

    @cached_property
    def branches(self) -> list[int]:
        """Codes of the branches of the subtree, in the order of the tree."""
        kinds = [self.facts.position("organization_kind", kind) for kind in BRANCH_KINDS]
        is_branch = np.isin(self.facts["organizations"]["kind"], kinds)
        return [code for code in sorted(self.subtree) if is_branch[code]]

    @cached_property
    def findings(self) -> dict[int, list[Finding]]:
        """Findings by the organization that answers for them, those of the subtree only."""
        found: dict[int, list[Finding]] = {}
        for finding in self.request.findings:
            organization = int(finding.block.organization[finding.row])
            if organization in self.subtree:
                found.setdefault(organization, []).append(finding)
        return found

    def shortfalls(self, organization: int) -> list[Finding]:
        """Findings of one organization that fall short or wait for a person."""
        return [f for f in self.findings.get(organization, []) if f.verdict in SHORT]

    def of(self, organization: int, requirements: Sequence[str]) -> list[Finding]:
        """Findings of one organization about some requirements."""
        wanted = set(requirements)
        return [f for f in self.findings.get(organization, []) if f.rule.id in wanted]

    def records(self, kinds: Sequence[str]) -> Iterator[Record]:
        """Held occasions of some kinds in the subtree, by branch and day."""
        rows = self.facts["occasions"]
        mask = self.facts.mask("occasion_kind", kinds)
        status = rows["status"]
        held = (status < 0) | (status == self.facts.position("occasion_status", "held"))
        organization, day = rows["organization"], rows["held_on"]
        keep = ((rows["kinds"] & mask) != 0) & held & (organization >= 0)
        keep &= day <= periods.day(self.request.as_of)
        keep &= np.isin(organization, list(self.subtree))
        chosen = np.flatnonzero(keep)
        themes = rows.strings("theme")
        for row in chosen[np.lexsort((day[chosen], organization[chosen]))].tolist():
            yield Record(
                id=self.facts.external("occasions", row),
                branch=self.name(int(organization[row])),
                kinds=tuple(self.facts.unmask("occasion_kind", int(rows["kinds"][row]))),
                held_on=periods.to_date(int(day[row])),
                theme=themes[row],
                expected=_known(int(rows["expected"][row])),
                present=_known(int(rows["present"][row])),
                recorded_on=_day(int(rows["recorded_on"][row])),
            )

    def papers(self) -> dict[str, list[str]]:
        """Kinds of the papers kept, by occasion id."""
        rows = self.facts["documents"]
        codes = self.facts.codes("document_kind")
        found: dict[str, list[str]] = {}
        for occasion, kind in zip(rows["occasion"].tolist(), rows["kind"].tolist(), strict=True):
            if occasion >= 0 and kind >= 0:
                found.setdefault(self.facts.external("occasions", occasion), []).append(codes[kind])
        return found


def _known(number: int) -> int | None:
    return None if number < 0 else number


def _day(number: int) -> date | None:
    return None if number == NULL_DAY else periods.to_date(number)


def tally(findings: Sequence[Finding]) -> str:
    """Findings of one requirement in a few words: 符合 8、不符合 1."""
    counted: dict[str, int] = {}
    for finding in findings:
        counted[str(finding.verdict)] = counted.get(str(finding.verdict), 0) + 1
    return "、".join(f"{VERDICTS[code]} {number}" for code, number in counted.items())
