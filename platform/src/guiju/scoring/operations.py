"""Scoring a tenant: judging what changed, or everything, until nothing is dirty.

All findings of a tenant are as of one day and by one set of packs, profiles and settings,
its *basis*; when that changes, everything is judged again.  One process scores a tenant
at a time.  A process that is killed leaves the marks it had not answered, and what it did
store stays right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version

import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from guiju.audit.operations import Actor, record, record_reading
from guiju.db import locks
from guiju.db.engine import arrow_connection, beside
from guiju.db.models import metadata
from guiju.db.scope import tenant_scope
from guiju.db.session import AnySession, ScopedSession, transaction
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.rules.facts import VOCABULARIES
from guiju.rules.pack import Pack
from guiju.scoring import bulk, dirty, judging, rollups
from guiju.scoring.judging import Law
from guiju.scoring.models import ScoringRun
from guiju.scoring.numbering import Numbering
from guiju.scoring.profiles import AS_OF, complete_after, enabled_profiles
from guiju.scoring.store import Written
from guiju.tenancy.models import Setting
from guiju.tenancy.queries import tenant_settings

ACTOR = Actor(name="scoring")

#: Told how far a run is; (done, total) organizations.
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a scoring did, over all its runs."""

    runs: int = 0
    judged: int = 0
    changed: int = 0


def set_as_of(session: AnySession, actor: Actor, as_of: date | None) -> None:
    """Judge the tenant as of a fixed day, or (None) as of each day again."""
    table = Setting.__table__
    with transaction(session):
        if as_of is None:
            session.execute(sa.delete(table).where(table.c.key == AS_OF))
        else:
            values = {"key": AS_OF, "value": as_of.isoformat(), "author": actor.name}
            upsert = insert(table).values(values)
            session.execute(
                upsert.on_conflict_do_update(
                    index_elements=["tenant_id", "key"], set_={"value": upsert.excluded.value}
                )
            )
        record(session, actor, "scoring.set_as_of", "tenant", after={"as_of": as_of})
        mark_everything(session, "scoring.set_as_of")


def fixed_as_of(session: AnySession) -> date | None:
    """The day that the tenant is judged as of, if it is fixed."""
    found = tenant_settings(session).get(AS_OF)
    return None if found is None else date.fromisoformat(found)


def mark_everything(session: AnySession, reason: str) -> None:
    """Mark the whole tenant, in the caller's transaction."""
    root = session.scalars(
        sa.select(Organization.id).where(Organization.parent_id.is_(None))
    ).one_or_none()
    if root is not None:
        mark_dirty(session, [root], reason, subtree=True)


def drain(
    engine: sa.Engine,
    packs: Mapping[str, Pack],
    tenant_id: int,
    as_of: date,
    *,
    reason: str,
    complete: bool = False,
    settle: bool = True,
    asked_at: datetime | None = None,
    report: Report = lambda _done, _total: None,
) -> Outcome:
    """Judge whatever is dirty until nothing is; everything first, if ``complete``.

    Without ``settle``, superiors of a large tenant wait for the next one with it.
    ``asked_at`` is when somebody asked for it: a request from before a newer day's scoring
    does not turn the day back.  Raises ``Busy`` while another process is at it, and
    ``BadInput`` where a profile is not installed or wrongly set.
    """
    with (
        tenant_scope(tenant_id, restricted=True),
        alone(engine, tenant_id),
        ScopedSession(engine) as session,
    ):
        scoring = _Scoring(session, packs, _day(session, as_of, asked_at), reason, report)
        outcome = Outcome()
        while scoring.run(complete=complete, settle=settle):
            complete = False
            done = scoring.last
            outcome = Outcome(
                outcome.runs + 1, outcome.judged + done.done, outcome.changed + done.changed
            )
        return outcome


@contextmanager
def alone(engine: sa.Engine, tenant_id: int) -> Iterator[None]:
    """Keep other processes from scoring the tenant; raises ``Busy`` where one is at it.

    The database lets go when this process dies.
    """
    with locks.alone(engine, "scoring", tenant_id):
        yield


def _day(session: orm.Session, as_of: date, asked_at: datetime | None) -> date:
    last = last_run(session)
    session.rollback()
    if asked_at is not None and last is not None and last.started_at > asked_at:
        return max(as_of, last.as_of)
    return as_of


def last_run(session: AnySession) -> ScoringRun | None:
    """The run begun last, whatever became of it."""
    return session.scalars(sa.select(ScoringRun).order_by(ScoringRun.id.desc()).limit(1)).first()


