"""Cases of members: what is recorded, what a person must decide, and the papers of a case."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
MEMBERS = [{"id": "p", "organization": "b", "membership_class": "full"}]
BEGUN = date(2020, 2, 29)


def step(code, day, case="1", person="p"):
    return {"case": case, "organization": "b", "person": person, "step": code, "taken_on": day}


def judged(judge, check, parameters, steps, as_of=date(2021, 6, 1), **rows):
    tables = {
        "organizations": BRANCH,
        "members": MEMBERS,
        "disciplinary_steps": steps,
        **rows,
    }
    found = judge(check, parameters, tables, as_of)
    assert all(f["subject"]["type"] == "member" for f in found)
    return found


@pytest.mark.parametrize(
    ("steps", "as_of", "expected"),
    [
        # A year from 29 February ends on 28 February (D8).
        ([], date(2021, 2, 28), ("pending", "2021-02-28")),
        ([], date(2021, 3, 1), ("needs_judgement", None)),
        ([step("correction_ended", date(2021, 2, 28))], date(2021, 3, 1), ("met", None)),
        ([step("correction_ended", date(2021, 2, 27))], date(2021, 3, 1), ("deviation", None)),
        ([step("correction_ended", date(2021, 3, 1))], date(2021, 3, 1), ("deviation", None)),
    ],
)
def test_correction_normally_lasts_a_year(judge, steps, as_of, expected):
    steps = [step("correction_started", BEGUN), *steps]
    rows = {"organizations": BRANCH, "disciplinary_steps": steps}
    [found] = judge("case_term", {"months": 12}, rows, as_of, strictness="general")
    assert (found["verdict"], found["due"]) == expected
    assert found["required"] == "2021-02-28"


def test_other_cases_have_no_term(judge):
    assert judged(judge, "case_term", {"months": 12}, [step("reminder", BEGUN)]) == []


def spell(**more):
    return {"id": "p", "organization": "b", "membership_class": "full", **more}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([spell()], "met"),
        (
            [spell(until_on=date(2020, 5, 1)), spell(from_on=date(2020, 5, 2), voting=False)],
            "not_met",
        ),
        ([spell(until_on=date(2021, 3, 1)), spell(from_on=date(2021, 3, 2), voting=False)], "met"),
        ([spell(voting=False)], "not_applicable"),
        ([spell(membership_class="probationary")], "not_applicable"),
        ([spell(from_on=BEGUN)], "no_data"),
    ],
)
def test_rights_stay_as_they_were_before_correction(judge, members, expected):
    steps = [step("correction_started", BEGUN), step("correction_ended", date(2021, 3, 1))]
    [found] = judged(judge, "case_rights", {}, steps, members=members)
    assert found["verdict"] == expected


LADDER = {"first": ["persuaded_to_leave"], "second": ["removed"]}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step("correction_ended", date(2021, 3, 1))], "needs_judgement"),
        ([step("persuaded_to_leave", date(2021, 3, 1))], "needs_judgement"),
        ([step("removed", date(2021, 4, 1))], "needs_judgement"),
        ([step("persuaded_to_leave", date(2021, 3, 1)), step("removed", date(2021, 4, 1))], "met"),
        (
            [step("removed", date(2021, 3, 1)), step("persuaded_to_leave", date(2021, 4, 1))],
            "needs_judgement",
        ),
    ],
)
def test_no_step_follows_from_another_by_itself(judge, steps, expected):
    [found] = judged(judge, "case_ladder", LADDER, steps)
    assert found["verdict"] == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step("appeal", BEGUN)], "pending"),
        ([step("appeal", BEGUN), step("appeal_reply", BEGUN)], "met"),
        ([step("appeal", BEGUN), step("appeal_reply", date(2020, 2, 28))], "pending"),
        ([step("appeal", BEGUN), step("appeal_reply", BEGUN, case="2")], "pending"),
    ],
)
def test_an_appeal_waits_for_its_answer(judge, steps, expected):
    [found] = judged(judge, "case_reply", {}, steps)
    assert found["verdict"] == expected


HANDLING = {"steps": ["correction_started", "removed"], "grade": "不合格"}


def grade(**more):
    return {
        "subject_type": "member",
        "organization": "b",
        "person": "p",
        "year": 2020,
        "grade": "不合格",
        "decided_on": date(2020, 12, 20),
        **more,
    }


@pytest.mark.parametrize(
    ("appraisals", "steps", "expected"),
    [
        ([grade()], [], ["action_due"]),
        ([grade()], [step("correction_started", date(2020, 12, 20))], ["met"]),
        ([grade()], [step("correction_started", date(2020, 12, 19))], ["action_due"]),
        ([grade()], [step("reminder", date(2021, 1, 1))], ["action_due"]),
        ([grade()], [step("other_way", date(2021, 1, 1))], ["needs_judgement"]),
        ([grade(grade="合格")], [], []),
        ([grade(proposed=True)], [], []),
    ],
)
def test_everyone_found_unqualified_is_handled_by_somebody(judge, appraisals, steps, expected):
    found = judged(judge, "case_handling", HANDLING, steps, appraisals=appraisals)
    assert [f["verdict"] for f in found] == expected


PAPERS = {
    "papers": ["application", "admission_form", "ballot_record"],
    "about": ["application", "admission_form", "ballot_record"],
    "settled_by": ["ballot_record"],
}


def paper(kind, case="1", **more):
    return {
        "organization": "b",
        "kind": kind,
        "kept_on": date(2020, 6, 1),
        "case": case,
        "person": "p",
        **more,
    }


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([paper(kind) for kind in PAPERS["papers"]], ["met"]),
        ([paper("application"), paper("ballot_record")], ["not_met"]),
        ([paper("application"), paper("admission_form")], ["pending"]),
        ([paper("application"), paper("ballot_record", "2")], ["pending", "not_met"]),
        ([paper("minutes")], []),
        ([paper("application", None)], []),
        ([paper("application", kept_on=date(2019, 12, 19))], []),
    ],
)
def test_a_case_needs_its_papers_once_it_is_settled(judge, documents, expected):
    found = judged(judge, "case_papers", PAPERS, [], documents=documents)
    assert [f["verdict"] for f in found] == expected


def test_a_paper_from_before_counts_for_a_case_of_now(judge):
    documents = [
        paper("application", kept_on=date(2018, 5, 1)),
        paper("admission_form"),
        paper("ballot_record"),
    ]
    [found] = judged(judge, "case_papers", PAPERS, [], documents=documents)
    assert found["verdict"] == "met"


def test_a_step_makes_a_case_without_any_paper(judge):
    parameters = {
        "papers": ["unqualified_list"],
        "about": ["unqualified_list"],
        "steps": ["correction_started"],
    }
    [found] = judged(judge, "case_papers", parameters, [step("correction_started", BEGUN)])
    assert (found["verdict"], found["observed"]) == ("not_met", [])
    assert found["subject"]["id"] == "p"


def test_cases_of_nobody_named_are_told_apart(judge):
    documents = [paper("application", person=None, case=case) for case in ("甲案", "乙案", "甲案")]
    tables = {"organizations": BRANCH, "documents": documents}
    found = judge("case_papers", PAPERS, tables)
    assert [one["subject"] for one in found] == [
        {"type": "case", "id": "甲案"},
        {"type": "case", "id": "乙案"},
    ]
    assert {one["organization"] for one in found} == {"b"}
    assert found.verdicts() == {"甲案": "pending", "乙案": "pending"}


def test_papers_of_a_group_s_meeting_are_in_its_branch_s_file(judge):
    group = {"id": "g", "kind": "party_group", "parent": "b"}
    meeting = {"id": "o", "organization": "g", "kinds": ["party_group_meeting"]}
    hung = {"organization": None, "occasion": "o", "person": None}
    tables = {
        "organizations": [*BRANCH, group],
        "occasions": [{**meeting, "held_on": date(2020, 6, 1)}],
        "documents": [paper("application", **hung), paper("ballot_record", person=None)],
    }
    [found] = judge("case_papers", PAPERS, tables, kinds=["branch"])
    assert (found["organization"], found["subject"]["id"]) == ("b", "1")
    assert found["observed"] == ["application", "ballot_record"]


def test_a_judgement_on_one_case_of_nobody_named_leaves_the_other_alone(judge):
    judgement = {
        "requirement": "x.matter.name",
        "organization": "b",
        "subject_type": "case",
        "subject": "甲案",
        "verdict": "met",
        "judged_on": date(2021, 1, 1),
    }
    papers = [paper("application", person=None, case=case) for case in ("甲案", "乙案")]
    tables = {
        "organizations": [*BRANCH, {**BRANCH[0], "id": "c"}],
        "documents": [*papers, {**papers[0], "organization": "c"}],
        "judgements": [judgement],
    }
    found = judge("case_papers", PAPERS, tables)
    assert [(one["organization"], one["subject"]["id"], one["verdict"]) for one in found] == [
        ("b", "甲案", "met"),
        ("b", "乙案", "pending"),
        ("c", "甲案", "pending"),
    ]
