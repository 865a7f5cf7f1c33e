"""Announcements of meetings to come, and what meetings leave to be done."""

from datetime import date, timedelta

import pytest

from guiju import clock
from guiju.activities import announcements, follow_ups, records
from guiju.activities.access import Conflict, NotAllowed, NotVisible
from guiju.rules.problems import BadInput

SOON = clock.today() + timedelta(days=2)


@pytest.fixture
def record(session, city, who, installed, meeting):
    return records.create_record(
        session, who("secretary"), installed, city.units["b1"], meeting()
    ).occasion_id


class TestAnnouncements:
    def test_members_see_them_until_the_day(self, session, city, who):
        secretary, unit = who("secretary"), city.units["b1"]
        number = announcements.announce(session, secretary, unit, "周五下午主题党日", SOON)
        (seen,) = announcements.announcements_for(session, who("colleague"))
        assert (seen.announcement_id, seen.text, seen.author) == (
            number,
            "周五下午主题党日",
            "secretary",
        )
        assert seen.may_withdraw
        assert announcements.announcements_for(session, who("department")) == []
        (above,) = announcements.announcements_of(session, who("reader"), unit)
        assert not above.may_withdraw
        after = SOON + timedelta(days=1)
        assert announcements.announcements_of(session, secretary, unit, today=after) == []
        announcements.withdraw_announcement(session, secretary, number)
        assert announcements.announcements_for(session, secretary) == []

    def test_of_a_plan(self, session, city, who, installed, meeting, record):
        args = session, who("secretary"), installed, city.units["b1"]
        payload = meeting(status="planned", held_on=SOON.isoformat(), attendance=...)
        plan = records.create_record(*args, payload).occasion_id
        told = session, who("secretary"), city.units["b1"], "请参加", SOON
        announcements.announce(*told, occasion_id=plan)
        with pytest.raises(BadInput, match="计划中的活动"):
            announcements.announce(*told, occasion_id=record)

    @pytest.mark.parametrize(
        ("text", "day", "place"),
        [(" ", SOON, "/text"), ("通知", date(2021, 1, 1), "/meets_on")],
    )
    def test_refusals(self, session, city, who, text, day, place):
        with pytest.raises(BadInput) as caught:
            announcements.announce(session, who("secretary"), city.units["b1"], text, day)
        assert [problem.place for problem in caught.value.problems] == [place]

    def test_others(self, session, city, who, elsewhere, stranger):
        unit = city.units["b1"]
        number = announcements.announce(session, who("secretary"), unit, "通知", SOON)
        for name, error in (("neighbour", NotVisible), ("reader", NotAllowed)):
            with pytest.raises(error):
                announcements.announce(session, who(name), unit, "通知", SOON)
            with pytest.raises(error):
                announcements.withdraw_announcement(session, who(name), number)
        with pytest.raises(NotVisible):
            announcements.announcements_of(session, who("neighbour"), unit)
        with elsewhere() as other, pytest.raises(NotVisible):
            announcements.withdraw_announcement(other, stranger, number)


class TestFollowUps:
    def test_from_noting_to_done(self, session, who, record):
        secretary = who("secretary")
        number = follow_ups.add_follow_up(
            session, secretary, record, what="补签到表", who="组织委员", due_on=date(2021, 4, 1)
        )
        (noted,) = follow_ups.open_follow_ups(session, secretary)
        assert noted.overdue
        follow_ups.change_follow_up(
            session, secretary, number, what="补签到表", who="宣传委员", due_on=SOON, revision=1
        )
        with pytest.raises(Conflict):
            follow_ups.finish_follow_up(session, who("colleague"), number, revision=1)
        follow_ups.finish_follow_up(session, who("colleague"), number, note="已补", revision=2)
        (done,) = follow_ups.follow_ups_of(session, who("committee"), record)
        assert (done.done_on, done.note, done.who) == (clock.today(), "已补", "宣传委员")
        assert follow_ups.open_follow_ups(session, secretary) == []
        follow_ups.reopen_follow_up(session, secretary, number)
        assert len(follow_ups.open_follow_ups(session, secretary)) == 1
        follow_ups.drop_follow_up(session, secretary, number)
        assert follow_ups.follow_ups_of(session, secretary, record) == []

    def test_refusals(self, session, who, record):
        with pytest.raises(BadInput) as caught:
            follow_ups.add_follow_up(session, who("secretary"), record, what="", who=" ")
        assert [problem.place for problem in caught.value.problems] == ["/what", "/who"]
        number = follow_ups.add_follow_up(session, who("secretary"), record, what="a", who="b")
        with pytest.raises(BadInput, match="不能晚于今天"):
            follow_ups.finish_follow_up(session, who("secretary"), number, done_on=SOON)

    def test_others(self, session, who, record, elsewhere, stranger):
        number = follow_ups.add_follow_up(session, who("secretary"), record, what="a", who="b")
        # They name people.
        assert follow_ups.follow_ups_of(session, who("reader"), record) == []
        for name, error in (
            ("reader", NotVisible),
            ("neighbour", NotVisible),
            ("committee", NotAllowed),
        ):
            with pytest.raises(error):
                follow_ups.finish_follow_up(session, who(name), number)
            with pytest.raises((NotAllowed, NotVisible)):
                follow_ups.add_follow_up(session, who(name), record, what="a", who="b")
        with elsewhere() as other:
            assert follow_ups.open_follow_ups(other, stranger) == []
            with pytest.raises(NotVisible):
                follow_ups.finish_follow_up(other, stranger, number)
