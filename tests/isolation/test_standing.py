"""How much waits to be judged elsewhere is nobody else's business."""

import json

import pytest
import sqlalchemy as sa
from offices import AS_OF

from guiju.accounts.models import User
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.db import ScopedSession, tenant_scope
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import DirtyMark
from guiju.scoring.models import ScoringRun
from guiju.scoring.queries import standing


@pytest.fixture(scope="module")
def own(create_office):
    return create_office()


@pytest.fixture
def session(own, engine):
    """A session in whose tenant nothing waits, and nothing is judged."""
    with tenant_scope(own.tenant.tenant_id), ScopedSession(engine) as session:
        for model in (DirtyMark, ScoringRun):
            session.execute(sa.delete(model))
        session.commit()
        yield session


@pytest.fixture
def seen(own, session):
    """What a user of the office is told."""

    def seen(name):
        session.rollback()
        username = own.users[name].partition("@")[0]
        number = session.scalars(sa.select(User.id).where(User.username == username)).one()
        visitor = find_visitor(session, own.tenant.tenant_id, number)
        return standing(session, visitor.within)

    return seen


def waits(own, session, *codes, subtree=False):
    mark_dirty(session, [own.units[code] for code in codes], "test", subtree=subtree)
    session.commit()


def test_each_is_told_of_their_own_part(own, session, seen):
    waits(own, session, "justice", "justice-1")
    assert [seen(name).waiting for name in ("department", "committee", "secretary")] == [2, 0, 0]
    waits(own, session, "finance-2")
    assert [seen(name).waiting for name in ("department", "committee", "secretary")] == [3, 1, 0]
    waits(own, session, "root", subtree=True)
    counts = [seen(name).waiting for name in ("department", "committee", "secretary")]
    assert counts == [6, 3, 1]
    assert seen("auditor").waiting == 0
    assert standing(session, within=None).waiting == 6


def test_how_many_are_judged_is_told_to_who_sees_them_all(own, session, seen):
    run = ScoringRun(
        reason="test", as_of=AS_OF, basis="", complete=True, stage="judging", total=5, done=2
    )
    session.add(run)
    session.commit()
    waits(own, session, "justice-1")
    assert (seen("department").progress.done, seen("department").progress.total) == (2, 5)
    assert seen("committee").progress is None
    waits(own, session, "finance-1")
    progress = seen("committee").progress
    assert (progress.stage, progress.done, progress.total) == ("judging", None, None)


def test_pages_and_programs_say_no_more(own, app, session, sign_in):
    waits(own, session, "justice", "justice-1")
    client = sign_in("committee", own)
    for page in ("/standing", f"/organizations/{own.units['finance']}/overview"):
        assert "尚未计入" not in client.get(page).text
    assert "2 个单位有新改动" in sign_in("department", own).get("/standing").text
    for name, waiting in (("committee", 0), ("department", 2)):
        number = session.scalars(sa.select(User.id).where(User.username == name)).one()
        owner = find_visitor(session, own.tenant.tenant_id, number)
        _number, token = create_token(session, owner, "测试", ["findings.read"], 1)
        answer = app.test_client().get(
            "/api/v1/standing", headers={"Authorization": f"Bearer {token}"}
        )
        assert json.loads(answer.text)["waiting"] == waiting
