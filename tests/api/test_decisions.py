"""Deciding upon findings, reasons and objections, by programs."""

import pytest
from offices import AS_OF

from guiju.scoring.operations import drain

#: What records leave open at every branch; each test takes a unit and requirement of its own.
SYSTEM = "xian.main.decision_making.system"
POINTS = "xian.main.member_points.rollout"
BIRTHDAYS = "xian.main.political_birthday.rollout"
GROUPS = "xian.branch_setup.party_groups"
REASON = "查阅了支委会的议事记录，制度已经建立。"
DECISION = {"verdict": "met", "reason": REASON}


def place(requirement: str, unit: str = "finance-2") -> str:
    return f"/organizations/{unit}/findings/{requirement}"


def decided(asking, requirement: str, unit: str = "finance-2", **changes):
    address = place(requirement, unit) + "/decision"
    return asking.change("POST", f"{address}/decide", {**DECISION, **changes}, of=address)


def test_what_records_leave_open_is_settled_from_above(ask, staffed, engine, plugins_of):
    department, address = ask("department"), place(SYSTEM) + "/decision"
    before = department.get(address).json
    assert (before["state"], before["finding"], before["matter"]) == (
        "open",
        "needs_judgement",
        None,
    )
    assert "decide" in before["may"]
    answer = decided(department, SYSTEM)
    assert answer.status_code == 200, answer.text
    assert (answer.json["state"], answer.json["verdict"]) == ("decided", "met")
    assert (answer.json["reason"], answer.json["decided_by"]) == (REASON, "department")
    assert [step["action"] for step in answer.json["steps"]] == ["decide"]
    assert department.get(place(SYSTEM)).json["finding"]["verdict"] == "met"
    drain(engine, plugins_of.packs, staffed.tenant.tenant_id, AS_OF, reason="test")
    found = department.get(f"/findings?within=finance-2&requirement={SYSTEM}").json["items"]
    assert [one["verdict"] for one in found] == ["met"]
    assert SYSTEM in {one["requirement"] for one in department.get("/decisions").json["items"]}


def test_nobody_decides_for_their_own_unit(ask):
    second, address = ask("second"), place(POINTS) + "/decision"
    assert "decide" not in second.get(address).json["may"]
    assert decided(second, POINTS).status_code == 403
    assert second.get(address).json["state"] == "open"


def test_what_was_seen_otherwise_is_not_decided_upon(ask):
    department, address = ask("department"), place(POINTS, "finance-1") + "/decision"
    stale = {"If-Match": department.tag(address)}
    assert decided(ask("deputy"), POINTS, "finance-1").status_code == 200
    again = department.post(f"{address}/decide", {**DECISION, "verdict": "not_met"}, headers=stale)
    assert again.status_code == 412
    assert department.get(address).json["verdict"] == "met"
    assert department.post(f"{address}/decide", DECISION).status_code == 428


def test_an_objection_is_answered_by_somebody_else(ask):
    department, deputy, second = ask("department"), ask("deputy"), ask("second")
    address = place(BIRTHDAYS) + "/decision"
    assert decided(department, BIRTHDAYS, verdict="not_met").status_code == 200
    objection = {"reason": "已经开展，记录附后。"}
    raised = second.change("POST", f"{address}/appeal", objection, of=address)
    assert raised.json["state"] == "appealed"
    waiting = department.get("/decisions?waiting=true&within=finance-2").json["items"]
    assert BIRTHDAYS in {one["requirement"] for one in waiting}
    reply = {"reason": "核对属实。", "upheld": True}
    own = department.change("POST", f"{address}/appeal/answer", reply, of=address)
    assert own.status_code == 403
    answered = deputy.change("POST", f"{address}/appeal/answer", reply, of=address)
    assert answered.json["state"] == "open"
    assert [step["action"] for step in answered.json["steps"]] == ["decide", "appeal", "uphold"]
    assert answered.json["finding"] == "needs_judgement"


