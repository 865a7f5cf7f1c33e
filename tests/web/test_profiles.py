"""What judges which part of the tree: looked at, changed after a preview, undone; and by whom."""

import csv
import io
import re
from datetime import date

import pytest

from guiju.accounts.operations import create_user
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.profiles import keeping, operations, queries
from guiju.rules import calendars
from guiju.rules.calendars import Calendar
from guiju.scoring.operations import drain
from guiju.tenancy.operations import enable_profile

PASSWORD = "Plain-words-2021"
AS_OF = date(2021, 11, 10)
PAGES = (
    "",
    "/enable",
    "/enable?profile=jiaozuo",
    "/readings?term=2021-01-01",
    "/end?term=2021-01-01",
)


@pytest.fixture(scope="module")
def place(engine, app, create_office):
    """An office of this module's own, judged, with an administrator of one committee as well."""
    office = create_office(recorded=True)
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        name = "finance-admin"
        grants = [("administrator", office.units["finance"])]
        create_user(session, Actor("test"), name, "财政管理员", grants, password=PASSWORD)
    at = "@" + office.users["department"].partition("@")[2]
    office.users[name] = name + at
    packs = app.extensions["guiju_plugins"].packs
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    return office


@pytest.fixture(scope="module")
def as_(sign_in, place):
    clients = {}

    def as_(name):
        if name not in clients:
            clients[name] = sign_in(name, place)
        return clients[name]

    return as_


@pytest.fixture
def address(place):
    return lambda unit, rest="": f"/organizations/{place.units[unit]}/profiles{rest}"


@pytest.fixture
def terms(engine, place):
    def terms(unit):
        with tenant_scope(place.tenant.tenant_id), ScopedSession(engine) as session:
            return operations.terms_of(session, place.units[unit])

    return terms


@pytest.fixture
def put_back(engine, place, terms):
    """What a test changes about the committee's profiles is put back."""
    before = {unit: terms(unit) for unit in ("root", "finance")}
    yield
    for unit, was in before.items():
        if terms(unit) != was:
            with tenant_scope(place.tenant.tenant_id), ScopedSession(engine) as session:
                back = operations.Proposal(place.units[unit], "test", terms(unit), was)
                operations.adopt(session, Actor("test"), back)


def looked_at(client, submit, address, unit="finance", **fields) -> str:
    """The address of a preview of enabling Jiaozuo's notice."""
    fields = {"profile": "jiaozuo", "judge_from": "2021-03-01", "until": "", **fields}
    page = address(unit, "/enable?profile=jiaozuo")
    answer = submit(client, address(unit, "/enable"), page, **fields)
    assert answer.status_code == 302, answer.text
    return answer.location


class TestThePage:
    def test_says_what_judges_and_where_that_comes_from(self, as_, address):
        page = as_("department").get(address("root")).text
        assert "西安市党支部标准化规范化建设指导意见" in page
        assert "在本级启用" in page
        below = as_("department").get(address("finance-1")).text
        assert "启用，本级沿用" in below
        assert "文件默认" in below

    def test_warns_where_holidays_are_not_known_that_move_what_is_asked(
        self, engine, create_office, sign_in, monkeypatch
    ):
        office = create_office()
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            unit = office.units["finance"]
            enable_profile(session, Actor("test"), unit, "jiaozuo", date(2021, 3, 1))
        client = sign_in("department", office)

        def page(unit):
            return client.get(f"/organizations/{office.units[unit]}/profiles").text

        assert "节假日安排" not in page("finance")
        monkeypatch.setattr(calendars, "load", lambda: Calendar(years=frozenset({2019, 2020})))
        assert "平台还没有 2021 年的节假日安排" in page("finance")
        # Nothing that holidays move is asked of who is judged by the other notice.
        assert "节假日安排" not in page("root")

    def test_names_no_superior_who_is_out_of_sight(self, as_, address):
        page = as_("committee").get(address("finance")).text
        assert "上级启用，本级沿用" in page
        assert "机关工委" not in page

    def test_offers_changes_to_who_may_make_them_alone(self, as_, address):
        assert "/profiles/enable" in as_("department").get(address("finance")).text
        assert "/profiles/enable" not in as_("committee").get(address("finance")).text
        assert "/profiles/enable" not in as_("finance-admin").get(address("root")).text


