"""Imports: previewed, stored whole, confined to a part of the tree, taken back."""

import json
import subprocess
import sys
from datetime import date

import pyarrow as pa
import pytest
import sqlalchemy as sa

from guiju import facts as documents
from guiju import plugins
from guiju.activities.operations import record_occasion, store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, metadata, tenant_scope
from guiju.facts.workbook_writer import write_xlsx
from guiju.importing.models import Import
from guiju.importing.queries import imports
from guiju.importing.reach import reach_of
from guiju.importing.storing import Source, preview_import, run_import
from guiju.importing.undoing import undo_import
from guiju.organizations.models import DirtyMark, Organization
from guiju.organizations.operations import add_member, rename_organization
from guiju.rules.problems import BadInput

ACTOR = Actor("张三", 1)

CITY = {
    "organizations": [
        {"id": "c1", "name": "第一党委", "kind": "committee", "parent": "root"},
        {"id": "c2", "name": "第二党委", "kind": "committee", "parent": "root"},
        {"id": "b1", "name": "第一支部", "kind": "branch", "parent": "c1"},
        {"id": "b2", "name": "第二支部", "kind": "branch", "parent": "c2"},
    ],
    "members": [
        {
            "id": f"p{number}",
            "name": f"党员{number}",
            "organization": "b1" if number < 3 else "b2",
            "membership_class": "full",
            "from_on": "2020-01-01",
        }
        for number in range(5)
    ],
    "posts": [{"person": "p0", "organization": "b1", "post": "secretary"}],
    "occasions": [
        {
            "id": "o1",
            "organization": "b1",
            "kinds": ["theme_day"],
            "held_on": "2021-03-01",
            "start_minute": 570,
        }
    ],
    "attendance": [
        {"occasion": "o1", "person": "p0", "status": "present"},
        {"occasion": "o1", "person": "p1", "status": "excused"},
    ],
}


@pytest.fixture(scope="module")
def installed():
    return plugins.load()


@pytest.fixture
def session(engine, tenant):
    with tenant_scope(tenant.tenant_id, restricted=True), ScopedSession(engine) as session:
        yield session


@pytest.fixture
def city(session, tenant, installed, as_source) -> int:
    """A small city, imported; the import's number."""
    made = run_import(session, ACTOR, as_source(CITY), reach_of(session, tenant.root_id), installed)
    number = made.id
    session.execute(sa.delete(DirtyMark))
    session.commit()
    return number


@pytest.fixture
def as_source(tmp_path):
    def write(document) -> Source:
        path = tmp_path / "facts.json"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return Source.of(path)

    return write


@pytest.fixture
def bring(session, installed, as_source):
    """Import a document into the part of the tree below an organization."""

    def bring(document, top, **options):
        organization = number(session, top)
        reach = reach_of(session, organization)
        session.rollback()
        return run_import(session, ACTOR, as_source(document), reach, installed, **options)

    return bring


@pytest.fixture
def look(session, installed, as_source):
    def look(document, top):
        reach = reach_of(session, number(session, top))
        session.rollback()
        return preview_import(session, as_source(document), reach, installed)

    return look


def number(session, code: str) -> int:
    return session.scalars(sa.select(Organization.id).where(Organization.code == code)).one()


def rows(session) -> dict[str, list]:
    """What every table that facts go to holds."""
    session.rollback()
    session.expire_all()
    return {
        name: sorted(session.execute(sa.select(*metadata.tables[name].c)).all(), key=repr)
        for name in (*CITY, "people")
    }


def problems(error) -> list[tuple[str, str]]:
    return [(problem.place, problem.code) for problem in error.value.problems]


