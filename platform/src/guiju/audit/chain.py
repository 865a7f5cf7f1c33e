"""The chain of seals over the audit trail: making it, checking it, shortening it.

Entries are sealed in batches of whole committed transactions, by one process at a time, so
that nobody who writes waits for anybody else.  A seal holds a digest of every entry, which
tells *which* one was changed, and the digest of the seal before, which tells whether seals
were.  Whoever owns the database can forge the whole of it: what they cannot forge is a head
(number and digest of the last seal) that somebody noted elsewhere, such as in the collected
log, where every seal is announced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY, insert

from guiju.audit.models import AuditEntry, AuditHead, AuditSeal
from guiju.audit.operations import Actor, record
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

log = structlog.get_logger()

#: Entries are kept at least so long (six months, whichever they are).
KEPT = timedelta(days=184)

_LEAF = hashlib.sha256().digest_size
_START = b""

_NUMBERS = ARRAY(sa.BigInteger)


def _mine(table: type[AuditEntry | AuditHead | AuditSeal]) -> sa.ColumnElement[bool]:
    # Whoever owns the tables may see every tenant's rows: purging says whose it means.
    return table.tenant_id == current_tenant_id()


#: Every transaction below it has ended, and what it committed is seen.
_BOUND = sa.text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


@dataclass(frozen=True)
class Head:
    """The end of a chain; ``number`` 0 where nothing is sealed."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


@dataclass(frozen=True)
class Verdict:
    """What checking a chain found."""

    head: Head
    #: How many entries are there, and how many of them are sealed.
    entries: int
    sealed: int
    #: Places where the trail is not what it was, the oldest first.
    problems: tuple[Problem, ...]


def seal(session: AnySession) -> Head:
    """Seal the entries of the tenant whose transactions have ended; returns the new end."""
    with transaction(session):
        head = _head(session, lock=True)
        bound = session.scalars(_BOUND).one()
        last = _last(session)
        since = last.bound if last else 0
        leaves = dict(
            _leaves(session, AuditEntry.transaction >= since, AuditEntry.transaction < bound)
        )
        if not leaves:
            return head
        row = AuditSeal(
            number=head.number + 1,
            sealed_at=datetime.now(UTC),
            bound=bound,
            entries=sorted(leaves),
            leaves=b"".join(leaves[entry] for entry in sorted(leaves)),
        )
        row.digest = _digest(row, head.digest)
        session.add(row)
        end = Head(row.number, row.digest)
        session.execute(
            sa.update(AuditHead)
            .where(_mine(AuditHead))
            .values(number=end.number, digest=end.digest)
        )
    log.info("audit sealed", tenant=current_tenant_id(), head=str(end), entries=len(leaves))
    return end


def verify(session: AnySession, *, expected: Head | None = None) -> Verdict:
    """Check the tenant's chain against its entries.  ``expected`` is a head noted before.

    Begins and ends a transaction of its own.
    """
    session.rollback()
    # Seals and entries of one moment: others go on sealing and deleting.
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    found: list[Problem] = []
    sealed: set[int] = set()
    before, number, purging = _START, 0, True
    bound = 0
    for row in session.scalars(
        sa.select(AuditSeal)
        .where(_mine(AuditSeal))
        .order_by(AuditSeal.number)
        .execution_options(yield_per=50)
    ):
        number += 1
        if row.number != number:
            found.append(_problem(number, _("缺失"), _("应逐号相连"), "seal_removed"))
            number = row.number
        elif row.digest != _digest(row, before):
            found.append(_problem(number, _("已被改动"), _("摘要应相符"), "seal_changed"))
        purging = purging and row.purged_at is not None
        found += _check_entries(session, row, purging=purging)
        sealed.update(row.entries)
        if expected and expected.number == number and expected.digest != row.digest:
            found.append(_problem(number, _("摘要与所记的不同"), str(expected), "seal_changed"))
        before, bound = row.digest, row.bound
    head = _head(session)
    if head != Head(number, before):
        found.append(_problem(head.number, _("末尾的封存缺失或被改动"), str(head), "seal_removed"))
    elif expected and expected.number > number:
        found.append(_problem(expected.number, _("缺失"), str(expected), "seal_removed"))
    present = _present(session)
    late = session.scalars(
        sa.select(AuditEntry.id)
        .where(_mine(AuditEntry), AuditEntry.transaction < bound)
        .order_by(AuditEntry.id)
    )
    found += [
        Problem(_("记录 {n}").format(n=entry), _("封存之后加入"), _("应不存在"), "entry_added")
        for entry in late
        if entry not in sealed
    ]
    session.rollback()
    return Verdict(head, len(present), len(sealed & present), tuple(found))


