"""Records from draft to archive: who does what, what is refused, and what is kept."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from guiju import clock
from guiju.activities import drafts, queries, records, workflow
from guiju.activities.access import Conflict, NotAllowed, NotVisible
from guiju.activities.differences import differences
from guiju.activities.models import Occasion, Record, RecordVersion
from guiju.activities.operations import attest_period, store_facts
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.organizations.models import DirtyMark
from guiju.rules.problems import BadInput

ACTOR = Actor("test")
IMPORTED = {
    "id": "imported",
    "organization": "b1",
    "kinds": ["branch_assembly"],
    "held_on": date(2021, 3, 1),
    "recorded_on": date(2021, 3, 20),
}


@pytest.fixture
def office(session, city, who, installed, meeting):
    """What the tests do, in few words."""

    class Office:
        def submit(self, name="secretary", unit="b1", **changes) -> Record:
            draft = drafts.save_draft(session, who(name), city.units[unit], meeting(**changes))
            return records.submit_draft(session, who(name), installed, draft.draft_id)

        def correct(self, record, name="secretary", reason=None, revision=None, **changes):
            return records.correct_record(
                session,
                who(name),
                installed,
                record.occasion_id,
                meeting(**changes),
                reason=reason,
                revision=revision,
            )

        def levels(self, number, unit="root") -> None:
            workflow.set_workflow(session, who("department"), city.units[unit], levels=number)

        def view(self, record, name="secretary") -> queries.RecordView:
            return queries.find_record(session, who(name), record.occasion_id)

    return Office()


def places(error) -> list[tuple[str, str]]:
    return [(problem.place, problem.code) for problem in error.value.problems]


class TestSubmitting:
    def test_a_draft_becomes_a_record_and_counts_at_once(self, session, city, office):
        session.execute(sa.delete(DirtyMark))
        session.commit()
        made = office.submit()
        occasion = session.scalars(sa.select(Occasion)).one()
        assert (occasion.present, occasion.expected) == (1, 4)
        assert occasion.recorded_on == clock.today()
        assert set(session.scalars(sa.select(DirtyMark.organization_id))) == {city.units["b1"]}
        assert (made.state, made.revision, made.late, made.changed) == ("archived", 1, False, False)
        view = office.view(made)
        assert view.payload["attendance"][0] == {"person": "b1-p0", "status": "present"}
        assert view.payload["content"] == "一起参观了展览。"
        assert [(step.action, step.actor) for step in view.steps] == [("submit", "secretary")]
        actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions[-2:] == ["occasion.record", "record.submit"]

    def test_twice_makes_one_record(self, session, city, who, installed, meeting):
        secretary = who("secretary")
        draft = drafts.save_draft(session, secretary, city.units["b1"], meeting())
        first = records.submit_draft(session, secretary, installed, draft.draft_id)
        again = records.submit_draft(session, secretary, installed, draft.draft_id)
        assert first.occasion_id == again.occasion_id
        with pytest.raises(NotVisible):
            records.submit_draft(session, who("neighbour"), installed, draft.draft_id)

    def test_every_fault_is_named_and_the_draft_stays(self, session, city, who, installed, meeting):
        wrong = meeting(
            held_on="昨天",
            kinds=["parade"],
            colour="red",
            attendance=[
                {"person": "b1-p0", "status": "present"},
                {"person": "b1-p0", "status": "asleep"},
                "b1-p1",
            ],
            votes=[{"item": "1", "should_attend": 3, "present": 2, "ayes": 4}],
        )
        draft = drafts.save_draft(session, who("secretary"), city.units["b1"], wrong)
        with pytest.raises(BadInput) as caught:
            records.submit_draft(session, who("secretary"), installed, draft.draft_id)
        assert sorted(places(caught)) == [
            ("/attendance/1/person", "repeated"),
            ("/attendance/1/status", "unknown_code"),
            ("/attendance/2", "wrong_type"),
            ("/colour", "unknown_column"),
            ("/held_on", "wrong_type"),
            ("/kinds", "unknown_code"),
            ("/votes/0/ayes", "more_than_whole"),
        ]
        assert session.scalar(sa.select(sa.func.count()).select_from(Occasion)) == 0
        assert drafts.find_draft(session, who("secretary"), draft.draft_id).payload == wrong

    @pytest.mark.parametrize(
        ("changes", "place", "code"),
        [
            ({"held_on": ...}, "/held_on", "missing_value"),
            ({"kinds": []}, "/kinds", "missing_value"),
            ({"held_on": "2199-01-01"}, "/held_on", "in_the_future"),
            ({"status": "planned"}, "/held_on", "in_the_past"),
            ({"status": "cancelled"}, "/status", "use_void"),
            ({"chair": "nobody"}, "/chair", "unknown_reference"),
            ({"chair": "b2-p0"}, "/chair", "unknown_reference"),
            ({"merged_with": ["x"]}, "/merged_with", "unknown_reference"),
            ({"attendance": [{"status": "present"}]}, "/attendance/0/person", "missing_value"),
            ({"attendance": "all"}, "/attendance", "wrong_type"),
            ({"content": "字" * 20_001}, "/content", "too_long"),
            ({"expected": 3, "present": 4}, "/present", "more_than_whole"),
            ({"recorded_on": "2020-01-01"}, "/recorded_on", "unknown_column"),
            ({"organization": "b2"}, "/organization", "unknown_column"),
            ({"place": "A\x00"}, "/place", "control_character"),
        ],
    )
    def test_refusals(self, session, city, who, installed, meeting, changes, place, code):
        with pytest.raises(BadInput) as caught:
            records.create_record(
                session, who("secretary"), installed, city.units["b1"], meeting(**changes)
            )
        assert places(caught) == [(place, code)]

    def test_five_thousand_characters_are_kept(self, office):
        made = office.submit(content="学习" * 2500)
        assert len(office.view(made).payload["content"]) == 5000

    def test_an_id_of_ones_own(self, session, city, who, installed, meeting):
        args = session, who("secretary"), installed, city.units["b1"], meeting()
        made = records.create_record(*args, code="our-7")
        view = queries.record_with_code(session, who("secretary"), "our-7")
        assert view.summary.occasion_id == made.occasion_id
        with pytest.raises(BadInput) as caught:
            records.create_record(*args, code="our-7")
        assert places(caught) == [("/id", "taken")]

    def test_an_imported_id_is_never_overwritten(self, session, city, office):
        last = session.scalar(sa.select(sa.Sequence("occasions_id_seq").next_value()))
        taken = [{**IMPORTED, "id": f"r{last + n}"} for n in range(1, 6)]
        store_facts(session, ACTOR, {"occasions": taken})
        made = office.submit()
        codes = session.scalars(sa.select(Occasion.code)).all()
        assert len(codes) == len(set(codes)) == 6
        assert office.view(made).payload["theme"] == "参观学习"

    def test_long_after_the_day_is_late(self, office):
        day = clock.today() - timedelta(days=workflow.LATE_AFTER_DAYS + 1)
        assert office.submit(held_on=day.isoformat()).late
        assert not office.submit().late

    def test_after_the_month_was_declared_complete_is_late(self, session, office):
        day = clock.today() - timedelta(days=2)
        attest_period(session, ACTOR, "b1", f"{day:%Y-%m}")
        assert office.submit().late


class TestReviewing:
    @pytest.mark.parametrize(
        ("levels", "seen"),
        [(0, []), (1, ["第一党委"]), (2, ["第一党委", "机关工委"])],
    )
    def test_levels(self, session, who, office, levels, seen):
        office.levels(levels)
        made = office.submit()
        passed = []
        for name in ("committee", "department"):
            view = office.view(made)
            if view.summary.station is None:
                break
            passed.append(view.summary.station)
            assert view.summary.state == ("submitted" if len(passed) == 1 else "reviewed")
            assert office.view(made, "reader").summary.station == view.summary.station
            records.approve_record(session, who(name), made.occasion_id, revision=1)
        assert passed == seen
        assert office.view(made).summary.state == "archived"

    def test_a_station_without_a_reviewer_is_passed_over(self, session, city, who, office):
        office.levels(2)
        session.execute(
            sa.text("DELETE FROM user_roles WHERE user_id = :user"),
            {"user": city.users["committee"]},
        )
        session.commit()
        made = office.submit()
        assert office.view(made).summary.station == "机关工委"
        records.approve_record(session, who("department"), made.occasion_id)
        assert office.view(made).summary.state == "archived"

    def test_the_nearest_setting_counts(self, session, city, who, office):
        office.levels(1)
        office.levels(0, "b1")
        assert office.submit().state == "archived"
        workflow.inherit_workflow(session, who("department"), city.units["b1"])
        assert office.submit().state == "submitted"

    def test_returned_corrected_and_submitted_again(self, session, who, office):
        office.levels(1)
        made = office.submit()
        back = records.return_record(
            session, who("committee"), made.occasion_id, "请补签到表", revision=1
        )
        assert back.state == "returned"
        assert [one.occasion_id for one in queries.returned_records(session, who("secretary"))] == [
            made.occasion_id
        ]
        assert queries.returned_records(session, who("neighbour")) == []
        # It counts all the while.
        assert session.scalar(sa.select(Occasion.status)) is None
        again = office.correct(made, theme="参观学习并讨论")
        assert (again.state, again.revision, again.changed) == ("submitted", 2, False)
        steps = [(step.action, step.state, step.comment) for step in office.view(made).steps]
        assert steps == [
            ("submit", "submitted", None),
            ("return", "returned", "请补签到表"),
            ("correct", "submitted", None),
        ]

    def test_returning_needs_a_comment(self, session, who, office):
        office.levels(1)
        made = office.submit()
        with pytest.raises(BadInput) as caught:
            records.return_record(session, who("committee"), made.occasion_id, " ")
        assert places(caught) == [("/comment", "missing_value")]

    def test_nobody_reviews_their_own(self, session, who, office):
        office.levels(1)
        made = office.submit("department")
        # The committee's reviewer has it; the author, though above, is refused.
        assert office.view(made).summary.station == "第一党委"
        for review in (records.approve_record, _return):
            with pytest.raises(NotAllowed):
                review(session, who("department"), made.occasion_id)
        assert "approve" not in office.view(made, "department").may
        assert queries.awaiting_review(session, who("department")) == []

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("secretary", NotAllowed),
            ("colleague", NotAllowed),
            ("reader", NotAllowed),
            ("other_committee", NotVisible),
            ("neighbour", NotVisible),
            ("auditor", NotVisible),
        ],
    )
    def test_only_its_reviewers_review(self, session, who, office, name, error):
        office.levels(1)
        made = office.submit()
        for review in (records.approve_record, _return):
            with pytest.raises(error):
                review(session, who(name), made.occasion_id)
        assert office.view(made).summary.state == "submitted"

    def test_a_lower_reviewer_does_not_pass_the_higher_level(self, session, who, office):
        office.levels(2)
        made = office.submit()
        records.approve_record(session, who("committee"), made.occasion_id)
        with pytest.raises(NotAllowed):
            records.approve_record(session, who("committee"), made.occasion_id)

    def test_what_changed_meanwhile_is_not_approved_unseen(self, session, who, office):
        office.levels(1)
        made = office.submit()
        office.correct(made, theme="另一主题")
        with pytest.raises(Conflict) as caught:
            records.approve_record(session, who("committee"), made.occasion_id, revision=1)
        assert caught.value.revision == 2
        assert caught.value.payload["theme"] == "另一主题"

    def test_twice_is_refused(self, session, who, office):
        office.levels(1)
        made = office.submit()
        records.approve_record(session, who("committee"), made.occasion_id)
        with pytest.raises(BadInput, match="不在等待审核"):
            records.approve_record(session, who("committee"), made.occasion_id)

    def test_lists_of_what_waits(self, session, who, office):
        office.levels(1)
        made = office.submit()
        for name, waiting in (
            ("committee", [made.occasion_id]),
            ("department", [made.occasion_id]),
            ("other_committee", []),
            ("secretary", []),
            ("reader", []),
        ):
            found = queries.awaiting_review(session, who(name))
            assert [one.occasion_id for one in found] == waiting, name

    @pytest.mark.parametrize("name", ["committee", "secretary", "reader"])
    def test_only_administrators_set_levels(self, session, city, who, name):
        with pytest.raises((NotAllowed, NotVisible)):
            workflow.set_workflow(session, who(name), city.units["root"], levels=1)

    def test_levels_there_are_not(self, session, city, who):
        with pytest.raises(BadInput) as caught:
            workflow.set_workflow(
                session, who("department"), city.units["root"], levels=3, late_after_days=-1
            )
        assert [place for place, _code in places(caught)] == ["/levels", "/late_after_days"]


def _return(session, visitor, occasion_id):
    return records.return_record(session, visitor, occasion_id, "请改")


class TestCorrecting:
    def test_the_earlier_version_is_kept(self, session, who, office):
        made = office.submit()
        office.correct(
            made,
            theme="另一主题",
            attendance=[{"person": "b1-p1", "status": "present"}],
            reason="记错了",
        )
        first, second = queries.versions(session, who("secretary"), made.occasion_id)
        assert (first.number, first.payload["theme"]) == (1, "参观学习")
        assert (second.number, second.reason, second.author) == (2, "记错了", "secretary")
        changes = differences(first.payload, second.payload)
        assert [(one.part, one.field, one.before, one.after) for one in changes] == [
            (None, "theme", "参观学习", "另一主题"),
            ("attendance", "", {"person": "b1-p0", "status": "present"}, None),
            ("attendance", "status", "excused", "present"),
        ]
        assert office.view(made).summary.changed

    def test_versions_cannot_be_changed(self, session, office):
        office.submit()
        for statement in (sa.delete(RecordVersion), sa.update(RecordVersion).values(author="x")):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                session.execute(statement)
            session.rollback()

    def test_two_people_at_one_record(self, session, who, installed, office, meeting):
        made = office.submit()
        mine = drafts.begin_correction(session, who("secretary"), made.occasion_id)
        theirs = drafts.begin_correction(session, who("colleague"), made.occasion_id)
        assert mine.draft_id != theirs.draft_id
        assert mine.payload["theme"] == "参观学习"
        assert "recorded_on" not in mine.payload
        with pytest.raises(NotVisible):
            drafts.find_draft(session, who("secretary"), theirs.draft_id)
        unit = mine.organization_id
        drafts.save_draft(
            session, who("colleague"), unit, meeting(theme="同事写的"), theirs.draft_id, 1
        )
        records.submit_draft(session, who("colleague"), installed, theirs.draft_id)
        drafts.save_draft(
            session, who("secretary"), unit, meeting(theme="我写的"), mine.draft_id, 1
        )
        with pytest.raises(Conflict) as caught:
            records.submit_draft(session, who("secretary"), installed, mine.draft_id)
        assert (caught.value.author, caught.value.payload["theme"]) == ("colleague", "同事写的")
        # Nothing is lost: having seen it, they may submit.
        records.submit_draft(session, who("secretary"), installed, mine.draft_id, record_revision=2)
        assert office.view(made).payload["theme"] == "我写的"
        assert len(queries.versions(session, who("secretary"), made.occasion_id)) == 3

    def test_beginning_twice_goes_on(self, session, who, office):
        made = office.submit()
        first = drafts.begin_correction(session, who("secretary"), made.occasion_id)
        again = drafts.begin_correction(session, who("secretary"), made.occasion_id)
        assert first.draft_id == again.draft_id

    def test_a_complete_month_demands_a_reason(self, session, office):
        made = office.submit()
        attest_period(session, ACTOR, "b1", made.submitted_at.strftime("%Y"))
        with pytest.raises(BadInput) as caught:
            office.correct(made, theme="另一主题")
        assert places(caught) == [("/reason", "missing_value")]
        assert office.correct(made, theme="另一主题", reason="写错了").changed

    def test_an_imported_record(self, session, who, installed, office, meeting):
        store_facts(session, ACTOR, {"occasions": [IMPORTED]})
        view = queries.record_with_code(session, who("secretary"), "imported")
        shown = view.summary
        assert (shown.state, shown.revision, shown.late) == ("recorded", 0, True)
        assert view.may == {"correct", "void"}
        number = view.summary.occasion_id
        payload = meeting(held_on="2021-03-02")
        args = session, who("secretary"), installed, number, payload
        with pytest.raises(Conflict):
            records.correct_record(*args, revision=4, reason="补充")
        records.correct_record(*args, revision=0, reason="补充")
        found = queries.versions(session, who("secretary"), number)
        assert [(one.number, one.payload["held_on"]) for one in found] == [
            (0, "2021-03-01"),
            (1, "2021-03-02"),
        ]
        assert found[0].payload["recorded_on"] == "2021-03-20"

    def test_what_is_not_given(self, session, office):
        made = office.submit(place="会议室")
        office.correct(made, attendance=...)
        payload = office.view(made).payload
        assert "place" not in payload
        assert len(payload["attendance"]) == 2

    def test_voiding(self, session, who, office):
        made = office.submit()
        with pytest.raises(BadInput) as caught:
            records.void_record(session, who("secretary"), made.occasion_id, "")
        assert places(caught) == [("/reason", "missing_value")]
        gone = records.void_record(
            session, who("secretary"), made.occasion_id, "没有开成", revision=1
        )
        assert (gone.state, gone.revision) == ("voided", 2)
        assert session.scalar(sa.select(Occasion.status)) == "cancelled"
        view = office.view(made)
        assert view.may == {"correct"}
        assert view.payload["attendance"], "what was recorded is still to be seen"
        with pytest.raises(BadInput, match="已经作废"):
            records.void_record(session, who("secretary"), made.occasion_id, "再次")
        again = drafts.begin_correction(session, who("secretary"), made.occasion_id)
        assert "status" not in again.payload

    @pytest.mark.parametrize(
        ("name", "error"),
        [("reader", NotAllowed), ("committee", NotAllowed), ("neighbour", NotVisible)],
    )
    def test_only_recorders_correct(self, session, who, office, name, error):
        made = office.submit()
        for attempt in (
            lambda: office.correct(made, name, theme="x"),
            lambda: drafts.begin_correction(session, who(name), made.occasion_id),
            lambda: records.void_record(session, who(name), made.occasion_id, "x"),
        ):
            with pytest.raises(error):
                attempt()
        assert office.view(made).summary.revision == 1


class TestPlans:
    def test_a_plan_becomes_a_record(self, session, who, installed, office, meeting):
        day = clock.today() + timedelta(days=3)
        made = office.submit(status="planned", held_on=day.isoformat(), attendance=...)
        assert made.state == "planned"
        assert session.scalar(sa.select(Occasion.recorded_on)) is None
        draft = drafts.begin_correction(session, who("secretary"), made.occasion_id)
        payload = meeting(status="held")
        drafts.save_draft(
            session, who("secretary"), draft.organization_id, payload, draft.draft_id, 1
        )
        held = records.submit_draft(session, who("secretary"), installed, draft.draft_id)
        assert (held.state, held.changed) == ("archived", False)
        assert session.scalar(sa.select(Occasion.recorded_on)) == clock.today()
        with pytest.raises(BadInput) as caught:
            office.correct(made, status="planned", held_on=day.isoformat())
        assert places(caught) == [("/status", "already_held")]

    def test_a_plan_is_called_off(self, session, who, office):
        day = clock.today() + timedelta(days=3)
        made = office.submit(status="planned", held_on=day.isoformat(), attendance=...)
        assert records.void_record(session, who("secretary"), made.occasion_id, "改期").state == (
            "voided"
        )


class TestLists:
    def test_pages_filters_and_order(self, session, city, who, office):
        days = [clock.today() - timedelta(days=number) for number in (3, 1, 2)]
        for day in days:
            office.submit(held_on=day.isoformat())
        unit, secretary = city.units["b1"], who("secretary")
        found, cursor = [], None
        while True:
            page = queries.records_of(session, secretary, unit, cursor=cursor, limit=2)
            found += [one.held_on for one in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert found == sorted(days, reverse=True)
        only = queries.records_of(session, secretary, unit, since=days[2], until=days[2])
        assert [one.held_on for one in only.items] == [days[2]]
        none = queries.records_of(session, secretary, unit, kind="party_lecture")
        assert none.items == []
        assert queries.records_of(session, secretary, unit, states=["returned"]).items == []
        for wrong in ({"cursor": "x"}, {"states": ["x"]}, {"kind": "x"}):
            with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
                queries.records_of(session, secretary, unit, **wrong)

    def test_a_subtree(self, session, city, who, office):
        mine = office.submit()
        office.submit("neighbour", "b2", chair="b2-p0", attendance=...)
        root = queries.records_of(session, who("department"), city.units["root"], below=True)
        assert len(root.items) == 2
        branch = queries.records_of(session, who("committee"), city.units["c1"], below=True)
        assert [one.occasion_id for one in branch.items] == [mine.occasion_id]
        with pytest.raises(NotVisible):
            queries.records_of(session, who("committee"), city.units["root"], below=True)

    def test_readers_see_no_people(self, session, who, office):
        made = office.submit(extra={})
        view = office.view(made, "reader")
        assert not view.people
        assert "chair" not in view.payload
        assert "attendance" not in view.payload
        assert "content" not in view.payload
        assert view.payload["documents"] == [{"kind": "minutes"}]
        (version,) = queries.versions(session, who("reader"), made.occasion_id)
        assert "attendance" not in version.payload
        assert view.may == frozenset()

    def test_others_find_nothing(self, session, who, office, elsewhere, stranger, installed):
        made = office.submit()
        number = made.occasion_id
        for visitor in (who("neighbour"), who("auditor"), who("other_committee")):
            for ask in (queries.find_record, queries.versions):
                with pytest.raises(NotVisible):
                    ask(session, visitor, number)
        with elsewhere() as other:
            for attempt in (
                lambda: queries.find_record(other, stranger, number),
                lambda: queries.versions(other, stranger, number),
                lambda: drafts.begin_correction(other, stranger, number),
                lambda: records.void_record(other, stranger, number, "x"),
                lambda: records.approve_record(other, stranger, number),
            ):
                with pytest.raises(NotVisible):
                    attempt()
