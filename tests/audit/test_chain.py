"""The audit trail's chain: sealed once, whoever commits late, and no change goes unseen."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from guiju.audit import chain
from guiju.audit.models import AuditEntry, AuditSeal
from guiju.audit.operations import Actor, record
from guiju.config import APP_ROLE
from guiju.db import ScopedSession, create_engine, sqlalchemy_url, tenant_scope, transaction
from guiju.rules.problems import BadInput

ACTOR = Actor("某人", None, "10.0.0.7")


@pytest.fixture
def note(session) -> Callable[..., int]:
    """Add an entry; returns its number."""

    def note(action: str = "unit.rename", **values) -> int:
        with transaction(session):
            record(session, ACTOR, action, "organization", "b1", **values)
            session.flush()
            return session.scalar(sa.select(sa.func.max(AuditEntry.id)))

    return note


@pytest.fixture
def tamper(migrated, tenant):
    """Change the tenant's rows as somebody who owns the tables."""
    engine = sa.create_engine(sqlalchemy_url(migrated.admin_url), poolclass=sa.NullPool)

    def tamper(statement: str, **values) -> None:
        mine = " AND" if "WHERE" in statement else " WHERE"
        with engine.begin() as connection:
            values["tenant"] = tenant.tenant_id
            done = connection.execute(sa.text(f"{statement}{mine} tenant_id = :tenant"), values)
            assert done.rowcount

    return tamper


def seal(session) -> chain.Head:
    """Seal all that there is: what came after somebody else's transaction waits for its end."""
    deadline = time.monotonic() + 30
    while True:
        head = chain.seal(session)
        found = chain.verify(session)
        if found.entries == found.sealed or time.monotonic() > deadline:
            return head
        time.sleep(0.05)


def codes(session) -> list[str]:
    return [problem.code for problem in chain.verify(session).problems]


def test_entries_are_sealed_once(session, note):
    first = seal(session)
    assert first.number == 1
    assert seal(session) == first, "nothing more to seal"
    note(before={"name": "甲", "on": datetime(2021, 3, 5, tzinfo=UTC)}, after={"name": "乙"})
    note()
    found = chain.verify(session)
    assert (found.problems, found.entries - found.sealed) == ((), 2)
    assert seal(session).number == 2
    found = chain.verify(session)
    assert (found.problems, found.entries - found.sealed) == ((), 0)
    seals = session.scalars(sa.select(AuditSeal.entries).order_by(AuditSeal.number)).all()
    assert len(seals[1]) == 2
    assert not set(seals[0]) & set(seals[1])


def test_an_entry_committed_late_is_sealed_once(engine, session, tenant, note):
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as slow:
        record(slow, ACTOR, "slow", "organization")
        slow.flush()
        late = slow.scalar(sa.select(sa.func.max(AuditEntry.id)))
        quick = note()
        assert quick > late
        chain.seal(session)
        sealed = set(session.scalars(sa.select(sa.func.unnest(AuditSeal.entries))))
        assert late not in sealed
        assert quick not in sealed, "its number is not below that of the one still at work"
        session.rollback()
        slow.commit()
    note()
    seal(session)
    sealed = session.scalars(sa.select(sa.func.unnest(AuditSeal.entries))).all()
    assert {late, quick} <= set(sealed)
    assert len(sealed) == len(set(sealed))
    assert codes(session) == []


