"""Users, roles, invitations, handing over and delegations, by programs."""

from datetime import timedelta
from functools import cache

import pytest
import sqlalchemy as sa
from offices import PASSWORD

from guiju.accounts.links import use_link
from guiju.accounts.models import User, UserRole
from guiju.accounts.operations import create_user
from guiju.accounts.policies import lock_policy
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.clock import today
from guiju.db import ScopedSession, tenant_scope

NEW_PASSWORD = "Other-words-2022"


@pytest.fixture(scope="module")
def ours(create_office, engine):
    office = create_office()
    at = "@" + office.tenant.sign_in_name.partition("@")[2]
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        for name, role, unit in (
            ("head", "administrator", "finance"),
            ("elsewhere", "recorder", "justice-1"),
            ("both", "recorder", "finance-2"),
        ):
            roles = [(role, office.units[unit])]
            if name == "both":
                roles.append(("reader", office.units["justice"]))
            create_user(session, Actor("test"), name, name, roles, password=PASSWORD)
            office.users[name] = name + at
    return office


@pytest.fixture(scope="module")
def ask(caller, ours):
    return cache(lambda name: caller(ours, name))


@pytest.fixture
def number(ours, engine):
    """The number of a user by name."""

    def number(username: str) -> int:
        with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
            return session.scalars(sa.select(User.id).where(User.username == username)).one()

    return number


def invited(asking, called: str, *roles, **changes):
    granted = [{"role": role, "organization": unit} for role, unit in roles]
    body = {"username": called, "name": f"姓名{called}", "roles": granted, **changes}
    return asking.post("/invitations", body)


def test_somebody_is_invited_and_signs_in(ask, ours, engine):
    head = ask("head")
    answer = invited(head, "newcomer", ("recorder", "finance-1"))
    assert answer.status_code == 201, answer.text
    address = f"/users/{answer.json['user']}"
    assert head.get(address).json["state"] == "invited"
    with ScopedSession(engine) as session:
        use_link(session, answer.json["secret"], NEW_PASSWORD)
    shown = head.get(address).json
    assert (shown["state"], shown["username"]) == ("active", "newcomer")
    assert [(one["role"], one["organization"]) for one in shown["roles"]] == [
        ("recorder", "finance-1")
    ]


def test_a_secret_is_shown_once(ask):
    key = {"Idempotency-Key": "invite-once"}
    body = {
        "username": "once",
        "name": "一次",
        "roles": [{"role": "reader", "organization": "finance"}],
    }
    first = ask("head").post("/invitations", body, headers=key)
    assert first.status_code == 201
    again = ask("head").post("/invitations", body, headers=key)
    assert again.status_code == 409
    assert first.json["secret"] not in again.text
    listed = ask("head").get("/users?text=once").json["items"]
    assert [one["username"] for one in listed] == ["once"]


@pytest.mark.parametrize(
    ("roles", "changes", "pointer"),
    [
        ([("recorder", "justice-1")], {}, "/roles/0/organization"),
        ([("recorder", "nothing")], {}, "/roles/0/organization"),
        ([("auditor", "finance")], {}, "/roles"),
        ([("king", "finance")], {}, "/roles/0/role"),
        ([], {}, "/roles"),
        ([("reader", "finance")], {"username": "head"}, "/username"),
        ([("reader", "finance")], {"username": "有 空格"}, "/username"),
        ([("reader", "finance")], {"name": ""}, "/name"),
        ([("reader", "finance")], {"email": "no-at"}, "/email"),
        ([("reader", "finance")], {"password": "Plain-words-2021"}, "/password"),
    ],
)
def test_faults_of_an_invitation_have_their_place(ask, roles, changes, pointer):
    before = ask("department").get("/users?limit=200").json["items"]
    answer = invited(ask("head"), "faulty", *roles, **changes)
    assert answer.status_code == 422, answer.text
    assert pointer in {error["pointer"] for error in answer.json["errors"]}
    assert ask("department").get("/users?limit=200").json["items"] == before


def test_a_name_is_corrected(ask, number):
    head = ask("head")
    user = invited(head, "misspelt", ("reader", "finance")).json["user"]
    answer = head.change("PATCH", f"/users/{user}", {"name": "改正"})
    assert (answer.json["name"], answer.json["email"]) == ("改正", None)
    stale = {"If-Match": answer.headers["ETag"]}
    head.change("PATCH", f"/users/{user}", {"email": "a@example.cn"})
    late = head("PATCH", f"/users/{user}", json={"name": "又改"}, headers=stale)
    assert late.status_code == 412
    assert head.get(f"/users/{user}").json["name"] == "改正"


