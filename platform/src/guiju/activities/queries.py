"""Questions about records, asked inside a tenant's scope.

Each asks for a :class:`Visitor` and answers with what they may see; whatever else there is
raises :class:`NotVisible`.  Names of people are codes here
(:func:`guiju.organizations.people.names`); to whom people are not shown, payloads come
without them (:func:`guiju.activities.payloads.without_people`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from guiju.accounts.visitors import Visitor
from guiju.activities import payloads, search_words, snapshots, workflow
from guiju.activities.access import NotVisible, find_occasion, find_unit
from guiju.activities.models import (
    LATE_AFTER_DAYS,
    RECORD_STATES,
    Occasion,
    Record,
    RecordStep,
    RecordVersion,
)
from guiju.db.arrays import any_of
from guiju.db.codes import bits, codes_of
from guiju.db.models import this_tenant
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.queries import organization
from guiju.organizations.tree import within
from guiju.rules.tables import FIRST_DAY

#: An imported record that nobody has corrected is in no workflow.
RECORDED = "recorded"
#: By what a unit's records can be listed.
ORDERS = ("date", "recorded", "unit")
#: States by which lists can be filtered.
STATES = (RECORDED, *RECORD_STATES)
#: States that an occasion has by itself, which nobody recorded on a page.
_UNREVIEWED = {RECORDED, "planned", "voided"}

_occasions = Occasion.__table__
_paths = Organization.__table__.c.path
_Station = orm.aliased(Organization)

#: Columns of an occasion that lists show.
_COLUMNS = (
    "id", "code", "organization_id", "kinds", "held_on", "start_minute", "title_text", "theme",
    "place", "expected", "present", "document_mask", "recorded_on",
)  # fmt: skip


@dataclass(frozen=True)
class RecordSummary:
    """A record as lists show it.

    ``station`` is the organization that has it for review; ``late`` and ``changed`` are what
    everybody may see of its making.  Counts that nothing is known of are None.
    """

    occasion_id: int
    code: str
    organization_id: int
    organization: str
    kinds: Sequence[str]
    held_on: date
    start_minute: int | None
    title: str | None
    theme: str | None
    place: str | None
    expected: int | None
    present: int | None
    documents: Sequence[str]
    state: str
    revision: int
    passed: int
    station_id: int | None
    station: str | None
    late: bool
    changed: bool
    author: str | None
    recorded_on: date | None
    submitted_at: datetime | None


@dataclass(frozen=True)
class RecordPage:
    """Records, and where the next page begins (None on the last)."""

    items: Sequence[RecordSummary]
    cursor: str | None


@dataclass(frozen=True)
class StepView:
    """Something done to a record: by whom, for which organization, with which comment."""

    action: str
    revision: int
    state: str
    organization: str
    user_id: int | None
    actor: str
    comment: str | None
    made_at: datetime


@dataclass(frozen=True)
class VersionView:
    """A record as it stood after a saving; number 0 is what was imported."""

    number: int
    author: str
    user_id: int | None
    reason: str | None
    made_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class RecordView:
    """One record with everything that the visitor may see of it.

    ``payload`` is as :mod:`guiju.activities.snapshots` reads it; ``people`` says whether it
    is whole.  ``levels`` reviews are asked for today.  ``may`` names what the visitor can do
    with it now: ``correct``, ``void``, ``approve``, ``return``.  ``tag`` changes with
    anything shown.
    """

    summary: RecordSummary
    path: str
    payload: Mapping[str, Any]
    people: bool
    levels: int
    steps: Sequence[StepView]
    may: frozenset[str]

    @property
    def tag(self) -> str:
        """What an ETag is made from."""
        shown = self.summary
        return f"{shown.occasion_id}.{shown.revision}.{shown.state}.{shown.passed}"


def records_of(
    session: AnySession,
    visitor: Visitor,
    organization_id: int,
    *,
    below: bool = False,
    since: date | None = None,
    until: date | None = None,
    states: Collection[str] = (),
    kind: str | None = None,
    order_by: str = "date",
    falling: bool = True,
    cursor: str | None = None,
    limit: int = 50,
) -> RecordPage:
    """Records of an organization and, with ``below``, of those below it; the latest day first.

    ``since`` and ``until`` bound the day held; ``states`` are of :data:`STATES`, ``order_by``
    is of :data:`ORDERS`.  Raises ``ValueError`` for a ``cursor`` that no such list gave out, or
    an unknown state or kind.
    """
    unit = find_unit(session, visitor, organization_id)
    query = _summaries()
    if below:
        query = query.where(within(_paths, unit.path))
    else:
        query = query.where(_occasions.c.organization_id == organization_id)
    if since is not None:
        query = query.where(_occasions.c.held_on >= since)
    if until is not None:
        query = query.where(_occasions.c.held_on <= until)
    if states:
        if not set(states) <= set(STATES):
            raise ValueError(f"states {sorted(set(states) - set(STATES))}")
        query = query.where(_state().in_(states))
        if not set(states) & _UNREVIEWED:
            # The few that were ever on their way are found by their own index.
            query = query.where(Record.state.in_(states))
    if kind is not None:
        known = bits(session, "occasion_kind")
        if kind not in known:
            raise ValueError(f"kind {kind}")
        query = query.where(_occasions.c.kinds.bitwise_and(1 << known[kind]) != 0)
    keys = _order_keys(order_by)
    if cursor is not None:
        place = _place(cursor, order_by)
        query = query.where(keys < place if falling else keys > place)
    ordered = query.order_by(*(key.desc() if falling else key.asc() for key in keys))
    found = _summarized(session, ordered.limit(limit + 1))
    more = len(found) > limit
    return RecordPage(found[:limit], _cursor(found[limit - 1], order_by) if more else None)


def search_records(
    session: AnySession,
    visitor: Visitor,
    words: Sequence[str],
    kinds: Callable[[str], Collection[str]],
    *,
    limit: int,
) -> list[RecordSummary]:
    """Records that every word is said of, of all that the visitor may see; the latest first.

    ``kinds`` says which kinds of occasions a word names.  Nothing for no words.
    """
    roots = [path for path in visitor.roots("records.read") if visitor.sees(path)]
    if not words or not roots:
        return []
    known = bits(session, "occasion_kind")
    numbers = session.scalars(
        sa.select(_occasions.c.id)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == _occasions.c.tenant_id,
                Organization.id == _occasions.c.organization_id,
            ),
        )
        .where(
            _occasions.c.tenant_id == current_tenant_id(),
            sa.or_(*(within(_paths, root) for root in roots)),
            *(search_words.says(word, search_words.mask(kinds(word), known)) for word in words),
        )
        .order_by(_occasions.c.held_on.desc(), _occasions.c.id.desc())
        .limit(limit)
    ).all()
    query = _summaries().where(any_of(_occasions.c.id, numbers))
    return _summarized(session, query.order_by(_occasions.c.held_on.desc(), _occasions.c.id.desc()))


def awaiting_review(
    session: AnySession, visitor: Visitor, *, limit: int = 200
) -> list[RecordSummary]:
    """Records that wait for somebody with the visitor's reviews, longest waiting first.

    Those at stations further down that the visitor may act for come with them; what the
    visitor entered never does.
    """
    own = sa.exists().where(
        RecordVersion.tenant_id == current_tenant_id(),
        RecordVersion.occasion_id == Record.occasion_id,
        RecordVersion.user_id == visitor.user_id,
    )
    roots = visitor.roots("records.review")
    place = sa.or_(sa.false(), *(_below(_Station, root) for root in roots))
    query = _summaries().where(Record.station_id.is_not(None), place, ~own)
    return _summarized(session, query.order_by(Record.changed_at, Record.id).limit(limit))


def returned_records(
    session: AnySession,
    visitor: Visitor,
    *,
    organization_id: int | None = None,
    limit: int = 200,
) -> list[RecordSummary]:
    """Records sent back to units that the visitor records for, longest waiting first.

    Of all those units, or of one of them.
    """
    query = _summaries().where(Record.state == "returned")
    if organization_id is not None:
        unit = organization(session, organization_id)
        if unit is None or not visitor.may("records.write", unit.path):
            return []
        query = query.where(Record.organization_id == organization_id)
    else:
        roots = visitor.roots("records.write")
        query = query.where(sa.or_(sa.false(), *(within(_paths, root) for root in roots)))
    return _summarized(session, query.order_by(Record.changed_at, Record.id).limit(limit))


def return_comments(session: AnySession, rows: Collection[RecordSummary]) -> dict[int, str]:
    """Why records were sent back the last time, by the number of the occasion."""
    steps = session.execute(
        sa.select(RecordStep.occasion_id, RecordStep.comment)
        .where(
            RecordStep.tenant_id == current_tenant_id(),
            RecordStep.action == "return",
            any_of(RecordStep.occasion_id, [row.occasion_id for row in rows]),
        )
        .order_by(RecordStep.id)
    )
    return {occasion_id: comment or "" for occasion_id, comment in steps}


def find_record(session: AnySession, visitor: Visitor, occasion_id: int) -> RecordView:
    """One record by the number of its occasion."""
    occasion, unit = find_occasion(session, visitor, occasion_id)
    (summary,) = _summarized(session, _summaries().where(_occasions.c.id == occasion.id))
    people = visitor.may("people.read", unit.path)
    payload = snapshots.snapshot(session, occasion_id)
    return RecordView(
        summary=summary,
        path=unit.path,
        payload=payload if people else payloads.without_people(payload),
        people=people,
        levels=workflow.workflow_of(session, unit.path).levels,
        steps=_steps(session, occasion_id),
        may=_may(session, visitor, summary, unit),
    )


def record_with_code(session: AnySession, visitor: Visitor, code: str) -> RecordView:
    """One record by the author's id of its occasion, as findings name it."""
    number = session.scalar(
        sa.select(Occasion.id).where(
            Occasion.tenant_id == current_tenant_id(), Occasion.code == code
        )
    )
    if number is None:
        raise NotVisible(f"occasion {code}")
    return find_record(session, visitor, number)


