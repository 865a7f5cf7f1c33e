"""Pages about accounts: one's own, other people's, and what the tenant demands."""

import io
import re
import time

import openpyxl
import pyotp
import pytest
import sqlalchemy as sa

from guiju.accounts.attempts import MOST_FAILURES
from guiju.accounts.models import User
from guiju.accounts.policies import set_policy
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope

PASSWORD = "Plain-words-2021"
NEW = "Other-words-2022"
LINK = re.compile(r"/links/([\w-]+)")
SECRET = re.compile(r'<code class="secret" translate="no">([A-Z2-7]+) ([A-Z2-7]+)</code>')
CODE = re.compile(r"<li><code>([a-z2-7-]+)</code></li>")


@pytest.fixture
def own(create_office):
    """An office of the test's own."""
    return create_office()


@pytest.fixture
def number(engine):
    """The number of a user of an office by username."""

    def number(office, username):
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            return session.scalars(sa.select(User.id).where(User.username == username)).one()

    return number


@pytest.fixture
def invite(submit):
    """Invite somebody by the form; what the page says, and the link on it."""

    def invite(client, username, unit, *roles, **fields):
        answer = submit(
            client,
            "/people/invite",
            "/people/invite",
            username=username,
            name=fields.pop("name", "新来的人"),
            unit=unit,
            roles=list(roles),
            **fields,
        )
        found = LINK.search(answer.text)
        return answer, found and found[0]

    return invite


@pytest.fixture
def policy(engine):
    def policy(office, **changes):
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            set_policy(session, Actor("test"), **changes)

    return policy


def signed_in(app, submit, username, password):
    client = app.test_client()
    answer = submit(client, "/sign-in", "/sign-in", username=username, password=password)
    assert answer.status_code == 302, answer.text
    return client, answer


class TestOwnAccount:
    def test_everybody_has_the_pages(self, sign_in):
        for name in ("department", "secretary", "auditor"):
            client = sign_in(name)
            for page in ("/account", "/account/password", "/account/tokens"):
                assert client.get(page).status_code == 200, (name, page)
            assert client.get("/account/second-factor").status_code == 200

    def test_a_new_password_ends_other_sessions_and_keeps_this_one(self, app, own, sign_in, submit):
        here, there = sign_in("secretary", own), sign_in("secretary", own)
        fields = {"old": PASSWORD, "password": NEW, "again": NEW}
        answer = submit(here, "/account/password", "/account/password", **fields)
        assert answer.status_code == 302
        assert here.get("/account").status_code == 200
        assert there.get("/account").status_code == 302
        signed_in(app, submit, own.users["secretary"], NEW)

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"old": "wrong", "password": NEW, "again": NEW}, "请重新输入现在的密码"),
            ({"old": PASSWORD, "password": NEW, "again": NEW + "x"}, "两次输入的密码不一样"),
            ({"old": PASSWORD, "password": "short", "again": "short"}, "密码至少 10 个字符"),
            ({"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}, "最近用过的密码"),
            ({"old": PASSWORD, "password": "Passw0rd-123", "again": "Passw0rd-123"}, "常见的密码"),
        ],
    )
    def test_what_is_wrong_stands_at_the_field(self, sign_in, submit, fields, text):
        client = sign_in("secretary")
        answer = submit(client, "/account/password", "/account/password", **fields)
        assert answer.status_code == 422
        assert text in answer.text
        assert fields["password"] not in answer.text

    def test_another_browser_can_be_signed_out(self, own, sign_in, submit):
        here, there = sign_in("secretary", own), sign_in("secretary", own)
        [other] = re.findall(r"/account/sessions/(\d+)/end", here.get("/account").text)
        stranger = sign_in("committee", own)
        address = f"/account/sessions/{other}/end"
        assert submit(stranger, address, "/account").status_code == 404
        assert there.get("/account").status_code == 200
        assert submit(here, address, "/account").status_code == 302
        assert there.get("/account").status_code == 302

    def test_a_cookie_kept_after_signing_out_is_worth_nothing(self, app, own, sign_in, submit):
        client = sign_in("secretary", own)
        kept = client.get_cookie("guiju").value
        submit(client, "/sign-out", "/account")
        thief = app.test_client()
        thief.set_cookie("guiju", kept)
        assert thief.get("/account").status_code == 302

    def test_name_and_address_need_the_password(self, own, sign_in, submit):
        client = sign_in("secretary", own)
        fields = {"name": "改了名", "email": "new@example.cn"}
        refused = submit(client, "/account", "/account", **fields, password="wrong")
        assert refused.status_code == 422
        assert 'value="改了名"' in refused.text
        assert (
            submit(client, "/account", "/account", **fields, password=PASSWORD).status_code == 302
        )
        assert "new@example.cn" in client.get("/account").text

    def test_a_token_is_shown_once(self, own, sign_in, submit):
        client = sign_in("secretary", own)
        fields = {"name": "导出", "scopes": ["records.read"], "days": "30"}
        made = submit(client, "/account/tokens", "/account/tokens", **fields)
        [token] = re.findall(r"guiju-\d+-[\w-]{43}", made.text)
        again = client.get("/account/tokens").text
        assert token not in again
        assert "导出" in again
        refused = submit(client, "/account/tokens", "/account/tokens", name="", days="9999")
        assert refused.status_code == 422
        [revoke] = re.findall(r"/account/tokens/\d+/revoke", again)
        assert submit(sign_in("committee", own), revoke, "/account/tokens").status_code == 404
        assert submit(client, revoke, "/account/tokens").status_code == 302
        assert "已作废" in client.get("/account/tokens").text


