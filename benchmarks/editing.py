"""One branch judged again after one edit: (f)."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import sqlalchemy as sa

from benchmarks.city import AS_OF
from benchmarks.loading import ACTOR
from benchmarks.measuring import Report, timed
from guiju.activities.models import Occasion
from guiju.activities.operations import record_occasion
from guiju.db import ScopedSession
from guiju.db.engine import arrow_connection
from guiju.organizations.models import Organization
from guiju.scoring import dirty, judging
from guiju.scoring.judging import Law
from guiju.scoring.operations import drain

_DAY = 20


def measure(report: Report, url: str, session: ScopedSession, law: Law, times: int) -> None:
    """Edit, read and judge what the edit concerns, then let the job do the whole of it."""
    engine = session.get_bind()
    assert isinstance(engine, sa.Engine)
    tenant = session.scalars(sa.select(Organization.tenant_id).limit(1)).one()
    branches = session.scalars(
        sa.select(Organization.code)
        .where(Organization.kind == "branch")
        .order_by(Organization.id)
        .limit(times + 1)
    ).all()
    read, judged, drained = [], [], []
    for number, code in enumerate(branches):
        record_occasion(session, ACTOR, _occasion(session, code, number))
        session.rollback()
        with arrow_connection(url) as connection:
            plan = dirty.plan(connection, law.reach(), complete=False)
            assert plan is not None
            (task,) = plan.tasks
            began = time.perf_counter()
            snapshot = judging.read(connection, law, task.read, superiors=task.superiors)
            read.append(time.perf_counter() - began)
            scope = np.isin(snapshot.facts.numbers("organizations"), task.judged)
            judged.append(timed(lambda s=snapshot, m=scope: judging.judge(law, s, m))[0])
        seconds, outcome = timed(
            lambda: drain(engine, law.packs, tenant, AS_OF, reason="benchmark")
        )
        assert outcome.judged
        drained.append(seconds)
    # The first of each warmed caches up.
    report.add("f", "reading what one edit concerns", 1000 * median(read[1:]))
    report.add(
        "f", "judging it: engine time", 1000 * median(judged[1:]), limit=50.0, against="50 ms"
    )
    report.add("f", "the whole job: branch, superiors, totals", 1000 * median(drained[1:]))


def _occasion(session: ScopedSession, branch: str, number: int) -> dict[str, object]:
    """A new meeting of the branch; the same edit again would change nothing."""
    last = session.scalars(sa.select(sa.func.max(Occasion.id))).one()
    return {
        "id": f"edit-{last}-{number}",
        "organization": branch,
        "kinds": ["branch_assembly"],
        "held_on": AS_OF.replace(month=1, day=min(AS_OF.day, _DAY)),
        "recorded_on": AS_OF,
    }
