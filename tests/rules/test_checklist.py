"""Checklists of a meeting: steps, papers and fields, each at its time."""

from datetime import date

import pytest

from guiju.rules.problems import BadInput

BRANCH = [{"id": "b", "kind": "branch"}]
HELD = date(2021, 3, 10)
STEPS = {
    "kinds": ["branch_assembly"],
    "before": ["study"],
    "on_day": ["count"],
    "after": ["reported"],
}


def meeting(**more):
    return {
        "id": "o",
        "organization": "b",
        "kinds": ["branch_assembly"],
        "held_on": HELD,
        "start_minute": 540,
        **more,
    }


def step(code, day, minute=None):
    return {"occasion": "o", "step": code, "done_on": day, "start_minute": minute}


def steps(judge, taken, parameters=STEPS, as_of=date(2021, 6, 30), **options):
    rows = {"organizations": BRANCH, "occasions": [meeting()], "steps": taken}
    [finding] = judge("steps", parameters, rows, as_of, **options)
    return finding


ON_TIME = [step("study", date(2021, 3, 1)), step("count", HELD), step("reported", HELD)]


def test_everything_at_its_time(judge):
    finding = steps(judge, ON_TIME)
    assert finding["verdict"] == "met"
    assert finding["required"] == finding["observed"] == ["study", "count", "reported"]
    assert finding["subject"] == {"type": "occasion", "id": "o"}
    assert finding["message"] == (
        "2021年3月10日支部党员大会“示例要求”要求的各项均有记录，会议当日办结，符合。"
    )


@pytest.mark.parametrize(
    ("day", "minute", "verdict"),
    [
        (HELD, 540, "met"),
        (HELD, 541, "not_met"),
        (HELD, None, "met"),
        (date(2021, 3, 11), None, "not_met"),
    ],
)
def test_before_means_not_after_the_beginning(judge, day, minute, verdict):
    assert steps(judge, [step("study", day, minute), *ON_TIME[1:]])["verdict"] == verdict


def test_what_comes_after_is_pending_while_nothing_sets_a_time(judge):
    finding = steps(judge, ON_TIME[:2])
    assert (finding["verdict"], finding["due"]) == ("pending", None)
    assert finding["message"] == (
        "2021年3月10日支部党员大会“示例要求”尚无报告上级的记录，请及时办理。"
    )


@pytest.mark.parametrize(
    ("reported", "as_of", "verdict", "due"),
    [
        (date(2021, 3, 15), date(2021, 4, 1), "met", None),
        (date(2021, 3, 16), date(2021, 4, 1), "needs_judgement", None),
        (None, date(2021, 3, 15), "pending", "2021-03-15"),
        (None, date(2021, 3, 16), "needs_judgement", None),
    ],
)
def test_a_tenants_own_days_end_in_a_question(judge, reported, as_of, verdict, due):
    taken = ON_TIME[:2] + ([step("reported", reported)] if reported else [])
    finding = steps(judge, taken, {**STEPS, "days": 5}, as_of)
    assert (finding["verdict"], finding["due"]) == (verdict, due)


def test_a_step_taken_too_late_may_be_left_to_judgement(judge):
    late = [step("approved", date(2021, 3, 11))]
    parameters = {"kinds": ["branch_assembly"], "before": ["approved"]}
    assert steps(judge, late, parameters)["verdict"] == "not_met"
    lenient = {**parameters, "late": "needs_judgement"}
    assert steps(judge, late, lenient)["verdict"] == "needs_judgement"
    assert steps(judge, [], lenient)["verdict"] == "not_met"


def test_a_step_later_than_the_day_judged_is_not_yet_taken(judge):
    finding = steps(judge, [*ON_TIME[:2], step("reported", date(2021, 7, 1))])
    assert finding["verdict"] == "pending"


def test_a_step_at_the_wrong_time_is_named_as_not_counted(judge):
    rows = {
        "organizations": BRANCH,
        "occasions": [meeting()],
        "steps": [step("count", date(2021, 3, 11))],
    }
    parameters = {"kinds": ["branch_assembly"], "on_day": ["count"]}
    assert judge("steps", parameters, rows).uncounted() == [
        ("o", "清点人数并宣布有效（2021年3月11日）不在会议当日")
    ]


