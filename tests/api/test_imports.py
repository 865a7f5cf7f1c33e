"""Workbooks imported by programs: looked at, stored, stored again, taken back."""

import io
import json
from functools import cache

import pyarrow as pa
import pytest
from offices import AS_OF, PASSWORD, Office

from guiju import facts
from guiju.accounts.operations import create_user
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.facts.workbook_writer import write_xlsx
from guiju.scoring.operations import drain

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNIT = {"id": "finance-7", "name": "第七党支部", "kind": "branch", "parent": "finance"}


@pytest.fixture(scope="module")
def ours(create_office, engine) -> Office:
    office = create_office(recorded=True)
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        grants = [("administrator", office.units["finance"])]
        create_user(session, Actor("test"), "head", "head", grants, password=PASSWORD)
    office.users["head"] = "head@" + office.tenant.sign_in_name.partition("@")[2]
    return office


@pytest.fixture(scope="module")
def ask(caller, ours):
    return cache(lambda name: caller(ours, name))


@pytest.fixture
def finished(ours, work, ask):
    """Have a job done that was just asked for; what became of it."""

    def finished(answer, name: str = "head"):
        assert answer.status_code == 202, answer.text
        work(ours, answer.json["id"])
        return ask(name).get(answer.headers["Location"]).json

    return finished


