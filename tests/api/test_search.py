"""Search by programs: the same things, for the same people."""

from datetime import date

import pytest

from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope


@pytest.fixture(scope="module")
def searched(create_office, engine):
    office = create_office(recorded=True)
    facts = {
        "occasions": [
            {
                "id": "planting",
                "organization": "justice-1",
                "kinds": ["theme_day"],
                "held_on": date(2021, 3, 12),
                "theme": "义务植树",
            }
        ]
    }
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, Actor("test"), facts)
    return office


@pytest.fixture
def search(caller, searched):
    """What a program finds, as the user of a name."""

    def search(name, text, scopes=(), **more):
        answer = caller(searched, name, scopes).get("/search", query_string={"q": text, **more})
        assert answer.status_code == 200, answer.text
        return answer.json

    return search


def ids(found):
    return {group: [one["id"] for one in rows] for group, rows in found.items()}


def test_everything_of_ones_own_part_is_found(search):
    assert ids(search("department", "司法局"))["organizations"] == ["justice", "justice-1"]
    assert search("department", "植树 主题党日")["records"][0]["theme"] == "义务植树"
    person = search("department", "justice-1-3")["people"]
    assert [(one["name"], one["organization"]) for one in person] == [("党员3", "justice-1")]


def test_nothing_of_others_is_found(search):
    nothing = {"organizations": [], "people": [], "records": []}
    for text in ("司法局", "植树", "justice-1-3", "planting"):
        assert search("secretary", text) == nothing


def test_people_are_found_by_who_may_see_them(search):
    assert len(search("secretary", "党员")["people"]) == 8
    assert search("committee", "党员3")["people"] == []
    assert search("secretary", "党员", scopes=("organization.read",))["people"] == []
    assert search("secretary", "2021", scopes=("organization.read",))["records"] == []


def test_one_group_and_so_many_of_it(search):
    found = search("department", "2021", limit=3)
    assert len(found["records"]) == 3
    assert ids(search("department", "党支部", **{"in": "records"}))["organizations"] == []


@pytest.mark.parametrize("query", ["", "?q=", "?q=x&in=money", "?q=x&limit=51", f"?q={'x' * 101}"])
def test_other_questions_are_refused(caller, searched, query):
    assert caller(searched, "department").get(f"/search{query}").status_code == 422
