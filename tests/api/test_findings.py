"""Findings as programs read them."""

import pytest

CONTRACT = {
    "requirement",
    "subject",
    "organization",
    "period",
    "verdict",
    "strictness",
    "part",
    "required",
    "observed",
    "due",
    "evidence",
    "citation",
    "alternatives",
    "message",
    "readings",
}


@pytest.fixture
def department(caller, judged):
    return caller(judged, "department")


def everything(asking, query: str) -> list[dict]:
    found, cursor = [], ""
    for _ in range(100):
        answer = asking.get(f"/findings?{query}{cursor}")
        assert answer.status_code == 200, answer.text
        found += answer.json["items"]
        if answer.json["next"] is None:
            return found
        cursor = f"&cursor={answer.json['next']}"
    raise AssertionError("the list does not end")


def test_findings_have_the_keys_of_the_contract(department):
    found = everything(department, "limit=200")
    assert found
    for finding in found:
        assert set(finding) == CONTRACT
        assert set(finding["subject"]) == {"type", "id"}
        assert set(finding["citation"]) == {"document", "clause"}


def test_pages_of_any_size_hold_the_same(department):
    whole = everything(department, "within=finance&limit=200")
    assert everything(department, "within=finance&limit=7") == whole
    assert len({str(finding) for finding in whole}) == len(whole)


def test_filters(department):
    found = everything(department, "within=finance-2&verdict=not_met,deviation&year=2021")
    assert found
    assert {finding["organization"] for finding in found} == {"finance-2"}
    assert {finding["verdict"] for finding in found} <= {"not_met", "deviation"}
    one = found[0]
    again = everything(
        department,
        f"within=finance-2&requirement={one['requirement']}&period={one['period']}",
    )
    assert one in again
    assert {finding["period"] for finding in again} == {one["period"]}
    assert {finding["requirement"] for finding in again} == {one["requirement"]}


def test_who_sees_a_part_of_the_tree_sees_its_findings_alone(caller, judged):
    found = everything(caller(judged, "secretary"), "limit=200")
    assert {finding["organization"] for finding in found} == {"finance-1"}
    committee = caller(judged, "committee")
    organizations = {finding["organization"] for finding in everything(committee, "limit=200")}
    assert {"finance-1", "finance-2"} <= organizations
    assert not {"justice-1", "justice", "root"} & organizations
    assert committee.get("/findings?within=justice-1").json["title"] == "没有找到"


def test_findings_about_people_are_for_who_keeps_their_records(caller, judged, department):
    assert caller(judged, "committee").get("/findings?people=true").status_code == 403
    found = everything(department, "people=true&limit=200")
    assert found
    without = everything(department, "limit=200")
    assert not any(finding["subject"]["type"] in {"member", "person"} for finding in without)


def test_one_finding_is_explained(department):
    (one,) = everything(department, "within=finance-2&verdict=not_met&period=2021-03&limit=1")[:1]
    answer = department.get(
        f"/organizations/finance-2/findings/{one['requirement']}?period={one['period']}"
    )
    assert answer.status_code == 200, answer.text
    assert answer.json["finding"]["verdict"] == "not_met"
    assert answer.json["finding"].keys() == CONTRACT
    assert answer.json["check"]
    assert department.get("/organizations/finance-2/findings/none").status_code == 404


def test_the_numbers_of_the_overview(department):
    top = "root"
    shown = department.get(f"/organizations/{top}/overview?year=2021").json
    assert {child["organization"] for child in shown["by_child"]} == {"finance", "justice"}
    assert sum(shown["counts"].values()) == sum(
        sum(one["counts"].values()) for one in shown["by_requirement"]
    )


def test_what_is_open_is_listed_soonest_due_first(department):
    first = department.get("/attention?limit=10")
    assert first.status_code == 200, first.text
    cursor = first.json["next"]
    assert cursor is not None
    following = department.get(f"/attention?limit=10&cursor={cursor}").json["items"]
    assert not {str(item) for item in first.json["items"]} & {str(item) for item in following}


def test_standing(department):
    assert department.get("/standing").json["as_of"] == "2021-11-10"