class TestPreview:
    def test_nothing_is_written(self, session, tenant, installed, as_source):
        before = rows(session)
        seen = preview_import(
            session, as_source(CITY), reach_of(session, tenant.root_id), installed
        )
        assert {row.table: (row.new, row.changed, row.unchanged) for row in seen.tables} == {
            "organizations": (4, 0, 0),
            "members": (5, 0, 0),
            "posts": (1, 0, 0),
            "occasions": (1, 0, 0),
            "attendance": (2, 0, 0),
        }
        assert rows(session) == before
        assert imports(session, ["/"]) == []
        assert session.scalars(sa.select(DirtyMark)).all() == []

    def test_changes_in_words(self, city, look):
        document = {
            "organizations": [
                {"id": "b1", "name": "机关一支部", "kind": "branch", "parent": "c2"},
                CITY["organizations"][3],
            ],
            "members": [{**CITY["members"][0], "name": "某甲", "membership_class": "probationary"}],
            "occasions": [
                {**CITY["occasions"][0], "kinds": ["theme_day", "party_lecture"], "start_minute": 0}
            ],
        }
        seen = look(document, "root")
        assert [(row.table, row.new, row.changed, row.unchanged) for row in seen.tables] == [
            ("organizations", 0, 1, 1),
            ("members", 0, 1, 0),
            ("occasions", 0, 1, 0),
        ]
        told = {
            (found.table, found.who): [(c.heading, c.before, c.after) for c in found.columns]
            for found in seen.changes
        }
        assert told == {
            ("people", "p0"): [("姓名", "党员0", "某甲")],
            ("organizations", "b1"): [
                ("组织名称", "第一支部", "机关一支部"),
                ("上级组织编号", "第一党委（c1）", "第二党委（c2）"),
            ],
            ("members", "某甲（p0） 2020-01-01"): [("党员类别", "正式党员", "预备党员")],
            ("occasions", "o1"): [
                ("活动类型", "主题党日", "党课、主题党日"),
                ("开始时间", "09:30", "00:00"),
            ],
        }

    def test_faults_name_sheet_and_cell(self, session, tenant, installed, tmp_path):
        path = tmp_path / "名册.xlsx"
        tables = {}
        for name in ("organizations", "members"):
            given = [dict(row) for row in CITY[name]]
            for row in given:
                if "from_on" in row:
                    row["from_on"] = date.fromisoformat(row["from_on"])
            tables[name] = pa.Table.from_pylist(given, documents.schema(name))
        write_xlsx(tables, path)
        reach = reach_of(session, tenant.root_id)
        run_import(session, ACTOR, Source.of(path), reach, installed)
        # The same person in another branch from a day within the first spell.
        moved = tables["members"].slice(3, 1).to_pylist()[0] | {
            "organization": "b1",
            "from_on": date(2021, 1, 1),
        }
        tables["members"] = pa.Table.from_pylist([moved], documents.schema("members"))
        write_xlsx(tables, path)
        before = rows(session)
        with pytest.raises(BadInput) as caught:
            preview_import(session, Source.of(path), reach, installed)
        assert problems(caught) == [("名册.xlsx 工作表“党员” 单元格 A2", "overlapping_membership")]
        assert rows(session) == before


class TestStoring:
    def test_the_same_twice_changes_nothing(self, session, city, bring):
        before = rows(session)
        assert bring(CITY, "root") is None
        assert rows(session) == before
        assert [found.id for found in imports(session, ["/"])] == [city]
        assert session.scalars(sa.select(DirtyMark)).all() == []

    def test_references_may_lead_to_what_is_there(self, session, city, bring):
        made = bring(
            {"posts": [{"person": "p4", "organization": "b2", "post": "secretary"}]}, "root"
        )
        assert made.inserted == {"posts": 1}

    def test_all_or_nothing(self, session, city, bring):
        before = rows(session)
        document = {
            "organizations": [{"id": "n", "name": "新", "kind": "branch", "parent": "b9"}],
            "occasions": [{**CITY["occasions"][0], "held_on": "2021-04-01"}],
        }
        with pytest.raises(BadInput) as caught:
            bring(document, "root")
        assert problems(caught) == [("facts.json /organizations/0/parent", "unknown_reference")]
        assert rows(session) == before

    def test_a_preview_that_no_longer_holds(self, session, city, look, bring):
        document = {"occasions": [{**CITY["occasions"][0], "theme": "学习"}]}
        seen = look(document, "root")
        record_occasion(
            session, ACTOR, {**CITY["occasions"][0], "held_on": date(2021, 3, 1), "theme": "别的"}
        )
        before = rows(session)
        with pytest.raises(BadInput) as caught:
            bring(document, "root", expected=seen.fingerprint)
        assert problems(caught) == [("facts.json", "stale")]
        assert rows(session) == before
        fresh = look(document, "root")
        agreed = json.loads(json.dumps(fresh.fingerprint))
        assert bring(document, "root", expected=agreed).updated == {"occasions": 1}

    def test_a_job_that_is_run_again(self, session, city, bring):
        # Not a job's number, but unique all the same.
        document = {"occasions": [{**CITY["occasions"][0], "theme": "学习"}]}
        first = bring(document, "root")
        assert session.scalars(sa.select(sa.func.count(Import.id))).one() == 2
        assert bring(document, "root") is None
        assert first.updated == {"occasions": 1}


