"""Records on their way: submitted, reviewed or returned, archived; corrected and declared void.

A record counts for findings from the moment it is submitted: the review is about the paper,
and nothing is entered twice.  One that was returned goes on counting, visibly returned,
until it is corrected or declared void.  Each saving makes a version; none is ever lost.

Everything here is one transaction with its audit entry.  ``revision`` is the number of the
version that the caller last read; where another holds by now :class:`Conflict` is raised
with what stands there.  It may be left out by callers that have shown nobody anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities import (
    drafts,
    extra_fields,
    known,
    months,
    papers,
    payloads,
    snapshots,
    workflow,
)
from guiju.activities.access import (
    Conflict,
    NotAllowed,
    NotVisible,
    demand,
    find_occasion,
    find_unit,
    words,
)
from guiju.activities.calendar import business_day
from guiju.activities.models import Occasion, Record, RecordStep, RecordVersion
from guiju.activities.operations import write_occasion
from guiju.audit.operations import record as write_down
from guiju.db.models import this_tenant
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.plugins import Plugins
from guiju.rules.problems import BadInput, Problem


def submit_draft(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    draft_id: int,
    *,
    payload: Mapping[str, Any] | None = None,
    revision: int | None = None,
    record_revision: int | None = None,
    reason: str | None = None,
) -> Record:
    """Make a record of a draft, or correct the record that it was begun from.

    The draft goes with it; submitting it once more answers with the record it became.
    ``payload`` is what was typed since the draft was last kept.  ``revision`` is the draft's;
    ``record_revision`` says which version of the record the author has seen meanwhile, and is
    by default the one that the correction set out from.
    Raises ``BadInput`` with every fault (what was typed stays in the draft),
    :class:`Conflict`, :class:`NotVisible`.
    """
    with transaction(session):
        try:
            draft, unit = drafts.draft_of(session, visitor, draft_id, lock=True)
        except NotVisible:
            return _made_of(session, visitor, draft_id)
        drafts.refuse_stale(draft, revision)
        typed = draft.payload if payload is None else payload
        if draft.occasion_id is None:
            made = make_record(session, visitor, plugins, unit, typed, draft_id=draft.id)
        else:
            seen = draft.occasion_revision if record_revision is None else record_revision
            made = _correct(
                session,
                visitor,
                plugins,
                draft.occasion_id,
                typed,
                seen,
                reason,
                draft_id=draft.id,
            )
        session.delete(draft)
    return made


def create_record(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    organization_id: int,
    payload: Mapping[str, Any],
    *,
    code: str | None = None,
) -> Record:
    """Make a record at once, without a draft; ``code`` is the author's own id for it.

    Raises ``BadInput`` as :func:`submit_draft`, and for a code that is taken or too long.
    """
    with transaction(session):
        unit = find_unit(session, visitor, organization_id, "records.write")
        return make_record(session, visitor, plugins, unit, payload, code=code)


def correct_record(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    occasion_id: int,
    payload: Mapping[str, Any],
    *,
    revision: int | None = None,
    reason: str | None = None,
) -> Record:
    """Correct a record, or record what was planned; the earlier version is kept.

    Columns that ``payload`` lacks become blank, parts that it lacks stay.  In a month that
    is complete a ``reason`` is demanded (``BadInput`` at ``/reason``).  A corrected record is
    reviewed again from the beginning.
    """
    with transaction(session):
        return _correct(session, visitor, plugins, occasion_id, payload, revision, reason)


def approve_record(
    session: AnySession,
    visitor: Visitor,
    occasion_id: int,
    *,
    revision: int | None = None,
    comment: str | None = None,
) -> Record:
    """Pass a record on, or archive it after the last review.

    Raises :class:`NotAllowed` for whoever entered it, and for who reviews neither at the
    station that has it nor above; ``BadInput`` where nobody is asked to review it.
    """
    told = words(comment, "/comment", required=False)
    with transaction(session):
        found, unit, station = _for_review(session, visitor, occasion_id, revision)
        found.passed += 1
        following = None
        if found.passed < workflow.workflow_of(session, unit.path).levels:
            following = workflow.next_station(
                session,
                unit.path,
                above=station.path,
                besides=workflow.authors(session, occasion_id),
            )
        found.station_id = None if following is None else following.id
        found.state = "archived" if following is None else "reviewed"
        _step(session, visitor, found, "approve", station.id, told)
    return found


def return_record(
    session: AnySession,
    visitor: Visitor,
    occasion_id: int,
    comment: str,
    *,
    revision: int | None = None,
) -> Record:
    """Send a record back to its unit; ``comment`` says what is to be put right.

    Raises as :func:`approve_record`, and ``BadInput`` without a comment.
    """
    told = words(comment, "/comment", required=True)
    with transaction(session):
        found, _unit, station = _for_review(session, visitor, occasion_id, revision)
        found.state, found.station_id, found.passed = "returned", None, 0
        _step(session, visitor, found, "return", station.id, told)
    return found


def void_record(
    session: AnySession,
    visitor: Visitor,
    occasion_id: int,
    reason: str,
    *,
    revision: int | None = None,
) -> Record:
    """Declare that what is recorded was not so: it counts no more, and stays to be seen.

    Raises ``BadInput`` without a ``reason``, or where it is void already.
    """
    told = words(reason, "/reason", required=True)
    with transaction(session):
        occasion, unit, found = lock_record(session, visitor, occasion_id, revision)
        if found.state == "voided":
            raise BadInput([Problem("", occasion.code, _("这条记录已经作废"), "voided")])
        row = {
            "id": occasion.code,
            "organization": unit.code,
            "kinds": snapshots.snapshot(session, occasion.id)["kinds"],
            "held_on": occasion.held_on,
            "status": "cancelled",
        }
        write_occasion(session, visitor.actor(), row)
        found.state, found.station_id = "voided", None
        _keep_version(session, visitor, found, told)
        _step(session, visitor, found, "void", unit.id, told)
    return found


# -- making and correcting ---------------------------------------------------------------


def make_record(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    unit: Organization,
    payload: Mapping[str, Any],
    *,
    draft_id: int | None = None,
    code: str | None = None,
) -> Record:
    """:func:`create_record` as a part of the caller's transaction."""
    today = business_day(session)
    loaded = _loaded(session, visitor, plugins, unit, payload)
    planned = loaded.occasion["status"] == "planned"
    row = {
        **loaded.occasion,
        "id": _new_code(session, code),
        "organization": unit.code,
        # What is only planned has not been recorded yet.
        "recorded_on": None if planned else today,
    }
    parts = _parts(session, loaded, (), draft_id=draft_id)
    occasion = write_occasion(session, visitor.actor(), row, parts, new_in=unit)
    if draft_id is not None:
        papers.adopt(session, draft_id, occasion.id)
    made = Record(
        occasion_id=occasion.id,
        organization_id=unit.id,
        state="planned",
        revision=0,
        draft_id=draft_id,
        author=visitor.name,
        extra={},
    )
    action = "plan"
    if not planned:
        action = "submit"
        made.late = _is_late(session, unit, occasion, today)
        _hand_up(session, visitor, made, unit, action)
    session.add(made)
    _save(session, visitor, made, loaded, None)
    _step(session, visitor, made, action, unit.id, None, code=occasion.code)
    return made