class TestSecondFactor:
    def enrol(self, client, submit):
        page = client.get("/account/second-factor")
        assert "data:image/svg+xml" in page.text
        assert "style=" not in page.text
        totp = pyotp.TOTP("".join(SECRET.search(page.text).groups()))
        answer = submit(client, "/account/second-factor", "/account/second-factor", code=totp.now())
        return totp, CODE.findall(answer.text)

    def test_set_up_and_asked_for(self, app, own, sign_in, submit):
        client = sign_in("secretary", own)
        wrong = submit(client, "/account/second-factor", "/account/second-factor", code="000000")
        assert wrong.status_code == 422
        totp, codes = self.enrol(client, submit)
        assert len(codes) == 10
        other, answer = signed_in(app, submit, own.users["secretary"], PASSWORD)
        assert answer.location == "/sign-in/code"
        # Nothing opens before the code.
        assert other.get("/account").status_code == 302
        # The code that set it up is not taken again.
        replayed = submit(other, "/sign-in/code", "/sign-in/code", code=totp.now())
        assert replayed.status_code == 401
        accepted = submit(other, "/sign-in/code", "/sign-in/code", code=codes[0].upper())
        assert accepted.location == "/"
        assert other.get("/account").status_code == 200
        third, _answer = signed_in(app, submit, own.users["secretary"], PASSWORD)
        again = submit(third, "/sign-in/code", "/sign-in/code", code=codes[0])
        assert again.status_code == 401

    def test_wrong_codes_lock(self, app, own, sign_in, submit):
        self.enrol(sign_in("secretary", own), submit)
        client, _answer = signed_in(app, submit, own.users["secretary"], PASSWORD)
        for _attempt in range(5):
            answer = submit(client, "/sign-in/code", "/sign-in/code", code="000000")
            assert answer.status_code == 401
        assert submit(client, "/sign-in/code", "/sign-in/code", code="000000").status_code == 429
        fields = {"username": own.users["secretary"], "password": PASSWORD}
        assert submit(client, "/sign-in", "/sign-in", **fields).status_code == 429

    def test_the_second_step_alone_is_nothing(self, client):
        assert client.get("/sign-in/code").location == "/sign-in"

    def test_administrators_are_sent_there_where_it_is_demanded(self, own, sign_in, submit, policy):
        client = sign_in("department", own)
        policy(own, totp_required=True)
        for page in ("/", "/people", "/account", "/library/"):
            assert client.get(page).location == "/account/second-factor"
        part = client.get("/standing", headers={"HX-Request": "true"})
        assert part.headers["HX-Redirect"] == "/account/second-factor"
        assert sign_in("secretary", own).get("/account").status_code == 200
        self.enrol(client, submit)
        assert client.get("/people").status_code == 200

    def test_it_goes_with_the_password(self, own, sign_in, submit):
        client = sign_in("secretary", own)
        self.enrol(client, submit)
        page, off = "/account/second-factor", "/account/second-factor/off"
        assert submit(client, off, page, password="wrong").status_code == 422
        assert submit(client, off, page, password=PASSWORD).status_code == 302
        sign_in("secretary", own)


