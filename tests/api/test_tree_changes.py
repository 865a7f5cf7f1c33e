"""The tree changed by programs: made, renamed, moved, merged, split, closed, and taken back."""

import json
from functools import cache

import pytest
import sqlalchemy as sa
from offices import AS_OF, PASSWORD

from guiju.accounts.operations import create_user
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.db.models import metadata
from guiju.scoring.operations import drain

DAY = "2021-10-01"


@pytest.fixture(scope="module")
def ours(create_office, engine):
    office = create_office(recorded=True)
    at = "@" + office.tenant.sign_in_name.partition("@")[2]
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        for name, unit in (("head", "finance"), ("own", "finance-1")):
            roles = [("administrator", office.units[unit])]
            create_user(session, Actor("test"), name, name, roles, password=PASSWORD)
            office.users[name] = name + at
    return office


@pytest.fixture(scope="module")
def ask(caller, ours):
    return cache(lambda name: caller(ours, name))


def change(asking, code: str, action: str, body=None):
    address = f"/organizations/{code}"
    return asking.change("POST", f"{address}/{action}", body, of=address)


def made(asking, code: str, parent: str = "finance", kind: str = "branch", **more) -> str:
    body = {"id": code, "name": f"单位{code}", "kind": kind, "parent": parent, **more}
    answer = asking.post("/organizations", body)
    assert answer.status_code == 201, answer.text
    return code


def member(asking, code: str, unit: str):
    body = {"id": code, "organization": unit, "membership_class": "full", "from_on": "2020-01-01"}
    answer = asking.post("/members", {**body, "name": f"党员{code}"})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def people(asking, unit: str, day: str) -> set[str]:
    found = asking.get(f"/members?within={unit}&on={day}&limit=200").json["items"]
    return {one["id"] for one in found}


def latest(asking, code: str) -> str:
    """The address of the last change of a unit."""
    number = asking.get(f"/organizations/{code}/changes").json["items"][0]["id"]
    return f"/organization-changes/{number}"


def undo(asking, address: str):
    return asking.change("POST", f"{address}/undo", of=address)


def test_a_unit_is_made_renamed_and_named_as_before(ask):
    head = ask("head")
    made(head, "renamed")
    answer = change(head, "renamed", "rename", {"name": "新名称", "renamed_on": DAY})
    assert answer.json["name"] == "新名称"
    address = latest(head, "renamed")
    shown = head.get(address).json
    assert (shown["kind"], shown["units"], shown["undone_at"]) == ("rename", ["renamed"], None)
    assert undo(head, address).json["undone_at"]
    assert head.get("/organizations/renamed").json["name"] == "单位renamed"
    again = undo(head, address)
    assert (again.status_code, again.json["errors"][0]["code"]) == (422, "undone")


def test_a_unit_made_by_mistake_is_gone_once_taken_back(ask):
    head = ask("head")
    made(head, "mistake")
    assert undo(head, latest(head, "mistake")).status_code == 200
    assert head.get("/organizations/mistake").status_code == 404


def test_branches_are_merged_with_their_people_and_parted_again(ask):
    head = ask("head")
    for unit in ("merge-a", "merge-b"):
        made(head, unit)
        member(head, f"{unit}-1", unit)
    body = {"sources": ["merge-b"], "effective_on": DAY}
    answer = change(head, "merge-a", "merge", body)
    assert answer.status_code == 200, answer.text
    assert people(head, "merge-a", DAY) == {"merge-a-1", "merge-b-1"}
    assert people(head, "merge-b", "2021-09-30") == {"merge-b-1"}
    assert head.get("/organizations/merge-b").json["closed_on"] == "2021-09-30"
    assert undo(head, latest(head, "merge-a")).status_code == 200
    assert people(head, "merge-b", DAY) == {"merge-b-1"}
    assert head.get("/organizations/merge-b").json["closed_on"] is None


def test_of_a_merged_branch_only_those_named_go_on(ask):
    head = ask("head")
    made(head, "named-a")
    made(head, "named-b")
    for number in (1, 2):
        member(head, f"named-b-{number}", "named-b")
    body = {"sources": ["named-b"], "effective_on": DAY, "members": ["named-b-2"]}
    assert change(head, "named-a", "merge", body).status_code == 200
    assert people(head, "named-a", DAY) == {"named-b-2"}


