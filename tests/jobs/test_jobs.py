"""Background jobs of every kind: done once, whoever dies, and seen by whom they concern."""

import multiprocessing
import os
import signal
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import rq
import sqlalchemy as sa
from structlog.testing import capture_logs

from guiju import background, queue
from guiju.accounts.operations import create_user
from guiju.accounts.visitors import find_visitor
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import transaction
from guiju.jobs import operations, queries, runner
from guiju.jobs.kinds import JobKind, Upload, by_name
from guiju.jobs.models import Job, JobFile, JobFilePart
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem

ACTOR = Actor("test")


def kind(run, **options) -> JobKind:
    return JobKind("trial", lambda: "试", "tenant.export", run, **options)


@pytest.fixture
def ask(office, place, monkeypatch):
    """Ask for a job that runs a function; returns its number."""
    queue.attach(place.engine, place.queue_url)

    def ask(run, *, actor=ACTOR, organization=None, file=None, parameters=None, **options) -> int:
        trial = kind(run, **options)
        monkeypatch.setattr(background, "KINDS", by_name(trial))
        with office.session() as session, transaction(session):
            return operations.request_job(
                session, actor, trial, parameters or {}, organization, file=file
            )

    return ask


@pytest.fixture
def found(office):
    """A job as it is now."""

    def found(number) -> queries.JobSummary:
        with office.session() as session:
            [summary] = queries.summaries(session, Job.id == number, limit=1)
            return summary

    return found


def queued(place) -> list[str]:
    return rq.Queue(queue.JOBS, connection=place.queue).job_ids


def test_a_job_is_asked_for_with_its_transaction(office, place, ask):
    trial = kind(lambda _job: None)
    with office.session() as session:
        operations.request_job(session, ACTOR, trial, {})
        session.rollback()
        assert queries.unfinished(session) == []
    assert queued(place) == []
    number = ask(trial.run)
    assert queued(place) == [f"job-{office.tenant_id}-{number}"]
    with office.session() as session:
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "job.request")
        ).one()
        assert (entry.subject, entry.after["kind"]) == (str(number), "trial")


def test_a_worker_does_it_and_keeps_what_it_says(office, ask, found, work_off):
    large = os.urandom(operations.PART * 2 + 17)

    def run(context):
        with context.upload() as given:
            content = given.read()
        context.log("读完了")
        context.progress(1, 2)
        context.keep_file("../out.bin", "application/octet-stream", content[::-1])
        context.progress(2, 2)
        return {"read": len(content), "asked": context.parameters["asked"]}

    upload = Upload("C:\\in.bin", "application/octet-stream", large)
    number = ask(run, file=upload, parameters={"asked": 7})
    work_off()
    job = found(number)
    assert (job.state, job.error, job.result) == ("done", None, {"read": len(large), "asked": 7})
    assert (job.done, job.total, job.share) == (2, 2, 1.0)
    assert [text for _, text in job.log] == ["读完了"]
    assert job.subject == "C:\\in.bin"
    given, made = job.files
    assert [(f.produced, f.name, f.size) for f in (given, made)] == [
        (False, "in.bin", len(large)),
        (True, "out.bin", len(large)),
    ]
    with office.session() as session, queries.read_file(session, made.id) as content:
        assert content.read() == large[::-1]


def test_what_the_person_can_put_right_is_told(ask, found, work_off):
    def run(context):
        raise BadInput([Problem("/a", "1", "2"), Problem("/b", "3", "4", "odd")])

    number = ask(run)
    work_off()
    job = found(number)
    assert (job.state, job.error) == ("failed", "/a：1；2；/b：3；4")
    assert job.result["problems"][1] == {"place": "/b", "found": "3", "wanted": "4", "code": "odd"}


def test_what_nobody_foresaw_is_in_the_log_alone(office, ask, found):
    number = ask(lambda _job: 1 / 0)
    with capture_logs() as logged:
        background.run(office.tenant_id, number)
    assert [entry["job"] for entry in logged] == [number]
    job = found(number)
    assert job.state == "failed"
    assert "日志" in job.error
    assert "division" not in job.error


def test_what_a_failed_job_wrote_is_rolled_back(office, ask, found, work_off):
    def run(context):
        context.session.execute(sa.update(Organization).values(name="改"))
        raise BadInput([Problem("/a", "1", "2")])

    number = ask(run)
    work_off()
    assert found(number).state == "failed"
    with office.session() as session:
        assert "改" not in set(session.scalars(sa.select(Organization.name)))


def test_a_worker_killed_in_the_middle_is_followed_by_another(
    place, office, ask, found, work_off, until, gone, tmp_path
):
    begun, go_on = tmp_path / "begun", tmp_path / "go-on"

    def run(context):
        context.keep_file("half.txt", "text/plain", b"half")
        with begun.open("a") as file:
            file.write(f"{context.attempt}\n")
        while not go_on.exists():
            signal.sigtimedwait([], 0.05)
        return {"attempt": context.attempt}

    number = ask(run)
    process = multiprocessing.get_context("fork").Process(target=work_off)
    process.start()
    until(begun.exists)
    assert found(number).state == "running"
    assert found(number).files == (), "nothing is offered before it is done"
    _rung_in_vain(office, found, number)
    for victim in [*psutil.Process(process.pid).children(recursive=True), process]:
        os.kill(victim.pid, signal.SIGKILL)
    process.join()
    gone()
    assert found(number).state == "running", "the dead tell nobody"
    go_on.touch()
    place.queue.flushdb()
    assert background.sweep() == 1
    work_off()
    job = found(number)
    assert (job.state, job.result) == ("done", {"attempt": 2})
    assert begun.read_text().split() == ["1", "2"]
    assert [file.name for file in job.files] == ["half.txt"]
    assert background.sweep() == 0


