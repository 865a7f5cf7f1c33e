"""The pages of the tree, of members, and of imports: who may do what, and what it does."""

import io
import re
from datetime import date

import pyarrow as pa
import pytest
import sqlalchemy as sa
from offices import PASSWORD

from guiju import background, facts
from guiju.accounts.operations import create_user
from guiju.audit.operations import Actor
from guiju.config import load_settings
from guiju.db import ScopedSession, tenant_scope
from guiju.facts.workbook_writer import write_xlsx
from guiju.jobs import runner
from guiju.organizations.models import Member, Organization, OrganizationChange, Person
from guiju.organizations.operations import create_organization

DAY = "2021-07-01"


@pytest.fixture
def ours(create_office):
    """An ours of the test's own, with its year."""
    return create_office(recorded=True)


@pytest.fixture
def ask(ours, engine):
    """Ask the database in the ours's scope."""

    def ask(query):
        scope = tenant_scope(ours.tenant.tenant_id)
        with scope, ScopedSession(engine) as session:
            return session.execute(query).all()

    return ask


@pytest.fixture
def do(sign_in, submit, ours):
    """Submit a form as somebody, from its own page."""

    def do(name, address, page=None, /, **fields):
        client = sign_in(name, ours)
        answer = submit(client, address, page or address, **fields)
        return client, answer

    return do


def unit(ours, code, rest):
    return f"/organizations/{ours.units[code]}/{rest}"


def confirmed(client, submit, address, answer, **fields):
    """Do what was previewed."""
    assert answer.status_code == 200, answer.text
    seen = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert seen, answer.text
    return submit(client, address, address, seen=seen[1], **fields)


class TestTree:
    def test_the_tree_is_opened_level_by_level(self, sign_in, ours):
        client = sign_in("department", ours)
        page = client.get(unit(ours, "root", "tree")).text
        assert "市财政局机关党委" in page
        assert "市财政局第一党支部" not in page
        below = client.get(unit(ours, "finance", "tree/children")).text
        assert "市财政局第一党支部" in below

    def test_first_what_would_happen_then_the_change(self, do, submit, ours, ask):
        address = unit(ours, "finance-1", "tree/rename")
        client, answer = do("department", address, name="新名", day=DAY)
        assert "将会这样" in answer.text
        names = sa.select(Organization.name).where(Organization.code == "finance-1")
        assert ask(names) == [("市财政局第一党支部",)]
        # Other values than those that were seen are shown first.
        answer = submit(client, address, address, seen="x" * 64, name="别名", day=DAY)
        answer = confirmed(client, submit, address, answer, name="别名", day=DAY)
        assert answer.status_code == 302
        assert ask(names) == [("别名",)]
        page = client.get(unit(ours, "finance-1", "tree")).text
        assert "曾用名" in page and "市财政局第一党支部" in page
        change = ask(sa.select(OrganizationChange.id))[0][0]
        undo = unit(ours, "finance-1", f"tree/changes/{change}/undo")
        submit(client, undo, unit(ours, "finance-1", "tree"))
        assert ask(names) == [("市财政局第一党支部",)]

    def test_merging(self, do, submit, ours, ask):
        address = unit(ours, "finance-2", "tree/merge")
        fields = {"unit": "市财政局第一党支部（finance-1）", "day": "2021-12-01"}
        client, answer = do("department", address, **fields, who="all")
        assert "8 名党员转到新的单位" in answer.text
        answer = confirmed(client, submit, address, answer, **fields, who="all")
        assert answer.status_code == 302, answer.text
        number = sa.select(sa.func.count()).where(
            Member.organization_id == ours.units["finance-1"], Member.until_on.is_(None)
        )
        assert ask(number) == [(16,)]

    def test_creating(self, do, submit, ours, ask):
        address = unit(ours, "finance", "tree/create")
        fields = {"name": "第三党支部", "code": "finance-3", "kind": "branch"}
        client, answer = do("department", address, **fields)
        confirmed(client, submit, address, answer, **fields)
        assert ask(sa.select(Organization.name).where(Organization.code == "finance-3"))

    def test_errors_stand_at_their_fields_and_keep_what_was_typed(self, do, ours):
        address = unit(ours, "finance-1", "tree/move")
        _, answer = do("department", address, unit="没有的单位", day="")
        assert answer.status_code == 422
        assert "没有找到这个单位" in answer.text and 'value="没有的单位"' in answer.text
        assert "请填写日期" in answer.text

    def test_who_does_not_manage(self, sign_in, submit, ours):
        client = sign_in("secretary", ours)
        page = client.get(unit(ours, "finance-1", "tree"))
        assert page.status_code == 200
        assert "更名" not in page.text
        for action in ("rename", "create", "close", "move", "merge", "split"):
            address = unit(ours, "finance-1", f"tree/{action}")
            assert client.get(address).status_code == 403
            own = unit(ours, "finance-1", "tree")
            assert submit(client, address, own, name="x", day=DAY).status_code == 403
        # Another subtree's unit is as absent as none.
        for rest in ("tree", "tree/children", "tree/rename", "members", "imports"):
            found = client.get(unit(ours, "justice-1", rest))
            absent = client.get(f"/organizations/999999999/{rest}")
            assert (found.status_code, absent.status_code) == (404, 404)

    def test_a_subtrees_administrator_stays_in_it(self, app, engine, ours, submit, sign_in, ask):
        scope = tenant_scope(ours.tenant.tenant_id)
        with scope, ScopedSession(engine) as session:
            role = [("administrator", ours.units["finance"])]
            create_user(session, Actor("test"), "part", "part", role, password=PASSWORD)
        ours.users["part"] = ours.users["department"].replace("department", "part")
        client = sign_in("part", ours)
        address = unit(ours, "finance-1", "tree/move")
        fields = {"unit": "市司法局机关党委（justice）", "day": DAY}
        answer = submit(client, address, address, **fields)
        assert answer.status_code == 422
        assert "没有找到这个单位" in answer.text
        answer = submit(client, address, address, unit="没有的（nowhere）", day=DAY)
        assert "没有找到这个单位" in answer.text
        # The top of one's own part hangs from what one does not manage.
        for action in ("move", "close", "merge", "split"):
            assert client.get(unit(ours, "finance", f"tree/{action}")).status_code == 403
        assert client.get(unit(ours, "justice", "tree/rename")).status_code == 404

    def test_another_tenants_change_is_not_there(self, create_office, engine, sign_in, submit):
        mine, other = create_office(), create_office()
        with tenant_scope(other.tenant.tenant_id), ScopedSession(engine) as session:
            row = {"id": "n", "name": "新", "kind": "branch", "parent": "finance"}
            create_organization(session, Actor("test"), row)
            change = session.scalars(sa.select(OrganizationChange.id)).one()
        client = sign_in("department", mine)
        page = unit(mine, "root", "tree/create")
        address = unit(mine, "root", f"tree/changes/{change}/undo")
        assert submit(client, address, page).status_code == 404


