"""The tree, read and changed by programs."""

import pytest


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


def test_everybody_sees_their_part_of_the_tree(caller, office):
    everything = ids(caller(office, "department").get("/organizations"))
    assert sorted(everything) == [
        "finance",
        "finance-1",
        "finance-2",
        "justice",
        "justice-1",
        "root",
    ]
    # Superiors come first, and what is below one stands together.
    assert everything[0] == "root"
    assert set(everything[everything.index("justice") :][:2]) == {"justice", "justice-1"}
    committee = ids(caller(office, "committee").get("/organizations"))
    assert (committee[0], sorted(committee[1:])) == ("finance", ["finance-1", "finance-2"])
    assert ids(caller(office, "secretary").get("/organizations")) == ["finance-1"]
    assert caller(office, "auditor").get("/organizations").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("within=justice", ["justice", "justice-1"]),
        ("parent=finance", ["finance-1", "finance-2"]),
        ("kind=committee", ["finance", "justice"]),
        ("kind=committee&sort=-id", ["justice", "finance"]),
        ("name=司法局第一", ["justice-1"]),
        ("name=%25", []),
        ("sector=agency&within=finance-1", ["finance-1"]),
    ],
)
def test_filters(administrator, query, found):
    # Units with one superior stand in no order that anybody could name.
    ordered = list if "sort" in query or "within" in query else sorted
    assert ordered(ids(administrator.get(f"/organizations?{query}"))) == found


def test_pages_follow_each_other(administrator):
    everything = ids(administrator.get("/organizations"))
    found, query = [], "limit=2"
    while query is not None:
        answer = administrator.get(f"/organizations?{query}")
        found += ids(answer)
        cursor = answer.json["next"]
        assert (cursor is None) == ("Link" not in answer.headers)
        query = None if cursor is None else f"limit=2&cursor={cursor}"
    assert found == everything


def test_a_cursor_is_good_for_its_own_list_alone(administrator, caller, office, judged):
    cursor = administrator.get("/organizations?limit=1").json["next"]
    for other in (
        administrator.get(f"/organizations?limit=1&sort=-path&cursor={cursor}"),
        administrator.get(f"/organizations?limit=1&cursor={cursor}x"),
        caller(office, "committee").get(f"/organizations?limit=1&cursor={cursor}"),
        caller(judged, "department").get(f"/organizations?limit=1&cursor={cursor}"),
    ):
        assert other.status_code == 422
        assert other.json["errors"][0]["parameter"] == "cursor"
        assert other.json["errors"][0]["code"] == "cursor"


def test_superiors_that_are_not_ones_own_are_not_named(caller, office):
    assert caller(office, "secretary").get("/organizations/finance-1").json["parent"] is None
    assert caller(office, "committee").get("/organizations/finance-1").json["parent"] == "finance"


def test_reading_again_what_has_not_changed(administrator):
    first = administrator.get("/organizations/finance")
    again = administrator.get(
        "/organizations/finance", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("address", ["none", "justice", "justice-1", "a/b", "a//b", "%20"])
def test_what_is_not_ones_own_is_not_there(caller, office, address):
    answer = caller(office, "committee").get(f"/organizations/{address}")
    assert answer.status_code == 404
    assert answer.json.keys() == {"type", "title", "status", "request_id"}


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("limit=0", "limit", "range"),
        ("limit=201", "limit", "range"),
        ("limit=many", "limit", "type"),
        ("sort=tenant_id", "sort", "choice"),
        ("kind=party", "kind", "choice"),
        ("colour=red", "colour", "unknown"),
        ("on=2021-02-30", "on", "type"),
    ],
)
def test_faults_of_parameters_are_named(administrator, query, parameter, code):
    answer = administrator.get(f"/organizations?{query}")
    assert answer.status_code == 422
    (error,) = answer.json["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)
    assert any("一" <= letter <= "鿿" for letter in error["detail"])