def test_an_account_is_closed_and_its_token_with_it(ask, caller, ours, number):
    head, program = ask("head"), caller(ours, "secretary")
    assert program.get("/me").status_code == 200
    address = f"/users/{number('secretary')}"
    closed = head.change("POST", f"{address}/deactivate", of=address)
    assert closed.json["state"] == "inactive"
    assert program.get("/me").status_code == 401
    opened = head.change("POST", f"{address}/reactivate", of=address)
    assert opened.json["state"] == "active"


def test_a_whole_person_is_for_who_manages_all_of_them(ask, number):
    """Whoever manages a part of somebody's roles neither closes the account nor resets it."""
    head, address = ask("head"), f"/users/{number('both')}"
    assert [one["organization"] for one in head.get(address).json["roles"]] == ["finance-2"]
    assert head.change("POST", f"{address}/deactivate", of=address).status_code == 403
    assert head.post(f"{address}/links").status_code == 403
    cleared = head.change("DELETE", f"{address}/second-factor", of=address)
    assert cleared.status_code == 403
    assert ask("department").get(address).json["state"] == "active"


def test_a_role_is_given_and_taken(ask, number):
    head = ask("head")
    user = invited(head, "worker", ("reader", "finance")).json["user"]
    body = {"role": "reviewer", "organization": "finance-2"}
    given = head.post(f"/users/{user}/roles", body)
    assert given.status_code == 201, given.text
    address = f"/users/{user}/roles/{given.json['id']}"
    assert head.get(address).json["role"] == "reviewer"
    assert head.change("DELETE", address).status_code == 204
    assert head.get(address).status_code == 404
    assert [one["role"] for one in head.get(f"/users/{user}").json["roles"]] == ["reader"]


def test_nobody_gives_themselves_a_role_or_takes_their_own(ask, number):
    head, own = ask("head"), number("head")
    answer = head.post(f"/users/{own}/roles", {"role": "reviewer", "organization": "finance"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/roles")
    mine = head.get("/me").json["roles"][0]["id"]
    assert head.change("DELETE", f"/users/{own}/roles/{mine}").status_code == 422
    assert [one["role"] for one in head.get("/me").json["roles"]] == ["administrator"]


def test_a_secretary_hands_over(ask, engine, ours):
    head = ask("head")
    old = invited(head, "leaving", ("recorder", "finance-2")).json["user"]
    body = {
        "organization": "finance-2",
        "newcomer": {"username": "coming", "name": "接任"},
        "reason": "换届",
    }
    answer = head.post(f"/users/{old}/hand-over", body)
    assert answer.status_code == 201, answer.text
    assert answer.json["deactivated"]
    new = head.get(f"/users/{answer.json['user']}").json
    assert [(one["role"], one["organization"]) for one in new["roles"]] == [
        ("recorder", "finance-2")
    ]
    assert head.get(f"/users/{old}").status_code == 404
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "role.hand_over")
        ).one()
    assert answer.json["secret"]
    assert (entry.actor, entry.after["reason"]) == ("head", "换届")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"organization": "justice"}, "/organization"),
        ({"newcomer": None}, "/newcomer"),
        ({"successor": 1}, "/successor"),
        ({"reason": " "}, "/reason"),
        ({"newcomer": {"username": "head", "name": "重名"}}, "/newcomer/username"),
        ({"newcomer": {"username": "x1", "name": "名", "role": "king"}}, "/newcomer/role"),
    ],
)
def test_faults_of_handing_over_have_their_place(ask, number, changes, pointer):
    body = {
        "organization": "finance-2",
        "newcomer": {"username": "next", "name": "接任"},
        "reason": "换届",
        **changes,
    }
    answer = ask("head").post(f"/users/{number('both')}/hand-over", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_users_of_others_are_not_there(ask, number):
    head = ask("head")
    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "改"}),
        ("POST", "/deactivate", None),
        ("POST", "/links", None),
        ("GET", "/delegations", None),
        ("POST", "/roles", {"role": "reader", "organization": "finance"}),
    ):
        answers = [
            head(method, f"/users/{one}{tail}", json=body, headers={"If-Match": "*"})
            for one in (number("elsewhere"), 2**40)
        ]
        assert {answer.status_code for answer in answers} == {404}, (method, tail)
    assert ask("secretary").get("/users").status_code == 403
    assert ask("secretary").get(f"/users/{number('head')}").status_code == 403


