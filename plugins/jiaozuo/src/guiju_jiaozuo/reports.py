"""The ledger of theme days and of the three meetings and one lesson."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

from guiju.hookspecs import ReportFormat, ReportRequest
from guiju.reports import sheets
from guiju.reports.extracts import Extracts
from guiju.rules.vocabulary import DOCUMENT_KINDS

_MEETINGS: Final = ("branch_assembly", "branch_committee", "party_group_meeting", "party_lecture")
_COLUMNS: Final = (
    *(
        ("序号", 6),
        ("组织", 30),
        ("日期", 12),
        ("类型", 24),
        ("主题", 24),
        ("应到", 8),
        ("实到", 8),
    ),
    *(("留存材料", 28), ("录入日期", 12)),
)


def _rows(extracts: Extracts, kinds: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    papers = extracts.papers()
    for number, record in enumerate(extracts.records(kinds), 1):
        kept = [DOCUMENT_KINDS.get(paper, paper) for paper in papers.get(record.id, [])]
        yield (
            number,
            record.branch,
            record.held_on,
            record.kind_labels,
            record.theme,
            record.expected,
            record.present,
            "、".join(kept),
            record.recorded_on,
        )


def render(request: ReportRequest, out: BinaryIO) -> None:
    """Two sheets: theme days, and the three meetings and one lesson."""
    extracts = Extracts(request)
    unit = extracts.name(request.organization)
    note = f"单位：{unit}　截至 {request.as_of}　依据：{request.pack.document}"
    with sheets.report(out) as report:
        report.sheet(
            "主题党日", "主题党日台账", _COLUMNS, _rows(extracts, ["theme_day"]), note=note
        )
        report.sheet("三会一课", "三会一课台账", _COLUMNS, _rows(extracts, _MEETINGS), note=note)


FORMAT: Final = ReportFormat(
    id="jiaozuo.ledger",
    profile="jiaozuo",
    title="主题党日和三会一课台账",
    clause="二(一)、二(三)",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    suffix=".xlsx",
    render=render,
)
