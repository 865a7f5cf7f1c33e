"""What each visitor sees of an office whose year is judged, and what looks as if it were not."""

import re
from datetime import UTC, date, datetime
from functools import cache

import pytest
import sqlalchemy as sa
from flask import render_template

from guiju.activities.models import Occasion
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope
from guiju.scoring.results import Progress, Standing

AS_OF = date(2021, 11, 10)


@pytest.fixture(scope="module")
def visit(sign_in, judged):
    """The page at an address, ``{code}`` in it being the number of a unit, for a user."""
    client = cache(lambda name: sign_in(name, judged))

    def visit(name, address, **options):
        return client(name).get(address.format(**judged.units), **options)

    return visit


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("department", "/organizations/{root}/overview"),
        ("committee", "/organizations/{finance}/overview"),
        ("secretary", "/organizations/{finance-1}/workbench"),
    ],
)
def test_everybody_comes_to_their_own(visit, judged, name, target):
    assert visit(name, "/").location == target.format(**judged.units)


OF_A_UNIT = [
    "/organizations/{0}",
    "/organizations/{0}/workbench",
    "/organizations/{0}/overview",
    "/organizations/{0}/attention",
    "/organizations/{0}/reports",
    "/organizations/{0}/reports/list",
    "/organizations/{0}/findings/xian.theme_day.monthly?period=2021-03",
    "/organizations/{0}/cells/xian.theme_day.five?year=2021",
]


@pytest.mark.parametrize("address", OF_A_UNIT)
class TestUnits:
    def test_show_to_who_is_above_them(self, visit, address):
        for name, unit in (
            ("department", "{finance-1}"),
            ("committee", "{finance-1}"),
            ("secretary", "{finance-1}"),
        ):
            assert visit(name, address.format(unit)).status_code == 200

    def test_of_others_are_as_if_they_were_not_there(self, visit, address, create_office):
        other = create_office()
        absent = plain(visit("committee", address.format("987654321")))
        for unit in ("{justice}", "{justice-1}", "{root}", str(other.units["finance"])):
            answer = visit("committee", address.format(unit))
            assert answer.status_code == 404
            assert plain(answer) == absent

    def test_have_no_impossible_numbers(self, visit, address):
        for number in ("0", "99999999999999999999", "-1"):
            assert visit("department", address.format(number)).status_code == 404


def plain(answer) -> str:
    """The page without what differs each time, and without its own address."""
    text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)
    return re.sub(r'name="next" value="[^"]+"', "", text)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/organizations/{root}/overview?year=99999", 200),
        ("/organizations/{root}/overview?year=last", 200),
        ("/organizations/{root}/overview?units=no&rules=such", 200),
        ("/organizations/{finance-1}?show=nothing&year=1066", 200),
        ("/organizations/{root}/attention?cursor=bm90aGluZw", 404),
        ("/organizations/{root}/attention?cursor=%FF", 404),
        ("/organizations/{root}/attention?verdict=no&sort=such&due_until=day", 200),
        ("/organizations/{root}/attention?requirement=no.such.thing", 200),
        ("/organizations/{finance-1}/findings/no.such.thing", 404),
        ("/organizations/{finance-1}/findings/xian.theme_day.monthly?period=soon", 404),
        ("/organizations/{root}/findings/xian.theme_day.monthly?subject_type=x&subject=y", 404),
        ("/organizations/{finance-1}/cells/xian.theme_day.five?period=soon", 404),
        ("/search?q=%00", 400),
        ("/library/no-such-notice", 404),
        ("/library/xian?variant=no&strictness=such&automation=thing&q=%25", 200),
        ("/reports/1/file", 404),
    ],
)  # fmt: skip
def test_odd_addresses_are_answered(visit, address, status):
    assert visit("department", address).status_code == status


def test_the_overview_leads_to_what_its_numbers_count(visit, judged):
    page = visit("department", "/organizations/{root}/overview?rules=subject")
    link = re.search(
        r'href="([^"]+attention[^"]+requirement=xian.theme_day.monthly[^"]+)"', page.text
    )
    assert link is not None
    address = link[1].replace("&amp;", "&")
    listed = visit("department", address)
    assert "主题党日每月一次" in listed.text
    assert "市财政局第二党支部" in listed.text
    assert "市司法局第一党支部" not in listed.text.partition("<tbody>")[2]


def test_the_list_is_turned_page_by_page(visit, monkeypatch):
    monkeypatch.setattr("guiju.web.pages.attention._PAGE", 5)
    address, seen = "/organizations/{root}/attention?sort=unit", []
    while address:
        page = visit("department", address).text
        seen += re.findall(r'<th scope="row" class="what"><a href="([^"]+)"', page)
        found = re.search(r'href="([^"]+cursor=[^"]+)">下一页', page)
        address = found[1].replace("&amp;", "&") if found else None
    assert len(seen) == len(set(seen)) > 50


