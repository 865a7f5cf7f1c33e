"""Scoring in the background: nothing is lost, whoever dies, and tenants stay apart."""

from contextlib import suppress
from datetime import date

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from rq import Queue

from guiju import plugins, queue
from guiju.activities.operations import store_facts
from guiju.activities.store import store
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.db.locks import Busy
from guiju.scoring import bells, jobs, operations, queries
from guiju.scoring.models import ScoringRun
from guiju.tenancy.operations import enable_profile, set_tenant_state

AS_OF = date(2021, 11, 20)
ACTOR = Actor("test")


def queued(place):
    return Queue(queue.SCORING, connection=place.queue).job_ids


def test_a_mark_is_part_of_the_transaction_that_changes_records(place, office):
    queue.attach(place.engine, place.queue_url)
    before = office.waiting()
    row = {"id": "late", "organization": "x0", "kinds": ["theme_day"], "held_on": AS_OF}
    with office.session() as session:
        store(session, {"occasions": [row]}, "test")
        session.rollback()
    assert office.waiting() == before
    assert queued(place) == []
    with office.session() as session:
        store_facts(session, ACTOR, {"occasions": [row]})
    assert office.waiting() > before
    assert queued(place) == [f"score-{office.tenant_id}"]


def test_a_committed_change_rings_and_a_worker_scores(place, office, work_off):
    queue.attach(place.engine, place.queue_url)
    office.record("x0-8", date(2021, 8, 3))
    office.record("x0-9", date(2021, 9, 3))
    assert queued(place) == [f"score-{office.tenant_id}"]
    work_off()
    assert office.waiting() == 0
    assert office.stored() == office.scored_afresh()


def test_scoring_twice_is_scoring_once(office, work_off):
    with office.session() as session:
        assert bells.ring(session)
        assert not bells.ring(session)
    work_off()
    before = office.stored()
    with office.session() as session:
        assert bells.ring(session)
    work_off()
    assert office.stored() == before
    with office.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ScoringRun)) == 1


def test_a_worker_killed_while_scoring_loses_nothing(place, office, worker, work_off, until, gone):
    with office.session() as session:
        bells.ring(session)

    def stages():
        with office.session() as session:
            return session.scalars(sa.select(ScoringRun.stage)).all()

    with psycopg.connect(place.admin_url) as blocker, worker() as process:
        # Held up when the findings are written but not the totals.
        blocker.execute("LOCK TABLE rollups IN ACCESS EXCLUSIVE MODE")
        until(lambda: stages() == ["totals"])
        for victim in [*process.children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        process.wait()
    gone()
    assert office.waiting() > 0
    assert not office.is_scored()
    # The job is taken for running, so its own bell stays silent; the sweep's does not.
    with office.session() as session:
        assert not bells.ring(session)
    assert jobs.sweep() == 1
    work_off()
    assert office.waiting() == 0
    assert stages() == ["failed", "done"]
    assert office.stored() == office.scored_afresh()


def test_a_lost_queue_loses_nothing(place, office, work_off):
    with office.session() as session:
        bells.ring(session)
    place.queue.flushdb()
    work_off()
    assert not office.is_scored()
    assert jobs.sweep() == 1
    work_off()
    assert office.waiting() == 0
    assert office.stored() == office.scored_afresh()
    assert jobs.sweep() == 0


def test_a_queue_out_of_reach_does_not_stop_the_writer(place, office):
    queue.attach(place.engine, "redis://127.0.0.1:1/0")
    before = office.waiting()
    office.record("x0-8", date(2021, 8, 3))
    assert office.waiting() > before


def test_the_night_rings_for_every_working_tenant(place, found_office):
    first, second = found_office("x"), found_office("y")
    with_suspended = found_office("z")
    with ScopedSession(place.engine) as session:
        set_tenant_state(session, ACTOR, "tenant-z", "suspended")
    assert jobs.nightly() == 2
    ids = queued(place)
    assert all(":" not in job for job in ids)
    assert {job.split("-")[1] for job in ids} == {str(first.tenant_id), str(second.tenant_id)}
    assert str(with_suspended.tenant_id) not in {job.split("-")[1] for job in ids}


def test_a_job_of_one_tenant_touches_no_other(found_office, work_off):
    mine, other = found_office("x"), found_office("y")
    with mine.session() as session:
        bells.ring(session)
    work_off()
    assert mine.is_scored()
    assert not other.is_scored()
    assert other.waiting() > 0
    untouched = mine.stored()
    with other.session() as session:
        bells.ring(session)
    work_off()
    assert other.is_scored()
    assert mine.stored() == untouched


def test_a_plugin_works_only_where_it_is_enabled(found_office, work_off):
    using, without = found_office("x"), found_office("y", profile=None)
    for office in (using, without):
        with office.session() as session:
            bells.ring(session)
    work_off()
    packs = plugins.load().packs

    def profiles(office):
        with office.session() as session:
            root = office.root_id
            found = queries.overview(session, packs, root, within=[f"/{root}/"])
            return {row.profile for row in found.by_requirement}

    assert profiles(using) == {"xian"}
    assert profiles(without) == set()
    with without.session() as session:
        enable_profile(session, ACTOR, without.root_id, "jiaozuo", date(2021, 1, 1))
        bells.ring(session)
    work_off()
    assert profiles(using) == {"xian"}
    assert profiles(without) == {"jiaozuo"}


def test_two_processes_do_not_score_one_tenant_at_once(office):
    def score():
        return operations.drain(office.engine, jobs.packs(), office.tenant_id, AS_OF, reason="test")

    with (
        tenant_scope(office.tenant_id),
        operations.alone(office.engine, office.tenant_id),
        pytest.raises(Busy),
    ):
        score()
    assert score().judged


def test_a_job_tells_how_far_it_is(office, work_off):
    with office.session() as session:
        bells.ring(session)
    work_off()
    with office.session() as session:
        progress = queries.standing(session, within=None).progress
    assert (progress.stage, progress.done, progress.total) == ("done", 4, 4)
