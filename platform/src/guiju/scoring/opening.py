"""What is not settled, laid out by the stored row: requirements, periods, verdicts, dues."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.periods import NULL_DAY
from guiju.scoring.hashes import Hashes, mixed
from guiju.scoring.models import NOT_DUE
from guiju.scoring.sheets import OPEN, VERDICTS, Groups, Sheet, as_lists

#: Widths of an item in bits: day due, verdict, cell.
_DUE, _VERDICT, _CELL = 17, 3, 20
_ITEM = _DUE + _VERDICT + _CELL
#: Stands for no day; days end with the calendars of the engine, well before.
_NO_DAY = (1 << _DUE) - 1


class OpenItems:
    """Rows of ``attention``.

    Several findings of one rule, period, verdict and day (about members, say) are one item.
    """

    def __init__(self, sheets: Iterable[Sheet], size: int) -> None:
        """``size`` is the number of groups."""
        parts = [part for sheet in sheets for part in sheet.open_findings()]
        group = np.concatenate([np.zeros(0, dtype=np.int64), *(group for group, _ in parts)])
        said = np.concatenate([np.zeros(0, dtype=OPEN), *(said for _, said in parts)])
        day = np.where(said["due"] == NULL_DAY, _NO_DAY, np.clip(said["due"], 0, _NO_DAY - 1))
        item = day.astype(np.int64) << (_VERDICT + _CELL)
        item |= (said["verdict"].astype(np.int64) << _CELL) | said["cell"]
        # Group above, item below: one sort puts each group's items in the order of their days.
        keys = np.sort((group << _ITEM) | item)
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]]
        self._group = keys >> _ITEM
        self._item = keys & ((1 << _ITEM) - 1)
        self.digests: Hashes = np.zeros(size, dtype=np.uint64)
        np.add.at(self.digests, self._group, mixed(self._item.view(np.uint64)))
        self.present: NDArray[np.bool_] = np.zeros(size, dtype=np.bool_)
        self.present[self._group] = True

    def packed(self, groups: Groups) -> dict[str, pa.Array]:
        """The stored columns (all but the key) of the rows of ``groups`` (in ascending order)."""
        keep = np.isin(self._group, groups)
        row = np.searchsorted(groups, self._group[keep])
        item = self._item[keep]
        day = item >> (_VERDICT + _CELL)
        day[day == _NO_DAY] = periods.day(NOT_DUE)
        verdict = (item >> _CELL) & ((1 << _VERDICT) - 1)
        starts = np.searchsorted(row, np.arange(len(groups) + 1)).astype(np.int32)
        totals = np.bincount(row * VERDICTS + verdict, minlength=len(groups) * VERDICTS)

        def lists(values: pa.Array) -> pa.Array:
            return pa.ListArray.from_arrays(pa.array(starts), values)

        days = pa.array(day.astype(np.int32)).cast(pa.date32())
        return {
            "digest": pa.array(self.digests[groups].view(np.int64)),
            "totals": as_lists(totals.astype(np.int32)),
            # A group's first item is due first.
            "due": days.take(pa.array(starts[:-1])),
            "cells": lists(pa.array((item & ((1 << _CELL) - 1)).astype(np.int32))),
            "verdicts": lists(pa.array(verdict.astype(np.int16))),
            "dues": lists(days),
        }
