"""Links by mail: invitations, and passwords that were forgotten."""

import re

import pytest
import sqlalchemy as sa

from guiju.accounts.mailing import mail_forgotten
from guiju.db import ScopedSession, tenant_scope

PASSWORD = "Plain-words-2021"
NEW = "Other-words-2022"
LINK = re.compile(r"https://guiju\.example(/links/[\w-]+)")


@pytest.fixture
def variables(smtp_url):
    return {
        "GUIJU_SMTP_URL": smtp_url,
        "GUIJU_MAIL_FROM": "guiju@example.cn",
        "GUIJU_PUBLIC_URL": "https://guiju.example",
    }


@pytest.fixture
def mailing(make_app, variables):
    """An application with a mail server."""
    return make_app(**variables)


@pytest.fixture
def own(create_office, engine):
    office = create_office()
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        session.execute(
            sa.text("UPDATE users SET email = 'li@example.cn' WHERE username = 'secretary'")
        )
        session.commit()
    return office


@pytest.fixture
def work(environment, variables, monkeypatch):
    """Do what a worker does with what was asked for."""

    def work(name):
        for key, value in {**environment, **variables}.items():
            monkeypatch.setenv(key, value)
        mail_forgotten(name)

    return work


def test_a_forgotten_password_is_replaced_by_mail(mailing, own, submit, work, letterbox):
    client = mailing.test_client()
    assert "忘记密码" in client.get("/sign-in").text
    page = "/sign-in/forgotten"
    answers = [
        submit(client, page, page, username=name).text
        for name in (own.users["secretary"], "nobody@nowhere")
    ]
    assert answers[0] == answers[1]
    for name in ("nobody@nowhere", own.users["auditor"], own.users["secretary"]):
        work(name)
    assert letterbox.recipients == [["li@example.cn"]]
    link = LINK.search(letterbox.messages[0].get_content())[1]
    assert submit(client, link, link, password=NEW, again=NEW).status_code == 302
    # Not again within minutes.
    work(own.users["secretary"])
    assert len(letterbox.messages) == 1


def test_without_a_mail_server_there_is_no_such_page(client):
    assert "忘记密码" not in client.get("/sign-in").text
    assert client.get("/sign-in/forgotten").status_code == 404


def test_asking_for_another_voids_nothing_that_was_made_for_them(
    mailing, own, submit, work, engine
):
    client = mailing.test_client()
    fields = {"username": own.users["department"], "password": PASSWORD}
    submit(client, "/sign-in", "/sign-in", **fields)
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        number = session.scalar(sa.text("SELECT id FROM users WHERE username = 'secretary'"))
    page = f"/people/{number}"
    link = LINK.search(submit(client, page + "/link", page).text)[1]
    work(own.users["secretary"])
    assert mailing.test_client().get(link).status_code == 200


def test_an_invitation_is_mailed_and_shown(mailing, own, submit, letterbox):
    client = mailing.test_client()
    fields = {"username": own.users["department"], "password": PASSWORD}
    submit(client, "/sign-in", "/sign-in", **fields)
    page = "/people/invite"
    person = {"username": "new", "name": "新人", "unit": "finance", "roles": ["reader"]}
    answer = submit(client, page, page, **person, email="new@example.cn")
    shown = LINK.search(answer.text)[1]
    assert "链接已发到 new@example.cn" in answer.text
    [message] = letterbox.messages
    assert LINK.search(message.get_content())[1] == shown
    assert "新人" in message.get_content()