class TestReach:
    """Somebody who answers for the first committee and what is below it."""

    NEW = {"id": "n", "name": "新支部", "kind": "branch", "parent": "c1"}  # noqa: RUF012

    def test_what_is_inside_is_stored(self, session, city, bring):
        document = {
            "organizations": [
                {"id": "c1", "name": "第一党委", "kind": "committee"},
                {"id": "b1", "name": "一支部", "kind": "branch", "parent": "c1"},
                self.NEW,
            ],
            "members": [{"id": "new", "organization": "n", "membership_class": "full"}],
        }
        made = bring(document, "c1")
        assert (made.inserted, made.updated) == (
            {"people": 1, "organizations": 1, "members": 1},
            {"organizations": 1},
        )
        top = session.scalars(sa.select(Organization).where(Organization.code == "c1")).one()
        assert top.parent_id == number(session, "root")

    @pytest.mark.parametrize(
        ("document", "place", "code"),
        [
            # Another part's unit as superior, as owner, as the row itself.
            (
                {"organizations": [{**NEW, "parent": "c2"}]},
                "organizations/0/parent",
                "unknown_reference",
            ),
            (
                {"organizations": [{**NEW, "parent": "root"}]},
                "organizations/0/parent",
                "unknown_reference",
            ),
            (
                {"organizations": [{**NEW, "parent": None}]},
                "organizations/0/parent",
                "out_of_reach",
            ),
            ({"organizations": [{**NEW, "id": "b2"}]}, "organizations/0/id", "out_of_reach"),
            ({"organizations": [{**NEW, "id": "c1"}]}, "organizations/0/parent", "cycle"),
            (
                {"members": [{"id": "x", "organization": "b2", "membership_class": "full"}]},
                "members/0/organization",
                "unknown_reference",
            ),
            (
                {
                    "members": [
                        {
                            "id": "p3",
                            "name": "改名",
                            "organization": "b1",
                            "membership_class": "full",
                            "from_on": "2030-01-01",
                        }
                    ]
                },
                "members/0/id",
                "out_of_reach",
            ),
            (
                {
                    "posts": [{"person": "p3", "organization": "b1", "post": "secretary"}],
                    "dues": [
                        {"person": "p3", "month": "2021-03", "due_amount": 1, "paid_amount": 1}
                    ],
                },
                "dues/0/person",
                "out_of_reach",
            ),
            (
                {
                    "occasions": [
                        {
                            "id": "theirs",
                            "organization": "b1",
                            "kinds": ["theme_day"],
                            "held_on": "2021-03-02",
                        }
                    ]
                },
                "occasions/0/id",
                "out_of_reach",
            ),
            (
                {"settings": [{"key": "complete_after_days", "value": "3"}]},
                "settings/0/key",
                "out_of_reach",
            ),
        ],
    )
    def test_what_is_outside_is_refused(self, session, city, bring, document, place, code):
        theirs = {
            "id": "theirs",
            "organization": "b2",
            "kinds": ["theme_day"],
            "held_on": date(2021, 3, 1),
        }
        store_facts(session, ACTOR, {"occasions": [theirs]})
        before = rows(session)
        with pytest.raises(BadInput) as caught:
            bring(document, "c1")
        assert (f"facts.json /{place}", code) in problems(caught)
        assert rows(session) == before

    def test_what_is_absent_and_what_is_elsewhere_are_told_alike(self, session, city, bring):
        told = []
        for code in ("b2", "zz"):
            with pytest.raises(BadInput) as caught:
                bring({"organizations": [{**self.NEW, "parent": code}]}, "c1")
            told.append(str(caught.value).replace(code, "…"))
        assert told[0] == told[1]

    def test_taking_over_a_member_is_refused(self, session, city, bring):
        before = rows(session)
        spell = {**CITY["members"][3], "organization": "b1"}
        del spell["name"]
        with pytest.raises(BadInput):
            bring({"members": [spell]}, "c1")
        assert rows(session) == before


