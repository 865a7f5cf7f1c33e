"""Files of records: who attaches, removes and opens them, and what is kept of them."""

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from guiju.activities import attachments, drafts, jobs, queries, records, workflow
from guiju.activities.access import Conflict, NotAllowed, NotVisible
from guiju.activities.attachments import Cabinet
from guiju.activities.models import Occasion, RecordFile
from guiju.activities.operations import attest_period
from guiju.audit.operations import Actor
from guiju.db.codes import bits, codes_of
from guiju.files import FileStore
from guiju.rules.problems import BadInput

PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


@pytest.fixture
def cabinet(tmp_path) -> Cabinet:
    return Cabinet(FileStore(tmp_path.as_uri()), 1_000_000, None)


@pytest.fixture
def record(session, city, who, installed, meeting):
    made = records.create_record(
        session, who("secretary"), installed, city.units["b1"], meeting(documents=...)
    )
    return made.occasion_id


@pytest.fixture
def attach(session, who, cabinet, record):
    def attach(name="secretary", file="签到表.pdf", content=PDF, **options):
        args = session, who(name), cabinet, record, file, io.BytesIO(content)
        return attachments.attach_to_record(*args, **options)

    return attach


def kept_documents(session) -> list[str]:
    mask = session.scalar(sa.select(Occasion.document_mask))
    return codes_of(mask, bits(session, "document_kind"))


def stored(cabinet, city) -> list[str]:
    return [name for name, _at in cabinet.store.names(city.tenant_id)]


def test_a_file_counts_as_its_document_and_makes_a_version(session, who, cabinet, record, attach):
    file = attach(kind="sign_in_sheet")
    assert kept_documents(session) == ["sign_in_sheet"]
    view, content = attachments.open_file(session, who("committee"), cabinet, file.file_id)
    assert (view.name, view.media_type, content.read()) == ("签到表.pdf", "application/pdf", PDF)
    first, second = queries.versions(session, who("secretary"), record)
    assert "files" not in first.payload
    assert [one["name"] for one in second.payload["files"]] == ["签到表.pdf"]
    assert second.payload["documents"][0]["kind"] == "sign_in_sheet"


def test_removing_keeps_the_history(session, city, who, cabinet, record, attach):
    file = attach(kind="sign_in_sheet")
    attachments.remove_file(session, who("secretary"), file.file_id, revision=2)
    assert kept_documents(session) == []
    assert attachments.files_of_record(session, who("secretary"), record) == []
    versions = queries.versions(session, who("secretary"), record)
    assert [len(one.payload.get("files", ())) for one in versions] == [0, 1, 0]
    # Who keeps the record can still look at it, others not.
    _view, content = attachments.open_file(session, who("secretary"), cabinet, file.file_id)
    assert content.read() == PDF
    later = datetime.now(UTC) + timedelta(days=9)
    assert attachments.sweep(session, cabinet, now=later) == 0
    with pytest.raises(NotVisible):
        attachments.remove_file(session, who("secretary"), file.file_id)


def test_a_document_goes_with_the_last_file_that_shows_it(session, who, attach):
    one, two = attach(kind="photos"), attach(kind="photos")
    attachments.remove_file(session, who("secretary"), one.file_id)
    assert kept_documents(session) == ["photos"]
    attachments.remove_file(session, who("secretary"), two.file_id)
    assert kept_documents(session) == []


def test_a_document_kept_on_paper_stays(session, who, installed, record, meeting, attach):
    payload = meeting(documents=[{"kind": "minutes"}])
    records.correct_record(session, who("secretary"), installed, record, payload)
    file = attach(kind="minutes")
    attachments.remove_file(session, who("secretary"), file.file_id)
    assert kept_documents(session) == ["minutes"]


def test_a_correction_keeps_documents_of_which_there_are_files(
    session, who, installed, record, meeting, attach
):
    attach(kind="photos")
    for documents in ([{"kind": "minutes"}], ...):
        payload = meeting(documents=documents)
        records.correct_record(session, who("secretary"), installed, record, payload)
        assert set(kept_documents(session)) == {"minutes", "photos"}


def test_files_of_a_draft_go_into_the_record(session, city, who, installed, cabinet, meeting):
    secretary = who("secretary")
    draft = drafts.save_draft(session, secretary, city.units["b1"], meeting(documents=...))
    args = session, secretary, cabinet, draft.draft_id
    attachments.attach_to_draft(*args, "照片.pdf", io.BytesIO(PDF), kind="photos")
    dropped = attachments.attach_to_draft(*args, "误传.pdf", io.BytesIO(PDF))
    attachments.remove_file(session, who("colleague"), dropped.file_id)
    assert [one.name for one in attachments.files_of_draft(session, secretary, draft.draft_id)] == [
        "照片.pdf"
    ]
    made = records.submit_draft(session, secretary, installed, draft.draft_id)
    (file,) = attachments.files_of_record(session, secretary, made.occasion_id)
    assert file.name == "照片.pdf"
    assert kept_documents(session) == ["photos"]
    assert "files" in queries.find_record(session, secretary, made.occasion_id).payload


