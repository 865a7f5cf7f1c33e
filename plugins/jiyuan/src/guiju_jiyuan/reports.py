"""The seven systems of one organ, with their responsible roles and how each is kept."""

from __future__ import annotations

from typing import BinaryIO, Final

from guiju.hookspecs import ReportFormat, ReportRequest
from guiju.reports import sheets
from guiju.reports.extracts import Extracts, tally
from guiju.rules.vocabulary import DOCUMENT_KINDS

#: System, frequency, responsible role (the notice's names stay out), kind of occasion, rules.
_SYSTEMS: Final = (
    (
        "支部党员大会制度",
        "每季度一次",
        "办公室、支委",
        "branch_assembly",
        ("branch_assembly.quarterly",),
    ),
    (
        "支部委员会制度",
        "每月至少一次",
        "一名支部委员",
        "branch_committee",
        ("branch_committee.monthly",),
    ),
    (
        "党小组会议制度",
        "每月至少一次",
        "各党小组组长",
        "party_group_meeting",
        ("party_group_meeting.monthly",),
    ),
    ("党课制度", "每季度至少一次", "指定责任人", "party_lecture", ("party_lecture.quarterly",)),
    (
        "党员领导干部民主生活会制度",
        "每年一次",
        "办公室",
        "democratic_life_meeting",
        ("democratic_life_meeting.annual",),
    ),
    (
        "党员组织生活会制度",
        "一般每年一至两次",
        "各党小组",
        "organizational_life_meeting",
        ("organizational_life_meeting.annual",),
    ),
    ("民主评议党员制度", "每年一次", "办公室", "member_appraisal", ("member_appraisal.annual",)),
)
_COLUMNS: Final = (
    *(("序号", 6), ("制度", 26), ("频率", 16), ("责任人（角色）", 16), ("开展次数", 10)),
    *(("最近一次", 12), ("留存资料", 26), ("判定情况", 30)),
)


def render(request: ReportRequest, out: BinaryIO) -> None:
    """One sheet for the unit: its seven systems in the notice's order."""
    extracts = Extracts(request)
    papers = extracts.papers()
    rows = []
    for number, (system, frequency, role, kind, names) in enumerate(_SYSTEMS, 1):
        records = list(extracts.records([kind]))
        kept = {paper for record in records for paper in papers.get(record.id, [])}
        found = [
            finding
            for organization in sorted(extracts.subtree)
            for finding in extracts.of(organization, [f"jiyuan.{name}" for name in names])
        ]
        rows.append(
            (
                number,
                system,
                frequency,
                role,
                len(records),
                max((record.held_on for record in records), default=None),
                "、".join(DOCUMENT_KINDS.get(paper, paper) for paper in sorted(kept)),
                tally(found) or "未见记录",
            )
        )
    with sheets.report(out) as report:
        report.sheet(
            "七项制度",
            "机关党支部规范化建设七项制度落实情况",
            _COLUMNS,
            rows,
            note=f"单位：{extracts.name(request.organization)}　截至 {request.as_of}",
        )


FORMAT: Final = ReportFormat(
    id="jiyuan.seven_systems",
    profile="jiyuan",
    title="七项制度落实情况",
    clause="附件",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    suffix=".xlsx",
    render=render,
)
