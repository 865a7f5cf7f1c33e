"""Storing facts in bulk."""

import subprocess
import sys
from datetime import date, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from guiju.activities.models import Occasion, attendance, documents
from guiju.activities.operations import store_facts
from guiju.activities.store import store
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import copying, metadata, tenant_scope
from guiju.db.codes import bits, codes_of
from guiju.db.copying import FEW
from guiju.organizations.models import DirtyMark, Member, Organization, Person, Post
from guiju.rules.problems import BadInput

ACTOR = Actor("test")
DAY = date(2021, 3, 1)


def city() -> dict[str, list[dict]]:
    """A small tree with a branch of five, and one meeting of each body."""
    return {
        "organizations": [
            {"id": "b", "name": "第一支部", "kind": "branch", "parent": "c"},
            {"id": "c", "name": "机关党委", "kind": "committee", "parent": None},
            {"id": "g", "name": "第一小组", "kind": "party_group", "parent": "b"},
        ],
        "members": [
            {
                "id": f"p{number}",
                "organization": "b",
                "name": f"党员{number}",
                "membership_class": "probationary" if number == 0 else "full",
                "from_on": date(2020, 1, 1),
                "group": "g" if number < 2 else None,
            }
            for number in range(5)
        ],
        "posts": [
            {"person": "p1", "organization": "b", "post": "secretary"},
            {"person": "p1", "organization": "b", "post": "publicity_member"},
            {"person": "p2", "organization": "b", "post": "organization_member"},
            {"person": "p3", "organization": "b", "post": "team_member"},
        ],
        "occasions": [
            {
                "id": "assembly",
                "organization": "b",
                "kinds": ["branch_assembly", "party_lecture"],
                "held_on": DAY,
                "merged_with": ["committee"],
            },
            {"id": "committee", "organization": "b", "kinds": ["branch_committee"], "held_on": DAY},
            {"id": "group", "organization": "g", "kinds": ["party_group_meeting"], "held_on": DAY},
            {
                "id": "team",
                "organization": "b",
                "kinds": ["organizational_life_meeting"],
                "form": "team",
                "held_on": DAY,
            },
        ],
        "attendance": [
            {"occasion": "assembly", "person": "p0", "status": "present"},
            {"occasion": "assembly", "person": "p1", "status": "present"},
            {"occasion": "assembly", "person": "p2", "status": "remote"},
            {"occasion": "assembly", "person": "p3", "status": "excused"},
            {"occasion": "assembly", "person_class": "activist", "number": 7, "status": "present"},
            {"occasion": "committee", "person": "p1", "status": "present"},
            {"occasion": "committee", "person": "p4", "status": "present"},
        ],
        "documents": [
            {"occasion": "assembly", "kind": "minutes"},
            {"occasion": "assembly", "kind": "minutes"},
            {"occasion": "assembly", "kind": "photos"},
        ],
        "training": [{"person": "p1", "held_on": DAY, "tenths": 40}],
        "settings": [{"key": "first_week", "value": "calendar"}],
    }


def counts(session, code: str) -> tuple[int | None, ...]:
    return tuple(
        session.execute(
            sa.select(
                Occasion.expected,
                Occasion.present,
                Occasion.voting_expected,
                Occasion.voting_present,
            ).where(Occasion.code == code)
        ).one()
    )


def codes(problems: BadInput) -> list[tuple[str, str]]:
    return [(problem.place, problem.code) for problem in problems.problems]


