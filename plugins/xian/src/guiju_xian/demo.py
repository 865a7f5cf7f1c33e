"""An invented organization department with some 300 branches over the city's real districts.

Administrative divisions are facts (``districts.csv``); units and people are invented.
"""

from __future__ import annotations

import csv
from datetime import date
from importlib import resources
from pathlib import Path
from random import Random

from guiju.demo import Habits, People, Scenario
from guiju.hookspecs import DemoTenant

AS_OF = date(2021, 11, 20)

#: The branch whose secretary signs in: this month's activities are still to be recorded.
_BRANCH = "xa-jg-01-1"
_RECORDED_UNTIL = date(2021, 10, 31)

_AGENCIES = (
    *(
        "发展改革",
        "教育",
        "科技",
        "工业和信息化",
        "民政",
        "司法",
        "财政",
        "人力资源社会保障",
        "自然资源",
    ),
    *(
        "生态环境",
        "住房城乡建设",
        "交通运输",
        "水务",
        "农业农村",
        "商务",
        "文化旅游",
        "卫生健康",
        "审计",
    ),
)
_DISTRICT_AGENCIES = ("发展改革局", "教育局", "民政局", "财政局", "卫生健康局", "住房城乡建设局")
_OFFICES = (
    "办公室",
    "政策法规处",
    "规划财务处",
    "人事处",
    "业务一处",
    "业务二处",
    "督查处",
    "离退休干部",
)
_DISTRICT_OFFICES = ("机关", "直属事业单位")
_UNIVERSITIES = ("示例理工学院", "示例师范学院", "示例职业技术学院", "示例医药学院")
_SCHOOLS = ("机电学院", "信息学院", "经济管理学院", "人文学院", "马克思主义学院")
_SCHOOL_BRANCHES = ("教工第一党支部", "教工第二党支部", "学生第一党支部", "学生第二党支部")

_HABITS = Habits(
    components=("study", "exchange", "comment", "service", "dues"),
    documents={
        "branch_assembly": ("minutes", "sign_in_sheet"),
        "party_lecture": ("lecture_script", "sign_in_sheet"),
        "theme_day": ("minutes", "activity_register"),
        "organizational_life_meeting": ("minutes", "opinion_list", "correction_measures"),
        "member_appraisal": ("rating_form", "register_form"),
    },
    steps={
        "theme_day": (("notified", -3),),
        "branch_assembly": (("notified", -3),),
        "party_lecture": (("notified", -3),),
        "party_group_meeting": (("notified", -2),),
        "organizational_life_meeting": (("notified", -5),),
    },
    register=(
        *("premises_room", "premises_flag", "premises_oath", "premises_work_chart"),
        *("premises_recruitment_chart", "premises_board", "equipment_register"),
        *("points_programme", "birthday_programme", "decision_system", "work_plan", "task_list"),
    ),
    birthdays=True,
    points=True,
    weekday=4,
    week=2,
)


def scenario() -> Scenario:
    """The tenant's tree and its year 2021."""
    random = Random(610100)
    made = Scenario(random, AS_OF, _HABITS, People(random, "xa-p", AS_OF))
    root = made.unit("xa", "西安市（演示）党委组织部门", "committee", None)
    _municipal(made, root)
    _universities(made, root)
    _districts(made, root)
    # Long enough that months nobody attested show as such.
    made.choose("complete_after_days", "60")
    made.live(AS_OF.year)
    return made


def _municipal(made: Scenario, root: str) -> None:
    work = made.unit("xa-jg", "市直机关工委", "working_committee", root, sector="agency")
    for number, agency in enumerate(_AGENCIES, 1):
        committee = made.unit(f"{work}-{number:02d}", f"市{agency}局机关党委", "committee", work)
        offices = _OFFICES[: made.random.randint(5, 7)]
        for place, office in enumerate(offices, 1):
            branch = f"{committee}-{place}"
            shown = branch == _BRANCH
            made.branch(
                branch,
                f"市{agency}局{office}党支部",
                committee,
                # With a committee, without groups: what a month asks fits a small screen.
                11 if shown else made.random.choice((4, 6, 7, 8, 9, 11, 13, 16, 19, 24)),
                recorded_until=_RECORDED_UNTIL if shown else None,
            )


def _universities(made: Scenario, root: str) -> None:
    work = made.unit("xa-gx", "市属高校党委联系处", "working_committee", root, sector="university")
    for number, university in enumerate(_UNIVERSITIES, 1):
        committee = made.unit(f"{work}-{number}", f"{university}党委", "committee", work)
        for place, school in enumerate(_SCHOOLS, 1):
            general = made.unit(
                f"{committee}-{place}", f"{university}{school}党总支", "general_branch", committee
            )
            for seat, name in enumerate(_SCHOOL_BRANCHES, 1):
                made.branch(
                    f"{general}-{seat}",
                    f"{university}{school}{name}",
                    general,
                    made.random.choice((5, 7, 9, 12, 15, 21, 28, 34, 53)),
                )


def _districts(made: Scenario, root: str) -> None:
    text = resources.files("guiju_xian").joinpath("districts.csv").read_text("utf-8")
    for district in csv.DictReader(text.splitlines()):
        code, name = district["code"], district["name"]
        work = made.unit(
            f"xa-{code}",
            f"{name[:-1]}{name[-1]}直机关工委",
            "working_committee",
            root,
            sector="agency",
        )
        for number, agency in enumerate(_DISTRICT_AGENCIES[: made.random.randint(4, 5)], 1):
            committee = made.unit(f"{work}-{number}", f"{name}{agency}机关党委", "committee", work)
            for place, office in enumerate(_DISTRICT_OFFICES, 1):
                opened = date(2021, 5, 10) if number == place == 1 else None
                made.branch(
                    f"{committee}-{place}",
                    f"{name}{agency}{office}党支部",
                    committee,
                    made.random.choice((3, 5, 6, 7, 9, 12, 18)),
                    opened_on=opened,
                )


def write(path: Path) -> None:
    """Write the tenant's workbook."""
    scenario().write(path)


TENANT = DemoTenant(
    id="xian",
    name="西安市（演示）党委组织部门",
    profile="xian",
    root="xa",
    branch=_BRANCH,
    judge_from=date(2021, 1, 1),
    as_of=AS_OF,
    write=write,
)
