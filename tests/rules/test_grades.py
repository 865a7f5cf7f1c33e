"""Grades, caps and what superiors owe: whole numbers, no rounding, zero always allowed."""

from datetime import date

import pytest

COMMITTEE = {"id": "c", "kind": "committee"}
DECIDED = date(2021, 12, 20)
NEXT_YEAR = date(2022, 1, 1)


def branches(number):
    return [
        COMMITTEE,
        *({"id": f"b{n}", "kind": "branch", "parent": "c"} for n in range(1, number + 1)),
    ]


def graded(number, top, grade="先进", otherwise="一类", **more):
    return [
        {
            "subject_type": "organization",
            "organization": f"b{n}",
            "year": 2021,
            "grade": grade if n <= top else otherwise,
            "decided_on": DECIDED,
            **more,
        }
        for n in range(1, number + 1)
    ]


CAP = {"subject": "organization", "grade": "先进", "ratio": [15, 100], "denominator": "branches"}


@pytest.mark.parametrize(
    ("number", "top", "expected", "most"),
    [
        (6, 1, "deviation", 0),
        (7, 1, "met", 1),
        (13, 2, "deviation", 1),
        (20, 3, "met", 3),
        (20, 4, "deviation", 3),
        (6, 0, "met", 0),
    ],
)
def test_fifteen_per_cent(judge, number, top, expected, most):
    rows = {"organizations": branches(number), "appraisals": graded(number, top)}
    [finding] = judge("cap", CAP, rows, NEXT_YEAR, kinds=["committee"], strictness="general")
    assert (finding["verdict"], finding["required"], finding["observed"]) == (expected, most, top)
    assert finding["subject"]["id"] == "c"


def test_the_branches_of_the_day_are_counted(judge):
    tree = branches(7)
    tree[7]["closed_on"] = date(2021, 12, 19)
    rows = {"organizations": tree, "appraisals": graded(6, 1)}
    [finding] = judge("cap", CAP, rows, NEXT_YEAR, kinds=["committee"])
    assert (finding["verdict"], finding["required"]) == ("not_met", 0)


def test_mid_year_grades_and_those_without_a_record_are_left_out(judge):
    rows = {
        "organizations": branches(7),
        "appraisals": graded(7, 7, cycle="mid_year"),
    }
    assert judge("cap", CAP, rows, NEXT_YEAR, kinds=["committee"]) == []


def test_proposals_count_until_there_is_a_decision(judge):
    proposed = graded(7, 2, proposed=True)
    rows = {"organizations": branches(7), "appraisals": proposed}
    assert judge("cap", CAP, rows, NEXT_YEAR, kinds=["committee"])[0]["verdict"] == "not_met"
    rows["appraisals"] = proposed + graded(7, 1)
    [finding] = judge("cap", CAP, rows, NEXT_YEAR, kinds=["committee"])
    assert (finding["verdict"], finding["observed"]) == ("met", 1)


def test_cap_message(judge):
    rows = {"organizations": branches(13), "appraisals": graded(13, 2)}
    [finding] = judge("cap", CAP, rows, NEXT_YEAR, kinds=["committee"], strictness="general")
    assert finding["message"] == (
        "2021年“示例要求”评为“先进”2 个，下属党支部 13，按 15% 最多 1 个，超出 1 个；"
        "属于一般要求，请说明原因。"
    )


def members(full, probationary):
    classes = ["full"] * full + ["probationary"] * probationary
    return [
        {"id": f"p{n}", "organization": "b1", "membership_class": name}
        for n, name in enumerate(classes)
    ]


def rated(*grades):
    return [
        {
            "subject_type": "member",
            "organization": "b1",
            "person": f"p{n}",
            "year": 2021,
            "grade": grade,
            "decided_on": DECIDED,
        }
        for n, grade in enumerate(grades)
    ]


@pytest.mark.parametrize(
    ("denominator", "most"), [("full_members", 1), ("all_members", 2), ("rated", 1)]
)
def test_a_third_of_a_named_denominator(judge, denominator, most):
    rows = {
        "organizations": branches(1),
        "members": members(5, 1),
        "appraisals": rated("优秀", "优秀", "合格", "合格", None),
    }
    parameters = {
        "subject": "member",
        "grade": "优秀",
        "ratio": [1, 3],
        "denominator": denominator,
    }
    [finding] = judge("cap", parameters, rows, NEXT_YEAR)
    assert finding["required"] == most
    assert finding["verdict"] == ("met" if most == 2 else "not_met")


def test_secretaries_in_post_once_each(judge):
    rows = {
        "organizations": branches(7),
        "posts": [{"person": "s1", "organization": f"b{n}", "post": "secretary"} for n in (1, 2)]
        + [{"person": f"s{n}", "organization": f"b{n}", "post": "secretary"} for n in range(3, 8)],
        "appraisals": [
            {
                "subject_type": "secretary",
                "organization": "b1",
                "person": "s1",
                "year": 2021,
                "grade": "好",
                "decided_on": DECIDED,
            }
        ],
    }
    parameters = {
        "subject": "secretary",
        "grade": "好",
        "ratio": [15, 100],
        "denominator": "secretaries",
    }
    [finding] = judge("cap", parameters, rows, NEXT_YEAR, kinds=["committee"])
    assert finding["verdict"] == "not_met"
    assert "在任党支部书记 6（下属党支部 7 个）" in finding["message"]


SCALE = {"subject": "member", "grades": ["优秀", "合格", "不合格"]}


