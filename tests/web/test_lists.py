"""Every list: sorted and filtered by its address, printed, and taken along as a file."""

import csv
import io
import re
from datetime import UTC, date, datetime

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope
from guiju.web.lists import Column, Listing

#: Pages with lists, who looks at them, the orders they know, and a filter that changes them.
LISTS = {
    "records.listing": ("department", ("date", "recorded", "unit"), "kind=theme_day"),
    "members.page": ("department", ("name", "code", "class", "from"), "q=党员3"),
    "attention.page": ("department", ("due", "unit", "requirement"), "verdict=not_met"),
    "desk.page": ("department", ("due", "unit", "requirement"), "verdict=deviation"),
    "desk.made": ("department", ("made", "unit", "requirement", "period"), "waiting=1"),
    "tasks.page": ("department", ("made", "due", "unit", "state"), "kind=remind"),
    "months.listing": ("department", ("unit", "overdue", "open"), "q=财政局第一"),
    "reviews.page": ("department", ("unit", "date", "kind", "submitted"), "q=x"),
    "review_levels.page": ("department", ("unit", "levels", "days"), "q=x"),
    "reports.page": ("department", ("title", "as_of", "who", "asked", "state"), "q=x"),
    "imports.page": ("department", ("name", "made", "who", "new", "changed"), "q=x"),
    "jobs.index": ("department", ("title", "unit", "who", "asked", "state"), "q=x"),
    "people.index": ("department", ("name", "username", "last_sign_in", "created"), "q=sec"),
    "overview.page": ("department", (), "year=2020"),
    "organization.page": ("department", (), "show=open"),
    "entries.page": ("department", ("held_on", "person", "mode"), "q=x"),
    "heat.page": ("department", (), "subject=dues"),
    "heat.compare": ("department", (), ""),
    "heat.parts": ("department", (), "year=2020"),
}

#: Pages with a table that is no list of the tenant's, or is found by other means, and why.
OTHERS = {
    "audit.page": "exported in the background, since it may be long; always by time",
    "tree.page": "a tree; units are listed by search and by the overview",
    "own_tokens.page": "one's own tokens, a handful",
    "tenant_data.page": "the tenant's own exports, a handful",
    "permission_matrix.page": "a matrix, exported whole",
    "profiles.page": "what holds at one unit",
    "profiles.preview": "exported; what a change would do",
    "library.compare": "the notices' own texts",
    "library.notice": "the notices' own texts, as a workbook too",
}


@pytest.fixture(scope="module")
def visit(sign_in, judged):
    clients = {}

    def visit(endpoint, query=""):
        name = LISTS[endpoint][0]
        client = clients.setdefault(name, sign_in(name, judged))
        rules: list[Rule] = list(client.application.url_map.iter_rules(endpoint))
        rule = next(rule for rule in rules if "GET" in (rule.methods or ()))
        place = rule.rule.replace("<number:organization_id>", str(judged.units["root"]))
        place = place.replace("<table>", "talks")
        if endpoint in {"members.page", "records.listing"}:
            place = place.replace(str(judged.units["root"]), str(judged.units["finance-1"]))
        return client.get(f"{place}?{query}")

    return visit


EACH = pytest.mark.parametrize("endpoint", list(LISTS))


@EACH
class TestEveryList:
    def test_is_sorted_by_its_address(self, visit, endpoint):
        for key in LISTS[endpoint][1]:
            for order in (key, f"-{key}"):
                assert visit(endpoint, f"sort={order}").status_code == 200

    def test_leaves_out_an_order_that_it_does_not_know(self, visit, endpoint):
        usual = main_part(visit(endpoint))
        for wrong in ("nothing", "-", "--date", "name;DROP TABLE people", "1,(SELECT 1)"):
            answer = visit(endpoint, f"sort={wrong}")
            assert answer.status_code == 200
            assert rows(main_part(answer)) == rows(usual)

    def test_is_filtered_by_its_address(self, visit, endpoint):
        assert visit(endpoint, LISTS[endpoint][2]).status_code == 200

    def test_is_printed_and_taken_along(self, visit, endpoint):
        page = main_part(visit(endpoint))
        if "format=xlsx" not in page:
            # Nothing to take along.
            assert 'class="empty"' in page
        else:
            assert "data-print" in page
            assert "format=csv" in page

    def test_is_a_workbook_and_a_text_file_and_it_is_written_down(
        self, visit, endpoint, engine, judged
    ):
        before = exports(engine, judged)
        book = visit(endpoint, "format=xlsx")
        assert book.status_code == 200
        sheet = openpyxl.load_workbook(io.BytesIO(book.data)).active
        text = visit(endpoint, "format=csv")
        lines = list(csv.reader(io.StringIO(text.data.decode("utf-8-sig"))))
        assert [cell.value for cell in sheet[1]] == lines[0]
        assert sheet.max_row == len(lines)
        for file, ending in ((book, ".xlsx"), (text, ".csv")):
            name = file.headers["Content-Disposition"]
            # Servers refuse a header of anything but plain characters.
            assert name.isascii()
            assert name.endswith(ending)
        assert exports(engine, judged) == before + 2


