"""The ledger of branches that meet the standard or do not, as people decided.

Computed results never decide this ledger (四·4: qualitative first, records are not the
main basis): it prints recorded decisions, and blank means not decided yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO, Final

from guiju.hookspecs import ReportFormat, ReportRequest
from guiju.reports import sheets
from guiju.reports.extracts import Extracts
from guiju.rules import periods
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import SECTORS, Verdict

_COLUMNS: Final = (
    *(("序号", 6), ("党支部", 36), ("领域", 10), ("认定", 10), ("认定日期", 12)),
    *(("记录反映的问题（供认定参考）", 56), ("整改措施项数", 12), ("已销号", 8), ("最近时限", 12)),
)
_UNDECIDED: Final = "未认定"
_FAULTS: Final = (Verdict.NOT_MET, Verdict.DEVIATION)


def render(request: ReportRequest, out: BinaryIO) -> None:
    """One sheet: a row for each branch below the unit."""
    extracts = Extracts(request)
    with sheets.report(out) as report:
        report.sheet(
            "达标台账",
            "党支部标准化规范化建设工作台账",
            _COLUMNS,
            _rows(extracts),
            note=f"单位：{extracts.name(request.organization)}　截至 {request.as_of}"
            f"　依据：{request.pack.document} 三·1",
            foot="“认定”栏只列由人作出并登记的认定；判定以定性为主，记录不作为主要评判依据。",
        )


def _rows(extracts: Extracts) -> Iterator[tuple[Any, ...]]:
    decided = _decisions(extracts)
    items = _items(extracts)
    sectors = extracts.facts.codes("sector")
    for number, branch in enumerate(extracts.branches, 1):
        state, since = decided.get(branch, (_UNDECIDED, None))
        sector = int(extracts.facts.sectors[branch])
        faults = dict.fromkeys(
            f.rule.title for f in extracts.shortfalls(branch) if f.verdict in _FAULTS
        )
        opened, closed, due = items.get(branch, (0, 0, None))
        yield (
            number,
            extracts.name(branch),
            SECTORS.get(sectors[sector]) if sector >= 0 else None,
            state,
            since,
            "；".join(faults),
            opened,
            closed,
            due,
        )


def _decisions(extracts: Extracts) -> dict[int, tuple[str, date]]:
    """The latest recorded state of each branch that holds on the day."""
    rows = extracts.facts["register"]
    item = extracts.facts.position("register_item", "standard_state")
    found: dict[int, tuple[str, date]] = {}
    as_of = periods.day(extracts.request.as_of)
    values = rows.strings("value")
    columns = zip(
        rows["organization"].tolist(),
        rows["item"].tolist(),
        rows["since_on"].tolist(),
        rows["until_on"].tolist(),
        values,
        strict=True,
    )
    for organization, kind, since, until, value in sorted(columns, key=lambda row: row[2]):
        holds = since <= as_of and (until == NULL_DAY or as_of <= until)
        if kind == item and holds and value:
            found[organization] = (value, periods.to_date(since))
    return found


def _items(extracts: Extracts) -> dict[int, tuple[int, int, date | None]]:
    """Correction items of each branch: how many, how many closed, the next time limit."""
    rows = extracts.facts["rectifications"]
    as_of = periods.day(extracts.request.as_of)
    found: dict[int, tuple[int, int, date | None]] = {}
    columns = zip(
        *(rows[name].tolist() for name in ("organization", "opened_on", "closed_on", "due_on")),
        strict=True,
    )
    for organization, opened, closed, due in columns:
        if opened > as_of:
            continue
        number, done, limit = found.get(organization, (0, 0, None))
        is_closed = closed != NULL_DAY and closed <= as_of
        if due != NULL_DAY and not is_closed:
            day = periods.to_date(due)
            limit = day if limit is None else min(limit, day)
        found[organization] = (number + 1, done + is_closed, limit)
    return found


FORMAT: Final = ReportFormat(
    id="xian.standard_ledger",
    profile="xian",
    title="党支部达标工作台账",
    clause="三·1",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    suffix=".xlsx",
    render=render,
)