class TestBringing:
    def test_rows_are_there(self, session):
        stored = store_facts(session, ACTOR, city())
        assert stored.inserted == {
            "people": 5,
            "organizations": 3,
            "members": 5,
            "posts": 4,
            "occasions": 4,
            "attendance": 7,
            "documents": 2,
            "training": 1,
            "settings": 1,
        }
        assert stored.updated == {}
        assert session.scalars(sa.select(Person.name).order_by(Person.code)).all() == [
            f"党员{number}" for number in range(5)
        ]
        one = session.scalars(sa.select(Occasion).where(Occasion.code == "assembly")).one()
        kinds = bits(session, "occasion_kind")
        assert codes_of(one.kinds, kinds) == ["branch_assembly", "party_lecture"]
        other = session.scalar(sa.select(Occasion.id).where(Occasion.code == "committee"))
        assert one.merged_with_ids == [other]
        assert codes_of(one.document_mask, bits(session, "document_kind")) == ["minutes", "photos"]

    def test_the_same_twice_changes_nothing(self, session):
        store_facts(session, ACTOR, city())

        def snapshot() -> dict[str, list]:
            return {
                name: session.execute(
                    sa.text(f"SELECT xmin::text, t::text FROM {name} t ORDER BY 2")  # noqa: S608
                ).all()
                for name in sorted(metadata.tables)
                if name not in {"operator_entries", "code_bits"}
            }

        before = snapshot()
        stored = store_facts(session, ACTOR, city())
        assert not stored
        assert stored.organizations == set()
        assert snapshot() == before

    def test_a_table_may_come_alone(self, session):
        store_facts(session, ACTOR, city())
        stored = store_facts(
            session,
            ACTOR,
            {"attendance": [{"occasion": "assembly", "person": "p4", "status": "present"}]},
        )
        assert stored.inserted == {"attendance": 1}
        assert counts(session, "assembly") == (5, 4, 4, 3)

    def test_columns_that_are_not_brought_keep_what_they_hold(self, session):
        store_facts(session, ACTOR, city())
        row = {"id": "assembly", "organization": "b", "held_on": DAY, "theme": "学习"}
        kinds = session.scalar(sa.select(Occasion.kinds).where(Occasion.code == "assembly"))
        assert store_facts(
            session, ACTOR, {"occasions": [row | {"kinds": ["branch_assembly"]}]}
        ).updated == {"occasions": 1}
        one = session.scalars(sa.select(Occasion).where(Occasion.code == "assembly")).one()
        assert one.theme == "学习"
        assert one.kinds != kinds
        assert one.merged_with_ids

    def test_a_blank_takes_a_value_away_but_no_name(self, session):
        store_facts(session, ACTOR, city())
        row = {"id": "p1", "organization": "b", "membership_class": "full", "name": None}
        row |= {"from_on": date(2020, 1, 1), "group": None}
        assert store_facts(session, ACTOR, {"members": [row]}).updated == {"members": 1}
        member = session.scalars(
            sa.select(Member).join_from(
                Member, Person, sa.and_(Person.id == Member.person_id, Person.code == "p1")
            )
        ).one()
        assert member.group_id is None
        assert session.scalar(sa.select(Person.name).where(Person.code == "p1")) == "党员1"

    def test_everybody_named_is_a_person(self, session):
        store_facts(session, ACTOR, city())
        talk = {"id": "t", "organization": "b", "held_on": DAY, "person": "p1", "partner": "guest"}
        assert store_facts(session, ACTOR, {"talks": [talk]}).inserted == {"people": 1, "talks": 1}
        assert session.scalar(sa.select(Person.name).where(Person.code == "guest")) is None

    def test_nothing_brought(self, session):
        assert not store_facts(session, ACTOR, {"members": [], "posts": pa.table({})})

    def test_two_tenants_may_bring_the_same_ids(self, session, engine, create_tenant):
        store_facts(session, ACTOR, city())
        session.close()
        with tenant_scope(create_tenant().tenant_id):
            assert store_facts(session, ACTOR, city()).inserted["occasions"] == 4
            session.close()