def uploaded(asking, document, organization: str = "finance"):
    """A preview of a facts document."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    media_type = WORKBOOK if data[:2] == b"PK" else "application/json"
    return asking(
        "POST", f"/imports?organization={organization}", data=data, content_type=media_type
    )


def test_a_workbook_is_looked_at_stored_and_taken_back(ask, finished, tmp_path):
    head = ask("head")
    table = pa.Table.from_pylist([UNIT], facts.schema("organizations"))
    write_xlsx({"organizations": table}, tmp_path / "x.xlsx")
    preview = finished(uploaded(head, (tmp_path / "x.xlsx").read_bytes()))
    assert preview["state"] == "done", preview["error"]
    told = {row["table"]: (row["new"], row["changed"]) for row in preview["result"]["tables"]}
    assert told["organizations"] == (1, 0)
    assert head.get("/organizations/finance-7").status_code == 404
    made = finished(head.post(f"/imports/{preview['id']}/confirm"))
    assert made["result"]["inserted"] == {"organizations": 1}
    assert head.get("/organizations/finance-7").json["name"] == "第七党支部"
    # The same file again changes nothing.
    again = finished(uploaded(head, (tmp_path / "x.xlsx").read_bytes()))
    stored = finished(head.post(f"/imports/{again['id']}/confirm"))
    assert stored["result"] == {"import": None}
    listed = head.get("/imports").json["items"]
    assert [one["id"] for one in listed] == [made["result"]["import"]]
    undone = finished(head.post(f"/imports/{listed[0]['id']}/undo"))
    assert undone["state"] == "done", undone["error"]
    assert head.get("/organizations/finance-7").status_code == 404
    assert head.get("/imports").json["items"][0]["undone_at"]


def test_every_fault_is_told_with_its_row_and_nothing_is_stored(ask, finished):
    head = ask("head")
    rows = [
        UNIT,
        {**UNIT, "id": "x-1", "parent": "nowhere"},
        {**UNIT, "id": "x-2", "kind": "party"},
    ]
    preview = finished(uploaded(head, {"organizations": rows}))
    assert preview["state"] == "failed"
    places = {problem["place"] for problem in preview["result"]["problems"]}
    assert places == {
        "import.json /organizations/1/parent",
        "import.json /organizations/2/kind",
    }
    confirmed = head.post(f"/imports/{preview['id']}/confirm")
    assert (confirmed.status_code, confirmed.json["errors"][0]["code"]) == (422, "not_previewed")
    assert head.get("/organizations/finance-7").status_code == 404


def test_what_was_built_upon_is_not_taken_back(ask, finished):
    head = ask("head")
    preview = finished(uploaded(head, {"organizations": [{**UNIT, "id": "finance-8"}]}))
    made = finished(head.post(f"/imports/{preview['id']}/confirm"))
    body = {"name": "改名", "renamed_on": "2021-10-01"}
    address = "/organizations/finance-8"
    assert head.change("POST", f"{address}/rename", body, of=address).status_code == 200
    undone = finished(head.post(f"/imports/{made['result']['import']}/undo"))
    assert undone["state"] == "failed"
    assert head.get(address).json["name"] == "改名"


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"<html></html>", "text/html", 415),
        (b"{}", "application/octet-stream", 415),
        (b"", "application/json", 202),
        (b"not a workbook", WORKBOOK, 202),
        (b"PK\x03\x04 cut short", WORKBOOK, 202),
        ('{"organizations": []}'.encode("utf-16"), "application/json", 202),
    ],
)
def test_what_is_no_workbook_is_refused_or_fails_with_words(
    ask, finished, data, media_type, status
):
    head = ask("head")
    answer = head("POST", "/imports?organization=finance", data=data, content_type=media_type)
    assert answer.status_code == status, answer.text
    if status == 202:
        job = finished(answer)
        assert (job["state"], bool(job["error"])) == ("failed", True)


def test_who_may_and_where(ask, finished):
    head, document = ask("head"), {"organizations": [UNIT]}
    for unit in ("justice", "root", "nothing"):
        assert uploaded(head, document, unit).status_code == 404
    assert uploaded(ask("secretary"), document, "finance-1").status_code == 403
    other = finished(uploaded(ask("department"), document, "justice"), "department")
    assert head.get(f"/jobs/{other['id']}").status_code == 404
    assert head.post(f"/imports/{other['id']}/confirm").status_code == 404
    assert other["id"] not in {one["id"] for one in head.get("/jobs").json["items"]}


def test_what_lies_outside_is_refused_without_a_word_about_it(ask, finished):
    def refused(code: str) -> str:
        rows = [{**UNIT, "id": "x-3", "parent": code}]
        job = finished(uploaded(ask("head"), {"organizations": rows}))
        assert job["state"] == "failed"
        return str(job["result"]["problems"]).replace(code, "…")

    assert refused("justice") == refused("nowhere")
    # A name that is not said is not learnt, and one that is somebody's is not taken.
    for name in (None, "另一个人"):
        row = {
            "id": "justice-1-2",
            "name": name,
            "organization": "finance-1",
            "membership_class": "full",
            "from_on": "2010-01-01",
            "until_on": "2010-12-31",
        }
        job = finished(uploaded(ask("head"), {"members": [row]}))
        assert job["state"] == "failed", name
        assert "党员2" not in json.dumps(job, ensure_ascii=False)


def test_reports_are_jobs_too(ask, finished, ours):
    head = ask("head")
    wrong = head.post("/organizations/finance/reports", {"format": "no.such"})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/format")
    known = head.get("/profiles/xian").json["report_formats"][0]["id"]
    body = {"format": known, "as_of": "2021-11-10"}
    key = {"Idempotency-Key": "report-1"}
    asked = head.post("/organizations/finance/reports", body, headers=key)
    again = head.post("/organizations/finance/reports", body, headers=key)
    assert again.json["id"] == asked.json["id"]
    job = finished(asked)
    assert job["state"] == "done", job["error"]
    (file,) = [one for one in job["files"] if one["produced"]]
    got = head.get(f"/jobs/{job['id']}/files/{file['id']}")
    assert len(got.data) == file["size"]
    assert "attachment" in got.headers["Content-Disposition"]
    assert io.BytesIO(got.data).read(2) in {b"PK", b"%P"}
    assert ask("secretary").get(f"/jobs/{job['id']}/files/{file['id']}").status_code == 404


def brought(ask, finished, document, organization: str = "finance") -> int:
    """The number of an import of a document that is as it should be."""
    preview = finished(uploaded(ask("head"), document, organization))
    assert preview["state"] == "done", preview["error"]
    made = finished(ask("head").post(f"/imports/{preview['id']}/confirm"))
    assert made["state"] == "done", made["error"]
    return made["result"]["import"]


def test_an_import_over_a_correction_keeps_what_stood_there(ask, finished):
    secretary = ask("secretary")
    address = "/occasions/finance-1-theme_day-9"
    corrected = {
        "kinds": ["theme_day"],
        "held_on": "2021-09-05",
        "place": "三楼",
        "attendance": [{"person": "finance-1-1", "status": "present"}],
        "reason": "补充地点",
    }
    answer = secretary.change("PUT", address, corrected)
    assert answer.status_code == 200, answer.text
    row = {"id": "finance-1-theme_day-9", "organization": "finance-1", "kinds": ["theme_day"]}
    document = {
        "occasions": [{**row, "held_on": "2021-09-06", "place": "四楼"}],
        "attendance": [
            {"occasion": row["id"], "person": "finance-1-2", "status": "present"},
        ],
    }
    # To look at it makes no version.
    finished(uploaded(ask("head"), document))
    assert secretary.get(address).json["revision"] == 1
    number = brought(ask, finished, document)
    versions = secretary.get(f"{address}/versions").json["items"]
    said = [(one["number"], one["author"], one["recorded"].get("place")) for one in versions]
    assert said == [(0, "导入", None), (1, "secretary", "三楼"), (2, "head", "四楼")]
    assert "import.json" in versions[-1]["reason"]
    shown = secretary.get(address).json
    assert (shown["revision"], shown["changed"]) == (2, True)
    assert {one["person"] for one in shown["recorded"]["attendance"]} == {
        "finance-1-1",
        "finance-1-2",
    }
    assert shown["history"][-1]["actor"] == "head"
    # Taken back, it says again what it said, and that is another version.
    undone = finished(ask("head").post(f"/imports/{number}/undo"))
    assert undone["state"] == "done", undone["error"]
    shown = secretary.get(address).json
    assert (shown["revision"], shown["recorded"]["place"]) == (3, "三楼")
    assert [one["person"] for one in shown["recorded"]["attendance"]] == ["finance-1-1"]


def test_a_record_declared_void_that_an_import_brings_again_is_no_longer_void(ask, finished):
    secretary = ask("secretary")
    address = "/occasions/finance-1-theme_day-7"
    done = secretary.change("POST", f"{address}/void", {"reason": "录错"}, of=address)
    assert done.json["state"] == "voided"
    row = {"id": "finance-1-theme_day-7", "organization": "finance-1", "kinds": ["theme_day"]}
    held = {**row, "held_on": "2021-07-05", "status": "held"}
    brought(ask, finished, {"occasions": [held]})
    shown = secretary.get(address).json
    assert (shown["state"], shown["changed"]) == ("archived", True)


@pytest.fixture
def judge(engine, ours, plugins_of):
    def judge() -> None:
        drain(engine, plugins_of.packs, ours.tenant.tenant_id, AS_OF, reason="test")

    return judge


def listed(asking, address: str) -> list[dict]:
    """Every page of a list."""
    found: list[dict] = []
    cursor = ""
    while True:
        answer = asking.get(address + cursor)
        assert answer.status_code == 200, answer.text
        found += answer.json["items"]
        if answer.json["next"] is None:
            return found
        cursor = f"&cursor={answer.json['next']}"


def seen(asking) -> str:
    """Everything that is shown of findings."""
    queries = ("/findings?limit=200", "/findings?limit=200&people=true", "/attention?limit=200")
    shown: list = [listed(asking, query) for query in queries]
    for unit in ("root", "finance", "finance-1"):
        answer = asking.get(f"/organizations/{unit}/overview?year=2021")
        assert answer.status_code == 200, answer.text
        shown.append(answer.json)
    return json.dumps(shown, ensure_ascii=False, sort_keys=True)


def test_nothing_is_found_of_what_was_taken_back(ask, finished, judge):
    """Findings are made anew after a while; until then they name nothing that is gone."""
    judge()
    before = seen(ask("department"))
    unit = {"id": "gone-1", "name": "已撤支部", "kind": "branch", "parent": "finance"}
    document = {
        "organizations": [{**unit, "sector": "agency"}],
        "members": [
            {
                "id": f"gone-{where}",
                "name": f"已撤党员{where}",
                "organization": where,
                "membership_class": "full",
                "from_on": "2021-01-01",
            }
            for where in ("gone-1", "finance-1")
        ],
        "occasions": [
            {
                "id": f"gone-o-{where}-{month}",
                "organization": where,
                "kinds": ["branch_assembly", "party_lecture", "organizational_life_meeting"],
                "held_on": f"2021-{month:02d}-11",
            }
            for where in ("gone-1", "finance-1")
            for month in (2, 5)
        ],
    }
    number = brought(ask, finished, document)
    judge()
    between = seen(ask("department"))
    for name in ("gone-1", "gone-finance-1", "gone-o-finance-1-2"):
        assert name in between
    undone = finished(ask("head").post(f"/imports/{number}/undo"))
    assert undone["state"] == "done", undone["error"]
    assert "gone-" not in seen(ask("department"))
    assert "已撤" not in seen(ask("department"))
    judge()
    assert seen(ask("department")) == before
