"""Occasions from the draft to the archive, as programs record them."""

import pytest

NEW = {
    "organization": "finance-1",
    "kinds": ["theme_day"],
    "held_on": "2021-11-01",
    "attendance": [{"person": "finance-1-1", "status": "present"}],
    "agenda": [{"item": "1", "topic": "study"}],
}


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


def made(asking, **changes) -> tuple[str, str]:
    """A new record: its address and tag."""
    answer = asking.post("/occasions", {**NEW, **changes})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"], answer.headers["ETag"]


def test_the_latest_come_first(secretary):
    answer = secretary.get("/occasions?limit=200")
    assert answer.status_code == 200, answer.text
    days = [item["held_on"] for item in answer.json["items"]]
    assert days == sorted(days, reverse=True)
    assert {item["organization"] for item in answer.json["items"]} == {"finance-1"}
    assert {item["state"] for item in answer.json["items"]} >= {"recorded"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("within=finance-2&period=2021-Q1&kind=branch_assembly", ["finance-2-assembly-2"]),
        (
            "within=finance-1&since=2021-10-01&until=2021-10-31&kind=theme_day",
            ["finance-1-theme_day-10"],
        ),
        ("within=finance&own=true", []),
        ("state=returned", []),
    ],
)
def test_filters(department, query, expected):
    answer = department.get(f"/occasions?{query}")
    assert [item["id"] for item in answer.json["items"]] == expected
    assert department.get("/occasions?kind=none").json["errors"][0]["parameter"] == "kind"


def test_pages(department):
    whole = department.get("/occasions?within=finance-2&limit=200").json["items"]
    found, query = [], "within=finance-2&limit=5"
    while query:
        answer = department.get(f"/occasions?{query}").json
        found += answer["items"]
        query = f"within=finance-2&limit=5&cursor={answer['next']}" if answer["next"] else ""
    assert found == whole


def test_a_record_is_made_read_and_corrected(secretary, department):
    address, tag = made(secretary)
    shown = secretary.get(address)
    assert shown.headers["ETag"] == tag
    assert shown.json["recorded"]["attendance"] == NEW["attendance"]
    corrected = {**NEW, "place": "三楼", "reason": "补充地点"}
    del corrected["organization"]
    unconditional = secretary("PUT", address, json=corrected)
    assert unconditional.status_code == 428
    answer = secretary("PUT", address, json=corrected, headers={"If-Match": tag})
    assert answer.status_code == 200, answer.text
    assert answer.json["recorded"]["place"] == "三楼"
    assert answer.json["revision"] == shown.json["revision"] + 1
    assert answer.headers["ETag"] != tag
    stale = department("PUT", address, json=corrected, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert secretary.get(address).json == answer.json
    numbers = [one["number"] for one in secretary.get(f"{address}/versions").json["items"]]
    assert numbers == [1, 2]


def test_a_record_is_declared_void(secretary):
    address, tag = made(secretary, held_on="2021-11-02")
    without = secretary("POST", f"{address}/void", json={}, headers={"If-Match": tag})
    assert without.json["errors"] == [
        {"pointer": "/reason", "code": "required", "detail": "不能缺少"}
    ]
    done = secretary("POST", f"{address}/void", json={"reason": "录错"}, headers={"If-Match": tag})
    assert done.json["state"] == "voided"


def test_who_may_not_see_people_sees_the_record_without_them(caller, year, secretary):
    address, _tag = made(secretary, held_on="2021-11-03")
    shown = caller(year, "committee").get(address).json
    assert not shown["people"]
    assert "attendance" not in shown["recorded"]
    assert shown["recorded"]["agenda"]


def test_the_same_key_makes_one_record(secretary):
    body, key = {**NEW, "held_on": "2021-11-04"}, {"Idempotency-Key": "once-more"}
    first = secretary.post("/occasions", body, headers=key)
    again = secretary.post("/occasions", body, headers=key)
    assert first.status_code == again.status_code == 201
    assert again.data == first.data
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    other = secretary.post("/occasions", {**body, "place": "别处"}, headers=key)
    assert other.status_code == 422
    assert other.json["errors"][0]["code"] == "reused"
    listed = secretary.get("/occasions?since=2021-11-04&until=2021-11-04").json["items"]
    assert len(listed) == 1


def test_a_key_is_free_again_after_an_error(secretary):
    key = {"Idempotency-Key": "second-try"}
    bad = secretary.post("/occasions", {**NEW, "held_on": "2999-01-01"}, headers=key)
    assert bad.status_code == 422
    good = secretary.post("/occasions", {**NEW, "held_on": "2021-11-05"}, headers=key)
    assert good.status_code == 201


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"organization": "finance-2"}, "/organization"),
        ({"organization": "none"}, "/organization"),
        ({"kinds": []}, "/kinds"),
        ({"held_on": "2021-02-30"}, "/held_on"),
        ({"colour": "red"}, "/colour"),
        ({"attendance": [{"person": "justice-1-1", "status": "present"}]}, "/attendance/0/person"),
        ({"attendance": [{"person": "nobody", "status": "present"}]}, "/attendance/0/person"),
        ({"attendance": [{"status": "asleep"}]}, "/attendance/0/status"),
        ({"agenda": {"item": "1"}}, "/agenda"),
        ({"place": "a\0b"}, "/place"),
        ({"place": "\ud800"}, "/place"),
        ({"place": "长" * 501}, "/place"),
    ],
)
def test_every_fault_has_its_place_and_nothing_is_recorded(secretary, changes, pointer):
    before = secretary.get("/occasions?limit=200").json
    answer = secretary.post("/occasions", {**NEW, **changes})
    assert answer.status_code == 422, answer.text
    assert pointer in {error["pointer"] for error in answer.json["errors"]}
    assert secretary.get("/occasions?limit=200").json == before


def test_leave_has_a_reason_in_few_words(secretary):
    row = {"person": "finance-1-2", "status": "excused", "leave_reason": "training"}
    made = secretary.post("/occasions", {**NEW, "attendance": [row]})
    assert made.status_code == 201, made.text
    assert secretary.get(made.headers["Location"]).json["recorded"]["attendance"] == [row]
    for told in ("感冒", "sick"):
        answer = secretary.post(
            "/occasions", {**NEW, "attendance": [{**row, "leave_reason": told}]}
        )
        assert answer.status_code == 422
        assert answer.json["errors"][0]["pointer"] == "/attendance/0/leave_reason"


def test_what_is_not_ones_own_is_as_unknown_as_what_is_not_there(secretary):
    def refused(value: str):
        answer = secretary.post("/occasions", {**NEW, "organization": value})
        return str(answer.json["errors"]).replace(value, "…")

    assert refused("justice-1") == refused("nothing")
    for address in ("/occasions/finance-2-theme_day-1", "/occasions/none"):
        assert secretary.get(address).status_code == 404
        answer = secretary("PUT", address, json=NEW | {"reason": "x"}, headers={"If-Match": '"x"'})
        assert answer.status_code in {404, 422}
