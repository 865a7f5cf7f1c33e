"""Members who change class or branch, leave, or hold a post."""

import threading
from datetime import date, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.activities.operations import store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.organizations.memberships import change_class, end_membership, end_post, transfer
from guiju.organizations.models import (
    DirtyMark,
    DoubleMembership,
    Member,
    Organization,
    Post,
)
from guiju.organizations.operations import add_member
from guiju.organizations.roster import roster
from guiju.rules.problems import BadInput

ACTOR = Actor("张三", 1)
FIRST = date(2020, 1, 1)
DAY = date(2021, 7, 1)
BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def units(session) -> dict[str, int]:
    """Two branches; two members in the first, one of them its secretary; a meeting in each."""
    facts = {
        "organizations": [
            {"id": code, "name": code, "kind": "branch", "parent": "root"} for code in ("b1", "b2")
        ],
        "members": [
            {
                "id": f"p{number}",
                "name": f"党员{number}",
                "organization": "b1",
                "membership_class": "full" if number else "probationary",
                "from_on": FIRST,
            }
            for number in range(2)
        ],
        "posts": [{"person": "p1", "organization": "b1", "post": "secretary", "from_on": FIRST}],
        "occasions": [
            {"id": f"o-{code}", "organization": code, "kinds": ["theme_day"], "held_on": DAY}
            for code in ("b1", "b2")
        ],
    }
    store_facts(session, ACTOR, facts)
    session.execute(sa.delete(DirtyMark))
    session.commit()
    return dict(session.execute(sa.select(Organization.code, Organization.id)).all())


def spell(session, unit: int, person: str) -> int:
    return next(
        entry.member_id
        for entry in roster(session, unit, BEFORE, ended=True).entries
        if entry.code == person
    )


def expected(session) -> dict[str, int | None]:
    session.expire_all()
    rows = session.execute(
        sa.select(Occasion.code, Occasion.expected, Occasion.voting_expected)
    ).all()
    return {row[0]: (row[1], row[2]) for row in rows}


def marked(session) -> set[int]:
    return set(session.scalars(sa.select(DirtyMark.organization_id)))


def last_action(session) -> str:
    order = sa.select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)
    return session.scalars(order).one()


def test_becoming_a_full_member(session, units):
    assert expected(session)["o-b1"] == (2, 1)
    change_class(session, ACTOR, spell(session, units["b1"], "p0"), "full", DAY)
    assert expected(session)["o-b1"] == (2, 2)
    (entry,) = roster(session, units["b1"], DAY, text="党员0").entries
    assert (entry.membership_class, entry.from_on) == ("full", DAY)
    assert marked(session) == {units["b1"]}
    assert last_action(session) == "member.class"


def test_transferring(session, units):
    transfer(session, ACTOR, spell(session, units["b1"], "p1"), units["b2"], DAY)
    assert expected(session) == {"o-b1": (1, 0), "o-b2": (1, 1)}
    assert [entry.code for entry in roster(session, units["b2"], DAY).entries] == ["p1"]
    assert session.scalar(sa.select(Post.until_on)) == BEFORE
    assert marked(session) == {units["b1"], units["b2"]}


def test_leaving_for_elsewhere(session, units):
    number = spell(session, units["b1"], "p1")
    end_membership(session, ACTOR, number, BEFORE, destination="外省某支部")
    assert expected(session)["o-b1"] == (1, 0)
    assert roster(session, units["b1"], DAY).total == 1
    assert roster(session, units["b1"], DAY, ended=True).total == 2
    entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.after["destination"]) == ("member.transfer_out", "外省某支部")


def test_a_post_that_ends(session, units):
    end_post(session, ACTOR, session.scalars(sa.select(Post.id)).one(), DAY)
    (held,) = roster(session, units["b1"], DAY, text="p1").entries[0].posts
    assert (held.post, held.until_on) == ("secretary", DAY)
    assert roster(session, units["b1"], DAY + timedelta(days=1), text="p1").entries[0].posts == ()


def test_nobody_is_in_two_branches_at_once(session, units):
    row = {"id": "p1", "organization": "b2", "membership_class": "full", "from_on": DAY}
    with pytest.raises(BadInput) as caught:
        add_member(session, ACTOR, row)
    assert [problem.code for problem in caught.value.problems] == ["overlapping_membership"]
    assert roster(session, units["b2"], DAY).total == 0


