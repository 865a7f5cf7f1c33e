"""Inviting everybody on a list: all or nobody, row by row, by as few questions as for one."""

import io
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa
from offices import ACTOR

from guiju.accounts.invitation_lists import (
    MOST_BYTES,
    Row,
    empty_list,
    read_file,
    read_text,
    written,
)
from guiju.accounts.inviting import check_list, invite_again, invite_list, waiting
from guiju.accounts.links import LinkRefused, use_link
from guiju.accounts.models import User, UserRole
from guiju.accounts.operations import create_user
from guiju.accounts.policies import set_policy
from guiju.accounts.visitors import find_visitor
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope
from guiju.rules.problems import BadInput

NEW = "Other-words-2022"
HEADED = "单位编号,单位名称,姓名,用户名,邮箱,角色\nfinance-1,某支部,张三,zhangsan,,填报人\n"


def workbook(*rows):
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            HEADED,
            "finance-1\t张三\tzhangsan\t\t填报人\n",
            "finance-1,张三,zhangsan,,填报人",
            "role,name,username,unit\n填报人,张三,zhangsan,finance-1\n\n",
        ],
    )
    def test_texts(self, text):
        [row] = read_text(text)
        assert (row.unit, row.name, row.username, row.role) == (
            "finance-1",
            "张三",
            "zhangsan",
            "填报人",
        )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_files_as_spreadsheets_save_them(self, encoding):
        [row] = read_file(HEADED.encode(encoding), "名单.csv")
        assert (row.number, row.name) == (2, "张三")

    def test_workbooks(self):
        content = workbook(
            ["单位编号", "姓名", "用户名", "邮箱", "角色", "角色的最后一天"],
            [12, "张三", "zhangsan", None, "填报人", date(2199, 1, 2)],
            ["finance-2", None, None, None, "填报人", None],
        )
        [row] = read_file(content, "名单.xlsx")
        assert (row.number, row.unit, row.until_on) == (2, "12", "2199-01-02")

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (b"\xff\xfe\x00\x01" * 9, "not_a_list"),
            (b"PK\x03\x04 not a workbook", "not_workbook"),
            (b"a" * (MOST_BYTES + 1), "too_large"),
            (workbook(["finance-1", "=1+1", "a", None, "填报人"]), "formula"),
            ('finance-1,"张三'.encode(), None),
        ],
    )
    def test_what_is_no_list_is_refused(self, content, code):
        if code is None:
            # An open quotation mark takes in the rest: one row, which the check refuses.
            assert len(read_file(content, "名单.csv")) == 1
            return
        with pytest.raises(BadInput) as refused:
            read_file(content, "名单")
        assert code in {problem.code for problem in refused.value.problems}

    def test_what_was_read_is_written_again(self):
        rows = [Row(2, "a,b", "张 三", "zhang", "z@example.cn", "reader", "2199-01-01")]
        assert read_text(written(rows)) == rows


@pytest.fixture
def own(create_office):
    return create_office()


@pytest.fixture
def session(own, engine):
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        yield session


@pytest.fixture
def visitor(own, session):
    """A user of the office, by name."""

    def visitor(name="department"):
        number = session.scalars(sa.select(User.id).where(User.username == name)).one()
        return find_visitor(session, own.tenant.tenant_id, number)

    return visitor


def row(
    number, unit="finance-1", name="张三", username="zhangsan", email="", role="填报人", until=""
):
    return Row(number, unit, name, username, email, role, until)


def problems(session, visitor, *rows):
    with pytest.raises(BadInput) as refused:
        check_list(session, visitor, rows)
    return [(problem.place, problem.code) for problem in refused.value.problems]