class TestInvitations:
    def test_from_the_form_to_the_first_page(self, app, own, sign_in, submit, invite):
        answer, link = invite(
            sign_in("department", own), "li", "市财政局第一党支部", "recorder", name="李某"
        )
        assert answer.status_code == 200
        client = app.test_client()
        assert "李某" in client.get(link).text
        refused = submit(client, link, link, password="short", again="short")
        assert refused.status_code == 422
        answer = submit(client, link, link, password=NEW, again=NEW)
        assert answer.location.startswith("/sign-in?username=li@")
        assert client.get(link).status_code == 404
        name = "li" + own.tenant.sign_in_name[5:]
        client, _answer = signed_in(app, submit, name, NEW)
        assert f"/organizations/{own.units['finance-1']}" in client.get("/").location

    def test_links_that_do_not_work_look_alike(self, app, own, client, sign_in, invite):
        _answer, link = invite(sign_in("department", own), "li", "finance", "reader")
        texts = {
            client.get(wrong).text.partition("<main")[2].partition("</main>")[0]
            for wrong in (link[:-1] + "_", "/links/x", "/links/1-" + "a" * 43, link + "a")
        }
        assert len(texts) == 1
        assert "链接已失效" in texts.pop()
        assert client.get(link).status_code == 200

    def test_what_was_typed_is_kept(self, own, sign_in, invite):
        client = sign_in("department", own)
        answer, link = invite(
            client, "secretary", "没有这个单位", "reader", name="某<人", email="nowhere"
        )
        assert (answer.status_code, link) == (422, None)
        assert 'value="某&lt;人"' in answer.text
        assert "没有找到这个单位" in answer.text
        answer, link = invite(client, "secretary", "finance", name="某人", email="nowhere")
        assert (answer.status_code, link) == (422, None)
        for text in ("已被使用", "应形如 name@example.cn", "请至少给一个角色"):
            assert text in answer.text

    def test_another_subtrees_units_are_not_found(self, own, sign_in, invite):
        department = sign_in("department", own)
        _answer, link = invite(department, "lesser", "finance", "administrator")
        assert link
        answer, _link = invite(department, "x", "市司法局机关党委（justice）", "reader")
        assert answer.status_code == 200

    def test_a_second_link_voids_the_first(self, app, own, sign_in, submit, invite, number):
        client = sign_in("department", own)
        _answer, first = invite(client, "li", "finance", "reader")
        page = f"/people/{number(own, 'li')}"
        second = LINK.search(submit(client, page + "/link", page).text)[0]
        assert app.test_client().get(first).status_code == 404
        assert app.test_client().get(second).status_code == 200


