"""Files of records and drafts, as programs attach, list, fetch and remove them."""

import hashlib
import io
import zipfile

import pytest

from guiju import background
from guiju.tenancy import jobs

PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"
PDF_TYPE = "application/pdf"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NEW = {"organization": "finance-1", "kinds": ["theme_day"], "held_on": "2021-11-01"}


@pytest.fixture(scope="module")
def year(create_office):
    """An office of this module's own, to change."""
    return create_office(recorded=True)


@pytest.fixture(scope="module")
def secretary(caller, year):
    return caller(year, "secretary")


@pytest.fixture(scope="module")
def department(caller, year):
    return caller(year, "department")


@pytest.fixture
def occasion(secretary) -> str:
    """Address of a record to attach to."""
    return secretary.post("/occasions", NEW).headers["Location"]


def attach(asking, to, content=PDF, media_type=PDF_TYPE, **query):
    query = {"name": "签到表.pdf", **query}
    return asking("POST", f"{to}/files", data=content, content_type=media_type, query_string=query)


def revision(asking, occasion) -> int:
    return asking.get(occasion).json["revision"]


def test_a_file_is_attached_listed_fetched_and_removed(secretary, occasion):
    made = attach(secretary, occasion, kind="sign_in_sheet")
    assert made.status_code == 201, made.text
    assert made.json["name"] == "签到表.pdf"
    assert made.json["digest"] == hashlib.sha256(PDF).hexdigest()
    assert secretary.get(occasion).json["documents"] == ["sign_in_sheet"]
    assert revision(secretary, occasion) == 2
    assert secretary.get(f"{occasion}/files").json["items"] == [made.json]
    address = made.headers["Location"]
    fetched = secretary.get(f"{address}/content")
    assert (fetched.data, fetched.mimetype) == (PDF, PDF_TYPE)
    assert fetched.headers["Content-Disposition"].startswith("attachment;")
    assert fetched.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"

    assert secretary("DELETE", address).status_code == 428
    assert secretary("DELETE", address, headers={"If-Match": '"x"'}).status_code == 412
    tag = {"If-Match": secretary.get(address).headers["ETag"]}
    assert secretary("DELETE", address, headers=tag).status_code == 204
    assert secretary.get(f"{occasion}/files").json["items"] == []
    assert secretary.get(occasion).json["documents"] == []
    assert revision(secretary, occasion) == 3
    # Earlier versions still have it.
    assert secretary.get(f"{address}/content").data == PDF
    assert secretary.get(address).json["removed_at"]


def test_the_same_key_attaches_one_file(secretary, occasion):
    key = {"Idempotency-Key": f"file-{occasion}"}

    def ask(content=PDF):
        return secretary(
            "POST",
            f"{occasion}/files?name=a.pdf",
            data=content,
            content_type=PDF_TYPE,
            headers=key,
        )

    first, again = ask(), ask()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert ask(PDF + b"\n").status_code == 422
    assert len(secretary.get(f"{occasion}/files").json["items"]) == 1


def test_a_draft_takes_its_files_into_the_record(secretary):
    typed = {name: value for name, value in NEW.items() if name != "organization"}
    made = secretary.post("/drafts", {"organization": "finance-1", "typed": typed})
    draft = made.headers["Location"]
    file = attach(secretary, draft)
    assert file.status_code == 201, file.text
    assert secretary.get(f"{draft}/files").json["items"] == [file.json]
    tag = {"If-Match": secretary.get(draft).headers["ETag"]}
    done = secretary("POST", f"{draft}/submit", json={}, headers=tag)
    assert done.status_code == 200, done.text
    (listed,) = secretary.get(f"/occasions/{done.json['occasion']}/files").json["items"]
    assert listed["id"] == file.json["id"]


def workbook_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "spreadsheetml.sheet.main+xml")
        made.writestr("xl/workbook.xml", bytes(120_000_000))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "media_type", "content", "status", "code"),
    [
        ("a.jpg", "image/jpeg", b"<html><script>alert(1)</script>", 422, "wrong_content"),
        ("a.pdf", PDF_TYPE, b"<html>", 422, "wrong_content"),
        ("a.xlsx", XLSX_TYPE, b"PK\3\4", 422, "broken"),
        ("a.pdf", PDF_TYPE, b"", 422, "empty"),
        ("a.pdf", "image/png", PDF, 422, "wrong_type"),
        ("a.exe", PDF_TYPE, PDF, 422, "wrong_type"),
        ("a", PDF_TYPE, PDF, 422, "wrong_type"),
        ("a.html", "text/html", b"<html>", 415, None),
        ("a.pdf", "application/x-www-form-urlencoded", b"a=1", 415, None),
    ],
)
def test_what_is_not_what_it_says_changes_nothing(
    secretary, occasion, name, media_type, content, status, code
):
    answer = attach(secretary, occasion, content, media_type, name=name)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    if code is not None:
        assert answer.json["errors"][0]["code"] == code
    assert secretary.get(f"{occasion}/files").json["items"] == []
    assert revision(secretary, occasion) == 1


