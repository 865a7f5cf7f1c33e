"""Members and posts kept by programs: who comes, goes on elsewhere, and goes."""

from functools import cache

import pytest
import sqlalchemy as sa
from offices import PASSWORD

from guiju.accounts.operations import create_user
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.organizations.models import DirtyMark

NEW = {
    "id": "new-1",
    "name": "新党员",
    "organization": "finance-1",
    "membership_class": "probationary",
    "from_on": "2021-01-01",
}


@pytest.fixture(scope="module")
def ours(create_office, engine):
    office = create_office(recorded=True)
    at = "@" + office.tenant.sign_in_name.partition("@")[2]
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        roles = [("recorder", office.units["finance"])]
        create_user(session, Actor("test"), "keeper", "keeper", roles, password=PASSWORD)
        office.users["keeper"] = "keeper" + at
    return office


@pytest.fixture(scope="module")
def ask(caller, ours):
    return cache(lambda name: caller(ours, name))


def added(asking, code: str, **changes) -> str:
    answer = asking.post("/members", {**NEW, "id": code, **changes})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def spells(asking, code: str) -> list[tuple]:
    found = asking.get(f"/members?person={code}&sort=number").json["items"]
    return [
        (one["organization"], one["membership_class"], one["from_on"], one["until_on"])
        for one in found
    ]


def test_a_member_comes_and_is_to_be_judged(ask, ours, engine):
    secretary = ask("secretary")
    address = added(secretary, "comes")
    shown = secretary.get(address)
    assert shown.json["name"] == "新党员"
    assert shown.json["id"] == "comes"
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        marked = set(session.scalars(sa.select(DirtyMark.organization_id)))
        entry = session.scalars(
            sa.select(AuditEntry)
            .where(AuditEntry.action == "member.record")
            .order_by(AuditEntry.id.desc())
        ).first()
    assert ours.units["finance-1"] in marked
    assert (entry.actor, entry.after["id"]) == ("secretary", "comes")


def test_a_probationary_member_becomes_a_full_one(ask):
    secretary = ask("secretary")
    address = added(secretary, "grows")
    body = {"membership_class": "full", "first_day": "2021-07-01"}
    answer = secretary.change("POST", f"{address}/class", body, of=address)
    assert answer.status_code == 200, answer.text
    assert (answer.json["membership_class"], answer.json["full_member_on"]) == (
        "full",
        "2021-07-01",
    )
    assert spells(secretary, "grows") == [
        ("finance-1", "probationary", "2021-01-01", "2021-06-30"),
        ("finance-1", "full", "2021-07-01", None),
    ]
    same = secretary.change("POST", f"{address}/class", body, of=address)
    assert same.json["errors"][0]["pointer"] == "/first_day"


def test_a_member_goes_on_in_another_branch_and_leaves_posts_behind(ask):
    keeper = ask("keeper")
    address = added(keeper, "moves")
    body = {"person": "moves", "organization": "finance-1", "post": "committee_member"}
    post = keeper.post("/posts", {**body, "from_on": "2021-01-01"})
    assert post.status_code == 201, post.text
    target = {"organization": "finance-2", "first_day": "2021-05-01"}
    answer = keeper.change("POST", f"{address}/transfer", target, of=address)
    assert answer.json["organization"] == "finance-2"
    assert spells(keeper, "moves") == [
        ("finance-1", "probationary", "2021-01-01", "2021-04-30"),
        ("finance-2", "probationary", "2021-05-01", None),
    ]
    assert keeper.get(post.headers["Location"]).json["until_on"] == "2021-04-30"


def test_a_transfer_needs_the_right_at_both_ends(ask):
    secretary = ask("secretary")
    address = added(secretary, "stays")

    def refused(target: str) -> str:
        body = {"organization": target, "first_day": "2021-05-01"}
        answer = secretary.change("POST", f"{address}/transfer", body, of=address)
        assert answer.status_code == 422
        return str(answer.json["errors"]).replace(target, "…")

    assert refused("finance-2") == refused("nothing-2")
    assert spells(secretary, "stays") == [("finance-1", "probationary", "2021-01-01", None)]


def test_a_member_leaves(ask):
    secretary = ask("secretary")
    address = added(secretary, "leaves")
    body = {"last_day": "2021-08-31", "destination": "外省某单位党支部"}
    answer = secretary.change("POST", f"{address}/end", body, of=address)
    assert answer.json["until_on"] == "2021-08-31"
    before = secretary.change("POST", f"{address}/end", {"last_day": "2020-12-31"}, of=address)
    assert [error["pointer"] for error in before.json["errors"]] == ["/last_day"]


