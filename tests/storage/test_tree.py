"""Names, mergers and splits of units, and taking them back."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.activities.operations import record_occasion, store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.clock import today
from guiju.organizations import history
from guiju.organizations.models import (
    DirtyMark,
    Member,
    Organization,
    OrganizationChange,
    OrganizationMove,
    Person,
    Post,
)
from guiju.organizations.operations import (
    close_organization,
    create_organization,
    move_organization,
    rename_organization,
    reopen_organization,
)
from guiju.organizations.portrait import portrait
from guiju.organizations.restructuring import NewUnit, merge_organizations, split_organization
from guiju.organizations.undoing import undo_change
from guiju.rules.problems import BadInput

ACTOR = Actor("张三", 1)
DAY = date(2021, 7, 1)
BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def tree(session) -> dict[str, int]:
    """Numbers of two committees, three branches, a group, by code; people in two branches."""
    rows = [
        {"id": "c1", "name": "第一党委", "kind": "committee", "parent": "root"},
        {"id": "c2", "name": "第二党委", "kind": "committee", "parent": "root"},
        {"id": "b1", "name": "第一支部", "kind": "branch", "parent": "c1"},
        {"id": "b2", "name": "第二支部", "kind": "branch", "parent": "c1"},
        {"id": "b3", "name": "第三支部", "kind": "branch", "parent": "c2"},
        {"id": "g1", "name": "第一小组", "kind": "party_group", "parent": "b1"},
    ]
    members = [
        {
            "id": f"p{number}",
            "name": f"党员{number}",
            "organization": "b1" if number < 4 else "b2",
            "membership_class": "full",
            "from_on": date(2020, 1, 1),
            "group": "g1" if number == 0 else None,
        }
        for number in range(6)
    ]
    posts = [
        {"person": "p0", "organization": "b1", "post": "secretary", "from_on": date(2020, 1, 1)},
        {"person": "p4", "organization": "b2", "post": "secretary", "from_on": date(2020, 1, 1)},
    ]
    meeting = {"id": "o1", "organization": "b1", "kinds": ["theme_day"], "held_on": BEFORE}
    facts = {"organizations": rows, "members": members, "posts": posts, "occasions": [meeting]}
    store_facts(session, ACTOR, facts)
    session.execute(sa.delete(DirtyMark))
    session.commit()
    return dict(session.execute(sa.select(Organization.code, Organization.id)).all())


def state(session) -> dict[str, list]:
    """Everything that a change to the tree can touch."""
    session.expire_all()
    org, spell, post, move = (
        model.__table__.c for model in (Organization, Member, Post, OrganizationMove)
    )
    return {
        "organizations": session.execute(
            sa.select(org.code, org.name, org.path, org.parent_id, org.closed_on).order_by(org.id)
        ).all(),
        "members": session.execute(
            sa.select(
                spell.person_id, spell.organization_id, spell.from_on, spell.until_on
            ).order_by(spell.person_id, spell.from_on)
        ).all(),
        "posts": session.execute(
            sa.select(post.person_id, post.organization_id, post.from_on, post.until_on).order_by(
                post.id
            )
        ).all(),
        "moves": session.execute(sa.select(move.organization_id, move.moved_on)).all(),
    }


def spells(session, code: str) -> list[tuple[str, date | None, date | None]]:
    """Person, first and last day of each spell in a unit."""
    rows = session.execute(
        sa.select(Person.code, Member.from_on, Member.until_on)
        .join(Member, Member.person_id == Person.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Organization.code == code)
        .order_by(Person.code, Member.from_on)
    )
    return [tuple(row) for row in rows]


def problems(error) -> list[tuple[str, str]]:
    return [(problem.place, problem.code) for problem in error.value.problems]


class TestRenaming:
    def test_earlier_days_keep_the_earlier_name(self, session, tree):
        rename_organization(session, ACTOR, tree["b1"], " 机关第一支部 ", DAY)
        rename_organization(session, ACTOR, tree["b1"], "机关一支部", date(2022, 1, 1))
        assert [
            (found.name, found.until_on) for found in history.earlier_names(session, tree["b1"])
        ] == [("机关第一支部", date(2021, 12, 31)), ("第一支部", BEFORE)]
        for day, name in (
            (BEFORE, "第一支部"),
            (DAY, "机关第一支部"),
            (date(2021, 12, 31), "机关第一支部"),
            (date(2022, 1, 1), "机关一支部"),
        ):
            shown = portrait(session, tree["b1"], day)
            assert shown.place.name == name

    @pytest.mark.parametrize(
        ("name", "day", "code"),
        [
            ("第一支部", DAY, "malformed"),
            ("  ", DAY, "malformed"),
            ("长" * 201, DAY, "malformed"),
            ("新名", today() + timedelta(days=1), "in_future"),
        ],
    )
    def test_what_is_refused(self, session, tree, name, day, code):
        before = state(session)
        with pytest.raises(BadInput) as caught:
            rename_organization(session, ACTOR, tree["b1"], name, day)
        assert [found for _, found in problems(caught)] == [code]
        assert state(session) == before

    def test_names_follow_each_other(self, session, tree):
        rename_organization(session, ACTOR, tree["b1"], "新名", DAY)
        with pytest.raises(BadInput) as caught:
            rename_organization(session, ACTOR, tree["b1"], "更新", DAY)
        assert problems(caught) == [("/renamed_on", "too_early")]

    def test_taking_it_back(self, session, tree):
        before = state(session)
        made = rename_organization(session, ACTOR, tree["b1"], "新名", DAY)
        undo_change(session, ACTOR, made.change_id)
        assert state(session) == before
        assert history.earlier_names(session, tree["b1"]) == []


class TestClosing:
    def test_people_end_with_the_unit_and_come_back(self, session, tree):
        before = state(session)
        made = close_organization(session, ACTOR, tree["b2"], DAY)
        assert (made.members_ended, made.posts_ended) == (2, 1)
        assert spells(session, "b2") == [
            ("p4", date(2020, 1, 1), DAY),
            ("p5", date(2020, 1, 1), DAY),
        ]
        undo_change(session, ACTOR, made.change_id)
        assert state(session) == before

    def test_not_before_the_last_activity(self, session, tree):
        close_organization(session, ACTOR, tree["g1"], date(2021, 1, 1))
        with pytest.raises(BadInput) as caught:
            close_organization(session, ACTOR, tree["b1"], date(2021, 6, 1))
        assert problems(caught) == [("/closed_on", "later_records")]

    def test_reopening(self, session, tree):
        close_organization(session, ACTOR, tree["b2"], DAY)
        reopen_organization(session, ACTOR, tree["b2"])
        assert portrait(session, tree["b2"], DAY).closed_on is None
        with pytest.raises(BadInput):
            reopen_organization(session, ACTOR, tree["b2"])

    def test_the_root_stays(self, session, tree):
        with pytest.raises(BadInput):
            close_organization(session, ACTOR, tree["root"], DAY)


class TestMoving:
    def test_taking_it_back(self, session, tree):
        before = state(session)
        made = move_organization(session, ACTOR, tree["b1"], tree["c2"], DAY)
        assert made.relocated == 2
        undo_change(session, ACTOR, made.change_id)
        assert state(session) == before

    def test_each_move_after_the_last(self, session, tree):
        move_organization(session, ACTOR, tree["b1"], tree["c2"], DAY)
        with pytest.raises(BadInput) as caught:
            move_organization(session, ACTOR, tree["b1"], tree["c1"], DAY)
        assert problems(caught) == [("/moved_on", "too_early")]

    def test_a_rehearsal_keeps_nothing(self, session, tree):
        before = state(session)
        told = move_organization(session, ACTOR, tree["c1"], tree["c2"], DAY, rehearse=True)
        assert told.relocated == 4
        assert state(session) == before
        assert session.scalars(sa.select(OrganizationChange)).all() == []

    def test_not_what_something_was_built_on(self, session, tree):
        made = move_organization(session, ACTOR, tree["b1"], tree["c2"], DAY)
        rename_organization(session, ACTOR, tree["b1"], "新名", DAY)
        with pytest.raises(BadInput) as caught:
            undo_change(session, ACTOR, made.change_id)
        assert problems(caught) == [("/change", "built_upon")]
        assert "更名" in str(caught.value)


class TestMerging:
    def merge(self, session, tree, **options):
        return merge_organizations(
            session, ACTOR, [tree["b1"], tree["b2"]], tree["b3"], DAY, **options
        )

    def test_sources_end_and_members_go_on(self, session, tree):
        told = self.merge(session, tree)
        assert told.closed == ["第一支部", "第二支部"]
        assert (told.members, told.posts, told.posts_ended, told.records) == (6, 0, 2, 1)
        assert portrait(session, tree["b1"], DAY).closed_on == BEFORE
        assert spells(session, "b3") == [(f"p{number}", DAY, None) for number in range(6)]
        assert spells(session, "b1")[0] == ("p0", date(2020, 1, 1), BEFORE)
        # The group comes along, and its member stays in it.
        group = session.scalars(sa.select(Organization).where(Organization.code == "g1")).one()
        assert group.parent_id == tree["b3"]
        in_group = sa.select(sa.func.count()).where(Member.group_id == tree["g1"])
        assert session.scalar(in_group.where(Member.organization_id == tree["b3"])) == 1
        # Records stay where they were; who goes on is named.
        assert session.scalar(sa.select(Occasion.organization_id)) == tree["b1"]
        assert [found.organization_id for found in history.successors(session, tree["b1"])] == [
            tree["b3"]
        ]
        marked = set(session.scalars(sa.select(DirtyMark.organization_id)))
        assert {tree[code] for code in ("b1", "b2", "b3", "c1", "c2")} <= marked
        actions = session.scalars(sa.select(AuditEntry.action)).all()
        assert actions.count("organization.merge") == 2

    def test_chosen_members_and_posts(self, session, tree):
        secretary = session.scalar(sa.select(Post.id).where(Post.organization_id == tree["b1"]))
        told = self.merge(session, tree, members=["p0", "p4"], posts=[secretary])
        assert (told.members, told.members_ended, told.posts, told.posts_ended) == (2, 4, 1, 1)
        assert [person for person, *_ in spells(session, "b3")] == ["p0", "p4"]

    def test_taking_it_back(self, session, tree):
        before = state(session)
        told = self.merge(session, tree)
        undo_change(session, ACTOR, told.change_id)
        assert state(session) == before
        assert history.successors(session, tree["b1"]) == []

    def test_not_after_they_met_in_the_new_unit(self, session, tree):
        told = self.merge(session, tree)
        meeting = {"id": "o2", "organization": "b3", "kinds": ["theme_day"], "held_on": DAY}
        record_occasion(
            session, ACTOR, meeting, {"attendance": [{"person": "p1", "status": "present"}]}
        )
        with pytest.raises(BadInput) as caught:
            undo_change(session, ACTOR, told.change_id)
        assert problems(caught) == [("/change", "built_upon")]

    def test_new_members_are_expected(self, session, tree):
        meeting = {"id": "o2", "organization": "b3", "kinds": ["theme_day"], "held_on": DAY}
        record_occasion(session, ACTOR, meeting)
        told = self.merge(session, tree)
        expected = sa.select(Occasion.expected).where(Occasion.code == "o2")
        assert session.scalar(expected) == 6
        undo_change(session, ACTOR, told.change_id)
        session.expire_all()
        assert session.scalar(expected) is None

    @pytest.mark.parametrize(
        ("sources", "target", "code"),
        [
            (["b1"], "b1", "entangled"),
            (["c1"], "b1", "entangled"),
            (["b1", "c1"], "b3", "entangled"),
            (["root"], "b1", "root"),
            ([], "b1", "missing"),
        ],
    )
    def test_what_is_refused(self, session, tree, sources, target, code):
        before = state(session)
        numbers = [tree[source] for source in sources]
        with pytest.raises(BadInput) as caught:
            merge_organizations(session, ACTOR, numbers, tree[target], DAY)
        assert code in {found for _, found in problems(caught)}
        assert state(session) == before

    def test_not_before_their_last_activity(self, session, tree):
        with pytest.raises(BadInput) as caught:
            merge_organizations(session, ACTOR, [tree["b1"]], tree["b3"], BEFORE)
        assert problems(caught) == [("/effective_on", "later_records")]

    def test_another_tenants_unit_is_not_there(self, session, tree, create_tenant):
        other = create_tenant()
        with pytest.raises(sa.exc.NoResultFound):
            merge_organizations(session, ACTOR, [tree["b1"]], other.root_id, DAY)
        with pytest.raises(sa.exc.NoResultFound):
            merge_organizations(session, ACTOR, [other.root_id], tree["b1"], DAY)
        with pytest.raises(sa.exc.NoResultFound):
            move_organization(session, ACTOR, tree["b1"], other.root_id, DAY)


class TestSplitting:
    NEW = (
        NewUnit({"id": "n1", "name": "新一支部"}, members=["p0", "p1"]),
        NewUnit({"id": "n2", "name": "新二支部"}, members=["p2"]),
    )

    def test_new_units_with_chosen_members(self, session, tree):
        told = split_organization(session, ACTOR, tree["b1"], self.NEW, DAY)
        assert (told.made, told.members, told.closed) == (["新一支部", "新二支部"], 3, [])
        assert [person for person, *_ in spells(session, "n1")] == ["p0", "p1"]
        assert spells(session, "b1")[3] == ("p3", date(2020, 1, 1), None)
        made = session.scalars(sa.select(Organization).where(Organization.code == "n1")).one()
        assert (made.parent_id, made.opened_on, made.kind) == (tree["c1"], DAY, "branch")

    def test_taking_it_back(self, session, tree):
        before = state(session)
        told = split_organization(
            session,
            ACTOR,
            tree["b2"],
            (NewUnit({"id": "n1", "name": "新支部"}, members=["p4"]),),
            DAY,
            close=True,
        )
        assert portrait(session, tree["b2"], DAY).closed_on == BEFORE
        undo_change(session, ACTOR, told.change_id)
        assert state(session) == before

    def test_not_once_something_is_kept_about_a_new_unit(self, session, tree):
        told = split_organization(session, ACTOR, tree["b1"], self.NEW, DAY)
        meeting = {"id": "o2", "organization": "n2", "kinds": ["theme_day"], "held_on": DAY}
        record_occasion(session, ACTOR, meeting)
        before = state(session)
        with pytest.raises(BadInput) as caught:
            undo_change(session, ACTOR, told.change_id)
        assert problems(caught) == [("/change", "built_upon")]
        assert state(session) == before

    @pytest.mark.parametrize(
        ("new", "code"),
        [
            ((NewUnit({"id": "b2", "name": "x"}),), "taken"),
            ((NewUnit({"id": "n", "name": "x"}, members=["p5"]),), "not_a_member"),
            (
                (
                    NewUnit({"id": "n", "name": "x"}, members=["p1"]),
                    NewUnit({"id": "m", "name": "y"}, members=["p1"]),
                ),
                "named_twice",
            ),
            ((), "missing"),
        ],
    )
    def test_what_is_refused(self, session, tree, new, code):
        before = state(session)
        with pytest.raises(BadInput) as caught:
            split_organization(session, ACTOR, tree["b1"], new, DAY)
        assert {found for _, found in problems(caught)} == {code}
        assert state(session) == before


class TestMaking:
    def test_a_unit_made_by_mistake_goes(self, session, tree):
        before = state(session)
        create_organization(
            session, ACTOR, {"id": "n", "name": "新支部", "kind": "branch", "parent": "c2"}
        )
        change = session.scalars(sa.select(OrganizationChange)).one()
        undo_change(session, ACTOR, change.id)
        assert state(session) == before
        with pytest.raises(BadInput):
            undo_change(session, ACTOR, change.id)

    def test_deep_trees(self, session, tree):
        rows = [
            {"id": f"d{level}", "name": "级", "kind": "committee", "parent": f"d{level - 1}"}
            for level in range(1, 20)
        ]
        rows.insert(0, {"id": "d0", "name": "级", "kind": "committee", "parent": "root"})
        store_facts(session, ACTOR, {"organizations": rows})
        below = {"id": "d20", "name": "级", "kind": "committee", "parent": "d19"}
        with pytest.raises(BadInput) as caught:
            store_facts(session, ACTOR, {"organizations": [below]})
        assert {found for _, found in problems(caught)} == {"tree_too_deep"}