def test_what_is_rolled_back_leaves_no_trace(engine, session, tenant):
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as other:
        record(other, ACTOR, "never", "organization")
        other.flush()
        other.rollback()
    seal(session)
    assert codes(session) == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE audit_entries SET actor = '别人' WHERE id = :entry", "entry_changed"),
        ("UPDATE audit_entries SET after = '{}' WHERE id = :entry", "entry_changed"),
        ("UPDATE audit_entries SET before = NULL WHERE id = :entry", "entry_changed"),
        ("UPDATE audit_entries SET address = NULL WHERE id = :entry", "entry_changed"),
        (
            (
                "UPDATE audit_entries SET created_at = created_at + interval '1 microsecond'"
                " WHERE id = :entry"
            ),
            "entry_changed",
        ),
        ("DELETE FROM audit_entries WHERE id = :entry", "entry_removed"),
        (
            (
                "INSERT INTO audit_entries (tenant_id, transaction, actor, action, subject_type)"
                " SELECT tenant_id, transaction, 'x', 'x', 'x' FROM audit_entries WHERE id = :entry"
            ),
            "entry_added",
        ),
        ("UPDATE audit_seals SET sealed_at = now() - interval '2 years'", "seal_changed"),
        ("UPDATE audit_seals SET leaves = leaves || leaves WHERE number = 2", "seal_changed"),
        ("DELETE FROM audit_seals WHERE number = 2", "seal_removed"),
        ("DELETE FROM audit_seals WHERE number = 3", "seal_removed"),
        ("DELETE FROM audit_seals", "seal_removed"),
        ("UPDATE audit_heads SET number = 2", "seal_removed"),
        ("UPDATE audit_seals SET purged_at = now() WHERE number = 1", "purged_early"),
    ],
)
def test_tampering_is_told(session, note, tamper, statement, code):
    seal(session)
    entry = note(before={"name": "甲"}, after={"name": "乙"})
    seal(session)
    note()
    seal(session)
    assert codes(session) == []
    tamper(statement, **({"entry": entry} if ":entry" in statement else {}))
    found = chain.verify(session)
    assert code in {problem.code for problem in found.problems}
    if code.startswith("entry_") and code != "entry_added":
        [problem] = found.problems
        assert str(entry) in problem.place


def test_a_chain_cut_off_together_with_its_head_differs_from_the_one_noted(session, note, tamper):
    seal(session)
    note()
    first = session.scalars(sa.select(AuditSeal.digest)).one()
    noted = seal(session)
    assert chain.verify(session, expected=noted).problems == ()
    tamper("DELETE FROM audit_seals WHERE number = 2")
    tamper("UPDATE audit_heads SET number = 1, digest = :first", first=first)
    assert chain.verify(session).problems == (), "nothing in the database itself tells"
    [problem] = chain.verify(session, expected=noted).problems
    assert problem.code == "seal_removed"


def test_another_tenants_trail_is_not_concerned(engine, session, create_tenant, note, tamper):
    note()
    seal(session)
    other = create_tenant().tenant_id
    with tenant_scope(other), ScopedSession(engine) as theirs:
        seal(theirs)
    tamper("UPDATE audit_entries SET actor = '别人'")
    assert codes(session)
    with tenant_scope(other), ScopedSession(engine) as theirs:
        assert codes(theirs) == []


def test_the_application_cannot_change_what_is_written(migrated):
    engine = sa.create_engine(sqlalchemy_url(migrated.admin_url), poolclass=sa.NullPool)
    may = sa.text("SELECT has_table_privilege(:role, :table, :privilege)")
    with engine.connect() as connection:
        for table in ("audit_entries", "audit_seals"):
            for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
                values = {"role": APP_ROLE, "table": table, "privilege": privilege}
                assert not connection.scalar(may, values), (table, privilege)


class TestPurge:
    @pytest.fixture
    def owner(self, migrated, tenant):
        engine = create_engine(migrated.admin_url, poolclass=sa.NullPool)
        with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
            yield session
        engine.dispose()

    @pytest.fixture
    def old(self, session, note, monkeypatch) -> datetime:
        """Seal what is there as if it were a year ago; returns a day after that."""
        then = datetime.now(UTC) - timedelta(days=365)

        class Then(datetime):
            @classmethod
            def now(cls, tz=None):
                return then

        with monkeypatch.context() as patch:
            patch.setattr(chain, "datetime", Then)
            seal(session)
            note()
            seal(session)
        return then + timedelta(days=1)

    def test_what_is_old_enough_goes_and_the_chain_holds(self, session, owner, note, old):
        young = note()
        count = chain.purge(owner, ACTOR, old)
        assert count >= 2
        left = set(session.scalars(sa.select(AuditEntry.id)))
        session.rollback()
        assert young in left
        assert len(left) == 2, "the young one, and the purge itself"
        seal(session)
        assert codes(session) == []
        assert chain.purge(owner, ACTOR, old) == 0

    def test_six_months_are_kept(self, session, owner, note, old):
        with pytest.raises(BadInput, match="六个月"):
            chain.purge(owner, ACTOR, datetime.now(UTC) - timedelta(days=180))
        assert codes(session) == []

    def test_what_was_tampered_with_is_not_tidied_away(self, session, owner, note, old, tamper):
        tamper("UPDATE audit_entries SET actor = '别人'")
        with pytest.raises(BadInput, match="改动"):
            chain.purge(owner, ACTOR, old)
        assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
