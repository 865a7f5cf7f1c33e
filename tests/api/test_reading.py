"""People, the library and jobs as programs read them."""

import pytest
import sqlalchemy as sa

from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope


def readings(engine, office, table: str) -> int:
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        return session.scalar(
            sa.select(sa.func.count()).where(
                AuditEntry.action == "restricted.read", AuditEntry.subject_type == table
            )
        )


@pytest.mark.parametrize(("path", "person"), [("/members", "id"), ("/posts", "person")])
def test_people_are_named_to_who_may_see_them_and_it_is_written_down(
    caller, judged, engine, path, person
):
    table = path.strip("/")
    before = readings(engine, judged, table)
    masked = caller(judged, "committee").get(path)
    assert masked.status_code == 200, masked.text
    assert {item["organization"] for item in masked.json["items"]} == {"finance-1", "finance-2"}
    assert {(item[person], item["name"]) for item in masked.json["items"]} == {(None, None)}
    assert readings(engine, judged, table) == before
    shown = caller(judged, "secretary").get(path)
    assert {item["organization"] for item in shown.json["items"]} == {"finance-1"}
    assert shown.json["items"][0][person].startswith("finance-1-")
    assert shown.json["items"][0]["name"].startswith("党员")
    assert readings(engine, judged, table) == before + 1


def test_one_persons_memberships(caller, judged):
    assert caller(judged, "committee").get("/members?person=finance-1-1").status_code == 403
    found = caller(judged, "department").get("/members?person=finance-1-1").json["items"]
    assert [item["organization"] for item in found] == ["finance-1"]
    assert caller(judged, "secretary").get("/members?person=justice-1-1").json["items"] == []


def test_the_library(administrator, plugins_of):
    listed = administrator.get("/profiles?limit=200").json["items"]
    assert {one["id"] for one in listed} == set(plugins_of.packs)
    shown = administrator.get("/profiles/xian?variant=agency").json
    assert shown["requirements"]
    assert administrator.get("/profiles/xian?variant=none").status_code == 404
    assert administrator.get("/profiles/none").status_code == 404
    rows = administrator.get("/profiles/xian/coverage?limit=200").json["items"]
    assert len(rows) == len(plugins_of.packs["xian"].requirements)
    first = administrator.get("/comparison?a=xian&b=jiaozuo&limit=5").json
    assert len(first["items"]) == 5
    following = administrator.get(f"/comparison?a=xian&b=jiaozuo&limit=5&cursor={first['next']}")
    assert following.json["items"][0] not in first["items"]


def test_a_report_is_asked_for_followed_and_seen_by_who_may(caller, judged, plugins_of):
    department = caller(judged, "department")
    (format_, *_) = [known.id for known in plugins_of.formats_of("xian")]
    body = {"format": format_, "as_of": "2021-11-10"}
    asked = department.post("/organizations/finance/reports", body)
    assert asked.status_code == 202, asked.text
    assert asked.json["state"] == "waiting"
    followed = department.get(asked.headers["Location"])
    assert followed.json == asked.json
    assert asked.json in department.get("/jobs?kind=report").json["items"]
    number = asked.json["id"]
    stranger = caller(judged, "secretary").get(f"/jobs/{number}")
    absent = caller(judged, "secretary").get("/jobs/999999999")
    assert stranger.status_code == absent.status_code == 404
    refused = department.post("/organizations/finance/reports", {**body, "format": "none"})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/format"