class TestPeople:
    @pytest.fixture
    def lesser(self, app, own, sign_in, submit, invite):
        """The administrator of one committee, signed in."""
        _answer, link = invite(sign_in("department", own), "lesser", "finance", "administrator")
        submit(app.test_client(), link, link, password=NEW, again=NEW)
        name = "lesser" + own.tenant.sign_in_name[5:]
        return signed_in(app, submit, name, NEW)[0]

    def test_the_list_can_be_searched_and_filtered(self, own, sign_in):
        client = sign_in("department", own)
        everybody = client.get("/people").text
        assert all(f">{name}<" in everybody for name in ("committee", "secretary", "auditor"))
        assert ">secretary<" not in client.get("/people?q=audit").text
        assert ">secretary<" in client.get("/people?q=第一党支部").text
        assert ">secretary<" not in client.get("/people?role=auditor").text
        assert ">secretary<" not in client.get("/people?state=inactive").text
        for sort in ("username", "last_sign_in", "created", "nonsense"):
            assert client.get(f"/people?sort={sort}&from=0").status_code == 200
        assert "没有符合条件" in client.get("/people?q=%25").text

    def test_who_manages_no_accounts_finds_nothing_there(self, own, sign_in, number):
        for name in ("secretary", "committee", "auditor"):
            client = sign_in(name, own)
            for page in (
                "/people",
                "/people/invite",
                "/people/permissions",
                "/people/permissions/export.xlsx",
                "/people/permissions/holders.csv",
                "/people/policy",
                f"/people/{number(own, 'department')}",
            ):
                assert client.get(page).status_code == 404, (name, page)

    def test_another_tenants_users_are_not_found(self, own, office, sign_in, submit, number):
        client = sign_in("department", own)
        theirs = f"/people/{number(office, 'secretary')}"
        assert client.get(theirs).status_code == 404
        for act in ("", "/link", "/active", "/second-factor", "/roles/1/revoke"):
            assert submit(client, theirs + act, "/people/invite").status_code == 404, act
        assert office.users["secretary"] not in client.get("/people?q=secretary").text

    def test_another_subtrees_users_are_not_found(self, own, lesser, submit, number):
        listed = lesser.get("/people").text
        assert ">secretary<" in listed
        assert ">department<" not in listed
        assert ">auditor<" not in listed
        above = f"/people/{number(own, 'department')}"
        assert lesser.get(above).status_code == 404
        for act in ("", "/link", "/active", "/second-factor"):
            assert submit(lesser, above + act, "/people/invite").status_code == 404, act
        assert "department" not in lesser.get("/people/permissions/holders.csv").text

    def test_roles_are_given_within_ones_own_part_alone(self, own, lesser, submit, number):
        page = f"/people/{number(own, 'secretary')}"

        def give(unit, role):
            return submit(lesser, page + "/roles", page, unit=unit, roles=role)

        for unit in ("justice", "市司法局机关党委", "root", "机关工委（root）"):
            answer = give(unit, "administrator")
            assert answer.status_code == 422
            assert "没有找到这个单位" in answer.text
        assert give("finance-2", "reviewer").status_code == 302
        assert "市财政局第二党支部 · 审核人" in lesser.get(page).text
        assert give("finance", "auditor").status_code == 422
        assert give("finance", "emperor").status_code == 422

    def test_who_has_roles_elsewhere_is_not_taken_over(self, own, lesser, sign_in, submit, number):
        """The greater administrator also holds a role in the lesser one's part."""
        department = sign_in("department", own)
        user = f"/people/{number(own, 'committee')}"
        fields = {"unit": "justice", "roles": "administrator"}
        assert submit(department, user + "/roles", user, **fields).status_code == 302
        assert "范围以外还有角色" in lesser.get(user).text
        for act in ("", "/link", "/active", "/second-factor"):
            answer = submit(lesser, user + act, "/people/invite", name="x")
            assert answer.status_code == 403, act

    def test_nobody_changes_their_own_roles(self, own, sign_in, submit, number):
        client = sign_in("department", own)
        page = f"/people/{number(own, 'department')}"
        assert "这是您自己的账号" in client.get(page).text
        answer = submit(client, page + "/roles", "/people/invite", unit="root", roles="auditor")
        assert answer.status_code == 422
        for act in ("", "/active", "/link", "/second-factor"):
            answer = submit(client, page + act, "/people/invite", name="x")
            assert answer.status_code == 403, act

    def test_deactivated_is_out_at_once_and_can_come_back(self, app, own, sign_in, submit, number):
        client, secretary = sign_in("department", own), sign_in("secretary", own)
        page = f"/people/{number(own, 'secretary')}"
        assert submit(client, page + "/active", page).status_code == 302
        assert secretary.get("/account").status_code == 302
        fields = {"username": own.users["secretary"], "password": PASSWORD}
        assert submit(app.test_client(), "/sign-in", "/sign-in", **fields).status_code == 401
        assert submit(client, page + "/active", page, active="yes").status_code == 302
        sign_in("secretary", own)

    def test_a_reset_ends_old_sessions_when_it_is_used(self, app, own, sign_in, submit, number):
        client, secretary = sign_in("department", own), sign_in("secretary", own)
        page = f"/people/{number(own, 'secretary')}"
        link = LINK.search(submit(client, page + "/link", page).text)[0]
        assert secretary.get("/account").status_code == 200
        submit(app.test_client(), link, link, password=NEW, again=NEW)
        assert secretary.get("/account").status_code == 302
        assert "重设密码 · 已用" in client.get(page).text

    def test_a_handover_invites_the_successor(self, app, own, sign_in, submit, number):
        client = sign_in("department", own)
        place = f"/people/{number(own, 'secretary')}/handover/{own.units['finance-1']}"
        assert "填报人" in client.get(place).text
        fields = {"who": "new", "name": "接任者", "username": "next", "reason": ""}
        answer = submit(client, place, place, **fields)
        assert answer.status_code == 422
        assert 'value="接任者"' in answer.text
        answer = submit(client, place, place, **{**fields, "reason": "换届"})
        assert LINK.search(answer.text)
        assert "填报人" in client.get(f"/people/{number(own, 'next')}").text
        gone = {"username": own.users["secretary"], "password": PASSWORD}
        assert submit(app.test_client(), "/sign-in", "/sign-in", **gone).status_code == 401
        assert client.get(place).status_code == 404


