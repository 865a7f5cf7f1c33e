"""Operations on the tree, its people, their records, and what a tenant enables."""

from datetime import date

import pytest
import sqlalchemy as sa

from guiju import clock
from guiju.activities.models import Occasion, attendance
from guiju.activities.operations import attest_period, record_occasion, store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor, record_reading
from guiju.db import ScopedSession, operator_scope, tenant_scope
from guiju.db.codes import BITS, bits, codes_of, mask_of, register_codes
from guiju.db.copying import count_anew
from guiju.organizations import queries
from guiju.organizations.models import DirtyMark, Organization, OrganizationMove
from guiju.organizations.operations import (
    add_member,
    appoint,
    close_organization,
    create_organization,
    move_organization,
)
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput
from guiju.tenancy import operations as tenancy
from guiju.tenancy.models import Tenant
from guiju.tenancy.operations import enable_profile, end_profile, set_tenant_state
from guiju.tenancy.queries import all_tenants, enabled_profiles

ACTOR = Actor("张三", 1, "10.0.0.1")
DAY = date(2021, 3, 1)


@pytest.fixture
def tree(session) -> dict[str, int]:
    """Numbers of root, two committees with a branch each, and a group, by code."""
    rows = [
        {"id": "c1", "name": "第一党委", "kind": "committee", "parent": "root"},
        {"id": "c2", "name": "第二党委", "kind": "committee", "parent": "root"},
        {"id": "b1", "name": "第一支部", "kind": "branch", "parent": "c1"},
        {"id": "b2", "name": "第二支部", "kind": "branch", "parent": "c2"},
        {"id": "g1", "name": "第一小组", "kind": "party_group", "parent": "b1"},
    ]
    members = [
        {"id": f"p{number}", "organization": "b1", "membership_class": "full"}
        for number in range(3)
    ]
    store_facts(session, ACTOR, {"organizations": rows, "members": members})
    session.execute(sa.delete(DirtyMark))
    session.commit()
    return dict(session.execute(sa.select(Organization.code, Organization.id)).all())


def marks(session, tree: dict[str, int]) -> set[tuple[str, bool]]:
    names = {number: code for code, number in tree.items()}
    rows = session.execute(sa.select(DirtyMark.organization_id, DirtyMark.subtree))
    return {(names[organization], subtree) for organization, subtree in rows}


def last_entry(session) -> AuditEntry:
    return session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


class TestOccasions:
    MEETING = {  # noqa: RUF012 - a constant
        "id": "o",
        "organization": "b1",
        "kinds": ["branch_assembly"],
        "held_on": DAY,
    }
    PRESENT = [  # noqa: RUF012 - a constant
        {"person": "p0", "status": "present"},
        {"person": "p1", "status": "excused"},
    ]

    def test_recording(self, session, tree):
        found = record_occasion(
            session,
            ACTOR,
            self.MEETING,
            {"attendance": self.PRESENT, "documents": [{"kind": "minutes"}]},
        )
        assert (found.expected, found.present, found.voting_expected) == (3, 1, 3)
        assert codes_of(found.document_mask, bits(session, "document_kind")) == ["minutes"]
        assert found.recorded_on == clock.today()
        assert marks(session, tree) == {("b1", False)}
        entry = last_entry(session)
        assert (entry.action, entry.subject, entry.user_id) == ("occasion.record", "o", 1)
        assert entry.before is None
        assert entry.after["held_on"] == "2021-03-01"
        assert entry.after["attendance"] == 2

    def test_the_day_of_entry_may_be_stated(self, session, tree):
        found = record_occasion(session, ACTOR, {**self.MEETING, "recorded_on": DAY})
        assert found.recorded_on == DAY

    def test_correcting_keeps_the_day_of_entry(self, session, tree):
        record_occasion(session, ACTOR, {**self.MEETING, "recorded_on": DAY})
        found = record_occasion(session, ACTOR, {**self.MEETING, "held_on": date(2021, 3, 2)})
        assert (found.held_on, found.recorded_on) == (date(2021, 3, 2), DAY)
        entry = last_entry(session)
        assert (entry.before["held_on"], entry.after["held_on"]) == ("2021-03-01", "2021-03-02")

    def test_a_part_that_is_given_replaces(self, session, tree):
        record_occasion(session, ACTOR, self.MEETING, {"attendance": self.PRESENT})
        found = record_occasion(
            session, ACTOR, self.MEETING, {"attendance": [{"person": "p2", "status": "remote"}]}
        )
        assert session.scalar(sa.select(sa.func.count()).select_from(attendance)) == 1
        assert found.present == 1

    def test_a_part_taken_away_leaves_nobody_knowing(self, session, tree):
        record_occasion(session, ACTOR, self.MEETING, {"attendance": self.PRESENT})
        session.execute(sa.delete(DirtyMark))
        session.commit()
        found = record_occasion(session, ACTOR, self.MEETING, {"attendance": []})
        assert found.present is None
        assert marks(session, tree) == {("b1", False)}

    def test_a_part_that_is_not_given_stays(self, session, tree):
        record_occasion(session, ACTOR, self.MEETING, {"attendance": self.PRESENT})
        found = record_occasion(session, ACTOR, {**self.MEETING, "theme": "学习"})
        assert found.present == 1

    def test_what_is_refused_changes_nothing(self, session, tree):
        record_occasion(session, ACTOR, self.MEETING, {"attendance": self.PRESENT})
        with pytest.raises(BadInput):
            record_occasion(
                session, ACTOR, {**self.MEETING, "kinds": ["parade"]}, {"attendance": []}
            )
        assert session.scalars(sa.select(Occasion.present)).one() == 1

    def test_attesting(self, session, tree):
        attest_period(session, ACTOR, "b1", "2021-03", attested_on=DAY)
        attest_period(session, ACTOR, "b1", "2021-03", attested_on=DAY)
        assert marks(session, tree) == {("b1", False)}
        assert session.scalar(sa.select(sa.func.count()).select_from(DirtyMark)) == 1
        assert last_entry(session).action == "period.attest"