class TestTheDatabase:
    """Whoever writes: nobody stays in two branches at once."""

    @pytest.fixture
    def second(self, session, units) -> Member:
        """A spell of p1's in the other branch, not written yet; the first goes on."""
        number = session.get(Member, (units["tenant"], spell(session, units["b1"], "p1"))).person_id
        session.rollback()
        return Member(
            person_id=number, organization_id=units["b2"], membership_class="full", from_on=DAY
        )

    @pytest.fixture
    def units(self, units, tenant) -> dict[str, int]:
        return {**units, "tenant": tenant.tenant_id}

    def test_another_spell_is_refused_at_the_commit(self, session, units, second):
        session.add(second)
        session.flush()
        with pytest.raises(sa.exc.IntegrityError, match="in two branches at once"):
            session.commit()
        session.rollback()
        assert session.scalar(sa.select(sa.func.count()).select_from(Member)) == 2

    def test_a_spell_may_begin_before_the_other_ends(self, session, units, second):
        session.add(second)
        session.flush()
        session.execute(
            sa.update(Member)
            .where(Member.person_id == second.person_id, Member.from_on == FIRST)
            .values(until_on=BEFORE)
        )
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(DoubleMembership)) == 0
        # The last day belongs to both.
        session.execute(
            sa.update(Member)
            .where(Member.person_id == second.person_id, Member.from_on == FIRST)
            .values(until_on=DAY)
        )
        with pytest.raises(sa.exc.IntegrityError):
            session.commit()

    def test_of_two_at_the_same_time_one_is_refused(self, session, engine, tenant, units, second):
        ended = sa.update(Member).where(Member.person_id == second.person_id)
        session.execute(ended.values(until_on=BEFORE))
        session.commit()
        spells = [
            {"person_id": second.person_id, "organization_id": units[code], "from_on": day}
            for code, day in (("b1", DAY), ("b2", DAY + timedelta(days=30)))
        ]
        begun, results = threading.Event(), []

        def write() -> None:
            with tenant_scope(tenant.tenant_id), ScopedSession(engine) as other:
                begun.set()
                try:
                    other.execute(sa.insert(Member).values(membership_class="full", **spells[1]))
                    other.commit()
                except sa.exc.IntegrityError as error:
                    results.append(type(error.orig))

        session.execute(sa.insert(Member).values(membership_class="full", **spells[0]))
        thread = threading.Thread(target=write)
        thread.start()
        begun.wait(10)
        # Nothing of either is seen by the other yet.
        thread.join(0.3)
        assert thread.is_alive()
        session.commit()
        thread.join(30)
        assert results == [psycopg.errors.ExclusionViolation]


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (lambda s, _, m: change_class(s, ACTOR, m, "full", DAY), "same"),
        (lambda s, _, m: change_class(s, ACTOR, m, "hero", DAY), "unknown_code"),
        (lambda s, _, m: change_class(s, ACTOR, m, "activist", FIRST), "not_within"),
        (lambda s, u, m: transfer(s, ACTOR, m, u["b1"], DAY), "same"),
        (lambda s, u, m: transfer(s, ACTOR, m, u["b2"], FIRST), "not_within"),
        (lambda s, _, m: end_membership(s, ACTOR, m, date(2019, 1, 1)), "not_within"),
    ],
)
def test_what_is_refused(session, units, do, code):
    before = session.execute(sa.select(*Member.__table__.c).order_by(Member.id)).all()
    number = spell(session, units["b1"], "p1")
    with pytest.raises(BadInput) as caught:
        do(session, units, number)
    assert [problem.code for problem in caught.value.problems] == [code]
    session.expire_all()
    assert session.execute(sa.select(*Member.__table__.c).order_by(Member.id)).all() == before


def test_another_tenants_people_are_not_there(session, units, engine, create_tenant):
    number = spell(session, units["b1"], "p1")
    other = create_tenant()
    with tenant_scope(other.tenant_id), ScopedSession(engine) as theirs:
        for do in (
            lambda: end_membership(theirs, ACTOR, number, DAY),
            lambda: change_class(theirs, ACTOR, number, "activist", DAY),
            lambda: transfer(theirs, ACTOR, number, other.root_id, DAY),
        ):
            with pytest.raises(sa.exc.NoResultFound):
                do()
    with pytest.raises(sa.exc.NoResultFound):
        transfer(session, ACTOR, number, other.root_id, DAY)
