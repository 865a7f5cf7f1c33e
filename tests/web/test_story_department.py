"""An official of the department: which branches fall short of what, why, and what was done."""

import csv
import io
import json
import re

import pytest

from guiju.scoring.heat import within_period
from guiju.scoring.numbering import RuleKey

THEME_DAY = "xian.theme_day.monthly"


@pytest.fixture(scope="module")
def department(sign_in, judged):
    return sign_in("department", judged)


def links(text):
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"#]+)"', text)]


def test_in_three_clicks(department, judged):
    """The front page, a requirement's number, a branch's finding: all that there is to know."""
    unit = judged.units["finance-2"]
    # Something has been done about it already.
    token = re.search(r'name="csrf_token" value="([^"]+)"', department.get("/notices").text)[1]
    done = {
        "csrf_token": token,
        "kind": "ask_reason",
        "item": json.dumps([unit, THEME_DAY, None, "2021-03"]),
    }
    department.post(f"/organizations/{judged.units['root']}/tasks", data=done)

    clicks = 0

    def click(page, wanted):
        nonlocal clicks
        clicks += 1
        address = next(address for address in links(page.text) if wanted(address))
        return department.get(address, follow_redirects=True)

    page = department.get("/", follow_redirects=True)
    page = click(page, lambda to: f"requirement={THEME_DAY}" in to and "verdict=not_met" in to)
    # Which branches, which months.
    assert "市财政局第二党支部" in page.text
    assert "市司法局第一党支部" not in page.text
    page = click(page, lambda to: f"/{unit}/findings/" in to and "period=2021-03" in to)
    # Why: the clause, what is asked, what there was.
    for text in ("不符合", "市组通字", "要求", "实际", "计入的记录"):
        assert text in page.text
    # What was done about it.
    assert "督办" in page.text
    assert "待答复" in page.text
    assert clicks <= 3


def test_what_every_unit_lacks_is_seen_at_once(department, judged):
    page = department.get(f"/organizations/{judged.units['root']}/heat")
    rows = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</tr>", page.text, re.DOTALL)
    [theme_day] = [row for row in rows if row.startswith("每月开展主题党日") or THEME_DAY in row]
    cells = re.findall(r'class="h-(\w+)"[^>]*>([^<]*)<', theme_day)
    # The county bureau that forgot three months, and the one that forgot none.
    assert cells[0][1].startswith("3/")
    assert cells[0][0] in {"1", "2", "3"}
    assert cells[1][0] == "0"
    where = f"/organizations/{judged.units['finance']}/attention?requirement={THEME_DAY}"
    assert where in links(theme_day)


def sums(department, judged, unit, period):
    page = department.get(
        f"/organizations/{judged.units[unit]}/heat?format=csv&all=1&period={period}"
    )
    rows = list(csv.reader(io.StringIO(page.data.decode("utf-8-sig"))))
    short = whole = 0
    for row in rows[1:]:
        for cell in row[2:]:
            if "/" in cell:
                a, b = cell.split("/")
                short, whole = short + int(a), whole + int(b)
    return short, whole


def test_the_year_is_its_halves_and_what_is_longer(department, judged):
    year = sums(department, judged, "root", "2021")
    halves = [sums(department, judged, "root", f"2021-H{half}") for half in (1, 2)]
    quarters = [sums(department, judged, "root", f"2021-Q{quarter}") for quarter in range(1, 5)]
    assert 0 < sum(whole for _, whole in quarters) <= sum(whole for _, whole in halves) < year[1]


@pytest.mark.parametrize(
    ("unit", "place", "period", "inside"),
    [
        ("month", 2, "2021-Q1", True),
        ("month", 3, "2021-Q1", False),
        ("bimonth", 1, "2021-Q1", False),
        ("bimonth", 1, "2021-H1", True),
        ("quarter", 1, "2021-H1", True),
        ("half", 0, "2021-Q1", False),
        ("year", 0, "2021", True),
        ("year", 0, "2021-H1", False),
        (None, 15, "2021-H1", False),
    ],
)
def test_what_lies_within_a_period(unit, place, period, inside):
    key = RuleKey("xian", "x", None, None, "organization", unit)
    assert within_period(key, place, period) is inside


def test_two_periods_are_compared(department, judged):
    address = f"/organizations/{judged.units['root']}/compare"
    page = department.get(f"{address}?before=2021-Q1&after=2021-Q2")
    assert "2021年第一季度" in page.text
    row = re.search(
        r"<tr>\s*<th scope=\"row\"><a [^>]*>市财政局机关党委.*?</tr>", page.text, re.DOTALL
    )
    assert row is not None
    book = department.get(f"{address}?before=2021-Q1&after=2021-Q2&format=csv")
    lines = list(csv.reader(io.StringIO(book.data.decode("utf-8-sig"))))
    assert [line[0] for line in lines[1:3]] == ["市财政局机关党委", "市司法局机关党委"]


def test_kinds_and_sectors_add_up_to_the_whole(department, judged):
    page = department.get(f"/organizations/{judged.units['root']}/breakdown?format=csv")
    lines = list(csv.reader(io.StringIO(page.data.decode("utf-8-sig"))))
    by_name = {line[0]: [int(number) for number in line[1:9]] for line in lines[1:]}
    kinds = [by_name[name] for name in ("工委", "党委", "党支部")]
    assert [kind[0] for kind in kinds] == [1, 2, 3]
    sectors = [numbers for name, numbers in by_name.items() if name in {"机关", "没有注明"}]
    for column in range(8):
        assert sum(row[column] for row in kinds) == sum(row[column] for row in sectors)


@pytest.mark.parametrize("page", ["heat", "compare", "breakdown"])
class TestPages:
    def test_as_many_queries_for_many_as_for_few(self, statements, department, judged, page):
        at = [
            f"/organizations/{judged.units[unit]}/{page}" for unit in ("root", "finance", "justice")
        ]
        department.get(at[0])
        counted = [statements(lambda address=address: department.get(address)) for address in at]
        assert len(set(counted)) == 1, counted

    def test_nothing_of_others(self, sign_in, judged, office, department, page):
        committee = sign_in("committee", judged)
        for query in ("", "?format=csv", "?format=xlsx"):
            there = f"/organizations/{judged.units['root']}/{page}{query}"
            assert committee.get(there).status_code == 404
            foreign = f"/organizations/{office.units['root']}/{page}{query}"
            assert department.get(foreign).status_code == 404

    def test_odd_questions_are_answered(self, department, judged, page):
        for query in (
            "period=2021-13",
            "period=x&before=&after=2021-H9",
            "first=-3",
            "first=9999",
            "year=0",
        ):
            address = f"/organizations/{judged.units['root']}/{page}?{query}"
            assert department.get(address).status_code == 200

    def test_a_branch_has_nothing_below(self, department, judged, page):
        address = f"/organizations/{judged.units['finance-1']}/{page}"
        assert department.get(address).status_code == 200


def test_units_are_never_put_in_order_of_merit(department, judged):
    overview = f"/organizations/{judged.units['root']}/overview"
    assert "units=share" not in department.get(overview).text
    text = department.get(f"{overview}?units=share").text
    assert text.index("市财政局机关党委") < text.index("市司法局机关党委")
