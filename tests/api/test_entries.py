"""What is recorded beside meetings, entered and corrected by programs."""

from functools import cache

import pytest
import sqlalchemy as sa

from guiju.activities.entries import ENTRIES
from guiju.activities.models import Occasion
from guiju.activities.operations import store_facts
from guiju.api.models import IdempotencyKey
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.organizations.models import DirtyMark
from guiju.rules import tables

TALK = {"held_on": "2021-06-01", "person": "finance-1-1", "partner": "finance-1-2"}
STEP = {
    "case": "c1",
    "person": "finance-1-2",
    "step": next(iter(tables.columns("disciplinary_steps")["step"].metadata["vocabulary"])),
    "taken_on": "2021-06-01",
}
DUES = {"person": "finance-1-2", "month": "2021-06", "due_amount": 1250, "paid_amount": 1250}


def at(table: str, unit: str = "finance-1") -> str:
    return f"/organizations/{unit}/entries/{table}"


@pytest.fixture(scope="module")
def ours(create_office):
    return create_office(recorded=True)


@pytest.fixture(scope="module")
def ask(caller, ours):
    return cache(lambda name: caller(ours, name))


@pytest.fixture
def secretary(ask):
    return ask("secretary")


@pytest.fixture
def trail(ours, engine):
    """Entries of the audit trail about a table, the latest last."""

    def trail(table: str) -> list[AuditEntry]:
        with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
            return list(
                session.scalars(
                    sa.select(AuditEntry)
                    .where(AuditEntry.subject_type == table)
                    .order_by(AuditEntry.id)
                )
            )

    return trail


def entered(asking, table: str = "talks", unit: str = "finance-1", **fields) -> str:
    answer = asking.post(at(table, unit), fields or TALK)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def pointers(answer) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.mimetype == "application/problem+json"
    return [error["pointer"] for error in answer.json["errors"]]


def test_a_talk_is_entered_and_to_be_judged(secretary, ours, engine, trail):
    shown = secretary.get(entered(secretary)).json
    assert shown.items() >= {**TALK, "organization": "finance-1", "mode": None}.items()
    assert shown["id"].startswith("t")
    assert secretary.get(at("talks")).json["items"][0] == shown
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        assert ours.units["finance-1"] in set(session.scalars(sa.select(DirtyMark.organization_id)))
    last = trail("talks")[-1]
    assert (last.action, last.actor, last.after["held_on"]) == (
        "entry.record",
        "secretary",
        "2021-06-01",
    )


def test_a_correction_changes_what_it_names_and_keeps_number_and_id(secretary):
    address = entered(secretary, **TALK, outline=True)
    before = secretary.get(address).json
    answer = secretary.change("PATCH", address, {"held_on": "2021-06-03", "outline": None})
    assert answer.status_code == 200, answer.text
    assert answer.json == {**before, "held_on": "2021-06-03", "outline": None}
    assert secretary.get(address).json == answer.json
    assert answer.headers["ETag"] == secretary.tag(address)


def test_what_was_entered_by_mistake_is_taken_out(secretary, trail):
    address = entered(secretary)
    assert secretary.change("DELETE", address).status_code == 204
    assert secretary.get(address).status_code == 404
    assert trail("talks")[-1].action == "entry.remove"


def test_a_stale_change_is_refused(secretary):
    address = entered(secretary)
    assert secretary("PATCH", address, json={}).status_code == 428
    stale = {"If-Match": secretary.tag(address)}
    secretary.change("PATCH", address, {"held_on": "2021-06-04"})
    late = secretary("PATCH", address, json={"held_on": "2021-06-05"}, headers=stale)
    assert late.status_code == 412
    assert secretary("DELETE", address, headers=stale).status_code == 412
    assert secretary.get(address).json["held_on"] == "2021-06-04"


def test_the_same_request_again_enters_nothing(secretary):
    headers = {"Idempotency-Key": "entry-1"}
    first = secretary.post(at("talks"), TALK, headers=headers)
    listed = secretary.get(at("talks")).json["items"]
    again = secretary.post(at("talks"), TALK, headers=headers)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert secretary.get(at("talks")).json["items"] == listed
    other = secretary.post(at("talks"), {**TALK, "outline": True}, headers=headers)
    assert other.json["errors"][0]["code"] == "reused"


def test_pages_follow_each_other_without_gaps(secretary):
    made = {entered(secretary) for _time in range(3)}
    found, path = [], f"{at('talks')}?limit=2"
    while path:
        page = secretary.get(path)
        assert len(page.json["items"]) <= 2
        found += [one["number"] for one in page.json["items"]]
        path = page.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert found == sorted(set(found), reverse=True)
    assert {int(address.rpartition("/")[2]) for address in made} <= set(found)
    cursor = secretary.get(f"{at('talks')}?limit=1").json["next"]
    assert secretary.get(f"{at('reports')}?cursor={cursor}").status_code == 422


