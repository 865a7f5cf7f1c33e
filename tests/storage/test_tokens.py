"""Personal tokens: what they let in, and everything that they do not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from guiju.accounts.models import ApiToken, User
from guiju.accounts.operations import create_user
from guiju.accounts.tokens import (
    LONGEST_DAYS,
    create_token,
    find_by_token,
    revoke_token,
    tokens_of,
)
from guiju.accounts.visitors import find_visitor
from guiju.activities.operations import store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput
from guiju.tenancy.operations import set_tenant_state

ACTOR = Actor("test")
TREE = [
    {"id": "a", "name": "甲单位党委", "kind": "committee", "parent": "root"},
    {"id": "b", "name": "乙单位党委", "kind": "committee", "parent": "root"},
]


@pytest.fixture
def paths(session):
    store_facts(session, ACTOR, {"organizations": TREE})
    return {unit.code: unit.path for unit in session.query(Organization)}


@pytest.fixture
def owner(session, tenant, paths):
    """A recorder of one committee."""
    place = session.scalars(sa.select(Organization.id).where(Organization.code == "a")).one()
    user, _password = create_user(session, ACTOR, "li", "李四", [("recorder", place)])
    return find_visitor(session, tenant.tenant_id, user.id)


@pytest.fixture
def come(engine):
    """Come with a token, in no scope, as a request does."""

    def come(token: str, **options):
        with ScopedSession(engine) as fresh:
            found = find_by_token(fresh, token, **options)
            assert not fresh.in_transaction()
            return found

    return come


def test_a_token_lets_its_owner_in_with_its_scopes_alone(session, owner, come, paths, tenant):
    _number, token = create_token(session, owner, "导出", ["records.read"], 30)
    tenant_id, visitor = come(token, address="10.0.0.9")
    assert (tenant_id, visitor.user_id) == (tenant.tenant_id, owner.user_id)
    assert visitor.actor().address == "10.0.0.9"
    assert visitor.may("records.read", paths["a"])
    assert visitor.roots("records.read") == (paths["a"],)
    # Its owner may, the token may not.
    assert owner.may("records.write", paths["a"])
    assert not visitor.may("records.write")
    assert visitor.roots("records.write") == ()
    assert owner.may_see_people(paths["a"])
    assert not visitor.may_see_people(paths["a"])
    # Neither sees the other part of the tree.
    assert visitor.sees(paths["a"])
    assert not visitor.sees(paths["b"])
    assert not visitor.may("records.read", paths["b"])


def test_only_the_hash_is_kept_and_the_making_is_written_down(session, owner):
    number, token = create_token(session, owner, "导出", ["records.read"], 30)
    row = session.scalars(sa.select(ApiToken).where(ApiToken.id == number)).one()
    assert token.encode() not in row.token_hash
    entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.subject, entry.user_id) == (
        "token.create",
        str(number),
        owner.user_id,
    )
    assert token not in str(entry.after)


def test_what_its_owner_loses_the_token_loses(session, owner, come, paths):
    _number, token = create_token(session, owner, "导出", ["records.read"], 30)
    session.execute(sa.text("DELETE FROM user_roles WHERE user_id = :id"), {"id": owner.user_id})
    session.commit()
    _tenant_id, visitor = come(token)
    assert not visitor.may("records.read")
    assert visitor.within == ()


def test_expired_and_revoked_tokens_let_nobody_in(session, owner, come):
    begun = datetime.now(UTC)
    number, token = create_token(session, owner, "导出", ["records.read"], 1, now=begun)
    assert come(token, now=begun + timedelta(hours=23))
    assert come(token, now=begun + timedelta(days=1)) is None
    assert revoke_token(session, owner, number)
    assert come(token) is None
    assert not revoke_token(session, owner, number)


def test_inactive_users_and_suspended_tenants_stay_out(session, owner, come, engine, tenant):
    _number, token = create_token(session, owner, "导出", ["records.read"], 30)
    session.execute(sa.update(User).where(User.id == owner.user_id).values(active=False))
    session.commit()
    assert come(token) is None
    session.execute(sa.update(User).where(User.id == owner.user_id).values(active=True))
    session.commit()
    assert come(token)
    with ScopedSession(engine) as fresh:
        code = tenant.sign_in_name.partition("@")[2]
        set_tenant_state(fresh, ACTOR, code, "suspended")
    assert come(token) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "guiju-{mine}-{shorter}",
        "guiju-{mine}-{bits}A",
        "{mine}-{bits}",
        # The same bits, claimed to be another tenant's.
        "guiju-{theirs}-{bits}",
        "guiju-999999999999-{bits}",
        "guiju-99999999999999999999-{bits}",
        "guiju-",
        "",
        "guiju-{mine}-" + "\0" * 43,
    ],
)
def test_anything_else_lets_nobody_in(session, owner, come, tenant, create_tenant, wrong):
    _number, token = create_token(session, owner, "导出", ["records.read"], 30)
    bits = token.split("-", 2)[2]
    theirs = create_tenant().tenant_id
    wrong = wrong.format(mine=tenant.tenant_id, theirs=theirs, bits=bits, shorter=bits[:-1])
    assert come(wrong) is None
    assert come(token)


def test_use_is_noted_once_a_minute(session, owner, come):
    number, token = create_token(session, owner, "导出", ["records.read"], 30)
    begun = datetime.now(UTC)
    used = []
    for seconds in (1, 30, 62):
        come(token, now=begun + timedelta(seconds=seconds))
        session.rollback()
        [listed] = tokens_of(session, owner.user_id)
        used.append(round((listed.last_used_at - begun).total_seconds()))
    assert used == [1, 1, 62]
    assert listed.id == number
    assert listed.scopes == ("organization.read", "records.read")


def test_nobody_revokes_anothers(session, owner, come, tenant):
    number, token = create_token(session, owner, "导出", ["records.read"], 30)
    other = find_visitor(session, tenant.tenant_id, tenant.administrator_id)
    assert not revoke_token(session, other, number)
    assert come(token)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "places"),
    [
        (" ", ["records.read"], 30, ["/name"]),
        ("a" * 101, ["records.read"], 30, ["/name"]),
        ("导出", [], 30, ["/scopes"]),
        ("导出", ["organization.manage", "no.such"], 30, ["/scopes", "/scopes"]),
        ("导出", ["records.read"], 0, ["/days"]),
        ("导出", ["records.read"], LONGEST_DAYS + 1, ["/days"]),
    ],
)
def test_what_is_wrong_is_named(session, owner, name, scopes, days, places):
    with pytest.raises(BadInput) as refused:
        create_token(session, owner, name, scopes, days)
    assert [problem.place for problem in refused.value.problems] == places
    assert tokens_of(session, owner.user_id) == []


def test_a_token_makes_no_token(session, owner, come):
    _number, token = create_token(session, owner, "导出", ["records.read"], 30)
    _tenant_id, visitor = come(token)
    with pytest.raises(BadInput, match="令牌不能新建令牌"):
        create_token(session, visitor, "孩子", ["records.read"], 30)
