"""What the queries answer with: plain values for pages, the API and reports.

Codes are those of the public contract; texts are in Chinese as the pack has them.
Numbers named ``…_id`` are the database's, ``code`` is the author's own id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

#: Number of findings by verdict code; verdicts that do not occur are left out.  Beside them
#: ``late``: how many of those met about an organization rest on records that were made late.
Counts = Mapping[str, int]


class NotVisible(LookupError):
    """There is no such organization or finding in what the user may see."""


@dataclass(frozen=True)
class Unit:
    """An organization as lists name it."""

    organization_id: int
    code: str
    name: str
    kind: str


@dataclass(frozen=True)
class Progress:
    """A scoring that is under way, or the last one.

    ``stage`` is ``waiting``, ``judging``, ``totals``, ``done`` or ``failed``; ``done`` of
    ``total`` organizations are judged, None for who does not see them all.
    """

    stage: str
    total: int | None
    done: int | None
    as_of: date
    started_at: datetime
    finished_at: datetime | None
    error: str | None = None


@dataclass(frozen=True)
class Standing:
    """How fresh the findings are, as far as somebody sees.

    ``waiting`` organizations have changes that no finding reflects yet.
    """

    as_of: date | None
    scored_at: datetime | None
    waiting: int
    progress: Progress | None


@dataclass(frozen=True)
class UnitCounts:
    """Findings of a child and everything below it; ``below`` says whether it has children."""

    unit: Unit
    below: bool
    counts: Counts


@dataclass(frozen=True)
class RequirementCounts:
    """Findings on one part of a requirement."""

    profile: str
    requirement: str
    part: str | None
    title: str
    clause: str
    strictness: str
    subject_type: str
    counts: Counts


@dataclass(frozen=True)
class PeriodCounts:
    """Findings of one period; ``period`` is None for states that belong to none."""

    period: str | None
    text: str
    counts: Counts


@dataclass(frozen=True)
class Overview:
    """The findings of an organization and everything below it in one year."""

    unit: Unit
    year: int
    #: Years with findings, newest first.
    years: Sequence[int]
    counts: Counts
    by_child: Sequence[UnitCounts]
    by_requirement: Sequence[RequirementCounts]
    by_period: Sequence[PeriodCounts]
    standing: Standing


@dataclass(frozen=True)
class FindingView:
    """One finding with the keys of the public contract, and what pages add.

    ``finding`` is the contract's object; ids in it are the authors' codes.
    """

    finding: Mapping[str, Any]
    organization_id: int
    subject_id: int
    title: str
    #: The period in Chinese, e.g. 2021年第一季度.
    period_text: str | None

    @property
    def verdict(self) -> str:
        """The verdict's code."""
        return str(self.finding["verdict"])


@dataclass(frozen=True)
class GridCell:
    """One requirement in one period.

    ``number`` of findings are told one by one: the only one, or all exceptions where the
    requirement is about members or occasions (those of ``counts`` that are not met);
    ``findings`` holds them where they were asked for.  ``verdict`` is the gravest.
    ``compared`` is observed and required of the only one, where both are numbers.
    """

    period: str | None
    text: str
    verdict: str
    counts: Counts
    number: int
    compared: tuple[int, int] | None
    findings: Sequence[FindingView] = ()


@dataclass(frozen=True)
class GridRow:
    """One part of a requirement about one subject (the organization, or a group of it)."""

    profile: str
    requirement: str
    part: str | None
    title: str
    clause: str
    strictness: str
    subject_type: str
    subject: Unit
    #: month, bimonth, quarter, half, year, or None.
    unit: str | None
    cells: Sequence[GridCell]


@dataclass(frozen=True)
class OrganizationGrid:
    """Requirement × period of one organization in one year.

    States that belong to no period are in the rows of the year judged last.
    """

    unit: Unit
    year: int
    years: Sequence[int]
    counts: Counts
    rows: Sequence[GridRow]
    standing: Standing


@dataclass(frozen=True)
class Record:
    """A record that was looked at; ``reason`` says why it was not counted, else None."""

    table: str
    id: str
    title: str
    day: date | None
    reason: str | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a finding is what it is, judged afresh from the records of this moment.

    ``remedy`` says what would put it right, ``by`` until when (None where no date is set).
    """

    view: FindingView
    requirement_title: str
    document: str
    clause: str
    strictness: str
    #: What the check compares, in one sentence.
    check: str
    parameters: Mapping[str, Any]
    counted: Sequence[Record]
    uncounted: Sequence[Record]
    remedy: str | None
    by: date | None
    alternatives: Sequence["Alternative"] = ()
    as_of: date | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Alternative:
    """Another defensible reading, and the verdict it would give."""

    reading: str
    title: str
    option: str
    option_title: str
    verdict: str


@dataclass(frozen=True)
class AttentionItem:
    """What is not simply met: one requirement of one organization in one period."""

    unit: Unit
    profile: str
    requirement: str
    part: str | None
    title: str
    subject_type: str
    period: str | None
    period_text: str | None
    verdict: str
    due: date | None


@dataclass(frozen=True)
class AttentionPage:
    """Items and where the next page begins (None on the last)."""

    items: Sequence[AttentionItem]
    cursor: str | None = None
    #: Items of every page, by verdict.
    totals: Counts = field(default_factory=dict)
