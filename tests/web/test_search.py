"""The search box: units, people and records of one's own part, and of nobody else's."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from guiju.activities.operations import store_facts
from guiju.activities.search_words import span
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope

HELD = {"finance-1": "小会议室", "justice-1": "司法局会议室"}


@pytest.fixture(scope="module")
def planted(create_office, engine):
    """An office with a planting day in two branches, and a member of each with a name."""
    found = create_office(recorded=True)
    facts = {
        "occasions": [
            {
                "id": f"{unit}-planting",
                "organization": unit,
                "kinds": ["theme_day", "party_lecture"],
                "held_on": date(2021, 3, 12),
                "theme": "义务植树",
                "place": place,
            }
            for unit, place in HELD.items()
        ],
        "members": [
            {
                "id": f"{unit}-w",
                "name": name,
                "organization": unit,
                "membership_class": "full",
                "from_on": date(2020, 1, 1),
                "until_on": until,
            }
            for unit, name, until in (
                ("finance-1", "欧阳小满", None),
                ("justice-1", "欧阳谷雨", date(2021, 5, 1)),
            )
        ],
    }
    with tenant_scope(found.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, Actor("test"), facts)
    return found


@pytest.fixture(scope="module")
def looked_for(sign_in, planted):
    """The page of what somebody finds."""
    clients = {}

    def looked_for(name, text, **more):
        client = clients.setdefault(name, sign_in(name, planted))
        answer = client.get("/search", query_string={"q": text, **more})
        assert answer.status_code == 200
        return answer.text.partition('<main class="page"')[2]

    return looked_for


def found(page):
    """The titles of what a page lists."""
    return re.findall(r'<li>\s*<a href="[^"]+">([^<]+)</a>', page)


class TestUnits:
    def test_are_found_by_any_part_of_the_name_and_by_code(self, looked_for):
        finance, justice = "市财政局第一党支部", "市司法局第一党支部"
        assert set(found(looked_for("department", "第一党支部"))) == {finance, justice}
        assert found(looked_for("department", "财政 第一")) == [finance]
        assert found(looked_for("department", "justice-1"))[:1] == [justice]

    def test_of_others_are_not_found(self, looked_for):
        assert found(looked_for("committee", "第一党支部")) == ["市财政局第一党支部"]
        assert "没有找到" in looked_for("secretary", "第二党支部")

    def test_are_not_found_by_patterns(self, looked_for):
        for pattern in ("%", "_", "市%局", ".*"):
            assert "没有找到" in looked_for("department", pattern)


class TestPeople:
    def test_are_found_by_any_part_of_the_name_and_by_code(self, looked_for):
        assert found(looked_for("secretary", "小满")) == ["欧阳小满"]
        assert found(looked_for("secretary", "finance-1-w")) == ["欧阳小满"]

    def test_who_left_come_last_and_with_the_day(self, looked_for):
        page = looked_for("department", "欧阳")
        assert found(page) == ["欧阳小满", "欧阳谷雨"]
        assert "至 2021年5月1日" in page
        address = re.search(r'href="([^"]+ended=1[^"]*)"', page)[1]
        assert "justice-1-w" in address

    def test_of_others_are_not_found(self, looked_for):
        assert "没有找到" in looked_for("secretary", "谷雨")

    def test_are_not_found_by_who_may_not_see_them(self, looked_for):
        page = looked_for("committee", "欧阳")
        assert "没有找到" in page
        assert "没有找到" in looked_for("committee", "finance-1-w")

    def test_finding_somebody_is_written_down(self, looked_for, engine, planted):
        def read():
            with tenant_scope(planted.tenant.tenant_id), ScopedSession(engine) as session:
                entries = session.scalars(
                    sa.select(AuditEntry).where(AuditEntry.action == "restricted.read")
                ).all()
                return [(entry.actor, entry.after["reason"]) for entry in entries]

        before = len(read())
        looked_for("secretary", "没有这个人")
        assert len(read()) == before
        looked_for("secretary", "满")
        assert read()[before:] == [("secretary", "“满”：finance-1")]


class TestRecords:
    @pytest.mark.parametrize(
        "text",
        [
            "植树",
            "小会议室",
            "finance-1-planting",
            "主题党日 植树",
            "植树 2021-03-12",
            "党课 2021年3月",
            "2021/3/12",
        ],
    )
    def test_are_found_by_what_is_known_of_them(self, looked_for, text):
        page = looked_for("secretary", text)
        assert [title for title in found(page) if title.endswith("：义务植树")]

    def test_every_word_is_to_be_found(self, looked_for):
        assert "没有找到" in looked_for("secretary", "植树 2020")
        assert "没有找到" in looked_for("secretary", "植树 支委会")

    def test_of_others_are_not_found(self, looked_for):
        assert len(found(looked_for("department", "植树"))) == 2
        assert len(found(looked_for("committee", "植树"))) == 1
        assert "没有找到" in looked_for("secretary", "司法局会议室")
        assert "没有找到" in looked_for("secretary", "justice-1-planting")


def test_other_tenants_have_nothing_to_find(looked_for, sign_in, create_office):
    elsewhere = sign_in("department", create_office())
    for text in ("植树", "欧阳", "小会议室", "2021"):
        page = elsewhere.get("/search", query_string={"q": text}).text
        assert "没有找到" in page


def test_more_of_a_group_is_a_page_of_its_own(looked_for):
    page = looked_for("secretary", "2021")
    assert len(found(page)) == 8
    assert "in=records" in page
    assert len(found(looked_for("secretary", "2021", **{"in": "records"}))) == 24
    assert "没有找到" in looked_for("secretary", "2021", **{"in": "units"})


def test_every_page_has_the_box(sign_in, planted):
    for name in ("department", "committee", "secretary"):
        page = sign_in(name, planted).get("/", follow_redirects=True).text
        assert re.search(r'<form class="find" method="get" action="/search"', page)


@pytest.mark.parametrize(
    ("word", "days"),
    [
        ("2021", (date(2021, 1, 1), date(2021, 12, 31))),
        ("2021年", (date(2021, 1, 1), date(2021, 12, 31))),
        ("2020-02", (date(2020, 2, 1), date(2020, 2, 29))),
        ("2021年10月", (date(2021, 10, 1), date(2021, 10, 31))),
        ("2021年10月8日", (date(2021, 10, 8), date(2021, 10, 8))),
        ("2021.10.8", (date(2021, 10, 8), date(2021, 10, 8))),
        ("2021-13", None),
        ("2021-02-30", None),
        ("0000", None),
        ("10月", None),
        ("植树", None),
    ],
)
def test_words_that_are_days(word, days):
    assert span(word) == days
