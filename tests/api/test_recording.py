"""From the draft through review to the complete month, by programs."""

import pytest

TYPED = {"kinds": ["theme_day"], "held_on": "2021-11-03", "place": "三楼"}


@pytest.fixture(autouse=True)
def _no_review(ask):
    """Each test begins where records pass no review."""
    yield
    department, address = ask("department"), "/organizations/finance/workflow"
    if department.get(address).json["own"]:
        department.change("DELETE", address)


def drafted(asking, organization: str = "finance-1", **typed) -> str:
    body = {"organization": organization, "typed": {**TYPED, **typed}}
    answer = asking.post("/drafts", body)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def reviewed_by(asking, levels: int, unit: str = "finance"):
    address = f"/organizations/{unit}/workflow"
    answer = asking.change("PUT", address, {"levels": levels})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_draft_is_kept_changed_and_submitted(ask):
    secretary = ask("secretary")
    address = drafted(secretary, held_on="2021-13-")
    assert secretary.get(address).json["typed"]["held_on"] == "2021-13-"
    faulty = secretary.change("POST", f"{address}/submit", {}, of=address)
    assert "/held_on" in {error["pointer"] for error in faulty.json["errors"]}
    assert secretary.get(address).status_code == 200
    tag = secretary.tag(address)
    saved = secretary.change("PUT", address, {"typed": TYPED})
    assert saved.json["revision"] == 2
    stale = secretary("PUT", address, json={"typed": {}}, headers={"If-Match": tag})
    assert stale.status_code == 412
    done = secretary.change("POST", f"{address}/submit", {}, of=address)
    assert done.status_code == 200, done.text
    assert secretary.get(address).status_code == 404
    record = secretary.get(f"/occasions/{done.json['occasion']}").json
    assert (record["recorded"]["place"], record["state"]) == ("三楼", done.json["state"])


def test_a_correction_is_drafted(ask):
    secretary = ask("secretary")
    address = "/occasions/finance-1-theme_day-4"
    draft = secretary.post(f"{address}/drafts")
    assert draft.status_code == 201, draft.text
    place = draft.headers["Location"]
    assert secretary.post(f"{address}/drafts").json["id"] == draft.json["id"]
    secretary.change("PUT", place, {"typed": {**draft.json["typed"], "place": "改在四楼"}})
    # The month was declared complete: why it is corrected has to be said.
    unsaid = secretary.change("POST", f"{place}/submit", {}, of=place)
    assert [error["pointer"] for error in unsaid.json["errors"]] == ["/reason"], unsaid.text
    done = secretary.change("POST", f"{place}/submit", {"reason": "地点有误"}, of=place)
    assert done.status_code == 200, done.text
    versions = secretary.get(f"{address}/versions").json["items"]
    assert [(one["number"], one["reason"]) for one in versions][-1] == (1, "地点有误")
    assert secretary.get(address).json["recorded"]["place"] == "改在四楼"


