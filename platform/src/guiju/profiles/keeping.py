"""Previews that people look at: asked for, made, kept for a while, and confirmed.

A small tenant's preview is made at once, a large one's by a background job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession, transaction
from guiju.jobs.kinds import JobContext, JobKind, Result
from guiju.jobs.operations import request_job
from guiju.language import gettext as _
from guiju.organizations.models import DirtyMark, Organization
from guiju.profiles import previews
from guiju.profiles.models import PreviewRow, ProfilePreview
from guiju.profiles.operations import Proposal, adopt
from guiju.profiles.previews import Laws, Packs, Preview, Report
from guiju.profiles.terms import Term
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import dirty
from guiju.scoring.models import ScoringRun
from guiju.scoring.operations import basis

#: Previews are kept so long after they were asked for.
KEPT = timedelta(days=14)
#: Rows of one insert.
_BATCH = 2000


@dataclass(frozen=True)
class Drift:
    """What is no longer as a preview saw it.

    ``law`` means that it can no longer be confirmed: profiles, settings or packs are others.
    """

    law: bool
    day: bool
    records: bool

    def __bool__(self) -> bool:
        return self.law or self.day or self.records


def request_preview(
    session: AnySession, packs: Packs, actor: Actor, proposal: Proposal, as_of: date
) -> int:
    """Ask what a proposal would do as of a day; returns the preview's number.

    It is there at once for a tenant of few organizations.  Whether ``actor`` may is the
    caller's to know.
    """
    small = (session.scalar(sa.select(sa.func.count()).select_from(Organization)) or 0) <= (
        dirty.SMALL
    )
    with transaction(session):
        _forget(session)
        found = ProfilePreview(
            organization_id=proposal.organization_id,
            action=proposal.action,
            before=[term.as_json() for term in proposal.before],
            after=[term.as_json() for term in proposal.after],
            as_of=as_of,
            requested_by=actor.name,
        )
        session.add(found)
        session.flush()
        number = found.id
        if not small:
            parameters = {"preview": number}
            found.job_id = request_job(session, actor, PREVIEW, parameters, found.organization_id)
        after = {"preview": number, "terms": found.after}
        record(
            session, actor, "profile.preview", "organization", found.organization_id, after=after
        )
    if small:
        make(session, packs, number)
    return number


def make(
    session: AnySession, packs: Packs, preview_id: int, report: Report = lambda _done, _total: None
) -> None:
    """Judge the records both ways and keep what comes of it; once only.

    Raises ``BadInput`` where there are profiles that cannot be judged by.
    """
    found = _found(session, preview_id)
    if found.summary is not None:
        return
    laws = previews.laws(session, packs, proposal_of(found), found.as_of)
    organization_id = found.organization_id
    taken_at = datetime.now(UTC)
    session.rollback()
    made = previews.preview(session, laws, organization_id, report)
    with transaction(session):
        _keep(session, preview_id, laws, made, taken_at)


def proposal_of(found: ProfilePreview) -> Proposal:
    """The change that a preview is about."""
    return Proposal(
        found.organization_id,
        found.action,
        tuple(map(Term.from_json, found.before)),
        tuple(map(Term.from_json, found.after)),
    )


def confirm(
    session: AnySession,
    packs: Packs,
    actor: Actor,
    preview_id: int,
    today: date,
    *,
    despite_drift: bool = False,
) -> int:
    """Make the change that a preview is about; returns its number in the history.

    Raises ``BadInput``: ``changed`` where it no longer can be made as it was looked at,
    ``drifted`` where records or the day are others than it saw, unless ``despite_drift``.
    """
    found = _found(session, preview_id)
    if found.change_id is not None:
        raise BadInput([Problem("", _("这次改动已经生效"), _("无需再次确认"), "confirmed")])
    if found.summary is None:
        raise BadInput([Problem("", _("预览还没有完成"), _("请等预览完成后再确认"), "unfinished")])
    drifted = drift(session, packs, found, today)
    if drifted.law:
        wanted = _("请重新预览")
        raise BadInput([Problem("", _("预览之后地方规则或设置有别的改动"), wanted, "changed")])
    if drifted and not despite_drift:
        what = _("预览之后记录有变化") if drifted.records else _("预览不是今天做的")
        wanted = _("结果可能不同：请重新预览，或仍然确认")
        raise BadInput([Problem("", what, wanted, "drifted")])
    change = adopt(session, actor, proposal_of(found))
    with transaction(session):
        session.execute(
            sa.update(ProfilePreview)
            .where(ProfilePreview.id == preview_id)
            .values(change_id=change)
        )
    return change


def drift(session: AnySession, packs: Packs, found: ProfilePreview, today: date) -> Drift:
    """What is no longer as a finished preview saw it; ``today`` is the day judged by now."""
    laws = previews.laws(session, packs, None, found.as_of)
    return Drift(
        law=basis(laws.present) != found.basis,
        day=found.as_of != today,
        records=_records_changed(session, found),
    )


def _records_changed(session: AnySession, found: ProfilePreview) -> bool:
    """Whether records may have changed since: a newer mark waits, or marks were answered.

    The marks that waited then are answered by one run, which is no change.
    """
    newer = sa.select(
        sa.exists().where(DirtyMark.id > found.newest_mark, DirtyMark.reason != dirty.BELOW)
    )
    if session.scalar(newer):
        return True
    runs = sa.select(sa.func.count()).where(ScoringRun.started_at > found.taken_at)
    expected = 1 if found.newest_mark else 0
    return (session.scalar(runs) or 0) > expected


def _found(session: AnySession, preview_id: int) -> ProfilePreview:
    return session.scalars(
        sa.select(ProfilePreview)
        .where(ProfilePreview.id == preview_id)
        .execution_options(populate_existing=True)
    ).one()


def _keep(
    session: AnySession, preview_id: int, laws: Laws, made: Preview, taken_at: datetime
) -> None:
    """Store what came of it; what an earlier attempt stored is replaced."""
    session.execute(sa.delete(PreviewRow).where(PreviewRow.preview_id == preview_id))
    batch: list[Mapping[str, object]] = []
    for row in _rows(made, preview_id):
        batch.append(row)
        if len(batch) == _BATCH:
            session.execute(sa.insert(PreviewRow), batch)
            batch = []
    if batch:
        session.execute(sa.insert(PreviewRow), batch)
    session.execute(
        sa.update(ProfilePreview)
        .where(ProfilePreview.id == preview_id)
        .values(
            basis=basis(laws.present),
            newest_mark=made.newest_mark,
            taken_at=taken_at,
            summary=made.summary.as_json(),
        )
    )


def _rows(made: Preview, preview_id: int) -> Iterator[Mapping[str, object]]:
    """One row for each organization with moves, the moves in the order of the rules."""
    moves = made.comparison
    for organization, here in moves.by_organization().items():
        yield {
            "preview_id": preview_id,
            "organization_id": organization,
            "changed": int(moves.number[here].sum()),
            "rules": moves.rule[here].tolist(),
            "from_verdicts": moves.from_[here].tolist(),
            "to_verdicts": moves.to[here].tolist(),
            "numbers": moves.number[here].tolist(),
        }


def _forget(session: AnySession) -> None:
    """Delete previews that have been kept long enough."""
    session.execute(
        sa.delete(ProfilePreview).where(ProfilePreview.requested_at < datetime.now(UTC) - KEPT)
    )


def _run(context: JobContext) -> Result:
    make(
        context.session,
        context.plugins.packs,
        int(context.parameters["preview"]),
        context.progress,
    )
    return {"preview": context.parameters["preview"]}


PREVIEW = JobKind("profile.preview", lambda: _("预览地方规则的改动"), "profile.manage", _run)
