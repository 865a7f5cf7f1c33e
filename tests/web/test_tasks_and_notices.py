"""Asking units to act, taking it back, answering; and telling users, by mail once a day."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from guiju import clock
from guiju.accounts.models import Delegation, User, UserRole
from guiju.accounts.operations import create_user
from guiju.accounts.visitors import find_visitor
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.config import load_settings
from guiju.db import ScopedSession, tenant_scope
from guiju.decisions.models import Task
from guiju.notices.digests import send_digests
from guiju.notices.models import Notice, NoticeSetting
from guiju.notices.operations import notify_unit
from guiju.notices.reminders import remind
from guiju.organizations.models import Organization
from guiju.scoring.operations import drain
from guiju.web.exports import harmless

ACTOR = Actor("test")
PASSWORD = "Plain-words-2021"
AS_OF = date(2021, 11, 10)
THEME_DAY = "xian.theme_day.monthly"


@pytest.fixture(scope="module")
def packs(app):
    return app.extensions["guiju_plugins"].packs


@pytest.fixture(scope="module")
def ours(create_office, engine, packs):
    office = create_office(recorded=True)
    at = "@" + office.tenant.sign_in_name.partition("@")[2]
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        for name, role, unit in (
            ("second", "recorder", "finance-2"),
            ("elsewhere", "administrator", "justice"),
        ):
            unit_id = office.units[unit]
            create_user(session, ACTOR, name, name, [(role, unit_id)], password=PASSWORD)
            office.users[name] = name + at
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    return office


@pytest.fixture(scope="module")
def client(ours, sign_in):
    known = {}
    return lambda name: known.setdefault(name, sign_in(name, ours))


@pytest.fixture
def session(engine, ours):
    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        yield session


def token(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/notices").text)[1]


def row(ours, unit="finance-2", requirement=THEME_DAY, period="2021-03"):
    return json.dumps([ours.units[unit], requirement, None, period])


def ask(client, ours, items, kind="ask_reason", *, at="root", **given):
    where = f"/organizations/{ours.units[at]}/tasks"
    fields = {"csrf_token": token(client), "item": items, "kind": kind, **given}
    return client.post(where, data=fields)


def newest(session):
    session.rollback()
    return session.scalars(sa.select(Task).order_by(Task.id.desc()).limit(1)).one()


def test_the_unit_is_asked_answers_and_it_is_closed(client, ours, session):
    department, branch = client("department"), client("second")
    answer = ask(department, ours, [row(ours)], text="请说明三月情况。")
    assert answer.status_code == 302
    task = newest(session)
    assert (task.kind, task.state, task.requirement) == ("ask_reason", "open", THEME_DAY)

    assert "请说明三月情况。" in branch.get("/notices").text
    notice = session.scalars(sa.select(Notice.id).where(Notice.kind == "ask_reason")).one()
    followed = branch.get(f"/notices/{notice}")
    own = f"/organizations/{ours.units['finance-2']}/tasks"
    assert followed.location == f"{own}#t{task.id}"
    assert "请说明三月情况。" in branch.get(own).text

    def act(somebody, action, text):
        fields = {"csrf_token": token(somebody), "action": action, "text": text}
        return somebody.post(f"{own}/{task.id}", data=fields)

    empty = act(branch, "answer", " ")
    assert empty.status_code == 422
    assert "请写明情况或理由" in empty.text
    assert act(branch, "close", "好").status_code == 403
    assert act(department, "answer", "替他们答复。").status_code == 403
    assert act(client("secretary"), "answer", "不是我们单位的事。").status_code == 404
    assert act(branch, "answer", "三月封控，未能集中。").status_code == 302
    assert "三月封控，未能集中。" in department.get(own).text
    assert act(department, "send_back", "请补充四月补开情况。").status_code == 302
    assert "请补充四月补开情况。" in branch.get(own).text
    assert act(branch, "answer", "四月十日已补开。").status_code == 302
    assert act(department, "close", "").status_code == 302
    assert newest(session).state == "closed"
    kinds = session.scalars(sa.select(Notice.kind).order_by(Notice.id)).all()
    assert {"ask_reason", "answered", "sent_back", "closed"} <= set(kinds)


def test_what_was_asked_is_taken_back_as_if_it_had_not_been(client, ours, session):
    department = client("department")
    items = [row(ours), row(ours, period="2021-04")]
    page = ask(department, ours, items, "remind", text="四月的也看一下。")
    assert "撤回" in department.get(page.location).text
    batch = newest(session).batch
    told = sa.select(Notice).where(Notice.kind == "remind")
    assert len(session.scalars(told).all()) == 2

    where = f"/organizations/{ours.units['root']}/tasks/undo"
    other = client("elsewhere")
    fields = {"csrf_token": token(other), "batch": batch}
    assert other.post(where, data=fields).status_code == 404
    fields = {"csrf_token": token(department), "batch": batch}
    assert department.post(where, data=fields).status_code == 302
    session.rollback()
    assert session.scalars(told).all() == []
    assert "四月的也看一下。" not in client("second").get("/notices").text
    assert newest(session).state == "undone"
    # Not twice.
    department.post(where, data={"csrf_token": token(department), "batch": batch})
    assert newest(session).state == "undone"


def test_after_a_while_it_is_not_taken_back(client, ours, session):
    department = client("department")
    ask(department, ours, [row(ours)], "remind")
    task = newest(session)
    task.made_at = datetime.now(UTC) - timedelta(minutes=31)
    session.commit()
    where = f"/organizations/{ours.units['root']}/tasks"
    fields = {"csrf_token": token(department), "batch": newest(session).batch}
    department.post(f"{where}/undo", data=fields)
    assert newest(session).state == "closed"
    assert "不能撤回" in department.get(where).text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "rectify"}, "请写明整改时限"),
        ({"kind": "rectify", "due_on": "2001-01-01"}, "时限不能早于今天"),
        ({"kind": "praise"}, "请选择要做什么"),
        ({"kind": "remind", "text": "长" * 2001}, "至多 2000 个字"),
    ],
)
def test_what_is_missing_is_said(client, ours, session, given, message):
    before = session.scalar(sa.select(sa.func.count()).select_from(Task))
    answer = ask(client("department"), ours, [row(ours)], **given)
    assert answer.status_code == 422
    assert message in answer.text
    assert given.get("text", "") in answer.text
    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Task)) == before


def test_who_may_not_ask(client, ours, session):
    before = session.scalar(sa.select(sa.func.count()).select_from(Task))
    assert ask(client("committee"), ours, [row(ours)], at="finance").status_code == 403
    assert ask(client("second"), ours, [row(ours)], at="finance-2").status_code == 403
    assert ask(client("elsewhere"), ours, [row(ours)], at="justice").status_code == 404
    # What does not fall short cannot be asked about.
    assert ask(client("department"), ours, [row(ours, period="2021-05")]).status_code == 422
    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Task)) == before
    assert (
        "data-batch"
        not in client("committee").get(f"/organizations/{ours.units['finance']}/attention").text
    )


# -- telling users ---------------------------------------------------------------------------


def test_what_falls_due_is_told_once_a_day(session, ours):
    day = date(2021, 11, 25)
    users = dict(session.execute(sa.select(User.username, User.id)).all())
    assert remind(session, day) == 2
    assert remind(session, day) == 0
    found = session.scalars(sa.select(Notice).where(Notice.kind == "due")).all()
    # Those who keep the records of a unit; nobody for units merely below theirs.
    assert {notice.user_id for notice in found} == {users["secretary"], users["second"]}
    details = found[0].details
    assert details["number"] >= len(details["items"]) > 0
    assert all("2021-11-25" <= due <= "2021-12-02" for _, _, due in details["items"])
    # Tomorrow's takes the place of what nobody read.
    assert remind(session, day + timedelta(days=1)) == 2
    assert len(session.scalars(sa.select(Notice).where(Notice.kind == "due")).all()) == 2


@pytest.fixture
def settings(environment, smtp_url):
    return load_settings(
        {
            **environment,
            "GUIJU_SMTP_URL": smtp_url,
            "GUIJU_MAIL_FROM": "guiju@example.cn",
            "GUIJU_PUBLIC_URL": "https://guiju.example.cn",
        }
    )


@pytest.fixture
def addressed(session):
    """Two users with addresses and something new to read; nobody has had a digest."""
    session.execute(sa.delete(Notice))
    session.execute(sa.delete(NoticeSetting))
    for name in ("secretary", "second"):
        changed = sa.update(User).where(User.username == name)
        session.execute(changed.values(email=f"{name}@example.cn"))
    session.commit()
    remind(session, date(2021, 11, 25))


def test_a_digest_a_day(session, settings, packs, letterbox, addressed):
    day = date(2021, 11, 25)
    assert send_digests(session, settings, packs, day) == 2
    assert send_digests(session, settings, packs, day) == 0
    # Nothing new the next day, so nothing is sent.
    assert send_digests(session, settings, packs, day + timedelta(days=1)) == 0
    assert sorted(letterbox.recipients) == [["second@example.cn"], ["secretary@example.cn"]]
    text = letterbox.messages[0].get_content()
    assert "https://guiju.example.cn/notices" in text
    assert "到期" in text
    assert "党员" + "1" not in text
    remind(session, day + timedelta(days=1))
    assert send_digests(session, settings, packs, day + timedelta(days=1)) == 2


def test_who_opted_out_has_no_mail_and_others_have_their_language(
    client, session, settings, packs, letterbox, addressed
):
    def choose(name, **given):
        somebody = client(name)
        somebody.post("/notices/settings", data={"csrf_token": token(somebody), **given})

    choose("second", language="zh")
    choose("secretary", language="en", by_mail="1")
    assert send_digests(session, settings, packs, date(2021, 11, 25)) == 1
    [message] = letterbox.messages
    assert message["To"] == "secretary@example.cn"
    assert message["Subject"].startswith("Guiju: ")
    assert not re.search("到期|查看并处理", message.get_content())


def test_a_server_that_is_busy_is_asked_again_on_the_same_day(
    session, settings, packs, letterbox, addressed
):
    letterbox.busy = True
    assert send_digests(session, settings, packs, date(2021, 11, 25)) == 0
    letterbox.busy = False
    assert send_digests(session, settings, packs, date(2021, 11, 25)) == 2


def test_an_address_that_is_refused_keeps_nobody_else_waiting(
    session, settings, packs, letterbox, addressed
):
    letterbox.refused.add("secretary@example.cn")
    assert send_digests(session, settings, packs, date(2021, 11, 25)) == 1
    assert letterbox.recipients == [["second@example.cn"]]


def test_without_a_server_nothing_is_sent(session, environment, packs, addressed):
    assert send_digests(session, load_settings(environment), packs, date(2021, 11, 25)) == 0
    told = sa.select(sa.func.count()).select_from(NoticeSetting)
    assert session.scalar(told) == 0


def test_notices_are_read_by_their_owner_alone(client, session, addressed):
    secretary, second = client("secretary"), client("second")
    assert 'class="bell-count"' in secretary.get("/notices").text
    mine = session.scalars(
        sa.select(Notice.id)
        .join(User, sa.and_(User.tenant_id == Notice.tenant_id, User.id == Notice.user_id))
        .where(User.username == "secretary")
    ).one()
    assert second.get(f"/notices/{mine}").status_code == 404
    secretary.post("/notices/read", data={"csrf_token": token(secretary)})
    assert 'class="bell-count"' not in secretary.get("/notices").text
    assert 'class="bell-count"' in second.get("/notices").text


# -- lists as files --------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["attention", "desk", "desk/matters", "tasks"])
def test_lists_are_taken_along(client, ours, session, page):
    somebody, where = client("department"), f"/organizations/{ours.units['finance']}/{page}"
    book = somebody.get(f"{where}?format=xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    answer = somebody.get(f"{where}?format=csv")
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == len(lines)
    assert rows[0] == lines[0]
    assert not any("司法局" in cell for line in lines for cell in line)
    taken = sa.select(AuditEntry.after).where(AuditEntry.action == "list.export")
    formats = [after["format"] for after in session.scalars(taken) if page in after["address"]]
    assert {"xlsx", "csv"} <= set(formats)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert harmless(text) == f"'{text}"
    assert harmless("平常的字") == "平常的字"
    assert harmless(-1) == "-1"


# -- in another's stead ----------------------------------------------------------------------


@pytest.fixture
def delegated(session, ours, addressed):
    """``second`` does the secretary's work for some days; the delegation."""
    users = dict(session.execute(sa.select(User.username, User.id)).all())
    role = sa.select(UserRole.id).where(UserRole.user_id == users["secretary"])
    today = clock.today()
    delegation = Delegation(
        role_id=session.scalars(role).one(),
        user_id=users["second"],
        from_on=today,
        until_on=today + timedelta(days=3),
    )
    session.add(delegation)
    session.execute(sa.delete(Notice))
    session.commit()
    yield delegation
    session.rollback()
    session.execute(sa.delete(Delegation))
    session.commit()


