"""Photographs and papers of records in pages: attached, shown, out of others' reach."""

import io
import re

import pytest
from offices import AS_OF
from PIL import Image

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def photograph():
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture(scope="module")
def filed(create_office):
    return create_office()


@pytest.fixture
def person(sign_in, filed):
    def person(name):
        client = sign_in(name, filed)

        def post(address, fields=None, page="/library/", **options):
            token = TOKEN.search(client.get(page).text)[1]
            data = {"csrf_token": token, **(fields or {})}
            return client.post(address.format(**filed.units), data=data, **options)

        return client, post

    return person


@pytest.fixture
def draft(person, filed):
    """A draft of the secretary: its address and where its files go."""
    _client, post = person("secretary")
    fields = {"kinds": "theme_day", "held_on": AS_OF.isoformat()}
    return post(
        "/organizations/{finance-1}/records/save", fields, headers={"Accept": "application/json"}
    ).json


def upload(content=None, name="现场.jpg", kind="photos"):
    return {"file": (io.BytesIO(content or photograph()), name), "file_kind": kind}


def test_a_photograph_goes_with_the_draft_into_the_record(person, draft, filed):
    client, post = person("secretary")
    answer = post(draft["files"], upload(), headers={"Accept": "application/json"})
    assert answer.status_code == 200
    (file,) = answer.json["files"]
    shown = client.get(file["address"])
    assert shown.mimetype == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Disposition"].startswith("attachment;")
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "现场.jpg" in client.get(draft["address"]).text
    fields = {"kinds": "theme_day", "held_on": AS_OF.isoformat()}
    fields |= {"draft": draft["draft"], "revision": draft["revision"]}
    made = post("/organizations/{finance-1}/records/submit", fields)
    page = client.get(made.location).text
    assert "现场.jpg" in page
    assert "现场图片" in page


def test_without_scripts_one_comes_back_to_the_draft(person, draft):
    client, post = person("secretary")
    answer = post(draft["files"], {**upload(), "next": draft["address"]})
    assert answer.location == draft["address"]
    assert "已添加 1 个文件" in client.get(draft["address"]).text


@pytest.mark.parametrize(
    ("content", "name"), [(b"<html><script>x</script>", "a.jpg"), (b"MZ", "a.exe"), (b"x", "a.pdf")]
)
def test_what_is_not_what_its_name_says_is_refused(person, draft, content, name):
    _client, post = person("secretary")
    answer = post(draft["files"], upload(content, name), headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json["files"] == []
    assert name in answer.json["refused"][0]


def test_a_file_can_be_taken_off(person, draft):
    client, post = person("secretary")
    answer = post(draft["files"], upload(), headers={"Accept": "application/json"})
    (file,) = answer.json["files"]
    assert post(file["remove"], {"next": draft["address"]}).location == draft["address"]
    assert client.get(file["address"]).status_code == 404


def test_files_of_others_are_not_there(person, draft, sign_in, create_office):
    _client, post = person("secretary")
    answer = post(draft["files"], upload(), headers={"Accept": "application/json"})
    (file,) = answer.json["files"]
    stranger = sign_in("secretary", create_office())
    for client in (stranger, person("auditor")[0], person("committee")[0]):
        assert client.get(file["address"]).status_code == 404
    for name in ("auditor", "committee"):
        _client, post = person(name)
        assert post(file["remove"]).status_code in {403, 404}
        assert post(draft["files"], upload()).status_code in {403, 404}


def test_a_record_gains_a_file_and_a_version(person, filed):
    client, post = person("secretary")
    fields = {"kinds": "theme_day", "held_on": AS_OF.isoformat()}
    made = post("/organizations/{finance-1}/records/submit", fields).location
    answer = post(f"{made}/files", {**upload(), "next": made})
    assert answer.location == made
    page = client.get(made).text
    assert "现场.jpg" in page
    assert 'id="history"' in page


def test_what_a_meeting_left_to_do_is_noted_and_done(person, filed):
    client, post = person("secretary")
    fields = {"kinds": "branch_assembly", "held_on": AS_OF.isoformat()}
    made = post("/organizations/{finance-1}/records/submit", fields).location
    refused = post(f"{made}/follow-ups", {"what": "", "who": ""})
    assert refused.status_code == 422
    post(f"{made}/follow-ups", {"what": "修好活动室的灯", "who": "党员2"})
    page = client.get(made).text
    assert "修好活动室的灯" in page
    (number,) = re.findall(r"/follow-ups/(\d+)", page)
    post(f"{made}/follow-ups/{number}", {"do": "finish"})
    assert "<s>修好活动室的灯</s>" in client.get(made).text
    assert "修好" not in person("committee")[0].get(made).text
