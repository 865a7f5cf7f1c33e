"""The day that it is where records are kept."""

from __future__ import annotations

from datetime import date

from guiju import clock
from guiju.db.session import AnySession
from guiju.scoring.operations import fixed_as_of


def business_day(session: AnySession) -> date:
    """The tenant's day: today, or the fixed one that it is judged as of in a demonstration."""
    return fixed_as_of(session) or clock.today()