def _correct(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    occasion_id: int,
    payload: Mapping[str, Any],
    revision: int | None,
    reason: str | None,
    *,
    draft_id: int | None = None,
) -> Record:
    occasion, unit, found = lock_record(session, visitor, occasion_id, revision)
    today = business_day(session)
    before = snapshots.snapshot(session, occasion.id)
    loaded = _loaded(session, visitor, plugins, unit, payload, before)
    was_planned = found.state == "planned"
    planned = loaded.occasion["status"] == "planned"
    if planned and not was_planned:
        wanted = _("已记录的活动不能改回计划；没有开的，请作废")
        raise BadInput([Problem("/status", "planned", wanted, "already_held")])
    days = {occasion.held_on, loaded.occasion["held_on"]}
    closed = not was_planned and _in_complete_month(session, unit, days)
    told = words(reason, "/reason", required=closed)
    row = {**loaded.occasion, "id": occasion.code, "organization": unit.code}
    if was_planned and not planned:
        row["recorded_on"] = today
    settled = found.state in {"reviewed", "archived", "voided"}
    parts = _parts(
        session, loaded, before.get("documents", ()), draft_id=draft_id, occasion_id=occasion.id
    )
    occasion = write_occasion(session, visitor.actor(), row, parts)
    if draft_id is not None:
        papers.adopt(session, draft_id, occasion.id)
    _save(session, visitor, found, loaded, told)
    if planned:
        _step(session, visitor, found, "plan", unit.id, told)
    elif was_planned:
        found.late = _is_late(session, unit, occasion, today)
        _send_up(session, visitor, found, unit, "submit", told)
    else:
        found.changed = found.changed or closed or settled
        _send_up(session, visitor, found, unit, "correct", told)
    return found