class TestMany:
    """More rows than travel as a parameter: through COPY and a temporary table."""

    MEMBERS = 3 * FEW

    def facts(self) -> dict[str, pa.Table]:
        numbers = range(self.MEMBERS)
        return {
            "organizations": pa.table(
                {
                    "id": [f"b{number}" for number in range(FEW + 1)],
                    "name": [f'支部,"{number}"' for number in range(FEW + 1)],
                    "kind": ["branch"] * (FEW + 1),
                }
            ),
            "members": pa.table(
                {
                    "id": [f"m{number}" for number in numbers],
                    "organization": [f"b{number % (FEW + 1)}" for number in numbers],
                    "membership_class": ["full"] * self.MEMBERS,
                    "from_on": [DAY - timedelta(number % 400) for number in numbers],
                    "voting": [None if number % 2 else False for number in numbers],
                }
            ),
            "occasions": pa.table(
                {
                    "id": [f"o{number}" for number in numbers],
                    "organization": [f"b{number % (FEW + 1)}" for number in numbers],
                    "kinds": [
                        ["branch_assembly", "theme_day"][: number % 2 + 1] for number in numbers
                    ],
                    "held_on": [DAY] * self.MEMBERS,
                    "merged_with": [
                        [f"o{number + 1}"] if number % 3 == 0 else None for number in numbers
                    ],
                    "theme": ["", "a\nb"] * (self.MEMBERS // 2),
                }
            ),
            "attendance": pa.table(
                {
                    "occasion": [f"o{number}" for number in numbers],
                    "person": [f"m{number}" for number in numbers],
                    "status": ["present"] * self.MEMBERS,
                }
            ),
        }

    def test_many_rows_are_stored_like_few(self, session):
        facts = self.facts()
        stored = store_facts(session, ACTOR, facts)
        assert stored.inserted == {
            "people": self.MEMBERS,
            "organizations": FEW + 1,
            "members": self.MEMBERS,
            "occasions": self.MEMBERS,
            "attendance": self.MEMBERS,
        }
        assert not store_facts(session, ACTOR, facts)
        few = {name: rows.slice(0, 3) for name, rows in facts.items() if name != "organizations"}
        assert not store_facts(session, ACTOR, few)
        assert session.scalar(sa.select(sa.func.count()).select_from(attendance)) == self.MEMBERS
        assert session.scalars(
            sa.select(Occasion.theme).where(Occasion.code.in_(["o0", "o1"])).order_by(Occasion.code)
        ).all() == ["", "a\nb"]
        assert counts(session, "o1") == (3, 1, 2, 1)

    def test_new_and_known_rows_come_together(self, session):
        facts = self.facts()
        known = {name: rows.slice(0, FEW // 2) for name, rows in facts.items()}
        store_facts(session, ACTOR, {**known, "organizations": facts["organizations"]})
        done = store_facts(session, ACTOR, facts)
        rest = self.MEMBERS - FEW // 2
        tables = ("people", "members", "occasions", "attendance")
        assert done.inserted == dict.fromkeys(tables, rest)
        assert not done.updated
        voting = pa.array([True] * self.MEMBERS)
        place = facts["members"].column_names.index("voting")
        facts["members"] = facts["members"].set_column(place, "voting", voting)
        assert store_facts(session, ACTOR, facts).updated == {"members": self.MEMBERS}

    @pytest.mark.parametrize("known", [0, FEW // 2])
    def test_repeated_rows_among_many_are_named(self, session, known):
        facts = self.facts()
        brought = {name: rows.slice(0, known) for name, rows in facts.items()}
        store_facts(session, ACTOR, {**brought, "organizations": facts["organizations"]})
        first, rows = facts["attendance"].slice(known, 1), facts["attendance"]
        again = first.set_column(2, "status", pa.array(["excused"]))
        facts["attendance"] = pa.concat_tables([rows, again])
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, facts)
        assert codes(refused.value) == [(f"/attendance/{self.MEMBERS}", "repeated")]

    def test_repeated_rows_are_named(self, session):
        facts = self.facts()
        twice = pa.concat_tables([facts["attendance"], facts["attendance"].slice(7, 1)])
        twice = twice.set_column(2, "status", pa.array(["present"] * self.MEMBERS + ["excused"]))
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, {**facts, "attendance": twice})
        assert codes(refused.value) == [(f"/attendance/{self.MEMBERS}", "repeated")]
        assert session.scalar(sa.select(sa.func.count()).select_from(Occasion)) == 0


class TestTree:
    def paths(self, session) -> dict[str, str]:
        names = {
            organization.id: organization.code
            for organization in session.scalars(sa.select(Organization))
        }
        return {
            organization.code: "/".join(
                names[int(step)] for step in organization.path.strip("/").split("/")
            )
            for organization in session.scalars(sa.select(Organization))
        }

    def test_paths_lead_from_the_root(self, session):
        store_facts(session, ACTOR, city())
        assert self.paths(session) == {
            "root": "root",
            "c": "root/c",
            "b": "root/c/b",
            "g": "root/c/b/g",
        }

    def test_another_superior_takes_along_what_is_below(self, session):
        store_facts(session, ACTOR, city())
        moved = {"id": "b", "name": "第一支部", "kind": "branch", "parent": "root"}
        stored = store_facts(session, ACTOR, {"organizations": [moved]})
        session.expire_all()
        assert self.paths(session)["g"] == "root/b/g"
        touched = session.scalars(
            sa.select(Organization.code).where(Organization.id.in_(stored.organizations))
        )
        # The superior that lost it as well as the one that has it now.
        assert {"b", "c", "root"} == set(touched)

    def test_without_superiors_brought_the_tree_stays(self, session):
        store_facts(session, ACTOR, city())
        rows = [{"id": "b", "name": "改名", "kind": "branch"}]
        rows += [{"id": "n", "name": "新建", "kind": "branch"}]
        store_facts(session, ACTOR, {"organizations": rows})
        session.expire_all()
        assert self.paths(session)["b"] == "root/c/b"
        assert self.paths(session)["n"] == "root/n"

    def test_a_circle_is_refused(self, session):
        store_facts(session, ACTOR, city())
        row = {"id": "c", "name": "机关党委", "kind": "committee", "parent": "g"}
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, {"organizations": [row]})
        assert {problem.code for problem in refused.value.problems} == {"cycle"}
        session.expire_all()
        assert self.paths(session)["c"] == "root/c"


class TestCounts:
    @pytest.mark.parametrize(
        ("occasion", "expected"),
        [
            # Five Party members of whom four may vote; three came, one of them without a vote.
            ("assembly", (5, 3, 4, 2)),
            # Two people hold three posts of the committee; one of them came.
            ("committee", (2, 1, 2, 1)),
            # No attendance taken: nobody knows who came.
            ("group", (2, None, 1, None)),
            # The team by its stated form: the secretary and the team member.
            ("team", (2, None, 2, None)),
        ],
    )
    def test_who_is_expected_follows_from_the_body(self, session, occasion, expected):
        store_facts(session, ACTOR, city())
        assert counts(session, occasion) == expected

    def test_what_is_stated_stays(self, session):
        facts = city()
        facts["occasions"][0] |= {"expected": 9, "voting_present": 0}
        store_facts(session, ACTOR, facts)
        assert counts(session, "assembly") == (9, 3, 4, 0)
        assert not store_facts(session, ACTOR, facts)
        # Taken back, what the roster says holds again.
        facts["occasions"][0] |= {"expected": None, "voting_present": None}
        store_facts(session, ACTOR, facts)
        assert counts(session, "assembly") == (5, 3, 4, 2)

    def test_without_a_roster_nothing_is_known(self, session):
        facts = {name: city()[name] for name in ("organizations", "occasions")}
        store_facts(session, ACTOR, facts)
        assert counts(session, "assembly") == (None, None, None, None)

    @pytest.mark.parametrize(
        ("until_on", "expected"),
        [
            (DAY - timedelta(1), (4, 2, 3, 1)),
            (DAY, (5, 3, 4, 2)),
        ],
    )
    def test_a_backdated_leaving_reaches_back(self, session, until_on, expected):
        store_facts(session, ACTOR, city())
        row = {"id": "p1", "organization": "b", "membership_class": "full"}
        row |= {"from_on": date(2020, 1, 1), "until_on": until_on, "group": "g"}
        store_facts(session, ACTOR, {"members": [row]})
        assert counts(session, "assembly") == expected

    def test_a_backdated_appointment_reaches_back(self, session):
        store_facts(session, ACTOR, city())
        post = {"person": "p4", "organization": "b", "post": "discipline_member"}
        store_facts(session, ACTOR, {"posts": [post | {"from_on": DAY}]})
        assert counts(session, "committee") == (3, 2, 3, 2)

    def test_a_member_moved_by_correction_leaves_both_right(self, session):
        store_facts(session, ACTOR, city())
        row = {"id": "p4", "organization": "c", "membership_class": "full"}
        stored = store_facts(session, ACTOR, {"members": [row | {"from_on": date(2020, 1, 1)}]})
        assert counts(session, "assembly") == (4, 3, 3, 2)
        touched = session.scalars(
            sa.select(Organization.code).where(Organization.id.in_(stored.organizations))
        )
        assert {"b", "c"} <= set(touched)


class TestRefusals:
    def test_every_unknown_reference_and_code_is_named(self, session):
        facts = {
            "occasions": [
                {"id": "o", "organization": "x", "kinds": ["parade"], "held_on": DAY},
                {
                    "id": "q",
                    "organization": "root",
                    "kinds": ["theme_day"],
                    "held_on": DAY,
                    "merged_with": ["o", "y"],
                },
            ],
            "votes": [{"occasion": "z", "item": "1", "should_attend": 1, "present": 1, "ayes": 1}],
        }
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, facts)
        assert codes(refused.value) == [
            ("/occasions/0/organization", "unknown_reference"),
            ("/occasions/0/kinds", "unknown_reference"),
            ("/occasions/1/merged_with", "unknown_reference"),
            ("/votes/0/occasion", "unknown_reference"),
        ]
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0

    def test_unknown_and_missing_columns_are_named(self, session):
        facts = {
            "posts": [{"persn": "p", "organization": "root", "post": "secretary"}],
            "dues": [{"person": "p", "month": None, "due_amount": 1, "paid_amount": 1}],
        }
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, facts)
        assert [str(problem).split("；", maxsplit=1)[0] for problem in refused.value.problems] == [
            "/posts：persn",
            "/posts：person",
            "/dues：month",
        ]

    def test_repeated_rows_are_named(self, session):
        store_facts(session, ACTOR, city())
        vote = {"occasion": "assembly", "item": "1", "should_attend": 4, "present": 3}
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, {"votes": [vote | {"ayes": 1}, vote | {"ayes": 2}]})
        assert codes(refused.value) == [("/votes/1", "repeated")]

    def test_two_branches_at_once_are_refused(self, session):
        store_facts(session, ACTOR, city())
        row = {"id": "p3", "organization": "c", "membership_class": "full", "from_on": DAY}
        with pytest.raises(BadInput) as refused:
            store_facts(session, ACTOR, {"members": [row]})
        (problem,) = refused.value.problems
        assert (problem.found, problem.code) == ("p3", "overlapping_membership")

    def test_moving_on_in_one_import_is_no_overlap(self, session):
        store_facts(session, ACTOR, city())
        left = {"id": "p3", "organization": "b", "membership_class": "full"}
        left |= {"from_on": date(2020, 1, 1), "until_on": DAY - timedelta(1)}
        came = {"id": "p3", "organization": "c", "membership_class": "full"}
        came |= {"from_on": DAY, "until_on": None}
        assert store_facts(session, ACTOR, {"members": [came, left]})


