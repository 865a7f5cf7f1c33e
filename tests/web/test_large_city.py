"""A city of 20,000 branches and a branch of 3,000 members, on a desk and on a telephone.

What pages send and ask of the database does not grow with the city, and what somebody looks
for among so many is found.  How long pages take is for the benchmarks to say.
"""

from datetime import date

import pytest
from offices import ACTOR, AS_OF, Office
from playwright.sync_api import Response, expect
from serving import MOST_BYTES, Site, Visit, weight

from guiju.activities.operations import store_facts
from guiju.db import ScopedSession, tenant_scope
from guiju.scoring.operations import drain

COMMITTEES, BRANCHES, MEMBERS = 200, 20_000, 3_000


@pytest.fixture(scope="module")
def city_office(app, engine, create_office) -> Office:
    """An office above twenty thousand branches, each with a theme day; the year is judged."""
    office = create_office()
    committees = [
        {"id": f"committee-{n}", "name": f"第{n}机关党委", "kind": "committee", "parent": "root"}
        for n in range(1, COMMITTEES + 1)
    ]
    branches = [
        {
            "id": f"branch-{n}",
            "name": f"第{n}党支部",
            "kind": "branch",
            "sector": "agency",
            "parent": f"committee-{n % COMMITTEES + 1}",
        }
        for n in range(1, BRANCHES + 1)
    ]
    occasions = [
        {
            "id": f"theme-day-{n}",
            "organization": f"branch-{n}",
            "kinds": ["theme_day"],
            "held_on": date(2021, n % 10 + 1, 5),
        }
        for n in range(1, BRANCHES + 1)
    ]
    members = [
        {
            "id": f"member-{n}",
            "name": f"党员{n}号",
            "organization": "finance-1",
            "membership_class": "full",
            "from_on": date(2018, 1, 1),
        }
        for n in range(1, MEMBERS + 1)
    ]
    facts = {
        "organizations": [*committees, *branches],
        "occasions": occasions,
        "members": members,
    }
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, ACTOR, facts)
    packs = app.extensions["guiju_plugins"].packs
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    return office


@pytest.fixture(scope="module")
def site(address, city_office) -> Site:
    """The same, served."""
    return Site(address, city_office.users, city_office.units, None, None)


