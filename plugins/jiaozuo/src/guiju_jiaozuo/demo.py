"""An invented work committee of municipal organs with some forty branches."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

from guiju.demo import Habits, People, Scenario
from guiju.hookspecs import DemoTenant

AS_OF = date(2021, 11, 20)

#: The branch whose secretary signs in: this month's activities are still to be recorded.
_BRANCH = "jz-01-1"
_RECORDED_UNTIL = date(2021, 10, 31)

_ORGANS = ("发展改革委", "教育局", "财政局", "民政局", "水利局", "商务局", "审计局", "统计局")
_BRANCHES = ("第一党支部", "第二党支部", "第三党支部", "第四党支部", "离退休干部党支部")

_HABITS = Habits(
    components=("dues", "oath", "study"),
    documents={
        "branch_assembly": ("minutes", "sign_in_sheet"),
        "branch_committee": ("minutes",),
        "party_group_meeting": ("minutes",),
        "party_lecture": ("plan", "lecture_record"),
        "theme_day": ("minutes", "summary"),
        "organizational_life_meeting": ("minutes", "opinion_list", "correction_measures"),
        "member_appraisal": ("rating_form", "register_form"),
    },
    steps={
        "branch_assembly": (
            *(("agenda_fixed", -5), ("platform_created", -3), ("notified", -3), ("count", 0)),
            *(("reported", 3), ("followed_up", 20), ("archived", 4), ("platform_updated", 2)),
        ),
        "branch_committee": (
            *(("agenda_fixed", -3), ("platform_created", -2), ("notified", -2)),
            *(("discussion", 0), ("followed_up", 9), ("archived", 3), ("platform_updated", 2)),
        ),
        "party_group_meeting": (
            *(("consulted", -4), ("notified", -2), ("platform_created", -2)),
            *(("discussion", 0), ("followed_up", 9), ("platform_updated", 2)),
        ),
        "party_lecture": (("plan", -9), ("discussion", 2), ("platform_updated", 2)),
        "theme_day": (("filed", -6), ("summary", 2), ("platform_updated", 2)),
    },
    agenda={
        "branch_assembly": ("committee_report", "superior_decisions"),
        "branch_committee": ("superior_decisions", "branch_work"),
        "party_group_meeting": ("study", "criticism"),
        "party_lecture": ("theory",),
    },
    reviews=("organization_appraisal", "secretary_appraisal"),
    weekday=4,
    week=1,
    platform=True,
    monthly_dues=True,
    prepared_talks=True,
    steps_before=("theme_consulted", "study", "talks", "opinions"),
    steps_after=("measures", "reported", "rectified"),
)


def scenario() -> Scenario:
    """The tenant's tree and its year 2021."""
    random = Random(410800)
    made = Scenario(random, AS_OF, _HABITS, People(random, "jz-p", AS_OF))
    root = made.unit("jz", "焦作市（演示）市直机关工委", "working_committee", None, sector="agency")
    for number, organ in enumerate(_ORGANS, 1):
        committee = made.unit(f"jz-{number:02d}", f"市{organ}机关党委", "committee", root)
        for place, name in enumerate(_BRANCHES, 1):
            branch = f"{committee}-{place}"
            shown = branch == _BRANCH
            made.branch(
                branch,
                f"市{organ}{name}",
                committee,
                10 if shown else random.choice((5, 7, 8, 10, 12, 14, 20)),
                recorded_until=_RECORDED_UNTIL if shown else None,
            )
    made.live(AS_OF.year)
    return made


def write(path: Path) -> None:
    """Write the tenant's workbook."""
    scenario().write(path)


TENANT = DemoTenant(
    id="jiaozuo",
    name="焦作市（演示）市直机关工委",
    profile="jiaozuo",
    root="jz",
    branch=_BRANCH,
    judge_from=date(2021, 1, 1),
    as_of=AS_OF,
    write=write,
    root_kind="working_committee",
)
