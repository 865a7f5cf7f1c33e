"""Which of what is met rests on records that were made too late.

A finding about an organization and a period is met in time if every occasion that it rests on
was recorded in time.  A record is late as its own page shows it: entered more days after the
occasion than its unit allows, or when the month counted as complete already.  Of what was
imported only the days are known, so the platform's own limit holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc
from numpy.typing import NDArray

from guiju.activities.models import LATE_AFTER_DAYS, Occasion, Record
from guiju.rules.facts import Facts
from guiju.rules.findings import MET, Block
from guiju.scoring import bulk

Mask = NDArray[np.bool_]

#: Up to so many occasions are asked for by number.
_FEW = 20_000


def late_occasions(connection: adbc.Connection, facts: Facts) -> Mask:
    """Of the occasions of the facts, which were recorded late; a last entry stands for none."""
    numbers = facts.numbers("occasions")
    occasion, record = Occasion.__table__, Record.__table__
    took_long = occasion.c.recorded_on - occasion.c.held_on > LATE_AFTER_DAYS
    select = (
        sa.select(occasion.c.id)
        .select_from(
            occasion.outerjoin(
                record,
                sa.and_(
                    record.c.tenant_id == occasion.c.tenant_id,
                    record.c.occasion_id == occasion.c.id,
                ),
            )
        )
        .where(occasion.c.tenant_id == bulk.tenant(), sa.func.coalesce(record.c.late, took_long))
    )
    parameters: list[Any] = []
    if len(numbers) <= _FEW:
        wanted: Any = sa.literal_column("ANY ($1::bigint[])")
        select, parameters = select.where(occasion.c.id == wanted), [numbers.tolist()]
    found = bulk.query(connection, select, *parameters)["id"].to_numpy()
    return np.append(np.isin(numbers, found), False)


def met_late(block: Block, late: Mask) -> Mask | None:
    """Which findings of a block are met by something recorded late; None where none can be."""
    evidence = block.evidence
    if evidence.table != "occasions" or not len(evidence.rows):
        return None
    # An unknown record, -1, is the last entry.
    running = np.concatenate([[0], np.cumsum(late[evidence.rows])])
    found: Mask = (running[evidence.stop] > running[evidence.start]) & (block.verdict == MET)
    return found
