"""Who may give which role to whom, delegation, and what a tenant is never left without."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from guiju.accounts import people
from guiju.accounts.delegations import delegate, delegations_of, end_delegation
from guiju.accounts.links import LinkRefused, find_link, invite, use_link
from guiju.accounts.matrix import holdings
from guiju.accounts.operations import change_password, create_user
from guiju.accounts.policies import set_policy
from guiju.accounts.reach import NotAllowed, NotVisible
from guiju.accounts.roles import Grant, grant_role, revoke_role
from guiju.accounts.tokens import create_token, find_by_token
from guiju.accounts.visitors import find_visitor
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.clock import today
from guiju.db import ScopedSession
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput

ACTOR = Actor("test")
DAY = timedelta(days=1)
TREE = [
    {"id": "a", "name": "甲单位党委", "kind": "committee", "parent": "root"},
    {"id": "a1", "name": "甲一支部", "kind": "branch", "parent": "a"},
    {"id": "b", "name": "乙单位党委", "kind": "committee", "parent": "root"},
]


@pytest.fixture
def units(session):
    store_facts(session, ACTOR, {"organizations": TREE})
    return {unit.code: unit.id for unit in session.query(Organization)}


@pytest.fixture
def paths(session, units):
    return {unit.code: unit.path for unit in session.query(Organization)}


@pytest.fixture
def add(session, units, tenant):
    """Add a user with roles (role, unit); returns the visitor."""

    def add(name, *roles):
        granted = [(role, units[unit]) for role, unit in roles]
        user, _password = create_user(session, ACTOR, name, name, granted)
        return find_visitor(session, tenant.tenant_id, user.id)

    return add


@pytest.fixture
def again(session):
    """The same visitor, as the next request finds them."""

    def again(visitor):
        session.rollback()
        return find_visitor(session, visitor.tenant_id, visitor.user_id)

    return again


@pytest.fixture
def chief(session, tenant, units):
    """The administrator that the tenant was made with."""
    return find_visitor(session, tenant.tenant_id, tenant.administrator_id)


def codes(refused):
    return [problem.code for problem in refused.value.problems]


class TestLastAdministrator:
    def test_nobody_takes_the_last_one_away(self, session, chief, add):
        second = add("second", ("security_administrator", "root"))
        [role] = chief.posts
        with pytest.raises(BadInput) as refused:
            revoke_role(session, second, role.role_id)
        assert codes(refused) == ["last_administrator"]
        with pytest.raises(BadInput) as refused:
            people.deactivate(session, second, chief.user_id)
        assert codes(refused) == ["last_administrator"]
        wanted = Grant("administrator", role.organization_id, today() + DAY)
        with pytest.raises(BadInput) as refused:
            grant_role(session, second, chief.user_id, wanted)
        assert codes(refused) == ["last_administrator"]

    def test_with_another_one_may_go(self, session, chief, add, again):
        add("second", ("security_administrator", "root"))
        third = add("third", ("administrator", "root"))
        revoke_role(session, third, chief.posts[0].role_id)
        assert again(chief).posts == ()

    def test_who_was_only_invited_does_not_count(self, session, chief, add, units):
        second = add("second", ("security_administrator", "root"))
        invite(session, chief, "third", "第三人", [Grant("administrator", units["root"])])
        with pytest.raises(BadInput) as refused:
            revoke_role(session, second, chief.posts[0].role_id)
        assert codes(refused) == ["last_administrator"]


class TestKeptApart:
    @pytest.fixture
    def apart(self, session, chief, add):
        """A tenant with three administrators, kept apart."""
        security = add("security", ("security_administrator", "root"))
        auditor = add("auditor", ("auditor", "root"))
        set_policy(session, ACTOR, separated=True)
        return security, auditor

    def test_the_administrator_gives_the_accounts_away(self, apart, chief, again):
        security, _auditor = apart
        assert not again(chief).may("accounts.manage")
        assert not again(chief).may("policy.manage")
        assert again(chief).may("organization.manage")
        assert again(security).may_everywhere("policy.manage")

    def test_nobody_holds_two(self, session, apart, again, units):
        security, auditor = apart
        wanted = Grant("administrator", units["a"])
        with pytest.raises(BadInput) as refused:
            grant_role(session, again(security), auditor.user_id, wanted)
        assert codes(refused) == ["held_together"]

    def test_nor_by_delegation(self, session, apart, chief, again):
        _security, auditor = apart
        with pytest.raises(BadInput) as refused:
            delegate(
                session, again(chief), chief.posts[0].role_id, auditor.username, today(), today()
            )
        assert codes(refused) == ["held_together"]

    def test_it_needs_three_people(self, session, chief, add):
        with pytest.raises(BadInput) as refused:
            set_policy(session, ACTOR, separated=True)
        assert codes(refused) == ["missing", "missing"]
        add("both", ("security_administrator", "root"), ("auditor", "root"))
        with pytest.raises(BadInput) as refused:
            set_policy(session, ACTOR, separated=True)
        assert codes(refused) == ["held_together"]


class TestDelegation:
    @pytest.fixture
    def giver(self, add):
        return add("giver", ("administrator", "a"))

    @pytest.fixture
    def taker(self, add):
        return add("taker", ("reader", "a1"))

    def test_counts_while_it_lasts_and_says_whose_it_is(
        self, session, giver, taker, again, paths, monkeypatch
    ):
        [post] = giver.posts
        until = today() + 2 * DAY
        delegate(session, giver, post.role_id, "taker", today() + DAY, until, "出差")
        assert not again(taker).may("organization.manage", paths["a"])
        now = today()
        for days, allowed in ((1, True), (2, True), (3, False)):
            monkeypatch.setattr("guiju.clock.today", lambda day=now + days * DAY: day)
            assert again(taker).may("organization.manage", paths["a"]) is allowed
        monkeypatch.setattr("guiju.clock.today", lambda: until)
        [held] = [post for post in again(taker).posts if post.role == "administrator"]
        assert (held.instead_of, held.until_on) == ("giver", until)

    def test_what_would_outlast_it_is_not_delegated(self, session, giver, taker, again, units):
        delegate(session, giver, giver.posts[0].role_id, "taker", today(), today())
        stand_in = again(taker)
        assert stand_in.may("organization.manage")
        for permission in ("accounts.manage", "policy.manage", "tenant.export"):
            assert not stand_in.may(permission)
        with pytest.raises(NotVisible):
            grant_role(session, stand_in, giver.user_id, Grant("administrator", units["a"]))

    def test_it_is_not_handed_on(self, session, giver, taker, add, again):
        add("third", ("reader", "a"))
        delegate(session, giver, giver.posts[0].role_id, "taker", today(), today())
        with pytest.raises(NotVisible):
            delegate(session, again(taker), giver.posts[0].role_id, "third", today(), today())

    def test_it_ends_with_the_role_the_giver_and_on_demand(
        self, session, chief, giver, taker, add, again
    ):
        [post] = giver.posts
        number = delegate(session, giver, post.role_id, "taker", today(), today())
        stranger = add("stranger", ("administrator", "b"))
        with pytest.raises(NotVisible):
            end_delegation(session, stranger, number)
        end_delegation(session, taker, number)
        assert not again(taker).may("organization.manage")
        delegate(session, giver, post.role_id, "taker", today(), today())
        people.deactivate(session, chief, giver.user_id)
        assert not again(taker).may("organization.manage")
        people.reactivate(session, chief, giver.user_id)
        assert again(taker).may("organization.manage")
        revoke_role(session, chief, post.role_id)
        assert not again(taker).may("organization.manage")
        assert delegations_of(session, taker.user_id) == []

    @pytest.mark.parametrize(
        ("username", "first", "last", "wanted"),
        [
            ("nobody", 0, 0, ["unknown"]),
            ("outsider", 0, 0, ["unknown"]),
            ("giver", 0, 0, ["same"]),
            ("taker", -1, 0, ["past"]),
            ("taker", 2, 1, ["order"]),
            ("taker", 0, 181, ["too_long"]),
        ],
    )
    def test_what_is_wrong_is_named(
        self, session, giver, taker, add, username, first, last, wanted
    ):
        add("outsider", ("administrator", "b"))
        days = (today() + first * DAY, today() + last * DAY)
        with pytest.raises(BadInput) as refused:
            delegate(session, giver, giver.posts[0].role_id, username, *days)
        assert codes(refused) == wanted

    def test_it_stands_in_the_matrix(self, session, chief, giver, taker):
        delegate(session, giver, giver.posts[0].role_id, "taker", today(), today() + DAY)
        [row] = [row for row in holdings(session, chief) if row.instead_of]
        assert (row.username, row.role, row.instead_of) == ("taker", "administrator", "giver")
        assert (row.since, row.until_on) == (today(), today() + DAY)


class TestRolesWithAnEnd:
    def test_count_to_their_last_day(self, session, chief, add, again, units, monkeypatch):
        user = add("lent")
        grant_role(session, chief, user.user_id, Grant("reader", units["a"], today() + DAY))
        assert again(user).may("records.read")
        after = today() + 2 * DAY
        monkeypatch.setattr("guiju.clock.today", lambda: after)
        assert again(user).posts == ()


class TestHandover:
    def test_to_somebody_known(self, session, chief, add, again, units, paths):
        old = add("old", ("recorder", "a1"), ("reader", "b"))
        new = add("new", ("reader", "a"))
        done = people.hand_over(session, chief, old.user_id, units["a1"], new.user_id, "换届")
        assert (done.user_id, done.link, done.deactivated) == (new.user_id, None, False)
        assert again(new).may("records.write", paths["a1"])
        assert [post.role for post in again(old).posts] == ["reader"]

    def test_who_is_left_without_a_role_is_out(self, session, chief, add, again, units):
        old, new = add("old", ("recorder", "a1")), add("new", ("reader", "a"))
        people.hand_over(session, chief, old.user_id, units["a1"], new.user_id, "换届")
        assert again(old) is None

    def test_within_ones_own_part_alone(self, session, add, units):
        lesser = add("lesser", ("administrator", "a"))
        theirs, mine = add("theirs", ("recorder", "b")), add("mine", ("recorder", "a1"))
        with pytest.raises(NotVisible):
            people.hand_over(session, lesser, theirs.user_id, units["b"], mine.user_id, "x")
        with pytest.raises(NotVisible):
            people.hand_over(session, lesser, mine.user_id, units["a1"], theirs.user_id, "x")
        with pytest.raises(NotAllowed):
            people.hand_over(session, lesser, lesser.user_id, units["a"], mine.user_id, "x")


class TestLinks:
    @pytest.fixture
    def link(self, session, chief, units):
        return invite(session, chief, "li", "李四", [Grant("reader", units["a"])])

    def test_works_once_and_for_a_time(self, session, engine, link):
        session.rollback()
        late = link.expires_at
        with ScopedSession(engine) as fresh:
            assert find_link(fresh, link.secret, now=late - timedelta(seconds=1))
            assert find_link(fresh, link.secret, now=late) is None
            with pytest.raises(LinkRefused):
                use_link(fresh, link.secret, "Other-words-2022", now=late)
            with pytest.raises(BadInput):
                use_link(fresh, link.secret, "weak")
            assert use_link(fresh, link.secret, "Other-words-2022").startswith("li@")
            with pytest.raises(LinkRefused):
                use_link(fresh, link.secret, "Third-words-2023")

    def test_is_its_tenants_alone(self, session, engine, link, create_tenant):
        session.rollback()
        other = create_tenant()
        moved = f"{other.tenant_id}-" + link.secret.partition("-")[2]
        with ScopedSession(engine) as fresh:
            assert find_link(fresh, moved) is None
            with pytest.raises(LinkRefused):
                use_link(fresh, moved, "Other-words-2022")

    def test_ends_with_the_account(self, session, engine, chief, link):
        people.deactivate(session, chief, link.user_id)
        people.reactivate(session, chief, link.user_id)
        with ScopedSession(engine) as fresh:
            assert find_link(fresh, link.secret) is None


def test_a_token_of_who_owes_a_second_factor_lets_nobody_in(session, engine, chief):
    _number, token = create_token(session, chief, "脚本", ["records.read"], 30)
    with ScopedSession(engine) as fresh:
        assert find_by_token(fresh, token)
    set_policy(session, ACTOR, totp_required=True)
    with ScopedSession(engine) as fresh:
        assert find_by_token(fresh, token) is None


def test_former_passwords_are_remembered_as_long_as_the_policy_says(session, engine, tenant):
    set_policy(session, ACTOR, former_passwords=2)
    words = [tenant.password, "First-words-11", "Second-words-2", "Third-words-33"]
    visitor = find_visitor(session, tenant.tenant_id, tenant.administrator_id)
    for old, new in pairwise(words):
        change_password(session, visitor, old, new)
    with pytest.raises(BadInput) as refused:
        change_password(session, visitor, words[3], words[2])
    assert codes(refused) == ["used_before"]
    change_password(session, visitor, words[3], words[1], now=datetime.now(UTC))