class TestInviting:
    def test_everybody_gets_roles_and_a_link(self, own, engine, session, visitor):
        rows = [
            row(1),
            row(2, unit="finance-2", role="reader", until="2199-01-01"),
            row(3, unit="justice-1", name="李四", username="", email="lisi@example.cn"),
        ]
        first, second = invite_list(session, visitor(), rows)
        assert (first.username, second.username, second.email) == (
            "zhangsan",
            "lisi",
            "lisi@example.cn",
        )
        held = session.execute(
            sa.select(UserRole.organization_id, UserRole.role, UserRole.until_on)
            .where(UserRole.user_id == first.user_id)
            .order_by(UserRole.id)
        ).all()
        assert [tuple(one) for one in held] == [
            (own.units["finance-1"], "recorder", None),
            (own.units["finance-2"], "reader", date(2199, 1, 1)),
        ]
        entries = sa.select(AuditEntry.action).where(AuditEntry.subject == "zhangsan")
        assert set(session.scalars(entries)) == {"user.invite", "role.grant", "link.make"}
        session.rollback()
        with ScopedSession(engine) as fresh:
            assert use_link(fresh, first.secret, NEW).startswith("zhangsan@")

    def test_all_or_nobody_with_every_problem_at_its_row(self, session, visitor):
        before = session.scalar(sa.select(sa.func.count()).select_from(User))
        rows = [
            row(1),
            row(2, unit="nowhere"),
            row(3, username="department"),
            row(4, username="with space", name=""),
            row(5, username="wang", email="no address"),
            row(6, username="zhao", role="主任"),
            row(7, username="qian", role="审计员"),
            row(8, username="sun", until="2001-01-01"),
            row(9, username="zhou", until="soon"),
            row(10),
            row(11, unit="finance-2", name="另一个张三"),
            row(12, username="", email=""),
        ]
        with pytest.raises(BadInput):
            invite_list(session, visitor(), rows)
        assert session.scalar(sa.select(sa.func.count()).select_from(User)) == before
        assert problems(session, visitor(), *rows) == [
            ("/rows/1/unit", "unknown"),
            ("/rows/3/username", "malformed"),
            ("/rows/3/name", "malformed"),
            ("/rows/4/email", "malformed"),
            ("/rows/5/role", "unknown_role"),
            ("/rows/6/role", "root_only"),
            ("/rows/7/until_on", "past"),
            ("/rows/8/until_on", "malformed"),
            ("/rows/9/role", "repeated"),
            ("/rows/10/username", "differs"),
            ("/rows/11/username", "malformed"),
            ("/rows/2/username", "taken"),
        ]

    def test_units_of_others_are_as_unknown_as_none(self, own, session, visitor):
        place = [("administrator", own.units["finance"])]
        create_user(session, ACTOR, "local", "本级", place, password="Plain-words-2021")
        rows = [row(1), row(2, unit="justice-1"), row(3, unit="root"), row(4, unit="nowhere")]
        refused = problems(session, visitor("local"), *rows)
        assert refused == [(f"/rows/{number}/unit", "unknown") for number in (1, 2, 3)]
        assert problems(session, visitor("secretary"), row(1)) == [("/rows/0/unit", "unknown")]

    def test_nobody_is_two_of_the_three_administrators(self, own, session, visitor):
        root = [("security_administrator", own.units["root"])]
        create_user(session, ACTOR, "security", "安全", root, password="Plain-words-2021")
        set_policy(session, ACTOR, separated=True)
        rows = [row(1, role="系统管理员"), row(2, role="安全管理员")]
        refused = problems(session, visitor("security"), *rows)
        assert refused == [("/rows/0/role", "held_together"), ("/rows/1/role", "held_together")]

    def test_as_few_questions_for_many_as_for_one(self, session, visitor, engine):
        counted = []

        def asked(rows):
            counted.clear()
            sa.event.listen(engine, "before_cursor_execute", note)
            try:
                check_list(session, somebody, rows)
            finally:
                sa.event.remove(engine, "before_cursor_execute", note)
            return len(counted)

        def note(_connection, _cursor, statement, *_rest):
            counted.append(statement)

        somebody = visitor()
        rows = [row(number, username=f"user{number}") for number in range(200)]
        assert asked(rows) == asked(rows[:1])

    def test_new_links_for_who_did_not_come(self, session, engine, visitor, own):
        [first] = invite_list(session, visitor(), [row(1)])
        assert [one.username for one in waiting(session, visitor())] == ["zhangsan"]
        [again] = invite_again(session, visitor())
        session.rollback()
        with ScopedSession(engine) as fresh:
            with pytest.raises(LinkRefused):
                use_link(fresh, first.secret, NEW)
            use_link(fresh, again.secret, NEW)
        assert waiting(session, visitor()) == []

    def test_and_only_of_ones_own_part(self, own, session, visitor):
        place = [("administrator", own.units["finance"])]
        create_user(session, ACTOR, "local", "本级", place, password="Plain-words-2021")
        rows = [
            row(1),
            row(2, unit="justice-1", username="lisi", name="李四"),
            row(3, unit="finance-1", username="both", name="王五"),
            row(4, unit="justice-1", username="both", name="王五"),
        ]
        invite_list(session, visitor(), rows)
        assert [one.username for one in waiting(session, visitor("local"))] == ["zhangsan"]
        assert [one.username for one in invite_again(session, visitor("local"))] == ["zhangsan"]

    def test_the_empty_list_names_units_without_anybody(self, session, visitor):
        assert [entry[0] for entry in empty_list(session, visitor())] == [
            "finance-2",
            "justice",
            "justice-1",
        ]
        assert [entry[5] for entry in empty_list(session, visitor())] == [
            "填报人",
            "系统管理员",
            "填报人",
        ]