def test_a_closed_scale(judge):
    rows = {"organizations": branches(1), "appraisals": rated("优秀", "基本合格", None)}
    judged = judge("scale", SCALE, rows, NEXT_YEAR)
    assert judged.verdicts() == {"p0 2021": "met", "p1 2021": "not_met"}
    assert judged[1]["message"] == (
        "2021年“示例要求”等次为“基本合格”，规定的等次只有“优秀”、“合格”、“不合格”。"
    )
    open_scale = judge("scale", {**SCALE, "open": True}, rows, NEXT_YEAR)
    assert set(open_scale.verdicts().values()) == {"met"}


def test_the_worst_of_a_years_records_stands(judge):
    twice = [*rated("合格"), *rated("良好")]
    rows = {"organizations": branches(1), "appraisals": twice}
    [finding] = judge("scale", SCALE, rows, NEXT_YEAR)
    assert (finding["verdict"], finding["observed"]) == ("not_met", "良好")


def test_the_year_of_issue_counts_whole_only_up_to_june(judge):
    early = [{**entry, "year": 2019, "decided_on": date(2019, 12, 31)} for entry in rated("合格")]
    rows = {"organizations": branches(1), "appraisals": early}
    [finding] = judge("scale", SCALE, rows, NEXT_YEAR)
    assert (finding["period"], finding["verdict"]) == ("2019", "not_applicable")


@pytest.mark.parametrize(
    ("grade", "participated", "expected"),
    [(None, True, "met"), (None, None, "met"), ("合格", True, "not_met"), (None, False, "not_met")],
)
def test_probationary_members_take_part_without_a_grade(judge, grade, participated, expected):
    rows = {
        "organizations": branches(1),
        "members": members(0, 1),
        "appraisals": [{**rated(grade)[0], "participated": participated}],
    }
    [finding] = judge("ungraded", {"classes": ["probationary"]}, rows, NEXT_YEAR)
    assert finding["verdict"] == expected


@pytest.mark.parametrize(
    ("held_on", "attendance", "expected"),
    [
        (date(2021, 12, 1), "present", "met"),
        (date(2021, 12, 1), "excused", "needs_judgement"),
        (date(2020, 12, 31), "present", "needs_judgement"),
    ],
)
def test_who_attended_the_democratic_life_meeting_may_stay_out(
    judge, held_on, attendance, expected
):
    rows = {
        "organizations": branches(1),
        "members": [{**members(1, 0)[0], "leading_cadre": True}],
        "occasions": [
            {
                "id": "d",
                "organization": "c",
                "kinds": ["democratic_life_meeting"],
                "held_on": held_on,
            }
        ],
        "attendance": [{"occasion": "d", "person": "p0", "status": attendance}],
        "appraisals": [{**rated(None)[0], "participated": False, "exempt_by": "d"}],
    }
    parameters = {"kinds": ["democratic_life_meeting"]}
    [finding] = judge("exemption", parameters, rows, NEXT_YEAR, shortfall="needs_judgement")
    assert finding["verdict"] == expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [(["self", "ballot"], "met"), (["ballot"], "not_met"), ([], "needs_judgement")],
)
def test_what_a_grade_rests_on(judge, inputs, expected):
    rows = {
        "organizations": branches(1),
        "appraisals": [{**rated("合格")[0], "inputs": inputs}],
    }
    parameters = {"subject": "member", "inputs": ["self", "ballot"]}
    [finding] = judge("grade_basis", parameters, rows, NEXT_YEAR)
    assert finding["verdict"] == expected


GRADED = {"subject": "organization", "duty": "graded", "every_branch": True}


@pytest.mark.parametrize(
    ("decided", "as_of", "attested", "expected"),
    [
        ([DECIDED, date(2021, 12, 31)], NEXT_YEAR, False, "met"),
        ([DECIDED, date(2022, 1, 1)], NEXT_YEAR, False, "not_met"),
        ([DECIDED], date(2021, 12, 31), False, "pending"),
        ([DECIDED], NEXT_YEAR, False, "no_data"),
        ([DECIDED], NEXT_YEAR, True, "not_met"),
    ],
)
def test_a_superior_grades_every_branch_by_the_years_end(judge, decided, as_of, attested, expected):
    rows = {
        "organizations": branches(2),
        "appraisals": [
            {**entry, "decided_on": day} for entry, day in zip(graded(2, 0), decided, strict=False)
        ],
        "attestations": [{"organization": "c", "period": "2021", "attested_on": NEXT_YEAR}]
        if attested
        else [],
    }
    judged = judge("appraised", GRADED, rows, as_of, kinds=["committee"])
    [finding] = [finding for finding in judged if finding["period"] == "2021"]
    assert (finding["verdict"], finding["required"]) == (expected, 2)
    if len(decided) == 1:
        number = judged.index(finding)
        assert judged.uncounted(number) == [("b2", "尚未在规定时间内办理")]


def test_results_are_filed_without_a_deadline(judge):
    entries = graded(2, 0)
    entries[0]["filed_on"] = date(2022, 1, 10)
    rows = {"organizations": branches(2), "appraisals": entries}
    parameters = {"subject": "organization", "duty": "filed"}
    judged = judge("appraised", parameters, rows, date(2022, 2, 1), kinds=["committee"])
    assert judged.verdicts()["c 2021"] == "pending"
    entries[1]["filed_on"] = date(2022, 1, 11)
    judged = judge("appraised", parameters, rows, date(2022, 2, 1), kinds=["committee"])
    assert judged.verdicts()["c 2021"] == "met"
    assert judged.verdicts()["c 2022"] == "not_applicable"
