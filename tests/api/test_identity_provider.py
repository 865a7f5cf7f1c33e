"""A tenant's sign-in provider, set up by programs."""

import pytest
import sqlalchemy as sa

from guiju.accounts.identities import provider_of
from guiju.accounts.sealing import Seal
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope

ADDRESS = "/identity-provider"
FIRST, SECOND = "https://sso.example.cn", "https://other.example.cn"
SECRET = "hush-hush-7431"
SET = {
    "title": "市统一身份认证",
    "issuer": FIRST,
    "client_id": "guiju",
    "by_email": True,
    "client_secret": SECRET,
}


@pytest.fixture(scope="module")
def allowing(make_app):
    """An application whose operator allows two providers."""
    return make_app(GUIJU_OIDC_ISSUERS=f"{FIRST} {SECOND}")


@pytest.fixture
def ours(create_office):
    return create_office()


@pytest.fixture
def department(caller, ours, allowing):
    return caller(ours, "department", at=allowing)


@pytest.fixture
def kept(allowing, ours, engine):
    """The provider as signing in would use it, and what the audit trail says of it."""

    def kept():
        seal = Seal(allowing.extensions["guiju_settings"].secret_key)
        with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
            entries = session.scalars(
                sa.select(AuditEntry)
                .where(AuditEntry.action.startswith("provider."))
                .order_by(AuditEntry.id)
            ).all()
            return provider_of(session, seal), [
                (one.action, one.before, one.after) for one in entries
            ]

    return kept


def test_a_provider_is_set_up_changed_and_removed(department, kept):
    nothing = department.get(ADDRESS).json
    assert (nothing["provider"], nothing["issuers"]) == (None, [FIRST, SECOND])
    assert nothing["callback"].endswith("/sign-in/provider/back")
    shown = {name: value for name, value in SET.items() if name != "client_secret"}
    answer = department.change("PUT", ADDRESS, SET)
    assert (answer.status_code, answer.json["provider"]) == (200, shown)
    assert SECRET not in answer.text + department.get(ADDRESS).text
    # The secret stays where none is given for the same provider.
    changed = {**shown, "title": "新名称"}
    assert department.change("PUT", ADDRESS, changed).json["provider"] == changed
    provider, entries = kept()
    assert (provider.title, provider.client_secret) == ("新名称", SECRET)
    assert department.change("DELETE", ADDRESS).status_code == 204
    assert department.get(ADDRESS).json == nothing
    # Removing what is not there leaves no trace.
    assert department.change("DELETE", ADDRESS).status_code == 204
    provider, entries = kept()
    assert provider is None
    assert entries == [
        ("provider.set", None, shown),
        ("provider.set", shown, changed),
        ("provider.remove", changed, None),
    ]


def test_a_stale_or_missing_tag_changes_nothing(department, kept):
    tag = department.tag(ADDRESS)
    assert department("PUT", ADDRESS, json=SET).status_code == 428
    assert department("PUT", ADDRESS, json=SET, headers={"If-Match": tag}).status_code == 200
    late = department("PUT", ADDRESS, json={**SET, "title": "晚了"}, headers={"If-Match": tag})
    assert late.status_code == 412
    assert department("DELETE", ADDRESS, headers={"If-Match": tag}).status_code == 412
    assert kept()[0].title == SET["title"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"issuer": "https://elsewhere.example.cn"}, "/issuer"),
        ({"client_secret": ""}, "/client_secret"),
        ({"title": " "}, "/title"),
        ({"client_id": ""}, "/client_id"),
        ({"by_email": None}, "/by_email"),
        ({"secret": "x"}, "/secret"),
    ],
)
def test_faults_have_their_place(department, kept, changes, pointer):
    answer = department.change("PUT", ADDRESS, {**SET, **changes})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert kept() == (None, [])


def test_another_provider_is_not_told_the_secret_of_the_first(department):
    assert department.change("PUT", ADDRESS, SET).status_code == 200
    answer = department.change("PUT", ADDRESS, {**SET, "issuer": SECOND, "client_secret": ""})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/client_secret"]


def test_a_secret_whose_key_is_gone_is_asked_for_again(caller, ours, department, make_app):
    assert department.change("PUT", ADDRESS, SET).status_code == 200
    elsewhere = make_app(GUIJU_OIDC_ISSUERS=FIRST, SECRET_KEY="another-key-" * 4)
    again = caller(ours, "department", at=elsewhere)
    assert again.get(ADDRESS).json["provider"]["client_id"] == SET["client_id"]
    answer = again.change("PUT", ADDRESS, {**SET, "client_secret": ""})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/client_secret"]
    assert again.change("PUT", ADDRESS, SET).status_code == 200


def test_where_the_operator_allows_none_nothing_is_set_up(caller, ours):
    usual = caller(ours, "department")
    assert usual.get(ADDRESS).json["issuers"] == []
    answer = usual.change("PUT", ADDRESS, SET)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/issuer"]


def test_it_is_for_who_sets_the_policy_and_of_one_tenant(
    caller, ours, department, allowing, create_office
):
    assert department.change("PUT", ADDRESS, SET).status_code == 200
    secretary = caller(ours, "secretary", at=allowing)
    narrow = caller(ours, "department", ("organization.read",), at=allowing)
    for asking in (secretary, narrow):
        assert asking.get(ADDRESS).status_code == 403
        for method in ("PUT", "DELETE"):
            body = {"json": SET} if method == "PUT" else {}
            answer = asking(method, ADDRESS, headers={"If-Match": department.tag(ADDRESS)}, **body)
            assert answer.status_code == 403
    others = caller(create_office(), "department", at=allowing)
    assert others.get(ADDRESS).json["provider"] is None
    assert others.change("DELETE", ADDRESS).status_code == 204
    assert department.get(ADDRESS).json["provider"]["title"] == SET["title"]
