"""Recording, reading and listing records in pages: what is kept, and who reaches what."""

import io
import re
from datetime import date

import openpyxl
import pytest
from offices import AS_OF

from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Person:
    """Somebody signed in, who submits forms from a page."""

    def __init__(self, client, units):
        self.client, self.units = client, units

    def get(self, address, **options):
        return self.client.get(address.format(**self.units), **options)

    def post(self, address, page, fields, **options):
        token = TOKEN.search(self.get(page).text)[1]
        data = {"csrf_token": token, **fields}
        return self.client.post(address.format(**self.units), data=data, **options)

    def record(self, unit="finance-1", **fields):
        """Submit the form of a new record; the number of the occasion."""
        given = {"kinds": "theme_day", "held_on": AS_OF.isoformat(), **fields}
        page = f"/organizations/{{{unit}}}/records/new"
        answer = self.post(f"/organizations/{{{unit}}}/records/submit", page, given)
        assert answer.status_code == 302, answer.text
        return int(answer.location.rpartition("/")[2])


@pytest.fixture(scope="module")
def recording(create_office):
    """An office in which tests record."""
    return create_office(recorded=True)


@pytest.fixture
def person(sign_in, recording):
    return lambda name: Person(sign_in(name, recording), recording.units)


NEW = "/organizations/{finance-1}/records/new"
SUBMIT = "/organizations/{finance-1}/records/submit"
SAVE = "/organizations/{finance-1}/records/save"


class TestForm:
    def test_comes_prefilled_from_what_is_due(self, person):
        page = (
            person("secretary").get(NEW + "?requirement=xian.theme_day.monthly&period=2021-11").text
        )
        assert re.search(r'value="theme_day" checked', page)
        assert 'name="held_on" value="2021-11-10"' in page
        assert page.count('<option value="present" selected>') == 8
        assert re.search(r'<option value="finance-1-1" selected>党员1', page)
        # What the notice wants of a theme day, with its clause.
        assert 'name="components" value="dues"' in page
        assert "附件1·13; 附件2·13" in page

    def test_leaves_the_day_open_where_the_period_is_over(self, person):
        page = (
            person("secretary").get(NEW + "?requirement=xian.theme_day.monthly&period=2021-03").text
        )
        assert 'name="held_on" value=""' in page

    def test_becomes_a_record(self, person):
        secretary = person("secretary")
        number = secretary.record(
            place="三楼会议室",
            theme="学习",
            components="study",
            **{"att-finance-1-1": "present", "att-finance-1-2": "excused"},
            content="说了<b>什么</b>",
        )
        page = secretary.get(f"/records/{number}").text
        for text in ("三楼会议室", "应到 8，实到 1", "专题学习", "党员2", "&lt;b&gt;"):
            assert text in page

    def test_keeps_what_was_typed_where_something_is_wrong(self, person):
        fields = {"kinds": "theme_day", "held_on": "", "place": "礼堂", "content": "很长的话"}
        answer = person("secretary").post(SUBMIT, NEW, fields)
        assert answer.status_code == 422
        assert 'value="礼堂"' in answer.text
        assert "很长的话" in answer.text
        assert "data-error" in answer.text
        # The draft is named in the form, so that submitting again is no second one.
        assert re.search(r'name="draft" value="\d+"', answer.text)

    def test_asks_what_the_kinds_ask(self, person):
        secretary = person("secretary")
        token = TOKEN.search(secretary.get(NEW).text)[1]
        fields = {"csrf_token": token, "kinds": "organizational_life_meeting"}
        part = secretary.client.post(
            "/organizations/{finance-1}/records/fields".format(**secretary.units),
            data=fields,
            headers={"HX-Request": "true"},
        ).text
        assert 'name="step-talks"' in part
        assert "<html" not in part

    def test_is_refused_with_a_forged_token(self, person):
        answer = person("secretary").client.post(
            SUBMIT.format(**person("secretary").units),
            data={"csrf_token": "x", "kinds": "theme_day", "held_on": "2021-11-05"},
        )
        assert answer.status_code == 400

    @pytest.mark.parametrize(("name", "status"), [("committee", 403), ("auditor", 404)])
    def test_is_for_those_who_record(self, person, name, status):
        assert person(name).get(NEW).status_code == status

    def test_of_other_units_is_not_there(self, person):
        for unit in ("{finance-2}", "{justice-1}", "{root}", "987654321"):
            assert person("secretary").get(f"/organizations/{unit}/records/new").status_code == 404

    def test_refuses_people_of_other_units(self, person):
        fields = {
            "kinds": "theme_day",
            "held_on": AS_OF.isoformat(),
            "att-justice-1-3": "present",
        }
        answer = person("secretary").post(SUBMIT, NEW, fields)
        assert answer.status_code == 422
        assert "党员3" not in answer.text.split('name="att-justice-1-3"')[0].rpartition("<li")[2]

    def test_takes_five_thousand_signs(self, person):
        text = "组织生活" * 1250
        number = person("secretary").record(content=text)
        assert text in person("secretary").get(f"/records/{number}").text


