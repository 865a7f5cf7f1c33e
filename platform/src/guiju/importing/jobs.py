"""Previewing, storing and taking back in the background, with progress."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from guiju.audit.operations import Actor
from guiju.db.session import AnySession, ScopedSession, transaction
from guiju.importing.changes import table_title
from guiju.importing.queries import ImportSummary
from guiju.importing.reach import Reach, reach_of
from guiju.importing.storing import Source, preview_import, run_import
from guiju.importing.undoing import undo_import
from guiju.jobs.kinds import JobContext, JobKind, Result, Upload
from guiju.jobs.models import JobFile
from guiju.jobs.operations import request_job
from guiju.jobs.queries import JobSummary, read_file, uploaded
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: Uploaded workbooks are kept for so long after their job.
_KEEP_DAYS: Final = 30


def request_preview(session: AnySession, actor: Actor, organization_id: int, file: Upload) -> int:
    """Have a workbook looked at on behalf of an organization; returns the job's number."""
    if not file.name.lower().endswith((".xlsx", ".json")):
        wanted = _("应为 .xlsx 工作簿，可用下载的模板填写")
        raise BadInput([Problem("/file", file.name or _("没有选择文件"), wanted, "unknown_file")])
    with transaction(session):
        return request_job(session, actor, PREVIEW, {}, organization_id, file=file)


def request_import(session: AnySession, actor: Actor, preview: JobSummary) -> int:
    """Store the workbook of a preview that is done; returns the job's number.

    Raises ``BadInput`` where the preview found faults or is not done.
    """
    if preview.kind != PREVIEW.name or preview.state != "done" or preview.result is None:
        wanted = _("请先完成预览")
        raise BadInput([Problem("/preview", preview.state, wanted, "not_previewed")])
    parameters = {"preview": preview.id, "fingerprint": preview.result["fingerprint"]}
    with transaction(session):
        return request_job(
            session, actor, IMPORT, parameters, preview.organization_id, subject=preview.subject
        )


def request_undo(session: AnySession, actor: Actor, made: ImportSummary) -> int:
    """Take an import back; returns the job's number."""
    with transaction(session):
        return request_job(
            session, actor, UNDO, {"import": made.id}, made.organization_id, subject=made.name
        )


def _preview(context: JobContext) -> Result:
    with _source(context, context.job_id) as source:
        seen = preview_import(
            context.session,
            source,
            _reach(context),
            context.plugins,
            progress=context.progress,
        )
    return {
        "digest": source.digest,
        "tables": [{**asdict(row), "title": table_title(row.table)} for row in seen.tables],
        "changes": [{**asdict(row), "title": table_title(row.table)} for row in seen.changes],
        "organizations": seen.organizations,
        "fingerprint": dict(seen.fingerprint),
    }


def _import(context: JobContext) -> Result:
    preview_id = int(context.parameters["preview"])
    with _source(context, preview_id) as source:
        made = run_import(
            context.session,
            context.actor,
            source,
            _reach(context),
            context.plugins,
            expected=context.parameters["fingerprint"],
            job_id=context.job_id,
            progress=context.progress,
        )
    if made is None:
        context.log(_("没有变化：文件中的内容都已在库中。"))
        return {"import": None}
    return {"import": made.id, "inserted": made.inserted, "updated": made.updated}


def _undo(context: JobContext) -> Result:
    undo_import(context.session, context.actor, int(context.parameters["import"]))
    return {"import": context.parameters["import"]}


def _reach(context: JobContext) -> Reach:
    assert context.organization_id is not None, "an import is of an organization"
    reach = reach_of(context.session, context.organization_id)
    context.session.rollback()
    return reach


@contextmanager
def _source(context: JobContext, job_id: int) -> Iterator[Source]:
    """The file that came with a preview, under its own name in a folder for the time being."""
    with tempfile.TemporaryDirectory() as folder:
        name, file_id = _uploaded(context.session, job_id)
        path = Path(folder, "upload").with_suffix(Path(name).suffix.lower())
        with path.open("wb") as out, read_file(context.session, file_id) as content:
            shutil.copyfileobj(content, out)
        context.session.rollback()
        # Places in messages name the file as its author does.
        named = path.with_name(Path(name).name)
        path.rename(named)
        yield Source.of(named, name)


def _uploaded(session: ScopedSession, job_id: int) -> tuple[str, int]:
    file_id = uploaded(session, job_id)
    if file_id is None:
        found, wanted = _("上传的文件已不在"), _("请重新上传")
        raise BadInput([Problem("/file", found, wanted, "gone")])
    name: Any = session.scalar(sa.select(JobFile.name).where(JobFile.id == file_id))
    return name, file_id


def _kind(name: str, title: Callable[[], str], run: Callable[[JobContext], Result]) -> JobKind:
    # Workbooks may hold matters of discipline.
    return JobKind(name, title, "import.run", run, restricted=True, keep_days=_KEEP_DAYS)


PREVIEW: Final = _kind("import_preview", lambda: _("导入预览"), _preview)
IMPORT: Final = _kind("import", lambda: _("导入"), _import)
UNDO: Final = _kind("import_undo", lambda: _("撤销导入"), _undo)