def test_a_branch_is_split(ask):
    head = ask("head")
    made(head, "split")
    for number in (1, 2, 3):
        member(head, f"split-{number}", "split")
    new = {"id": "split-new", "name": "分设支部", "members": ["split-2", "split-3"]}
    answer = change(head, "split", "split", {"made": [new], "effective_on": DAY})
    assert answer.status_code == 200, answer.text
    assert head.get("/organizations/split-new").json["opened_on"] == DAY
    assert people(head, "split-new", DAY) == {"split-2", "split-3"}
    assert people(head, "split", DAY) == {"split-1"}
    assert undo(head, latest(head, "split")).status_code == 200
    assert head.get("/organizations/split-new").status_code == 404
    assert people(head, "split", DAY) == {"split-1", "split-2", "split-3"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"made": []}, "/made"),
        ({"made": [{"id": "finance-2", "name": "甲"}]}, "/made/0/id"),
        ({"made": [{"id": "x-1", "name": "甲", "members": ["nobody"]}]}, "/made/0/members"),
        ({"made": [{"id": "x-1", "name": "甲", "members": ["justice-1-1"]}]}, "/made/0/members"),
        ({"made": [{"id": "x-1", "name": ""}]}, "/made/0/name"),
        ({"made": [{"id": "x-1", "name": "甲", "chief": "乙"}]}, "/made/0/chief"),
        ({"effective_on": "2999-01-01"}, "/effective_on"),
    ],
)
def test_faults_of_a_split_have_their_place(ask, changes, pointer):
    head = ask("head")
    body = {"made": [{"id": "x-1", "name": "甲"}], "effective_on": DAY, **changes}
    answer = change(head, "finance-2", "split", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert head.get("/organizations/x-1").status_code == 404


def test_what_changes_the_superiors_tree_needs_the_right_there(ask):
    own = ask("own")
    for action, body in (
        ("close", {"closed_on": "2021-12-31"}),
        ("move", {"parent": "finance-1", "moved_on": DAY}),
        ("split", {"made": [{"id": "own-2", "name": "分设"}], "effective_on": DAY}),
    ):
        assert change(own, "finance-1", action, body).status_code == 403, action
    renamed = change(own, "finance-1", "rename", {"name": "自己改名", "renamed_on": DAY})
    assert renamed.status_code == 200
    # A change that concerns a superior, too, is the superior's to take back.
    head = ask("head")
    made(head, "moved", "finance-1", "party_group")
    assert (
        change(head, "moved", "move", {"parent": "finance-2", "moved_on": DAY}).status_code == 200
    )
    assert own.get(latest(head, "moved")).status_code == 404


def test_a_source_of_others_is_as_unknown_as_one_that_is_not_there(ask):
    def refused(code: str):
        body = {"sources": [code], "effective_on": DAY}
        answer = change(ask("head"), "finance-2", "merge", body)
        assert answer.status_code == 422
        return str(answer.json["errors"]).replace(code, "…")

    assert refused("justice-1") == refused("nothing-1")


def test_changes_are_written_down_and_stale_ones_refused(ask, ours, engine):
    head = ask("head")
    made(head, "stale")
    stale = {"If-Match": head.tag("/organizations/stale")}
    change(head, "stale", "rename", {"name": "先改", "renamed_on": DAY})
    body = {"name": "后改", "renamed_on": "2021-10-02"}
    late = head.post("/organizations/stale/rename", body, headers=stale)
    assert late.status_code == 412
    assert head.get("/organizations/stale").json["name"] == "先改"
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        entry = session.scalars(
            sa.select(AuditEntry)
            .where(AuditEntry.subject == "stale")
            .order_by(AuditEntry.id.desc())
            .limit(1)
        ).one()
    assert (entry.action, entry.actor) == ("organization.rename", "head")
    assert (entry.before["name"], entry.after["name"]) == ("单位stale", "先改")


def found(asking) -> str:
    """The first findings and open points of the committee, and its figures."""
    answers = [
        asking.get(address)
        for address in (
            "/findings?within=finance&limit=200",
            "/attention?within=finance&limit=200",
            "/organizations/finance/overview?year=2021",
        )
    ]
    assert {answer.status_code for answer in answers} == {200}
    return "".join(answer.text for answer in answers)


def test_nothing_is_found_of_a_unit_whose_making_was_taken_back(ask, ours, engine, plugins_of):
    """Findings of the unit go with it at once; those of others follow when they are judged."""

    def judge() -> None:
        drain(engine, plugins_of.packs, ours.tenant.tenant_id, AS_OF, reason="test")

    head = ask("head")
    made(head, "judged")
    member(head, "judged-1", "judged")
    judge()
    before = found(head)
    new = {"id": "parted", "name": "判后撤回", "members": ["judged-1"]}
    answer = change(head, "judged", "split", {"made": [new], "effective_on": "2021-03-01"})
    assert answer.status_code == 200, answer.text
    judge()
    assert "parted" in found(head)
    assert undo(head, latest(head, "judged")).status_code == 200
    assert "parted" not in found(head)
    assert "判后撤回" not in found(head)
    judge()
    assert found(head) == before


def rehearsed(asking, code: str, action: str, body=None):
    return asking.post(f"/organizations/{code}/{action}/rehearsal", body)


@pytest.fixture
def kept(ours, engine):
    """What there is of the tree and its people, of their history and of the audit trail."""

    tables = ("organizations", "organization_changes", "members", "posts", "dirty_marks")

    def kept() -> list[set[str]]:
        with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
            return [
                {repr(row) for row in session.execute(sa.select(metadata.tables[table]))}
                for table in (*tables, "audit_entries")
            ]

    return kept


@pytest.mark.parametrize(
    ("action", "body", "effects"),
    [
        (
            "rename",
            {"name": "新名称", "renamed_on": DAY},
            {"renamed": {"from": "单位{}", "to": "新名称"}},
        ),
        ("move", {"parent": "justice", "moved_on": DAY}, {"moved": ["单位{}"], "relocated": 1}),
        ("close", {"closed_on": DAY}, {"closed": ["单位{}"], "members_ended": 2}),
        (
            "split",
            {
                "made": [{"id": "{}-new", "name": "分设", "members": ["{}-2"]}],
                "effective_on": DAY,
            },
            {"made": ["分设"], "members": 1},
        ),
        (
            "merge",
            {"sources": ["{}-source"], "effective_on": DAY, "members": ["{}-3"]},
            {"closed": ["单位{}-source"], "members": 1, "members_ended": 1},
        ),
    ],
)
def test_a_change_is_rehearsed_before_it_is_made(ask, kept, action, body, effects):
    department, code = ask("department"), f"rehearsed-{action}"
    body, effects = (json.loads(json.dumps(one).replace("{}", code)) for one in (body, effects))
    made(department, code)
    made(department, f"{code}-source")
    for number, unit in ((1, code), (2, code), (3, f"{code}-source"), (4, f"{code}-source")):
        member(department, f"{code}-{number}", unit)
    before = kept()
    answer = rehearsed(department, code, action, body)
    assert answer.status_code == 200, answer.text
    assert {name: value for name, value in answer.json.items() if value} == effects
    assert kept() == before
    assert change(department, code, action, body).status_code == 200
    if action != "close":
        return
    again = rehearsed(department, code, "reopen")
    assert again.status_code == 200, again.text
    assert department.get(f"/organizations/{code}").json["closed_on"] == DAY


def test_a_rehearsal_refuses_what_the_change_would(ask, kept):
    before = kept()
    for action, body in (
        ("close", {"closed_on": "2999-01-01"}),
        ("move", {"parent": "finance-1", "moved_on": "2999-01-01"}),
        ("merge", {"sources": ["finance-2"], "effective_on": DAY, "members": ["nobody"]}),
        ("split", {"made": [{"id": "finance-2", "name": "甲"}], "effective_on": DAY}),
    ):
        told = rehearsed(ask("head"), "finance-2", action, body)
        done = change(ask("head"), "finance-2", action, body)
        assert told.status_code == done.status_code == 422, action
        assert told.json["errors"] == done.json["errors"]
    assert kept() == before


def test_a_rehearsal_is_for_who_could_make_the_change(ask):
    close = {"closed_on": "2021-12-31"}
    assert rehearsed(ask("own"), "finance-1", "close", close).status_code == 403
    assert rehearsed(ask("secretary"), "finance-1", "close", close).status_code == 403
    hidden, absent = (
        rehearsed(ask("own"), code, "close", close) for code in ("justice-1", "none-1")
    )
    assert hidden.status_code == absent.status_code == 404

    def refused(code: str) -> str:
        body = {"sources": [code], "effective_on": DAY}
        answer = rehearsed(ask("head"), "finance-2", "merge", body)
        assert answer.status_code == 422
        return str(answer.json["errors"]).replace(code, "…")

    assert refused("justice-1") == refused("nothing-1")
