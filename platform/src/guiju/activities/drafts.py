"""Drafts: what somebody is still typing, kept for them on the server.

A draft is tolerant: half-typed days and unknown people are kept as they are until it is
submitted (:func:`guiju.activities.records.submit_draft`).  Everybody who may record for the
unit sees it; who saves over another's unseen saving is told (:class:`Conflict`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities import snapshots
from guiju.activities.access import Conflict, NotVisible, find_occasion, find_unit
from guiju.activities.models import Draft, Record
from guiju.audit.operations import record
from guiju.db.models import this_tenant
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.organizations.queries import organization
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem

#: Longest draft, in bytes of JSON: a meeting of 5,000 members with their reasons for leave.
MOST_BYTES: Final = 1_000_000
#: A list shows so many, the latest first.
MOST_LISTED: Final = 200


@dataclass(frozen=True)
class DraftView:
    """A draft with the unit it is for.

    ``occasion_id`` is the record that it corrects, with the revision that it set out from.
    """

    draft_id: int
    organization_id: int
    organization: str
    occasion_id: int | None
    occasion_revision: int | None
    payload: Mapping[str, Any]
    revision: int
    user_id: int | None
    author: str
    updated_at: datetime


def save_draft(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    payload: Mapping[str, Any],
    draft_id: int | None = None,
    revision: int | None = None,
) -> DraftView:
    """Keep what was typed so far: a new draft, or with ``draft_id`` a next saving of it.

    ``payload`` is any JSON object; what it should look like in the end says
    :mod:`guiju.activities.payloads`.  ``revision`` is the one that the caller last read; an
    older one raises :class:`Conflict` with what stands there.  Saving the same again changes
    nothing.  Making a draft is written to the audit trail; each saving of it is not.
    Raises ``BadInput`` for what is no JSON object or too long.
    """
    kept = _storable(payload)
    actor = visitor.actor()
    with transaction(session):
        if draft_id is None:
            unit = find_unit(session, visitor, organization_id, "records.write")
            draft = Draft(
                organization_id=unit.id, payload=kept, user_id=actor.user_id, author=actor.name
            )
            session.add(draft)
            session.flush()
            record(session, actor, "draft.create", "draft", draft.id, after={"unit": unit.code})
        else:
            draft, unit = draft_of(session, visitor, draft_id, lock=True)
            if draft.organization_id != organization_id:
                raise NotVisible(f"draft {draft_id}")
            refuse_stale(draft, revision)
            if draft.payload != kept:
                draft.payload, draft.revision = kept, draft.revision + 1
                draft.user_id, draft.author = actor.user_id, actor.name
                draft.updated_at = sa.func.now()
                session.flush()
        return _view(draft, unit.name)


def begin_correction(session: AnySession, visitor: Visitor, occasion_id: int) -> DraftView:
    """The visitor's draft for correcting a record, or for recording one that was planned.

    Made from what is recorded, unless the visitor has begun one already.
    """
    actor = visitor.actor()
    with transaction(session):
        occasion, unit = find_occasion(session, visitor, occasion_id, "records.write", lock=True)
        draft = session.scalars(
            sa.select(Draft).where(Draft.occasion_id == occasion.id, Draft.user_id == actor.user_id)
        ).one_or_none()
        if draft is None:
            known = session.scalars(
                sa.select(Record).where(Record.occasion_id == occasion.id)
            ).one_or_none()
            draft = Draft(
                organization_id=unit.id,
                occasion_id=occasion.id,
                occasion_revision=0 if known is None else known.revision,
                payload=snapshots.editable(snapshots.snapshot(session, occasion.id)),
                user_id=actor.user_id,
                author=actor.name,
            )
            session.add(draft)
            session.flush()
            record(session, actor, "draft.create", "draft", draft.id, after={"unit": unit.code})
        return _view(draft, unit.name)


def discard_draft(session: AnySession, visitor: Visitor, draft_id: int) -> None:
    """Throw a draft away; what is recorded stays."""
    with transaction(session):
        draft, unit = draft_of(session, visitor, draft_id, lock=True)
        session.delete(draft)
        before = {"unit": unit.code, "payload": draft.payload}
        record(session, visitor.actor(), "draft.discard", "draft", draft_id, before=before)


def find_draft(session: AnySession, visitor: Visitor, draft_id: int) -> DraftView:
    """One draft of a unit that the visitor may record for."""
    draft, unit = draft_of(session, visitor, draft_id)
    return _view(draft, unit.name)


def drafts_of(
    session: AnySession, visitor: Visitor, organization_id: int | None = None
) -> list[DraftView]:
    """Open drafts of the units that the visitor may record for, or of one; latest first.

    Corrections that others have begun are theirs alone.
    """
    query = _drafts()
    if organization_id is not None:
        unit = organization(session, organization_id)
        if unit is None or not visitor.may("records.write", unit.path):
            return []
        query = query.where(Draft.organization_id == organization_id)
    else:
        path, roots = Organization.__table__.c.path, visitor.roots("records.write")
        query = query.where(sa.or_(sa.false(), *(within(path, root) for root in roots)))
    rows = session.execute(query, {"author": visitor.user_id})
    return [_view(draft, name) for draft, name in rows]


@cache
def _drafts() -> sa.Select[Draft, str]:
    """The drafts that ``author`` may go on with, latest first."""
    author = sa.bindparam("author", type_=sa.BigInteger)
    return (
        sa.select(Draft, Organization.name)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Draft.tenant_id,
                Organization.id == Draft.organization_id,
            ),
        )
        .where(
            Draft.tenant_id == this_tenant(),
            sa.or_(Draft.occasion_id.is_(None), Draft.user_id == author),
        )
        .order_by(Draft.updated_at.desc(), Draft.id.desc())
        .limit(MOST_LISTED)
    )


def refuse_stale(draft: Draft, revision: int | None) -> None:
    """Raise :class:`Conflict` unless ``revision`` is the draft's own; None is not checked."""
    if revision is not None and revision != draft.revision:
        raise Conflict(draft.revision, draft.payload, draft.author, draft.updated_at)