@pytest.mark.parametrize(
    ("code", "table", "row"),
    [
        ("talks", "talks", {"id": "t", "held_on": date(2021, 3, 9), "person": "p"}),
        ("reported", "reports", {"id": "r", "kind": "meeting_result", "filed_on": HELD}),
        ("measures", "rectifications", {"id": "x", "measure": True, "opened_on": HELD}),
        ("opinions", "documents", {"kind": "opinion_list", "nil": True}),
    ],
)
def test_a_step_is_proven_by_the_record_it_leaves(judge, code, table, row):
    rows = {
        "organizations": BRANCH,
        "occasions": [meeting()],
        table: [{"occasion": "o", "organization": "b", **row}],
    }
    [finding] = judge("steps", {"kinds": ["branch_assembly"], "at_any_time": [code]}, rows)
    assert finding["verdict"] == "met"


def test_items_are_rectified_when_the_last_is_closed(judge):
    parameters = {"kinds": ["branch_assembly"], "after": ["rectified"]}

    def verdict(*closed):
        items = [
            {"id": f"x{n}", "organization": "b", "occasion": "o", "opened_on": HELD, "closed_on": c}
            for n, c in enumerate(closed)
        ]
        rows = {"organizations": BRANCH, "occasions": [meeting()], "rectifications": items}
        return judge("steps", parameters, rows)[0]["verdict"]

    assert verdict() == "pending"
    assert verdict(date(2021, 4, 1), date(2021, 5, 1)) == "met"
    assert verdict(date(2021, 4, 1), None) == "pending"
    assert verdict(date(2021, 4, 1), date(2021, 7, 1)) == "pending"


def test_papers_of_each_meeting(judge):
    rows = {
        "organizations": BRANCH,
        "occasions": [meeting(), meeting(id="p"), meeting(id="q", status="cancelled")],
        "documents": [
            {"occasion": "o", "kind": "minutes"},
            {"occasion": "o", "kind": "unqualified_list", "nil": True},
            {"occasion": "p", "kind": "minutes"},
        ],
    }
    parameters = {"kinds": ["branch_assembly"], "documents": ["minutes", "unqualified_list"]}
    judged = judge("documents", parameters, rows)
    assert judged.verdicts() == {"o": "met", "p": "not_met"}
    assert judged[1]["message"] == (
        "2021年3月10日支部党员大会“示例要求”缺少不合格党员名单及处置措施的有效记录。"
    )


def test_fields_of_each_meeting(judge):
    rows = {
        "organizations": BRANCH,
        "occasions": [meeting(place="会议室"), meeting(id="p", expected=3, present=2)],
        "attendance": [{"occasion": "o", "person": "p1", "status": "present"}],
    }
    parameters = {"kinds": ["branch_assembly"], "fields": ["place", "attended", "absent"]}
    judged = judge("fields", parameters, rows)
    assert judged.verdicts() == {"o": "met", "p": "not_met"}
    assert judged[1]["observed"] == ["attended", "absent"]


def test_meetings_before_the_notice_or_of_others_are_not_judged(judge):
    rows = {
        "organizations": [*BRANCH, {"id": "c", "kind": "committee"}],
        "occasions": [
            meeting(id="before", held_on=date(2019, 12, 19)),
            meeting(id="first", held_on=date(2019, 12, 20)),
            meeting(id="later", held_on=date(2021, 7, 1)),
            meeting(id="other", organization="c"),
        ],
    }
    parameters = {"kinds": ["branch_assembly"], "documents": ["minutes"]}
    assert judge("documents", parameters, rows).verdicts() == {"first": "not_met"}


def test_a_condition_is_asked_on_the_day_of_the_meeting(judge):
    rows = {
        "organizations": BRANCH,
        "occasions": [meeting(), meeting(id="p", held_on=date(2021, 5, 1))],
        "posts": [
            {"person": p, "organization": "b", "post": "committee_member", "from_on": HELD}
            for p in ("p1", "p2")
        ]
        + [
            {
                "person": "p3",
                "organization": "b",
                "post": "secretary",
                "until_on": date(2021, 4, 30),
            }
        ],
    }
    parameters = {"kinds": ["branch_assembly"], "documents": ["minutes"]}
    judged = judge("documents", parameters, rows, conditions=["has_committee"])
    assert judged.verdicts() == {"o": "not_met", "p": "not_applicable"}


def test_a_checklist_without_items_is_refused(judge):
    with pytest.raises(BadInput, match="应列出 1 至 31 项"):
        judge("steps", {"kinds": ["branch_assembly"]}, {"organizations": BRANCH})