@pytest.fixture
def remind_unit(session, ours):
    """Remind those who keep a unit's records, as the department would."""

    def remind_unit(code, key):
        number = session.scalars(sa.select(User.id).where(User.username == "department")).one()
        visitor = find_visitor(session, ours.tenant.tenant_id, number)
        unit = session.get_one(Organization, (ours.tenant.tenant_id, ours.units[code]))
        details = {"key": key, "requirement": THEME_DAY, "text": "请尽快"}
        notify_unit(session, visitor, unit, "remind", details)
        session.commit()

    return remind_unit


def told_about(session, ours, name, code):
    session.rollback()
    return session.scalars(
        sa.select(Notice.kind)
        .join(User, User.id == Notice.user_id)
        .where(User.username == name, Notice.organization_id == ours.units[code])
    ).all()


def test_who_stands_in_is_told_what_the_other_is_told(
    client, session, ours, settings, packs, letterbox, delegated, remind_unit
):
    remind_unit("finance-1", "first")
    remind(session, date(2021, 11, 25))
    for name in ("secretary", "second"):
        assert sorted(told_about(session, ours, name, "finance-1")) == ["due", "remind"]
    assert told_about(session, ours, "secretary", "finance-2") == []
    assert "市财政局第一党支部" in client("second").get("/notices").text
    assert send_digests(session, settings, packs, date(2021, 11, 25)) == 2
    [mine] = [found for found in letterbox.messages if found["To"] == "second@example.cn"]
    assert "市财政局第一党支部" in mine.get_content()


@pytest.mark.parametrize(
    "over",
    [
        {"ended_at": sa.func.now()},
        {"from_on": date(2021, 1, 1), "until_on": date(2021, 1, 9)},
        {"from_on": date(2199, 1, 1), "until_on": date(2199, 1, 9)},
    ],
)
def test_and_for_that_time_alone(client, session, ours, delegated, remind_unit, over):
    remind_unit("finance-1", "first")
    assert told_about(session, ours, "second", "finance-1") == ["remind"]
    assert 'class="bell-count"' in client("second").get("/notices").text
    session.execute(sa.update(Delegation).values(**over))
    session.commit()
    # What was told meanwhile is about a unit that is not theirs any more.
    page = client("second").get("/notices").text
    assert "市财政局第一党支部" not in page
    assert 'class="bell-count"' not in page
    remind(session, date(2021, 11, 25))
    remind_unit("finance-1", "second")
    assert told_about(session, ours, "second", "finance-1") == ["remind"]
