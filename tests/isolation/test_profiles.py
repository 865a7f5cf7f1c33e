"""A profile works for the tenant that enabled it, and for no other; so do its previews."""

from datetime import date

import pytest
import sqlalchemy as sa

from guiju import plugins
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.profiles import keeping, operations, queries
from guiju.profiles.models import PreviewRow, ProfileChange, ProfilePreview
from guiju.profiles.terms import End, Withdraw
from guiju.scoring.models import OrganizationFindings
from guiju.scoring.operations import drain
from guiju.tenancy.operations import enable_profile

ACTOR = Actor("test")
YEAR = date(2021, 1, 1)
AS_OF = date(2021, 11, 10)
BRANCH = {"id": "b", "name": "第一党支部", "kind": "branch", "parent": "root", "sector": "agency"}
THEME_DAY = {"id": "o", "organization": "b", "kinds": ["theme_day"], "held_on": date(2021, 2, 5)}


@pytest.fixture(scope="module")
def packs():
    return plugins.load().packs


@pytest.fixture
def twins(engine, create_tenant, packs):
    """Two tenants with the same records, both judged by Xi'an's notice."""
    made = create_tenant(), create_tenant()
    for tenant in made:
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            store_facts(session, ACTOR, {"organizations": [BRANCH], "occasions": [THEME_DAY]})
            enable_profile(session, ACTOR, tenant.root_id, "xian", YEAR)
        drain(engine, packs, tenant.tenant_id, AS_OF, reason="test")
    return made


def judged(engine, tenant) -> int:
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OrganizationFindings))


def test_what_one_tenant_takes_back_goes_on_working_for_the_other(engine, packs, twins):
    one, other = twins
    before = judged(engine, other)
    assert judged(engine, one) == before > 0
    with tenant_scope(one.tenant_id), ScopedSession(engine) as session:
        found = operations.propose(session, packs, one.root_id, Withdraw(YEAR))
        operations.adopt(session, ACTOR, found)
    for tenant in twins:
        drain(engine, packs, tenant.tenant_id, AS_OF, reason="test", complete=True)
    assert judged(engine, one) == 0
    assert judged(engine, other) == before


def test_changes_and_previews_are_their_tenants_alone(engine, packs, twins):
    one, other = twins
    with tenant_scope(one.tenant_id), ScopedSession(engine) as session:
        found = operations.propose(session, packs, one.root_id, End(YEAR, date(2021, 6, 30)))
        number = keeping.request_preview(session, packs, ACTOR, found, AS_OF)
        change = operations.adopt(session, ACTOR, found)
    with tenant_scope(other.tenant_id), ScopedSession(engine) as session:
        assert queries.preview(session, number) is None
        assert queries.change(session, change) is None
        for model in (ProfilePreview, PreviewRow):
            assert not session.scalar(sa.select(sa.func.count()).select_from(model))
        (own,) = session.scalars(sa.select(ProfileChange))
        assert own.organization_id == other.root_id
        with pytest.raises(sa.exc.NoResultFound):
            keeping.confirm(session, packs, ACTOR, number, AS_OF)
        with pytest.raises(sa.exc.NoResultFound):
            operations.undo(session, ACTOR, change)