class TestMembers:
    def test_names_only_for_whose_business_they_are(self, sign_in, ours):
        address = unit(ours, "finance-1", "members")
        named = sign_in("department", ours).get(address).text
        assert "党员1" in named and "登记党员" in named
        reader = sign_in("committee", ours)
        masked = reader.get(address).text
        assert "党员1" not in masked and "finance-1-1" not in masked and "＊＊＊" in masked
        # Neither by searching, nor in the file.
        assert "共 8 名" in reader.get(f"{address}?q=党员1").text
        exported = reader.get(f"{address}?format=csv").text
        assert "党员1" not in exported and exported.count("\n") >= 9

    def test_sorted_filtered_exported(self, sign_in, ours):
        client = sign_in("department", ours)
        address = unit(ours, "finance-1", "members")
        assert "共 1 名" in client.get(f"{address}?q=党员1").text
        assert "没有符合条件的党员" in client.get(f"{address}?class=activist").text
        assert "党员8" in client.get(f"{address}?format=csv&sort=code").text
        book = client.get(f"{address}?format=xlsx")
        assert book.mimetype.endswith("sheet")

    def test_from_one_branch_to_another(self, do, submit, ours, ask):
        client, answer = do(
            "department",
            unit(ours, "finance-1", "members/new"),
            name="新同志",
            code="new-1",
            membership_class="probationary",
            from_on=DAY,
        )
        assert answer.status_code == 302, answer.text
        number = ask(
            sa.select(Member.id)
            .join(Person, Person.id == Member.person_id)
            .where(Person.code == "new-1")
        )[0][0]
        page = f"/members/{number}"
        fields = {"membership_class": "full", "first_day": "2021-08-01"}
        assert submit(client, f"{page}/class", page, **fields).status_code == 302
        (first, second) = ask(
            sa.select(Member.id, Member.until_on)
            .join(Person, Person.id == Member.person_id)
            .where(Person.code == "new-1")
            .order_by(Member.from_on)
        )
        assert (first[1], second[1]) == (date(2021, 7, 31), None)
        page = f"/members/{second[0]}"
        fields = {"unit": "市财政局第二党支部（finance-2）", "first_day": "2021-09-01"}
        assert submit(client, f"{page}/transfer", page, **fields).status_code == 302
        # In two branches at once: refused, and what was typed stays.
        answer = submit(
            client,
            unit(ours, "justice-1", "members/new"),
            unit(ours, "justice-1", "members/new"),
            name="新同志",
            code="new-1",
            membership_class="full",
            from_on="2021-10-01",
        )
        assert answer.status_code == 422
        assert "同一时间只能在一个支部" in answer.text and 'value="new-1"' in answer.text

    def test_who_may(self, sign_in, submit, ours, ask):
        theirs = ask(sa.select(Member.id).where(Member.organization_id == ours.units["justice-1"]))[
            0
        ][0]
        own = ask(sa.select(Member.id).where(Member.organization_id == ours.units["finance-1"]))[0][
            0
        ]
        secretary = sign_in("secretary", ours)
        assert secretary.get(f"/members/{own}").status_code == 200
        assert secretary.get(f"/members/{theirs}").status_code == 404
        page = f"/members/{own}"
        fields = {"last_day": DAY}
        assert submit(secretary, f"/members/{theirs}/end", page, **fields).status_code == 404
        # To where the secretary keeps no roster: not found.
        fields = {"unit": "市司法局第一党支部", "first_day": DAY}
        answer = submit(secretary, f"{page}/transfer", page, **fields)
        assert answer.status_code == 422 and "没有找到这个单位" in answer.text
        reader = sign_in("committee", ours)
        assert reader.get(f"/members/{own}").status_code == 403
        assert sign_in("auditor", ours).get(f"/members/{own}").status_code == 404


