"""Users, passwords and signing in."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from guiju.accounts import passwords
from guiju.accounts.attempts import LOCK, MOST_FAILURES
from guiju.accounts.identities import set_provider
from guiju.accounts.models import SignInAttempt, SignInProvider, User
from guiju.accounts.operations import create_user, set_password
from guiju.accounts.sealing import Seal
from guiju.accounts.signing_in import (
    Refusal,
    SignInRefused,
    authenticate,
)
from guiju.accounts.visitors import find_visitor
from guiju.activities.operations import store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.rules.problems import BadInput
from guiju.tenancy.operations import set_tenant_state

ACTOR = Actor("test")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def sign_in(engine, tenant):
    """Try to sign in as the tenant's administrator."""

    def attempt(password: str | None = None, *, name: str | None = None, after: float = 0):
        with ScopedSession(engine) as session:
            return authenticate(
                session,
                name or tenant.sign_in_name,
                password or tenant.password,
                address="10.0.0.1",
                now=NOW + timedelta(seconds=after),
            )

    return attempt


def refusal(attempt, *arguments, **options) -> Refusal:
    with pytest.raises(SignInRefused) as refused:
        attempt(*arguments, **options)
    return refused.value.reason


class TestSigningIn:
    def test_with_the_password_made_up(self, sign_in, tenant):
        found = sign_in()
        assert (found.tenant_id, found.user_id) == (tenant.tenant_id, tenant.administrator_id)

    @pytest.mark.parametrize(
        "name", ["admin", "admin@nowhere", "@", "", "nobody@{tenant}", "admin@{tenant}@{tenant}"]
    )
    def test_unknown_names_and_wrong_passwords_look_alike(self, sign_in, tenant, name):
        code = tenant.sign_in_name.partition("@")[2]
        name = name.format(tenant=code) or " "
        assert refusal(sign_in, name=name) == Refusal.WRONG
        assert refusal(sign_in, "Wrong-password-1") == Refusal.WRONG

    def test_users_of_two_tenants_may_have_one_name(self, engine, sign_in, create_tenant):
        other = create_tenant()
        assert refusal(sign_in, name=other.sign_in_name) == Refusal.WRONG
        assert sign_in(other.password, name=other.sign_in_name).tenant_id == other.tenant_id

    def test_inactive_users_and_suspended_tenants_stay_out(self, engine, sign_in, tenant, session):
        session.execute(sa.update(User).values(active=False))
        session.commit()
        assert refusal(sign_in) == Refusal.WRONG
        session.execute(sa.update(User).values(active=True))
        session.commit()
        sign_in()
        with ScopedSession(engine) as fresh:
            code = tenant.sign_in_name.partition("@")[2]
            set_tenant_state(fresh, ACTOR, code, "suspended")
        assert refusal(sign_in) == Refusal.WRONG

    def test_attempts_are_kept(self, sign_in, session):
        refusal(sign_in, "Wrong-password-1")
        sign_in(after=1)
        kept = session.scalars(sa.select(SignInAttempt).order_by(SignInAttempt.id)).all()
        assert [(attempt.succeeded, attempt.address) for attempt in kept] == [
            (False, "10.0.0.1"),
            (True, "10.0.0.1"),
        ]
        actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions[-2:] == ["sign_in.refuse", "sign_in"]


class TestLockout:
    @pytest.fixture
    def failures(self, sign_in):
        """Fail as often as is allowed, a second apart."""
        for second in range(MOST_FAILURES):
            assert refusal(sign_in, "Wrong-password-1", after=second) == Refusal.WRONG

    def test_after_five_failures_the_right_password_does_not_help(self, sign_in, failures):
        assert refusal(sign_in, after=MOST_FAILURES) == Refusal.LOCKED

    def test_four_failures_do_not_lock(self, sign_in):
        for second in range(MOST_FAILURES - 1):
            refusal(sign_in, "Wrong-password-1", after=second)
        sign_in(after=MOST_FAILURES)

    def test_a_success_between_starts_anew(self, sign_in):
        for second in range(MOST_FAILURES - 1):
            refusal(sign_in, "Wrong-password-1", after=second)
        sign_in(after=10)
        assert refusal(sign_in, "Wrong-password-1", after=11) == Refusal.WRONG
        sign_in(after=12)

    def test_it_opens_when_the_first_failure_is_old(self, sign_in, failures):
        assert refusal(sign_in, after=LOCK.total_seconds() - 1) == Refusal.LOCKED
        sign_in(after=LOCK.total_seconds())

    def test_attempts_while_locked_do_not_prolong_it(self, sign_in, failures):
        for second in range(20):
            assert refusal(sign_in, "Wrong-password-1", after=60 + second) == Refusal.LOCKED
        sign_in(after=LOCK.total_seconds())

    def test_a_new_password_opens_it(self, engine, tenant, sign_in):
        with ScopedSession(engine) as session:
            now = datetime.now(UTC)
            for second in range(MOST_FAILURES):
                with pytest.raises(SignInRefused):
                    authenticate(
                        session,
                        tenant.sign_in_name,
                        "Wrong-password-1",
                        now=now - timedelta(seconds=60 - second),
                    )
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            fresh = set_password(session, ACTOR, tenant.administrator_id)
        with ScopedSession(engine) as session:
            assert authenticate(session, tenant.sign_in_name, fresh)


