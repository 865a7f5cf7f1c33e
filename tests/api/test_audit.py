"""The audit trail, read by the auditor's programs."""

from functools import cache

import pytest

RENAME = {"name": "审计改名", "renamed_on": "2021-10-01"}


@pytest.fixture(scope="module")
def ours(create_office):
    return create_office()


@pytest.fixture(scope="module")
def ask(caller, ours):
    return cache(lambda name: caller(ours, name))


@pytest.fixture(scope="module", autouse=True)
def _renamed(ask):
    address = "/organizations/finance-2"
    ask("department").change("POST", f"{address}/rename", RENAME, of=address)


def test_who_did_what_with_before_and_after(ask):
    found = ask("auditor").get("/audit?action=organization.rename").json["items"]
    assert [(one["actor"], one["subject"]) for one in found] == [("department", "finance-2")]
    assert found[0]["before"]["name"] == "市财政局第二党支部"
    assert found[0]["after"]["name"] == "审计改名"
    assert found[0]["address"] == "127.0.0.1"
    assert found[0]["labels"]["name"] == "组织名称"
    english = ask("auditor").get(
        "/audit?action=organization.rename", headers={"Accept-Language": "en"}
    )
    assert english.json["items"][0]["labels"]["created_at"] == "Made at"


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("actor=department&action=organization.", True),
        ("actor=nobody", False),
        ("subject=finance-2&subject_type=organization", True),
        ("subject=finance-2&until=2000-01-01", False),
        ("address=127.0.0.1&action=organization.rename", True),
        ("address=10.0.0.1", False),
    ],
)
def test_filters(ask, query, hits):
    assert bool(ask("auditor").get(f"/audit?{query}").json["items"]) == hits


def test_reading_it_is_written_down(ask):
    ask("auditor").get("/audit?actor=somebody-sought")
    latest = ask("auditor").get("/audit?action=restricted.read&limit=2").json["items"]
    assert latest[1]["after"] == {"reason": "actor=somebody-sought"}


def test_pages_hold_while_more_is_written(ask):
    auditor = ask("auditor")
    first = auditor.get("/audit?limit=3").json
    second = auditor.get(f"/audit?limit=3&cursor={first['next']}").json
    numbers = [one["id"] for one in (*first["items"], *second["items"])]
    assert numbers == sorted(set(numbers), reverse=True)


def test_it_is_the_auditors_alone(ask, caller, ours):
    for name in ("department", "committee", "secretary"):
        assert ask(name).get("/audit").status_code == 403
        assert ask(name).post("/audit/exports", {}).status_code == 403
    assert ask("auditor").get("/organizations").status_code == 403


def test_it_is_exported(ask, ours, work):
    auditor = ask("auditor")
    answer = auditor.post("/audit/exports", {"action": "organization.rename"})
    assert answer.status_code == 202, answer.text
    work(ours, answer.json["id"])
    job = auditor.get(answer.headers["Location"]).json
    assert (job["state"], job["result"]) == ("done", {"entries": 1})
    file = job["files"][0]
    assert auditor.get(f"/jobs/{job['id']}/files/{file['id']}").data[:2] == b"PK"
    assert ask("department").get(f"/jobs/{job['id']}/files/{file['id']}").status_code in {403, 404}
    wrong = auditor.post("/audit/exports", {"since": "yesterday", "colour": "red"})
    assert {error["pointer"] for error in wrong.json["errors"]} == {"/since", "/colour"}