def test_drafts_are_for_who_records_there(ask):
    address = drafted(ask("secretary"))
    for name in ("second", "elsewhere"):
        assert ask(name).get(address).status_code == 404
        assert ask(name).get("/drafts").json["items"] == []
    assert ask("deputy").get("/drafts").status_code == 403
    other = ask("secretary").post("/drafts", {"organization": "finance-2", "typed": {}})
    absent = ask("secretary").post("/drafts", {"organization": "nothing", "typed": {}})
    assert other.status_code == absent.status_code == 422
    assert ask("secretary").change("DELETE", address).status_code == 204


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"organization": "finance-1"}, "/typed"),
        ({"organization": "finance-1", "typed": []}, "/typed"),
        ({"organization": "finance-1", "typed": {}, "state": "archived"}, "/state"),
        ({"organization": 7, "typed": {}}, "/organization"),
    ],
)
def test_faults_of_a_draft_have_their_place(ask, body, pointer):
    answer = ask("secretary").post("/drafts", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_record_passes_the_reviews_that_are_set(ask):
    department, deputy, secretary = ask("department"), ask("deputy"), ask("secretary")
    assert reviewed_by(department, 1)["own"]
    assert {one["organization"] for one in department.get("/workflows").json["items"]} == {
        "finance"
    }
    body = {"organization": "finance-1", **TYPED, "held_on": "2021-11-04"}
    made = secretary.post("/occasions", body)
    assert made.json["state"] == "submitted"
    address = made.headers["Location"]
    waiting = [one["id"] for one in deputy.get("/reviews").json["items"]]
    assert made.json["id"] in waiting
    assert secretary.change("POST", f"{address}/approve", {}, of=address).status_code == 403
    back = deputy.change("POST", f"{address}/return", {"comment": "请补照片"}, of=address)
    assert (back.json["state"], back.json["history"][-1]["comment"]) == ("returned", "请补照片")
    again = {**TYPED, "held_on": "2021-11-04", "place": "四楼"}
    fixed = secretary.change("PUT", address, again)
    assert fixed.json["state"] == "submitted", fixed.text
    passed = deputy.change("POST", f"{address}/approve", {"comment": "同意"}, of=address)
    assert passed.json["state"] == "archived"
    department.change("DELETE", "/organizations/finance/workflow")
    assert not department.get("/organizations/finance/workflow").json["own"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"levels": 3}, "/levels"),
        ({"levels": "1"}, "/levels"),
        ({}, "/levels"),
        ({"levels": 1, "late_after_days": 400}, "/late_after_days"),
        ({"levels": 1, "reviewer": "x"}, "/reviewer"),
    ],
)
def test_faults_of_a_workflow_have_their_place(ask, body, pointer):
    answer = ask("department").change("PUT", "/organizations/finance/workflow", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_who_may_set_reviews_and_where(ask):
    own = "/organizations/finance-1/workflow"
    assert ask("secretary").change("PUT", own, {"levels": 0}).status_code == 403
    assert ask("elsewhere").get("/organizations/finance/workflow").status_code == 404


def test_a_month_is_declared_objected_to_and_declared_again(ask):
    secretary, deputy = ask("secretary"), ask("deputy")
    address = "/organizations/finance-1/months/2021-10"
    before = secretary.get(address).json
    assert (before["declared"], before["overdue"]) == (True, False)
    without = deputy.change("POST", f"{address}/object", {"reason": " "}, of=address)
    assert [error["pointer"] for error in without.json["errors"]] == ["/reason"]
    objected = deputy.change("POST", f"{address}/object", {"reason": "少一次党课"}, of=address)
    assert objected.json["complete_since"] is None, objected.text
    assert objected.json["said"][-1]["reason"] == "少一次党课"
    stale = {"If-Match": objected.headers["ETag"]}
    declared = secretary.change("POST", f"{address}/declare", of=address)
    assert declared.json["declared"]
    assert secretary.post(f"{address}/declare", headers=stale).status_code == 412
    taken = secretary.change("POST", f"{address}/reopen", {"reason": "漏记一次"}, of=address)
    assert [one["action"] for one in taken.json["said"]] == ["object", "declare", "reopen"]
    found = ask("department").get("/months?within=finance-1").json["items"]
    assert [one["organization"] for one in found] == ["finance-1"]
    assert "2021-10" in found[0]["open"]


def test_months_that_are_none_or_not_ones_own(ask):
    secretary = ask("secretary")
    for month in ("2021-13", "2021", "2021-Q1", "x"):
        assert secretary.get(f"/organizations/finance-1/months/{month}").status_code == 404
    assert secretary.get("/organizations/finance-2/months/2021-10").status_code == 404
    address = "/organizations/finance-1/months/2150-01"
    assert secretary.change("POST", f"{address}/declare", of=address).status_code == 422
    assert ask("second").get("/months?within=finance-1").status_code == 404
    own = {one["organization"] for one in ask("second").get("/months").json["items"]}
    assert own <= {"finance-2"}