class TestUsers:
    def test_a_password_is_made_up_unless_given(self, session, tenant):
        _user, made_up = create_user(session, ACTOR, "li", "李四", [("reader", tenant.root_id)])
        assert made_up is not None
        passwords.check(made_up, "li")
        user, none = create_user(session, ACTOR, "wang", "王五", [], password="Long-enough-1")
        assert none is None
        assert passwords.matches("Long-enough-1", user.password_hash)
        assert "Long-enough-1" not in str(user.password_hash)

    def test_what_is_wrong_is_all_named(self, session, tenant):
        roles = [("emperor", tenant.root_id), ("reader", tenant.root_id)]
        with pytest.raises(BadInput) as refused:
            create_user(session, ACTOR, "a@b", "某人", roles)
        assert [problem.code for problem in refused.value.problems] == [
            "malformed",
            "unknown_role",
        ]
        with pytest.raises(BadInput, match="已被使用"):
            create_user(session, ACTOR, "admin", "某人", [])

    def test_roles_reach_down(self, session, tenant):
        rows = [{"id": "b", "name": "支部", "kind": "branch", "parent": "root"}]
        store_facts(session, ACTOR, {"organizations": rows})
        branch = session.scalar(sa.text("SELECT id FROM organizations WHERE code = 'b'"))
        roles = [("reader", tenant.root_id), ("recorder", branch)]
        user, _password = create_user(session, ACTOR, "li", "李四", roles)
        visitor = find_visitor(session, tenant.tenant_id, user.id)
        root, path = f"/{tenant.root_id}/", f"/{tenant.root_id}/{branch}/"
        assert visitor.may("records.write", path)
        assert not visitor.may("records.write", root)
        assert visitor.may("records.read", root)


class TestPasswords:
    @pytest.mark.parametrize("password", ["Short-1", "alllowercaseletters", "Zhang-san-2021"])
    def test_weak_ones_are_refused(self, password):
        with pytest.raises(BadInput):
            passwords.check(password, "zhang")

    def test_good_ones_pass(self):
        passwords.check("correct horse Battery 1", "zhang")

    def test_made_up_ones_differ(self):
        assert len({passwords.generate() for _ in range(100)}) == 100

    def test_nobody_has_a_password_that_was_never_set(self):
        assert not passwords.matches("", None)
        assert not passwords.matches("x", "not a hash")


class TestProvider:
    """Setting the tenant's provider up, somebody else being at it too."""

    ISSUER = "https://sso.example.cn"

    def set_up(self, session: ScopedSession, title: str, secret: str = "") -> None:
        set_provider(
            session,
            Seal("0123456789abcdef" * 4),
            ACTOR,
            title,
            self.ISSUER,
            "guiju",
            secret,
            by_email=False,
            allowed=(self.ISSUER,),
        )

    def test_what_it_was_before_is_what_others_made_of_it(self, engine, tenant):
        with tenant_scope(tenant.tenant_id):
            with ScopedSession(engine) as session:
                self.set_up(session, "旧平台", "hush-hush")
            with ScopedSession(engine) as slow, ScopedSession(engine) as quick:
                read = slow.scalars(sa.select(SignInProvider)).one()
                self.set_up(quick, "新平台")
                self.set_up(slow, "更新的平台")
                assert read.title == "更新的平台"
                entries = sa.select(AuditEntry).where(AuditEntry.action == "provider.set")
                written = slow.scalars(entries.order_by(AuditEntry.id)).all()
        titles = [
            (entry.before and entry.before["title"], entry.after["title"]) for entry in written
        ]
        assert titles == [(None, "旧平台"), ("旧平台", "新平台"), ("新平台", "更新的平台")]
