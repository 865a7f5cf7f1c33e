"""How many questions of the database a page asks: few, and no more as the data grows."""

import re
from datetime import date

import pytest

from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.scoring.operations import drain

TODAY = date(2021, 11, 10)
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

#: Pages, and the most that each may ask; four of these are for whoever visits.
PAGES = {
    "/organizations/{finance-1}/workbench": 21,
    "/organizations/{finance-1}": 19,
    "/organizations/{root}/overview": 15,
    "/organizations/{root}/heat": 14,
    "/organizations/{root}/breakdown": 12,
    "/organizations/{finance-1}/records": 11,
}
#: From the form that was sent to the answer, in one transaction.
SAVING = 36


@pytest.fixture(scope="module")
def growing(create_office):
    """An office in which the data grows."""
    return create_office(recorded=True)


@pytest.fixture
def grow(app, engine, growing):
    """Add so many branches, members and records, and have all judged."""

    def grow(number):
        branches = [f"grown-{number}-{at}" for at in range(number)]
        facts = {
            "organizations": [
                {"id": code, "name": code, "kind": "branch", "parent": "finance"}
                for code in branches
            ],
            "members": [
                {
                    "id": f"{number}-{at}",
                    "organization": "finance-1",
                    "membership_class": "full",
                    "from_on": date(2019, 1, 1),
                }
                for at in range(number)
            ],
            "occasions": [
                {
                    "id": f"held-{number}-{at}",
                    "organization": "finance-1" if at % 2 else branches[0],
                    "kinds": ["party_lecture"],
                    "held_on": date(2021, 9, 1 + at % 28),
                }
                for at in range(4 * number)
            ],
        }
        with tenant_scope(growing.tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, Actor("test"), facts)
        packs = app.extensions["guiju_plugins"].packs
        drain(engine, packs, growing.tenant.tenant_id, TODAY, reason="test")

    return grow


def test_pages_ask_little_and_no_more_as_the_data_grows(sign_in, growing, grow, statements):
    department = sign_in("department", growing)

    def asked():
        found = {}
        for page in PAGES:
            address = page.format(**growing.units)
            department.get(address)
            found[page] = statements(lambda address=address: department.get(address))
        return found

    grow(3)
    before = asked()
    assert {page: number for page, number in before.items() if number > PAGES[page]} == {}
    grow(40)
    assert asked() == before


def test_saving_a_record_asks_little(sign_in, growing, statements):
    secretary = sign_in("secretary", growing)
    page = f"/organizations/{growing.units['finance-1']}/records"

    def save(day):
        token = TOKEN.search(secretary.get(f"{page}/new").text)[1]
        fields = {
            "csrf_token": token,
            "kinds": "theme_day",
            "held_on": f"2021-11-{day:02}",
            "place": "会议室",
            "att-finance-1-1": "present",
            "att-finance-1-2": "excused",
        }
        return statements(lambda: secretary.post(f"{page}/submit", data=fields), status=302)

    save(2)
    assert save(3) <= SAVING