@pytest.mark.parametrize("rest", PAGES)
class TestAttacks:
    def test_what_is_not_below_is_not_there(self, as_, address, rest):
        for name, unit in (("committee", "justice"), ("finance-admin", "justice"),
                           ("finance-admin", "root"), ("secretary", "finance")):  # fmt: skip
            assert as_(name).get(address(unit, rest)).status_code == 404

    def test_another_tenant_is_not_there(self, as_, office, rest):
        number = office.units["root"]
        answer = as_("department").get(f"/organizations/{number}/profiles{rest}")
        assert answer.status_code == 404

    def test_who_only_reads_changes_nothing(self, as_, address, rest):
        status = 403 if rest else 200
        assert as_("committee").get(address("finance", rest)).status_code == status
        assert as_("secretary").get(address("finance-1", rest)).status_code == status


def forged(client, submit, target, place, **fields):
    """Post to an address from a page that has a form."""
    return submit(client, target, f"/organizations/{place.units['finance-1']}/reports", **fields)


@pytest.mark.parametrize("target", ["/enable", "/readings", "/end"])
def test_forged_forms_change_nothing_above_nor_for_readers(
    as_, submit, address, place, terms, target
):
    before = terms("root"), terms("finance")
    fields = {"profile": "jiaozuo", "judge_from": "2021-03-01", "term": "2021-01-01",
              "until": "2021-05-01", "how": "withdraw"}  # fmt: skip
    for name, unit, status in (
        ("finance-admin", "root", 404),
        ("committee", "finance", 403),
        ("secretary", "finance-1", 403),
        ("committee", "justice", 404),
    ):
        answer = forged(as_(name), submit, address(unit, target), place, **fields)
        assert answer.status_code == status, (name, unit)
    assert (terms("root"), terms("finance")) == before


class TestAPreview:
    def test_is_looked_at_confirmed_and_undone(self, as_, submit, address, terms, put_back):
        client = as_("department")
        where = looked_at(client, submit, address)
        page = client.get(where).text
        assert "这 2 个党支部的结论会改变" in page
        assert "市财政局第一党支部" in page
        assert "市司法局第一党支部" not in page
        assert "开始按这份文件评判" in page
        assert terms("finance") == ()
        answer = submit(client, f"{where}/confirm", where)
        assert answer.location == address("finance")
        (term,) = terms("finance")
        assert (term.profile, term.judge_from) == ("jiaozuo", date(2021, 3, 1))
        after = client.get(address("finance")).text
        assert "焦作市直机关党内政治生活规范月活动通知" in after
        change = re.search(r"/profile-changes/\d+/undo", after)
        assert change is not None
        assert submit(client, change[0], address("finance")).status_code == 302
        assert terms("finance") == ()

    def test_belongs_to_who_may_change_there(self, as_, submit, address, place, sign_in, office):
        where = looked_at(as_("finance-admin"), submit, address)
        assert as_("finance-admin").get(where).status_code == 200
        assert as_("department").get(where).status_code == 200
        assert as_("committee").get(where).status_code == 403
        assert as_("secretary").get(where).status_code == 404
        assert sign_in("department", office).get(where).status_code == 404
        above = looked_at(as_("department"), submit, address, "justice")
        assert as_("finance-admin").get(above).status_code == 404
        for step in ("confirm", "again"):
            for name, status in (("committee", 403), ("secretary", 404)):
                answer = forged(as_(name), submit, f"{where}/{step}", place)
                assert answer.status_code == status
            assert forged(as_("finance-admin"), submit, f"{above}/{step}", place).status_code == 404
        assert as_("committee").get(f"{where}?format=csv").status_code == 403
        assert as_("committee").get(f"{where}/progress").status_code == 403

    def test_is_filtered_and_taken_away(self, as_, submit, address):
        client = as_("department")
        where = looked_at(client, submit, address)
        some = client.get(f"{where}?rule=0&to=met&from=0").text
        assert "会改变的组织" in some
        assert client.get(f"{where}?rule=9999&to=nothing&from=-5").status_code == 200
        rows = list(csv.reader(io.StringIO(client.get(f"{where}?format=csv").text)))
        assert {row[0] for row in rows[1:]} == {"finance", "finance-1", "finance-2"}
        assert client.get(f"{where}?format=xlsx").data[:2] == b"PK"

    def test_tells_that_records_changed_since(
        self, as_, submit, address, engine, place, terms, put_back
    ):
        client = as_("department")
        where = looked_at(client, submit, address)
        with tenant_scope(place.tenant.tenant_id), ScopedSession(engine) as session:
            operations.mark_dirty(session, [place.units["finance-1"]], "occasion.update")
            session.commit()
        assert "预览之后记录有变化" in client.get(where).text
        refused = submit(client, f"{where}/confirm", where)
        assert refused.status_code == 409
        assert terms("finance") == ()
        anew = submit(client, f"{where}/again", where).location
        assert anew != where
        assert submit(client, f"{where}/confirm", where, despite_drift="yes").status_code == 302
        assert terms("finance") != ()

    def test_of_what_was_changed_meanwhile_is_refused(self, as_, submit, address, terms, put_back):
        client = as_("department")
        first, second = (looked_at(client, submit, address) for _ in range(2))
        assert submit(client, f"{first}/confirm", first).status_code == 302
        refused = submit(client, f"{second}/confirm", second, despite_drift="yes")
        assert refused.status_code == 409
        assert len(terms("finance")) == 1