class TestSingleMembers:
    CELL = "/organizations/{finance-1}/cells/xian.dues.base_annual?period=2021"

    def test_are_not_named_unless_asked(self, visit):
        for name in ("department", "secretary"):
            page = visit(name, self.CELL).text
            assert "查看名单" in page
            assert "subject_type=member" not in page

    def test_are_named_to_who_keeps_the_records_and_that_is_recorded(self, visit, engine, judged):
        page = visit("secretary", self.CELL + "&names=1").text
        finding = re.search(r'href="([^"]+subject_type=member[^"]+)"', page)
        assert finding is not None
        assert "党员1" in page
        explained = visit("secretary", finding[1].replace("&amp;", "&"))
        assert explained.status_code == 200
        with tenant_scope(judged.tenant.tenant_id), ScopedSession(engine) as session:
            entries = session.scalars(
                sa.select(AuditEntry).where(AuditEntry.action == "restricted.read")
            ).all()
        assert {(entry.actor, entry.after["reason"]) for entry in entries} >= {
            ("secretary", "finance-1 xian.dues.base_annual")
        }

    def test_are_not_there_for_who_only_reads(self, visit):
        assert "查看名单" not in visit("committee", self.CELL).text
        assert visit("committee", self.CELL + "&names=1").status_code == 404
        member = "/organizations/{finance-1}/findings/xian.dues.base_annual?period=2021"
        answer = visit("committee", member + "&subject_type=member&subject=finance-1-1")
        assert answer.status_code == 404


def test_how_fresh_the_findings_are(visit):
    page = visit("department", "/organizations/{root}/overview").text
    assert "2021年11月10日的情况" in page
    assert "没有等待计入的改动" in page
    assert 'hx-trigger="every' not in page
    part = visit("department", "/standing?seen=2021-01-01T00:00:00", headers={"HX-Request": "1"})
    assert "有新的评定结果" in part.text


OF_FINDINGS = [
    "/organizations/{root}/overview",
    "/organizations/{root}/heat",
    "/organizations/{root}/compare",
    "/organizations/{root}/breakdown",
    "/organizations/{root}/attention",
    "/organizations/{root}/desk",
    "/organizations/{root}/desk/matters",
    "/organizations/{root}/tasks",
    "/organizations/{finance-1}",
    "/organizations/{finance-1}/workbench",
    "/organizations/{finance-1}/findings/xian.theme_day.monthly?period=2021-03",
    "/organizations/{finance-1}/cells/xian.dues.base_annual?period=2021",
    "/records/{record}",
]


@pytest.mark.parametrize("address", OF_FINDINGS)
def test_every_page_of_findings_says_how_fresh_they_are(visit, judged, engine, address):
    with tenant_scope(judged.tenant.tenant_id), ScopedSession(engine) as session:
        known = sa.select(Occasion.id).where(Occasion.code == "finance-1-theme_day-3")
        record = session.scalars(known).one()
    page = visit("department", address.replace("{record}", str(record)))
    assert page.status_code == 200
    (line,) = re.findall(r'id="standing"[^>]*>(.*?)</div>', page.text, re.DOTALL)
    assert re.search("2021年11月10日的情况，.+评定", line)
    assert "没有等待计入的改动" in line


def test_what_is_opened_beside_a_page_leaves_that_to_the_page(visit):
    for address in OF_FINDINGS[-3:-1]:
        part = visit("department", address, headers={"HX-Request": "true"})
        assert part.status_code == 200
        assert 'id="standing"' not in part.text


def test_changes_that_wait_are_counted_and_asked_after(sign_in, office):
    page = sign_in("department").get(f"/organizations/{office.units['root']}/overview").text
    assert "尚未评定" in page
    assert 'hx-trigger="every' in page


def test_an_overview_takes_as_many_queries_for_a_large_part_as_for_a_small(statements, visit):
    at = [f"/organizations/{{{unit}}}/overview" for unit in ("root", "finance", "justice")]
    visit("department", at[0])
    counted = [statements(lambda address=address: visit("department", address)) for address in at]
    assert len(set(counted)) == 1, counted


@pytest.mark.parametrize(
    ("stage", "done", "text"),
    [
        ("waiting", 0, "等待评定"),
        ("judging", 1500, "正在评定 1,500 / 20,000"),
        ("totals", 20_000, "正在汇总"),
        ("failed", 40, "上次评定没有完成"),
    ],
)
def test_how_far_scoring_is(app, stage, done, text):
    moment = datetime(2021, 11, 10, 1, 12, tzinfo=UTC)
    progress = Progress(stage, 20_000, done, AS_OF, moment, None)
    fresh = Standing(AS_OF, moment, 0, progress)
    with app.test_request_context("/"):
        line = render_template("parts/standing.html", standing=fresh, seen="")
    assert text in line
    assert "2021年11月10日 09:12评定" in line
    assert ('hx-trigger="every 2s"' in line) == (stage != "failed")