def test_a_workbook_that_unpacks_to_very_much_is_refused(secretary, occasion):
    answer = attach(secretary, occasion, workbook_bomb(), XLSX_TYPE, name="a.xlsx")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "zip_bomb")


def test_what_is_too_large_is_refused_unread(secretary, occasion):
    answer = attach(secretary, occasion, bytes(20_000_001))
    assert answer.status_code == 413
    assert answer.json["type"] == "urn:guiju:problem:too-large"
    assert answer.json["detail"] == "正文至多 20000000 字节"
    assert secretary.get(f"{occasion}/files").json["items"] == []


def test_an_unknown_kind_and_an_unknown_parameter(secretary, occasion):
    assert attach(secretary, occasion, kind="love_letter").status_code == 422
    assert attach(secretary, occasion, colour="red").status_code == 422


def test_who_sees_the_record_without_people_sees_no_file(caller, year, secretary, occasion):
    file = attach(secretary, occasion).headers["Location"]
    committee = caller(year, "committee")
    assert committee.get(occasion).status_code == 200
    assert committee.get(f"{occasion}/files").json["items"] == []
    for address in (file, f"{file}/content"):
        assert committee.get(address).status_code == 403
    assert attach(committee, occasion).status_code == 403


def test_another_tenant_and_another_subtree_are_told_nothing(
    caller, judged, year, secretary, department, occasion
):
    """What is somebody else's is answered as what is not there."""
    file = attach(secretary, occasion).headers["Location"]
    stranger = caller(judged, "department")
    elsewhere = {**NEW, "organization": "justice-1"}
    other_record = department.post("/occasions", elsewhere).headers["Location"]
    other_file = attach(department, other_record).headers["Location"]
    made = department.post("/drafts", {"organization": "justice-1", "typed": elsewhere})
    other_draft = made.headers["Location"]
    nothing = secretary.get("/files/9007199254740000")
    assert nothing.status_code == 404
    tag = {"If-Match": "*"}
    for asking, record, address in (
        (stranger, occasion, file),
        (secretary, other_record, other_file),
    ):
        answers = [
            asking.get(f"{record}/files"),
            attach(asking, record),
            asking.get(address),
            asking.get(f"{address}/content"),
            asking("DELETE", address, headers=tag),
        ]
        for answer in answers:
            assert answer.status_code == 404, answer.text
            assert {**answer.json, "request_id": ""} == {**nothing.json, "request_id": ""}
    for answer in (secretary.get(f"{other_draft}/files"), attach(secretary, other_draft)):
        assert answer.status_code == 404
    assert len(department.get(f"{other_record}/files").json["items"]) == 1


def test_a_store_that_is_away_is_said(make_app, year, token_of, secretary, occasion):
    file = attach(secretary, occasion).headers["Location"]
    lost = make_app(GUIJU_FILES_URL="file:///proc/nowhere").test_client()
    headers = {"Authorization": f"Bearer {token_of(year, 'secretary')}"}
    answer = lost.post(
        f"{occasion}/files?name=a.pdf", data=PDF, content_type=PDF_TYPE, headers=headers
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert len(secretary.get(f"{occasion}/files").json["items"]) == 1
    # A content that the store has lost is not there.
    assert lost.get(f"{file}/content", headers=headers).status_code == 404


class TestTenantExport:
    def test_it_is_asked_for_followed_and_fetched(
        self, department, year, environment, monkeypatch, occasion, secretary
    ):
        attach(secretary, occasion)
        asked = department.post("/exports")
        assert asked.status_code == 202, asked.text
        assert asked.json["kind"] == "tenant_export"
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        background.run(year.tenant.tenant_id, asked.json["id"])
        done = department.get(asked.headers["Location"]).json
        assert (done["state"], done["error"]) == ("done", None)
        assert done["result"]["files"] >= 1
        (file,) = done["files"]
        sent = department.get(f"{asked.headers['Location']}/files/{file['id']}")
        with zipfile.ZipFile(io.BytesIO(sent.data)) as archive:
            assert any(name.startswith("files/") for name in archive.namelist())

    def test_more_than_is_kept_for_a_download_is_refused_at_once(
        self, department, monkeypatch, occasion, secretary
    ):
        attach(secretary, occasion)
        monkeypatch.setattr(jobs, "MOST_BYTES", 1)
        before = department.get("/jobs").json
        answer = department.post("/exports")
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "too_large")
        assert "guiju tenant export" in answer.text
        assert department.get("/jobs").json == before

    def test_only_who_has_the_whole_tenant_may(self, caller, year, secretary):
        for asking in (secretary, caller(year, "committee")):
            assert asking.post("/exports").status_code == 403