def versions(session: AnySession, visitor: Visitor, occasion_id: int) -> list[VersionView]:
    """Every version of a record, the first first; none of an imported one left as it came."""
    _occasion, unit = find_occasion(session, visitor, occasion_id)
    people = visitor.may("people.read", unit.path)
    rows = session.scalars(
        sa.select(RecordVersion)
        .where(
            RecordVersion.tenant_id == current_tenant_id(),
            RecordVersion.occasion_id == occasion_id,
        )
        .order_by(RecordVersion.number)
    )
    return [
        VersionView(
            row.number,
            row.author,
            row.user_id,
            row.reason,
            row.made_at,
            row.payload if people else payloads.without_people(row.payload),
        )
        for row in rows
    ]


# -- parts of the questions ----------------------------------------------------------------


def _below(alias: Any, path: str) -> sa.ColumnElement[bool]:
    return within(sa.inspect(alias).selectable.c.path, path)


def _state() -> sa.ColumnElement[str]:
    return sa.func.coalesce(
        Record.state,
        sa.case(
            (_occasions.c.status == "planned", "planned"),
            (_occasions.c.status == "cancelled", "voided"),
            else_=RECORDED,
        ),
    )


def _late() -> sa.ColumnElement[bool]:
    """Of what was imported, only how long it took is known."""
    days = _occasions.c.recorded_on - _occasions.c.held_on
    imported = sa.and_(Record.id.is_(None), days > LATE_AFTER_DAYS)
    return sa.func.coalesce(Record.late, imported, sa.false())