class _Scoring:
    """The runs of one process that has the tenant to itself."""

    last: ScoringRun

    def __init__(
        self,
        session: ScopedSession,
        packs: Mapping[str, Pack],
        as_of: date,
        reason: str,
        report: Report,
    ) -> None:
        self._session = session
        self._packs = packs
        self._as_of = as_of
        self._reason = reason
        self._report = report
        self._url = arrow_url(session)
        self._numbering = Numbering(session)
        self._close_interrupted()

    def run(self, *, complete: bool, settle: bool) -> bool:
        """Answer the marks that there are; False if there was nothing to do."""
        law = Law(
            self._packs,
            enabled_profiles(self._session, self._packs),
            self._as_of,
            complete_after(self._session),
        )
        self._session.rollback()
        self._basis = basis(law)
        complete = complete or self._is_outdated()
        with arrow_connection(self._url, write=True) as connection:
            plan = dirty.plan(connection, law.reach(), complete=complete, settle=settle)
            if plan is None:
                return False
            self._begin(plan, law)
            with self._failing():
                if len(plan.tasks) == 1:
                    self._only(connection, plan, law)
        if len(plan.tasks) > 1:
            with self._failing():
                self._all(plan, law)
        self._end()
        return True

    # -- work -----------------------------------------------------------------------

    def _only(self, connection: adbc.Connection, plan: dirty.Plan, law: Law) -> None:
        """A plan of one task: one snapshot, one transaction."""
        written = self._task(connection, plan.tasks[0], law)
        self._progress("totals", plan.total, len(written.organizations))
        self._settle(connection, plan, None if plan.complete else written.places)

    def _all(self, plan: dirty.Plan, law: Law) -> None:
        """Task by task, each in a transaction of its own; the marks go with the last."""
        done = changed = 0
        for task in plan.tasks:
            with arrow_connection(self._url, write=True) as connection:
                written = self._task(connection, task, law)
            done += 0 if task.judged is None else len(task.judged)
            changed += len(written.organizations)
            self._progress("judging", done, changed)
        self._progress("totals", done, changed)
        with arrow_connection(self._url, write=True) as connection:
            self._settle(connection, plan, None)

    def _task(self, connection: adbc.Connection, task: dirty.Task, law: Law) -> Written:
        with ExitStack() as stack:
            # Reading everybody is worth a connection more.
            everybody = task.read is None
            second = stack.enter_context(beside(connection)) if everybody else None
            snapshot = judging.read(
                connection, law, task.read, superiors=task.superiors, second=second
            )
        return judging.judge_and_store(connection, law, self._numbering, task.judged, snapshot)

    def _settle(
        self, connection: adbc.Connection, plan: dirty.Plan, places: set[tuple[int, str]] | None
    ) -> None:
        """Bring totals up to date and exchange the marks."""
        rollups.rebuild(connection, places)
        marks = metadata.tables["dirty_marks"]
        bulk.delete(connection, marks, pa.table({"id": pa.array(plan.marks, pa.int64())}))
        bulk.insert(
            connection,
            marks,
            pa.table(
                {
                    "organization_id": pa.array(plan.waiting, pa.int64()),
                    "subtree": pa.array([False] * len(plan.waiting), pa.bool_()),
                    "reason": pa.array([dirty.BELOW] * len(plan.waiting), pa.string()),
                }
            ),
        )

    # -- the log ---------------------------------------------------------------------

    def _is_outdated(self) -> bool:
        """Whether what is stored is by another basis, or a scoring of everything broke off."""
        newest = sa.select(ScoringRun).order_by(ScoringRun.id.desc()).limit(1)
        finished = self._session.scalars(newest.where(ScoringRun.stage == "done")).first()
        whole = self._session.scalars(newest.where(ScoringRun.complete)).first()
        outdated = (
            finished is None
            or finished.basis != self._basis
            or (whole is not None and whole.stage != "done")
        )
        self._session.rollback()
        return outdated

    def _begin(self, plan: dirty.Plan, law: Law) -> None:
        self.last = ScoringRun(
            reason=self._reason,
            as_of=self._as_of,
            basis=self._basis,
            complete=plan.complete,
            stage="judging",
            total=plan.total,
            done=0,
            changed=0,
        )
        self._session.add(self.last)
        if law.reads_restricted:
            record_reading(self._session, ACTOR, "disciplinary_steps", self._reason)
        self._session.commit()
        self._report(0, plan.total)

    def _progress(self, stage: str, done: int, changed: int) -> None:
        self.last.stage, self.last.done, self.last.changed = stage, done, changed
        self._session.commit()
        self._report(done, self.last.total)

    def _end(self) -> None:
        self.last.stage, self.last.finished_at = "done", _now(self._session)
        self._session.commit()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Note in the log what a run died of."""
        try:
            yield
        except Exception as error:
            self._session.rollback()
            self.last.stage, self.last.finished_at = "failed", _now(self._session)
            self.last.error = f"{type(error).__name__}: {error}"
            self._session.commit()
            raise

    def _close_interrupted(self) -> None:
        """Nobody else is at work, so runs that have not ended never will."""
        self._session.execute(
            sa.update(ScoringRun)
            .where(ScoringRun.finished_at.is_(None))
            .values(stage="failed", finished_at=sa.func.clock_timestamp(), error="interrupted")
        )
        self._session.commit()


def _now(session: orm.Session) -> datetime:
    found: datetime = session.scalars(sa.select(sa.func.clock_timestamp())).one()
    return found


def arrow_url(session: AnySession) -> str:
    """The address of the session's database as libpq reads it."""
    engine = session.get_bind()
    assert isinstance(engine, sa.Engine)
    url = engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def basis(law: Law) -> str:
    """A digest of what findings rest on besides facts."""
    parts = [
        version("guiju"),
        law.as_of.isoformat(),
        repr(law.complete_after),
        repr([(name, list(codes)) for name, codes in VOCABULARIES.items()]),
        *(repr(one) for one in law.enabled),
        *(repr(law.packs[name]) for name in sorted({one.profile for one in law.enabled})),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
