"""Noticing that a decision rests on facts that are others by now.

Whatever changes the findings of an organization changes the digests of their rows, so only
the matters of organizations whose digests moved are looked at again, each by judging its one
requirement afresh.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from guiju.db.session import AnySession, transaction
from guiju.decisions.models import Matter
from guiju.decisions.snapshots import basis, snapshot
from guiju.organizations.models import Organization
from guiju.rules.pack import Pack
from guiju.scoring import queries
from guiju.scoring.models import MemberFindings, OrganizationFindings, RecordFindings
from guiju.scoring.results import NotVisible

#: Matters in these states rest on facts.
_RESTING = ("decided", "accepted", "declined", "appealed")


def review(session: AnySession, packs: Mapping[str, Pack], *, most: int = 500) -> int:
    """Look again at decisions whose organizations were judged anew; returns how many.

    For a job, in a restricted scope: matters about members are among them.  The work of a run
    is bounded by ``most``; the rest waits for the next one.
    """
    seen = _digest().label("digest")
    rows = session.execute(
        sa.select(Matter.id, seen, Organization.path)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Matter.tenant_id,
                Organization.id == Matter.organization_id,
            ),
        )
        .where(Matter.state.in_(_RESTING), Matter.seen.is_distinct_from(seen))
        .order_by(Matter.updated_at, Matter.id)
        .limit(most)
    ).all()
    session.rollback()
    for matter_id, digest, path in rows:
        _look_again(session, packs, matter_id, digest, path)
    return len(rows)


def _digest() -> sa.ColumnElement[int]:
    """One number for everything stored about a matter's organization."""
    sums = [
        sa.func.coalesce(
            sa.select(sa.func.sum(model.digest))
            .where(
                model.tenant_id == Matter.tenant_id,
                model.organization_id == Matter.organization_id,
            )
            .correlate(Matter)
            .scalar_subquery(),
            0,
        )
        for model in (OrganizationFindings, RecordFindings, MemberFindings)
    ]
    # Sums of 64-bit digests are wider than a bigint: what is left of them is enough.
    return sa.cast(sa.func.mod(sums[0] + sums[1] + sums[2], 2**62), sa.BigInteger)


def _look_again(
    session: AnySession, packs: Mapping[str, Pack], matter_id: int, digest: int, path: str
) -> None:
    matter = session.scalars(sa.select(Matter).where(Matter.id == matter_id)).one()
    revision, decided_upon = matter.revision, matter.basis
    try:
        found = queries.explain(
            session,
            packs,
            matter.organization_id,
            matter.requirement,
            within=[path],
            part=matter.part,
            subject=(matter.subject_type, matter.subject),
            period=matter.period,
        )
    except NotVisible:
        # Neither law nor records make such a finding any more.
        changed = True
    else:
        verdict, same = found.view.verdict, basis(snapshot(found)) == decided_upon
        # What records show plainly stands, whatever was decided; and what is no deviation
        # any more needs no reason.
        decided = matter.verdict is not None
        changed = (
            verdict != matter.verdict or not same
            if decided
            else (verdict == "deviation" and not same)
        )
    with transaction(session):
        session.execute(
            sa.update(Matter)
            .where(Matter.id == matter_id, Matter.revision == revision)
            .values(seen=digest, changed=changed)
        )
