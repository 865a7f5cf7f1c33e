"""The pages on which a department invites the administrators of all its units."""

import io
import re

import openpyxl
import pytest
import sqlalchemy as sa

from guiju import background
from guiju.accounts.invitation_lists import read_text
from guiju.accounts.inviting import invite_list
from guiju.accounts.links import find_link
from guiju.accounts.models import AccountLink, User
from guiju.accounts.visitors import find_visitor
from guiju.db import ScopedSession, tenant_scope
from guiju.jobs.models import Job

PAGE = "/people/invite-list"
TEXT = (
    "单位编号,姓名,用户名,邮箱,角色\n"
    "finance-1,张三,zhangsan,,填报人\n"
    "finance-2,李四,,lisi@example.cn,填报人\n"
)


@pytest.fixture
def own(create_office):
    return create_office()


@pytest.fixture
def client(own, sign_in):
    return sign_in("department", own)


def listed(page) -> str:
    """What the form that confirms carries."""
    return re.search(r'<textarea name="list" hidden>(.*?)</textarea>', page.text, re.DOTALL)[1]


def links(answer):
    assert answer.mimetype.endswith("sheet")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.values)
    return rows[1:]


def users(engine, own):
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        return set(session.scalars(sa.select(User.username)))


def test_a_list_is_seen_and_then_everybody_invited(own, client, submit, engine):
    seen = submit(client, f"{PAGE}/preview", PAGE, list=TEXT)
    assert seen.status_code == 200
    assert "将邀请 2 人，涉及 2 个单位" in seen.text
    assert "zhangsan" not in users(engine, own)
    answer = submit(client, f"{PAGE}/confirm", PAGE, list=listed(seen))
    assert answer.status_code == 200
    first, second = links(answer)
    assert first[:3] == (
        "张三",
        "zhangsan@" + own.users["department"].partition("@")[2],
        "市财政局第一党支部 · 填报人",
    )
    with ScopedSession(engine) as session:
        for name, line in (("张三", first), ("李四", second)):
            secret = line[3].rpartition("/links/")[2]
            assert find_link(session, secret).name == name
    # Pressed twice, nobody is invited twice.
    again = submit(client, f"{PAGE}/confirm", PAGE, list=listed(seen))
    assert again.status_code == 422
    assert "这个用户名已被使用" in again.text


def test_a_workbook_is_uploaded(own, client, submit):
    template = client.get(f"{PAGE}/template")
    book = openpyxl.load_workbook(io.BytesIO(template.data))
    assert [row[0] for row in book.active.iter_rows(min_row=2, values_only=True)] == [
        "finance-2",
        "justice",
        "justice-1",
    ]
    book.active["C3"], book.active["D3"] = "王五", "wangwu"
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    seen = submit(client, f"{PAGE}/preview", PAGE, file=(out, "名单.xlsx"))
    assert "将邀请 1 人，涉及 1 个单位" in seen.text
    assert "市司法局机关党委 · 系统管理员" in seen.text


def test_what_is_wrong_is_told_row_by_row(own, client, submit, engine):
    text = TEXT + "nowhere,王五,wangwu,,填报人\n"
    answer = submit(client, f"{PAGE}/preview", PAGE, list=text)
    assert answer.status_code == 422
    assert "第 4 行" in answer.text
    assert "没有这个编号的单位" in answer.text
    # What was pasted is still there.
    assert "wangwu" in answer.text
    assert submit(client, f"{PAGE}/confirm", PAGE, list=text).status_code == 422
    assert not {"zhangsan", "wangwu"} & users(engine, own)


def test_a_list_that_is_none_is_told(client, submit):
    answer = submit(client, f"{PAGE}/preview", PAGE, file=(io.BytesIO(b"PK\x03\x04"), "a.xlsx"))
    assert answer.status_code == 422
    assert "整个名单" in answer.text
    assert submit(client, f"{PAGE}/preview", PAGE, list="").status_code == 422


def test_who_did_not_come_gets_a_new_link(own, client, submit):
    assert "还没有接受邀请的" not in client.get(PAGE).text
    submit(client, f"{PAGE}/confirm", PAGE, list=TEXT)
    assert "2 人还没有设置密码" in client.get(PAGE).text
    assert len(links(submit(client, f"{PAGE}/again", PAGE))) == 2


@pytest.mark.parametrize("name", ["committee", "secretary", "auditor"])
def test_only_who_manages_accounts(own, sign_in, submit, name):
    client = sign_in(name, own)
    assert client.get(PAGE).status_code == 404
    assert client.get(f"{PAGE}/template").status_code == 404
    assert submit(client, f"{PAGE}/confirm", "/account", list=TEXT).status_code == 404


def test_links_are_mailed_to_who_has_an_address(
    own, make_app, submit, engine, environment, smtp_url, letterbox, monkeypatch
):
    mailing = {
        "GUIJU_SMTP_URL": smtp_url,
        "GUIJU_MAIL_FROM": "guiju@example.cn",
        "GUIJU_PUBLIC_URL": "https://guiju.example.cn",
    }
    client = make_app(**mailing).test_client()
    fields = {"username": own.users["department"], "password": "Plain-words-2021"}
    submit(client, "/sign-in", "/sign-in", **fields)
    answer = submit(client, f"{PAGE}/confirm", PAGE, list=TEXT, by_mail="yes")
    assert [line[0] for line in links(answer)] == ["张三"]
    for name, value in {**environment, **mailing}.items():
        monkeypatch.setenv(name, value)
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        job = session.scalars(sa.select(Job.id).where(Job.kind == "mail_invitations")).one()
    background.run(own.tenant.tenant_id, job)
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        assert session.scalar(sa.select(Job.result).where(Job.id == job)) == {"sent": 1}
        made = sa.select(sa.func.count()).select_from(AccountLink)
        assert session.scalar(made) == 2
    [message] = letterbox.messages
    assert message["To"] == "lisi@example.cn"
    secret = re.search(r"/links/([\w-]+)", message.get_content())[1]
    with ScopedSession(engine) as session:
        assert find_link(session, secret).name == "李四"


def test_without_a_server_the_job_says_so_and_makes_no_link(
    own, client, engine, environment, monkeypatch
):
    scope = tenant_scope(own.tenant.tenant_id)
    with scope, ScopedSession(engine) as session:
        number = session.scalars(sa.select(User.id).where(User.username == "department")).one()
        visitor = find_visitor(session, own.tenant.tenant_id, number)
        invite_list(session, visitor, read_text(TEXT), by_mail=True)
        job = session.scalars(sa.select(Job.id)).one()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    background.run(own.tenant.tenant_id, job)
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        assert "邮件服务器不可用" in session.scalar(sa.select(Job.error))
        assert session.scalar(sa.select(sa.func.count()).select_from(AccountLink)) == 1