class TestMatrix:
    def test_page_and_exports_say_the_same(self, own, sign_in):
        client = sign_in("department", own)
        page = client.get("/people/permissions").text
        for text in ("设置账号安全策略", "secretary", "市财政局第一党支部"):
            assert text in page
        book = openpyxl.load_workbook(
            io.BytesIO(client.get("/people/permissions/export.xlsx").data)
        )
        roles, holders = book.worksheets
        assert roles["A1"].value == "权限"
        assert {row[3].value for row in holders.iter_rows(min_row=2)} == {
            *("admin", "department", "committee", "secretary", "auditor")
        }
        csv = client.get("/people/permissions/holders.csv").data.decode("utf-8-sig")
        assert csv.count("\r\n") == 6

    def test_every_file_taken_is_written_down(self, own, sign_in, engine):
        client = sign_in("department", own)
        files = ("export.xlsx", "roles.csv", "holders.csv")
        for file in files:
            client.get(f"/people/permissions/{file}")
        with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
            taken = session.scalars(
                sa.select(AuditEntry.after)
                .where(AuditEntry.action == "list.export")
                .order_by(AuditEntry.id.desc())
                .limit(len(files))
            ).all()
        addresses = [entry["address"].partition("?")[0] for entry in reversed(taken)]
        assert addresses == [f"/people/permissions/{file}" for file in files]

    def test_no_cell_is_a_formula(self, own, sign_in, submit, invite):
        client = sign_in("department", own)
        invite(client, "li", "finance", "reader", name='=HYPERLINK("x")')
        csv = client.get("/people/permissions/holders.csv").text
        assert "'=HYPERLINK" in csv
        book = openpyxl.load_workbook(
            io.BytesIO(client.get("/people/permissions/export.xlsx").data)
        )
        [cell] = [row[2] for row in book.worksheets[1] if "HYPERLINK" in str(row[2].value)]
        assert cell.data_type == "s"


class TestPolicy:
    def values(self, **changes):
        return {
            "idle_minutes": "30",
            "longest_hours": "12",
            "shortest_password": "10",
            "former_passwords": "3",
            "rotation_days": "0",
            **changes,
        }

    def test_it_is_kept_and_holds(self, own, sign_in, submit):
        client = sign_in("department", own)
        page = "/people/policy"
        fields = self.values(shortest_password="14", idle_minutes="60")
        assert submit(client, page, page, **fields).status_code == 302
        assert 'value="14"' in client.get(page).text
        change = {"old": PASSWORD, "password": "Twelve-chr-1", "again": "Twelve-chr-1"}
        own_page = "/account/password"
        assert "至少 14 个" in submit(client, own_page, own_page, **change).text

    @pytest.mark.parametrize(
        "wrong",
        [
            {"idle_minutes": "1"},
            {"longest_hours": "99"},
            {"shortest_password": "x"},
            {"rotation_days": "7"},
            {"former_passwords": "-1"},
            {"separated": "yes"},
        ],
    )
    def test_out_of_bounds_is_refused_at_the_field(self, own, sign_in, submit, wrong):
        client = sign_in("department", own)
        answer = submit(client, "/people/policy", "/people/policy", **self.values(**wrong))
        assert answer.status_code == 422
        [name] = wrong
        assert f'id="{name}-errors"' in answer.text

    def test_a_lesser_administrator_does_not_find_it(self, app, own, sign_in, submit, invite):
        _answer, link = invite(sign_in("department", own), "lesser", "finance", "administrator")
        submit(app.test_client(), link, link, password=NEW, again=NEW)
        name = "lesser" + own.tenant.sign_in_name[5:]
        client = signed_in(app, submit, name, NEW)[0]
        assert client.get("/people").status_code == 200
        assert client.get("/people/policy").status_code == 404

    def test_an_old_password_has_to_be_changed_first(self, own, engine, sign_in, submit, policy):
        policy(own, rotation_days=30)
        client = sign_in("secretary", own)
        with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
            session.execute(
                sa.text(
                    "UPDATE users SET password_set_at = now() - interval '31 days'"
                    " WHERE username = 'secretary'"
                )
            )
            session.commit()
        client = sign_in("secretary", own)
        assert client.get("/").location == "/account/password"
        fields = {"old": PASSWORD, "password": NEW, "again": NEW}
        submit(client, "/account/password", "/account/password", **fields)
        assert client.get("/account").status_code == 200


