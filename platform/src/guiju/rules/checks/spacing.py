"""Spacing: once in each period, or (another reading) never longer than a period without one.

"Every two months" may mean fixed pairs of months or a gap of at most two months.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from marshmallow import fields

from guiju.rules import periods
from guiju.rules.checks import streams
from guiju.rules.checks.count import Count, CountSchema, Placed
from guiju.rules.findings import Block
from guiju.rules.periods import LAST_DAY, Unit

if TYPE_CHECKING:
    from guiju.rules.context import Bools, Context, Grid
    from guiju.rules.engine import Rule


class SpacingSchema(CountSchema):
    """As for a count; ``rolling`` judges the gaps instead of the calendar periods."""

    rolling = fields.Boolean(load_default=False)


class Spacing(Count):
    """A count whose other reading is the gap between one record and the next."""

    name = "spacing"
    schema = SpacingSchema
    summary = "每个期间的次数，或前后两次的间隔"

    def conclude(self, rule: Rule, context: Context, placed: Placed) -> Block:
        if not rule.parameters["rolling"]:
            return super().conclude(rule, context, placed)
        first = periods.first_day(context.first_judged(rule, placed.unit), placed.unit)
        stream = streams.of(rule.parameters, context)
        gap = _gaps(stream, context, placed.grid, placed.unit, first)
        verdict = context.period_verdict(rule, ~gap, placed.grid, placed.unit)
        return self.block(rule, context, placed, placed.numbers, verdict)


def _gaps(
    stream: streams.Stream, context: Context, grid: Grid, unit: Unit, first_day: int
) -> Bools:
    """Grid entries that hold a day more than a period's length after the last record before it.

    The day before ``first_day``, that of the first period judged, stands for a record: nobody
    is late at once.
    """
    organizations = np.unique(grid.organization)
    start = np.full(len(organizations), first_day - 1, dtype=np.int32)
    start = np.maximum(start, context.opened[organizations] - 1).astype(np.int32)
    owner = np.concatenate([organizations, stream.organization])
    day = np.concatenate([start, stream.day])
    order = np.lexsort((day, owner))
    owner, day = owner[order], day[order]
    last_of_owner = np.append(owner[1:] != owner[:-1], True)
    # The gap shows from the day after the time limit to the day on which it ends, late.
    until = np.where(last_of_owner, np.int32(LAST_DAY), np.append(day[1:], 0))
    since = periods.add_months(day, unit.value) + np.int32(1)
    uncovered = since <= until
    owner, since, until = owner[uncovered], since[uncovered], until[uncovered]
    first = np.maximum(periods.indices(since.astype(np.int32), unit), grid.low)
    last = np.minimum(periods.indices(until.astype(np.int32), unit), grid.high)
    length = np.maximum(last - first + 1, 0)
    step = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    place = grid.place(np.repeat(owner, length), (np.repeat(first, length) + step).astype(np.int32))
    found = np.zeros(len(grid), dtype=np.bool_)
    found[place[place >= 0]] = True
    return found