def test_work_is_delegated_for_some_days(ask, caller, ours, number):
    head, both = ask("head"), caller(ours, "both")
    own = head.get("/me").json["roles"][0]
    body = {
        "role": own["id"],
        "username": "both",
        "from_on": today().isoformat(),
        "until_on": (today() + timedelta(days=3)).isoformat(),
        "reason": "出差",
    }
    made = head.post("/delegations", body)
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    held = [one for one in both.get("/me").json["roles"] if one["instead_of"]]
    assert [(one["role"], one["instead_of"]) for one in held] == [("administrator", "head")]
    assert both.get(address).json["reason"] == "出差"
    assert ask("elsewhere").get(address).status_code == 404
    assert ask("department").get(f"/users/{number('head')}/delegations").json["items"]
    assert both.change("DELETE", address).status_code == 204
    assert not [one for one in both.get("/me").json["roles"] if one["instead_of"]]
    assert head.get(address).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"username": "elsewhere"}, "/username"),
        ({"username": "nobody"}, "/username"),
        ({"username": "head"}, "/username"),
        ({"from_on": "2020-01-01", "until_on": "2020-01-01"}, "/from_on"),
        ({"until_on": "2099-01-01"}, "/until_on"),
        ({"until_on": "soon"}, "/until_on"),
        ({"organization": "finance"}, "/organization"),
    ],
)
def test_faults_of_a_delegation_have_their_place(ask, changes, pointer):
    head = ask("head")
    day = today().isoformat()
    body = {
        "role": head.get("/me").json["roles"][0]["id"],
        "username": "both",
        "from_on": day,
        "until_on": day,
        **changes,
    }
    answer = head.post("/delegations", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_token_delegates_no_more_than_it_may(caller, ours, ask):
    narrow = caller(ours, "head", ("organization.read", "records.read"))
    day = today().isoformat()
    body = {
        "role": ask("head").get("/me").json["roles"][0]["id"],
        "username": "both",
        "from_on": day,
        "until_on": day,
    }
    assert narrow.post("/delegations", body).status_code == 404
    other = {**body, "role": ask("elsewhere").get("/me").json["roles"][0]["id"]}
    assert ask("head").post("/delegations", other).status_code == 404


def test_what_is_demanded_of_signing_in(ask):
    department = ask("department")
    before = department.get("/account-policy").json
    answer = department.change("PUT", "/account-policy", {**before, "idle_minutes": 15})
    assert answer.json == {**before, "idle_minutes": 15}
    short = department.change("PUT", "/account-policy", {**before, "shortest_password": 4})
    assert short.json["errors"][0]["pointer"] == "/shortest_password"
    missing = department.change("PUT", "/account-policy", {"separated": False})
    assert {error["code"] for error in missing.json["errors"]} == {"required"}
    # The one administrator there is audits nothing and secures nothing: they cannot be kept apart.
    apart = department.change("PUT", "/account-policy", {**before, "separated": True})
    assert apart.json["errors"][0]["pointer"] == "/separated"
    assert ask("head").get("/account-policy").status_code == 403


@pytest.mark.parametrize("first", [True, False])
def test_of_two_who_change_the_policy_at_once_one_is_told(caller, create_office, at_once, first):
    """Both have read the same; where nothing was set yet, there is no row that could be locked."""
    office = create_office()
    asking = [caller(office, "department") for _number in range(2)]
    before = asking[0].get("/account-policy").json
    if not first:
        asking[0].change("PUT", "/account-policy", before)
    tag = asking[0].tag("/account-policy")

    def change(number: int) -> int:
        body = {**before, "idle_minutes": 10 + number}
        return asking[number](
            "PUT", "/account-policy", json=body, headers={"If-Match": tag}
        ).status_code

    found = at_once(office, lock_policy, change)
    assert sorted(found) == [200, 412]
    assert asking[0].get("/account-policy").json["idle_minutes"] == 10 + found.index(200)


def test_the_permission_matrix(ask, ours, engine):
    shown = ask("secretary").get("/permissions").json
    allowed = {one["role"]: set(one["permissions"]) for one in shown["roles"]}
    assert "records.write" in allowed["recorder"]
    assert "accounts.manage" not in allowed["recorder"]
    held = ask("head").get("/holdings?limit=200").json["items"]
    assert {one["organization"] for one in held} <= {"finance", "finance-1", "finance-2"}
    pages, query = [], "/holdings?limit=2"
    while query:
        answer = ask("head").get(query).json
        pages += answer["items"]
        query = f"/holdings?limit=2&cursor={answer['next']}" if answer["next"] else ""
    assert pages == held
    assert ask("secretary").get("/holdings").status_code == 403
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        assert len(held) < session.scalars(sa.select(sa.func.count(UserRole.id))).one()