class TestDrafts:
    def save(self, secretary, fields, **more):
        token = TOKEN.search(secretary.get(NEW).text)[1]
        return secretary.client.post(
            SAVE.format(**secretary.units),
            data={"csrf_token": token, **fields, **more},
            headers={"Accept": "application/json"},
        )

    def test_are_kept_and_gone_on_with(self, person):
        secretary = person("secretary")
        kept = self.save(secretary, {"kinds": "theme_day", "place": "半句"}).json
        again = self.save(
            secretary,
            {"kinds": "theme_day", "place": "半句话"},
            draft=kept["draft"],
            revision=kept["revision"],
        ).json
        assert (again["draft"], again["revision"]) == (kept["draft"], kept["revision"] + 1)
        assert "半句话" in secretary.get(kept["address"]).text
        assert kept["address"] in secretary.get("/organizations/{finance-1}/workbench").text

    def test_of_another_author_are_not_written_over(self, person):
        secretary, department = person("secretary"), person("department")
        kept = self.save(secretary, {"kinds": "theme_day", "place": "甲"}).json
        mine = {"draft": kept["draft"], "revision": kept["revision"]}
        assert (
            self.save(department, {"kinds": "theme_day", "place": "乙"}, **mine).status_code == 200
        )
        refused = self.save(secretary, {"kinds": "theme_day", "theme": "丙"}, **mine)
        assert refused.status_code == 409
        assert refused.json["author"] == "department"
        assert refused.json["fields"]["place"] == ["乙"]

    def test_in_conflict_show_both_without_scripts(self, person):
        secretary, department = person("secretary"), person("department")
        kept = self.save(secretary, {"kinds": "theme_day", "place": "甲"}).json
        fields = {"kinds": "theme_day", "held_on": AS_OF.isoformat()}
        fields |= {"draft": kept["draft"], "revision": kept["revision"]}
        self.save(department, {**fields, "place": "乙地"})
        answer = secretary.post(SUBMIT, NEW, {**fields, "place": "丙地"})
        assert answer.status_code == 409
        for text in ("department", "乙地", "丙地"):
            assert text in answer.text
        revision = re.search(r'name="revision" value="(\d+)"', answer.text)[1]
        taken = secretary.post(SUBMIT, NEW, {**fields, "place": "丙地", "revision": revision})
        assert taken.status_code == 302

    def test_can_be_thrown_away(self, person):
        secretary = person("secretary")
        kept = self.save(secretary, {"kinds": "theme_day"}).json
        answer = secretary.post(kept["address"] + "/discard", kept["address"], {})
        assert answer.status_code == 302
        assert secretary.get(kept["address"]).status_code == 404

    def test_of_others_are_not_there(self, person):
        kept = self.save(person("secretary"), {"kinds": "theme_day"}).json
        assert person("committee").get(kept["address"]).status_code == 403
        other = kept["address"].replace(
            str(person("secretary").units["finance-1"]), str(person("department").units["root"]), 1
        )
        assert person("department").get(other).status_code == 404


class TestRecord:
    def test_shows_what_a_correction_changed(self, person):
        secretary = person("secretary")
        number = secretary.record(place="一楼", **{"att-finance-1-1": "present"})
        begun = secretary.post(f"/records/{number}/correct", f"/records/{number}", {})
        page = secretary.get(begun.location).text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\d+)"', page))
        assert {"draft", "revision", "record_revision"} <= set(fields)
        fields |= {"kinds": "theme_day", "held_on": AS_OF.isoformat(), "place": "二楼"}
        fields |= {"att-finance-1-1": "excused"}
        answer = secretary.post(SUBMIT, begun.location, fields)
        assert answer.location.endswith(f"/records/{number}")
        history = secretary.get(f"/records/{number}").text.partition('id="history"')[2]
        for text in ("地点", "一楼", "二楼", "党员1", "请假"):
            assert text in history

    def test_is_declared_void_with_a_reason(self, person):
        secretary = person("secretary")
        number = secretary.record()
        refused = secretary.post(f"/records/{number}/void", f"/records/{number}", {"reason": " "})
        assert refused.status_code == 422
        secretary.post(f"/records/{number}/void", f"/records/{number}", {"reason": "没有开成"})
        page = secretary.get(f"/records/{number}").text
        assert "已作废" in page
        assert "没有开成" in page

    def test_names_nobody_to_who_only_reads(self, person):
        number = person("secretary").record(
            content="张三说的话", **{"att-finance-1-2": "excused", "chair": "finance-1-1"}
        )
        page = person("committee").get(f"/records/{number}").text
        assert "党员2" not in page
        assert "张三" not in page
        assert "更正</button>" not in page

    def test_of_others_is_not_there(self, person, sign_in, create_office):
        number = person("department").record("justice-1")
        stranger = Person(sign_in("secretary", create_office()), {})
        for name in (person("secretary"), person("auditor"), person("committee"), stranger):
            assert name.get(f"/records/{number}").status_code == 404
            answer = name.post(f"/records/{number}/void", "/library/", {"reason": "x"})
            assert answer.status_code == 404