def _check_entries(session: AnySession, row: AuditSeal, *, purging: bool) -> Iterator[Problem]:
    known = [row.leaves[at : at + _LEAF] for at in range(0, len(row.leaves), _LEAF)]
    if row.purged_at is not None:
        if not purging or row.purged_at - row.sealed_at < KEPT:
            yield _problem(
                row.number, _("记录未满期限即被删除"), _("应保留至少六个月"), "purged_early"
            )
        return
    there = dict(_leaves(session, AuditEntry.id == sa.any_(sa.literal(row.entries, _NUMBERS))))
    for entry, leaf in zip(row.entries, known, strict=False):
        if entry not in there:
            code, what = "entry_removed", _("已被删除")
        elif there[entry] != leaf:
            code, what = "entry_changed", _("已被改动")
        else:
            continue
        place = _("记录 {n}（第 {s} 个封存）").format(n=entry, s=row.number)
        yield Problem(place, what, _("应与写入时相同"), code)


def purge(session: AnySession, actor: Actor, before: datetime) -> int:
    """Delete the entries of all seals made before a moment; returns how many entries.

    Only the owner of the tables can.  The seals stay, so that the chain can be checked on.
    Raises ``BadInput`` for a moment less than six months ago, and where the chain is broken:
    what was tampered with is not tidied away.
    """
    latest = datetime.now(UTC) - KEPT
    if before > latest:
        wanted = _("应不晚于 {day}：审计记录至少保留六个月").format(day=latest.date())
        raise BadInput([Problem("--before", str(before.date()), wanted, "too_recent")])
    seal(session)
    if problems := verify(session).problems:
        raise BadInput(problems)
    with transaction(session):
        _head(session, lock=True)
        rows = session.scalars(
            sa.select(AuditSeal).where(
                _mine(AuditSeal), AuditSeal.sealed_at < before, AuditSeal.purged_at.is_(None)
            )
        ).all()
        count = 0
        for row in rows:
            session.execute(
                sa.delete(AuditEntry).where(
                    _mine(AuditEntry), AuditEntry.id == sa.any_(sa.literal(row.entries, _NUMBERS))
                )
            )
            row.purged_at = datetime.now(UTC)
            count += len(row.entries)
        if rows:
            after = {"before": before, "seals": len(rows), "entries": count}
            record(session, actor, "audit.purge", "audit_entries", after=after)
    return count


def _problem(number: int, found: str, wanted: str, code: str) -> Problem:
    return Problem(_("第 {n} 个封存").format(n=number), found, wanted, code)


def _head(session: AnySession, *, lock: bool = False) -> Head:
    """The last link; with ``lock``, other processes wait until the transaction ends."""
    if lock:
        session.execute(insert(AuditHead).values(number=0, digest=_START).on_conflict_do_nothing())
    select = sa.select(AuditHead.number, AuditHead.digest).where(_mine(AuditHead))
    found = session.execute(select.with_for_update() if lock else select).one_or_none()
    return Head(*found) if found else Head(0, _START)


def _last(session: AnySession) -> AuditSeal | None:
    return session.scalars(
        sa.select(AuditSeal).where(_mine(AuditSeal)).order_by(AuditSeal.number.desc()).limit(1)
    ).one_or_none()


def _present(session: AnySession) -> set[int]:
    return set(session.scalars(sa.select(AuditEntry.id).where(_mine(AuditEntry))))


def _digest(row: AuditSeal, before: bytes) -> bytes:
    told = [row.number, row.sealed_at.astimezone(UTC).isoformat(), row.entries, before.hex()]
    return hashlib.sha256(json.dumps(told).encode() + row.leaves).digest()


def _leaves(
    session: AnySession, *conditions: sa.ColumnElement[bool]
) -> Iterator[tuple[int, bytes]]:
    """The digest of each entry, by its number."""
    entry = AuditEntry
    columns: tuple[Any, ...] = (
        entry.id,
        (sa.extract("epoch", entry.created_at) * 1_000_000).cast(sa.BigInteger),
        entry.user_id,
        entry.actor,
        entry.address,
        entry.action,
        entry.subject_type,
        entry.subject,
        # As PostgreSQL writes it: one spelling for one value, and for nothing.
        sa.func.nullif(entry.before.cast(sa.Text), "null"),
        sa.func.nullif(entry.after.cast(sa.Text), "null"),
    )
    rows = session.execute(
        sa.select(*columns).where(_mine(entry), *conditions).execution_options(yield_per=5000)
    )
    for row in rows:
        text = json.dumps(list(row), ensure_ascii=False, separators=(",", ":"))
        yield row[0], hashlib.sha256(text.encode()).digest()