class TestTraces:
    def marks(self, session) -> set[tuple[str, bool]]:
        rows = session.execute(
            sa.select(Organization.code, DirtyMark.subtree).join_from(
                DirtyMark, Organization, Organization.id == DirtyMark.organization_id
            )
        )
        return {tuple(row) for row in rows}

    @pytest.fixture
    def clean(self, session):
        store_facts(session, ACTOR, city())
        session.execute(sa.delete(DirtyMark))
        session.commit()
        return session

    @pytest.mark.parametrize(
        ("facts", "marked"),
        [
            ({"dues_bases": [{"person": "p1", "year": 2021, "fixed_on": DAY, "amount": 1}]}, "b"),
            ({"steps": [{"occasion": "group", "step": "notified", "done_on": DAY}]}, "g"),
            ({"documents": [{"organization": "c", "kind": "plan"}]}, "c"),
            (
                {
                    "inspections": [
                        {"id": "i", "by": "c", "target": "b", "kind": "inspection", "done_on": DAY}
                    ]
                },
                "bc",
            ),
            ({"disciplinary_steps": []}, ""),
        ],
    )
    def test_whom_a_record_concerns_is_marked(self, clean, facts, marked):
        store_facts(clean, ACTOR, facts)
        assert self.marks(clean) == {(code, False) for code in marked}

    def test_settings_concern_everybody(self, clean):
        store_facts(clean, ACTOR, {"settings": [{"key": "k", "value": "v"}]})
        assert self.marks(clean) == {("root", True)}

    def test_one_audit_entry_for_a_batch(self, session):
        store_facts(session, Actor("导入", 7, "10.0.0.1"), city())
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "facts.store")
        ).one()
        assert (entry.actor, entry.user_id, entry.address) == ("导入", 7, "10.0.0.1")
        assert entry.after["inserted"]["occasions"] == 4
        assert entry.transaction > 0

    def test_what_fails_leaves_no_trace(self, session):
        with pytest.raises(BadInput):
            store_facts(
                session,
                ACTOR,
                {**city(), "steps": [{"occasion": "none", "step": "notified", "done_on": DAY}]},
            )
        assert self.marks(session) == set()
        assert (
            session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "facts.store")).all()
            == []
        )

    def test_restricted_facts_need_a_restricted_scope(self, session, tenant):
        store_facts(session, ACTOR, city())
        row = {"case": "1", "organization": "b", "person": "p1", "step": "reminder"}
        facts = {"disciplinary_steps": [row | {"taken_on": DAY}]}
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            store(session, facts, "test")
        session.close()
        with tenant_scope(tenant.tenant_id, restricted=True):
            assert store_facts(session, ACTOR, facts).inserted == {"disciplinary_steps": 1}
            session.close()