class TestGuessing:
    """Who found a browser open does not get to try every password, or every code."""

    GUESSES = (
        ("/account/password", "/account/password", {"old": "{}", "password": NEW, "again": NEW}),
        ("/account", "/account", {"name": "改名", "email": "", "password": "{}"}),
    )

    @pytest.mark.parametrize(("address", "page", "fields"), GUESSES)
    def test_wrong_passwords_inside_lock_the_account(
        self, app, own, sign_in, submit, address, page, fields
    ):
        client = sign_in("secretary", own)

        def guess(password):
            told = {name: value.format(password) for name, value in fields.items()}
            return submit(client, address, page, **told)

        for number in range(MOST_FAILURES):
            answer = guess(f"wrong-{number}")
            assert answer.status_code == 422
            assert "锁定" not in answer.text
        # The right one, too, and at the door.
        assert "账号已暂时锁定" in guess(PASSWORD).text
        at_door = {"username": own.users["secretary"], "password": PASSWORD}
        stranger = app.test_client()
        assert submit(stranger, "/sign-in", "/sign-in", **at_door).status_code == 429

    def test_wrong_codes_inside_lock_the_account(self, own, sign_in, submit, engine):
        client = sign_in("secretary", own)
        secret = "".join(SECRET.search(client.get("/account/second-factor").text).groups())
        page = "/account/second-factor"
        shown = submit(client, page, page, code=pyotp.TOTP(secret).now())
        assert len(CODE.findall(shown.text)) > 5
        for _number in range(MOST_FAILURES):
            assert "锁定" not in submit(client, f"{page}/recovery-codes", page, code="000000").text
        later = pyotp.TOTP(secret).at(int(time.time()) + 30)
        answer = submit(client, f"{page}/recovery-codes", page, code=later)
        assert answer.status_code == 422
        assert "账号已暂时锁定" in answer.text
        answer = submit(client, f"{page}/off", page, password=PASSWORD)
        assert "账号已暂时锁定" in answer.text


class TestTokensOfOthers:
    @pytest.fixture
    def program(self, own, app, engine):
        """A program that acts for the secretary; the status of what it is answered."""
        with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
            user = session.scalars(sa.select(User.id).where(User.username == "secretary")).one()
            owner = find_visitor(session, own.tenant.tenant_id, user)
            token = create_token(session, owner, "每周导出", ["records.read"], 30)[1]
        headers = {"Authorization": f"Bearer {token}"}
        return lambda: app.test_client().get("/api/v1/me", headers=headers).status_code

    def test_who_manages_accounts_ends_them(self, own, sign_in, submit, number, program):
        client = sign_in("department", own)
        page = f"/people/{number(own, 'secretary')}"
        assert "每周导出" in client.get(page).text
        assert program() == 200
        assert submit(client, f"{page}/tokens/revoke", page).status_code == 302
        assert program() == 401
        assert "每周导出" not in client.get(page).text

    def test_nobody_else_does(self, own, sign_in, submit, number, program):
        address = f"/people/{number(own, 'secretary')}/tokens/revoke"
        for name in ("committee", "auditor"):
            assert submit(sign_in(name, own), address, "/account").status_code == 404
        assert program() == 200
