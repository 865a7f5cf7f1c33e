"""What is recorded beside meetings: talks and all else, each where its due item leads."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from guiju.activities import entries
from guiju.activities.models import talks
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope
from guiju.db.authored import select_authored
from guiju.db.models import metadata
from guiju.rules import engine, tables
from guiju.scoring.guidance import place_of
from guiju.web import entry_words
from guiju.web.entry_fields import Known, fields_of, titles


@pytest.fixture(scope="module")
def entered(create_office):
    """An office whose branches enter things."""
    return create_office(recorded=True)


@pytest.fixture
def person(sign_in, entered, submit):
    class Person:
        def __init__(self, name):
            self.client = sign_in(name, entered)

        def get(self, address, **options):
            return self.client.get(address.format(**entered.units), **options)

        def enter(self, table, unit="finance-1", action="", **fields):
            place = f"/organizations/{entered.units[unit]}/entries/{table}"
            mine = f"/organizations/{entered.units['finance-1']}/entries/talks"
            return submit(self.client, place + action, mine, **fields)

    return Person


TALK = {"held_on": "2021-06-01", "person": "finance-1-1", "partner": "finance-1-2"}


def stored(engine, office):
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        return session.execute(sa.select(talks.c.id, talks.c.held_on, talks.c.code)).all()


class TestTalks:
    def test_are_kept_with_day_and_pair_and_nothing_else(self, person, engine, entered):
        secretary, before = person("secretary"), stored(engine, entered)
        page = secretary.get("/organizations/{finance-1}/entries/talks").text
        assert not [name for name in ('name="content"', "<textarea") if name in page]
        assert secretary.enter("talks", **TALK, content="说的话").status_code == 302
        (new,) = set(stored(engine, entered)) - set(before)
        assert new.held_on == date(2021, 6, 1)
        page = secretary.get("/organizations/{finance-1}/entries/talks").text
        assert "党员1" in page
        assert "2021年6月1日" in page
        assert "说的话" not in page

    def test_are_corrected_and_taken_out(self, person, engine, entered):
        secretary = person("secretary")
        secretary.enter("talks", **{**TALK, "held_on": "2021-06-02"})
        number = max(row.id for row in stored(engine, entered))
        code = next(row.code for row in stored(engine, entered) if row.id == number)
        changed = {**TALK, "held_on": "2021-06-03", "entry": str(number)}
        assert secretary.enter("talks", **changed).status_code == 302
        (row,) = [row for row in stored(engine, entered) if row.code == code]
        assert row.held_on == date(2021, 6, 3)
        secretary.enter("talks", action="/remove", entry=str(row.id))
        assert code not in {row.code for row in stored(engine, entered)}
        with tenant_scope(entered.tenant.tenant_id), ScopedSession(engine) as session:
            actions = set(session.scalars(sa.select(AuditEntry.action)))
        assert actions >= {"entry.record", "entry.remove"}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"held_on": ""}, "held_on"),
            ({"held_on": "2021-13-01"}, "held_on"),
            ({"held_on": "2021-12-01"}, "held_on"),
            ({"person": ""}, "person"),
            ({"person": "nobody"}, "person"),
            ({"person": "justice-1-1"}, "person"),
            ({"partner": "finance-2-1"}, "partner"),
            ({"occasion": "justice-1-theme_day-1"}, "occasion"),
            ({"mode": "shouting"}, "mode"),
            ({"participants": "two"}, "participants"),
        ],
    )
    def test_with_faults_are_refused_at_the_field_and_kept_as_typed(
        self, person, engine, entered, changes, field
    ):
        before = stored(engine, entered)
        answer = person("secretary").enter("talks", **{**TALK, **changes})
        assert answer.status_code == 422
        assert f'id="{field}-errors"' in answer.text
        assert 'value="finance-1-1" selected' in answer.text or field == "person"
        assert stored(engine, entered) == before

    def test_of_others_are_not_there(self, person, engine, entered, sign_in, create_office):
        department, secretary = person("department"), person("secretary")
        department.enter(
            "talks", "justice-1", held_on="2021-06-01", person="justice-1-1", partner="justice-1-2"
        )
        number = max(row.id for row in stored(engine, entered))
        before = stored(engine, entered)
        for unit in ("justice-1", "finance-2", "root"):
            address = f"/organizations/{{{unit}}}/entries/talks"
            assert secretary.get(address).status_code == 404
            assert secretary.enter("talks", unit, **TALK).status_code == 404
        for action in ("", "/remove"):
            answer = secretary.enter("talks", "finance-1", action, **TALK, entry=str(number))
            assert answer.status_code == 404
        assert (
            secretary.get(f"/organizations/{{finance-1}}/entries/talks?entry={number}").status_code
            == 404
        )
        assert stored(engine, entered) == before
        stranger = sign_in("department", create_office())
        place = f"/organizations/{entered.units['finance-1']}/entries"
        assert stranger.get(place).status_code == 404
        assert stranger.get(f"{place}/talks").status_code == 404

    def test_are_not_for_who_may_not_see_people(self, person):
        reader = person("committee")
        assert reader.get("/organizations/{finance-1}/entries").status_code == 403
        assert reader.get("/organizations/{finance-1}/entries/talks?format=csv").status_code == 403


SAMPLES = {
    "reports": {"kind": "work_report", "filed_on": "2021-06-01", "recipient": "finance"},
    "rectifications": {"opened_on": "2021-06-01", "due_on": "2022-01-01"},
    "appraisals": {"subject_type": "member", "person": "finance-1-2", "year": "2021"},
    "dues": {
        "person": "finance-1-2",
        "month": "2021-06",
        "due_amount": "12.5",
        "paid_amount": "12.5",
    },
    "dues_bases": {
        "person": "finance-1-2",
        "year": "2021",
        "fixed_on": "2021-06-01",
        "amount": "9",
    },
    "training": {"person": "finance-1-2", "held_on": "2021-06-01", "tenths": "4.5"},
    "commitments": {"person": "finance-1-2", "year": "2021", "promised_on": "2021-06-01"},
    "documents": {"kind": "plan", "kept_on": "2021-06-01", "period": "2021"},
    "terms": {"elected_on": "2021-06-01", "ends_on": "2024-05-31"},
    "vacancies": {"post": "secretary", "vacant_on": "2021-06-01"},
    "disciplinary_steps": {"case": "c1", "person": "finance-1-2", "taken_on": "2021-06-01"},
    "register": {"since_on": "2021-06-01"},
    "foundings": {"decided_on": "2021-06-01"},
    "inspections": {"done_on": "2021-06-01"},
}


@pytest.mark.parametrize("table", [name for name in entries.ENTRIES if name != "talks"])
def test_every_kind_has_a_form_that_records(person, table):
    secretary = person("secretary")
    fields = dict(SAMPLES[table])
    for name, column in tables.columns(table).items():
        # The first word of a vocabulary, where one has to be chosen.
        if column.required and column.metadata["kind"] == "code" and name not in fields:
            fields[name] = next(iter(column.metadata["vocabulary"]))
    answer = secretary.enter(table, **fields)
    assert answer.status_code == 302, answer.text
    page = secretary.get(f"/organizations/{{finance-1}}/entries/{table}").text
    assert 'name="entry"' in page
    for text in ("12.5", "4.5"):
        if text in fields.values():
            assert text in page


def test_what_is_about_a_person_alone_is_the_branchs_on_whose_roster_they_are(person):
    fields = {**SAMPLES["dues"], "person": "justice-1-1"}
    assert person("secretary").enter("dues", **fields).status_code == 422
    assert person("department").enter("dues", "finance-1", **fields).status_code == 422


def test_a_restricted_table_is_opened_only_with_a_note(person, engine, entered):
    def notes():
        with tenant_scope(entered.tenant.tenant_id), ScopedSession(engine) as session:
            return session.scalar(
                sa.select(sa.func.count()).where(
                    AuditEntry.action == "restricted.read",
                    AuditEntry.subject_type == "disciplinary_steps",
                )
            )

    before = notes()
    person("secretary").get("/organizations/{finance-1}/entries/disciplinary_steps")
    assert notes() == before + 1


def test_there_are_no_other_tables(person):
    for table in ("members", "settings", "judgements", "users", "occasions"):
        assert (
            person("secretary").get(f"/organizations/{{finance-1}}/entries/{table}").status_code
            == 404
        )


def test_every_requirement_says_where_it_is_recorded(app):
    """Each due item leads to a form that can record it, or says who sees to it."""
    seen = set()
    for pack in app.extensions["guiju_plugins"].packs.values():
        for rule in engine.compile_rules(pack, pack.choices({})):
            place = place_of(rule)
            seen.add(place.where)
            assert place.where in {"occasion", "record", "entry", "roster", "tree"}, rule.id
            if place.where == "occasion":
                assert place.kinds, rule.id
            if place.where == "entry":
                assert place.table in entries.ENTRIES, rule.id
                read = {table for table, _column in rule.check.reads(rule.parameters)}
                assert place.table in read, rule.id
    assert len(seen) == 5


def test_every_kind_of_entry_has_a_title_and_every_column_is_one_of_the_table(app):
    with app.test_request_context():
        assert set(titles()) == set(entries.ENTRIES)
    for table, entry in entries.ENTRIES.items():
        named = {*entry.columns, entry.day, *entry.implied, *filter(None, [entry.owner])}
        assert named <= set(tables.columns(table))
        required = {
            name
            for name, column in tables.columns(table).items()
            if column.required and column.metadata["kind"] != "key"
        }
        assert required <= named


def test_every_title_and_note_can_be_translated(app):
    with app.test_request_context():
        fields = [
            field
            for table in entries.ENTRIES
            for field in fields_of(table, Known({}, {}, {}, {}, {}), None)
        ]
    assert {field.title for field in fields} == entry_words.TITLES
    assert {field.note for field in fields} - {""} == entry_words.NOTES


def test_the_workbench_leads_to_them(person, sign_in, judged):
    page = (
        sign_in("secretary", judged)
        .get(f"/organizations/{judged.units['finance-1']}/workbench")
        .text
    )
    assert "/entries" in page
    assert "/entries/dues_bases?requirement=xian.dues.base_annual" in page


REPORT = {"kind": "work_report", "filed_on": "2021-06-01", "recipient": "root"}


class TestPeopleOfASuperior:
    """A unit without a roster of its own names people by their names."""

    def reported(self, engine, office):
        with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
            query = select_authored("reports").where(
                metadata.tables["reports"].c.organization_id == office.units["finance"]
            )
            return [row["person"] for row in session.execute(query).mappings()]

    def test_are_offered_with_what_they_hold(self, person):
        page = person("department").get("/organizations/{finance}/entries/reports").text
        assert (
            '<option value="党员1（finance-1-1）" label="市财政局第一党支部 书记"></option>' in page
        )
        assert "justice-1-1" not in page
        assert 'list="people"' in page

    @pytest.mark.parametrize("typed", ["党员1（finance-2-1）", "finance-2-1"])
    def test_are_kept_however_they_were_named(self, person, engine, entered, typed):
        department = person("department")
        answer = department.enter("reports", "finance", **REPORT, person=typed)
        assert answer.status_code == 302, answer.text
        assert "finance-2-1" in self.reported(engine, entered)
        page = department.get("/organizations/{finance}/entries/reports").text
        number = re.findall(r"entry=(\d+)", page)[0]
        page = department.get(f"/organizations/{{finance}}/entries/reports?entry={number}").text
        assert 'value="党员1（finance-2-1）"' in page

    @pytest.mark.parametrize(
        ("typed", "asked"),
        [
            ("党员7", "是哪一位？"),
            ("没有的人", "应为名册中的人员"),
            ("没有的人（finance-9）", "应为名册中的人员"),
        ],
    )
    def test_are_asked_for_where_unclear(self, person, engine, entered, typed, asked):
        before = self.reported(engine, entered)
        answer = person("department").enter("reports", "finance", **REPORT, person=typed)
        assert answer.status_code == 422
        assert asked in answer.text.partition('id="person-errors"')[2][:200]
        assert f'value="{typed}"' in answer.text
        assert self.reported(engine, entered) == before

    def test_of_other_tenants_are_nobody(self, sign_in, create_office, submit):
        office = create_office(recorded=False)
        client = sign_in("department", office)
        place = f"/organizations/{office.units['finance']}/entries/reports"
        assert "（finance-1-1）" not in client.get(place).text
        answer = submit(client, place, place, **REPORT, person="党员1")
        assert answer.status_code == 422
        assert "是哪一位" not in answer.text
