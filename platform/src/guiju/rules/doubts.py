"""Whether a common reading could change anything: what it cannot is not judged again.

Most records leave no room for most readings.  Each test here is wide rather than sharp: it
may find doubt where there is none, never the other way round, and it holds only where the
reading's default is what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from guiju.rules import conventions, findings
from guiju.rules.checks.base import CARRY_OVER, INCOMPLETE, ROSTER_DAY, SHARED_OCCASIONS
from guiju.rules.periods import FIRST_DAY

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.findings import Block


def of(reading: str, block: Block, context: Context) -> bool:
    """Whether another option of ``reading`` could give ``block`` another verdict."""
    doubt = _DOUBTS.get(reading)
    chosen = block.rule.readings.get(reading)
    if doubt is None or chosen != conventions.options(reading)[0]:
        return True
    return doubt(block, context)


def _more_than_asked(block: Block, context: Context) -> bool:
    """Some period has too little and some period more than was asked."""
    open_ = (block.verdict != findings.MET) & (block.verdict != findings.NOT_APPLICABLE)
    return bool(open_.any()) and bool((block.observed > block.required).any())


def _unattested(block: Block, context: Context) -> bool:
    """Something is left open that records, once taken to be complete, may settle."""
    return bool((block.verdict == findings.NO_DATA).any()) and context.presumes_more


def _shared(block: Block, context: Context) -> bool:
    """Some record that was counted is of several kinds."""
    kinds = context.facts["occasions"]["kinds"][block.evidence.rows]
    return bool((kinds & (kinds - np.uint64(1))).any())


def _changes(block: Block, context: Context) -> bool:
    """Somebody came to a post or a roster, or left one, while records were kept."""
    return context.shared("changes of posts and rosters", lambda: _any_change(context))


def _any_change(context: Context) -> bool:
    held = context.facts["occasions"]["held_on"]
    if not len(held):
        return False
    spells = (context.facts.posts, context.facts.roster)
    return any(
        bool(((one.start > max(int(held.min()), FIRST_DAY)) | (one.end < context.as_of)).any())
        for one in spells
    )


_DOUBTS: Mapping[str, Callable[[Block, Context], bool]] = {
    CARRY_OVER: _more_than_asked,
    INCOMPLETE: _unattested,
    SHARED_OCCASIONS: _shared,
    ROSTER_DAY: _changes,
}