def test_a_post_ends(ask):
    keeper = ask("keeper")
    added(keeper, "serves")
    body = {"person": "serves", "organization": "finance-1", "post": "publicity_member"}
    made = keeper.post("/posts", {**body, "from_on": "2021-02-01"})
    address = made.headers["Location"]
    answer = keeper.change("POST", f"{address}/end", {"last_day": "2021-09-30"}, of=address)
    assert answer.json["until_on"] == "2021-09-30"
    listed = keeper.get("/posts?within=finance-1&post=publicity_member&on=2021-10-01").json["items"]
    assert listed == []


def test_a_stale_change_is_refused(ask):
    secretary = ask("secretary")
    address = added(secretary, "stale")
    stale = {"If-Match": secretary.tag(address)}
    secretary.change("POST", f"{address}/end", {"last_day": "2021-12-31"}, of=address)
    late = secretary.post(f"{address}/end", {"last_day": "2021-06-30"}, headers=stale)
    assert late.status_code == 412
    assert secretary.get(address).json["until_on"] == "2021-12-31"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"organization": "justice-1"}, "/organization"),
        ({"organization": "nothing"}, "/organization"),
        ({"group": "justice-1"}, "/group"),
        ({"membership_class": "guest"}, "/membership_class"),
        ({"from_on": "2021-02-30"}, "/from_on"),
        ({"leading_cadre": "perhaps"}, "/leading_cadre"),
        ({"colour": "red"}, "/colour"),
        ({"id": ""}, "/id"),
        ({"name": "a\0b"}, "/name"),
        ({"id": "finance-1-1", "name": "另一个人"}, "/id"),
    ],
)
def test_every_fault_has_its_place_and_nothing_is_recorded(ask, changes, pointer):
    before = ask("secretary").get("/members?limit=200").json["items"]
    answer = ask("secretary").post("/members", {**NEW, **changes})
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert ask("secretary").get("/members?limit=200").json["items"] == before


def test_nobody_learns_a_name_by_an_id(ask):
    """Somebody of another unit is recorded by who knows the name, and by nobody else."""
    secretary = ask("secretary")
    ended = {"from_on": "2010-01-01", "until_on": "2010-12-31"}
    without = secretary.post("/members", {**NEW, **ended, "id": "justice-1-2", "name": None})
    wrong = secretary.post("/members", {**NEW, **ended, "id": "justice-1-2"})
    assert without.status_code == wrong.status_code == 422
    assert without.json["errors"] == wrong.json["errors"]
    right = secretary.post("/members", {**NEW, **ended, "id": "justice-1-2", "name": "党员2"})
    assert right.status_code == 201
    post = {"organization": "finance-1", "post": "group_leader"}
    answers = [
        secretary.post("/posts", {**post, "person": code}) for code in ("justice-1-3", "nobody-3")
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert answers[0].text.count("党员") == answers[1].text.count("党员")


def test_nobody_takes_anothers_member_away(ask):
    """The spell of another branch is not corrected into one's own."""
    taken = {"id": "justice-1-4", "name": "党员4", "membership_class": "full"}
    answer = ask("secretary").post("/members", {**NEW, **taken, "from_on": "2018-01-01"})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/from_on"]
    assert spells(ask("department"), "justice-1-4") == [("justice-1", "full", "2018-01-01", None)]


def test_who_may_not_and_whom(ask, caller, ours):
    reader = ask("committee")
    assert reader.post("/members", NEW).status_code == 403
    theirs = ask("department").get("/members?within=justice").json["items"][0]["number"]
    for address in (f"/members/{theirs}", f"/members/{2**40}"):
        assert ask("secretary").get(address).status_code == 404
    own = ask("secretary").get("/members").json["items"][0]["number"]
    shown = reader.get(f"/members/{own}").json
    assert (shown["name"], shown["id"]) == (None, None)
    refused = reader.change(
        "POST", f"/members/{own}/end", {"last_day": "2021-12-31"}, of=f"/members/{own}"
    )
    assert refused.status_code == 403
    blind = caller(ours, "secretary", ("organization.read", "records.read", "members.manage"))
    assert blind.get(f"/members/{own}").json["name"] is None
