"""The notice's own six-column table, filled in for each branch."""

from __future__ import annotations

from typing import BinaryIO, Final

from guiju.hookspecs import ReportFormat, ReportRequest
from guiju.reports import sheets
from guiju.reports.extracts import Extracts, tally
from guiju.rules.pack import Pack

#: Rows of the table: item, content, frequency, the requirements behind it and the papers.
_ROWS: Final = (
    (
        "三会一课·支部委员会",
        "研究贯彻上级和大会决定，安排支部工作",
        "1月/次",
        ("branch_committee.monthly",),
        "会议记录",
    ),
    (
        "三会一课·支部党员大会",
        "贯彻上级决议，讨论发展党员等重大问题",
        "1季度/次",
        ("branch_assembly.quarterly",),
        "会议记录",
    ),
    (
        "三会一课·党小组会",
        "学习路线方针政策",
        "1月/次",
        ("party_group_meeting.monthly",),
        "会议记录",
    ),
    (
        "三会一课·党课",
        "书记或党建指导员授课",
        "1年不少于4次",
        ("party_lecture.annual4",),
        "党课稿、签到表、党课记录",
    ),
    (
        "组织生活会",
        "会前学习谈心、会中批评、会后整改",
        "1年不少于1次",
        ("organizational_life_meeting.annual",),
        "方案、主持词、意见清单、对照材料、会议记录、整改措施",
    ),
    (
        "主题党日",
        "确定主题，组织学习、交纳党费等",
        "1月/次",
        ("theme_day.monthly",),
        "会议记录、登记表、剪影、党费台账",
    ),
    (
        "民主评议党员",
        "自评、互评、测评",
        "一年/次",
        ("member_appraisal.annual",),
        "登记表、自评表、测评表、名单",
    ),
    (
        "党员管理",
        "发展、处置、教育",
        "—",
        ("member_admission.record", "training.record"),
        "按个案留存",
    ),
    ("谈心谈话", "经常开展", "经常", ("heart_to_heart_talk.frequent",), "谈话登记"),
)
#: Widths of the columns that the notice's table has.
_WIDTHS: Final = (6, 20, 30, 14, 30, 36)


def _columns(pack: Pack) -> list[tuple[str, int]]:
    """The headings that the pack holds the committee's own table to."""
    (form,) = (one for one in pack.requirements if one.id == "shendingshan.form.table")
    (part,) = form.parts
    return list(zip(part.versions[-1].parameters["columns"], _WIDTHS, strict=True))


def render(request: ReportRequest, out: BinaryIO) -> None:
    """One sheet for each branch below the unit."""
    extracts = Extracts(request)
    with sheets.report(out) as report:
        for branch in extracts.branches:
            rows = []
            for number, (item, content, frequency, names, papers) in enumerate(_ROWS, 1):
                found = extracts.of(branch, [f"shendingshan.{name}" for name in names])
                rows.append((number, item, content, frequency, papers, tally(found) or "未见记录"))
            report.sheet(
                extracts.name(branch),
                "党内组织生活实施情况表",
                _columns(request.pack),
                rows,
                note=f"党支部：{extracts.name(branch)}　截至 {request.as_of}"
                f"　依据：{request.pack.document} 附件1",
            )


FORMAT: Final = ReportFormat(
    id="shendingshan.table",
    profile="shendingshan",
    title="党内组织生活实施情况表（六栏）",
    clause="附件1",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    suffix=".xlsx",
    render=render,
)