def _rung_in_vain(office, found, number) -> None:
    """Nobody is rung for, and a second worker does nothing, while one is at it."""
    assert background.sweep() == 0
    background.run(office.tenant_id, number)
    assert found(number).state == "running"


def test_a_job_that_kills_its_workers_is_given_up(office, place, ask, found, work_off):
    number = ask(lambda _job: None)
    with office.session() as session, transaction(session):
        session.execute(sa.update(Job).values(state="running", attempts=3))
    place.queue.flushdb()
    assert background.sweep() == 1
    work_off()
    assert (found(number).state, found(number).result) == ("failed", None)


def test_a_lost_queue_loses_nothing(place, ask, found, work_off, monkeypatch):
    # In the next minute it would be rung for again.
    now = datetime.now(UTC)
    monkeypatch.setattr(runner, "datetime", SimpleNamespace(now=lambda _zone: now))
    number = ask(lambda _job: {"n": 1})
    place.queue.flushdb()
    assert background.sweep() == 1
    assert background.sweep() == 0, "rung for already"
    work_off()
    assert found(number).state == "done"


def test_a_kind_that_is_no_longer_there_fails(ask, found, work_off, monkeypatch):
    number = ask(lambda _job: None)
    monkeypatch.setattr(background, "KINDS", {})
    work_off()
    assert found(number).state == "failed"


def test_the_log_does_not_grow_without_end(ask, found, work_off, monkeypatch):
    monkeypatch.setattr(operations, "LONGEST_LOG", 3)

    def run(context):
        for number in range(5):
            context.log(str(number))

    number = ask(run)
    work_off()
    assert [text for _, text in found(number).log] == ["0", "1", "2"]


def test_old_files_are_deleted(office, ask, found, work_off):
    number = ask(lambda job: job.keep_file("a.txt", "text/plain", b"a"), keep_days=7)
    work_off()
    background.sweep()
    assert found(number).files
    with office.session() as session, transaction(session):
        session.execute(sa.update(Job).values(finished_at=datetime.now(UTC) - timedelta(days=8)))
    background.sweep()
    assert found(number).state == "done"
    with office.session() as session:
        for table in (JobFile, JobFilePart):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_two_kinds_of_one_name_are_refused():
    with pytest.raises(ValueError, match="one name"):
        by_name(kind(print), kind(repr))


class TestSight:
    """Own jobs; with the right all about the own part of the tree; nothing else."""

    @pytest.fixture
    def people(self, office) -> dict:
        """Visitors: of the whole tree, of one branch, of another."""
        with office.session() as session:
            units = {unit.code: unit.id for unit in session.scalars(sa.select(Organization))}
            ids = {
                name: create_user(session, ACTOR, name, name, [(role, units[unit])])[0].id
                for name, role, unit in (
                    ("top", "administrator", "x-root"),
                    ("lower", "administrator", "x0"),
                    ("other", "administrator", "x1"),
                    ("keeper", "recorder", "x0"),
                )
            }
            session.rollback()
            return {
                name: find_visitor(session, office.tenant_id, id_) for name, id_ in ids.items()
            } | units

    def seen(self, office, visitor) -> list[int]:
        with office.session() as session:
            listed = [job.id for job in queries.jobs(session, visitor)]
            assert all(queries.job(session, visitor, number) for number in listed)
            return listed

    def test_what_each_sees(self, office, people, ask):
        def run(context):
            return None

        whole = ask(run)
        own = ask(run, actor=people["keeper"].actor(), organization=people["x0"])
        wholly_own = ask(run, actor=people["lower"].actor())
        elsewhere = ask(run, actor=people["keeper"].actor(), organization=people["x1"])
        assert self.seen(office, people["top"]) == [elsewhere, wholly_own, own, whole]
        assert self.seen(office, people["lower"]) == [wholly_own, own]
        assert self.seen(office, people["other"]) == [elsewhere]
        assert self.seen(office, people["keeper"]) == [own], "no longer in the keeper's part"
        with office.session() as session:
            assert queries.job(session, people["keeper"], whole) is None
            found = queries.job(session, people["lower"], own)
            assert queries.may_download(people["lower"], found, "tenant.export")
            assert not queries.may_download(people["keeper"], found, "tenant.export")
            assert not queries.may_download(people["other"], found, "tenant.export")

    def test_another_tenants_jobs_are_not_there(self, office, found_office, people, ask):
        number = ask(lambda _job: None)
        other = found_office("y")
        with other.session() as session:
            assert queries.summaries(session, Job.id == number, limit=1) == []
            assert operations.begin(session, number) is None
            operations.fail(session, number, "x")
        assert self.seen(office, people["top"]) == [number]
        background.run(other.tenant_id, number)
        with office.session() as session:
            assert session.scalar(sa.select(Job.state)) == "waiting"


def test_the_table_of_kinds_is_whole():
    """Every kind that a feature declares is in the one table."""
    root = Path(background.__file__).parent
    declared = set()
    for file in root.glob("*/*.py"):
        if "JobKind(" in file.read_text("utf-8"):
            module = import_module(f"guiju.{file.parent.name}.{file.stem}")
            found = vars(module).values()
            declared |= {kind.name for kind in found if isinstance(kind, JobKind)}
    assert declared == set(background.KINDS)
