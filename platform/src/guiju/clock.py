"""The day on which something is entered.

Only writers of records ask for it; what is judged as of which day is always an argument.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

#: Business days are days in this time zone.
ZONE = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The business day that it is now."""
    return datetime.now(ZONE).date()