class TestTree:
    def test_creating(self, session, tree):
        row = {"id": "n", "name": "新支部", "kind": "branch", "parent": "c2", "opened_on": DAY}
        made = create_organization(session, ACTOR, row)
        assert made.path == f"/{tree['root']}/{tree['c2']}/{made.id}/"
        with pytest.raises(BadInput, match="已被使用"):
            create_organization(session, ACTOR, row)

    def test_closing(self, session, tree):
        with pytest.raises(BadInput, match="g1"):
            close_organization(session, ACTOR, tree["b1"], DAY)
        close_organization(session, ACTOR, tree["g1"], DAY)
        close_organization(session, ACTOR, tree["b1"], DAY)
        closed = session.scalar(sa.select(Organization.closed_on).where(Organization.code == "b1"))
        assert closed == DAY
        assert {("b1", False), ("c1", False)} <= marks(session, tree)

    def test_moving(self, session, tree):
        old = session.scalar(sa.select(Organization.path).where(Organization.code == "b1"))
        move_organization(session, ACTOR, tree["b1"], tree["c2"], DAY)
        paths = dict(session.execute(sa.select(Organization.code, Organization.path)).all())
        assert paths["g1"] == f"/{tree['root']}/{tree['c2']}/{tree['b1']}/{tree['g1']}/"
        move = session.scalars(sa.select(OrganizationMove)).one()
        assert (move.moved_on, move.old_path, move.old_parent_id) == (DAY, old, tree["c1"])
        assert marks(session, tree) == {("b1", True), ("c1", False), ("c2", False)}
        # Rebuilding from the parents gives the same.
        store_facts(session, ACTOR, {"settings": [{"key": "k", "value": "v"}]})
        assert paths == dict(session.execute(sa.select(Organization.code, Organization.path)).all())

    @pytest.mark.parametrize(
        ("what", "where"), [("b1", "b1"), ("b1", "g1"), ("c1", "g1"), ("root", "c1")]
    )
    def test_moving_in_a_circle_is_refused(self, session, tree, what, where):
        with pytest.raises(BadInput):
            move_organization(session, ACTOR, tree[what], tree[where], DAY)

    def test_people(self, session, tree):
        add_member(
            session,
            ACTOR,
            {"id": "p9", "organization": "b2", "membership_class": "full", "from_on": DAY},
        )
        appoint(session, ACTOR, {"person": "p9", "organization": "b2", "post": "secretary"})
        assert marks(session, tree) == {("b2", False)}
        assert last_entry(session).action == "post.record"

    def test_a_subtree_is_a_range(self, session, tree):
        path = Organization.__table__.c.path
        top = session.scalar(sa.select(Organization.path).where(Organization.code == "c1"))
        found = session.scalars(sa.select(Organization.code).where(within(path, top)))
        assert set(found) == {"c1", "b1", "g1"}

    @pytest.mark.parametrize(
        ("path", "below"),
        [("/1/1/", True), ("/1/1/7/", True), ("/1/12/", False), ("/1/", False), ("/1/2/", False)],
    )
    def test_neighbouring_numbers_are_not_below(self, session, path, below):
        column = sa.literal(path).collate("C")
        assert session.scalar(sa.select(within(column, "/1/1/"))) is below

    def test_a_range_uses_the_index_under_row_level_security(self, session, tree):
        # Among few rows any index is as good as another.
        many = [
            {"id": f"n{number}", "name": "支部", "kind": "branch", "parent": "c2"}
            for number in range(3_000)
        ]
        store_facts(session, ACTOR, {"organizations": many})
        count_anew(session, "organizations")
        path = Organization.__table__.c.path
        query = sa.select(Organization.id).where(within(path, "/1/2/"))
        compiled = query.compile(
            dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
        )
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {compiled}")))
        assert "ix_organizations_path" in plan
        assert "path >= '/1/2/'" in plan.split("Index Cond", 1)[1]