class Watched:
    """Somebody who looks at pages, each of which is sound and light."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.page = visit, visit.page
        self._heard: list[Response] = []
        visit.page.on("response", self._listen)

    def _listen(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._heard.clear()
        self._heard.append(response)

    def check(self) -> None:
        """The page as it stands: sound, not wider than the screen, and not too much of it.

        What axe says of a page it says where pages are short: of thousands of rows it takes
        minutes.
        """
        self.visit.settle()
        assert not self.visit.faults, self.visit.faults
        assert weight(self._heard) <= MOST_BYTES
        too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not self.page.evaluate(too_wide)

    def come(self, address: str) -> None:
        self.visit.go(address)
        self.check()


@pytest.fixture
def watched(visit) -> Watched:
    return Watched(visit)


def of(site: Site, unit: str, page: str) -> str:
    return f"/organizations/{site.units[unit]}/{page}"


def test_the_department_finds_its_way_among_twenty_thousand(watched):
    page, site = watched.page, watched.visit.site
    watched.visit.sign_in("department")
    watched.check()
    units = page.locator("#units")
    expect(units.locator(".note")).to_have_text("202 个")
    expect(units.locator("tbody tr")).to_have_count(24)
    # What begins the list is not what is looked for: on to the next of it, in its order.
    first = units.locator("tbody th").first.inner_text()
    units.get_by_role("link", name="下一页").click()
    expect(units).to_contain_text("第 25 至 48 个单位，共 202 个")
    assert units.locator("tbody th").first.inner_text() != first
    units.locator("tbody").get_by_role("link").first.click()
    expect(page.locator("#units .note")).to_have_text("100 个")
    watched.check()

    watched.come(of(site, "root", "heat"))
    expect(page.locator("table.heat thead th")).to_have_count(21)
    page.get_by_role("link", name="下一页").click()
    expect(page.get_by_role("navigation", name="分页")).to_contain_text("第 21 至 40 个单位")
    watched.check()

    watched.come(of(site, "root", "breakdown"))
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="党支部"))
    expect(row.locator(".number").first).to_have_text("20,003")

    watched.come(of(site, "root", "compare"))
    expect(page.locator("#units tbody tr")).to_have_count(20)

    watched.come(of(site, "root", "tree"))
    expect(page.locator("ul.tree > li")).to_have_count(202)
    page.locator("ul.tree > li").filter(has_text="第7机关党委").locator("summary").click()
    expect(page.get_by_role("link", name="第6党支部", exact=True)).to_be_visible()
    watched.check()


def test_the_department_finds_what_falls_short(watched):
    page, site = watched.page, watched.visit.site
    watched.visit.sign_in("department")
    watched.come(of(site, "root", "attention?requirement=xian.theme_day.monthly"))
    rows = page.locator("table.things tbody tr")
    expect(rows).to_have_count(50)
    seen = rows.locator(".unit").all_inner_texts()
    page.get_by_role("link", name="下一页").click()
    expect(page.get_by_role("link", name="回到第一页")).to_be_visible()
    expect(rows).to_have_count(50)
    assert not set(seen) & set(rows.locator(".unit").all_inner_texts())
    watched.check()

    watched.come("/search?q=第12345党支部")
    found = page.locator(".found-list li")
    expect(found).to_have_count(1)
    found.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("第12345党支部")
    watched.check()

    watched.come(of(site, "root", "records?below=1&month=2021-06"))
    expect(page.locator("table tbody tr").first).to_contain_text("2021年6月5日")


def test_a_meeting_of_three_thousand_is_recorded(watched):
    page, site = watched.page, watched.visit.site
    watched.visit.sign_in("department")
    watched.come(of(site, "finance-1", "records/new?kind=theme_day"))
    expect(page.locator("[data-expected]")).to_have_text("3000")
    # Thousands of names do not stand between the fields and what comes after them.
    height = page.evaluate("document.querySelector('[data-roster]').offsetHeight")
    assert height < 2 * page.viewport_size["height"]
    find, seats = page.locator("#roster-find"), page.locator(".seat:visible")
    for name, taps in (("党员2718号", 1), ("党员3000号", 2)):
        find.fill(name)
        expect(seats).to_have_count(1)
        for _ in range(taps):
            seats.locator("label").click()
    find.fill("无此人")
    expect(page.locator("[data-roster-none]")).to_be_visible()
    find.fill("")
    expect(page.locator(".roster-counts")).to_contain_text("请假 1")
    expect(page.locator(".roster-counts")).to_contain_text("无故缺席 1")
    page.locator('[name="held_on"]').fill("2021-11-05")
    page.get_by_role("button", name="提交").click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("应到 3000，实到 2998")
    watched.check()

    watched.come(of(site, "finance-1", "members"))
    expect(page.locator(".pager")).to_contain_text("共 3000 名")
    page.get_by_label("姓名或编号").fill("党员2718号")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("table tbody tr")).to_have_count(1)


#: What is asked about units with twenty thousand below them, or three thousand in them.
ASKED = [
    *(("root", page) for page in ("overview", "heat", "breakdown", "compare", "attention", "desk")),
    *(("root", page) for page in ("records?below=1", "tree", "workbench", "tasks")),
    *(("finance-1", page) for page in ("", "members", "records/new?kind=theme_day", "workbench")),
]


@pytest.mark.parametrize(("unit", "page"), ASKED)
def test_as_many_queries_as_for_a_small_office(
    statements, sign_in, judged, city_office, unit, page
):
    asked = []
    for office in (judged, city_office):
        client = sign_in("department", office)
        address = f"/organizations/{office.units[unit]}/{page}".rstrip("/")
        # The first finds out what is kept for the next.
        client.get(address)
        asked.append(statements(lambda c=client, a=address: c.get(a)))
    assert asked[0] == asked[1]