def test_importing_the_operations_is_enough():
    """A process that has not seen the migrations knows every table."""
    program = (
        "import guiju.activities.operations, guiju.db, guiju.rules.tables as t;"
        "import sqlalchemy.orm;"
        "assert set(t.TABLES) <= set(guiju.db.metadata.tables);"
        "[k.column for table in guiju.db.metadata.tables.values() for k in table.foreign_keys];"
        "sqlalchemy.orm.configure_mappers()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_posts_without_a_first_day_are_recognized(session):
    store_facts(session, ACTOR, city())
    assert not store_facts(session, ACTOR, {"posts": city()["posts"]})
    assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 4


def test_documents_of_a_period_are_recognized(session):
    store_facts(session, ACTOR, city())
    row = {"organization": "b", "kind": "plan", "period": "2021"}
    assert store_facts(session, ACTOR, {"documents": [row]}).inserted == {"documents": 1}
    assert not store_facts(session, ACTOR, {"documents": [row, row]})
    found = session.scalar(
        sa.select(sa.func.count()).select_from(documents).where(documents.c.period == "2021")
    )
    assert found == 1


def test_statistics_are_brought_up_to_date_within_the_transaction(session):
    def known() -> float:
        return session.scalar(
            sa.text("SELECT reltuples FROM pg_class WHERE oid = 'organizations'::regclass")
        )

    copying.count_anew(session, "organizations")
    number = session.scalar(sa.text("SELECT count(*) FROM organizations"))
    assert known() >= number > 0


def test_statistics_of_no_other_table_are_anybodys_to_ask_for(session):
    with pytest.raises(sa.exc.DBAPIError, match="not a table that imports refer to"):
        copying.count_anew(session, "users")