def test_what_is_the_same_row_is_corrected_under_its_number(secretary):
    address = entered(secretary, "dues", **DUES)
    assert entered(secretary, "dues", **{**DUES, "paid_amount": 1000}) == address
    moved = secretary.change("PATCH", address, {"month": "2021-07"})
    assert (moved.status_code, moved.json["month"]) == (200, "2021-07")
    assert (moved.json["paid_amount"], secretary.get(address).json) == (1000, moved.json)


def test_what_is_entered_again_leaves_in_the_trail_what_was_there(secretary, trail):
    first = {**DUES, "month": "2021-09"}
    entered(secretary, "dues", **first)
    entered(secretary, "dues", **{**first, "paid_amount": 900})
    last = trail("dues")[-1]
    assert (last.before["paid_amount"], last.after["paid_amount"]) == (1250, 900)


def test_no_correction_swallows_another_row(secretary):
    kept = entered(secretary, "dues", **{**DUES, "month": "2021-04", "paid_amount": 400})
    address = entered(secretary, "dues", **{**DUES, "month": "2021-05"})
    answer = secretary.change("PATCH", address, {"month": "2021-04"})
    assert [(one["pointer"], one["code"]) for one in answer.json["errors"]] == [
        ("/paid_on", "taken")
    ]
    assert secretary.get(kept).json["paid_amount"] == 400
    assert secretary.get(address).json["month"] == "2021-05"


def test_a_correction_keeps_who_decided(ask, ours, engine, secretary, trail):
    """Entered by the superior, corrected by the branch that it is about."""
    department = ask("department")
    address = entered(
        department,
        "appraisals",
        unit="root",
        subject_type="organization",
        organization="finance-1",
        year=2020,
        decided_on="2021-01-15",
    )
    assert department.get(address).json["decided_by"] == "root"
    own = at("appraisals") + "/" + address.rpartition("/")[2]
    answer = secretary.change("PATCH", own, {"filed_on": "2021-02-01"})
    assert answer.status_code == 200, answer.text
    assert (answer.json["decided_by"], answer.json["filed_on"]) == ("root", "2021-02-01")
    last = trail("appraisals")[-1]
    assert (last.before["decided_by"], last.after["decided_by"]) == ("root", "root")
    assert "filed_on" not in last.before
    # Taken out by the superior, the branch is judged again.
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        session.execute(sa.delete(DirtyMark))
        session.commit()
        assert department.change("DELETE", address).status_code == 204
        marked = set(session.scalars(sa.select(DirtyMark.organization_id)))
    assert ours.units["finance-1"] in marked


def test_a_document_stays_with_its_occasion(secretary, ours, engine):
    """Whichever way it came; and what the occasion says of its documents follows."""
    occasion = "finance-1-theme_day-1"
    row = {"organization": "finance-1", "occasion": occasion, "kind": "plan"}
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, Actor("test"), {"documents": [row]})

    def mask() -> int:
        with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
            return session.scalars(
                sa.select(Occasion.document_mask).where(Occasion.code == occasion)
            ).one()

    with_plan = mask()
    [shown] = [
        one for one in secretary.get(at("documents")).json["items"] if one["occasion"] == occasion
    ]
    address = f"{at('documents')}/{shown['number']}"
    answer = secretary.change("PATCH", address, {"kept_on": "2021-03-02"})
    assert answer.json == {**shown, "kept_on": "2021-03-02"}
    assert mask() == with_plan
    assert secretary.change("DELETE", address).status_code == 204
    assert mask() < with_plan


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"id": "t1"}, "/id"),
        ({"organization": "finance-1"}, "/organization"),
        ({"held_on": None}, "/held_on"),
        ({"held_on": "2021-13-01"}, "/held_on"),
        ({"held_on": "2021-12-01"}, "/held_on"),
        ({"person": "nobody"}, "/person"),
        ({"person": "justice-1-1"}, "/person"),
        ({"partner": "finance-2-1"}, "/partner"),
        ({"occasion": "justice-1-theme_day-1"}, "/occasion"),
        ({"mode": "shouting"}, "/mode"),
        ({"participants": "two"}, "/participants"),
        ({"person": "a\0b"}, "/person"),
    ],
)
def test_every_fault_has_its_place_and_nothing_is_changed(secretary, changes, pointer):
    before = secretary.get(at("talks")).json["items"]
    assert pointers(secretary.post(at("talks"), {**TALK, **changes})) == [pointer]
    assert secretary.get(at("talks")).json["items"] == before
    address = entered(secretary)
    kept = secretary.get(address).json
    assert pointers(secretary.change("PATCH", address, changes)) == [pointer]
    assert secretary.get(address).json == kept


