"""The platform's support reads what a tenant let it read, and nothing else."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from guiju.accounts.models import SupportAccess, User, UserSession
from guiju.accounts.operations import create_user
from guiju.accounts.policies import set_policy
from guiju.accounts.support import SupportRefused, find_offer, redeem
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope

CODE = re.compile(r'<code class="secret" translate="no">(\d+-[\w-]{43})</code>')
OPERATOR = Actor("cli:operator")
GRANTED = {"unit": "市财政局机关党委", "purpose": "九月的记录没有计入", "hours": "2"}


@pytest.fixture
def own(create_office):
    """An office of the test's own, with a year of records."""
    return create_office(recorded=True)


@pytest.fixture
def grant(sign_in, submit):
    """Grant an access as the department; the code."""

    def grant(office, **fields):
        client = sign_in("department", office)
        answer = submit(client, "/people/support", "/people/support", **{**GRANTED, **fields})
        assert answer.status_code == 200, answer.text
        return CODE.search(answer.text)[1]

    return grant


@pytest.fixture
def enter(app, engine, submit):
    """Redeem a code and open the link; the browser of support."""

    def enter(code, name="王支持"):
        with ScopedSession(engine) as session:
            secret = redeem(session, OPERATOR, code, name)
        client = app.test_client()
        answer = submit(client, f"/support/{secret}", f"/support/{secret}")
        assert answer.status_code == 302, answer.text
        return client

    return enter


@pytest.fixture
def inside(engine):
    """A session in an office's scope."""

    def inside(office):
        return tenant_scope(office.tenant.tenant_id), ScopedSession(engine)

    return inside


def entries(inside, office, prefix="support."):
    scope, session = inside(office)
    with scope, session:
        rows = session.scalars(
            sa.select(AuditEntry)
            .where(AuditEntry.action.startswith(prefix))
            .order_by(AuditEntry.id)
        ).all()
        session.expunge_all()
        return rows


def change(inside, office, **values):
    """Change the access that there is."""
    scope, session = inside(office)
    with scope, session:
        session.execute(sa.update(SupportAccess).values(**values))
        session.commit()


class TestReading:
    def test_the_granted_part_and_no_other(self, own, grant, enter):
        client = enter(grant(own))
        front = client.get("/", follow_redirects=True)
        assert front.status_code == 200
        assert "平台支持访问，只读" in front.text
        assert "九月的记录没有计入" in front.text
        assert "市司法局" not in front.text
        for code in ("finance", "finance-1"):
            assert client.get(f"/organizations/{own.units[code]}").status_code == 200
        absent = client.get(f"/organizations/{2**40}")
        for code in ("justice", "justice-1", "root"):
            assert client.get(f"/organizations/{own.units[code]}").status_code == 404
        assert absent.status_code == 404

    def test_names_of_members_stay_masked(self, own, grant, enter):
        client = enter(grant(own, unit="市财政局第一党支部"))
        for page in ("organizations/{}", "organizations/{}/members", "organizations/{}/records"):
            answer = client.get("/" + page.format(own.units["finance-1"]))
            assert answer.status_code == 200, page
            assert "党员1" not in answer.text, page

    def test_nothing_can_be_done(self, own, grant, enter, submit):
        client = enter(grant(own))
        home = f"/organizations/{own.units['finance']}"
        for address in ("/account", "/account/tokens", "/people/support", "/people/invite"):
            assert submit(client, address, home, name="x").status_code == 403, address
        for address in ("/account", "/account/tokens", "/people", "/notices", "/data"):
            assert client.get(address).status_code == 404, address

    def test_every_link_shown_leads_somewhere(self, own, grant, enter):
        client = enter(grant(own))
        todo, seen = ["/"], set()
        while todo and len(seen) < 60:
            page = todo.pop(0)
            if page in seen:
                continue
            seen.add(page)
            answer = client.get(page, follow_redirects=True, buffered=True)
            assert answer.status_code == 200, page
            if answer.mimetype != "text/html":
                continue
            # A few rows of each list are enough.
            found = re.findall(r'<a [^>]*href="(/[^"#]*)', answer.text)[:25]
            todo += [link.replace("&amp;", "&") for link in found if link != "/sign-in"]
        assert len(seen) > 20

    def test_every_request_is_in_the_audit_trail(self, own, grant, enter, inside):
        client = enter(grant(own))
        page = f"/organizations/{own.units['finance-1']}"
        client.get(page)
        client.get(f"/organizations/{own.units['justice-1']}")
        told = entries(inside, own)
        assert [entry.action for entry in told] == [
            "support.grant",
            "support.open",
            "support.enter",
            *["support.request"] * 2,
        ]
        granted, opened, entered, *requests = told
        assert granted.after["purpose"] == GRANTED["purpose"]
        assert (opened.actor, opened.after) == ("cli:operator", {"name": "王支持"})
        assert {entry.actor for entry in (entered, *requests)} == {"平台支持（王支持）"}
        assert requests[0].subject == page
        assert requests[1].subject == f"/organizations/{own.units['justice-1']}"