def main_part(answer):
    assert answer.status_code == 200
    return answer.text.partition('<main class="page"')[2]


def rows(page):
    """The links of the page's tables, in their order."""
    return re.findall(r'<t[hd][^>]*>\s*<a href="([^"?]+)', page.partition("<tbody>")[2])


def exports(engine, office):
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        return session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "list.export"))


def test_every_page_with_a_table_is_known_here(app, sign_in, judged):
    """Whoever adds a list makes it like the others, or says above why not."""
    client, found = sign_in("department", judged), set()
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments - {"organization_id"}:
            continue
        if rule.rule.startswith("/api/") or rule.endpoint in {"static", "sign_in.sign_out"}:
            continue
        address = rule.rule.replace("<number:organization_id>", str(judged.units["root"]))
        answer = client.get(address)
        page = answer.text.partition('<main class="page"')[2] if not answer.is_streamed else ""
        if '<table class="data' in page:
            found.add(rule.endpoint)
    assert found - set(LISTS) - set(OTHERS) == set()


def test_an_order_turns_round(visit):
    forwards = rows(main_part(visit("people.index", "sort=username")))
    backwards = rows(main_part(visit("people.index", "sort=-username")))
    assert forwards == backwards[::-1]
    assert len(forwards) >= 4
    assert 'aria-sort="descending"' in visit("people.index", "sort=-username").text


def test_records_come_in_any_order_without_gaps(visit, monkeypatch):
    monkeypatch.setattr("guiju.web.pages.records._PAGE", 4)
    found = {}
    for order in ("date", "-date", "recorded", "-recorded", "unit", "-unit"):
        query, seen = f"below=1&sort={order}", []
        while query is not None:
            page = main_part(visit("records.listing", query))
            seen += re.findall(r'href="(/records/\d+)"', page)
            following = re.search(r'rel="next" href="[^"?]+\?([^"]+)"', page)
            query = following and following[1].replace("&amp;", "&")
        found[order] = seen
    assert len(set(found["date"])) == len(found["date"]) > 20
    assert found["date"] == found["-date"][::-1]
    assert all(set(seen) == set(found["date"]) for seen in found.values())


def test_a_page_of_another_order_is_not_found(visit):
    assert visit("records.listing", "sort=recorded&cursor=1.2021-01-01.").status_code == 404


def test_files_hold_only_ones_own_part(sign_in, judged):
    committee = sign_in("committee", judged)
    for name in ("records", "attention", "overview"):
        for unit in ("justice", "justice-1", "root"):
            address = f"/organizations/{judged.units[unit]}/{name}?format=csv"
            assert committee.get(address).status_code == 404
    text = committee.get(
        f"/organizations/{judged.units['finance']}/records?format=csv&below=1"
    ).data.decode("utf-8-sig")
    assert "市财政局第一党支部" in text
    assert "司法" not in text
    members = committee.get(
        f"/organizations/{judged.units['finance-1']}/members?format=csv&sort=name"
    ).data.decode("utf-8-sig")
    assert "党员1" not in members
    assert "finance-1-1" not in members


class TestListing:
    """The helper for lists that are read whole."""

    COLUMNS = (
        Column("name", "名称", lambda row: row[0]),
        Column("day", "日期", lambda row: row[1]),
        Column("at", "时刻", lambda row: row[2]),
    )
    ROWS = (
        ("丙", date(2021, 3, 1), None),
        ("甲", None, datetime(2021, 1, 1, tzinfo=UTC)),
        ("乙", date(2021, 1, 1), datetime(2021, 1, 2, tzinfo=UTC)),
    )

    def names(self, app: Flask, query: str) -> list[str]:
        with app.test_request_context(f"/?{query}"):
            return [row[0] for row in Listing(self.COLUMNS, "name", self.ROWS).rows]

    def test_sorts_and_leaves_what_has_no_value_to_the_end(self, app):
        assert self.names(app, "sort=day") == ["乙", "丙", "甲"]
        assert self.names(app, "sort=-day") == ["丙", "乙", "甲"]
        assert self.names(app, "sort=-at") == ["乙", "甲", "丙"]

    def test_filters_by_any_column(self, app):
        assert self.names(app, "q=乙") == ["乙"]
        assert self.names(app, "q=2021-03") == ["丙"]
        assert self.names(app, "q=没有") == []