def test_people_of_others_are_as_unknown_as_nobody(secretary):
    bodies = [
        secretary.post(at("dues"), {**DUES, "person": code}).json["errors"]
        for code in ("justice-1-1", "nobody-1-1")
    ]
    assert str(bodies[0]).replace("justice", "nobody") == str(bodies[1])


def test_of_others_are_not_there(ask, caller, create_office):
    department, secretary = ask("department"), ask("secretary")
    theirs = department.post(
        at("talks", "justice-1"),
        {"held_on": "2021-06-01", "person": "justice-1-1", "partner": "justice-1-2"},
    )
    assert theirs.status_code == 201
    number = theirs.json["number"]
    own = entered(secretary)
    everything = [caller(create_office(), "department"), secretary]
    for asking in everything:
        for address in (f"{at('talks', 'justice-1')}/{number}", f"{at('talks')}/{number}"):
            for method in ("GET", "PATCH", "DELETE"):
                body = {} if method != "PATCH" else {"json": {"outline": True}}
                answer = asking(method, address, headers={"If-Match": "*"}, **body)
                absent = asking(
                    method, f"{at('talks', 'nothing')}/1", headers={"If-Match": "*"}, **body
                )
                assert answer.status_code == absent.status_code == 404
                assert {**answer.json, "request_id": ""} == {**absent.json, "request_id": ""}
    stranger = everything[0]
    assert stranger.get(own).status_code == 404
    assert secretary.post(at("talks", "justice-1"), TALK).status_code == 404
    assert secretary.get(at("talks", "justice-1")).status_code == 404
    assert department.get(theirs.headers["Location"]).json == theirs.json


def test_are_not_for_who_may_not(ask, caller, ours):
    address = entered(ask("secretary"))
    for path in (at("talks"), address, at("disciplinary_steps")):
        assert ask("committee").get(path).status_code == 403
    reading = caller(ours, "secretary", ("organization.read", "records.read", "people.read"))
    assert reading.get(address).status_code == 200
    assert reading.post(at("talks"), TALK).status_code == 403
    assert reading.change("PATCH", address, {"outline": True}).status_code == 403
    assert reading.change("DELETE", address).status_code == 403
    blind = caller(ours, "secretary", ("organization.read", "records.read", "records.write"))
    assert blind.get(address).status_code == blind.post(at("talks"), TALK).status_code == 403


def test_discipline_is_read_with_a_note_and_kept_nowhere_else(secretary, ours, engine, trail):
    before = len(trail("disciplinary_steps"))
    headers = {"Idempotency-Key": "entry-2"}
    made = secretary.post(at("disciplinary_steps"), STEP, headers=headers)
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert secretary.get(address).json.items() >= STEP.items()
    assert len(secretary.get(at("disciplinary_steps")).json["items"]) == 1
    changed = secretary.change("PATCH", address, {"taken_on": "2021-06-02"})
    assert (changed.status_code, changed.json["number"]) == (200, made.json["number"])
    assert secretary.change("DELETE", address).status_code == 204
    found = trail("disciplinary_steps")[before:]
    read = "restricted.read"
    assert [one.action for one in found] == [
        *("entry.record", read, read),
        *(read, read, "entry.record"),
        *(read, read, "entry.remove"),
    ]
    assert not [one for one in found if "finance-1-2" in str([one.before, one.after])]
    assert secretary.post(at("disciplinary_steps"), STEP, headers=headers).status_code == 409
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        kept = sa.select(IdempotencyKey.body).where(IdempotencyKey.key == "entry-2")
        assert session.scalars(kept).one() is None
    assert secretary.get(at("disciplinary_steps")).json["items"] == []


def test_there_are_no_other_tables(secretary):
    for table in ("members", "settings", "judgements", "users", "occasions"):
        assert secretary.get(at(table)).status_code == 404
    for table in ENTRIES:
        assert secretary.get(at(table)).status_code == 200


@pytest.mark.parametrize("case", [" 一案 ", "a\tb", "一案\n", "Ａ１"])
def test_words_by_which_a_row_is_known_again_are_kept_as_they_are_read(secretary, case):
    made = secretary.post(at("disciplinary_steps"), {**STEP, "case": case})
    assert made.status_code == 201, made.text
    assert made.json["case"].strip() == case.strip()
    assert secretary.change("DELETE", made.headers["Location"]).status_code == 204