class TestUndoing:
    def test_everything_is_as_before(self, session, tenant, city):
        undo_import(session, ACTOR, city)
        found = rows(session)
        assert {name: len(listed) for name, listed in found.items()} == {
            "organizations": 1,
            "members": 0,
            "posts": 0,
            "occasions": 0,
            "attendance": 0,
            "people": 0,
        }
        assert imports(session, ["/"])[0].undone_by == "张三"
        with pytest.raises(BadInput):
            undo_import(session, ACTOR, city)

    def test_replaced_rows_say_what_they_said(self, session, city, bring):
        before = rows(session)
        document = {
            "organizations": [{"id": "b1", "name": "一支部", "kind": "branch", "parent": "c2"}],
            "members": [
                {**CITY["members"][0], "name": "某甲", "until_on": "2021-01-31"},
                {
                    **CITY["members"][0],
                    "name": "某甲",
                    "from_on": "2021-02-01",
                    "organization": "b2",
                },
            ],
            "attendance": [
                {"occasion": "o1", "person": "p1", "status": "present"},
                {"occasion": "o1", "person": "p2", "status": "present"},
            ],
            "occasions": [
                {
                    **CITY["occasions"][0],
                    "kinds": ["party_lecture"],
                    "merged_with": ["o2"],
                    "held_on": "2021-01-15",
                },
                {"id": "o2", "organization": "b2", "kinds": ["training"], "held_on": "2021-02-01"},
            ],
        }
        made = bring(document, "root").id
        assert rows(session) != before
        session.execute(sa.delete(DirtyMark))
        session.commit()
        undo_import(session, ACTOR, made)
        assert rows(session) == before
        marked = set(session.scalars(sa.select(DirtyMark.organization_id)))
        assert {number(session, code) for code in ("b1", "b2", "c1")} <= marked

    @pytest.mark.parametrize(
        "later",
        [
            lambda session: rename_organization(
                session, ACTOR, number(session, "b1"), "新名", date(2021, 5, 1)
            ),
            lambda session: record_occasion(
                session,
                ACTOR,
                {
                    "id": "later",
                    "organization": "b1",
                    "kinds": ["theme_day"],
                    "held_on": date(2021, 5, 1),
                },
            ),
            lambda session: add_member(
                session,
                ACTOR,
                {"id": "p9", "organization": "b1", "membership_class": "full"},
            ),
            lambda session: record_occasion(
                session,
                ACTOR,
                {**CITY["occasions"][0], "held_on": date(2021, 3, 1)},
                {
                    "attendance": [
                        {"occasion": "o1", "person": "p0", "status": "present"},
                        {"occasion": "o1", "person": "p1", "status": "excused"},
                    ],
                    "documents": [{"kind": "minutes"}],
                },
            ),
        ],
        ids=["renamed", "an activity", "a member", "papers"],
    )
    def test_not_what_something_was_built_on(self, session, city, later):
        later(session)
        before = rows(session)
        with pytest.raises(BadInput) as caught:
            undo_import(session, ACTOR, city)
        assert {code for _, code in problems(caught)} == {"built_upon"}
        assert rows(session) == before
        assert imports(session, ["/"])[0].undone_at is None

    def test_other_tenants_imports_are_not_there(self, engine, city, create_tenant):
        other = create_tenant()
        with tenant_scope(other.tenant_id, restricted=True), ScopedSession(engine) as theirs:
            assert imports(theirs, ["/"]) == []
            with pytest.raises(sa.exc.NoResultFound):
                undo_import(theirs, ACTOR, city)


def test_importing_the_operations_is_enough():
    """Commands import no more than they need; every table that is referred to comes along."""
    script = "import guiju.importing.storing as s; s.Import.metadata.sorted_tables"
    subprocess.run([sys.executable, "-c", script], check=True)
