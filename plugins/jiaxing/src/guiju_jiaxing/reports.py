"""The half-yearly inspection result: each branch's Party life, and what falls short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from guiju.hookspecs import ReportFormat, ReportRequest
from guiju.reports import sheets
from guiju.reports.extracts import Extracts
from guiju.rules.findings import Finding
from guiju.rules.vocabulary import VERDICTS, Verdict

#: Column heading and requirement counted under it.
_COUNTED: Final = (
    ("支部党员大会", "branch_assembly.quarterly"),
    ("支部委员会", "branch_committee.monthly"),
    ("党小组会", "party_group_meeting.monthly"),
    ("党课", "party_lecture.bimonthly"),
    ("组织生活会", "organizational_life_meeting.cycle"),
)
_COLUMNS: Final = (
    ("序号", 6),
    ("党组织", 32),
    *((heading, 14) for heading, _name in _COUNTED),
    ("存在问题", 60),
    ("整改要求", 24),
)
_FAULTS: Final = (Verdict.NOT_MET, Verdict.DEVIATION)


def render(request: ReportRequest, out: BinaryIO) -> None:
    """One sheet: a row for each branch, for the half-year of the day judged."""
    extracts = Extracts(request)
    half = "上" if request.as_of.month <= 6 else "下"
    months = range(1, 7) if half == "上" else range(7, 13)
    periods = {f"{request.as_of.year}-{month:02d}" for month in months}
    periods |= {f"{request.as_of.year}-Q{q}" for q in ((1, 2) if half == "上" else (3, 4))}
    periods |= {f"{request.as_of.year}-B{b}" for b in ((1, 2, 3) if half == "上" else (4, 5, 6))}
    periods |= {f"{request.as_of.year}-H{1 if half == '上' else 2}", f"{request.as_of.year}"}
    with sheets.report(out) as report:
        report.sheet(
            "检查结果",
            f"{request.as_of.year}年{half}半年组织生活情况检查结果",
            _COLUMNS,
            _rows(extracts, periods),
            note=f"检查单位：{extracts.name(request.organization)}　截至 {request.as_of}",
            foot="本表由记录汇总，供检查人员核对；整改要求由检查单位填写。",
        )


def _rows(extracts: Extracts, periods: set[str]) -> Iterator[tuple[Any, ...]]:
    for number, branch in enumerate(extracts.branches, 1):
        counted = []
        for _heading, name in _COUNTED:
            found = [f for f in extracts.of(branch, [f"jiaxing.{name}"]) if f.period in periods]
            held = sum(f.verdict is Verdict.MET for f in found)
            counted.append(f"{held}/{len(found)}" if found else "")
        faults = [f for f in extracts.shortfalls(branch) if f.period in periods]
        yield number, extracts.name(branch), *counted, _faults(faults), None


def _faults(findings: list[Finding]) -> str:
    said = [
        f"{f.rule.title}（{f.period_text}，{VERDICTS[f.verdict]}）"
        for f in findings
        if f.verdict in _FAULTS
    ]
    return "；".join(said)


FORMAT: Final = ReportFormat(
    id="jiaxing.inspection",
    profile="jiaxing",
    title="半年组织生活情况检查结果",
    clause="三·3",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    suffix=".xlsx",
    render=render,
)