def test_a_decision_is_taken_back(ask):
    department, address = ask("department"), place(GROUPS, "finance-1") + "/decision"
    assert decided(department, GROUPS, "finance-1").status_code == 200
    refused = ask("secretary").change("POST", f"{address}/reopen", {"reason": "错了"}, of=address)
    assert refused.status_code == 403
    done = department.change("POST", f"{address}/reopen", {"reason": "认定有误"}, of=address)
    assert (done.json["state"], done.json["verdict"]) == ("open", None)


def deviation(asking) -> dict:
    """A deviation of a whole branch."""
    found = asking.get("/attention?verdict=deviation&limit=200").json["items"]
    return next(one for one in found if one["subject_type"] == "organization")


def test_a_unit_says_why_it_deviated_and_is_answered(ask):
    department = ask("department")
    found = deviation(department)
    asking = {"finance-1": "secretary", "finance-2": "second", "justice-1": "elsewhere"}
    unit = ask(asking[found["organization"]])
    period = f"?period={found['period']}" if found["period"] else ""
    address = place(found["requirement"], found["organization"]) + "/decision"
    said = unit.change(
        "POST",
        f"{address}/explain{period}",
        {"reason": "当月全体党员参加抢险。"},
        of=address + period,
    )
    assert said.status_code == 200, said.text
    assert (said.json["state"], said.json["explanation"]) == ("explained", "当月全体党员参加抢险。")
    answered = department.change(
        "POST",
        f"{address}/answer{period}",
        {"reason": "情况属实", "accepted": True},
        of=address + period,
    )
    assert answered.json["state"] == "accepted"
    desk = department.get("/desk?verdict=deviation&limit=200").json["items"]
    key = ("organization", "requirement", "period")
    assert tuple(found[name] for name in key) not in {
        tuple(one[name] for name in key) for one in desk
    }


def test_several_are_decided_at_once_or_none(ask):
    department, requirement = ask("department"), GROUPS
    items = [{"organization": "finance-2"}, {"organization": "justice-1"}]
    body = {**DECISION, "requirement": requirement, "items": items}
    strange = department.post("/decisions", {**body, "items": [*items, {"organization": "no"}]})
    assert [error["pointer"] for error in strange.json["errors"]] == ["/items/2/organization"]
    assert department.get(place(requirement) + "/decision").json["state"] == "open"
    key = {"Idempotency-Key": "decide-two"}
    made = department.post("/decisions", body, headers=key)
    assert made.status_code == 201, made.text
    assert len(made.json["matters"]) == 2
    again = department.post("/decisions", body, headers=key)
    assert (again.json, again.headers["Idempotency-Replayed"]) == (made.json, "true")
    # They are settled: there is nothing more to decide.
    assert department.get(place(requirement) + "/decision").json["state"] == "decided"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"verdict": "excellent"}, "/verdict"),
        ({"verdict": None}, "/verdict"),
        ({"reason": " "}, "/reason"),
        ({"reason": "长" * 2001}, "/reason"),
        ({"reason": 7}, "/reason"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_every_fault_has_its_place(ask, changes, pointer):
    answer = decided(ask("department"), SYSTEM, "justice-1", **changes)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    shown = ask("department").get(place(SYSTEM, "justice-1") + "/decision").json
    assert shown["state"] == "open"


def test_what_is_not_ones_own_is_not_there(ask):
    secretary = ask("secretary")
    other = secretary.get(place(SYSTEM, "justice-1") + "/decision")
    absent = secretary.get(place(SYSTEM, "nothing") + "/decision")
    assert other.status_code == absent.status_code == 404
    assert secretary.get(place("xian.nothing", "finance-1") + "/decision").status_code == 404
    listed = ask("elsewhere").get("/decisions?limit=200").json["items"]
    assert {one["organization"] for one in listed} <= {"justice", "justice-1"}
    body = {**DECISION, "requirement": SYSTEM, "items": [{"organization": "finance-1"}]}
    refused = ask("elsewhere").post("/decisions", body)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "unknown")


def test_decisions_about_people_are_listed_for_whom_they_concern_alone(caller, staffed, ask):
    assert ask("department").get("/decisions?people=true").status_code == 200
    assert caller(staffed, "committee").get("/decisions?people=true").status_code == 403