class TestEnding:
    def test_revocation_ends_a_running_session(self, own, grant, enter, sign_in, submit, inside):
        code = grant(own)
        client = enter(code)
        assert client.get("/", follow_redirects=True).status_code == 200
        department = sign_in("department", own)
        listed = department.get("/people/support").text
        assert "王支持" in listed
        [address] = re.findall(r"/people/support/\d+/revoke", listed)
        assert submit(department, address, "/people/support").status_code == 302
        answer = client.get(f"/organizations/{own.units['finance']}")
        assert (answer.status_code, "/sign-in" in answer.location) == (302, True)
        assert "立即收回" not in department.get("/people/support").text
        assert entries(inside, own)[-1].action == "support.revoke"

    def test_expiry_ends_a_running_session(self, own, grant, enter, inside):
        client = enter(grant(own))
        change(inside, own, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert client.get(f"/organizations/{own.units['finance']}").status_code == 302
        scope, session = inside(own)
        with scope, session:
            assert session.scalars(sa.select(UserSession.ended_at)).all()[-1] is None

    @pytest.mark.parametrize(
        "over",
        [
            {"expires_at": datetime(2021, 1, 1, tzinfo=UTC)},
            {"ended_at": datetime(2021, 1, 1, tzinfo=UTC)},
        ],
    )
    def test_a_code_that_is_over_opens_nothing(self, own, grant, engine, inside, over):
        code = grant(own)
        change(inside, own, **over)
        with ScopedSession(engine) as session, pytest.raises(SupportRefused):
            redeem(session, OPERATOR, code, "王支持")

    def test_a_link_works_once_and_for_minutes(self, app, own, grant, engine, submit, inside):
        code = grant(own)
        with ScopedSession(engine) as session:
            first = redeem(session, OPERATOR, code, "王支持")
            second = redeem(session, OPERATOR, code, "李支持")
            assert find_offer(session, first) is None
            assert find_offer(session, second).opened_by == "李支持"
            assert find_offer(session, code) is None
        client = app.test_client()
        assert client.get(f"/support/{code}").status_code == 404
        assert submit(client, f"/support/{second}", f"/support/{second}").status_code == 302
        assert app.test_client().get(f"/support/{second}").status_code == 404
        with ScopedSession(engine) as session:
            third = redeem(session, OPERATOR, code, "王支持")
            change(inside, own, link_expires_at=datetime.now(UTC))
            assert find_offer(session, third) is None

    def test_coming_in_anew_ends_the_session_before(self, own, grant, enter):
        code = grant(own)
        first = enter(code)
        second = enter(code)
        assert first.get(f"/organizations/{own.units['finance']}").status_code == 302
        assert second.get(f"/organizations/{own.units['finance']}").status_code == 200

    def test_nothing_extends_it(self, own, grant, enter, inside):
        client = enter(grant(own))
        scope, session = inside(own)
        with scope, session:
            [before] = session.scalars(sa.select(SupportAccess.expires_at))
        for _again in range(3):
            client.get(f"/organizations/{own.units['finance']}")
        client.post("/people/support", data=GRANTED)
        scope, session = inside(own)
        with scope, session:
            assert session.scalars(sa.select(SupportAccess.expires_at)).all() == [before]
        assert before - datetime.now(UTC) <= timedelta(hours=2)


class TestGranting:
    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"purpose": " "}, "请写明用途"),
            ({"purpose": "长" * 201}, "请写明用途"),
            ({"hours": "73"}, "应为 1 至 72 小时"),
            ({"hours": "0"}, "应为 1 至 72 小时"),
            ({"hours": "x"}, "应为整数"),
            ({"unit": "没有这个单位"}, "没有找到这个单位"),
        ],
    )
    def test_what_is_wrong_stands_at_the_field(self, office, sign_in, submit, fields, text):
        client = sign_in("department")
        answer = submit(client, "/people/support", "/people/support", **{**GRANTED, **fields})
        assert answer.status_code == 422
        assert text in answer.text

    @pytest.mark.parametrize("name", ["committee", "secretary", "auditor"])
    def test_only_who_manages_accounts(self, sign_in, name):
        client = sign_in(name)
        assert client.get("/people/support").status_code == 404
        assert 'href="/people/support"' not in client.get("/", follow_redirects=True).text

    def test_within_ones_own_part(self, own, engine, grant, sign_in, submit, inside):
        grant(own, unit="市司法局机关党委")
        scope, session = inside(own)
        with scope, session:
            unit = own.units["finance"]
            create_user(
                session,
                OPERATOR,
                "local",
                "本级",
                [("administrator", unit)],
                password="Plain-words-2021",
            )
        own.users["local"] = own.users["department"].replace("department", "local")
        client = sign_in("local", own)
        page = client.get("/people/support")
        assert "市司法局" not in page.text
        answer = submit(
            client, "/people/support", "/people/support", **{**GRANTED, "unit": "市司法局机关党委"}
        )
        assert answer.status_code == 422
        scope, session = inside(own)
        with scope, session:
            [others] = session.scalars(sa.select(SupportAccess.id))
        revoke = submit(client, f"/people/support/{others}/revoke", "/people/support")
        absent = submit(client, "/people/support/1099511627776/revoke", "/people/support")
        assert (revoke.status_code, absent.status_code) == (404, 404)
        scope, session = inside(own)
        with scope, session:
            assert session.scalars(sa.select(SupportAccess.ended_at)).all() == [None]

    def test_kept_apart_it_is_the_security_administrators(self, own, sign_in, inside):
        scope, session = inside(own)
        with scope, session:
            root = own.units["root"]
            create_user(
                session,
                OPERATOR,
                "security",
                "安全",
                [("security_administrator", root)],
                password="Plain-words-2021",
            )
            set_policy(session, OPERATOR, separated=True)
        own.users["security"] = own.users["department"].replace("department", "security")
        assert sign_in("department", own).get("/people/support").status_code == 404
        assert sign_in("security", own).get("/people/support").status_code == 200

    def test_support_is_no_user_to_be_managed(self, own, grant, sign_in, inside):
        grant(own)
        scope, session = inside(own)
        with scope, session:
            [user] = session.scalars(sa.select(User).where(User.username.startswith("support-")))
            number, password = user.id, user.password_hash
        client = sign_in("department", own)
        assert "support-" not in client.get("/people?sort=created").text
        assert client.get(f"/people/{number}").status_code == 404
        assert password is None