LEAVE = {
    "held_on": "2021-06-05",
    "chair": "finance-1-1",
    "att-finance-1-2": "excused",
    "why-finance-1-2": "duty",
}


class TestLeave:
    def test_has_a_reason_in_few_words(self, person):
        secretary = person("secretary")
        number = secretary.record(**LEAVE)
        assert "党员2（公务）" in secretary.get(f"/records/{number}").text
        # Whoever may not see who was there does not see why somebody was not.
        assert "公务" not in person("committee").get(f"/records/{number}").text

    def test_goes_with_the_leave(self, person):
        secretary = person("secretary")
        number = secretary.record(**{**LEAVE, "att-finance-1-2": "unexcused"})
        page = secretary.get(f"/records/{number}").text
        assert "党员2" in page
        assert "公务" not in page

    def test_is_never_told_at_length(self, person):
        secretary = person("secretary")
        fields = {**LEAVE, "why-finance-1-2": "感冒发烧"}
        answer = secretary.post(SUBMIT, NEW, {"kinds": "theme_day", **fields})
        assert answer.status_code == 422
        assert "data-error" in answer.text


class TestList:
    def test_is_filtered_by_its_address(self, person):
        secretary = person("secretary")
        page = secretary.get("/organizations/{finance-1}/records?month=2021-05&kind=theme_day")
        assert "2021年5月5日" in page.text
        assert "2021年6月5日" not in page.text

    def test_of_others_is_not_there(self, person):
        for unit in ("{finance-2}", "{justice-1}"):
            for suffix in ("", "?format=xlsx"):
                address = f"/organizations/{unit}/records{suffix}"
                assert person("secretary").get(address).status_code == 404

    @pytest.mark.parametrize("query", ["cursor=x", "cursor=2021-01-01.x", "kind=nothing"])
    def test_odd_addresses_are_not_found(self, person, query):
        assert (
            person("secretary").get(f"/organizations/{{finance-1}}/records?{query}").status_code
            == 404
        )

    def test_is_a_workbook_without_formulas(self, person):
        secretary = person("secretary")
        secretary.record(theme='=HYPERLINK("http://x","y")', place="+1")
        answer = secretary.get("/organizations/{finance-1}/records?format=xlsx")
        assert answer.status_code == 200
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"]
        assert '=HYPERLINK("http://x","y")' in [cell.value for cell in cells]

    def test_goes_on_page_by_page(self, person, engine, recording):
        more = [
            {
                "id": f"talk-{number}",
                "organization": "justice-1",
                "kinds": ["training"],
                "held_on": date(2021, 6, 1 + number % 28),
            }
            for number in range(60)
        ]
        with tenant_scope(recording.tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, Actor("test"), {"occasions": more})
        department, seen, address = person("department"), [], "/organizations/{justice-1}/records"
        while address:
            page = department.get(address).text
            seen += re.findall(r'href="(/records/\d+)"', page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = following and following[1].replace("&amp;", "&")
        assert len(seen) == len(set(seen)) >= 60


def test_more_members_and_records_ask_no_more_questions(person, engine, recording, statements):
    department = person("department")
    number = department.record("finance-2", **{"att-finance-2-1": "present"})
    pages = (
        "/organizations/{finance-2}/records",
        "/organizations/{finance-2}/records/new?kind=theme_day",
        f"/records/{number}",
    )
    for page in pages:
        department.get(page)
    before = [statements(lambda page=page: department.get(page)) for page in pages]
    more = {
        "members": [
            {
                "id": f"new-{one}",
                "organization": "finance-2",
                "membership_class": "full",
                "from_on": date(2018, 1, 1),
            }
            for one in range(40)
        ],
        "occasions": [
            {
                "id": f"more-{one}",
                "organization": "finance-2",
                "kinds": ["training"],
                "held_on": date(2021, 6, 1 + one % 28),
            }
            for one in range(40)
        ],
    }
    with tenant_scope(recording.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, Actor("test"), more)
    assert [statements(lambda page=page: department.get(page)) for page in pages] == before