class TestForms:
    def refused(self, client, submit, address, **fields) -> str:
        fields = {"profile": "xian", "judge_from": "2021-03-01", **fields}
        page = address("finance", "/enable?profile=xian")
        answer = submit(client, address("finance", "/enable"), page, **fields)
        assert answer.status_code == 422
        return answer.text

    def test_every_reading_stands_with_its_clause_and_default(self, as_, address):
        page = as_("department").get(address("finance", "/enable?profile=xian")).text
        assert "五十人按哪些党员计算" in page
        assert "文件默认" in page
        assert "市组通字〔2020〕45号" in page
        assert "不得规定后进党支部的比例" in page

    def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(
        self, as_, submit, address
    ):
        page = self.refused(
            as_("department"), submit, address,
            judge_from="soon", **{"set-adjust_days": "many"},
        )  # fmt: skip
        assert 'value="soon"' in page
        assert 'value="many"' in page
        days = self.refused(
            as_("department"), submit, address,
            **{"set-adjust_days": "many", "set-city_organization": "nope", "set-branch_size": "no"},
        )  # fmt: skip
        for name in ("adjust_days", "city_organization", "branch_size"):
            assert f'id="set-{name}-errors"' in days

    def test_quotas_are_refused_by_name(self, as_, submit, address):
        page = self.refused(
            as_("department"), submit, address, **{"set-weak_branch_quota": "2", "set-typo": "1"}
        )
        assert "weak_branch_quota" in page
        assert "四·4" in page
        assert "没有“typo”这项设置" in page

    def test_a_setting_names_no_organization_out_of_reach(self, as_, submit, address):
        page = self.refused(
            as_("finance-admin"), submit, address, **{"set-city_organization": "justice"}
        )
        assert 'id="set-city_organization-errors"' in page

    def test_a_second_notice_on_the_same_day_is_refused(self, as_, submit, address):
        fields = {"profile": "jiaozuo", "judge_from": "2021-01-01"}
        page = address("root", "/enable?profile=jiaozuo")
        answer = submit(as_("department"), address("root", "/enable"), page, **fields)
        assert answer.status_code == 422
        assert "同一组织同一时间只能启用一个地方规则" in answer.text

    def test_readings_and_the_end_are_looked_at_too(self, as_, submit, address):
        client = as_("department")
        page = address("root", "/readings?term=2021-01-01")
        fields = {"term": "2021-01-01", "since": "", "set-talk_pairs": "every_pair"}
        answer = submit(client, address("root", "/readings"), page, **fields)
        looked = client.get(answer.location).text
        assert "谈心谈话是否要两两都谈" in looked
        assert "没有单位的结论会改变" in looked
        nothing = submit(client, address("root", "/readings"), page, term="2021-01-01", since="")
        assert nothing.status_code == 422
        page = address("root", "/end?term=2021-01-01")
        fields = {"term": "2021-01-01", "how": "end", "until": "2021-06-30"}
        answer = submit(client, address("root", "/end"), page, **fields)
        assert "会改变" in client.get(answer.location).text
        early = submit(client, address("root", "/end"), page, **{**fields, "until": "2020-01-01"})
        assert early.status_code == 422
        assert 'value="2020-01-01"' in early.text


def test_odd_addresses_are_answered(as_, address):
    client = as_("department")
    for rest in ("/readings", "/readings?term=never", "/end?term=2020-01-01"):
        assert client.get(address("root", rest)).status_code == 404
    assert client.get(address("root", "/enable?profile=nowhere")).status_code == 200
    assert client.get("/profile-previews/999999999").status_code == 404


def test_a_large_tenant_waits_for_its_preview(
    as_, submit, address, monkeypatch, engine, place, app
):
    monkeypatch.setattr("guiju.scoring.dirty.SMALL", 0)
    client = as_("department")
    where = looked_at(client, submit, address)
    assert "正在预览" in client.get(where).text
    assert client.get(f"{where}/progress").status_code == 200
    number = int(where.rpartition("/")[2])
    packs = app.extensions["guiju_plugins"].packs
    with tenant_scope(place.tenant.tenant_id), ScopedSession(engine) as session:
        keeping.make(session, packs, number)
        assert queries.preview(session, number).summary is not None
    assert client.get(f"{where}/progress").headers["HX-Refresh"] == "true"
    assert "会改变" in client.get(where).text