class TestImports:
    @pytest.fixture
    def workbook(self, tmp_path):
        def workbook(name="第四党支部", parent="finance") -> io.BytesIO:
            rows = [{"id": "finance-4", "name": name, "kind": "branch", "parent": parent}]
            table = pa.Table.from_pylist(rows, facts.schema("organizations"))
            write_xlsx({"organizations": table}, tmp_path / "x.xlsx")
            return io.BytesIO((tmp_path / "x.xlsx").read_bytes())

        return workbook

    @pytest.fixture
    def work(self, ours, environment, monkeypatch):
        """Do the jobs that wait, as a worker does."""

        def work(address):
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            load_settings()
            runner.run(background.KINDS, ours.tenant.tenant_id, int(address.rsplit("/", 1)[1]))

        return work

    def test_from_upload_to_undo(self, sign_in, submit, ours, workbook, work, ask):
        client = sign_in("department", ours)
        start = unit(ours, "root", "imports")
        assert client.get("/imports/template").mimetype.endswith("sheet")
        answer = submit(client, start, start, file=(workbook(), "名册.xlsx"))
        assert answer.status_code == 302, answer.text
        preview = answer.location
        assert "等待" in client.get(preview).text
        work(preview)
        page = client.get(preview).text
        assert "检查通过" in page and "确认导入" in page
        there = sa.select(Organization.id).where(Organization.code == "finance-4")
        assert ask(there) == []
        answer = submit(client, f"{preview}/confirm", preview)
        assert answer.status_code == 302
        work(answer.location)
        assert "导入完成" in client.get(answer.location).text
        assert len(ask(there)) == 1
        # Once more, as after a worker's death: nothing more happens.
        work(answer.location)
        undo = re.search(r'action="(/imports/\d+/undo)"', client.get(start).text)
        answer = submit(client, undo[1], start)
        work(answer.location)
        assert "已撤销这次导入" in client.get(answer.location).text
        assert ask(there) == []

    def test_faults_and_stale_previews(self, sign_in, submit, ours, workbook, work, engine, ask):
        client = sign_in("department", ours)
        start = unit(ours, "root", "imports")
        answer = submit(client, start, start, file=(workbook(parent="nowhere"), "名册.xlsx"))
        work(answer.location)
        page = client.get(answer.location).text
        assert "工作表“组织” 单元格 E2" in page and "确认导入" not in page
        answer = submit(client, f"{answer.location}/confirm", start)
        assert answer.status_code == 422
        good = submit(client, start, start, file=(workbook(), "名册.xlsx")).location
        work(good)
        with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
            row = {"id": "finance-4", "name": "别的", "kind": "branch", "parent": "finance"}
            create_organization(session, Actor("test"), row)
        answer = submit(client, f"{good}/confirm", good)
        work(answer.location)
        assert "请重新预览后再确认" in client.get(answer.location).text
        assert ask(sa.select(Organization.name).where(Organization.code == "finance-4")) == [
            ("别的",)
        ]

    def test_not_a_workbook(self, sign_in, submit, ours):
        client = sign_in("department", ours)
        start = unit(ours, "root", "imports")
        answer = submit(client, start, start, file=(io.BytesIO(b"x"), "名册.exe"))
        assert answer.status_code == 422 and "应为 .xlsx 工作簿" in answer.text

    def test_who_may(self, sign_in, submit, ours, workbook):
        start = unit(ours, "finance-1", "imports")
        secretary = sign_in("secretary", ours)
        assert secretary.get(start).status_code == 403
        assert secretary.get("/imports/template").status_code == 403
        page = unit(ours, "finance-1", "tree")
        answer = submit(secretary, start, page, file=(workbook(), "x.xlsx"))
        assert answer.status_code == 403
        department = sign_in("department", ours)
        job = submit(department, start, start, file=(workbook(), "x.xlsx")).location
        assert secretary.get(job).status_code == 404
        assert submit(secretary, f"{job}/confirm", page).status_code == 404