class TestProfiles:
    def test_enabling(self, session, tree):
        enable_profile(session, ACTOR, tree["root"], "xian", DAY, settings={"d1": "a"})
        enable_profile(session, ACTOR, tree["c2"], "jiaozuo", DAY)
        assert marks(session, tree) == {("root", True), ("c2", True)}
        assert [
            (found.organization_id, found.profile, found.settings)
            for found in enabled_profiles(session)
        ] == [(tree["root"], "xian", {"d1": "a"}), (tree["c2"], "jiaozuo", {})]

    def test_one_at_a_time(self, session, tree):
        first = enable_profile(session, ACTOR, tree["root"], "xian", DAY).id
        with pytest.raises(BadInput, match="只能启用一个"):
            enable_profile(session, ACTOR, tree["root"], "jiaozuo", date(2022, 1, 1))
        end_profile(session, ACTOR, first, date(2021, 12, 31))
        enable_profile(session, ACTOR, tree["root"], "jiaozuo", date(2022, 1, 1))


class TestTenants:
    def test_a_tenant_begins_with_root_and_administrator(self, engine, create_tenant):
        made = create_tenant()
        with tenant_scope(made.tenant_id), ScopedSession(engine) as session:
            root = queries.root(session)
            assert (root.id, root.code, root.path) == (made.root_id, "root", f"/{root.id}/")
            actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id))
            assert actions.all() == ["user.create", "tenant.create"]

    @pytest.mark.parametrize("code", ["", "a", "Xian", "1st", "a@b", "a" * 64])
    def test_malformed_codes_are_refused(self, engine, code):
        with ScopedSession(engine) as session, pytest.raises(BadInput):
            tenancy.create_tenant(
                session, ACTOR, code, "单位", {"id": "r", "name": "r", "kind": "unit"}
            )

    def test_a_code_is_given_once(self, engine, create_tenant):
        code = create_tenant().sign_in_name.partition("@")[2]
        root = {"id": "r", "name": "r", "kind": "unit"}
        with ScopedSession(engine) as session, pytest.raises(BadInput, match="已被使用"):
            tenancy.create_tenant(session, ACTOR, code, "单位", root)

    def test_a_failing_creation_leaves_nothing(self, engine):
        root = {"id": "r", "name": "r", "kind": "unit"}
        with ScopedSession(engine) as session:
            with pytest.raises(BadInput):
                tenancy.create_tenant(session, ACTOR, "halfway", "单位", root, password="weak")
            assert "halfway" not in {found.code for found in all_tenants(session, "test")}

    def test_suspending(self, engine, create_tenant):
        made = create_tenant()
        code = made.sign_in_name.partition("@")[2]
        with ScopedSession(engine) as session:
            set_tenant_state(session, ACTOR, code, "suspended")
            states = {found.code: found.state for found in all_tenants(session, "test")}
            assert states[code] == "suspended"
        with tenant_scope(made.tenant_id), ScopedSession(engine) as session:
            assert last_entry(session).action == "tenant.suspended"
            # A tenant cannot let itself work again.
            changed = session.execute(sa.update(Tenant).values(state="active"))
            assert changed.rowcount == 0


class TestAudit:
    def test_reading_restricted_data_is_written_down(self, session):
        record_reading(session, ACTOR, "disciplinary_steps", "个案处理")
        session.commit()
        entry = last_entry(session)
        assert (entry.action, entry.subject_type) == ("restricted.read", "disciplinary_steps")

    def test_entries_cannot_be_changed(self, session):
        record_reading(session, ACTOR, "disciplinary_steps", "个案处理")
        session.commit()
        for statement in (sa.delete(AuditEntry), sa.update(AuditEntry).values(actor="别人")):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                session.execute(statement)
            session.rollback()


class TestCodes:
    def test_new_codes_get_new_bits(self, engine):
        with operator_scope("test"), ScopedSession(engine) as session:
            before = bits(session, "component")
            register_codes(session, {"component": ["oath", "drum", "drum", "flag"]})
            after = bits(session, "component")
            assert {**after, **before} == after
            assert [after["drum"], after["flag"]] == [len(before), len(before) + 1]

    def test_masks(self):
        known = {"a": 0, "b": 5, "c": 62}
        assert codes_of(mask_of(["c", "a"], known), known) == ["a", "c"]
        assert mask_of([], known) == 0
        with pytest.raises(KeyError):
            mask_of(["d"], known)

    def test_too_many_codes_are_refused(self, engine):
        with operator_scope("test"), ScopedSession(engine) as session:
            with pytest.raises(ValueError, match="masks hold"):
                register_codes(session, {"component": [f"x{n}" for n in range(BITS)]})
            with pytest.raises(ValueError, match="not one of"):
                register_codes(session, {"sector": ["moon"]})