def test_what_is_left_over_is_swept(session, city, who, cabinet, meeting):
    secretary = who("secretary")
    draft = drafts.save_draft(session, secretary, city.units["b1"], meeting())
    attachments.attach_to_draft(
        session, secretary, cabinet, draft.draft_id, "照片.pdf", io.BytesIO(PDF)
    )
    drafts.discard_draft(session, secretary, draft.draft_id)
    assert session.scalar(sa.select(sa.func.count()).select_from(RecordFile)) == 0
    assert len(stored(cabinet, city)) == 1
    assert attachments.sweep(session, cabinet) == 0, "somebody may just be writing it down"
    later = datetime.now(UTC) + timedelta(days=2)
    assert attachments.sweep(session, cabinet, now=later) == 1
    assert stored(cabinet, city) == []


def test_what_was_reviewed_is_reviewed_again(session, city, who, record, attach):
    workflow.set_workflow(session, who("department"), city.units["root"], levels=1)
    attach()
    summary = queries.find_record(session, who("secretary"), record).summary
    assert (summary.state, summary.changed) == ("submitted", True)


def test_a_complete_month_demands_a_reason(session, city, who, cabinet, record, attach):
    year = session.scalar(sa.select(Occasion.held_on)).year
    attest_period(session, Actor("test"), "b1", str(year))
    with pytest.raises(BadInput) as caught:
        attach()
    assert caught.value.problems[0].place == "/reason"
    assert stored(cabinet, city) == [], "what was stored first was taken away again"
    attach(reason="补传")


def test_refusals(session, who, cabinet, city, record, attach):
    for options, place in (
        ({"file": "x.exe"}, "/file"),
        ({"file": "x.jpg", "content": b"<html>"}, "/file"),
        ({"content": PDF + b"%" * 1_000_000}, "/file"),
        ({"kind": "parade"}, "/kind"),
    ):
        with pytest.raises(BadInput) as caught:
            attach(**options)
        assert caught.value.problems[0].place == place
    with pytest.raises(Conflict):
        attach(revision=0)
    assert stored(cabinet, city) == []
    assert queries.find_record(session, who("secretary"), record).summary.revision == 1


def test_not_more_than_so_many(attach, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_FILES", 1)
    attach()
    with pytest.raises(BadInput, match="不超过 1 个"):
        attach()


@pytest.mark.parametrize(
    ("name", "writing", "reading"),
    [
        ("committee", NotAllowed, None),
        ("reader", NotAllowed, NotAllowed),
        ("neighbour", NotVisible, NotVisible),
        ("other_committee", NotVisible, NotVisible),
        ("auditor", NotVisible, NotVisible),
    ],
)
def test_others(session, who, cabinet, record, attach, name, writing, reading):
    file = attach()
    with pytest.raises(writing):
        attach(name)
    with pytest.raises(writing):
        attachments.remove_file(session, who(name), file.file_id)
    if reading is None:
        attachments.open_file(session, who(name), cabinet, file.file_id)
    else:
        with pytest.raises(reading):
            attachments.open_file(session, who(name), cabinet, file.file_id)
    if name == "reader":
        assert attachments.files_of_record(session, who(name), record) == []
        assert "files" not in queries.find_record(session, who(name), record).payload


def test_another_tenant(elsewhere, stranger, cabinet, record, attach):
    file = attach()
    with elsewhere() as session:
        for attempt in (
            lambda: attachments.open_file(session, stranger, cabinet, file.file_id),
            lambda: attachments.remove_file(session, stranger, file.file_id),
            lambda: attachments.files_of_record(session, stranger, record),
            lambda: attachments.attach_to_record(
                session, stranger, cabinet, record, "x.pdf", io.BytesIO(PDF)
            ),
        ):
            with pytest.raises(NotVisible):
                attempt()


def test_the_scheduler_sweeps_every_tenant(migrated, city, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", "redis://nowhere/0")
    monkeypatch.setenv("SECRET_KEY", "0123456789abcdef" * 4)
    monkeypatch.setenv("GUIJU_FILES_URL", tmp_path.as_uri())
    old, fresh = (FileStore(tmp_path.as_uri()).new_name(city.tenant_id, ".pdf") for _ in range(2))
    for name in (old, fresh):
        FileStore(tmp_path.as_uri()).put(name, PDF)
    two_days_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(tmp_path / old, (two_days_ago, two_days_ago))
    jobs.sweep_files()
    assert [path.name for path in tmp_path.rglob("*.pdf")] == [fresh.rpartition("/")[2]]