@cache
def _summaries() -> sa.Select[Any]:
    organization = Organization.__table__
    return (
        sa.select(
            *(_occasions.c[name] for name in _COLUMNS),
            organization.c.name.label("organization"),
            _state().label("state"),
            sa.func.coalesce(Record.revision, 0).label("revision"),
            sa.func.coalesce(Record.passed, 0).label("passed"),
            Record.station_id,
            _Station.name.label("station"),
            _late().label("late"),
            sa.func.coalesce(Record.changed, sa.false()).label("changed"),
            Record.author,
            Record.submitted_at,
        )
        .join(
            Organization,
            sa.and_(
                organization.c.tenant_id == _occasions.c.tenant_id,
                organization.c.id == _occasions.c.organization_id,
            ),
        )
        .outerjoin(
            Record,
            sa.and_(
                Record.tenant_id == _occasions.c.tenant_id,
                Record.occasion_id == _occasions.c.id,
            ),
        )
        .outerjoin(
            _Station,
            sa.and_(_Station.tenant_id == Record.tenant_id, _Station.id == Record.station_id),
        )
        .where(_occasions.c.tenant_id == this_tenant())
    )


def _summarized(session: AnySession, query: sa.Select[Any]) -> list[RecordSummary]:
    kinds, documents = bits(session, "occasion_kind"), bits(session, "document_kind")
    return [
        RecordSummary(
            occasion_id=row.id,
            code=row.code,
            organization_id=row.organization_id,
            organization=row.organization,
            kinds=codes_of(row.kinds, kinds),
            held_on=row.held_on,
            start_minute=row.start_minute,
            title=row.title_text,
            theme=row.theme,
            place=row.place,
            expected=row.expected,
            present=row.present,
            documents=codes_of(row.document_mask, documents),
            state=row.state,
            revision=row.revision,
            passed=row.passed,
            station_id=row.station_id,
            station=row.station,
            late=row.late,
            changed=row.changed,
            author=row.author,
            recorded_on=row.recorded_on,
            submitted_at=row.submitted_at,
        )
        for row in session.execute(query)
    ]