def _loaded(
    session: AnySession,
    visitor: Visitor,
    plugins: Plugins,
    unit: Organization,
    payload: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> payloads.Loaded:
    loaded = payloads.load(payload, plugins.codes)
    if loaded.occasion["status"] == "cancelled":
        wanted = _("没有开的活动请作废，并写明原因")
        raise BadInput([Problem("/status", "cancelled", wanted, "use_void")])
    payloads.refuse_day(loaded.occasion, business_day(session), unit.opened_on, unit.closed_on)
    stood = None if before is None else payloads.load(snapshots.editable(before), plugins.codes)
    known.refuse_unknown(session, visitor, unit, loaded, stood)
    had = {} if stood is None else stood.extra
    return replace(loaded, extra=extra_fields.read(session, plugins, unit, loaded, had))


def _save(
    session: AnySession,
    visitor: Visitor,
    found: Record,
    loaded: payloads.Loaded,
    reason: str | None,
) -> None:
    found.content, found.extra = loaded.content, dict(loaded.extra)
    found.user_id, found.author = visitor.user_id, visitor.name
    _keep_version(session, visitor, found, reason)


def _keep_version(session: AnySession, visitor: Visitor, found: Record, reason: str | None) -> None:
    """Keep what is recorded now as the next version."""
    found.revision += 1
    found.changed_at = sa.func.now()
    session.flush()
    session.add(
        RecordVersion(
            occasion_id=found.occasion_id,
            number=found.revision,
            payload=snapshots.snapshot(session, found.occasion_id),
            reason=reason,
            user_id=visitor.user_id,
            author=visitor.name,
        )
    )
    session.flush()


def _record_of(session: AnySession, visitor: Visitor, occasion: Occasion) -> Record:
    """The record of a locked occasion.

    An imported one has none yet: it is made, with what was imported as its first version.
    """
    found = session.scalars(
        sa.select(Record)
        .where(Record.tenant_id == current_tenant_id(), Record.occasion_id == occasion.id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is not None:
        return found
    imported = _("导入")
    found = Record(
        occasion_id=occasion.id,
        organization_id=occasion.organization_id,
        state={"planned": "planned", "cancelled": "voided"}.get(occasion.status or "", "archived"),
        revision=0,
        author=imported,
        extra={},
    )
    session.add(found)
    session.flush()
    session.add(
        RecordVersion(
            occasion_id=occasion.id,
            number=0,
            payload=snapshots.snapshot(session, occasion.id),
            author=imported,
            made_at=session.scalar(
                sa.select(Occasion.__table__.c.created_at).where(Occasion.id == occasion.id)
            ),
        )
    )
    return found


def _made_of(session: AnySession, visitor: Visitor, draft_id: int) -> Record:
    """The record that a draft became; raises :class:`NotVisible` where there is none."""
    found = session.scalars(
        sa.select(Record).where(
            Record.tenant_id == current_tenant_id(), Record.draft_id == draft_id
        )
    ).one_or_none()
    if found is None:
        raise NotVisible(f"draft {draft_id}")
    find_unit(session, visitor, found.organization_id, "records.write")
    return found


def _new_code(session: AnySession, wanted: str | None) -> str:
    """The id of a new occasion, which no other has: the author's own, or one made up."""
    if wanted is None:
        while _is_held(session, code := session.execute(_NEXT_CODE).one().code):
            pass
        return str(code)
    code = wanted.strip()
    if not 1 <= len(code) <= payloads.MOST_ID or not code.isprintable():
        text = _("应为 1 至 {number} 个字的编号").format(number=payloads.MOST_ID)
        raise BadInput([Problem("/id", wanted, text, "malformed")])
    if _is_taken(session, code):
        raise BadInput([Problem("/id", code, _("这个编号已被使用，请换一个"), "taken")])
    return code


def _is_taken(session: AnySession, code: str) -> bool:
    """Whether an occasion has this id; until the end of the transaction nobody else takes it."""
    session.execute(sa.select(_locked(sa.literal(code))))
    return _is_held(session, code)


def _locked(code: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    key = sa.cast(this_tenant(), sa.Text) + " " + code
    return sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))


#: The next code made up, already taken from whoever else may want it.
_MADE_UP = sa.select(
    (sa.literal("r") + sa.cast(sa.Sequence("occasions_id_seq").next_value(), sa.Text)).label("code")
).subquery("made_up")
_NEXT_CODE = sa.select(_MADE_UP.c.code, _locked(_MADE_UP.c.code))


def _is_held(session: AnySession, code: str) -> bool:
    taken = sa.select(Occasion.id).where(
        Occasion.tenant_id == current_tenant_id(), Occasion.code == code
    )
    return session.scalar(taken) is not None


def _is_late(session: AnySession, unit: Organization, occasion: Occasion, today: date) -> bool:
    most = workflow.workflow_of(session, unit.path).late_after_days
    if (today - occasion.held_on).days > most:
        return True
    month = months.month_of(occasion.held_on)
    return months.completion(session, unit.id, month, today) is not None


def _in_complete_month(session: AnySession, unit: Organization, days: set[date]) -> bool:
    touched = sorted({months.month_of(day) for day in days})
    return bool(months.completions(session, unit.id, touched, business_day(session)))


def _parts(
    session: AnySession,
    loaded: payloads.Loaded,
    earlier: Sequence[payloads.Row],
    *,
    draft_id: int | None,
    occasion_id: int | None = None,
) -> dict[str, Sequence[payloads.Row]]:
    """The parts to write; documents are also those of which there are files."""
    typed = loaded.parts.get("documents", earlier)
    documents = papers.with_documents(session, typed, draft_id=draft_id, occasion_id=occasion_id)
    return {**loaded.parts, "documents": documents}


# -- for those who change something about a record ------------------------------------------


def lock_record(
    session: AnySession, visitor: Visitor, occasion_id: int, revision: int | None
) -> tuple[Occasion, Organization, Record]:
    """A record that the visitor may change, its occasion locked to the end of the transaction.

    Raises :class:`Conflict` where ``revision`` is given and another holds by now.
    """
    occasion, unit = find_occasion(session, visitor, occasion_id, "records.write", lock=True)
    found = _record_of(session, visitor, occasion)
    _refuse_stale(session, found, revision)
    return occasion, unit, found


def amend(
    session: AnySession,
    visitor: Visitor,
    occasion: Occasion,
    unit: Organization,
    found: Record,
    reason: str | None,
) -> None:
    """Keep a locked record, of which something was changed, as its next version.

    What had been reviewed is reviewed again.  Raises ``BadInput`` where the month is
    complete and no ``reason`` is given.
    """
    closed = found.state != "planned" and _in_complete_month(session, unit, {occasion.held_on})
    told = words(reason, "/reason", required=closed)
    settled = found.state in {"reviewed", "archived"}
    _keep_version(session, visitor, found, told)
    found.changed = found.changed or closed or settled
    if settled:
        found.user_id, found.author = visitor.user_id, visitor.name
        _send_up(session, visitor, found, unit, "correct", told)


# -- on the way --------------------------------------------------------------------------


def _send_up(
    session: AnySession,
    visitor: Visitor,
    found: Record,
    unit: Organization,
    action: str,
    comment: str | None,
) -> None:
    """Hand a record just saved to the first who reviews it, or archive it."""
    _hand_up(session, visitor, found, unit, action)
    _step(session, visitor, found, action, unit.id, comment)


def _hand_up(
    session: AnySession, visitor: Visitor, found: Record, unit: Organization, action: str
) -> None:
    station = None
    if workflow.workflow_of(session, unit.path).levels:
        authors = workflow.authors(session, found.occasion_id) | {visitor.user_id}
        station = workflow.next_station(session, unit.path, besides=authors)
    found.passed = 0
    found.station_id = None if station is None else station.id
    found.state = "archived" if station is None else "submitted"
    if action == "submit":
        found.submitted_at = sa.func.now()


def _for_review(
    session: AnySession, visitor: Visitor, occasion_id: int, revision: int | None
) -> tuple[Record, Organization, Organization]:
    """A record that waits for the visitor's review, its unit, and the station that has it."""
    occasion, unit = find_occasion(session, visitor, occasion_id, lock=True)
    found = session.scalars(
        sa.select(Record)
        .where(Record.tenant_id == current_tenant_id(), Record.occasion_id == occasion.id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None or found.state not in workflow.WAITING:
        demand(visitor, "records.review", unit.path)
        wanted = _("这条记录不在等待审核，请刷新后再看")
        raise BadInput([Problem("", occasion.code, wanted, "not_waiting")])
    station = session.scalars(
        sa.select(Organization).where(
            Organization.tenant_id == current_tenant_id(), Organization.id == found.station_id
        )
    ).one()
    demand(visitor, "records.review", station.path)
    if visitor.user_id in workflow.authors(session, occasion_id):
        raise NotAllowed("nobody reviews what they entered")
    _refuse_stale(session, found, revision)
    return found, unit, station


def _step(
    session: AnySession,
    visitor: Visitor,
    found: Record,
    action: str,
    organization_id: int,
    comment: str | None,
    *,
    code: str | None = None,
) -> None:
    """Write down what was done to a record, for its readers and for the audit trail.

    ``code`` is the author's id of the occasion, looked up unless it is given.
    """
    session.add(
        RecordStep(
            occasion_id=found.occasion_id,
            action=action,
            revision=found.revision,
            state=found.state,
            organization_id=organization_id,
            user_id=visitor.user_id,
            actor=visitor.name,
            comment=comment,
        )
    )
    if code is None:
        code = session.scalar(sa.select(Occasion.code).where(Occasion.id == found.occasion_id))
    after = {"state": found.state, "revision": found.revision, "comment": comment}
    write_down(session, visitor.actor(), f"record.{action}", "occasion", code, after=after)


def _refuse_stale(session: AnySession, found: Record, revision: int | None) -> None:
    if revision is not None and revision != found.revision:
        payload = snapshots.snapshot(session, found.occasion_id)
        raise Conflict(found.revision, payload, found.author, found.changed_at)