def draft_of(
    session: AnySession, visitor: Visitor, draft_id: int, *, lock: bool = False
) -> tuple[Draft, Organization]:
    """The row of a draft that the visitor may go on with, and its unit."""
    query = sa.select(Draft).where(Draft.tenant_id == current_tenant_id(), Draft.id == draft_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    draft = session.scalars(query).one_or_none()
    # A correction is its author's; whoever records nothing here knows of no draft at all.
    theirs = draft is not None and (draft.occasion_id is None or draft.user_id == visitor.user_id)
    if draft is None or not theirs:
        raise NotVisible(f"draft {draft_id}")
    unit = session.get_one(Organization, (draft.tenant_id, draft.organization_id))
    if not visitor.may("records.write", unit.path):
        raise NotVisible(f"draft {draft_id}")
    return draft, unit


def _view(draft: Draft, organization: str) -> DraftView:
    return DraftView(
        draft_id=draft.id,
        organization_id=draft.organization_id,
        organization=organization,
        occasion_id=draft.occasion_id,
        occasion_revision=draft.occasion_revision,
        payload=draft.payload,
        revision=draft.revision,
        user_id=draft.user_id,
        author=draft.author,
        updated_at=draft.updated_at,
    )


def _storable(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as JSON that PostgreSQL takes: without characters that are none."""
    try:
        text = json.dumps(payload, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        found = _("不是 JSON 对象")
        raise BadInput([Problem("", found, _("应为 JSON 对象"), "wrong_type")]) from error
    if not isinstance(payload, Mapping):
        raise BadInput([Problem("", _("不是 JSON 对象"), _("应为 JSON 对象"), "wrong_type")])
    if len(text) > MOST_BYTES:
        found = _("草稿有 {size} 字节").format(size=len(text))
        wanted = _("不超过 {most} 字节").format(most=MOST_BYTES)
        raise BadInput([Problem("", found, wanted, "too_large")])
    cleaned = _cleaned(json.loads(text))
    assert isinstance(cleaned, dict)
    return cleaned


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "").encode("utf-8", "ignore").decode()
        case list():
            return [_cleaned(entry) for entry in value]
        case dict():
            return {_cleaned(name): _cleaned(entry) for name, entry in value.items()}
        case _:
            return value