def _order_keys(order_by: str) -> sa.Tuple:
    """What a list is sorted by, down to a record of its own; ``KeyError`` for no such order."""
    orders: dict[str, list[sa.ColumnElement[Any]]] = {
        "date": [],
        # What was imported without the day was recorded before all others.
        "recorded": [sa.func.coalesce(_occasions.c.recorded_on, FIRST_DAY)],
        "unit": [Organization.__table__.c.name],
    }
    return sa.tuple_(*orders[order_by], _occasions.c.held_on, _occasions.c.id)


def _cursor(last: RecordSummary, order_by: str) -> str:
    first = {"date": "", "recorded": last.recorded_on or FIRST_DAY, "unit": last.organization}
    return f"{last.occasion_id}.{last.held_on}.{first[order_by]}"


def _place(cursor: str, order_by: str) -> sa.Tuple:
    """Where a page ended; raises ``ValueError`` for what :func:`_cursor` does not write."""
    number, day, first = cursor.split(".", 2)
    values: list[Any] = [date.fromisoformat(day), int(number)]
    if order_by == "recorded":
        values.insert(0, date.fromisoformat(first))
    elif order_by == "unit":
        values.insert(0, first)
    return sa.tuple_(*(sa.literal(value) for value in values))


def _steps(session: AnySession, occasion_id: int) -> list[StepView]:
    rows = session.execute(
        sa.select(RecordStep, Organization.name)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == RecordStep.tenant_id,
                Organization.id == RecordStep.organization_id,
            ),
        )
        .where(RecordStep.tenant_id == current_tenant_id(), RecordStep.occasion_id == occasion_id)
        .order_by(RecordStep.id)
    )
    return [
        StepView(
            step.action,
            step.revision,
            step.state,
            organization,
            step.user_id,
            step.actor,
            step.comment,
            step.made_at,
        )
        for step, organization in rows
    ]


def _may(
    session: AnySession, visitor: Visitor, summary: RecordSummary, unit: Organization
) -> frozenset[str]:
    found: set[str] = set()
    if visitor.may("records.write", unit.path):
        found |= {"correct"} if summary.state == "voided" else {"correct", "void"}
    if summary.station_id is not None:
        station = session.scalars(
            sa.select(_paths).where(
                Organization.tenant_id == current_tenant_id(),
                Organization.id == summary.station_id,
            )
        ).one()
        if visitor.may("records.review", station) and visitor.user_id not in workflow.authors(
            session, summary.occasion_id
        ):
            found |= {"approve", "return"}
    return frozenset(found)
